//! Addresses that refuse our mail, and letters that wait for a person.

use jiff::Timestamp;
use postern::store::held::{self, GoOn, HeldBy};
use postern::store::letters::{self, Finished, Lately, NewLetter};
use postern::store::refusals::{self, Refusing};
use postern::store::tasks::{self, NewTask};
use postern::store::{Db, StoreError};

use super::support::postgres::both_engines;
use super::{ODD, later, nine, odd_kept, tx};

const ANN: &str = "ann@example.org";

/// Queues a letter, with its bytes.
async fn queue(db: &Db, purpose: &str, recipient: &str, at: Timestamp) -> i64 {
    let id = begin(db, purpose, recipient, at).await;
    let finished = Finished {
        id,
        envelope_from: String::new(),
        subject: "Subject".to_owned(),
        header_message_id: String::new(),
        bytes: b"bytes".to_vec(),
    };
    tx!(db, tx => letters::finish(&mut tx, &[finished]));
    id
}

/// Takes a letter's number without writing it.
async fn begin(db: &Db, purpose: &str, recipient: &str, at: Timestamp) -> i64 {
    let once_key = format!("{purpose}:{recipient}:{at}:{:?}", states(db).await.len());
    let new = NewLetter {
        purpose,
        template: "acknowledgement-enquiry",
        once_key: &once_key,
        case_id: Some(4),
        request_id: None,
        message_id: None,
        recipient,
        due_at: at,
    };
    tx!(db, tx => async {
        Ok::<_, StoreError>(letters::begin(&mut tx, &[new], at).await?.remove(0).unwrap())
    })
}

async fn states(db: &Db) -> Vec<(i64, String)> {
    let all = ["queued", "sent", "failed", "unknown", "held", "cancelled"];
    let rows = held::list(db, &all, false).await.unwrap();
    rows.into_iter().map(|row| (row.id, row.state)).collect()
}

fn days(count: i64) -> Timestamp {
    later(count * 86_400)
}

#[tokio::test]
async fn a_letter_is_refused_once_however_often_it_is_reported() {
    both_engines(async |db| {
        let record = async |letter, address, at| {
            tx!(db, tx => refusals::record(&mut tx, letter, address, "5.2.1", at))
        };
        assert!(record(1, "Ann@Example.org", nine()).await);
        assert!(!record(1, ANN, days(1)).await);
        assert!(record(2, ANN, days(2)).await);
        assert!(record(3, ODD, days(2)).await);
        let count = async |address, since| tx!(db, tx => refusals::count(&mut tx, address, since));
        assert_eq!(count(ANN, later(-1)).await, 2);
        assert_eq!(count("ANN@example.org", nine()).await, 1, "that of the moment itself is over");
        assert_eq!(count(ODD, nine()).await, 1);
        assert_eq!(count("bob@example.org", later(-1)).await, 0);

        assert_eq!(tx!(db, tx => refusals::allow(&mut tx, ANN, days(3))), None, "nothing was stopped");
        assert_eq!(count(ANN, later(-1)).await, 0, "forgiven");
        assert!(!record(2, ANN, days(4)).await, "and not counted when it is reported again");
        assert_eq!(count(ODD, nine()).await, 1, "nobody else is");
    })
    .await;
}

#[tokio::test]
async fn an_address_is_stopped_for_a_time_and_allowed_again() {
    both_engines(async |db| {
        let refusing = async |now| {
            tx!(db, tx => refusals::refusing(&mut tx, &[ANN, ODD, "Bob@example.org"], now))
        };
        let stop = async |address, letter, at, until| {
            tx!(db, tx => refusals::stop(&mut tx, address, letter, at, until))
        };
        assert!(refusing(nine()).await.is_empty());
        let first = stop("Ann@example.org", 7, nine(), days(60)).await;
        let expected = Refusing {
            since_at: nine().as_millisecond(),
            until_at: days(60).as_millisecond(),
            letter_id: 7,
        };
        assert_eq!(first, expected);
        stop(ODD, 8, nine(), days(60)).await;
        assert_eq!(refusing(days(59)).await[ANN], expected);
        assert_eq!(refusing(days(59)).await[&odd_kept().to_lowercase()].letter_id, 8);
        assert_eq!(refusing(days(59)).await.len(), 2);
        assert!(refusing(days(60)).await.is_empty(), "the time is over");

        // A further refusal lengthens it; it refuses since the first.
        let again = stop(ANN, 9, days(10), days(70)).await;
        assert_eq!((again.since_at, again.letter_id), (expected.since_at, 7));
        assert_eq!(refusing(days(60)).await.len(), 1);
        // After a time without, it begins anew.
        let anew = stop(ANN, 10, days(100), days(160)).await;
        assert_eq!((anew.since_at, anew.letter_id), (days(100).as_millisecond(), 10));

        assert_eq!(tx!(db, tx => refusals::allow(&mut tx, "ANN@example.org", days(101))), Some(10));
        assert!(!refusing(days(101)).await.contains_key(ANN));
        assert_eq!(tx!(db, tx => refusals::allow(&mut tx, ANN, days(102))), Some(10), "once more");
        assert_eq!(tx!(db, tx => refusals::allow(&mut tx, "eve@example.org", days(102))), None);
    })
    .await;
}

#[tokio::test]
async fn what_waits_to_an_address_is_held_but_for_one_purpose_and_what_is_on_its_way() {
    both_engines(async |db| {
        let leaving = queue(&db, "digest", ANN, nine()).await;
        let claimed = tx!(db, tx => letters::claim(&mut tx, "one", nine(), later(120), 9));
        assert_eq!(claimed.len(), 1);
        let due = queue(&db, "digest", ANN, later(1)).await;
        let future = queue(&db, "service_request", ANN, days(1)).await;
        queue(&db, "safeguarding_alert", ANN, later(2)).await;
        queue(&db, "digest", "bob@example.org", later(3)).await;
        let held = tx!(db, tx => held::hold_all_to(&mut tx, "Ann@example.org", "safeguarding_alert", ODD, later(4)));
        let mut held = held;
        held.sort_unstable();
        assert_eq!(held, [due, future]);
        let rows = held::list(&db, &["held"], false).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [due, future]);
        assert!(rows.iter().all(|row| row.held_by.as_deref() == Some("address")));
        assert!(rows.iter().all(|row| row.last_cause.as_deref() == Some(&*odd_kept())));
        assert_eq!(tx!(db, tx => held::held_to(&mut tx, "ANN@example.org")), [due, future]);
        assert!(tx!(db, tx => held::held_to(&mut tx, "bob@example.org")).is_empty());
        assert_eq!(tx!(db, tx => held::state(&mut tx, leaving)).as_deref(), Some("queued"));
        assert_eq!(tx!(db, tx => held::state(&mut tx, 99)), None);
    })
    .await;
}

#[tokio::test]
async fn held_letters_leave_or_are_cancelled_and_what_has_no_bytes_cannot_leave() {
    both_engines(async |db| {
        let one = queue(&db, "receipt", ANN, nine()).await;
        let two = queue(&db, "receipt", ANN, nine()).await;
        let queued = queue(&db, "receipt", ANN, nine()).await;
        let unwritten = begin(&db, "receipt", "impossible", nine()).await;
        tx!(db, tx => letters::hold(&mut tx, unwritten, "no address"));
        tx!(db, tx => held::hold(&mut tx, &[one, two], HeldBy::Breaker, ODD));
        tx!(db, tx => held::hold(&mut tx, &[unwritten], HeldBy::Breaker, "held already"));
        assert_eq!(tx!(db, tx => held::held_by_breaker(&mut tx)), [one, two]);
        assert!(tx!(db, tx => held::held_to(&mut tx, ANN)).is_empty());

        let release = async |ids: &[i64], how, at| {
            let rows = tx!(db, tx => held::release(&mut tx, ids, how, at));
            assert!(rows.iter().all(|row| row.case_id.is_none_or(|case| case == 4)));
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        let all = [unwritten, queued, one, 99];
        assert_eq!(release(&all, GoOn::Leave, days(3)).await, [one]);
        assert_eq!(
            release(&[two, queued, unwritten], GoOn::Never, days(3)).await,
            [two, unwritten]
        );
        let word = |id, state: &str| (id, state.to_owned());
        assert_eq!(
            states(&db).await,
            [
                word(one, "queued"),
                word(two, "cancelled"),
                word(queued, "queued"),
                word(unwritten, "cancelled")
            ]
        );
        // Its 48 hours begin when it is released.
        let leaving = tx!(db, tx => letters::claim(&mut tx, "one", days(3), days(4), 1));
        assert_eq!((leaving[0].id, leaving[0].created_at), (one, days(3).as_millisecond()));
    })
    .await;
}

#[tokio::test]
async fn answers_are_counted_since_a_moment_and_since_a_person_released_some() {
    both_engines(async |db| {
        let answers = async |since, most| {
            let found = tx!(db, tx => held::answers(&mut tx, since, most));
            (found.count, found.held)
        };
        assert_eq!(answers(later(-600), 9).await, (0, false));
        let first = queue(&db, "acknowledgement", ANN, nine()).await;
        let second = queue(&db, "receipt", "bob@example.org", later(60)).await;
        queue(&db, "service_request", ANN, later(60)).await;
        queue(&db, "safeguarding_alert", ANN, later(60)).await;
        assert_eq!(answers(later(-1), 9).await, (2, false));
        assert_eq!(answers(nine(), 9).await, (1, false));
        assert_eq!(answers(later(-1), 1).await, (1, false), "it counts no further than it must");
        // An address that refuses is another matter.
        tx!(db, tx => held::hold(&mut tx, &[first], HeldBy::Address, "refused"));
        assert_eq!(answers(later(-1), 9).await, (2, false));
        tx!(db, tx => held::hold(&mut tx, &[second], HeldBy::Breaker, "too many"));
        assert_eq!(answers(later(-1), 9).await, (2, true));

        tx!(db, tx => held::release(&mut tx, &[second], GoOn::Leave, later(90)));
        assert_eq!(answers(later(-1), 9).await, (0, false), "a person has looked");
        queue(&db, "receipt", "bob@example.org", later(120)).await;
        assert_eq!(answers(later(-1), 9).await, (1, false));
    })
    .await;
}

#[tokio::test]
async fn a_cases_letters_to_its_customers_are_counted_over_a_time() {
    both_engines(async |db| {
        for (purpose, recipient, at) in [
            ("acknowledgement", ANN, nine()),
            ("receipt", "bob@example.org", later(60)),
            ("service_request", "sen@northmere.example", later(60)),
        ] {
            queue(&db, purpose, recipient, at).await;
        }
        let lately = async |case, now| tx!(db, tx => letters::lately_of_case(&mut tx, case, now));
        let counts = |ten_minutes, hour, day| Lately { ten_minutes, hour, day };
        assert_eq!(lately(4, later(61)).await, counts(2, 2, 2));
        assert_eq!(lately(4, later(600)).await, counts(1, 2, 2));
        assert_eq!(lately(4, later(3_600)).await, counts(0, 1, 2));
        assert_eq!(lately(4, later(86_400 + 60)).await, counts(0, 0, 0));
        assert_eq!(lately(5, later(61)).await, counts(0, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_task_is_added_where_none_in_its_words_is_open_and_ends_when_it_is_done() {
    both_engines(async |db| {
        let task = |words: &'static str, letter_id| NewTask {
            words: words.into(),
            letter_id: Some(letter_id),
            ..NewTask::default()
        };
        let add = async |kind, tasks: &[NewTask<'_>]| {
            tx!(db, tx => tasks::add_missing(&mut tx, kind, tasks, nine()));
        };
        let open = async || {
            let rows = tasks::open(&db).await.unwrap();
            rows.into_iter().map(|row| (row.kind, row.words)).collect::<Vec<_>>()
        };
        let told = |kind: &str, words: &str| (kind.to_owned(), words.to_owned());
        add("held", &[]).await;
        assert!(open().await.is_empty());
        add("held", &[task("one", 1), task("two", 2), task("one", 1), task(ODD, 3)]).await;
        add("held", &[task("one", 1), task(ODD, 3)]).await;
        add("other", &[task("one", 1)]).await;
        let odd = odd_kept();
        let four =
            [told("held", "one"), told("held", "two"), told("held", &odd), told("other", "one")];
        assert_eq!(open().await, four);
        tx!(db, tx => tasks::finish(&mut tx, "held", Some(1), later(1)));
        assert_eq!(open().await, four[1..]);
        add("held", &[task("one", 1)]).await;
        assert_eq!(open().await.last(), Some(&four[0]), "what is done may come again");
        tx!(db, tx => tasks::finish(&mut tx, "held", None, later(1)));
        assert_eq!(open().await, [told("other", "one")]);
    })
    .await;
}

#[tokio::test]
async fn the_list_shows_states_cases_and_what_came_back() {
    both_engines(async |db| {
        let sent = queue(&db, "receipt", ANN, nine()).await;
        let back = queue(&db, "receipt", ODD, nine()).await;
        let waits = queue(&db, "receipt", ANN, nine()).await;
        for id in [sent, back] {
            tx!(db, tx => letters::sent(&mut tx, &[id], Some(250), "fine", later(1)));
        }
        assert!(tx!(db, tx => letters::bounced(&mut tx, back, "5.1.1", later(9))));
        assert!(!tx!(db, tx => letters::bounced(&mut tx, back, "5.2.2", later(10))), "known");
        tx!(db, tx => letters::delivered(&mut tx, sent, later(11)));
        tx!(db, tx => letters::delivered(&mut tx, sent, later(12)));
        let ids = async |states: &[&str], came_back| {
            let rows = held::list(&db, states, came_back).await.unwrap();
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&["queued"], true).await, [back, waits]);
        assert_eq!(ids(&["queued"], false).await, [waits]);
        let row = held::list(&db, &["held"], true).await.unwrap().remove(0);
        assert_eq!(
            (row.bounced_at, row.bounce_status.as_deref()),
            (Some(later(9).as_millisecond()), Some("5.1.1"))
        );
        assert_eq!((row.recipient, row.reference, row.held_by), (odd_kept(), None, None));
        let of_case = letters::of_case(&db, 4).await.unwrap();
        assert_eq!(of_case[0].delivered_at, Some(later(11).as_millisecond()), "the first time");
        assert_eq!(of_case[1].bounce_status.as_deref(), Some("5.1.1"));
    })
    .await;
}
