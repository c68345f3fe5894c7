//! Invented letters, one for every branch that a template may take: what templates are tried on
//! when they are loaded, and what the console previews. Nobody here exists.

use jiff::civil::date;
use serde_json::Value;

use super::context::{
    AskingLetter, Contact, Council, CustomerLetter, HoldingLetter, InterestLetter, RejectionLetter,
};
use super::letter::{ContextKind, LetterId, record_words};
use super::words::InFull;
use crate::casework::assessment::Needed;
use crate::casework::vocabulary::RecordType;
use crate::private::Private;

mod staff;

use staff::{
    alerts, codes, copies, digests, links, notices, overdue, reminders, requests, sent_back,
};

/// One way of filling a letter in.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Which branch it takes, for a fault's words: `a child writes`.
    pub(crate) name: &'static str,
    /// The fields.
    pub(crate) fields: Value,
}

fn sample(name: &'static str, context: &impl serde::Serialize) -> Sample {
    // The contexts are plain structs: they cannot fail to become JSON.
    Sample { name, fields: serde_json::to_value(context).unwrap_or_default() }
}

/// A contact in the invented council.
pub fn contact() -> Contact {
    Contact {
        name: "Priya Shah".to_owned(),
        phone: "01632 960 118".to_owned(),
        email: "complaints@northmere.example".to_owned(),
    }
}

/// The invented council.
pub fn council() -> Council {
    Council {
        name: "Northmere County Council".to_owned(),
        team: "Children's complaints team".to_owned(),
        phone: "01632 960 118".to_owned(),
        out_of_hours_phone: "01632 960 999".to_owned(),
        privacy_url: "https://www.northmere.example/privacy".to_owned(),
        ombudsman_url: "https://ombudsman.example/complain".to_owned(),
        advocate_name: "Northmere Young Voices".to_owned(),
        advocate_phone: "01632 960 220".to_owned(),
        sen_advice_url: "https://www.northmere.example/send-advice".to_owned(),
    }
}

/// The record type that each customer's letter is about.
const RECORD_TYPES: &[(LetterId, RecordType)] = &[
    (LetterId::AcknowledgementChildrenAct, RecordType::ChildrenActComplaint),
    (LetterId::AcknowledgementChild, RecordType::ChildrenActComplaint),
    (LetterId::AcknowledgementCareLeaver, RecordType::ChildrenActComplaint),
    (LetterId::AcknowledgementCorporate, RecordType::CorporateComplaint),
    (LetterId::AcknowledgementCorporateSen, RecordType::CorporateComplaint),
    (LetterId::AcknowledgementRepresentation, RecordType::Representation),
    (LetterId::AcknowledgementMember, RecordType::MemberEnquiry),
    (LetterId::MemberComplaint, RecordType::CorporateComplaint),
    (LetterId::AcknowledgementEnquiry, RecordType::Enquiry),
    (LetterId::AcknowledgementComment, RecordType::Comment),
    (LetterId::AcknowledgementCompliment, RecordType::Compliment),
    (LetterId::FollowUp, RecordType::FollowUp),
    (LetterId::StageRequest, RecordType::ChildrenActComplaint),
    (LetterId::Withdrawal, RecordType::CorporateComplaint),
];

fn record_type_of(letter: LetterId) -> Option<RecordType> {
    RECORD_TYPES.iter().find(|(of, _)| *of == letter).map(|(_, record_type)| *record_type)
}

/// A customer's letter as the gateway would fill it in for `letter`.
pub fn customer(letter: LetterId) -> CustomerLetter {
    let record_type = record_type_of(letter);
    let children_act = record_type == Some(RecordType::ChildrenActComplaint);
    let is_sen = letter == LetterId::AcknowledgementCorporateSen;
    CustomerLetter {
        reference: "NCC-2026-00431-5".to_owned(),
        received_on: InFull(date(2026, 11, 25)),
        greeting_name: None,
        record_type,
        record_words: record_words(record_type).to_owned(),
        step_words: match record_type {
            Some(RecordType::ChildrenActComplaint) => Some("the first of three stages".to_owned()),
            Some(RecordType::CorporateComplaint) => Some("the first of two steps".to_owned()),
            _ => None,
        },
        answer_by: match record_type {
            None | Some(RecordType::Comment | RecordType::Compliment) => None,
            Some(_) if letter == LetterId::Withdrawal => None,
            Some(_) => Some(InFull(date(2026, 12, 23))),
        },
        aim_by: children_act.then_some(InFull(date(2026, 12, 9))),
        tell_by: record_type.is_none().then_some(InFull(date(2026, 11, 30))),
        lead: Some(
            if is_sen { "Special educational needs" } else { "Children's social work" }.into(),
        ),
        helpers: Vec::new(),
        contact: contact(),
        council: council(),
        is_child: letter == LetterId::AcknowledgementChild,
        is_care_leaver: letter == LetterId::AcknowledgementCareLeaver,
        is_sen,
        about_child: children_act || record_type == Some(RecordType::Representation),
        safeguarding: false,
        complaint_open: false,
        route: None,
    }
}

fn customers(letter: LetterId) -> Vec<Sample> {
    let plain = customer(letter);
    let released = CustomerLetter {
        greeting_name: Some(Private("Helen Marsh".to_owned())),
        helpers: vec!["School transport".to_owned(), "Fair access".to_owned()],
        about_child: true,
        route: Some(
            "You can appeal to the tribunal. You have two months from our letter.".to_owned(),
        ),
        complaint_open: true,
        is_sen: true,
        ..plain.clone()
    };
    let urgent = CustomerLetter { safeguarding: true, lead: None, ..plain.clone() };
    let child = CustomerLetter { is_child: true, ..plain.clone() };
    let care_leaver = CustomerLetter { is_care_leaver: true, ..plain.clone() };
    let undecided = CustomerLetter {
        record_type: None,
        record_words: record_words(None).to_owned(),
        answer_by: None,
        aim_by: None,
        step_words: None,
        ..plain.clone()
    };
    let concern = CustomerLetter {
        record_type: Some(RecordType::Representation),
        aim_by: None,
        step_words: None,
        ..plain.clone()
    };
    let mut samples = vec![
        sample("an ordinary letter", &plain),
        sample("an officer released the name, three services", &released),
        sample("someone may be at risk", &urgent),
    ];
    // Children get their own letter, whatever the type, but for these three.
    let also =
        [LetterId::AcknowledgementComment, LetterId::AcknowledgementCompliment, LetterId::FollowUp];
    if letter == LetterId::AcknowledgementChild {
        samples.push(sample("nobody has decided what it is", &undecided));
        samples.push(sample("something else is looking at it", &concern));
    } else if also.contains(&letter) {
        samples.push(sample("a child writes", &child));
    } else {
        samples.push(sample("a care leaver writes", &care_leaver));
    }
    samples
}

fn holding() -> Vec<Sample> {
    let plain = HoldingLetter {
        reference: "NCC-2026-00214-0".to_owned(),
        greeting_name: Some(Private("Helen Marsh".to_owned())),
        received_on: InFull(date(2026, 9, 9)),
        was_due: InFull(date(2026, 10, 7)),
        answer_by: InFull(date(2026, 10, 21)),
        why: Private("We are still finding the notes of the meeting.".to_owned()),
        may_ask_next_stage: false,
        ombudsman: true,
        is_child: false,
        safeguarding: false,
        contact: contact(),
        council: council(),
    };
    let stage = HoldingLetter { may_ask_next_stage: true, greeting_name: None, ..plain.clone() };
    let child = HoldingLetter { is_child: true, ombudsman: false, ..plain.clone() };
    let urgent = HoldingLetter { safeguarding: true, ..plain.clone() };
    vec![
        sample("an ordinary letter", &plain),
        sample("the next stage is open", &stage),
        sample("a child is written to", &child),
        sample("someone may be at risk", &urgent),
    ]
}

fn askings() -> Vec<Sample> {
    let plain = AskingLetter {
        reference: "NCC-2026-00431-5".to_owned(),
        greeting_name: None,
        received_on: InFull(date(2026, 11, 25)),
        needed: Needed::Authority,
        answer_by: InFull(date(2026, 12, 9)),
        is_reminder: false,
        note: None,
        is_child: false,
        safeguarding: false,
        contact: contact(),
        council: council(),
    };
    let details = AskingLetter {
        needed: Needed::Details,
        note: Some(Private("Which school is it about?".to_owned())),
        greeting_name: Some(Private("Helen Marsh".to_owned())),
        ..plain.clone()
    };
    let name = AskingLetter { needed: Needed::Name, is_reminder: true, ..plain.clone() };
    let child = AskingLetter { needed: Needed::Details, is_child: true, ..plain.clone() };
    let urgent = AskingLetter { safeguarding: true, ..plain.clone() };
    vec![
        sample("authority is missing", &plain),
        sample("details are missing", &details),
        sample("the name is missing, and it was asked for before", &name),
        sample("a child is written to", &child),
        sample("someone may be at risk", &urgent),
    ]
}

fn rejections() -> Vec<Sample> {
    let plain = RejectionLetter {
        reference: "NCC-2026-00431-5".to_owned(),
        greeting_name: Some(Private("Helen Marsh".to_owned())),
        received_on: InFull(date(2026, 11, 25)),
        why: "This is not something that the council runs.".to_owned(),
        route: "Please complain to that organisation. Its office will tell you how.".to_owned(),
        note: Some(Private("The school is an academy. It has its own board.".to_owned())),
        is_child: false,
        safeguarding: false,
        contact: contact(),
        council: council(),
    };
    let bare = RejectionLetter { note: None, greeting_name: None, ..plain.clone() };
    let child = RejectionLetter { is_child: true, ..bare.clone() };
    let urgent = RejectionLetter { safeguarding: true, ..plain.clone() };
    vec![
        sample("an officer adds words", &plain),
        sample("the reason alone", &bare),
        sample("a child is written to", &child),
        sample("someone may be at risk", &urgent),
    ]
}

fn interests() -> Vec<Sample> {
    let plain = InterestLetter {
        reference: "NCC-2026-00431-5".to_owned(),
        greeting_name: None,
        received_on: InFull(date(2026, 11, 25)),
        why: Private("You told us that you have not met the child.".to_owned()),
        is_child: false,
        safeguarding: false,
        contact: contact(),
        council: council(),
    };
    let named = InterestLetter {
        greeting_name: Some(Private("Helen Marsh".to_owned())),
        safeguarding: true,
        ..plain.clone()
    };
    vec![sample("an ordinary letter", &plain), sample("someone may be at risk", &named)]
}

/// Every branch that a letter's templates are tried on.
pub(crate) fn samples(letter: LetterId) -> Vec<Sample> {
    match letter.context() {
        ContextKind::Customer => customers(letter),
        ContextKind::Holding => holding(),
        ContextKind::Asking => askings(),
        ContextKind::Rejection => rejections(),
        ContextKind::Interest => interests(),
        ContextKind::ServiceRequest => requests(),
        ContextKind::Reminder => reminders(),
        ContextKind::Digest => digests(),
        ContextKind::OverdueDigest => overdue(),
        ContextKind::OfficerNotice => notices(),
        ContextKind::DutyAlert => alerts(),
        ContextKind::AnswerCode => codes(),
        ContextKind::AnswerLink => links(),
        ContextKind::AnswerCopy => copies(),
        ContextKind::SentBack => sent_back(),
    }
}
