use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::casework::case::{Actor, Event, OfficerId, Recorded};
use crate::casework::vocabulary::{CustomerType, RecordType, ServiceId};

const TODAY: Date = date(2026, 4, 14);

#[test]
fn their_reference_is_known_by_its_form_and_no_telephone_number_is_one() {
    for (text, expected) in [
        ("Our ref: 25 012 345", vec!["25 012 345"]),
        ("25-012-345, and 25\u{a0}012\u{a0}345 again", vec!["25 012 345"]),
        ("(25 012 345) or 24 000 001.", vec!["25 012 345", "24 000 001"]),
        ("ring 0300 061 0614", vec![]),
        ("01632 960 118", vec![]),
        ("020 12 345 678", vec![]),
        ("12 345 678 9", vec![]),
        ("NCC-2026-00412-7 of 12 345", vec![]),
    ] {
        assert_eq!(references(text), expected, "{text}");
    }
}

#[test]
fn a_letter_tells_what_it_is_or_counts_as_an_enquiry() {
    for (text, expected) in [
        ("We consider the complaint premature.", ContactKind::Premature),
        ("I enclose my draft decision for your comments.", ContactKind::Provisional),
        ("This is our final decision.", ContactKind::Decision),
        ("Please tell us when the agreed action was done.", ContactKind::Remedy),
        ("Please send copies of the plan.", ContactKind::Documents),
        ("We have received a complaint about the council.", ContactKind::Enquiry),
    ] {
        assert_eq!(kind_of(text), expected, "{text}");
    }
}

#[test]
fn a_date_is_suggested_where_the_letter_asks_for_something_by_it() {
    for (text, expected) in [
        ("Please reply by 28 April 2026.", Some(date(2026, 4, 28))),
        ("by 5pm on Friday 1st May, please", Some(date(2026, 5, 1))),
        ("no later than 05/05/2026", Some(date(2026, 5, 5))),
        ("before 10 January", Some(date(2027, 1, 10))),
        ("until 29 February 2027", None),
        ("Your letter of 2 April 2026 was read.", None),
        ("we asked you to reply by 2 April 2026", None),
        ("by 2 April 2026; and now by 30 Apr 2026", Some(date(2026, 4, 30))),
        ("nothing is asked", None),
    ] {
        assert_eq!(suggested_date(text, TODAY), expected, "{text}");
    }
}

#[test]
fn a_date_is_entered_and_never_computed() {
    let open = (date(2026, 4, 1), None);
    let step = confirm(3, ContactKind::Enquiry, None, Some(" ".to_owned()), open).unwrap();
    let expected = OmbudsmanStep::Confirmed {
        contact: 3,
        about: ContactKind::Enquiry,
        due_on: None,
        asks: None,
    };
    assert_eq!(step, expected, "a letter without a date has none");
    let past = confirm(3, ContactKind::Enquiry, Some(date(2026, 3, 31)), None, open).unwrap_err();
    assert_eq!(past.instead, "enter the date that the letter gives");
    let answered = (open.0, Some(TODAY));
    let late = confirm(3, ContactKind::Enquiry, Some(TODAY), None, answered).unwrap_err();
    assert_eq!(late.because, "contact 3 was answered on 2026-04-14");
}

#[test]
fn a_contact_is_answered_once_and_not_before_it_came_or_in_the_future() {
    let open = (date(2026, 4, 1), None);
    let step = answer(3, None, TODAY, open).unwrap();
    assert_eq!(step, OmbudsmanStep::Answered { contact: 3, on: TODAY });
    for (on, answered) in
        [(date(2026, 4, 15), None), (date(2026, 3, 31), None), (TODAY, Some(TODAY))]
    {
        assert!(answer(3, Some(on), TODAY, (open.0, answered)).is_err(), "{on} {answered:?}");
    }
}

#[test]
fn a_decision_has_the_columns_of_table_12() {
    let none = None;
    assert!(decide(Decided::Upheld, None, Some(TODAY), TODAY, none).is_ok());
    assert!(decide(Decided::Closed, None, Some(TODAY), TODAY, none).is_err());
    let because = Some(ClosedBecause::OutOfJurisdiction);
    assert!(decide(Decided::Closed, because, Some(TODAY), TODAY, none).is_ok());
    assert!(decide(Decided::Premature, because, Some(TODAY), TODAY, none).is_err());
    assert!(decide(Decided::Upheld, None, Some(date(2026, 4, 15)), TODAY, none).is_err());
    let before = Some((Decided::Upheld, None, TODAY));
    assert!(decide(Decided::Upheld, None, None, TODAY, before).is_err());
    assert!(decide(Decided::NotUpheld, None, None, TODAY, before).is_ok(), "put right");
}

#[test]
fn a_remedy_follows_fault_found_and_is_done_once_with_evidence() {
    let upheld = Some((Decided::Upheld, date(2026, 3, 2)));
    assert!(may_agree(upheld, "an apology", Some(date(2026, 4, 2))).is_ok());
    assert!(may_agree(upheld, "an apology", None).is_ok());
    assert!(may_agree(upheld, " ", None).is_err());
    assert!(may_agree(upheld, "an apology", Some(date(2026, 3, 1))).is_err());
    assert!(may_agree(None, "an apology", None).is_err());
    assert!(may_agree(Some((Decided::NotUpheld, TODAY)), "an apology", None).is_err());

    let open = (Some(date(2026, 3, 2)), None);
    assert!(remedy_done(1, None, "letter of 2 April", TODAY, open).is_ok());
    assert!(remedy_done(1, None, " ", TODAY, open).is_err());
    assert!(remedy_done(1, Some(date(2026, 3, 1)), "letter", TODAY, open).is_err());
    assert!(remedy_done(1, None, "letter", TODAY, (open.0, Some(TODAY))).is_err());
}

fn case(events: Vec<Event>) -> Case {
    let at = "2026-03-02T09:00:00Z".parse().unwrap();
    let received = Event::Received {
        message: None,
        at,
        record_type: RecordType::CorporateComplaint,
        services: vec![ServiceId("sen".to_owned())],
        customer_type: CustomerType::Parent,
        themes: Vec::new(),
        flags: Vec::new(),
    };
    let events: Vec<Recorded> = std::iter::once(received)
        .chain(events)
        .map(|event| Recorded { at, by: Actor::Gateway, event })
        .collect();
    Case::replay("NCC-2026-00412-7".parse().unwrap(), &events).unwrap()
}

#[test]
fn what_comes_back_goes_on_at_the_first_stage_not_done() {
    let answered = || Event::Responded { stage: 1, letter: None };
    let closed = || Event::Closed { because: None };
    let withdrawn = Event::Withdrawn { confirmed_by: OfficerId("pat".to_owned()) };
    let second = || Event::StageRequested { stage: 2, at: Timestamp::UNIX_EPOCH };
    for (events, expected) in [
        (vec![], Some(Returned::GoesOn)),
        (vec![answered()], Some(Returned::NextStage)),
        (vec![answered(), closed()], Some(Returned::NextStage)),
        (vec![withdrawn], Some(Returned::SameStage)),
        (vec![closed()], Some(Returned::SameStage)),
        (vec![answered(), second()], Some(Returned::GoesOn)),
        (vec![answered(), second(), Event::Responded { stage: 2, letter: None }], None),
    ] {
        let case = case(events.clone());
        assert_eq!(returned(&case, 2).ok(), expected, "{events:?}");
    }
}

#[test]
fn a_case_knows_what_the_ombudsman_decided() {
    let decided = |outcome| Event::Ombudsman {
        number: 4,
        step: OmbudsmanStep::Decided { outcome, closed: None, on: TODAY },
        earlier: None,
    };
    assert_eq!(case(vec![]).ombudsman, None);
    let case = case(vec![decided(Decided::NotUpheld), decided(Decided::Upheld)]);
    assert_eq!(case.ombudsman, Some((Decided::Upheld, TODAY)));
    let words = reopening_words(Decided::Upheld, TODAY);
    assert_eq!(words, "the Ombudsman's decision of 2026-04-14: upheld");
}
