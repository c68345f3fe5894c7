//! What came attached: kept once, read back, claimed for the scanner, told to a person.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use postern::email::{Email, Limits, Note};
use postern::on;
use postern::store::attachments::{self, AttachmentRow, Carrier, Scan, Scanned, ToScan, Untold};
use postern::store::{Db, mailboxes, messages};

use super::support::postgres::both_engines;
use super::{ODD, arrival, hash, later, nine, odd_kept, settled, several, tx, understood};

async fn count(db: &Db, sql: &'static str) -> i64 {
    on!(db, "count", c => sqlx::query_scalar(sql).fetch_one(c).await).unwrap()
}

const FILES: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM attached_file";

/// A message with files.
fn raw(number: usize, files: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!(
        "From: ann@example.org\r\nSubject: {number}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText {number}.\r\n"
    );
    for (name, content) in files {
        write!(
            text,
            "--b\r\nContent-Type: application/octet-stream\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{content}\r\n"
        )
        .unwrap();
    }
    (text + "--b--\r\n").into_bytes()
}

/// Keeps a message with what was understood of it and its files; its row.
async fn keep(db: &Db, number: usize, files: &[(&str, &str)]) -> i64 {
    let bytes = raw(number, files);
    let uid = i64::try_from(number).unwrap();
    let id = tx!(db, tx => messages::keep(&mut tx, &arrival("main", uid, &bytes), &bytes, nine()));
    let email = postern::email::read(&bytes, &Limits::default());
    let mut tx = db.begin().await.unwrap();
    understood(&mut tx, id, &email, "key", nine()).await.unwrap();
    attachments::keep(&mut tx, [(id, &email)].into_iter()).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn settle(db: &Db, id: i64, case: i64) {
    let settled = messages::Settled { id, case_id: Some(case), ..settled("attached") };
    tx!(db, tx => messages::settle(&mut tx, &[settled], "1", nine()));
}

async fn claim(db: &Db, gateway: &str, at: i64) -> Option<ToScan> {
    tx!(db, tx => attachments::claim(&mut tx, gateway, later(at), later(at + 300)))
}

fn verdict(scan: Scan, answer: &str) -> Scanned {
    Scanned { scan, answer: Some(answer.to_owned()), counts: false, again_at: None }
}

async fn all(db: &Db, message: i64) -> Vec<AttachmentRow> {
    attachments::of_message(db, message).await.unwrap()
}

#[tokio::test]
async fn a_file_in_many_messages_is_kept_once_and_listed_with_each() {
    both_engines(async |db| {
        let first = keep(&db, 1, &[("a.txt", "alpha"), ("b.txt", "beta")]).await;
        let second = keep(&db, 2, &[("other name.exe", "alpha"), ("again", "alpha")]).await;
        assert_eq!(count(&db, FILES).await, 2);

        let rows = all(&db, second).await;
        let facts: Vec<_> = rows
            .iter()
            .map(|row| (row.number, row.name.as_deref().unwrap(), row.bytes, row.scan))
            .collect();
        let not = Scan::NotScanned;
        assert_eq!(facts, [(1, "other name.exe", 5, not), (2, "again", 5, not)]);
        assert_eq!(rows[0].sha256, hash(b"alpha"));
        assert_eq!(
            (&*rows[0].media_type, &*rows[0].declared),
            ("text/plain", "application/octet-stream")
        );
        assert_eq!((&*rows[0].notes, &*rows[1].notes), (&[Note::Executable][..], &[][..]));

        for (message, content) in [(first, "beta"), (second, "alpha")] {
            let read =
                attachments::bytes(&db, Some(message), &hash(content.as_bytes())).await.unwrap();
            assert_eq!(read.as_deref(), Some(content.as_bytes()));
        }
        let elsewhere = attachments::bytes(&db, Some(second), &hash(b"beta")).await.unwrap();
        assert_eq!(elsewhere, None, "never another message's file");
        assert_eq!(attachments::bytes(&db, Some(99), &hash(b"beta")).await.unwrap(), None);

        settle(&db, first, 7).await;
        assert_eq!(attachments::of_case(&db, 7).await.unwrap().len(), 2);
        assert!(attachments::of_case(&db, 8).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_read_again_may_read_otherwise() {
    both_engines(async |db| {
        let id = keep(&db, 1, &[("a.txt", "alpha")]).await;
        let again = postern::email::read(&raw(1, &[("b.txt", "beta")]), &Limits::default());
        for _ in 0..2 {
            tx!(db, tx => attachments::keep(&mut tx, [(id, &again)].into_iter()));
        }
        let rows = all(&db, id).await;
        assert_eq!((rows.len(), rows[0].name.as_deref()), (1, Some("b.txt")));
    })
    .await;
}

#[tokio::test]
async fn odd_names_and_many_files_are_kept() {
    both_engines(async |db| {
        let id = keep(&db, 1, &[]).await;
        let file = postern::email::read(&raw(1, &[("a", "alpha")]), &Limits::default());
        let file = file.attachments.into_iter().next().unwrap();
        let mut odd = Email::blank();
        for number in 0..1200 {
            let mut file = file.clone();
            file.name = Some(ODD.to_owned().into());
            file.declared = ODD.to_owned();
            file.sha256 = hash(number.to_string().as_bytes());
            odd.attachments.push(file);
        }
        tx!(db, tx => attachments::keep(&mut tx, [(id, &odd)].into_iter()));
        let rows = all(&db, id).await;
        assert_eq!((rows.len(), count(&db, FILES).await), (1200, 1200));
        assert_eq!(rows[1199].number, 1200);
        assert_eq!(rows[7].name.as_deref(), Some(odd_kept().as_str()));
        assert_eq!(rows[7].declared, odd_kept());
    })
    .await;
}

#[tokio::test]
async fn gateways_that_keep_the_same_files_in_other_orders_both_succeed() {
    both_engines(async |db| {
        let mut forth = Email::blank();
        let file = postern::email::read(&raw(1, &[("a", "alpha")]), &Limits::default());
        let file = file.attachments.into_iter().next().unwrap();
        for number in 0..40 {
            let sha256 = hash(number.to_string().as_bytes());
            forth.attachments.push(postern::email::Attachment { sha256, ..file.clone() });
        }
        let mut back = forth.clone();
        back.attachments.reverse();
        let both = [forth, back];
        let kept = several(&db, 2, move |gateway, mut tx| {
            let email = both[gateway].clone();
            async move {
                let id = i64::try_from(gateway).unwrap();
                attachments::keep(&mut tx, [(id, &email)].into_iter()).await?;
                tx.commit().await
            }
        })
        .await;
        assert!(kept.iter().all(Result::is_ok), "{kept:?}");
        assert_eq!(count(&db, FILES).await, 40);
        assert_eq!(count(&db, "SELECT CAST(COUNT(*) AS BIGINT) FROM attachment").await, 80);
    })
    .await;
}

#[tokio::test]
async fn each_file_goes_to_one_gateway_until_its_lease_ends() {
    both_engines(async |db| {
        keep(&db, 1, &[("a", "alpha"), ("b", "beta"), ("c", "gamma"), ("d", "alpha")]).await;
        let claimed = several(&db, 5, |gateway, mut tx| async move {
            let name = gateway.to_string();
            let file = attachments::claim(&mut tx, &name, later(0), later(300)).await?;
            tx.commit().await?;
            Ok(file)
        })
        .await;
        let mut files: Vec<String> =
            claimed.into_iter().filter_map(|one| one.unwrap()).map(|file| file.sha256).collect();
        // PostgreSQL lets several pick the same file: those who waited for it in vain come again.
        while let Some(file) = claim(&db, "again", 0).await {
            files.push(file.sha256);
        }
        let different: BTreeSet<_> = files.iter().collect();
        assert_eq!((files.len(), different.len()), (3, 3), "no file goes to two");
        assert!(claim(&db, "late", 299).await.is_none());
        assert!(claim(&db, "late", 300).await.is_some(), "its gateway died");
        tx!(db, tx => mailboxes::release_all(&mut tx));
        for _ in 0..3 {
            assert!(claim(&db, "restarted", 301).await.is_some());
        }
    })
    .await;
}

#[tokio::test]
async fn a_verdict_stands_and_no_verdict_is_tried_again() {
    both_engines(async |db| {
        let id = keep(&db, 1, &[("a", "alpha")]).await;
        let file = claim(&db, "one", 0).await.unwrap();
        assert_eq!((file.message_id, file.scan_attempts, file.scanned_at), (Some(id), 0, None));
        let why = format!("hung up {ODD}");
        let again =
            Scanned { counts: true, again_at: Some(later(60)), ..verdict(Scan::CouldNotScan, &why) };
        assert!(tx!(db, tx => attachments::scanned(&mut tx, &file.sha256, "one", &again, later(5))));
        let row = all(&db, id).await.remove(0);
        assert_eq!(row.scan, Scan::CouldNotScan);
        assert_eq!(row.scan_answer, Some(format!("hung up {}", odd_kept())));
        assert_eq!(row.scanned_at, Some(later(5).as_millisecond()));

        assert!(claim(&db, "one", 59).await.is_none(), "not yet");
        let file = claim(&db, "one", 60).await.unwrap();
        assert_eq!(file.scan_attempts, 1);
        assert_eq!(file.scanned_at, Some(later(5).as_millisecond()));
        assert_eq!(file.scan_due_at, later(60).as_millisecond());

        // Its lease ran out; whoever has it now decides.
        let file = claim(&db, "two", 400).await.unwrap();
        let clean = verdict(Scan::Clean, "");
        let recorded =
            tx!(db, tx => attachments::scanned(&mut tx, &file.sha256, "one", &clean, later(401)));
        assert!(!recorded);
        let infected = verdict(Scan::Infected, "Worm");
        let recorded =
            tx!(db, tx => attachments::scanned(&mut tx, &file.sha256, "two", &infected, later(402)));
        assert!(recorded);
        assert_eq!(all(&db, id).await[0].scan, Scan::Infected);
        assert!(claim(&db, "one", 1_000_000).await.is_none(), "once is enough");

        // The same file again is known.
        let later_message = keep(&db, 2, &[("b", "alpha")]).await;
        assert_eq!(all(&db, later_message).await[0].scan, Scan::Infected);
        assert!(claim(&db, "one", 1_000_001).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn what_is_infected_is_told_once_when_its_message_is_settled() {
    both_engines(async |db| {
        let first = keep(&db, 1, &[("a", "alpha"), ("b", "beta")]).await;
        let second = keep(&db, 2, &[("b", "beta")]).await;
        settle(&db, first, 7).await;
        while let Some(file) = claim(&db, "one", 0).await {
            let scan = if file.sha256 == hash(b"beta") { Scan::Infected } else { Scan::Clean };
            tx!(db, tx => attachments::scanned(&mut tx, &file.sha256, "one", &verdict(scan, "Worm"), nine()));
        }
        assert!(attachments::any_untold(&db).await.unwrap());
        let told = several(&db, 3, |_, mut tx| async move {
            let told = attachments::take_untold(&mut tx, nine()).await?;
            tx.commit().await?;
            Ok(told)
        })
        .await;
        let told: Vec<Untold> = told.into_iter().flat_map(Result::unwrap).collect();
        let of_first =
            Untold { carrier: Carrier::Message(first), case_id: Some(7), number: 2, answer: Some("Worm".to_owned()) };
        assert_eq!(told, [of_first]);
        assert!(!attachments::any_untold(&db).await.unwrap(), "the other is not settled yet");

        settle(&db, second, 8).await;
        assert!(attachments::any_untold(&db).await.unwrap());
        let told = tx!(db, tx => attachments::take_untold(&mut tx, nine()));
        assert_eq!((told.len(), told[0].carrier, told[0].case_id), (1, Carrier::Message(second), Some(8)));
        assert!(!attachments::any_untold(&db).await.unwrap());
    })
    .await;
}
