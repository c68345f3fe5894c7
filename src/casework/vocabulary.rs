//! The values that the council registers: those of its annual report (tables 1, 2, 4 to 9) and
//! of the label sheet. What the program acts on is an `enum`; what the council owns (services,
//! contacts) is an id checked against `rules/` at start.

use serde::{Deserialize, Serialize};

/// Declares an enum whose values are spelt in `snake_case` in rules, the database and JSON.
///
/// An id is a `tt`: within a `literal` the derive that documents the API does not see it.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $id:tt, $label:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $id)] $variant,)+ }

        impl $name {
            /// Every value, in the report's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The id that rules, database and JSON use.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// The words that people read.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::casework::vocabulary::UnknownValue;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.id() == text).ok_or_else(|| $crate::casework::vocabulary::UnknownValue {
                    what: $crate::casework::vocabulary::in_words(stringify!($name)),
                    got: text.to_owned(),
                    expected: Self::ALL.iter().map(|value| value.id()).collect::<Vec<_>>().join(", "),
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.id())
            }
        }
    };
}
pub(crate) use vocabulary;

/// `StartRule` as people say it: `start rule`.
pub(crate) fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// A word that is none of the known values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{got}`; expected one of: {expected}")]
pub struct UnknownValue {
    /// Which set, in words.
    pub what: String,
    /// What was written.
    pub got: String,
    /// What could have been.
    pub expected: String,
}

vocabulary! {
    /// What the council registers (tables 1 and 2; the last three exist only in the gateway).
    RecordType {
        /// Statutory procedure.
        ChildrenActComplaint = "children_act_complaint", "Children Act complaint";
        /// The council's own two-step procedure.
        CorporateComplaint = "corporate_complaint", "Corporate complaint";
        /// An eligible complaint that concurrent proceedings stop.
        Representation = "representation", "Representation";
        /// From an MP or an elected member, for a constituent.
        MemberEnquiry = "member_enquiry", "Member Enquiry";
        /// A question, or a matter with its own route.
        Enquiry = "enquiry", "Enquiry";
        /// An opinion, no remedy asked.
        Comment = "comment", "Comment";
        /// Thanks or praise.
        Compliment = "compliment", "Compliment";
        /// A council service answering a request of ours.
        ServiceResponse = "service_response", "Service response";
        /// A customer writing again about a complaint already lodged.
        FollowUp = "follow_up", "Follow-up";
        /// Nothing to register.
        NotForUs = "not_for_us", "Not for us";
    }
}

impl RecordType {
    /// Whether a message of this type opens a case of its own.
    pub fn opens_case(self) -> bool {
        !matches!(self, Self::ServiceResponse | Self::FollowUp | Self::NotForUs)
    }

    /// Whether the annual report counts it as a complaint (table 1).
    pub fn is_complaint(self) -> bool {
        matches!(self, Self::ChildrenActComplaint | Self::CorporateComplaint)
    }
}

vocabulary! {
    /// Who writes, or on whose behalf (table 7).
    CustomerType {
        /// Parent.
        Parent = "parent", "Parent";
        /// Another relative without care of the child.
        FamilyMember = "family_member", "Family member";
        /// Grandparent with care, special guardian.
        Carer = "carer", "Carer (grandparent/special guardian)";
        /// Foster carer.
        FosterCarer = "foster_carer", "Foster carer";
        /// Adoptive parent, also prospective.
        AdoptiveParent = "adoptive_parent", "Adoptive parent/prospective adoptive parent";
        /// Looked-after child.
        ChildInCare = "child_in_care", "Child in care";
        /// Care leaver.
        CareLeaver = "care_leaver", "Care leaver/leaving care";
        /// Child or young person not in care.
        ChildOrYoungPerson = "child_or_young_person", "Child or young person (not in care)";
        /// Provider, professional, advocate, solicitor, neighbour, member, service.
        OtherCustomer = "other_customer", "Other customer (incl. providers/professionals)";
        /// Nothing tells.
        Unknown = "unknown", "Unknown";
    }
}

vocabulary! {
    /// What is alleged (tables 8, 10, 11).
    Theme {
        /// Delay or failure to communicate, wrong information.
        Communication = "communication", "Communication issues";
        /// Discrimination, data protection, health and safety.
        EqualitiesRegulatory = "equalities_regulatory", "Equalities and regulatory issues";
        /// Delay, failure to act, quality, withdrawal.
        ServiceIssue = "service_issue", "Issues with service";
        /// Procedure not followed, disagreement with a policy or a decision.
        PolicyProcedure = "policy_procedure", "Policy and procedure issues";
        /// How staff behaved.
        StaffConduct = "staff_conduct", "Staff conduct";
    }
}

vocabulary! {
    /// What a person must know at once, or check.
    Flag {
        /// A child is being harmed or at risk now: a person must see it at once.
        Safeguarding = "safeguarding", "Child may be at risk";
        /// A child wrote it.
        ChildAuthor = "child_author", "Written by a child";
        /// Someone acts for another: authority must be checked.
        Representative = "representative", "Writes for someone else";
        /// Live or threatened proceedings about the same matter.
        LegalProceedings = "legal_proceedings", "Legal proceedings";
        /// The matter ended more than twelve months ago.
        Over12Months = "over_12_months", "More than 12 months old";
        /// Withholds name or address.
        Anonymous = "anonymous", "Withholds name or address";
        /// Another body's matter.
        OtherOrganisation = "other_organisation", "Another organisation's matter";
        /// Asks for records or information.
        DataRequest = "data_request", "Asks for records";
        /// Asks for an adjustment, a language or a format.
        AdjustmentNeeded = "adjustment_needed", "Adjustment asked for";
    }
}

vocabulary! {
    /// What exactly is alleged within a theme, by the notes under the report's tables 8, 10 and 11.
    SubTheme {
        /// Communication: late or none.
        NoContact = "no_contact", "Delay or failure to communicate";
        /// Communication: badly done.
        PoorCommunication = "poor_communication", "Poor communication";
        /// Communication: wrong.
        WrongInformation = "wrong_information", "Wrong information or advice";
        /// Equalities and regulatory: treated worse for who they are.
        Discrimination = "discrimination", "Discrimination";
        /// Equalities and regulatory: personal data.
        DataProtection = "data_protection", "Data protection";
        /// Equalities and regulatory: danger.
        HealthAndSafety = "health_and_safety", "Health and safety";
        /// Service: late.
        Delay = "delay", "Delayed service";
        /// Service: not done.
        FailureToAct = "failure_to_act", "Failure to deliver a service or do something";
        /// Service: badly done.
        Quality = "quality", "Quality of service provided";
        /// Service: taken away.
        Withdrawal = "withdrawal", "Service cancelled or withdrawn";
        /// Policy and procedure: a rule was broken.
        NotFollowed = "not_followed", "Procedure not followed";
        /// Policy and procedure: the rule is wrong.
        DisputedPolicy = "disputed_policy", "Disagreement with a policy";
        /// Policy and procedure: the decision is wrong.
        DisputedDecision = "disputed_decision", "Disagreement with decision";
    }
}

impl SubTheme {
    /// The theme that it is part of. Staff conduct has no parts.
    pub fn theme(self) -> Theme {
        match self {
            Self::NoContact | Self::PoorCommunication | Self::WrongInformation => {
                Theme::Communication
            }
            Self::Discrimination | Self::DataProtection | Self::HealthAndSafety => {
                Theme::EqualitiesRegulatory
            }
            Self::Delay | Self::FailureToAct | Self::Quality | Self::Withdrawal => {
                Theme::ServiceIssue
            }
            Self::NotFollowed | Self::DisputedPolicy | Self::DisputedDecision => {
                Theme::PolicyProcedure
            }
        }
    }
}

vocabulary! {
    /// What the council found of one issue; tables 8, 10 and 11 merge the first two.
    Outcome {
        /// The council agrees that it was wrong.
        Upheld = "upheld", "Upheld";
        /// In part.
        PartlyUpheld = "partly_upheld", "Partly upheld";
        /// The council does not agree.
        NotUpheld = "not_upheld", "Not upheld";
        /// The customer took it back.
        Withdrawn = "withdrawn", "Withdrawn";
        /// It could not be settled either way.
        NoFinding = "no_finding", "No finding";
    }
}

vocabulary! {
    /// Why a case was not taken on (table 3, in its order).
    RejectionReason {
        /// Acts for another without authority.
        NotAuthorised = "not_authorised", "Representative not authorised to act on behalf of client";
        /// A court or tribunal has the matter.
        LegalProceedings = "legal_proceedings", "Complaint subject to legal proceedings";
        /// Another body answers for it.
        OtherOrganisation = "other_organisation", "Complaint for another organisation";
        /// It was made before and is open.
        Duplicate = "duplicate", "Duplicate complaint";
        /// An assessment or enquiry about it runs.
        OngoingAssessment = "ongoing_assessment", "Ongoing social care assessment";
        /// Name or address is refused.
        Anonymous = "anonymous", "Customer refused to provide name and address";
        /// Asks for something to be done.
        ServiceRequest = "service_request", "Service request not a complaint";
        /// Nobody can tell what it is about.
        InsufficientInformation = "insufficient_information", "Insufficient information provided by customer";
        /// The matter is too old; an officer weighs why.
        Over12Months = "over_12_months", "Complaint about an issue more than 12 months old";
        /// An employee about their employment.
        HrMatter = "hr_matter", "Complaint about a HR matter";
        /// Asks a question.
        Enquiry = "enquiry", "Enquiry not a complaint";
        /// Every stage has answered it.
        AllStagesDone = "all_stages_done", "Same complaint already dealt with at all stages";
        /// Anything else.
        Other = "other", "Other reasons";
    }
}

/// A service of the council, as `rules/services.toml` names it.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct ServiceId(pub String);

impl ServiceId {
    /// Nothing to answer.
    pub fn none() -> Self {
        Self("none".to_owned())
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ServiceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
