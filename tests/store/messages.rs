//! Messages, their bytes, the ledger.

use std::collections::BTreeSet;

use postern::on;
use postern::rules::Classification;
use postern::store::messages::{self, Arrival, PIECE_BYTES, Settled, Waiting};
use postern::store::{Db, affected, mailboxes, tasks};

use super::support::postgres::both_engines;
use super::{ODD, arrival, email, hash, keep, later, nine, odd_kept, raw, settled, several, tx};

async fn count(db: &Db, sql: &'static str) -> i64 {
    on!(db, "count", c => sqlx::query_scalar(sql).fetch_one(c).await).unwrap()
}

async fn claim(db: &Db, gateway: &str, most: i64) -> Vec<Waiting> {
    tx!(db, tx => messages::claim(&mut tx, gateway, nine(), later(120), most))
}

fn classification() -> Classification {
    serde_json::from_value(serde_json::json!({
        "record_type": "corporate_complaint", "services": ["sen"], "customer_type": "parent", "themes": [],
        "flags": [], "confidence": 0.5, "needs_officer": true, "evidence": []
    }))
    .unwrap()
}

#[tokio::test]
async fn bytes_are_kept_once_and_every_delivery_is_in_the_ledger() {
    both_engines(async |db| {
        let first = keep(&db, 1).await;
        assert_eq!(keep(&db, 1).await, first, "keeping again changes nothing");
        let bytes = raw(1);
        let copy = arrival("second", 9, &bytes);
        assert_eq!(tx!(db, tx => messages::keep(&mut tx, &copy, &bytes, nine())), first);
        assert_ne!(keep(&db, 2).await, first);

        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM message").await, 2);
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM message_bytes").await, 2);
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM delivery").await, 3);
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM step").await, 2);
        assert_eq!(messages::bytes(&db, first, usize::MAX / 2, 1 << 20).await.unwrap(), bytes);
        for (mailbox, uid, known) in [("main", 1, true), ("second", 9, true), ("main", 9, false)] {
            let found = messages::delivered(&db, mailbox, 1, uid, "").await.unwrap();
            assert_eq!(found, known, "{mailbox} {uid}");
        }
        assert!(!messages::delivered(&db, "main", 2, 1, "").await.unwrap(), "other numbering");
    })
    .await;
}

#[tokio::test]
async fn what_is_dropped_before_the_commit_was_never_kept() {
    both_engines(async |db| {
        let bytes = raw(1);
        let mut tx = db.begin().await.unwrap();
        messages::keep(&mut tx, &arrival("main", 1, &bytes), &bytes, nine()).await.unwrap();
        drop(tx);
        assert!(!messages::any_waits(&db, nine()).await.unwrap());
        assert!(!messages::delivered(&db, "main", 1, 1, "").await.unwrap());
        keep(&db, 1).await;
        assert!(messages::any_waits(&db, nine()).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_restored_server_gives_an_old_number_to_a_new_message() {
    both_engines(async |db| {
        let old = keep(&db, 1).await;
        let bytes = raw(2);
        let reused = arrival("main", 1, &bytes);
        for _ in 0..2 {
            let new = tx!(db, tx => messages::keep(&mut tx, &reused, &bytes, nine()));
            assert_ne!(new, old);
        }
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM message").await, 2);
        let ledger = count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM delivery").await;
        assert_eq!(ledger, 2, "both deliveries, each once");
    })
    .await;
}

#[tokio::test]
async fn two_gateways_that_keep_the_same_messages_in_other_orders_both_succeed() {
    both_engines(async |db| {
        let keep_all = async |db: &Db, mailbox: &'static str, order: Vec<usize>| {
            db.write_again(move |tx| {
                let order = order.clone();
                Box::pin(async move {
                    for number in order {
                        let bytes = raw(number);
                        let uid = i64::try_from(number).unwrap();
                        messages::keep(tx, &arrival(mailbox, uid, &bytes), &bytes, nine()).await?;
                        tokio::task::yield_now().await;
                    }
                    Ok(())
                })
            })
            .await
        };
        let (up, down) = tokio::join!(
            keep_all(&db, "up", (0..40).collect()),
            keep_all(&db, "down", (0..40).rev().collect()),
        );
        up.unwrap();
        down.unwrap();
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM message").await, 40);
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM delivery").await, 80);
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM message_bytes").await, 40);
    })
    .await;
}

#[tokio::test]
async fn each_message_is_claimed_by_one_gateway_of_many() {
    both_engines(async |db| {
        for number in 0..30 {
            keep(&db, number).await;
        }
        let claims = several(&db, 6, |gateway, mut tx| async move {
            let name = format!("gateway-{gateway}");
            let rows = messages::claim(&mut tx, &name, nine(), later(120), 10).await?;
            tx.commit().await?;
            Ok(rows)
        })
        .await;
        let mut seen = BTreeSet::new();
        for claim in claims {
            let rows = claim.unwrap();
            assert!(rows.is_sorted_by_key(|row| row.id));
            for row in rows {
                assert_eq!((row.attempts, row.state.as_str()), (1, "stored"));
                assert!(seen.insert(row.id), "message {} was claimed twice", row.id);
            }
        }
        // What a losing gateway did not get waits for the next tick; nothing is claimed meanwhile.
        while let rest = claim(&db, "late", 10).await
            && !rest.is_empty()
        {
            assert!(rest.into_iter().all(|row| seen.insert(row.id)));
        }
        assert_eq!(seen.len(), 30);
    })
    .await;
}

#[tokio::test]
async fn a_lease_ends_by_itself_and_the_next_gateway_alone_may_settle() {
    both_engines(async |db| {
        let id = keep(&db, 1).await;
        let silent_at = later(-600).as_millisecond();
        let row = &claim(&db, "one", 10).await[0];
        assert_eq!((row.id, row.received_at, row.silent), (id, silent_at, false));
        assert_eq!(messages::received(row), later(-600));
        let size = i64::try_from(raw(1).len()).unwrap();
        assert_eq!(row.size_bytes, size);
        assert!(tx!(db, tx => super::still_ours(&mut tx, id, "one")));
        let early = tx!(db, tx => messages::claim(&mut tx, "two", later(119), later(240), 10));
        assert!(early.is_empty());
        let now = tx!(db, tx => messages::claim(&mut tx, "two", later(120), later(240), 10));
        assert_eq!((now.len(), now[0].attempts), (1, 2));
        assert!(!tx!(db, tx => super::still_ours(&mut tx, id, "one")), "the lease was lost");
        assert!(tx!(db, tx => super::still_ours(&mut tx, id, "two")));

        let found = classification();
        tx!(db, tx => super::settle(&mut tx, id, &settled("filed"), "v1", &found, nine()));
        assert!(!tx!(db, tx => super::still_ours(&mut tx, id, "two")), "settled is settled");
        let after = tx!(db, tx => messages::claim(&mut tx, "one", later(999), later(1999), 10));
        assert!(after.is_empty());
        tx!(db, tx => mailboxes::release_all(&mut tx));
        assert!(!messages::any_waits(&db, later(999)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_is_being_settled_is_not_claimed_by_whoever_waited_for_the_row() {
    both_engines(async |db| {
        let id = keep(&db, 1).await;
        claim(&db, "slow", 10).await;
        let mut slow = db.begin().await.unwrap();
        assert!(super::still_ours(&mut slow, id, "slow").await.unwrap());
        // The lease is over; another gateway wants the message while it is being settled.
        let other = db.clone();
        let waiting = tokio::spawn(async move {
            tx!(other, tx => messages::claim(&mut tx, "quick", later(500), later(620), 10))
        });
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let found = classification();
        super::settle(&mut slow, id, &settled("filed"), "v1", &found, nine()).await.unwrap();
        slow.commit().await.unwrap();
        assert!(waiting.await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_message_goes_from_stored_to_done_and_every_step_is_recorded_once() {
    both_engines(async |db| {
        let id = keep(&db, 1).await;
        assert_eq!(messages::email(&db, id).await.unwrap(), None);
        let read = email(1);
        for _ in 0..2 {
            tx!(db, tx => super::understood(&mut tx, id, &read, "key", nine()));
        }
        assert_eq!(messages::email(&db, id).await.unwrap(), Some(read));
        assert_eq!(claim(&db, "one", 1).await[0].state, "understood");

        let found = classification();
        for version in ["v1", "v2"] {
            tx!(db, tx => super::settle(&mut tx, id, &settled("triage"), version, &found, nine()));
        }
        let waiting = messages::waiting_for_a_person(&db).await.unwrap();
        assert_eq!(waiting.len(), 1);
        let row = &waiting[0];
        assert_eq!(
            (row.id, row.state.as_str(), row.action.as_deref()),
            (id, "done", Some("triage"))
        );
        assert_eq!(row.sender.as_deref(), Some("ann1@example.org"));
        assert_eq!(row.subject.as_deref(), Some("1"));
        assert_eq!(row.kind.as_deref(), Some("human"));
        assert_eq!(row.reason.as_deref(), Some("because"));
        assert_eq!(row.acknowledge_reason.as_deref(), Some("not now"));
        assert_eq!(
            messages::counts(&db).await.unwrap(),
            [("done".to_owned(), "triage".to_owned(), 1)]
        );
        let steps: Vec<String> = on!(db, "list steps", c =>
            sqlx::query_scalar("SELECT step FROM step ORDER BY step").fetch_all(c).await)
        .unwrap();
        assert_eq!(steps, ["answered", "decided", "settled", "stored", "understood"]);
        let version: String = on!(db, "read", c =>
            sqlx::query_scalar("SELECT rules_version FROM decision").fetch_one(c).await)
        .unwrap();
        assert_eq!(version, "v2");
    })
    .await;
}

#[tokio::test]
async fn a_window_is_kept_with_every_piece_and_each_content_once() {
    both_engines(async |db| {
        let large: Vec<u8> = (0..=255_u8).cycle().take(PIECE_BYTES * 2 + 77).collect();
        let bodies = [raw(1), large.clone(), raw(1), raw(2), large.clone(), Vec::new()];
        let window: Vec<_> =
            (1..).zip(&bodies).map(|(uid, b)| (arrival("main", uid, b), &**b)).collect();
        let ids = tx!(db, tx => messages::keep_all(&mut tx, &window, nine()));
        assert_eq!((ids[0], ids[1]), (ids[2], ids[4]), "the same bytes are the same message");
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        for (id, body) in ids.iter().zip(&bodies) {
            assert!(messages::bytes(&db, *id, body.len(), usize::MAX).await.unwrap() == *body);
        }
        let small = messages::bytes_of_small(&db, &[ids[0], ids[3]]).await.unwrap();
        assert_eq!((&small[&ids[0]], &small[&ids[3]]), (&raw(1), &raw(2)));
        for uid in 1..=6 {
            assert!(messages::delivered(&db, "main", 1, uid, "").await.unwrap(), "{uid}");
        }
        assert_eq!(tx!(db, tx => messages::keep_all(&mut tx, &window, nine())), ids);
        let steps =
            count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM step WHERE step = 'stored'").await;
        assert_eq!(steps, 4);
    })
    .await;
}

#[tokio::test]
async fn one_content_counts_once_however_many_gateways_settle_copies_at_once() {
    both_engines(async |db| {
        let mut ids = Vec::new();
        for number in 0..4 {
            ids.push(keep(&db, number).await);
        }
        let copies = ids.clone();
        let firsts = several(&db, 4, move |gateway, mut tx| {
            let id = copies[gateway];
            async move {
                let first = super::first_with_content(&mut tx, id, "same").await?;
                tx.commit().await?;
                Ok(first)
            }
        })
        .await;
        let firsts: Vec<_> = firsts.into_iter().map(Result::unwrap).collect();
        let winners: Vec<usize> = (0..4).filter(|index| firsts[*index].is_none()).collect();
        assert_eq!(winners.len(), 1, "{firsts:?}");
        let winner = ids[winners[0]];
        for first in firsts.into_iter().flatten() {
            assert_eq!(first, (winner, None));
        }
        // Settled again after a crash, the first is still the first.
        let again = tx!(db, tx => super::first_with_content(&mut tx, winner, "same"));
        assert_eq!(again, None);
    })
    .await;
}

#[tokio::test]
async fn gateways_that_settle_crossing_copies_are_both_done_in_the_end() {
    both_engines(async |db| {
        let (one, two) = (keep(&db, 1).await, keep(&db, 2).await);
        let cross = async |id: i64, keys: [&'static str; 2]| {
            db.write_again(move |tx| {
                Box::pin(async move {
                    super::first_with_content(tx, id, keys[0]).await?;
                    // Long enough for the other to have taken its first key: now each waits for the
                    // other's, and PostgreSQL ends one of the two.
                    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
                    super::first_with_content(tx, id, keys[1]).await?;
                    Ok(())
                })
            })
            .await
        };
        let (up, down) = tokio::join!(cross(one, ["a", "b"]), cross(two, ["b", "a"]));
        up.unwrap();
        down.unwrap();
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM content").await, 2);
        let owners =
            count(&db, "SELECT CAST(COUNT(DISTINCT message_id) AS BIGINT) FROM content").await;
        assert_eq!(owners, 1, "whoever came first has both");
    })
    .await;
}

#[tokio::test]
async fn without_a_second_try_crossing_copies_fail_one_gateway_on_postgresql() {
    // Why `write_again` is there: the same, once.
    both_engines(async |db| {
        let (one, two) = (keep(&db, 1).await, keep(&db, 2).await);
        let cross = async |id: i64, keys: [&'static str; 2]| {
            db.write(move |tx| {
                Box::pin(async move {
                    super::first_with_content(tx, id, keys[0]).await?;
                    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
                    super::first_with_content(tx, id, keys[1]).await
                })
            })
            .await
        };
        let (up, down) = tokio::join!(cross(one, ["a", "b"]), cross(two, ["b", "a"]));
        let failed: Vec<_> = [up, down].into_iter().filter_map(Result::err).collect();
        assert_eq!(failed.len(), usize::from(db.is_postgres()), "{failed:?}");
        assert!(failed.iter().all(postern::store::StoreError::is_busy_or_serialization));
    })
    .await;
}

#[tokio::test]
async fn a_failure_waits_and_quarantine_waits_for_a_person() {
    both_engines(async |db| {
        let id = keep(&db, 1).await;
        claim(&db, "one", 1).await;
        tx!(db, tx => messages::put_back(&mut tx, id, ODD, later(30), false));
        assert!(claim(&db, "one", 1).await.is_empty(), "not before its pause is over");
        assert!(!messages::any_waits(&db, later(29)).await.unwrap());
        assert!(messages::any_waits(&db, later(30)).await.unwrap());
        let again = tx!(db, tx => messages::claim(&mut tx, "one", later(30), later(60), 1));
        assert_eq!(again[0].attempts, 2);

        tx!(db, tx => messages::quarantine(&mut tx, id, ODD, nine()));
        assert!(!messages::any_waits(&db, later(9999)).await.unwrap());
        let waiting = messages::waiting_for_a_person(&db).await.unwrap();
        assert_eq!(waiting[0].trouble.as_deref(), Some(&*odd_kept()));
        tx!(db, tx => messages::put_back(&mut tx, id, "late", nine(), false));
        assert_eq!(messages::waiting_for_a_person(&db).await.unwrap().len(), 1, "stays there");

        assert!(tx!(db, tx => messages::release(&mut tx, id, nine())));
        assert!(!tx!(db, tx => messages::release(&mut tx, id, nine())), "only once");
        assert!(!tx!(db, tx => messages::release(&mut tx, id + 99, nine())));
        let fresh = claim(&db, "one", 1).await;
        assert_eq!((fresh[0].attempts, fresh[0].state.as_str()), (1, "stored"));
    })
    .await;
}

#[tokio::test]
async fn only_what_is_settled_may_be_moved_and_old_numbers_lead_nowhere() {
    both_engines(async |db| {
        let (done, held, open) = (keep(&db, 1).await, keep(&db, 2).await, keep(&db, 3).await);
        let found = classification();
        tx!(db, tx => super::settle(&mut tx, done, &settled("filed"), "v", &found, nine()));
        tx!(db, tx => messages::quarantine(&mut tx, held, "held", nine()));
        let ready = messages::unmoved(&db, "main", 1, 10).await.unwrap();
        let places: Vec<_> = ready.iter().map(|one| (one.message_id, one.uid)).collect();
        assert_eq!(places, [(done, 1), (held, 2)]);
        assert_eq!(messages::unmoved(&db, "main", 1, 1).await.unwrap().len(), 1);
        assert!(messages::unmoved(&db, "main", 2, 10).await.unwrap().is_empty(), "other numbering");
        assert!(messages::unmoved(&db, "other", 1, 10).await.unwrap().is_empty());

        tx!(db, tx => messages::moved(&mut tx, &ready[..1], "moved", nine()));
        let rest = messages::unmoved(&db, "main", 1, 10).await.unwrap();
        assert_eq!(rest.iter().map(|one| one.message_id).collect::<Vec<_>>(), [held]);
        tx!(db, tx => messages::forget_places(&mut tx, "main", nine()));
        tx!(db, tx => super::settle(&mut tx, open, &settled("filed"), "v", &found, nine()));
        assert!(messages::unmoved(&db, "main", 1, 10).await.unwrap().is_empty());
        let notes = "SELECT CAST(COUNT(*) AS BIGINT) FROM delivery WHERE move_note = 'numbering began anew'";
        assert_eq!(count(&db, notes).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_large_message_is_kept_in_pieces_and_given_back_whole_or_its_beginning() {
    both_engines(async |db| {
        let whole: Vec<u8> = (0..=255_u8).cycle().take(3 * PIECE_BYTES + 77).collect();
        let provisional = "arriving:main:7";
        let id = tx!(db, tx => messages::begin_large(&mut tx, provisional, later(-1), nine()));
        for (piece, bytes) in whole.chunks(PIECE_BYTES).enumerate() {
            tx!(db, tx => messages::keep_piece(&mut tx, id, piece, bytes));
        }
        assert!(claim(&db, "one", 9).await.is_empty(), "nobody's work until it is whole");
        let large = arrival("main", 7, &whole);
        let size = i64::try_from(whole.len()).unwrap();
        let kept = tx!(db, tx => messages::finish_large(&mut tx, id, &large, size, nine()));
        assert_eq!(kept, id);
        assert_eq!(claim(&db, "one", 9).await[0].size_bytes, size);
        assert!(messages::bytes(&db, id, usize::MAX / 2, whole.len()).await.unwrap() == whole);
        let start = messages::bytes(&db, id, usize::MAX / 2, PIECE_BYTES).await.unwrap();
        assert!(start == whole[..PIECE_BYTES]);

        // The same again, by the other way and by this one: one message.
        assert_eq!(tx!(db, tx => messages::keep(&mut tx, &large, &whole, nine())), id);
        let second =
            tx!(db, tx => messages::begin_large(&mut tx, "arriving:b:1", later(-1), nine()));
        tx!(db, tx => messages::keep_piece(&mut tx, second, 0, &whole[..9]));
        let copy = Arrival { mailbox: "b", ..large.clone() };
        let kept = tx!(db, tx => messages::finish_large(&mut tx, second, &copy, size, nine()));
        assert_eq!(kept, id);
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM message").await, 1);
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM message_bytes").await, 4);
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM delivery").await, 2);
    })
    .await;
}

#[tokio::test]
async fn what_an_interrupted_fetch_left_is_swept_in_its_own_mailbox_alone() {
    both_engines(async |db| {
        let names = ["a_b", "axb", "A_B", "a_b:c", "a%"];
        for (uid, name) in names.iter().enumerate() {
            let provisional = format!("arriving:{name}:{uid}");
            let id = tx!(db, tx => messages::begin_large(&mut tx, &provisional, nine(), nine()));
            tx!(db, tx => messages::keep_piece(&mut tx, id, 0, b"begun"));
        }
        let kept = keep(&db, 1).await;
        tx!(db, tx => messages::drop_unfinished(&mut tx, kept + 99));
        let left = async || count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM message_bytes").await;
        for (name, rows) in [("a%", 5), ("A_B", 4), ("axb", 3), ("nobody", 3)] {
            tx!(db, tx => messages::sweep_unfinished(&mut tx, name));
            assert_eq!(left().await, rows, "after {name}");
        }
        assert_eq!(messages::bytes(&db, kept, usize::MAX / 2, 1 << 20).await.unwrap(), raw(1));
    })
    .await;
}

#[tokio::test]
async fn odd_text_survives_in_every_field_of_a_message() {
    both_engines(async |db| {
        let bytes = [0_u8, 255, 0, 13, 10, 0];
        let odd = Arrival {
            header_message_id: Some(ODD.to_owned()),
            file_key: "naïve:2,S",
            ..arrival("main", 1, &bytes)
        };
        let id = tx!(db, tx => messages::keep(&mut tx, &odd, &bytes, nine()));
        assert_eq!(messages::bytes(&db, id, usize::MAX / 2, 99).await.unwrap(), bytes);
        assert!(messages::delivered(&db, "main", 1, 1, "naïve:2,S").await.unwrap());

        let mut read = email(1);
        read.subject = Some(ODD.to_owned().into());
        read.text = ODD.to_owned().into();
        read.message_id = Some(ODD.to_owned());
        read.from.as_mut().unwrap().address = ODD.to_owned().into();
        tx!(db, tx => super::understood(&mut tx, id, &read, &hash(b"x"), nine()));
        let back = messages::email(&db, id).await.unwrap().unwrap();
        assert_eq!(back.text.as_str(), odd_kept());
        assert_eq!(back.subject.unwrap().as_str(), odd_kept());
        let odd = Settled {
            reason: ODD.to_owned(),
            acknowledge_reason: ODD.to_owned(),
            ..settled("triage")
        };
        tx!(db, tx => super::settle(&mut tx, id, &odd, "v", &classification(), nine()));
        let row = messages::waiting_for_a_person(&db).await.unwrap().remove(0);
        assert_eq!(row.subject.as_deref(), Some(&*odd_kept()));
        assert_eq!(row.sender, Some(odd_kept().to_lowercase()));
        assert_eq!(row.reason.as_deref(), Some(&*odd_kept()));
        assert_eq!(row.acknowledge_reason.as_deref(), Some(&*odd_kept()));
        let none = tx!(db, tx => messages::case_of_message_id(&mut tx, ODD, ODD));
        assert_eq!(none, None);
    })
    .await;
}

#[tokio::test]
async fn tasks_stay_open_until_they_are_done() {
    both_engines(async |db| {
        let task = tasks::NewTask {
            kind: "check",
            case_id: Some(1),
            message_id: Some(2),
            letter_id: None,
            words: ODD.into(),
        };
        let first = tx!(db, tx => tasks::add(&mut tx, &task, nine()));
        tx!(db, tx => tasks::add_all(&mut tx, &[task.clone(), task.clone()], later(1)));
        let open = tasks::open(&db).await.unwrap();
        assert_eq!((open[0].id, open.len()), (first, 3));
        let task = &open[0];
        assert_eq!(
            (task.kind.as_str(), task.reference.as_deref(), task.message_id),
            ("check", None, Some(2))
        );
        assert_eq!((task.words.as_str(), task.created_at), (&*odd_kept(), nine().as_millisecond()));
        let mut tx = db.begin().await.unwrap();
        on!(tx, "finish a task", c => sqlx::query("UPDATE task SET done_at = 1 WHERE id = $1")
            .bind(first).execute(c).await.map(affected))
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(tasks::open(&db).await.unwrap().len(), 2);
    })
    .await;
}
