use super::*;
use crate::casework::vocabulary::CustomerType;
use crate::email::Address;
use crate::private::Private;

fn email() -> Email {
    let ann = Address { address: Private("ann@example.org".to_owned()), name: None };
    Email { from: Some(ann), ..Email::blank() }
}

fn classified(record_type: RecordType) -> Classification {
    Classification {
        record_type,
        services: vec![ServiceId("sen".to_owned())],
        customer_type: CustomerType::Parent,
        themes: Vec::new(),
        flags: Vec::new(),
        confidence: 0.9,
        needs_officer: false,
        evidence: Vec::new(),
    }
}

fn decided(email: &Email, record_type: RecordType, history: &History) -> Decision {
    let standing = Standing {
        own_addresses: vec!["complaints@northmere.example".to_owned()],
        cut_over: Some("2026-01-01T00:00:00Z".parse().unwrap()),
    };
    let received_at = "2026-03-16T09:00:00Z".parse().unwrap();
    decide(email, &classified(record_type), history, &standing, received_at)
}

#[test]
fn a_persons_complaint_opens_a_case_and_is_acknowledged() {
    let decision = decided(&email(), RecordType::CorporateComplaint, &History::default());
    assert_eq!(decision.action, Action::Open { record_type: RecordType::CorporateComplaint });
    assert!(decision.acknowledgement.send);
}

#[test]
fn no_kind_of_machine_is_ever_answered_and_none_opens_a_case() {
    for kind in [
        Kind::AutoReply,
        Kind::OutOfOffice,
        Kind::Bounce,
        Kind::ReadReceipt,
        Kind::AbuseReport,
        Kind::MailingList,
        Kind::Newsletter,
        Kind::Notification,
        Kind::Calendar,
        Kind::OwnMessage,
        Kind::Spam,
    ] {
        let email = Email { kind, ..email() };
        let decision = decided(&email, RecordType::CorporateComplaint, &History::default());
        assert_eq!(decision.action, Action::File { case: None }, "{kind:?}");
        assert!(!decision.acknowledgement.send, "{kind:?}");
    }
}

#[test]
fn an_automatic_reply_on_a_request_is_filed_and_does_not_answer_it() {
    let history = History {
        token_case: Some(KnownCase { id: 7, reference: String::new(), closed: false }),
        request: Some(3),
        sender_service: Some(ServiceId("sen".to_owned())),
        ..History::default()
    };
    let away = Email { kind: Kind::OutOfOffice, ..email() };
    let decision = decided(&away, RecordType::NotForUs, &history);
    assert_eq!(decision.action, Action::File { case: Some(7) });
    let person = decided(&email(), RecordType::ServiceResponse, &history);
    assert_eq!(person.action, Action::AnswerRequest { case: 7, request: 3, says: Says::Answers });
}

#[test]
fn a_token_without_a_services_address_attaches_but_does_not_answer() {
    let history = History {
        token_case: Some(KnownCase { id: 7, reference: String::new(), closed: false }),
        request: Some(3),
        ..History::default()
    };
    let decision = decided(&email(), RecordType::ServiceResponse, &history);
    assert_eq!(decision.action, Action::Attach { case: 7 });
}

#[test]
fn a_reference_of_a_stranger_attaches_nothing() {
    let history =
        History { suggested_cases: vec![(7, "NCC-2026-00001-1".to_owned())], ..History::default() };
    let decision = decided(&email(), RecordType::FollowUp, &history);
    assert_eq!(decision.action, Action::Open { record_type: RecordType::Enquiry });
}

#[test]
fn what_seems_not_for_us_waits_for_a_person() {
    let decision = decided(&email(), RecordType::NotForUs, &History::default());
    assert_eq!(decision.action, Action::Triage);
    assert!(!decision.acknowledgement.send);
}

#[test]
fn every_reason_not_to_answer_a_person_leaves_it_to_a_person() {
    let cases = [
        Email { from: None, ..email() },
        Email { from_count: 2, ..email() },
        Email { suppress_answer: vec!["Precedence".to_owned()], ..email() },
        Email { reply_to: vec![Private("x@elsewhere.example".to_owned())], ..email() },
        Email { sender_proof: SenderProof::Failed, ..email() },
    ];
    for email in cases {
        let decision = decided(&email, RecordType::Enquiry, &History::default());
        assert!(!decision.acknowledgement.send, "{:?}", decision.acknowledgement);
        assert!(decision.acknowledgement.by_hand, "{:?}", decision.acknowledgement);
    }
}

#[test]
fn our_own_address_and_an_empty_return_path_are_never_answered() {
    let own = Address { address: Private("Complaints+x@Northmere.example".to_owned()), name: None };
    for email in
        [Email { from: Some(own), ..email() }, Email { return_path: ReturnPath::Null, ..email() }]
    {
        let decision = decided(&email, RecordType::Enquiry, &History::default());
        assert!(!decision.acknowledgement.send);
    }
}

#[test]
fn the_budget_stops_the_eleventh_letter_in_ten_minutes() {
    let mut history = History::default();
    history.letters_lately.ten_minutes = 9;
    assert!(decided(&email(), RecordType::Enquiry, &history).acknowledgement.send);
    history.letters_lately.ten_minutes = 10;
    assert!(!decided(&email(), RecordType::Enquiry, &history).acknowledgement.send);
}

#[test]
fn each_budget_stops_the_next_letter_of_an_address_and_of_a_case() {
    let spent = [(10, 10, 10), (0, 25, 25), (0, 0, 100)];
    let left = [(9, 24, 99), (0, 0, 99), (0, 24, 24)];
    for (budget, sends) in spent.map(|b| (b, false)).into_iter().chain(left.map(|b| (b, true))) {
        let (ten_minutes, hour, day) = budget;
        let lately = LettersLately { ten_minutes, hour, day, receipts_today: 0 };
        let of_address = History { letters_lately: lately, ..History::default() };
        let case = Some(KnownCase { id: 7, reference: String::new(), closed: false });
        let of_case =
            History { token_case: case, case_letters_lately: lately, ..History::default() };
        for history in [of_address, of_case] {
            let answer = decided(&email(), RecordType::Enquiry, &history).acknowledgement;
            assert_eq!(answer.send, sends, "{budget:?}: {answer:?}");
        }
    }
}

#[test]
fn an_address_that_refuses_our_mail_is_left_to_a_person() {
    let history =
        History { refuses_since: Some(jiff::civil::date(2026, 3, 3)), ..History::default() };
    let decision = decided(&email(), RecordType::CorporateComplaint, &history);
    assert!(matches!(decision.action, Action::Open { .. }), "the case is opened all the same");
    let answer = decision.acknowledgement;
    assert_eq!((answer.send, answer.by_hand), (false, true));
    assert_eq!(answer.reason, "its address refuses our mail since 3 March 2026");
}

#[test]
fn old_mail_is_registered_without_a_letter() {
    let standing = Standing {
        own_addresses: Vec::new(),
        cut_over: Some("2026-04-01T00:00:00Z".parse().unwrap()),
    };
    let received_at = "2026-03-16T09:00:00Z".parse().unwrap();
    let decision = decide(
        &email(),
        &classified(RecordType::CorporateComplaint),
        &History::default(),
        &standing,
        received_at,
    );
    assert!(matches!(decision.action, Action::Open { .. }));
    assert!(!decision.acknowledgement.send);
    assert!(!decision.acknowledgement.by_hand);
}

#[test]
fn a_child_at_risk_alerts_whatever_is_done() {
    let mut classification = classified(RecordType::NotForUs);
    classification.flags.push(Flag::Safeguarding);
    let received_at = "2026-03-16T09:00:00Z".parse().unwrap();
    let decision =
        decide(&email(), &classification, &History::default(), &Standing::default(), received_at);
    assert!(decision.alert);
}

#[test]
fn what_the_ombudsman_writes_is_a_contact_and_never_answered() {
    let quoted = |cases: &[i64]| History {
        ombudsman: FromOmbudsman::Yes,
        suggested_cases: cases.iter().map(|id| (*id, String::new())).collect(),
        ..History::default()
    };
    for kind in [Kind::Human, Kind::Notification] {
        for (cases, case) in [(&[][..], None), (&[7], Some(7)), (&[7, 7], Some(7)), (&[7, 8], None)]
        {
            let email = Email { kind, ..email() };
            let decision = decided(&email, RecordType::CorporateComplaint, &quoted(cases));
            assert_eq!(decision.action, Action::Ombudsman { case }, "{kind:?} {cases:?}");
            let answer = decision.acknowledgement;
            assert_eq!((answer.send, answer.by_hand), (false, false), "{kind:?}");
        }
    }
    let away = Email { kind: Kind::OutOfOffice, ..email() };
    let decision = decided(&away, RecordType::NotForUs, &quoted(&[7]));
    assert_eq!(decision.action, Action::File { case: None });
}

#[test]
fn whoever_only_claims_to_be_the_ombudsman_waits_for_a_person_whatever_they_quote() {
    let history = History {
        ombudsman: FromOmbudsman::Forged,
        token_case: Some(KnownCase { id: 7, reference: String::new(), closed: false }),
        suggested_cases: vec![(7, String::new())],
        ..History::default()
    };
    let forged = Email { sender_proof: SenderProof::Failed, ..email() };
    let decision = decided(&forged, RecordType::CorporateComplaint, &history);
    assert_eq!(decision.action, Action::Triage);
    assert!(!decision.acknowledgement.send);
}
