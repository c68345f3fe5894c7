//! Which letters there are, and which acknowledgement a message gets.

use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId};

/// What a letter is about: which fields its templates may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContextKind {
    /// [`CustomerLetter`](super::CustomerLetter).
    Customer,
    /// [`HoldingLetter`](super::HoldingLetter).
    Holding,
    /// [`AskingLetter`](super::AskingLetter).
    Asking,
    /// [`RejectionLetter`](super::RejectionLetter).
    Rejection,
    /// [`InterestLetter`](super::InterestLetter).
    Interest,
    /// [`ServiceRequest`](super::ServiceRequest).
    ServiceRequest,
    /// [`Reminder`](super::Reminder).
    Reminder,
    /// [`Digest`](super::Digest).
    Digest,
    /// [`OverdueDigest`](super::OverdueDigest).
    OverdueDigest,
    /// [`OfficerNotice`](super::OfficerNotice).
    OfficerNotice,
    /// [`DutyAlert`](super::DutyAlert).
    DutyAlert,
    /// [`AnswerCode`](super::AnswerCode).
    AnswerCode,
    /// [`AnswerLink`](super::AnswerLink).
    AnswerLink,
    /// [`AnswerCopy`](super::AnswerCopy).
    AnswerCopy,
    /// [`SentBack`](super::SentBack).
    SentBack,
}

macro_rules! letters {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $context:ident;)+) => {
        /// A letter that the gateway writes; its templates are in `templates/letters/<id>/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum LetterId { $($(#[$doc])* $variant,)+ }

        impl LetterId {
            /// Every letter.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name of its folder, and of it in the outbox and the audit.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// What it is written from.
            pub fn context(self) -> ContextKind {
                match self { $(Self::$variant => ContextKind::$context,)+ }
            }
        }
    };
}

letters! {
    /// Children Act complaint by an adult: three stages, two dates.
    AcknowledgementChildrenAct = "acknowledgement-children-act", Customer;
    /// Anything but thanks and ideas from a child or young person.
    AcknowledgementChild = "acknowledgement-child", Customer;
    /// Children Act complaint by a care leaver of 18 or over.
    AcknowledgementCareLeaver = "acknowledgement-care-leaver", Customer;
    /// Corporate complaint: two steps.
    AcknowledgementCorporate = "acknowledgement-corporate", Customer;
    /// Corporate complaint about special educational needs: the tribunal's time goes on.
    AcknowledgementCorporateSen = "acknowledgement-corporate-sen", Customer;
    /// Raised while a court or an assessment is open.
    AcknowledgementRepresentation = "acknowledgement-representation", Customer;
    /// To a member's office.
    AcknowledgementMember = "acknowledgement-member", Customer;
    /// To a member's office: it is handled as a complaint of their constituent.
    MemberComplaint = "member-complaint", Customer;
    /// A question, or a matter with its own route.
    AcknowledgementEnquiry = "acknowledgement-enquiry", Customer;
    /// An idea or opinion.
    AcknowledgementComment = "acknowledgement-comment", Customer;
    /// Thanks.
    AcknowledgementCompliment = "acknowledgement-compliment", Customer;
    /// Nobody has decided yet what it is: promises only that someone will.
    AcknowledgementNeutral = "acknowledgement-neutral", Customer;
    /// More about a case that is open.
    FollowUp = "follow-up", Customer;
    /// The answer will be late: an officer releases it.
    Holding = "holding", Holding;
    /// The next stage is open: who looks at it, and by when.
    StageRequest = "stage-request", Customer;
    /// The customer took it back, and an officer confirms that.
    Withdrawal = "withdrawal", Customer;
    /// Asks for what is needed before a case can be taken on, once, with one reminder.
    AskCustomer = "ask-customer", Asking;
    /// An officer does not take it on: why, and where to go instead.
    Rejection = "rejection", Rejection;
    /// An officer found no sufficient interest in the child's welfare: why, and that nothing further follows.
    InterestRefused = "interest-refused", Interest;
    /// Asks a service for its answer.
    ServiceRequest = "service-request", ServiceRequest;
    /// Chases one answer, where no digest goes out that day.
    Reminder = "reminder", Reminder;
    /// A manager's list for the day.
    Digest = "digest", Digest;
    /// What is late, to a head of service or above.
    OverdueDigest = "overdue-digest", OverdueDigest;
    /// Six digits that open what a customer wrote on the answer page.
    AnswerCode = "answer-code", AnswerCode;
    /// Another link to the answer page, in place of one that no longer works.
    AnswerLink = "answer-link", AnswerLink;
    /// A copy of what a service answered on its page.
    AnswerCopy = "answer-copy", AnswerCopy;
    /// A service's answer needs more.
    AnswerSentBack = "answer-sent-back", SentBack;
    /// A service that asked for more time has it.
    MoreTimeGranted = "more-time-granted", SentBack;
    /// A service that asked for more time gets none.
    MoreTimeRefused = "more-time-refused", SentBack;
    /// What an officer must do on a case.
    OfficerNotice = "officer-notice", OfficerNotice;
    /// A child may be at risk: to the duty officer, at once.
    SafeguardingAlert = "safeguarding-alert", DutyAlert;
}

impl LetterId {
    /// Whether it is one of the first letters to a customer.
    pub fn is_acknowledgement(self) -> bool {
        self.id().starts_with("acknowledgement-")
    }

    /// Whether it goes to a customer rather than to staff.
    pub fn is_to_customer(self) -> bool {
        matches!(
            self.context(),
            ContextKind::Customer
                | ContextKind::Holding
                | ContextKind::Asking
                | ContextKind::Rejection
                | ContextKind::Interest
        )
    }
}

impl std::fmt::Display for LetterId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl std::str::FromStr for LetterId {
    type Err = crate::casework::vocabulary::UnknownValue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|letter| letter.id() == text).ok_or_else(|| Self::Err {
            what: "letter".to_owned(),
            got: text.to_owned(),
            expected: Self::ALL.iter().map(|letter| letter.id()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// Whether the writer is a child, so that the letter speaks to one.
///
/// A person who acts for a child is not one, unless the words say that a child wrote them.
pub fn is_written_by_child(customer_type: CustomerType, flags: &[Flag]) -> bool {
    let child =
        matches!(customer_type, CustomerType::ChildInCare | CustomerType::ChildOrYoungPerson);
    flags.contains(&Flag::ChildAuthor) || (child && !flags.contains(&Flag::Representative))
}

/// The acknowledgement that fits. `record_type` is `None` while nobody has decided it; no letter
/// answers a service, or what is not for us.
pub fn acknowledgement_for(
    record_type: Option<RecordType>,
    customer_type: CustomerType,
    flags: &[Flag],
    lead_service: &ServiceId,
) -> Option<LetterId> {
    let child = is_written_by_child(customer_type, flags);
    let care_leaver =
        customer_type == CustomerType::CareLeaver && !flags.contains(&Flag::Representative);
    Some(match record_type {
        Some(RecordType::ServiceResponse | RecordType::NotForUs) => return None,
        Some(RecordType::FollowUp) => LetterId::FollowUp,
        Some(RecordType::Comment) => LetterId::AcknowledgementComment,
        Some(RecordType::Compliment) => LetterId::AcknowledgementCompliment,
        Some(RecordType::MemberEnquiry) => LetterId::AcknowledgementMember,
        _ if child => LetterId::AcknowledgementChild,
        Some(RecordType::ChildrenActComplaint) if care_leaver => {
            LetterId::AcknowledgementCareLeaver
        }
        Some(RecordType::ChildrenActComplaint) => LetterId::AcknowledgementChildrenAct,
        Some(RecordType::CorporateComplaint) if lead_service.as_str() == "sen" => {
            LetterId::AcknowledgementCorporateSen
        }
        Some(RecordType::CorporateComplaint) => LetterId::AcknowledgementCorporate,
        Some(RecordType::Representation) => LetterId::AcknowledgementRepresentation,
        Some(RecordType::Enquiry) => LetterId::AcknowledgementEnquiry,
        None => LetterId::AcknowledgementNeutral,
    })
}

/// What a record is called in everyday words, to its customer.
pub fn record_words(record_type: Option<RecordType>) -> &'static str {
    match record_type {
        Some(RecordType::ChildrenActComplaint | RecordType::CorporateComplaint) => "a complaint",
        Some(RecordType::Representation) => "a concern",
        Some(RecordType::MemberEnquiry) => "a member's enquiry",
        Some(RecordType::Enquiry) => "a question",
        Some(RecordType::Comment) => "a comment",
        Some(RecordType::Compliment) => "thanks",
        Some(RecordType::ServiceResponse | RecordType::FollowUp | RecordType::NotForUs) | None => {
            "a message"
        }
    }
}

/// Where a customer stands in the procedure: `the first of three stages`, `the second of two steps`.
/// Nothing for a type without steps, or a step that the type has not.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these two have steps")]
pub fn step_words(record_type: RecordType, stage: u8) -> Option<String> {
    let (steps, of) = match record_type {
        RecordType::ChildrenActComplaint => (3, "three stages"),
        RecordType::CorporateComplaint => (2, "two steps"),
        _ => return None,
    };
    let ordinal = ["first", "second", "third"].get(usize::from(stage.checked_sub(1)?))?;
    (stage <= steps).then(|| format!("the {ordinal} of {of}"))
}

/// The same to staff: `stage 2`, `step 1`.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these two have steps")]
pub fn stage_words(record_type: RecordType, stage: u8) -> Option<String> {
    match record_type {
        RecordType::ChildrenActComplaint => Some(format!("stage {stage}")),
        RecordType::CorporateComplaint => Some(format!("step {stage}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record_type: &str, customer: &str, flags: &[Flag], service: &str, letter: &str) {
        let got = acknowledgement_for(
            record_type.parse().ok(),
            customer.parse().unwrap(),
            flags,
            &ServiceId(service.to_owned()),
        );
        let got = got.map_or("nothing", LetterId::id);
        assert_eq!(got, letter, "{record_type}, {customer}, {flags:?}, {service}");
    }

    #[test]
    fn each_message_gets_the_acknowledgement_that_fits() {
        let ca = "children_act_complaint";
        let child = "acknowledgement-child";
        check(ca, "parent", &[], "children_in_care", "acknowledgement-children-act");
        check(ca, "foster_carer", &[], "fostering", "acknowledgement-children-act");
        check(ca, "unknown", &[], "children_in_care", "acknowledgement-children-act");
        check(ca, "child_in_care", &[], "children_in_care", child);
        check(ca, "child_or_young_person", &[], "front_door", child);
        check(ca, "parent", &[Flag::ChildAuthor], "front_door", child);
        check(ca, "care_leaver", &[], "care_leavers_18_plus", "acknowledgement-care-leaver");
        check(ca, "care_leaver", &[Flag::ChildAuthor], "care_leavers_18_plus", child);
        check("corporate_complaint", "parent", &[], "fair_access", "acknowledgement-corporate");
        check("corporate_complaint", "parent", &[], "sen", "acknowledgement-corporate-sen");
        check("corporate_complaint", "child_or_young_person", &[], "sen", child);
        check("representation", "parent", &[], "sen", "acknowledgement-representation");
        check("representation", "child_in_care", &[], "children_in_care", child);
        check("member_enquiry", "other_customer", &[], "sen", "acknowledgement-member");
        check("enquiry", "parent", &[], "sen", "acknowledgement-enquiry");
        check("enquiry", "child_in_care", &[], "children_in_care", child);
        check("comment", "parent", &[], "sen", "acknowledgement-comment");
        check("compliment", "child_in_care", &[], "sen", "acknowledgement-compliment");
        check("follow_up", "parent", &[], "sen", "follow-up");
        check("undecided", "parent", &[], "sen", "acknowledgement-neutral");
        check("undecided", "parent", &[Flag::ChildAuthor], "sen", child);
        check("service_response", "other_customer", &[], "sen", "nothing");
        check("not_for_us", "unknown", &[], "none", "nothing");
    }

    #[test]
    fn whoever_writes_for_a_child_is_not_written_to_as_one() {
        let ca = "children_act_complaint";
        let adult = "acknowledgement-children-act";
        check(ca, "child_in_care", &[Flag::Representative], "children_in_care", adult);
        check(ca, "care_leaver", &[Flag::Representative], "care_leavers_18_plus", adult);
        let both = [Flag::Representative, Flag::ChildAuthor];
        check(ca, "child_in_care", &both, "children_in_care", "acknowledgement-child");
    }

    #[test]
    fn steps_are_said_in_words() {
        let (children_act, corporate) =
            (RecordType::ChildrenActComplaint, RecordType::CorporateComplaint);
        assert_eq!(step_words(children_act, 3).as_deref(), Some("the third of three stages"));
        assert_eq!(step_words(corporate, 2).as_deref(), Some("the second of two steps"));
        for (record_type, stage) in [(corporate, 3), (corporate, 0), (RecordType::Enquiry, 1)] {
            assert_eq!(step_words(record_type, stage), None, "{record_type}, {stage}");
        }
        assert_eq!(stage_words(children_act, 2).as_deref(), Some("stage 2"));
        assert_eq!(stage_words(corporate, 1).as_deref(), Some("step 1"));
    }

    #[test]
    fn ids_are_read_back() {
        for &letter in LetterId::ALL {
            assert_eq!(letter.id().parse(), Ok(letter));
        }
        assert!("reminders".parse::<LetterId>().is_err());
    }
}
