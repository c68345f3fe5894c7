//! The outbox.

use std::collections::BTreeSet;

use jiff::Timestamp;
use postern::store::letters::{self, Finished, Lately, Leaving, NewLetter, Outcome};
use postern::store::{Db, StoreError, Tx};

use super::support::postgres::both_engines;
use super::{ODD, later, nine, odd_kept, several, tx};

fn letter<'a>(once_key: &'a str, recipient: &'a str, due_at: Timestamp) -> NewLetter<'a> {
    NewLetter {
        purpose: "acknowledgement",
        template: "acknowledgement-enquiry",
        once_key,
        case_id: Some(4),
        request_id: Some(5),
        message_id: Some(6),
        recipient,
        due_at,
    }
}

fn finished(id: i64) -> Finished {
    Finished {
        id,
        envelope_from: "b@northmere.example".to_owned(),
        subject: "Subject".to_owned(),
        header_message_id: String::new(),
        bytes: b"bytes".to_vec(),
    }
}

/// Takes the number of one letter.
async fn begin(
    tx: &mut Tx,
    new: &NewLetter<'_>,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    Ok(letters::begin(tx, std::slice::from_ref(new), now).await?.pop().unwrap())
}

async fn queue(db: &Db, number: i64, due_at: Timestamp) -> i64 {
    let key = format!("answer:{number}");
    let new = letter(&key, "ann@example.org", due_at);
    tx!(db, tx => async {
        let id = begin(&mut tx, &new, nine()).await?.unwrap();
        let header_message_id = format!("<{number}@northmere.example>");
        letters::finish(&mut tx, &[Finished { header_message_id, ..finished(id) }]).await?;
        Ok::<_, postern::store::StoreError>(id)
    })
}

async fn claim(db: &Db, gateway: &str, now: Timestamp) -> Vec<Leaving> {
    tx!(db, tx => letters::claim(&mut tx, gateway, now, now + jiff::SignedDuration::from_secs(120), 64))
}

async fn record(db: &Db, id: i64, state: &str, code: Option<u16>, due_at: Option<Timestamp>) {
    let outcome = Outcome { state, code, cause: ODD, due_at };
    tx!(db, tx => letters::record(&mut tx, id, &outcome, later(7)));
}

#[tokio::test]
async fn a_letter_is_queued_once_and_leaves_with_the_bytes_it_was_given() {
    both_engines(async |db| {
        let mut tx = db.begin().await.unwrap();
        begin(&mut tx, &letter("answer:1", "ann@example.org", nine()), nine()).await.unwrap();
        drop(tx);
        let id = queue(&db, 1, nine()).await;
        let again = letter("answer:1", "bob@example.org", nine());
        let new = letter("answer:2", "bob@example.org", nine());
        let mut tx = db.begin().await.unwrap();
        let three = [again.clone(), new.clone(), new];
        let both = letters::begin(&mut tx, &three, nine()).await.unwrap();
        drop(tx);
        assert_eq!(
            both.iter().map(Option::is_some).collect::<Vec<_>>(),
            [false, true, false],
            "each key once"
        );
        assert_eq!(tx!(db, tx => begin(&mut tx, &again, nine())), None);

        let leaving = claim(&db, "one", nine()).await;
        assert_eq!(leaving.len(), 1);
        let one = &leaving[0];
        assert_eq!((one.id, one.attempts, one.case_id), (id, 1, Some(4)));
        assert_eq!(
            (one.purpose.as_str(), one.recipient.as_str()),
            ("acknowledgement", "ann@example.org")
        );
        assert_eq!(
            (one.envelope_from.as_str(), &*one.bytes),
            ("b@northmere.example", &b"bytes"[..])
        );
        assert_eq!(one.created_at, nine().as_millisecond());

        for found in [
            tx!(db, tx => letters::about(&mut tx, id)),
            tx!(db, tx => letters::by_header(&mut tx, "<1@northmere.example>")),
        ] {
            let about = found.unwrap();
            assert_eq!((about.id, about.case_id, about.request_id), (id, Some(4), Some(5)));
            assert_eq!(about.recipient, "ann@example.org");
        }
        assert!(tx!(db, tx => letters::about(&mut tx, id + 1)).is_none());
        assert!(tx!(db, tx => letters::by_header(&mut tx, ODD)).is_none());
    })
    .await;
}

#[tokio::test]
async fn each_letter_is_sent_by_one_gateway_of_many() {
    both_engines(async |db| {
        for number in 0..30 {
            queue(&db, number, nine()).await;
        }
        let claims = several(&db, 6, |gateway, mut tx| async move {
            let name = format!("gateway-{gateway}");
            let rows = letters::claim(&mut tx, &name, nine(), later(120), 10).await?;
            tx.commit().await?;
            Ok(rows)
        })
        .await;
        let mut seen = BTreeSet::new();
        for row in claims.into_iter().flat_map(Result::unwrap) {
            assert!(seen.insert(row.id), "letter {} was claimed twice", row.id);
        }
        seen.extend(claim(&db, "late", nine()).await.iter().map(|row| row.id));
        assert_eq!(seen.len(), 30);
        assert!(claim(&db, "late", later(119)).await.is_empty());
        let again = claim(&db, "late", later(120)).await;
        assert_eq!(again.len(), 30, "when the leases end they are tried again");
        assert!(again.iter().all(|row| row.attempts == 2));
    })
    .await;
}

#[tokio::test]
async fn every_state_of_a_letter() {
    both_engines(async |db| {
        assert_eq!(letters::next_due(&db).await.unwrap(), None);
        let future = queue(&db, 0, later(600)).await;
        assert!(claim(&db, "one", nine()).await.is_empty(), "not yet due");
        assert_eq!(letters::next_due(&db).await.unwrap(), Some(later(600).as_millisecond()));
        let mut ids = Vec::new();
        for number in 1..=5 {
            ids.push(queue(&db, number, nine()).await);
        }
        assert_eq!(letters::next_due(&db).await.unwrap(), Some(nine().as_millisecond()));
        tx!(db, tx => letters::hold(&mut tx, ids[4], ODD));
        assert_eq!(claim(&db, "one", nine()).await.len(), 4, "held ones stay");
        let lease = later(120).as_millisecond();
        assert_eq!(letters::next_due(&db).await.unwrap(), Some(lease), "when a lease ends");

        record(&db, ids[0], "sent", Some(250), None).await;
        record(&db, ids[1], "queued", Some(451), Some(later(60))).await;
        record(&db, ids[2], "failed", Some(550), None).await;
        tx!(db, tx => letters::give_back(&mut tx, ids[3], later(30), ODD));
        tx!(db, tx => letters::give_back(&mut tx, ids[0], later(30), "too late"));

        let rows = letters::of_case(&db, 4).await.unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.id, row.state.as_str(), row.attempts, row.last_code))
            .collect();
        assert_eq!(
            told,
            [
                (future, "queued", 0, None),
                (ids[0], "sent", 1, Some(250)),
                (ids[1], "queued", 1, Some(451)),
                (ids[2], "failed", 1, Some(550)),
                (ids[3], "queued", 0, None),
                (ids[4], "held", 0, None),
            ]
        );
        assert_eq!(rows[1].sent_at, Some(later(7).as_millisecond()));
        assert!(rows.iter().skip(2).all(|row| row.sent_at.is_none()));
        assert!(rows.iter().skip(1).all(|row| row.last_cause.as_deref() == Some(&*odd_kept())));

        assert_eq!(
            claim(&db, "two", later(30)).await.iter().map(|row| row.id).collect::<Vec<_>>(),
            [ids[3]]
        );
        record(&db, ids[3], "unknown", None, None).await;
        let again = claim(&db, "two", later(60)).await;
        assert_eq!(
            again.iter().map(|row| (row.id, row.attempts)).collect::<Vec<_>>(),
            [(ids[1], 2)]
        );
        assert_eq!(&*again[0].bytes, b"bytes", "the same bytes");
        let counts = letters::counts(&db).await.unwrap();
        let counts: Vec<_> =
            counts.iter().map(|(_, state, count)| (state.as_str(), *count)).collect();
        assert_eq!(
            counts,
            [("failed", 1), ("held", 1), ("queued", 2), ("sent", 1), ("unknown", 1)]
        );
    })
    .await;
}

#[tokio::test]
async fn a_letter_that_came_back_says_so() {
    both_engines(async |db| {
        let id = queue(&db, 1, nine()).await;
        tx!(db, tx => letters::bounced(&mut tx, id, "5.1.1", later(9)));
        let row = letters::of_case(&db, 4).await.unwrap().remove(0);
        assert_eq!(row.bounced_at, Some(later(9).as_millisecond()));
        assert_eq!(row.state, "queued", "whether it left is another question");
    })
    .await;
}

#[tokio::test]
async fn letters_to_one_address_are_counted_over_a_time() {
    both_engines(async |db| {
        for (key, recipient, at) in [
            ("a", "ann@example.org", nine()),
            ("b", "ann@example.org", later(60)),
            ("c", "bob@example.org", later(60)),
            ("d", ODD, later(60)),
        ] {
            tx!(db, tx => begin(&mut tx, &letter(key, recipient, at), at));
        }
        let other = NewLetter { purpose: "reminder", ..letter("e", "ann@example.org", nine()) };
        tx!(db, tx => begin(&mut tx, &other, later(90)));
        let lately = async |now| {
            tx!(db, tx => letters::lately(&mut tx, &["ann@example.org", ODD, "eve@example.org"], now))
        };
        let counts = |ten_minutes, hour, day| Lately { ten_minutes, hour, day };
        let odd = odd_kept();
        let found = lately(later(600)).await;
        assert_eq!(found["ann@example.org"], counts(2, 3, 3), "ten minutes are over for one");
        assert_eq!((found[&odd], found.len()), (counts(1, 1, 1), 2), "who had none is missing");
        assert_eq!(lately(later(3_600)).await["ann@example.org"], counts(0, 2, 3));
        assert_eq!(lately(later(86_400 + 60)).await["ann@example.org"], counts(0, 0, 1));
        assert!(lately(later(86_400 + 90)).await.is_empty());
        for (recipient, since, receipts) in [
            ("ann@example.org", later(-1), 2),
            ("ann@example.org", nine(), 1),
            ("bob@example.org", nine(), 1),
            (ODD, nine(), 1),
            ("ann@example.org", later(90), 0),
        ] {
            let found = tx!(db, tx => letters::receipts_since(&mut tx, 4, recipient, since));
            assert_eq!(found, receipts, "{recipient} since {since}");
            assert_eq!(tx!(db, tx => letters::receipts_since(&mut tx, 9, recipient, since)), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn a_letter_of_many_megabytes_and_any_bytes_comes_back_whole() {
    both_engines(async |db| {
        let bytes: Vec<u8> = (0..=255_u8).rev().cycle().take(9 << 20).collect();
        let large = Finished {
            envelope_from: ODD.to_owned(),
            subject: ODD.to_owned(),
            header_message_id: ODD.to_owned(),
            bytes: bytes.clone(),
            ..finished(0)
        };
        tx!(db, tx => async {
            let id = begin(&mut tx, &letter("a", "ann@example.org", nine()), nine()).await?.unwrap();
            letters::finish(&mut tx, &[Finished { id, ..large.clone() }]).await
        });
        let leaving = claim(&db, "one", nine()).await.remove(0);
        assert!(leaving.bytes == bytes);
        assert_eq!(leaving.envelope_from, odd_kept());
        assert!(tx!(db, tx => letters::by_header(&mut tx, ODD)).is_some());
        assert_eq!(letters::of_case(&db, 4).await.unwrap()[0].subject, odd_kept());
    })
    .await;
}
