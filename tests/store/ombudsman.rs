//! What comes from the Ombudsman: kept once, found again, counted by the year of its decision.

use jiff::civil::date;
use postern::casework::case::Actor;
use postern::casework::ombudsman::{ClosedBecause, ContactKind, Decided, OmbudsmanStep};
use postern::store::ombudsman::{self as kept, NewContact, RungRow};

use super::cases::open_case;
use super::support::postgres::both_engines;
use super::{ODD, nine, odd_kept, tx};

fn contact(ombudsman: i64, message: Option<i64>) -> NewContact {
    NewContact {
        ombudsman,
        message,
        kind: ContactKind::Enquiry,
        received_at: nine(),
        received_on: date(2026, 3, 16),
        suggested_on: Some(date(2026, 3, 30)),
    }
}

#[tokio::test]
async fn a_case_of_the_ombudsman_is_found_by_its_reference_and_linked_once() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        let id = tx!(db, tx => kept::open(&mut tx, Some("25 012 345"), None, nine()));
        let nameless = tx!(db, tx => kept::open(&mut tx, None, None, nine()));
        let other = tx!(db, tx => kept::open(&mut tx, None, None, nine()));
        assert!(nameless != other, "several may have no reference yet");
        let row = tx!(db, tx => kept::by_reference(&mut tx, "25 012 345")).unwrap();
        assert_eq!((row.id, row.case_id, row.reference.as_deref()), (id, None, None));
        assert!(tx!(db, tx => kept::by_reference(&mut tx, "25 012 346")).is_none());

        assert!(tx!(db, tx => kept::link(&mut tx, id, case)));
        assert!(!tx!(db, tx => kept::link(&mut tx, id, case + 1)), "it is about one case");
        let row = tx!(db, tx => kept::of_case(&mut tx, case)).pop().unwrap();
        assert_eq!((row.id, row.case_id), (id, Some(case)));
        assert!(row.reference.unwrap().starts_with("NCC-"));

        tx!(db, tx => kept::name(&mut tx, nameless, "25 000 001"));
        let mut tx = db.begin().await.unwrap();
        assert!(kept::name(&mut tx, other, "25 000 001").await.is_err(), "one reference, one case");
    })
    .await;
}

#[tokio::test]
async fn a_contact_is_kept_once_and_counts_by_the_date_that_an_officer_entered() {
    both_engines(async |db| {
        let id = tx!(db, tx => kept::open(&mut tx, None, None, nine()));
        let first = tx!(db, tx => kept::add_contact(&mut tx, &contact(id, Some(7)))).unwrap();
        assert_eq!(tx!(db, tx => kept::add_contact(&mut tx, &contact(id, Some(7)))), None);
        let by_post = tx!(db, tx => kept::add_contact(&mut tx, &contact(id, None))).unwrap();
        assert!(tx!(db, tx => kept::add_contact(&mut tx, &contact(id, None))).is_some());

        // Unread, it is due on the day it came; what was read in it counts for nothing.
        let dates = tx!(db, tx => kept::dates(&mut tx));
        let unread = dates.iter().find(|one| one.item_id == first).unwrap();
        assert_eq!((unread.item.as_str(), unread.due_on.as_str()), ("unread", "2026-03-16"));

        let due = Some(date(2026, 4, 14));
        tx!(db, tx => kept::confirm(&mut tx, first, ContactKind::Documents, due, Some(ODD), nine()));
        tx!(db, tx => kept::confirm(&mut tx, by_post, ContactKind::Decision, None, None, nine()));
        let row = tx!(db, tx => kept::contact(&mut tx, first)).unwrap();
        assert_eq!((row.kind.as_str(), row.due_on.as_deref()), ("documents", Some("2026-04-14")));
        assert_eq!(row.asks.as_deref(), Some(odd_kept().as_str()));
        let dates = tx!(db, tx => kept::dates(&mut tx));
        let read = dates.iter().find(|one| one.item_id == first).unwrap();
        assert_eq!((read.item.as_str(), read.due_on.as_str()), ("contact", "2026-04-14"));
        assert!(!dates.iter().any(|one| one.item_id == by_post), "a letter without a date has none");

        tx!(db, tx => kept::answered(&mut tx, first, date(2026, 4, 10)));
        let dates = tx!(db, tx => kept::dates(&mut tx));
        assert!(!dates.iter().any(|one| one.item_id == first));
        assert_eq!(tx!(db, tx => kept::contacts(&mut tx, id)).len(), 3);
    })
    .await;
}

#[tokio::test]
async fn remedies_are_owed_until_they_are_done_and_each_rung_is_recorded_once() {
    both_engines(async |db| {
        let id = tx!(db, tx => kept::open(&mut tx, None, None, nine()));
        let decided = date(2026, 3, 2);
        tx!(db, tx => kept::decide(&mut tx, id, Decided::Upheld, None, decided));
        let due = Some(date(2026, 4, 2));
        let remedy = tx!(db, tx => kept::add_remedy(&mut tx, id, "an apology", due));
        let undated = tx!(db, tx => kept::add_remedy(&mut tx, id, "no date", None));
        let dates = tx!(db, tx => kept::dates(&mut tx));
        let items: Vec<(&str, i64)> =
            dates.iter().map(|one| (one.item.as_str(), one.item_id)).collect();
        // What has no date counts from the day of the decision.
        assert_eq!(items, [("undated", undated), ("remedy", remedy)]);
        assert_eq!(dates[0].due_on, "2026-03-02");
        let one = &dates[1];
        assert_eq!((one.from_on.as_str(), one.due_on.as_str()), ("2026-03-02", "2026-04-02"));

        let rung = RungRow {
            item: "remedy".to_owned(),
            item_id: remedy,
            due_on: "2026-04-02".to_owned(),
            rung: "ombudsman_5".to_owned(),
            outcome: "sent".to_owned(),
        };
        for _ in 0..2 {
            tx!(db, tx => kept::record_rungs(&mut tx, std::slice::from_ref(&rung), nine()));
        }
        assert_eq!(tx!(db, tx => kept::rungs(&mut tx)), std::slice::from_ref(&rung));
        let of_undated = RungRow {
            item: "undated".to_owned(),
            item_id: undated,
            due_on: "2026-03-02".to_owned(),
            rung: "remedy_without_date".to_owned(),
            ..rung
        };
        tx!(db, tx => kept::record_rungs(&mut tx, std::slice::from_ref(&of_undated), nine()));
        tx!(db, tx => kept::remedy_done(&mut tx, remedy, date(2026, 3, 20), ODD));
        assert_eq!(tx!(db, tx => kept::rungs(&mut tx)), [of_undated]);
        assert_eq!(tx!(db, tx => kept::dates(&mut tx)).len(), 1);
        let row = tx!(db, tx => kept::remedy(&mut tx, remedy)).unwrap();
        assert_eq!(row.evidence.as_deref(), Some(odd_kept().as_str()));
        assert_eq!(tx!(db, tx => kept::list(&mut tx, false)).len(), 1, "one remedy is left");
    })
    .await;
}

#[tokio::test]
async fn decisions_are_counted_by_the_day_of_the_decision() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        let decisions = [
            (Decided::Upheld, None, date(2025, 4, 1)),
            (Decided::Closed, Some(ClosedBecause::NoFurtherAction), date(2026, 3, 31)),
            (Decided::NotUpheld, None, date(2026, 4, 1)),
            (Decided::Premature, None, date(2025, 3, 31)),
        ];
        for (outcome, closed, on) in decisions {
            let id = tx!(db, tx => kept::open(&mut tx, None, Some(case), nine()));
            tx!(db, tx => kept::decide(&mut tx, id, outcome, closed, on));
        }
        tx!(db, tx => kept::open(&mut tx, None, None, nine()));
        let year = kept::decisions(&db, date(2025, 4, 1), date(2026, 4, 1)).await.unwrap();
        let told: Vec<_> =
            year.iter().map(|one| (one.outcome.as_str(), one.closed_because.as_deref())).collect();
        assert_eq!(told, [("upheld", None), ("closed", Some("no_further_action"))]);
        assert!(year.iter().all(|one| one.lead_service.is_some()));
        assert_eq!(tx!(db, tx => kept::list(&mut tx, false)).len(), 1, "one is not decided");
        assert_eq!(tx!(db, tx => kept::list(&mut tx, true)).len(), 5);
    })
    .await;
}

#[tokio::test]
async fn its_history_is_kept_in_order() {
    both_engines(async |db| {
        let id = tx!(db, tx => kept::open(&mut tx, None, None, nine()));
        let steps = [
            OmbudsmanStep::Contacted {
                contact: 1,
                about: ContactKind::Enquiry,
                received_on: date(2026, 3, 16),
                message: Some("7".to_owned()),
            },
            OmbudsmanStep::Linked { theirs: Some("25 012 345".to_owned()) },
        ];
        for step in &steps {
            tx!(db, tx => kept::record(&mut tx, id, &Actor::Gateway, step, nine()));
        }
        let history = tx!(db, tx => kept::history(&mut tx, id));
        assert!(history.iter().all(|one| one.at == nine() && one.by == Actor::Gateway));
        assert_eq!(history.into_iter().map(|one| one.step).collect::<Vec<_>>(), steps);
    })
    .await;
}
