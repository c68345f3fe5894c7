//! What came attached: each file once by its content, and whether a scanner has seen it.
//!
//! The bytes are not kept a second time: they are read from the message that brought them
//! (`docs/decisions/0002-attachments-kept-once.md`). What came with an answer on the answer page came by no message:
//! its bytes are kept by themselves (`store::uploads`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};
use super::{messages, uploads, word};
use crate::email::{Attachment, Email, Note};

/// What is known of a file's danger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scan {
    /// No scanner has seen it.
    NotScanned,
    /// A scanner found nothing.
    Clean,
    /// A scanner found something: kept apart, never forwarded.
    Infected,
    /// A scanner was asked and gave no verdict.
    CouldNotScan,
}

impl Scan {
    /// The state that a stored word names; what is no word of ours is no verdict.
    fn of(word: &str) -> Self {
        match word {
            "clean" => Self::Clean,
            "infected" => Self::Infected,
            "not_scanned" => Self::NotScanned,
            _ => Self::CouldNotScan,
        }
    }

    /// In words for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotScanned => "not scanned",
            Self::Clean => "clean",
            Self::Infected => "INFECTED",
            Self::CouldNotScan => "could not scan",
        }
    }
}

/// What a file came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// A message, by its row.
    Message(i64),
    /// An answer that a service gave on its page, by its row.
    Answer(i64),
}

impl std::fmt::Display for Carrier {
    /// As officers write it before the file's number: `17`, or `a3`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(id) => write!(f, "{id}"),
            Self::Answer(id) => write!(f, "a{id}"),
        }
    }
}

impl std::str::FromStr for Carrier {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('a') {
            Some(id) => id.parse().map(Self::Answer),
            None => text.parse().map(Self::Message),
        }
    }
}

/// Keeps what is attached to some messages, in the transaction that keeps what was understood of
/// them. A file that is known already, from whichever message, stays one.
///
/// # Errors
/// When the database refuses.
pub async fn keep<'a>(
    tx: &mut Tx,
    read: impl Iterator<Item = (i64, &'a Email)>,
) -> Result<(), StoreError> {
    let all: Vec<(i64, i64, &Attachment)> = read
        .flat_map(|(message, email)| {
            (0_i64..).zip(&email.attachments).map(move |(n, a)| (message, n, a))
        })
        .collect();
    // In one order everywhere: two gateways that keep the same files wait for each other instead of
    // standing in each other's way.
    let files: BTreeMap<&str, (i64, &Attachment)> =
        all.iter().rev().map(|(message, _, one)| (one.sha256.as_str(), (*message, *one))).collect();
    let files: Vec<_> = files.into_iter().collect();
    for some in files.chunks(500) {
        on!(tx, "keep attached files", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO attached_file (sha256, size_bytes, media_type, message_id) ");
            insert.push_values(some, |mut row, (sha256, (message, one))| {
                row.push_bind(*sha256)
                    .push_bind(i64::try_from(one.bytes).unwrap_or(i64::MAX))
                    .push_bind(clean(&one.media_type).into_owned())
                    .push_bind(*message);
            });
            insert.push(" ON CONFLICT (sha256) DO NOTHING");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    for some in all.chunks(500) {
        on!(tx, "keep attachments", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO attachment (message_id, position, sha256, name, declared, inline, notes) ");
            insert.push_values(some, |mut row, (message, position, one)| {
                row.push_bind(*message)
                    .push_bind(*position)
                    .push_bind(&one.sha256)
                    .push_bind(one.name.as_ref().map(|name| clean(name).into_owned()))
                    .push_bind(clean(&one.declared).into_owned())
                    .push_bind(one.inline)
                    .push_bind(super::json(&one.notes));
            });
            // A message that an officer lets be read again may read otherwise.
            insert.push(
                " ON CONFLICT (message_id, position) DO UPDATE SET sha256 = excluded.sha256,
                  name = excluded.name, declared = excluded.declared, inline = excluded.inline,
                  notes = excluded.notes");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// An attachment as lists show it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AttachmentRow {
    /// The message that it came with; none where it came with an answer on the answer page.
    pub message_id: Option<i64>,
    /// The answer that it came with, there.
    pub answer_id: Option<i64>,
    /// Its place among what came with it, from 1.
    pub number: i64,
    /// To be shown, and for nothing else.
    pub name: Option<String>,
    /// Media type by content.
    #[serde(rename = "type")]
    pub media_type: String,
    /// As its sender declared it.
    pub declared: String,
    /// Size.
    pub bytes: i64,
    /// Of the decoded bytes.
    pub sha256: String,
    /// Shown inside the text.
    pub inline: bool,
    /// What to know before opening it.
    pub notes: Vec<Note>,
    /// What a scanner made of it.
    pub scan: Scan,
    /// The scanner's word: the signature's name, or why it gave no verdict.
    pub scan_answer: Option<String>,
    /// When, in milliseconds.
    pub scanned_at: Option<i64>,
}

impl AttachmentRow {
    /// What it came with.
    pub fn carrier(&self) -> Option<Carrier> {
        self.message_id.map(Carrier::Message).or(self.answer_id.map(Carrier::Answer))
    }
}

#[derive(FromRow)]
pub(super) struct Row {
    message_id: Option<i64>,
    answer_id: Option<i64>,
    position: i64,
    name: Option<String>,
    media_type: String,
    declared: String,
    size_bytes: i64,
    sha256: String,
    inline: bool,
    notes: String,
    scan: String,
    scan_answer: Option<String>,
    scanned_at: Option<i64>,
}

impl From<Row> for AttachmentRow {
    fn from(row: Row) -> Self {
        Self {
            message_id: row.message_id,
            answer_id: row.answer_id,
            number: row.position + 1,
            name: row.name,
            media_type: row.media_type,
            declared: row.declared,
            bytes: row.size_bytes,
            sha256: row.sha256,
            inline: row.inline,
            notes: serde_json::from_str(&row.notes).unwrap_or_default(),
            scan: Scan::of(&row.scan),
            scan_answer: row.scan_answer,
            scanned_at: row.scanned_at,
        }
    }
}

const ROW: &str =
    "SELECT a.message_id, CAST(NULL AS BIGINT) AS answer_id, a.position, a.name, f.media_type, a.declared, f.size_bytes, a.sha256,
                          a.inline, a.notes, f.scan, f.scan_answer, f.scanned_at
                   FROM attachment a JOIN attached_file f ON f.sha256 = a.sha256";

/// What is attached to the messages of a case, in their order, and then to the answers given on the answer page.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(db: &Db, case: i64) -> Result<Vec<AttachmentRow>, StoreError> {
    let rows: Vec<Row> = on!(db, "list the attachments of a case", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} JOIN message m ON m.id = a.message_id WHERE m.case_id = $1
         ORDER BY m.received_at, m.id, a.position")))
        .bind(case).fetch_all(c).await)?;
    let mut all: Vec<AttachmentRow> = rows.into_iter().map(Into::into).collect();
    all.extend(uploads::of_case(db, case).await?);
    Ok(all)
}

/// What came with one message, or with one answer.
///
/// # Errors
/// When the database refuses.
pub async fn of(db: &Db, carrier: Carrier) -> Result<Vec<AttachmentRow>, StoreError> {
    match carrier {
        Carrier::Message(message) => of_message(db, message).await,
        Carrier::Answer(answer) => uploads::of_answer(db, answer).await,
    }
}

/// What is attached to one message.
///
/// # Errors
/// When the database refuses.
pub async fn of_message(db: &Db, message: i64) -> Result<Vec<AttachmentRow>, StoreError> {
    let rows: Vec<Row> = on!(db, "list the attachments of a message", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE a.message_id = $1 ORDER BY a.position")))
        .bind(message).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Whether a message has an attachment of this number.
///
/// # Errors
/// When the database refuses.
pub async fn is_there(tx: &mut Tx, message: i64, number: i64) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "find an attachment", c => sqlx::query_as(
        "SELECT message_id FROM attachment WHERE message_id = $1 AND position = $2")
        .bind(message).bind(number).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// The bytes of a file: decoded anew from a message that brought it and compared with its hash, or as they were
/// uploaded, where no message is named. None where they are not there.
///
/// # Errors
/// When the database refuses.
pub async fn bytes(
    db: &Db,
    message: Option<i64>,
    sha256: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(message) = message else { return uploads::bytes(db, sha256).await };
    let size: Option<(i64,)> = on!(db, "find the message of an attachment", c => sqlx::query_as(
        "SELECT size_bytes FROM message WHERE id = $1").bind(message).fetch_optional(c).await)?;
    let size = size.map_or(0, |(size,)| usize::try_from(size).unwrap_or(usize::MAX));
    let raw = messages::bytes(db, message, size, usize::MAX).await?;
    let sha256 = sha256.to_owned();
    // Not on this task: decoding a large message takes a while.
    let reading = tokio::task::spawn_blocking(move || crate::email::attached_bytes(&raw, &sha256));
    // Where the parser stops there, the bytes cannot be had: whoever asks says so.
    Ok(reading.await.unwrap_or(None))
}

/// A file that waits for the scanner, claimed by one gateway.
#[derive(Debug, Clone, FromRow)]
pub struct ToScan {
    /// Of its decoded bytes.
    pub sha256: String,
    /// The message to read them from; none for what was uploaded.
    pub message_id: Option<i64>,
    /// Tries that reached the scanner without a verdict.
    pub scan_attempts: i64,
    /// The last try, in milliseconds.
    pub scanned_at: Option<i64>,
    /// When it was due, in milliseconds.
    pub scan_due_at: i64,
}

/// Claims the file that has waited longest for the scanner.
///
/// # Errors
/// When the database refuses.
pub async fn claim(
    tx: &mut Tx,
    gateway: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<ToScan>, StoreError> {
    // The outer test repeats the inner one: PostgreSQL lets two workers pick the same row and only
    // then makes the second one wait.
    let row = on!(tx, "claim a file to scan", c => sqlx::query_as(
        "UPDATE attached_file SET leased_by = $1, leased_until = $2
         WHERE sha256 = (SELECT sha256 FROM attached_file
                         WHERE scan_due_at <= $3 AND leased_until <= $3
                         ORDER BY scan_due_at, sha256 LIMIT 1)
           AND scan_due_at <= $3 AND leased_until <= $3
         RETURNING sha256, message_id, scan_attempts, scanned_at, scan_due_at")
        .bind(gateway)
        .bind(until.as_millisecond())
        .bind(now.as_millisecond())
        .fetch_optional(c).await)?;
    Ok(row)
}

/// How one look of the scanner ended.
#[derive(Debug, Clone)]
pub struct Scanned {
    /// What is known of the file now.
    pub scan: Scan,
    /// The scanner's word for it.
    pub answer: Option<String>,
    /// Whether the file itself was the reason that there is no verdict.
    pub counts: bool,
    /// When it is tried again; never, where this is none.
    pub again_at: Option<Timestamp>,
}

/// Records a look of the scanner, unless another gateway has taken the file over meanwhile. Whether
/// it was recorded.
///
/// # Errors
/// When the database refuses.
pub async fn scanned(
    tx: &mut Tx,
    sha256: &str,
    gateway: &str,
    found: &Scanned,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(String,)> = on!(tx, "record a scan", c => sqlx::query_as(
        "UPDATE attached_file SET scan = $3, scan_answer = $4, scanned_at = $5, scan_due_at = $6,
                scan_attempts = scan_attempts + $7, leased_until = 0
         WHERE sha256 = $1 AND leased_by = $2 AND scan_due_at IS NOT NULL RETURNING sha256")
        .bind(sha256)
        .bind(gateway)
        .bind(word(&found.scan))
        .bind(found.answer.as_deref().map(clean).as_deref())
        .bind(now.as_millisecond())
        .bind(found.again_at.map(Timestamp::as_millisecond))
        .bind(i64::from(found.counts))
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// An infected attachment of which nobody was told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Untold {
    /// What it came with.
    pub carrier: Carrier,
    /// Its case, where it has one.
    pub case_id: Option<i64>,
    /// Its place there, from 1.
    pub number: i64,
    /// The signature's name.
    pub answer: Option<String>,
}

/// What is infected, belongs to a message that is settled, and was told to nobody.
const UNTOLD: &str = "told_at IS NULL
    AND sha256 IN (SELECT sha256 FROM attached_file WHERE scan = 'infected')
    AND EXISTS (SELECT 1 FROM message m
                WHERE m.id = attachment.message_id AND m.state IN ('done', 'quarantined'))";

/// Whether there is anything infected that a person must be told of.
///
/// # Errors
/// When the database refuses.
pub async fn any_untold(db: &Db) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(db, "look for infected attachments", c => sqlx::query_as(sqlx::AssertSqlSafe(
        format!("SELECT message_id FROM attachment WHERE {UNTOLD} LIMIT 1")))
        .fetch_optional(c).await)?;
    Ok(row.is_some() || uploads::any_untold(db).await?)
}

/// Takes what is infected and was told to nobody, to tell it in this transaction.
///
/// # Errors
/// When the database refuses.
pub async fn take_untold(tx: &mut Tx, now: Timestamp) -> Result<Vec<Untold>, StoreError> {
    let taken: Vec<(i64, i64, String)> = on!(tx, "take infected attachments", c => sqlx::query_as(sqlx::AssertSqlSafe(
        format!("UPDATE attachment SET told_at = $1 WHERE {UNTOLD} RETURNING message_id, position, sha256")))
        .bind(now.as_millisecond()).fetch_all(c).await)?;
    let mut untold = Vec::with_capacity(taken.len());
    for (message_id, position, sha256) in taken {
        let (case_id,): (Option<i64>,) = on!(tx, "find the case of a message", c => sqlx::query_as(
            "SELECT case_id FROM message WHERE id = $1").bind(message_id).fetch_one(c).await)?;
        let (answer,): (Option<String>,) = on!(tx, "find what the scanner said", c => sqlx::query_as(
            "SELECT scan_answer FROM attached_file WHERE sha256 = $1").bind(&sha256).fetch_one(c).await)?;
        let carrier = Carrier::Message(message_id);
        untold.push(Untold { carrier, case_id, number: position + 1, answer });
    }
    untold.extend(uploads::take_untold(tx, now).await?);
    untold.sort();
    Ok(untold)
}
