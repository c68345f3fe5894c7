//! Cases: numbers, events, parties, changes.

use std::collections::BTreeSet;

use jiff::civil::date;
use postern::casework::case::{Actor, Case, CaseField, Event, OfficerId};
use postern::casework::reference::CaseReference;
use postern::casework::vocabulary::{CustomerType, RecordType, ServiceId};
use postern::store::cases::{self, Clocked, NewCase};
use postern::store::{Db, StoreError, Tx, letters, messages};

use super::support::postgres::both_engines;
use super::{ODD, email, keep, later, nine, odd_kept, settled, several, tx};

fn clocked() -> Clocked {
    Clocked {
        procedure: "corporate".to_owned(),
        stage: 1,
        start_rule: "day_after".to_owned(),
        calendar_version: "c1".to_owned(),
        received_on: date(2026, 3, 16),
        acknowledge_by_on: date(2026, 3, 19),
        target_on: None,
        standard_due_on: Some(date(2026, 4, 15)),
        agreed_due_on: Some(date(2026, 4, 15)),
    }
}

pub(super) fn new_case(opened_by: i64) -> NewCase<'static> {
    NewCase {
        opened_by,
        record_type: "corporate_complaint",
        lead_service: "sen",
        customer_type: "parent",
        themes: "[]".to_owned(),
        flags: "[\"safeguarding\"]".to_owned(),
        confidence: 875,
        needs_officer: true,
        customer_address: Some("Ann@Example.org"),
        customer_name: Some(ODD),
        subject: Some(ODD),
        clock: clocked(),
        rules_version: "v1",
        received_at: later(-600),
        owner: None,
    }
}

pub(super) fn received() -> Event {
    Event::Received {
        message: Some("1".to_owned()),
        at: later(-600),
        record_type: RecordType::CorporateComplaint,
        services: vec![ServiceId("sen".to_owned())],
        customer_type: CustomerType::Parent,
        themes: Vec::new(),
        flags: Vec::new(),
    }
}

/// Opens one case; its row.
pub(super) async fn open(
    tx: &mut Tx,
    reference: &str,
    new: &NewCase<'_>,
) -> Result<i64, StoreError> {
    let ids = cases::open(tx, &[(reference.to_owned(), new.clone())]).await?;
    Ok(ids.first().copied().unwrap())
}

/// Opens a case by a message of its own; its row.
pub(crate) async fn open_case(db: &Db, number: i64) -> i64 {
    let mut new = new_case(number);
    new.subject = Some("subject");
    new.customer_name = None;
    tx!(db, tx => open(&mut tx, &format!("NCC-2026-{number:05}"), &new))
}

#[tokio::test]
async fn numbers_leave_no_gap_whoever_fails_and_however_many_ask_at_once() {
    both_engines(async |db| {
        let taken = several(&db, 12, |gateway, mut tx| async move {
            let number = cases::next_numbers(&mut tx, 2026, 1).await?;
            if gateway % 3 == 0 {
                tx.rollback().await?;
                return Ok(None);
            }
            tx.commit().await?;
            Ok(Some(number))
        })
        .await;
        let kept: BTreeSet<i64> = taken.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(kept, (1..=8).collect(), "each once and none left out");
        assert_eq!(tx!(db, tx => cases::next_numbers(&mut tx, 2026, 1)), 9);
        assert_eq!(tx!(db, tx => cases::next_numbers(&mut tx, 2027, 1)), 1, "a year of its own");
        let mut tx = db.begin().await.unwrap();
        assert_eq!(cases::next_numbers(&mut tx, 2026, 1).await.unwrap(), 10);
        drop(tx);
        assert_eq!(tx!(db, tx => cases::next_numbers(&mut tx, 2026, 3)), 10, "10, 11 and 12");
        assert_eq!(tx!(db, tx => cases::next_numbers(&mut tx, 2026, 1)), 13);
    })
    .await;
}

#[tokio::test]
async fn a_case_comes_back_as_it_was_opened_odd_text_and_all() {
    both_engines(async |db| {
        let id = tx!(db, tx => open(&mut tx, "NCC-2026-00001-1", &new_case(5)));
        let row = cases::find(&db, "NCC-2026-00001-1").await.unwrap().unwrap();
        assert_eq!((row.id, row.opened_by, row.version), (id, 5, 1));
        assert_eq!(
            (row.status.as_str(), row.record_type.as_str()),
            ("open", "corporate_complaint")
        );
        assert_eq!((row.lead_service.as_str(), row.customer_type.as_str()), ("sen", "parent"));
        assert_eq!((row.themes.as_str(), row.flags.as_str()), ("[]", "[\"safeguarding\"]"));
        assert_eq!((row.confidence, row.needs_officer), (875, true));
        assert_eq!(row.customer_address.as_deref(), Some("Ann@Example.org"));
        assert_eq!(row.customer_name, Some(odd_kept()));
        assert_eq!(row.subject, Some(odd_kept()));
        assert_eq!((row.procedure_id.as_str(), row.stage), ("corporate", 1));
        assert_eq!((row.start_rule.as_str(), row.calendar_version.as_str()), ("day_after", "c1"));
        assert_eq!(
            (row.received_at, row.received_on.as_str()),
            (later(-600).as_millisecond(), "2026-03-16")
        );
        assert_eq!(row.acknowledge_by_on, "2026-03-19");
        assert_eq!(row.target_on, None);
        assert_eq!(row.standard_due_on.as_deref(), Some("2026-04-15"));
        assert_eq!(row.agreed_due_on.as_deref(), Some("2026-04-15"));
        assert_eq!((row.acknowledged_at, row.answered_at), (None, None));
        let again = tx!(db, tx => cases::by_id(&mut tx, id)).unwrap();
        assert_eq!(again.reference, "NCC-2026-00001-1");
        assert!(tx!(db, tx => cases::by_reference(&mut tx, "NCC-2026-00001-1")).is_some());
        assert!(tx!(db, tx => cases::by_reference(&mut tx, "ncc-2026-00001-1")).is_none());
        assert!(cases::find(&db, "NCC-2026-00002-1").await.unwrap().is_none());
        assert!(tx!(db, tx => cases::by_id(&mut tx, id + 1)).is_none());
    })
    .await;
}

#[tokio::test]
async fn cases_opened_together_come_back_in_their_order() {
    both_engines(async |db| {
        let several: Vec<_> = (1..=9)
            .rev()
            .map(|number| (format!("NCC-2026-0000{number}-X"), new_case(number)))
            .collect();
        let ids = tx!(db, tx => cases::open(&mut tx, &several));
        for (id, (reference, new)) in ids.iter().zip(&several) {
            let row = tx!(db, tx => cases::by_id(&mut tx, *id)).unwrap();
            assert_eq!((&row.reference, row.opened_by), (reference, new.opened_by));
        }
        assert!(tx!(db, tx => cases::open(&mut tx, &[])).is_empty());
    })
    .await;
}

#[tokio::test]
async fn one_message_never_opens_two_cases() {
    both_engines(async |db| {
        tx!(db, tx => open(&mut tx, "NCC-2026-00001-1", &new_case(5)));
        for (reference, message) in [("NCC-2026-00002-2", 5), ("NCC-2026-00001-1", 6)] {
            let mut tx = db.begin().await.unwrap();
            let refused = open(&mut tx, reference, &new_case(message)).await.unwrap_err();
            assert!(refused.is_unique_violation(), "{refused:?}");
            assert!(!format!("{refused:?}").contains("Ann"), "{refused:?}");
        }
        assert_eq!(cases::list(&db, true).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_history_is_replayed_as_it_was_recorded() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        let officer = Actor::Officer(OfficerId("pat".to_owned()));
        let note = Event::Note { text: ODD.to_owned().into() };
        let literal = Event::Note { text: "C:\\u0000 \\\\u0000".to_owned().into() };
        for (second, by, event) in
            [(1, &Actor::Gateway, &received()), (2, &officer, &note), (2, &officer, &literal)]
        {
            tx!(db, tx => cases::record(&mut tx, case, by, event, later(second)));
        }
        let events = tx!(db, tx => cases::events(&mut tx, case));
        assert_eq!(
            events.iter().map(|one| one.at).collect::<Vec<_>>(),
            [later(1), later(2), later(2)]
        );
        assert_eq!(events[0].event, received());
        assert_eq!((&events[0].by, &events[1].by), (&Actor::Gateway, &officer));
        assert_eq!(events[1].event, Event::Note { text: odd_kept().into() });
        assert_eq!(events[2].event, literal, "what only looks like NUL stays");
        assert!(tx!(db, tx => cases::events(&mut tx, case + 1)).is_empty());
    })
    .await;
}

#[tokio::test]
async fn parties_are_known_by_address_whatever_its_case() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        for _ in 0..2 {
            tx!(db, tx => cases::add_party(&mut tx, case, "Ann@Example.ORG", "customer"));
        }
        tx!(db, tx => cases::add_party(&mut tx, case, ODD, "customer"));
        for (address, known) in
            [("ann@example.org", true), ("ANN@EXAMPLE.ORG", true), ("bob@example.org", false), (ODD, true)]
        {
            assert_eq!(tx!(db, tx => cases::is_party(&mut tx, case, address)), known, "{address}");
            assert_eq!(tx!(db, tx => cases::has_case(&mut tx, address)), known, "{address}");
        }
        assert!(!tx!(db, tx => cases::is_party(&mut tx, case + 1, "ann@example.org")));

        let message = keep(&db, 1).await;
        tx!(db, tx => super::understood(&mut tx, message, &email(1), "k", nine()));
        let found = serde_json::from_value(serde_json::json!({
            "record_type": "corporate_complaint", "services": [], "customer_type": "parent", "themes": [],
            "flags": [], "confidence": 1.0, "needs_officer": false, "evidence": []
        }))
        .unwrap();
        let settled = messages::Settled { id: message, case_id: Some(case), ..settled("opened") };
        tx!(db, tx => super::settle(&mut tx, message, &settled, "v", &found, nine()));
        for (id, sender, case) in [
            ("m1@example.org", "ann@example.org", Some(case)),
            ("m1@example.org", "bob@example.org", None),
            ("m2@example.org", "ann@example.org", None),
        ] {
            let named = tx!(db, tx => messages::case_of_message_id(&mut tx, id, sender));
            assert_eq!(named, case, "{id} {sender}");
        }
        let rows = messages::of_case(&db, case).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [message]);
        assert!(messages::of_case(&db, case + 1).await.unwrap().is_empty());
        let first = tx!(db, tx => super::first_with_content(&mut tx, message, "k"));
        assert_eq!(first, None);
        let first = tx!(db, tx => super::first_with_content(&mut tx, message + 1, "k"));
        assert_eq!(first, Some((message, Some(case))), "with the case that it opened");
    })
    .await;
}

async fn replayed(db: &Db, id: i64, reference: &CaseReference) -> (cases::CaseRow, Case) {
    let row = tx!(db, tx => cases::by_id(&mut tx, id)).unwrap();
    let events = tx!(db, tx => cases::events(&mut tx, id));
    (row, Case::replay(reference.clone(), &events).unwrap())
}

#[tokio::test]
async fn of_two_who_change_a_case_the_second_is_told_and_overwrites_nothing() {
    both_engines(async |db| {
        let reference = CaseReference::new("NCC", 2026, 1).unwrap();
        let id = tx!(db, tx => open(&mut tx, &reference.to_string(), &new_case(1)));
        tx!(db, tx => cases::record(&mut tx, id, &Actor::Gateway, &received(), nine()));
        let (before, mut case) = replayed(&db, id, &reference).await;

        let stale = before.clone();
        let answers = several(&db, 5, move |gateway, mut tx| {
            let before = stale.clone();
            let mut case = case.clone();
            case.stage = u8::try_from(gateway).unwrap() + 1;
            async move {
                let changed = cases::change(&mut tx, &before, &case, None, nine()).await?;
                tx.commit().await?;
                Ok::<_, StoreError>(changed.then_some(i64::from(case.stage)))
            }
        })
        .await;
        let won: Vec<i64> = answers.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(won.len(), 1, "one of five");
        (_, case) = replayed(&db, id, &reference).await;
        let (now, _) = replayed(&db, id, &reference).await;
        assert_eq!((now.version, now.stage, now.needs_officer), (2, won[0], false));

        // A change with a new clock, and the end of the case.
        let by = Actor::Gateway;
        let event = case.correct(CaseField::RecordType, "children_act_complaint", None).unwrap();
        tx!(db, tx => cases::record(&mut tx, id, &by, &event, nine()));
        let (row, changed) = replayed(&db, id, &reference).await;
        let clock = Clocked {
            procedure: "children_act".to_owned(),
            agreed_due_on: Some(date(2026, 3, 30)),
            target_on: Some(date(2026, 3, 27)),
            ..clocked()
        };
        assert!(tx!(db, tx => cases::change(&mut tx, &row, &changed, Some(&clock), nine())));
        let (row, _) = replayed(&db, id, &reference).await;
        assert_eq!((row.procedure_id.as_str(), row.version), ("children_act", 3));
        assert_eq!(row.record_type, "children_act_complaint");
        assert_eq!(row.agreed_due_on.as_deref(), Some("2026-03-30"));
        assert_eq!(row.target_on.as_deref(), Some("2026-03-27"));
        assert_eq!(row.received_on, "2026-03-16", "the receipt stays");

        tx!(db, tx => cases::acknowledged(&mut tx, &[id], later(60)));
        tx!(db, tx => cases::acknowledged(&mut tx, &[id], later(90)));
        let (row, _) = replayed(&db, id, &reference).await;
        assert_eq!(row.acknowledged_at, Some(later(60).as_millisecond()), "the first counts");
    })
    .await;
}

#[tokio::test]
async fn open_cases_are_listed_those_due_first_first() {
    both_engines(async |db| {
        let mut ids = Vec::new();
        for (number, due) in [(1, Some(date(2026, 4, 20))), (2, None), (3, Some(date(2026, 4, 1)))]
        {
            let mut new = new_case(number);
            new.clock.agreed_due_on = due;
            let reference =
                CaseReference::new("NCC", 2026, u32::try_from(number).unwrap()).unwrap();
            ids.push(tx!(db, tx => open(&mut tx, &reference.to_string(), &new)));
        }
        let listed = async |all| {
            let rows = cases::list(&db, all).await.unwrap();
            rows.iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(false).await, [ids[2], ids[0], ids[1]]);
        let reference = CaseReference::new("NCC", 2026, 3).unwrap();
        tx!(db, tx => cases::record(&mut tx, ids[2], &Actor::Gateway, &received(), nine()));
        let (row, case) = replayed(&db, ids[2], &reference).await;
        let mut closed = case.clone();
        closed.status = postern::casework::case::CaseStatus::Closed;
        assert!(tx!(db, tx => cases::change(&mut tx, &row, &closed, None, nine())));
        assert_eq!(listed(false).await, [ids[0], ids[1]]);
        assert_eq!(listed(true).await, [ids[2], ids[0], ids[1]]);
        tx!(db, tx => cases::add_party(&mut tx, ids[2], "ann@example.org", "customer"));
        assert!(
            !tx!(db, tx => cases::has_case(&mut tx, "ann@example.org")),
            "closed ones are not his"
        );
        assert!(letters::of_case(&db, ids[2]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn of_two_who_hold_a_version_the_second_is_told() {
    both_engines(async |db| {
        let id = open_case(&db, 1).await;
        let held = several(&db, 4, move |_, mut tx| async move {
            let held = cases::hold(&mut tx, id, 1).await?;
            if held {
                // Others are waiting by now.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                cases::count(&mut tx, id, 1).await?;
            }
            tx.commit().await?;
            Ok::<_, StoreError>(held)
        })
        .await;
        assert_eq!(held.iter().filter(|held| matches!(held, Ok(true))).count(), 1, "{held:?}");
        assert!(held.iter().all(Result::is_ok), "{held:?}");
        let row = tx!(db, tx => cases::by_id(&mut tx, id)).unwrap();
        assert_eq!(row.version, 2);
        // What has counted already is not counted again.
        tx!(db, tx => cases::count(&mut tx, id, 1));
        assert_eq!(tx!(db, tx => cases::by_id(&mut tx, id)).unwrap().version, 2);
    })
    .await;
}

#[tokio::test]
async fn what_officers_did_since_a_version_is_known_by_the_version_they_decided_on() {
    both_engines(async |db| {
        let id = open_case(&db, 1).await;
        let pat = Actor::Officer(OfficerId("pat".to_owned()));
        let did = |version, text: &str| {
            let event = Event::Note { text: text.to_owned().into() };
            ((id, version), event)
        };
        for (on, event) in [did(1, "first"), did(2, "second"), did(2, "with it")] {
            tx!(db, tx => cases::record_act(&mut tx, on, &pat, &event, nine()));
        }
        let (_, by_mail) = did(9, "of the gateway");
        tx!(db, tx => cases::record(&mut tx, id, &Actor::Gateway, &by_mail, nine()));
        let since = async |version| {
            let all = tx!(db, tx => cases::acts_since(&mut tx, id, version));
            all.into_iter()
                .filter(|one| one.by == pat)
                .filter_map(
                    |one| if let Event::Note { text } = one.event { Some(text.0) } else { None },
                )
                .collect::<Vec<_>>()
        };
        assert_eq!(since(1).await, ["first", "second", "with it"]);
        assert_eq!(since(2).await, ["second", "with it"]);
        assert!(since(3).await.is_empty(), "nobody did anything, and mail is no act");
        assert!(tx!(db, tx => cases::acts_since(&mut tx, id + 1, 1)).is_empty());
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    both_engines(async |db| {
        for number in 1..=5 {
            open_case(&db, number).await;
        }
        let all = cases::list(&db, true).await.unwrap();
        let mut seen = Vec::new();
        loop {
            let which = cases::Listed { after: seen.last(), ..cases::Listed::default() };
            let page = cases::page(&db, which, 2).await.unwrap();
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        let ids = |rows: &[cases::CaseRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(&seen), ids(&all));
        let count = async |which| cases::page(&db, which, 9).await.unwrap().len();
        let status = |status| cases::Listed { status: Some(status), ..cases::Listed::default() };
        assert_eq!((count(status("open")).await, count(status("closed")).await), (5, 0));
        let overdue = |day| cases::Listed { overdue_on: Some(day), ..cases::Listed::default() };
        assert_eq!(count(overdue(jiff::civil::date(2020, 1, 1))).await, 0);
        assert_eq!(count(overdue(jiff::civil::date(2030, 1, 1))).await, 5);
    })
    .await;
}
