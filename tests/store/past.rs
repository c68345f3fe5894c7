//! Past messages, and a replay over them.

use std::sync::Arc;

use postern::backtest::{self, Asked};
use postern::casework::case::{Actor, CaseField, Event, OfficerId};
use postern::rules::compare::Move;
use postern::rules::{Known, RuleSet};
use postern::store::messages::{self, Settled};
use postern::store::{Db, cases, past};

use super::cases::{open_case, received};
use super::support::postgres::both_engines;
use super::{email, keep, later, nine, settled, tx, understood};

fn shipped() -> RuleSet {
    postern::policy::rule_set(&postern::policy::rule_files(None).unwrap()).unwrap()
}

/// The shipped rules, and one that makes every even message one about transport.
fn with_even() -> Arc<RuleSet> {
    let mut files = postern::policy::rule_files(None).unwrap();
    let even = "[[rule]]\nid = \"even\"\nwhy = \"to try\"\nlabel = \"service:home_to_school_transport\"\n\
        weight = 20.0\nregex = [\"text [0-9]*[02468]\\\\b\"]\n";
    files.push(("rules/35-even.toml".to_owned(), even.to_owned()));
    Arc::new(postern::policy::rule_set(&files).unwrap())
}

/// Keeps a message that was settled, with what a set of rules made of it; its row.
async fn past_message(db: &Db, number: usize, rules: &RuleSet) -> i64 {
    let id = keep(db, number).await;
    let email = email(number);
    let found = rules.classify(&email, &Known::default());
    let classification = serde_json::to_string(&found).unwrap();
    let known = Some(serde_json::to_string(&Known::default()).unwrap());
    tx!(db, tx => understood(&mut tx, id, &email, "k", nine()));
    let settled = Settled { id, classification, known, ..settled("filed") };
    tx!(db, tx => messages::settle(&mut tx, &[settled], "v", nine()));
    id
}

#[tokio::test]
async fn past_messages_come_newest_first_with_what_officers_did() {
    both_engines(async |db| {
        let shipped = shipped();
        let mut ids = Vec::new();
        for number in 1..=5 {
            ids.push(past_message(&db, number, &shipped).await);
        }
        let waiting = keep(&db, 6).await;
        let case = open_case(&db, ids[1]).await;
        let link = Settled { id: ids[1], case_id: Some(case), ..settled("opened") };
        tx!(db, tx => messages::settle(&mut tx, &[link], "v", nine()));
        tx!(db, tx => cases::record(&mut tx, case, &Actor::Gateway, &received(), nine()));
        let (field, before, after) = (CaseField::Services, "sen".to_owned(), "x".to_owned());
        let event = Event::Corrected { field, before, after, because: None };
        let note = Event::Note { text: "n".to_owned().into() };
        let pat = Actor::Officer(OfficerId("pat".to_owned()));
        tx!(db, tx => cases::record(&mut tx, case, &pat, &event, later(1)));
        tx!(db, tx => cases::record(&mut tx, case, &pat, &note, later(2)));

        let mut tx = db.snapshot().await.unwrap();
        assert_eq!(past::count(&mut tx, None).await.unwrap(), 5);
        assert_eq!(past::count(&mut tx, Some(later(-600))).await.unwrap(), 5);
        assert_eq!(past::count(&mut tx, Some(later(-599))).await.unwrap(), 0);
        let first = past::page(&mut tx, waiting, None, 3).await.unwrap();
        assert_eq!(first.iter().map(|one| one.id).collect::<Vec<_>>(), [ids[4], ids[3], ids[2]]);
        let rest = past::page(&mut tx, ids[2], None, 3).await.unwrap();
        assert_eq!(rest.iter().map(|one| one.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
        assert!(past::page(&mut tx, i64::MAX, Some(nine()), 3).await.unwrap().is_empty());
        assert!(rest[0].reference.is_some() && rest[0].opened_by == Some(ids[1]));
        assert_eq!(rest[0].lead_service.as_deref(), Some("sen"));
        assert_eq!(rest[0].known, None, "settled again without it");
        assert!(rest[1].known.is_some() && rest[1].reference.is_none());
        assert_eq!(rest[0].received_at, later(-600).as_millisecond());
        let decided = past::decided_page(&mut tx, i64::MAX, None, 3).await.unwrap();
        assert_eq!(decided.iter().map(|one| one.id).collect::<Vec<_>>(), [ids[1]]);
        for (before, since) in [(ids[1], None), (i64::MAX, Some(nine()))] {
            assert!(past::decided_page(&mut tx, before, since, 3).await.unwrap().is_empty());
        }
        let acts = past::acts(&mut tx, &ids).await.unwrap();
        assert_eq!(acts.keys().copied().collect::<Vec<_>>(), [ids[1]]);
        let by: Vec<_> = acts[&ids[1]].iter().map(|act| act.by.clone()).collect();
        assert_eq!(by, [Actor::Gateway, pat.clone()], "a note decides nothing");
        assert!(past::acts(&mut tx, &[]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_replay_is_the_same_for_any_number_of_threads() {
    both_engines(async |db| {
        let shipped = shipped();
        for number in 0..150 {
            past_message(&db, number, &shipped).await;
        }
        let draft = with_even();
        let asked = Asked { since: None, most: None, threads: 1 };
        let mut told = Vec::new();
        let alone = backtest::run(&db, &draft, asked, |done, total| told.push((done, total)));
        let alone = alone.await.unwrap();
        let tally = &alone.tally;
        assert_eq!((tally.messages, tally.changed, tally.unreadable), (150, 75, 0));
        assert_eq!(tally.moves[&Move::Undecided], 75);
        assert_eq!(alone.changed.len(), 75);
        assert!(alone.changed.is_sorted_by(|one, next| one.message > next.message), "newest first");
        for one in &alone.changed {
            assert!(one.changes.iter().any(|change| change.rules == ["+even"]), "{one:?}");
        }
        assert_eq!(told, [(0, 150), (64, 150), (128, 150), (150, 150)]);
        for threads in [0, 2, 7] {
            let again = backtest::run(&db, &draft, Asked { threads, ..asked }, |_, _| {}).await;
            assert_eq!(again.unwrap(), alone, "{threads} threads");
        }
        let few = backtest::run(&db, &draft, Asked { most: Some(70), ..asked }, |_, _| {}).await;
        let few = few.unwrap();
        assert_eq!(few.tally.messages, 70);
        assert_eq!(few.changed[..], alone.changed[..few.changed.len()], "the newest");
    })
    .await;
}
