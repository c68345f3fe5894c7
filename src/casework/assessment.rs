//! Whether a case can be taken on: the gates of the decision table (domain rules D8 to D21) as proposals.
//!
//! A gate never decides. It says what may stand in the way, on what evidence, and what the customer
//! can be asked first; only an officer rejects, and may just as well set the gate aside.

use super::vocabulary::{CustomerType, Flag, RecordType, RejectionReason, vocabulary};

vocabulary! {
    /// A gate of the decision table.
    Gate {
        /// Another body answers for it.
        D8 = "D8", "another organisation may have to answer it: say who, or pass it on";
        /// An employee writes about their employment.
        D14 = "D14", "somebody writes about their own employment: the staff's own route may be right";
        /// It came before.
        D15 = "D15", "it may be the same as a case that is open: look at both";
        /// Every stage has answered it.
        D16 = "D16", "it may have been through every stage already: the Ombudsman may be next";
        /// No name.
        D17 = "D17", "the writer gives no name: decide what can be done without";
        /// Nobody can tell what it is about.
        D18 = "D18", "nothing tells what it is about: ask what happened, and when";
        /// It is old. Never to be applied rigidly.
        D19 = "D19", "the matter may be more than twelve months old: weigh why it comes now, and whether it can still be looked into";
        /// For somebody else.
        D20 = "D20", "somebody writes for another: check their authority";
        /// A court or tribunal has it.
        D21Court = "D21_court", "a court or tribunal is named: decide whether it can be looked into now";
        /// An assessment or enquiry about it runs.
        D21Assessment = "D21_assessment", "an assessment or enquiry about it may be running: decide whether it can be looked into now";
        /// Whoever writes is not eligible as of right (Children Act 1989 s.26(3)).
        D22Interest = "D22_interest", "whoever writes is not eligible as of right: decide whether they have sufficient interest in the child's welfare";
    }
}

vocabulary! {
    /// What a customer can be asked before a case is decided.
    Needed {
        /// That they may act for another.
        Authority = "authority", "the agreement of the person they write for";
        /// What happened, when, to whom.
        Details = "details", "what happened and when";
        /// Who they are.
        Name = "name", "their name and how to reach them";
    }
}

impl Gate {
    /// The reason of table 3 that an officer may come to.
    pub fn reason(self) -> RejectionReason {
        match self {
            Self::D8 => RejectionReason::OtherOrganisation,
            Self::D14 => RejectionReason::HrMatter,
            Self::D15 => RejectionReason::Duplicate,
            Self::D16 => RejectionReason::AllStagesDone,
            Self::D17 => RejectionReason::Anonymous,
            Self::D18 => RejectionReason::InsufficientInformation,
            Self::D19 => RejectionReason::Over12Months,
            Self::D20 => RejectionReason::NotAuthorised,
            Self::D21Court => RejectionReason::LegalProceedings,
            Self::D21Assessment => RejectionReason::OngoingAssessment,
            // None of table 3's own reasons is about it.
            Self::D22Interest => RejectionReason::Other,
        }
    }

    /// What the customer is asked first, where asking helps (domain 4.5: ask once, remind once).
    pub fn asks(self) -> Option<Needed> {
        match self {
            Self::D17 => Some(Needed::Name),
            Self::D18 => Some(Needed::Details),
            Self::D20 => Some(Needed::Authority),
            Self::D8
            | Self::D14
            | Self::D15
            | Self::D16
            | Self::D19
            | Self::D21Court
            | Self::D21Assessment
            | Self::D22Interest => None,
        }
    }

    /// Whether a decision of its own answers it, with which the child's view is kept.
    pub fn is_decided_by_itself(self) -> bool {
        self == Self::D22Interest
    }
}

/// What an officer is asked where somebody's interest in a child is in doubt.
pub const DECIDE_INTEREST: &str = "decide as soon as possible whether whoever writes has sufficient interest in the \
    child's welfare: `case sufficient-interest`";

/// Whether a record goes by the Children Act's procedure, or would but for proceedings.
pub fn is_of_the_act(record_type: RecordType) -> bool {
    matches!(record_type, RecordType::ChildrenActComplaint | RecordType::Representation)
}

/// Whether an officer must decide if somebody has sufficient interest in a child's welfare: they are not eligible as of
/// right, and do not write for somebody who is, whose authority is another question (D20).
pub fn asks_for_interest(
    record_type: RecordType,
    customer_type: CustomerType,
    flags: &[Flag],
) -> bool {
    is_of_the_act(record_type)
        && matches!(customer_type, CustomerType::FamilyMember | CustomerType::OtherCustomer)
        && !flags.contains(&Flag::Representative)
        && !flags.contains(&Flag::ChildAuthor)
}

/// What is known of a new case when it is assessed.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What it is registered as.
    pub record_type: RecordType,
    /// Who writes.
    pub customer_type: CustomerType,
    /// What it is flagged with.
    pub flags: &'a [Flag],
    /// Which facts the rules found, by their ids without `fact:`.
    pub found: &'a [&'a str],
    /// No service and no theme could be told.
    pub tells_nothing: bool,
    /// An open case of the same person says the same.
    pub is_duplicate: bool,
    /// A case of the same person about the same matter was answered at its last stage.
    pub is_exhausted: bool,
}

/// The gates that a new case meets, in the table's order.
pub fn gates(facts: Facts<'_>) -> Vec<Gate> {
    let flagged = |flag: Flag| facts.flags.contains(&flag);
    let found = |fact: &str| facts.found.contains(&fact);
    let is_member = facts.record_type == RecordType::MemberEnquiry;
    // Thanks and ideas are not taken on or refused; a member's own standing is not in question.
    let is_weighed = !matches!(facts.record_type, RecordType::Comment | RecordType::Compliment);
    let conditions = [
        (Gate::D8, flagged(Flag::OtherOrganisation)),
        (Gate::D14, is_weighed && !is_member && found("own_employment")),
        (Gate::D15, facts.is_duplicate),
        (Gate::D16, is_weighed && (found("all_stages_done") || facts.is_exhausted)),
        (Gate::D17, flagged(Flag::Anonymous)),
        (Gate::D18, is_weighed && !is_member && facts.tells_nothing),
        (Gate::D19, flagged(Flag::Over12Months)),
        // A member's authority for a constituent is assumed.
        (Gate::D20, flagged(Flag::Representative) && !is_member && !found("authority_shown")),
        (Gate::D21Court, flagged(Flag::LegalProceedings)),
        (Gate::D21Assessment, is_weighed && !is_member && found("enquiry_live")),
        (Gate::D22Interest, asks_for_interest(facts.record_type, facts.customer_type, facts.flags)),
    ];
    conditions.into_iter().filter(|(_, holds)| *holds).map(|(gate, _)| gate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record_type: RecordType, flags: &[Flag], found: &[&str], expected: &[Gate]) {
        let facts = Facts {
            record_type,
            customer_type: CustomerType::Parent,
            flags,
            found,
            tells_nothing: false,
            is_duplicate: false,
            is_exhausted: false,
        };
        assert_eq!(gates(facts), expected, "{record_type}, {flags:?}");
    }

    #[test]
    fn what_the_register_has_answered_at_its_last_stage_is_weighed_by_an_officer() {
        let facts = |record_type| Facts {
            record_type,
            customer_type: CustomerType::Parent,
            flags: &[],
            found: &[],
            tells_nothing: false,
            is_duplicate: false,
            is_exhausted: true,
        };
        assert_eq!(gates(facts(RecordType::CorporateComplaint)), [Gate::D16]);
        assert_eq!(gates(facts(RecordType::Compliment)), []);
    }

    #[test]
    fn each_gate_has_what_opens_it() {
        let corporate = RecordType::CorporateComplaint;
        check(corporate, &[], &[], &[]);
        check(corporate, &[Flag::OtherOrganisation], &[], &[Gate::D8]);
        check(corporate, &[], &["own_employment"], &[Gate::D14]);
        check(corporate, &[], &["all_stages_done"], &[Gate::D16]);
        check(corporate, &[Flag::Anonymous, Flag::Over12Months], &[], &[Gate::D17, Gate::D19]);
        check(corporate, &[Flag::Representative], &[], &[Gate::D20]);
        check(corporate, &[Flag::Representative], &["authority_shown"], &[]);
        let concern = RecordType::Representation;
        check(concern, &[Flag::LegalProceedings], &[], &[Gate::D21Court]);
        check(concern, &[], &["enquiry_live"], &[Gate::D21Assessment]);
    }

    #[test]
    fn a_members_authority_is_assumed_and_thanks_are_not_weighed() {
        check(RecordType::MemberEnquiry, &[Flag::Representative], &["own_employment"], &[]);
        check(RecordType::Compliment, &[], &["own_employment", "enquiry_live"], &[]);
    }

    #[test]
    fn what_says_nothing_and_what_came_before_are_seen() {
        let facts = Facts {
            record_type: RecordType::Enquiry,
            customer_type: CustomerType::Unknown,
            flags: &[],
            found: &[],
            tells_nothing: true,
            is_duplicate: true,
            is_exhausted: false,
        };
        assert_eq!(gates(facts), [Gate::D15, Gate::D18]);
        assert_eq!(Gate::D18.asks(), Some(Needed::Details));
    }

    #[test]
    fn whoever_is_not_eligible_as_of_right_is_for_an_officer_to_decide() {
        let asks = |record_type, customer_type, flags: &[Flag]| {
            asks_for_interest(record_type, customer_type, flags)
        };
        let act = RecordType::ChildrenActComplaint;
        assert!(asks(act, CustomerType::FamilyMember, &[]), "a grandmother without care");
        assert!(asks(RecordType::Representation, CustomerType::OtherCustomer, &[]));
        // Whoever acts for another shows their authority instead, and a child needs none.
        assert!(!asks(act, CustomerType::OtherCustomer, &[Flag::Representative]));
        assert!(!asks(act, CustomerType::FamilyMember, &[Flag::ChildAuthor]));
        for eligible in [
            CustomerType::Parent,
            CustomerType::Carer,
            CustomerType::FosterCarer,
            CustomerType::AdoptiveParent,
            CustomerType::ChildInCare,
            CustomerType::CareLeaver,
            CustomerType::ChildOrYoungPerson,
        ] {
            assert!(!asks(act, eligible, &[]), "{eligible}");
        }
        assert!(!asks(RecordType::CorporateComplaint, CustomerType::FamilyMember, &[]));
    }

    #[test]
    fn no_two_gates_lead_to_one_reason() {
        let mut reasons: Vec<_> = Gate::ALL.iter().map(|gate| gate.reason()).collect();
        reasons.sort();
        reasons.dedup();
        assert_eq!(reasons.len(), Gate::ALL.len());
    }
}
