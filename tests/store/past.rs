//! Past messages, and a replay over them.

use std::sync::Arc;

use postern::backtest::{self, Asked, learning};
use postern::casework::case::{Actor, CaseField, Event, OfficerId};
use postern::email::Limits;
use postern::rules::compare::Move;
use postern::rules::{Classification, Known, RuleSet};
use postern::store::messages::{self, Settled};
use postern::store::{Db, cases, past};

use super::cases::{open_case, received};
use super::support::postgres::both_engines;
use super::{arrival, email, keep, later, nine, settled, tx, understood};

/// The shipped rules, without the examples that came with them: what is learned here is all they know.
fn shipped() -> RuleSet {
    by_itself(&postern::policy::rule_files(None).unwrap())
}

fn by_itself(files: &postern::policy::Texts) -> RuleSet {
    postern::policy::rule_set(files).unwrap().with_examples(Vec::new())
}

/// The shipped rules, and one that makes every even message one about transport.
fn with_even() -> Arc<RuleSet> {
    let mut files = postern::policy::rule_files(None).unwrap();
    let even = "[[rule]]\nid = \"even\"\nwhy = \"to try\"\nlabel = \"service:home_to_school_transport\"\n\
        weight = 20.0\nregex = [\"text [0-9]*[02468]\\\\b\"]\n";
    files.push(("rules/35-even.toml".to_owned(), even.to_owned()));
    Arc::new(by_itself(&files))
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
        let sets = [with_even()];
        let asked = Asked { since: None, most: None, threads: 1 };
        let mut told = Vec::new();
        let alone = backtest::run(&db, &sets, asked, |done, total| told.push((done, total)));
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
            let again = backtest::run(&db, &sets, Asked { threads, ..asked }, |_, _| {}).await;
            assert_eq!(again.unwrap(), alone, "{threads} threads");
        }
        let few = backtest::run(&db, &sets, Asked { most: Some(70), ..asked }, |_, _| {}).await;
        let few = few.unwrap();
        assert_eq!(few.tally.messages, 70);
        assert_eq!(few.changed[..], alone.changed[..few.changed.len()], "the newest");
    })
    .await;
}

/// A message that says something, without a sender of its own.
fn saying(number: usize, words: &str) -> Vec<u8> {
    format!(
        "From: Ann <ann{number}@example.org>\r\nTo: complaints@northmere.example\r\nSubject: {number}\r\n\
         Message-ID: <s{number}@example.org>\r\nDate: Mon, 16 Mar 2026 08:00:00 +0000\r\n\r\n{words} {number}.\r\n"
    )
    .into_bytes()
}

/// Keeps a message that opened a case, whose service an officer corrected.
async fn corrected(db: &Db, number: usize, words: &str, service: &str, rules: &RuleSet) {
    let bytes = saying(number, words);
    let uid = i64::try_from(number).unwrap();
    let arrived = arrival("main", uid, &bytes);
    let id = tx!(db, tx => messages::keep(&mut tx, &arrived, &bytes, nine()));
    let email = postern::email::read(&bytes, &Limits::default());
    let found = rules.classify(&email, &Known::default());
    let classification = serde_json::to_string(&found).unwrap();
    tx!(db, tx => understood(&mut tx, id, &email, "k", nine()));
    let case = open_case(db, id).await;
    let opened = Settled { id, case_id: Some(case), classification, ..settled("opened") };
    tx!(db, tx => messages::settle(&mut tx, &[opened], "v", nine()));
    tx!(db, tx => cases::record(&mut tx, case, &Actor::Gateway, &received(), nine()));
    let (field, before, after) = (CaseField::Services, "sen".to_owned(), service.to_owned());
    let event = Event::Corrected { field, before, after, because: None };
    let pat = Actor::Officer(OfficerId("pat".to_owned()));
    tx!(db, tx => cases::record(&mut tx, case, &pat, &event, later(1)));
}

const CLUB: &str = "The trampoline club at the hall was called off once more";

/// What rules make of another message about the club: its lead, and whether a second opinion spoke.
fn of_the_club(rules: &RuleSet) -> (String, bool) {
    let email = postern::email::read(&saying(999, CLUB), &Limits::default());
    let found: Classification = rules.classify(&email, &Known::default());
    let spoke = found.evidence.iter().any(|evidence| {
        evidence.rule == "second-opinion"
            && evidence.label == "service:early_help"
            && evidence.weight > 0.5
    });
    (found.services.first().unwrap().as_str().to_owned(), spoke)
}

#[tokio::test]
async fn what_officers_decided_teaches_the_second_opinion() {
    both_engines(async |db| {
        let rules = Arc::new(shipped());
        let before = of_the_club(&shipped());
        assert_eq!(before, ("other_social_care".to_owned(), false));
        for number in 0..210 {
            let (words, service) = if number % 3 == 0 {
                (CLUB, "early_help")
            } else {
                ("Nobody from the office ever rings us back about the form", "fair_access")
            };
            corrected(&db, number, words, service, &rules).await;
        }
        past_message(&db, 500, &rules).await;
        // Each half of them is enough for the other.
        let halves = [Arc::new(shipped()), Arc::new(shipped())];
        learning::teach_halves(&db, &halves).await.unwrap();
        for half in &halves {
            assert_eq!(of_the_club(half), ("early_help".to_owned(), true));
        }
        // Rules that have judged something have their opinion already.
        let rules = Arc::new(shipped());
        assert_eq!(learning::teach(&db, &rules).await.unwrap(), 210, "not the undecided one");
        assert_eq!(of_the_club(&rules), ("early_help".to_owned(), true));
    })
    .await;
}

#[tokio::test]
async fn few_decided_messages_teach_nothing() {
    both_engines(async |db| {
        let rules = Arc::new(shipped());
        for number in 0..3 {
            corrected(&db, number, CLUB, "early_help", &shipped()).await;
        }
        assert_eq!(learning::teach(&db, &rules).await.unwrap(), 3);
        assert_eq!(of_the_club(&rules), of_the_club(&shipped()));
    })
    .await;
}
