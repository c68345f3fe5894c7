//! Messages, their bytes and the ledger of deliveries.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};
use super::ledger::note_delivery;
pub use super::ledger::{Unmoved, delivered, forget_places, moved, unmoved};
pub use super::message_lists::{MessageRow, counts, of_case, waiting_for_a_person};
use super::moment;
use crate::email::Email;

/// How many bytes one stored piece of a message holds.
pub const PIECE_BYTES: usize = 1 << 20;

/// What a mailbox gave us, to be kept before anything touches the mailbox.
#[derive(Debug, Clone)]
pub struct Arrival<'a> {
    /// The mailbox's name in the settings.
    pub mailbox: &'a str,
    /// UIDVALIDITY; 0 for a Maildir.
    pub uid_validity: i64,
    /// UID; 0 for a Maildir.
    pub uid: i64,
    /// The unique name in a Maildir; empty for IMAP.
    pub file_key: &'a str,
    /// When the council's server took the message.
    pub received_at: Timestamp,
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: String,
    /// The Message-ID as it stands in the header.
    pub header_message_id: Option<String>,
    /// Registered without a letter to anybody: imported, not received.
    pub silent: bool,
}

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
}

/// Keeps bytes under their hash, once, with the first recorded step.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    tx: &mut Tx,
    arrival: &Arrival<'_>,
    bytes: &[u8],
    now: Timestamp,
) -> Result<i64, StoreError> {
    let fresh: Option<(i64,)> = on!(tx, "keep", c => sqlx::query_as(
        "INSERT INTO message (sha256, size_bytes, received_at, stored_at, state, silent)
         VALUES ($1, $2, $3, $4, 'stored', $5)
         ON CONFLICT (sha256) DO NOTHING RETURNING id")
        .bind(&arrival.sha256)
        .bind(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
        .bind(arrival.received_at.as_millisecond())
        .bind(now.as_millisecond())
        .bind(arrival.silent)
        .fetch_optional(c).await)?;
    let id = match fresh {
        Some((id,)) => {
            for (piece, part) in bytes.chunks(PIECE_BYTES).enumerate() {
                keep_piece(tx, id, piece, part).await?;
            }
            step(tx, id, "stored", now, arrival.mailbox).await?;
            id
        }
        None => message_of_hash(tx, &arrival.sha256).await?,
    };
    note_delivery(tx, arrival, id, now).await?;
    Ok(id)
}

/// Begins a message that is too large to hold at once. It is nobody's work until
/// [`finish_large`]; what a crash leaves of it is swept by [`sweep_unfinished`].
///
/// # Errors
/// When the database refuses.
pub async fn begin_large(
    tx: &mut Tx,
    provisional: &str,
    received_at: Timestamp,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let (id,): (i64,) = on!(tx, "begin large", c => sqlx::query_as(
        "INSERT INTO message (sha256, size_bytes, received_at, stored_at, state)
         VALUES ($1, 0, $2, $3, 'arriving') RETURNING id")
        .bind(provisional)
        .bind(received_at.as_millisecond())
        .bind(now.as_millisecond())
        .fetch_one(c).await)?;
    Ok(id)
}

/// One more piece of a message.
///
/// # Errors
/// When the database refuses.
pub async fn keep_piece(
    tx: &mut Tx,
    id: i64,
    piece: usize,
    bytes: &[u8],
) -> Result<(), StoreError> {
    on!(tx, "keep piece", c => sqlx::query(
        "INSERT INTO message_bytes (message_id, piece, bytes) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(i64::try_from(piece).unwrap_or(i64::MAX))
        .bind(bytes)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// The last piece is in: the message waits from now on, or turns out to be known already.
///
/// # Errors
/// When the database refuses.
pub async fn finish_large(
    tx: &mut Tx,
    id: i64,
    arrival: &Arrival<'_>,
    size_bytes: i64,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let known: Option<(i64,)> = on!(tx, "finish large", c => sqlx::query_as("SELECT id FROM message WHERE sha256 = $1")
        .bind(&arrival.sha256).fetch_optional(c).await)?;
    let kept = if let Some((known,)) = known {
        drop_unfinished(tx, id).await?;
        known
    } else {
        on!(tx, "finish large", c => sqlx::query(
            "UPDATE message SET sha256 = $2, size_bytes = $3, state = 'stored' WHERE id = $1")
            .bind(id).bind(&arrival.sha256).bind(size_bytes).execute(c).await.map(drop))?;
        step(tx, id, "stored", now, arrival.mailbox).await?;
        id
    };
    note_delivery(tx, arrival, kept, now).await?;
    Ok(kept)
}

/// Removes what an interrupted fetch of a large message left: those bytes are still on the server.
///
/// # Errors
/// When the database refuses.
pub async fn sweep_unfinished(tx: &mut Tx, mailbox: &str) -> Result<(), StoreError> {
    // Not LIKE: a mailbox's name may hold `_`, and LIKE takes one letter's case for the other in SQLite.
    let begins = format!("arriving:{mailbox}:");
    let rows: Vec<(i64,)> = on!(tx, "sweep unfinished", c => sqlx::query_as(
        "SELECT id FROM message WHERE state = 'arriving' AND SUBSTR(sha256, 1, LENGTH($1)) = $1")
        .bind(begins).fetch_all(c).await)?;
    for (id,) in rows {
        drop_unfinished(tx, id).await?;
    }
    Ok(())
}

/// Removes a message that was begun and never finished.
///
/// # Errors
/// When the database refuses.
pub async fn drop_unfinished(tx: &mut Tx, id: i64) -> Result<(), StoreError> {
    on!(tx, "drop unfinished", c => sqlx::query("DELETE FROM message_bytes WHERE message_id = $1")
        .bind(id).execute(c).await.map(drop))?;
    on!(tx, "drop unfinished", c => sqlx::query("DELETE FROM message WHERE id = $1 AND state = 'arriving'")
        .bind(id).execute(c).await.map(drop))?;
    Ok(())
}

async fn message_of_hash(tx: &mut Tx, sha256: &str) -> Result<i64, StoreError> {
    let (id,): (i64,) = on!(tx, "find a message by its hash", c => sqlx::query_as("SELECT id FROM message WHERE sha256 = $1")
        .bind(sha256).fetch_one(c).await)?;
    Ok(id)
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
    // Four values a row, far below what either engine takes in one statement.
    for steps in steps.chunks(500) {
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
         RETURNING id, state, attempts, size_bytes, received_at, silent")
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

/// Whether a claimed message is still this gateway's to settle, and keeps it so until the transaction
/// ends. False when the lease ran out and another took it, or settled it: then nothing may follow.
///
/// # Errors
/// When the database refuses.
pub async fn still_ours(tx: &mut Tx, id: i64, gateway: &str) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "hold a claimed message", c => sqlx::query_as(
        "UPDATE message SET leased_by = leased_by
         WHERE id = $1 AND leased_by = $2 AND state IN ('stored', 'understood') RETURNING id")
        .bind(id).bind(gateway).fetch_optional(c).await)?;
    Ok(row.is_some())
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
    let mut kinds = Vec::with_capacity(read.len());
    for (id, email, content_key) in read {
        let kind = super::word(&email.kind);
        let sender = email.from.as_ref().map(|from| clean(&from.address).to_lowercase());
        let subject = email.subject.as_ref().map(|subject| clean(subject).into_owned());
        on!(tx, "understood", c => sqlx::query(
            "UPDATE message SET state = 'understood', attempts = 0, kind = $2, sender = $3, subject = $4,
                                message_id = $5, fingerprint = $6, email = $7
             WHERE id = $1 AND state = 'stored'")
            .bind(id)
            .bind(&kind)
            .bind(sender.as_deref())
            .bind(subject.as_deref())
            .bind(email.message_id.as_deref().map(clean).as_deref())
            .bind(content_key)
            .bind(super::json(email))
            .execute(c).await.map(drop))?;
        kinds.push((*id, kind));
    }
    let rows: Vec<_> = kinds.iter().map(|(id, kind)| (*id, "understood", kind.as_str())).collect();
    steps(tx, &rows, now).await
}

/// What was understood of a message before, where it was.
///
/// # Errors
/// When the database refuses or holds something else than an e-mail.
pub async fn email(db: &Db, id: i64) -> Result<Option<Email>, StoreError> {
    let row: Option<(Option<String>,)> = on!(db, "email", c => sqlx::query_as("SELECT email FROM message WHERE id = $1")
        .bind(id).fetch_optional(c).await)?;
    Ok(row.and_then(|(json,)| json).and_then(|json| serde_json::from_str(&json).ok()))
}

/// How a message was settled.
#[derive(Debug, Clone)]
pub struct Settled<'a> {
    /// `opened`, `attached`, …
    pub action: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The case it belongs to.
    pub case_id: Option<i64>,
    /// The message that it repeats.
    pub duplicate_of: Option<i64>,
    /// Whether it was acknowledged.
    pub acknowledge: bool,
    /// Why, or why not.
    pub acknowledge_reason: &'a str,
}

/// Settles a message: decided, joined to its case or filed, answered or not. Part of the one
/// transaction that holds everything that follows from it.
///
/// # Errors
/// When the database refuses.
pub async fn settle(tx: &mut Tx, id: i64, settled: &Settled<'_>) -> Result<(), StoreError> {
    on!(tx, "settle", c => sqlx::query(
        "UPDATE message SET state = 'done', leased_until = 0, trouble = NULL, action = $2, reason = $3,
                            case_id = $4, duplicate_of = $5, acknowledge = $6, acknowledge_reason = $7
         WHERE id = $1")
        .bind(id)
        .bind(settled.action)
        .bind(clean(settled.reason))
        .bind(settled.case_id)
        .bind(settled.duplicate_of)
        .bind(settled.acknowledge)
        .bind(clean(settled.acknowledge_reason))
        .execute(c).await.map(drop))
}

/// What was decided about one message, for the record.
#[derive(Debug, Clone)]
pub struct Decided {
    /// Row.
    pub id: i64,
    /// What the rules made of it, as JSON.
    pub classification: String,
    /// What was done.
    pub action: &'static str,
    /// Why.
    pub reason: String,
    /// Why it is answered, or not.
    pub acknowledge_reason: String,
}

/// Records the decisions and the last steps of messages that were settled in this transaction.
///
/// # Errors
/// When the database refuses.
pub async fn decided(
    tx: &mut Tx,
    decided: &[Decided],
    rules_version: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for some in decided.chunks(500) {
        on!(tx, "record decisions", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO decision (message_id, rules_version, classification, decided_at) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(one.id).push_bind(rules_version).push_bind(&one.classification)
                    .push_bind(now.as_millisecond());
            });
            insert.push(
                " ON CONFLICT (message_id) DO UPDATE SET rules_version = excluded.rules_version,
                  classification = excluded.classification, decided_at = excluded.decided_at");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    let taken: Vec<_> = decided
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

/// Takes the one place that a content may have in the register. Gives the message that has it
/// already, where there is one: two gateways that settle two copies at once wait for each other here.
///
/// # Errors
/// When the database refuses.
pub async fn first_with_content(
    tx: &mut Tx,
    id: i64,
    content_key: &str,
) -> Result<Option<(i64, Option<i64>)>, StoreError> {
    // The update changes nothing; it makes the row that was there be returned.
    let (holder,): (i64,) = on!(tx, "first with content", c => sqlx::query_as(
        "INSERT INTO content (content_key, message_id) VALUES ($1, $2)
         ON CONFLICT (content_key) DO UPDATE SET message_id = content.message_id
         RETURNING message_id")
        .bind(content_key).bind(id).fetch_one(c).await)?;
    if holder == id {
        return Ok(None);
    }
    let first: Option<(i64, Option<i64>)> = on!(tx, "first with content", c => sqlx::query_as(
        "SELECT m.id, m.case_id FROM content k JOIN message m ON m.id = k.message_id
         WHERE k.content_key = $1 AND k.message_id <> $2")
        .bind(content_key).bind(id).fetch_optional(c).await)?;
    Ok(first)
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
