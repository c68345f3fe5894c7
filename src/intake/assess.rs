//! What an officer decides of a new case, beside what it is: whether it can be taken up, and for whom.

use crate::casework::vocabulary::{Flag, RecordType};

/// Whether a flag may end in a refusal, which only an officer decides (domain rules D17, D19, D21).
pub(super) fn may_stand_in_the_way(flag: Flag) -> bool {
    matches!(flag, Flag::LegalProceedings | Flag::Over12Months | Flag::Anonymous)
}

/// What an officer is asked about a new case by its flags, beside what it is.
pub(super) fn asked_of_an_officer(flag: Flag, record_type: RecordType) -> Option<&'static str> {
    match flag {
        Flag::LegalProceedings => {
            Some("a court or tribunal is named: decide whether it can be looked into now")
        }
        Flag::Over12Months => {
            Some("the matter may be more than twelve months old: decide whether to take it up")
        }
        Flag::Anonymous => Some("the writer gives no name: decide what can be done without"),
        // A member's authority for a constituent is assumed.
        Flag::Representative if record_type == RecordType::MemberEnquiry => None,
        Flag::Representative => Some("somebody writes for another: check their authority"),
        Flag::ChildAuthor => Some("a child wrote this: read it today, and offer an advocate"),
        Flag::OtherOrganisation => Some("another body may have to answer: say who, or pass it on"),
        // What is asked for is answered with the rest; what is at risk has had its own alarm.
        Flag::DataRequest | Flag::AdjustmentNeeded | Flag::Safeguarding => None,
    }
}
