//! Messages, their bytes and the ledger of deliveries.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
pub use super::arrivals::{
    Arrival, PIECE_BYTES, begin_large, drop_unfinished, finish_large, keep, keep_all, keep_piece,
    sweep_unfinished,
};
use super::db::{Db, ROWS, Tx, clean, in_list, on};
pub use super::ledger::{Unmoved, delivered, forget_places, moved, unmoved};
pub use super::message_lists::{MessageRow, counts, of_case, waiting_for_a_person};
use super::moment;
use crate::email::Email;

/// A message that waits, claimed by one gateway.
#[derive(Debug, Clone, FromRow)]
pub struct Waiting {
    /// Row.
    pub id: i64,
    /// `stored` or `understood`.
    pub state: String,
    /// How often it was begun, this time included.
    pub attempts: i64,
    /// Size.
    pub size_bytes: i64,
    /// Receipt, in milliseconds.
    pub received_at: i64,
    /// Registered without a letter to anybody.
    pub silent: bool,
    /// An officer said that it is a matter of its own.
    pub alone: bool,
}

/// Whether any message waits to be settled now.
///
/// # Errors
/// When the database refuses.
pub async fn any_waits(db: &Db, now: Timestamp) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(db, "look for what waits", c => sqlx::query_as(
        "SELECT id FROM message WHERE state IN ('stored', 'understood') AND retry_at <= $1 LIMIT 1")
        .bind(now.as_millisecond()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Records a step of a message's life. Repeating it changes nothing.
///
/// # Errors
/// When the database refuses.
pub async fn step(
    tx: &mut Tx,
    message: i64,
    step: &str,
    now: Timestamp,
    detail: &str,
) -> Result<(), StoreError> {
    on!(tx, "record a step", c => sqlx::query(
        "INSERT INTO step (message_id, step, at, detail) VALUES ($1, $2, $3, $4)
         ON CONFLICT (message_id, step) DO NOTHING")
        .bind(message).bind(step).bind(now.as_millisecond()).bind(clean(detail)).execute(c).await.map(drop))?;
    Ok(())
}

/// Records one step of many messages, each with its own detail, with one statement.
pub(super) async fn steps(
    tx: &mut Tx,
    steps: &[(i64, &str, &str)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for steps in steps.chunks(ROWS) {
        on!(tx, "record steps", c => {
            let mut insert =
                sqlx::QueryBuilder::new("INSERT INTO step (message_id, step, at, detail) ");
            insert.push_values(steps, |mut row, (message, step, detail)| {
                row.push_bind(*message).push_bind(*step).push_bind(now.as_millisecond())
                    .push_bind(clean(detail).into_owned());
            });
            insert.push(" ON CONFLICT (message_id, step) DO NOTHING");
            // Statements of every length would crowd the others out of the cache.
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Claims the oldest messages that wait, counting the attempt before anything is parsed. One that
/// was begun before without being settled comes alone: whatever stopped it then is counted against
/// it and not against those that happened to be claimed with it.
///
/// # Errors
/// When the database refuses.
pub async fn claim(
    tx: &mut Tx,
    gateway: &str,
    now: Timestamp,
    lease_until: Timestamp,
    most: i64,
) -> Result<Vec<Waiting>, StoreError> {
    let oldest: Option<(i64,)> = on!(tx, "look at what waits", c => sqlx::query_as(
        "SELECT attempts FROM message
         WHERE state IN ('stored', 'understood') AND retry_at <= $1 AND leased_until <= $1
         ORDER BY id LIMIT 1")
        .bind(now.as_millisecond()).fetch_optional(c).await)?;
    let Some((attempts,)) = oldest else { return Ok(Vec::new()) };
    let begun_before = attempts > 0;
    // The outer test repeats the inner one: PostgreSQL lets two workers pick the same row and only
    // then makes the second one wait.
    let mut rows: Vec<Waiting> = on!(tx, "claim what waits", c => sqlx::query_as(
        "UPDATE message SET leased_by = $1, leased_until = $2, attempts = attempts + 1
         WHERE id IN (SELECT id FROM message
                      WHERE state IN ('stored', 'understood') AND retry_at <= $3 AND leased_until <= $3
                        AND ($5 OR attempts = 0)
                      ORDER BY id LIMIT $4)
           AND state IN ('stored', 'understood') AND leased_until <= $3
         RETURNING id, state, attempts, size_bytes, received_at, silent, alone")
        .bind(gateway)
        .bind(lease_until.as_millisecond())
        .bind(now.as_millisecond())
        .bind(if begun_before { 1 } else { most })
        .bind(begun_before)
        .fetch_all(c).await)?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

/// The bytes of a message, whole or its first `most`; `size` is the message's own.
///
/// # Errors
/// When the database refuses.
pub async fn bytes(db: &Db, id: i64, size: usize, most: usize) -> Result<Vec<u8>, StoreError> {
    let wanted = size.min(most);
    let pieces = i64::try_from(wanted.div_ceil(PIECE_BYTES)).unwrap_or(i64::MAX);
    let mut whole = Vec::with_capacity(wanted);
    for piece in 0..pieces {
        let row: Option<(Vec<u8>,)> = on!(db, "read the bytes of a message", c => sqlx::query_as(
            "SELECT bytes FROM message_bytes WHERE message_id = $1 AND piece = $2")
            .bind(id).bind(piece).fetch_optional(c).await)?;
        let Some((part,)) = row else { break };
        whole.extend_from_slice(&part);
    }
    Ok(whole)
}

/// The bytes of several messages of one piece each, by message.
///
/// # Errors
/// When the database refuses.
pub async fn bytes_of_small(db: &Db, ids: &[i64]) -> Result<HashMap<i64, Vec<u8>>, StoreError> {
    let mut all = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(ROWS) {
        let rows: Vec<(i64, Vec<u8>)> = on!(db, "read the bytes of messages", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT message_id, bytes FROM message_bytes WHERE piece = 0 AND message_id IN (");
            let mut list = select.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            select.push(")");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        all.extend(rows);
    }
    Ok(all)
}

/// Which of some claimed messages are still this gateway's to settle, and keeps them so until the
/// transaction ends. One is missing when its lease ran out and another took it, or settled it: then
/// nothing may follow from it.
///
/// # Errors
/// When the database refuses.
pub async fn still_ours(
    tx: &mut Tx,
    ids: &[i64],
    gateway: &str,
) -> Result<HashSet<i64>, StoreError> {
    let mut ours = HashSet::with_capacity(ids.len());
    for ids in ids.chunks(ROWS) {
        let rows: Vec<(i64,)> = on!(tx, "hold claimed messages", c => {
            let mut hold = sqlx::QueryBuilder::new("UPDATE message SET leased_by = leased_by");
            in_list(&mut hold, ids);
            hold.push(" AND leased_by = ").push_bind(gateway);
            hold.push(" AND state IN ('stored', 'understood') RETURNING id");
            hold.build_query_as().persistent(false).fetch_all(c).await
        })?;
        ours.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(ours)
}

/// Keeps what was understood of some messages, each with the key of its content. The parser is done
/// with them, and what happens from here on is counted anew.
///
/// # Errors
/// When the database refuses.
pub async fn understood(
    tx: &mut Tx,
    read: &[(i64, Email, String)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let kinds: Vec<String> = read.iter().map(|(_, email, _)| super::word(&email.kind)).collect();
    for (some, kinds) in read.chunks(ROWS).zip(kinds.chunks(ROWS)) {
        on!(tx, "understood", c => {
            let mut update = sqlx::QueryBuilder::new(
                "UPDATE message SET state = 'understood', attempts = 0, kind = read.column2,
                     sender = read.column3, subject = read.column4, message_id = read.column5,
                     fingerprint = read.column6, sender_proof = read.column7
                 FROM (");
            update.push_values(some.iter().zip(kinds), |mut row, ((id, email, content_key), kind)| {
                let sender = email.from.as_ref().map(|from| clean(&from.address).to_lowercase());
                row.push_bind(*id)
                    .push_bind(kind)
                    .push_bind(sender)
                    .push_bind(email.subject.as_ref().map(|subject| clean(subject).into_owned()))
                    .push_bind(email.message_id.as_deref().map(|id| clean(id).into_owned()))
                    .push_bind(content_key)
                    .push_bind(super::word(&email.sender_proof));
            });
            update.push(") AS read WHERE message.id = read.column1 AND message.state = 'stored'");
            update.build().persistent(false).execute(c).await.map(drop)
        })?;
        on!(tx, "keep what was read", c => {
            let mut insert = sqlx::QueryBuilder::new("INSERT INTO reading (message_id, email) ");
            insert.push_values(some, |mut row, (id, email, _)| {
                row.push_bind(*id).push_bind(super::json(email));
            });
            insert.push(" ON CONFLICT (message_id) DO UPDATE SET email = excluded.email");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    let rows: Vec<_> = read
        .iter()
        .zip(&kinds)
        .map(|((id, _, _), kind)| (*id, "understood", kind.as_str()))
        .collect();
    steps(tx, &rows, now).await
}

/// What was understood of a message before, where it was.
///
/// # Errors
/// When the database refuses or holds something else than an e-mail.
pub async fn email(db: &Db, id: i64) -> Result<Option<Email>, StoreError> {
    let row: Option<(String,)> = on!(db, "email", c => sqlx::query_as("SELECT email FROM reading WHERE message_id = $1")
        .bind(id).fetch_optional(c).await)?;
    Ok(row.and_then(|(json,)| serde_json::from_str(&json).ok()))
}

/// The same within a transaction.
///
/// # Errors
/// When the database refuses.
pub async fn reading(tx: &mut Tx, id: i64) -> Result<Option<Email>, StoreError> {
    let row: Option<(String,)> = on!(tx, "read what was understood of a message", c => sqlx::query_as(
        "SELECT email FROM reading WHERE message_id = $1")
        .bind(id).fetch_optional(c).await)?;
    Ok(row.and_then(|(json,)| serde_json::from_str(&json).ok()))
}

/// How a message was settled.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Row.
    pub id: i64,
    /// What was done: `opened`, `attached`, …
    pub action: &'static str,
    /// Why.
    pub reason: String,
    /// The case it belongs to.
    pub case_id: Option<i64>,
    /// The message that it repeats.
    pub duplicate_of: Option<i64>,
    /// Whether it was acknowledged.
    pub acknowledge: bool,
    /// Why, or why not.
    pub acknowledge_reason: String,
    /// What the rules made of it, as JSON.
    pub classification: String,
    /// What they were told of its sender, as JSON.
    pub known: Option<String>,
}

/// Puts a message that is settled with a case.
///
/// # Errors
/// When the database refuses.
pub async fn put_with(tx: &mut Tx, message: i64, case: i64) -> Result<(), StoreError> {
    on!(tx, "put a message with a case", c => sqlx::query("UPDATE message SET case_id = $2 WHERE id = $1")
        .bind(message).bind(case).execute(c).await.map(drop))
}

/// Settles messages: decided, joined to their cases or filed, answered or not, with the last steps of
/// each. Part of the one transaction that holds everything that follows from them.
///
/// # Errors
/// When the database refuses.
pub async fn settle(
    tx: &mut Tx,
    settled: &[Settled],
    rules_version: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for some in settled.chunks(ROWS) {
        on!(tx, "settle", c => {
            let mut update = sqlx::QueryBuilder::new(
                "UPDATE message SET state = 'done', leased_until = 0, trouble = NULL,
                     action = done.column2, reason = done.column3, case_id = done.column4,
                     duplicate_of = done.column5, acknowledge = done.column6,
                     acknowledge_reason = done.column7
                 FROM (");
            update.push_values(some, |mut row, one| {
                row.push_bind(one.id)
                    .push_bind(one.action)
                    .push_bind(clean(&one.reason).into_owned())
                    .push_bind(one.case_id)
                    .push_bind(one.duplicate_of)
                    .push_bind(one.acknowledge)
                    .push_bind(clean(&one.acknowledge_reason).into_owned());
            });
            update.push(") AS done WHERE message.id = done.column1");
            update.build().persistent(false).execute(c).await.map(drop)
        })?;
        on!(tx, "record decisions", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO decision (message_id, rules_version, classification, known, decided_at) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(one.id).push_bind(rules_version).push_bind(&one.classification)
                    .push_bind(&one.known).push_bind(now.as_millisecond());
            });
            insert.push(
                " ON CONFLICT (message_id) DO UPDATE SET rules_version = excluded.rules_version,
                  classification = excluded.classification, known = excluded.known,
                  decided_at = excluded.decided_at");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    let taken: Vec<_> = settled
        .iter()
        .flat_map(|one| {
            [
                (one.id, "decided", one.reason.as_str()),
                (one.id, "settled", one.action),
                (one.id, "answered", one.acknowledge_reason.as_str()),
            ]
        })
        .collect();
    steps(tx, &taken, now).await
}

/// Takes for messages the one place that each content may have in the register. Gives, by content, the
/// message that has it: its own, or one that had it already. Two gateways that settle two copies at
/// once wait for each other here.
///
/// # Errors
/// When the database refuses.
pub async fn holders_of_content(
    tx: &mut Tx,
    contents: &BTreeMap<&str, i64>,
) -> Result<HashMap<String, i64>, StoreError> {
    let mut holders = HashMap::with_capacity(contents.len());
    // In the order of the keys: two gateways that take the same ones then never block each other.
    let contents: Vec<_> = contents.iter().collect();
    for some in contents.chunks(ROWS) {
        let rows: Vec<(String, i64)> = on!(tx, "hold contents", c => {
            let mut insert = sqlx::QueryBuilder::new("INSERT INTO content (content_key, message_id) ");
            insert.push_values(some, |mut row, (key, id)| {
                row.push_bind(**key).push_bind(**id);
            });
            // The update changes nothing; it makes the row that was there be returned.
            insert.push(
                " ON CONFLICT (content_key) DO UPDATE SET message_id = content.message_id
                  RETURNING content_key, message_id");
            insert.build_query_as().persistent(false).fetch_all(c).await
        })?;
        holders.extend(rows);
    }
    Ok(holders)
}

/// The case that a message belongs to, if it belongs to one.
///
/// # Errors
/// When the database refuses.
pub async fn case_of(tx: &mut Tx, id: i64) -> Result<Option<i64>, StoreError> {
    let row: Option<(Option<i64>,)> = on!(tx, "find a message's case", c => sqlx::query_as(
        "SELECT case_id FROM message WHERE id = $1")
        .bind(id).fetch_optional(c).await)?;
    Ok(row.and_then(|(case,)| case))
}

/// Gives a message back to the queue after a failure, to be tried later; `uncounted` where the
/// failure was not its own.
///
/// # Errors
/// When the database refuses.
pub async fn put_back(
    tx: &mut Tx,
    id: i64,
    trouble: &str,
    retry_at: Timestamp,
    uncounted: bool,
) -> Result<(), StoreError> {
    on!(tx, "put back", c => sqlx::query(
        "UPDATE message SET leased_until = 0, trouble = $2, retry_at = $3,
                            attempts = CASE WHEN $4 AND attempts > 0 THEN attempts - 1 ELSE attempts END
         WHERE id = $1 AND state IN ('stored', 'understood')")
        .bind(id).bind(clean(trouble)).bind(retry_at.as_millisecond()).bind(uncounted)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Puts a message into quarantine: kept, readable, shown, and tried again when a person says so.
///
/// # Errors
/// When the database refuses.
pub async fn quarantine(tx: &mut Tx, id: i64, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let row: Option<(i64,)> = on!(tx, "quarantine", c => sqlx::query_as(
        "UPDATE message SET state = 'quarantined', leased_until = 0, trouble = $2
         WHERE id = $1 AND state IN ('stored', 'understood') RETURNING id")
        .bind(id).bind(clean(why)).fetch_optional(c).await)?;
    if row.is_some() {
        step(tx, id, "quarantined", now, why).await?;
    }
    Ok(())
}

/// Takes a message out of quarantine, to be tried again from its bytes. False when it is not there.
///
/// # Errors
/// When the database refuses.
pub async fn release(tx: &mut Tx, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "release", c => sqlx::query_as(
        "UPDATE message SET state = 'stored', attempts = 0, retry_at = 0, trouble = NULL
         WHERE id = $1 AND state = 'quarantined' RETURNING id")
        .bind(id).fetch_optional(c).await)?;
    if row.is_some() {
        step(tx, id, &format!("released:{}", now.as_millisecond()), now, "by an officer").await?;
    }
    Ok(row.is_some())
}

/// Sends a settled message back, to be settled as a matter of its own. False when it is not settled,
/// or opened a case already.
///
/// # Errors
/// When the database refuses.
pub async fn split(tx: &mut Tx, id: i64) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "split a message off", c => sqlx::query_as(
        "UPDATE message SET state = 'understood', attempts = 0, retry_at = 0, leased_until = 0,
             alone = TRUE
         WHERE id = $1 AND state = 'done'
           AND NOT EXISTS (SELECT 1 FROM complaint_case k WHERE k.opened_by = message.id)
         RETURNING id")
        .bind(id).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// The case of a stored message that one of these ids names, where the sender is its party.
///
/// # Errors
/// When the database refuses.
pub async fn case_of_message_id(
    tx: &mut Tx,
    message_id: &str,
    sender: &str,
) -> Result<Option<i64>, StoreError> {
    let row: Option<(i64,)> = on!(tx, "case of message id", c => sqlx::query_as(
        "SELECT m.case_id FROM message m JOIN party p ON p.case_id = m.case_id
         WHERE m.message_id = $1 AND p.address = $2 ORDER BY m.id LIMIT 1")
        .bind(clean(message_id)).bind(clean(sender)).fetch_optional(c).await)?;
    Ok(row.map(|(case,)| case))
}

/// When a stored moment is.
pub fn received(row: &Waiting) -> Timestamp {
    moment(row.received_at)
}
