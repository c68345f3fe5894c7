//! Every query of the register, on both engines: what it promises, and what it does when several
//! gateways ask at once.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

#[path = "store/accounts.rs"]
mod accounts;
#[path = "store/actions.rs"]
mod actions;
#[path = "store/allocations.rs"]
mod allocations;
#[path = "store/attachments.rs"]
mod attachments;
#[path = "store/calendars.rs"]
mod calendars;
#[path = "store/cases.rs"]
mod cases;
#[path = "store/letters.rs"]
mod letters;
#[path = "store/links.rs"]
mod links;
#[path = "store/messages.rs"]
mod messages;
#[path = "store/ombudsman.rs"]
mod ombudsman;
#[path = "store/past.rs"]
mod past;
#[path = "store/published.rs"]
mod published;
#[path = "store/refusals.rs"]
mod refusals;
#[path = "store/requests.rs"]
mod requests;
#[path = "store/suggestions.rs"]
mod suggestions;
#[path = "store/survey.rs"]
mod survey;
#[path = "store/uploads.rs"]
mod uploads;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use postern::email::{Email, Limits};
use postern::rules::Classification;
use postern::store::messages::{self as kept, Arrival, Settled};
use postern::store::{Db, StoreError, Tx};
use sha2::{Digest, Sha256};

/// Nine o'clock on a working day.
fn nine() -> Timestamp {
    "2026-03-16T09:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    nine() + SignedDuration::from_secs(seconds)
}

/// Text that people and machines send and a database may stumble over.
const ODD: &str = "nul \0 naïve ½ 漢字 \u{1F600} \u{202E}right to left\u{202C} \u{FFFD} e\u{301} \u{7f} ' \" \\ \\u0000 % _ \r\n\t";

/// The same as the store gives it back.
fn odd_kept() -> String {
    ODD.replace('\0', "")
}

/// Runs `$work` in a transaction of its own and commits it.
macro_rules! tx {
    ($db:expr, $tx:ident => $work:expr) => {{
        let mut $tx = $db.begin().await.unwrap();
        let value = $work.await.unwrap();
        $tx.commit().await.unwrap();
        value
    }};
}
pub(crate) use tx;

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn arrival<'a>(mailbox: &'a str, uid: i64, bytes: &[u8]) -> Arrival<'a> {
    Arrival {
        mailbox,
        uid_validity: 1,
        uid,
        file_key: "",
        received_at: later(-600),
        sha256: hash(bytes),
        header_message_id: Some(format!("{uid}@example.org")),
        silent: false,
    }
}

/// A person's message.
fn raw(number: usize) -> Vec<u8> {
    format!(
        "From: Ann <ann{number}@example.org>\r\nTo: complaints@northmere.example\r\nSubject: {number}\r\n\
         Message-ID: <m{number}@example.org>\r\nDate: Mon, 16 Mar 2026 08:00:00 +0000\r\n\r\nText {number}.\r\n"
    )
    .into_bytes()
}

fn email(number: usize) -> Email {
    postern::email::read(&raw(number), &Limits::default())
}

/// Keeps one message; its row.
async fn keep(db: &Db, number: usize) -> i64 {
    let bytes = raw(number);
    let uid = i64::try_from(number).unwrap();
    tx!(db, tx => postern::store::messages::keep(&mut tx, &arrival("main", uid, &bytes), &bytes, nine()))
}

/// Runs one piece of work as several gateways at once; what each got.
async fn several<T, F, W>(db: &Db, gateways: usize, work: F) -> Vec<Result<T, StoreError>>
where
    T: Send + 'static,
    F: Fn(usize, Tx) -> W + Send + Sync + 'static,
    W: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let work = Arc::new(work);
    let running: Vec<_> = (0..gateways)
        .map(|gateway| {
            let (db, work) = (db.clone(), Arc::clone(&work));
            tokio::spawn(async move { work(gateway, db.begin().await?).await })
        })
        .collect();
    let mut results = Vec::new();
    for one in running {
        results.push(one.await.unwrap());
    }
    results
}

/// Keeps what was understood of one message.
async fn understood(
    tx: &mut Tx,
    id: i64,
    email: &Email,
    key: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    kept::understood(tx, &[(id, email.clone(), key.to_owned())], now).await
}

/// How a message may have been settled, its row and case to be filled in.
fn settled(action: &'static str) -> Settled {
    Settled {
        id: 0,
        action,
        reason: "because".to_owned(),
        case_id: None,
        duplicate_of: None,
        acknowledge: false,
        acknowledge_reason: "not now".to_owned(),
        classification: String::new(),
        known: None,
    }
}

/// Settles one message, as intake does a wave.
async fn settle(
    tx: &mut Tx,
    id: i64,
    settled: &Settled,
    version: &str,
    found: &Classification,
    now: Timestamp,
) -> Result<(), StoreError> {
    let classification = serde_json::to_string(found).unwrap();
    kept::settle(tx, &[Settled { id, classification, ..settled.clone() }], version, now).await
}

/// Whether one message is still a gateway's to settle.
async fn still_ours(tx: &mut Tx, id: i64, gateway: &str) -> Result<bool, StoreError> {
    Ok(kept::still_ours(tx, &[id], gateway).await?.contains(&id))
}

/// The message that has the place of a content, if it is another, with its case.
async fn first_with_content(
    tx: &mut Tx,
    id: i64,
    key: &str,
) -> Result<Option<(i64, Option<i64>)>, StoreError> {
    let holders = kept::holders_of_content(tx, &BTreeMap::from([(key, id)])).await?;
    match holders.get(key).copied().unwrap() {
        holder if holder == id => Ok(None),
        holder => Ok(Some((holder, kept::case_of(tx, holder).await?))),
    }
}
