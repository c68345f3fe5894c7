//! Whose cases are whose, and who is away.

use std::collections::BTreeMap;

use jiff::civil::date;
use postern::casework::allocation::{Ground, Handover};
use postern::casework::case::{Actor, Event, OfficerId};
use postern::store::Tx;
use postern::store::allocations::{self, Tally};
use postern::store::cases::{self, Listed, NewCase};

use super::cases::{new_case, open};
use super::support::postgres::both_engines;
use super::{nine, tx};

fn ann() -> OfficerId {
    OfficerId("ann".to_owned())
}

/// Cases of ann, ann, bob and nobody, the first of a later stage; their rows.
async fn four(tx: &mut Tx) -> Vec<i64> {
    let mut rows = Vec::new();
    let owners = [Some("ann"), Some("ann"), Some("bob"), None];
    for (number, owner) in (1i64..).zip(owners) {
        let mut new = NewCase { owner, ..new_case(number) };
        new.clock.stage = if number == 1 { 2 } else { 1 };
        if number == 2 {
            new.flags = format!("[{:?}]", "child_author");
            new.customer_address = Some("eve@example.org");
        }
        rows.push(open(tx, &format!("NCC-2026-0000{number}"), &new).await.unwrap());
    }
    rows
}

fn handover(case: i64) -> Handover {
    Handover {
        case,
        reference: String::new(),
        from: Some(OfficerId("bob".to_owned())),
        to: ann(),
        ground: Ground::Deputy,
        because: "stands in for bob".to_owned(),
        safeguarding: false,
    }
}

#[tokio::test]
async fn what_officers_have_is_counted_and_who_knows_a_customer_is_found() {
    both_engines(async |db| {
        let mut tx = db.begin().await.unwrap();
        let rows = four(&mut tx).await;
        let tally = |owner: &str, cases, later_stage, overdue, safeguarding| Tally {
            owner: owner.to_owned(),
            cases,
            later_stage,
            overdue,
            safeguarding,
        };
        // They are due on 15 April: late from the day after.
        for (day, late) in [(date(2026, 4, 15), 0), (date(2026, 4, 16), 1)] {
            let counted = allocations::tallies(&mut tx, day).await.unwrap();
            let wanted = [tally("ann", 2, 1, 2 * late, 1), tally("bob", 1, 0, late, 1)];
            assert_eq!(counted, wanted, "{day}");
        }
        let known =
            allocations::of_customers(&mut tx, &["Ann@Example.org", "x@y.z"]).await.unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!(known["Ann@Example.org"].owner.0, "bob", "the latest that has an owner");
        let known = allocations::of_cases(&mut tx, &rows).await.unwrap();
        assert_eq!(known.len(), 3);
        assert_eq!(
            (&*known[&rows[0]].owner.0, &*known[&rows[0]].reference),
            ("ann", "NCC-2026-00001")
        );
        assert!(allocations::of_cases(&mut tx, &[]).await.unwrap().is_empty());
        let all = allocations::open(&mut tx).await.unwrap();
        assert_eq!(all.iter().map(|row| row.id).collect::<Vec<_>>(), rows);
        let held = all[0].held(date(2026, 4, 16));
        assert!(held.facts.late && held.facts.safeguarding() && held.facts.stage == 2);
        tx.commit().await.unwrap();
        let owners = allocations::owners(&db).await.unwrap();
        assert_eq!(owners, [("ann".to_owned(), 2), ("bob".to_owned(), 1)]);
        let page = async |owner| {
            let which = Listed { owner, ..Listed::default() };
            let rows = cases::page(&db, which, 9).await.unwrap();
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(page(None).await, rows);
        assert_eq!(page(Some(Some("ann"))).await, rows[..2]);
        assert_eq!(page(Some(None)).await, rows[3..]);
    })
    .await;
}

#[tokio::test]
async fn a_case_is_handed_over_once_and_only_as_it_was_read() {
    both_engines(async |db| {
        let rows =
            tx!(db, tx => async { Ok::<_, postern::store::StoreError>(four(&mut tx).await) });
        let versions: BTreeMap<i64, i64> = rows.iter().map(|row| (*row, 1)).collect();
        let moves = [handover(rows[2])];
        let by = Actor::Officer(OfficerId("pat".to_owned()));
        assert!(tx!(db, tx => allocations::hand_over(&mut tx, &by, &moves, &versions, nine())));
        let again = tx!(db, tx => allocations::hand_over(&mut tx, &by, &moves, &versions, nine()));
        assert!(!again, "whoever comes second is told");
        let row = tx!(db, tx => cases::by_id(&mut tx, rows[2])).unwrap();
        assert_eq!((row.owner.as_deref(), row.version), (Some("ann"), 2));
        let events = tx!(db, tx => cases::events(&mut tx, rows[2]));
        assert_eq!(events.len(), 1);
        assert!(
            matches!(&events[0].event, Event::Allocated { officer: Some(to), .. } if *to == ann())
        );
        tx!(db, tx => allocations::own(&mut tx, rows[2], None));
        let row = tx!(db, tx => cases::by_id(&mut tx, rows[2])).unwrap();
        assert_eq!(row.owner, None);
    })
    .await;
}

#[tokio::test]
async fn an_absence_begins_once_and_knows_who_got_what() {
    both_engines(async |db| {
        let rows =
            tx!(db, tx => async { Ok::<_, postern::store::StoreError>(four(&mut tx).await) });
        let from = date(2026, 4, 1);
        assert!(tx!(db, tx => allocations::begin_absence(&mut tx, &ann(), from, nine())));
        assert!(!tx!(db, tx => allocations::begin_absence(&mut tx, &ann(), from, nine())));
        let known = tx!(db, tx => allocations::absences(&mut tx));
        assert_eq!(known, [("ann".to_owned(), "2026-04-01".to_owned())]);
        let moves =
            [Handover { to: OfficerId("bob".to_owned()), ..handover(rows[2]) }, handover(rows[3])];
        tx!(db, tx => allocations::keep_handovers(&mut tx, &ann(), from, &moves));
        let kept = tx!(db, tx => allocations::handed_over(&mut tx, "ann", "2026-04-01"));
        assert_eq!(kept, [(rows[2], "bob".to_owned())], "the other is not with whoever got it");
        tx!(db, tx => allocations::absence_told(&mut tx, &ann(), from, 7));
        assert_eq!(tx!(db, tx => allocations::absence_tasks(&mut tx, "ann")), [7]);
        let ended = tx!(db, tx => allocations::end_absence(&mut tx, "ann", "2026-04-01", nine()));
        assert_eq!(ended, Some(7));
        let again = tx!(db, tx => allocations::end_absence(&mut tx, "ann", "2026-04-01", nine()));
        assert_eq!(again, None);
        assert!(tx!(db, tx => allocations::absences(&mut tx)).is_empty());
    })
    .await;
}
