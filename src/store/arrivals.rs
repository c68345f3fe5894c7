//! What mailboxes give us: bytes, ledger row and first step, before anything touches the mailbox.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::StoreError;
use super::db::{ROWS, Tx, on};
use super::ledger::note_deliveries;
use super::messages::{step, steps};

/// Bytes of pieces that share a statement: what a statement holds is in memory twice.
const BYTES_TOGETHER: usize = 1 << 20;

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

/// Keeps what came together under its hashes, each once, with the first recorded step. Gives the row
/// of each, in order.
///
/// # Errors
/// When the database refuses.
pub async fn keep_all(
    tx: &mut Tx,
    arrived: &[(Arrival<'_>, &[u8])],
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let mut ids = HashMap::with_capacity(arrived.len());
    for some in arrived.chunks(ROWS) {
        let rows: Vec<(i64, String)> = on!(tx, "keep", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO message (sha256, size_bytes, received_at, stored_at, state, silent) ");
            insert.push_values(some, |mut row, (arrival, bytes)| {
                row.push_bind(&arrival.sha256)
                    .push_bind(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
                    .push_bind(arrival.received_at.as_millisecond())
                    .push_bind(now.as_millisecond())
                    .push_bind("stored")
                    .push_bind(arrival.silent);
            });
            insert.push(" ON CONFLICT (sha256) DO NOTHING RETURNING id, sha256");
            insert.build_query_as().persistent(false).fetch_all(c).await
        })?;
        ids.extend(rows.into_iter().map(|(id, sha256)| (sha256, id)));
    }
    keep_bytes(tx, arrived, &ids, now).await?;
    for (arrival, _) in arrived {
        if !ids.contains_key(&arrival.sha256) {
            let known = message_of_hash(tx, &arrival.sha256).await?;
            ids.insert(arrival.sha256.clone(), known);
        }
    }
    let rows: Vec<(&Arrival<'_>, i64)> = arrived
        .iter()
        .filter_map(|(arrival, _)| Some((arrival, *ids.get(&arrival.sha256)?)))
        .collect();
    note_deliveries(tx, &rows, now).await?;
    Ok(rows.into_iter().map(|(_, id)| id).collect())
}

/// Keeps one message.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    tx: &mut Tx,
    arrival: &Arrival<'_>,
    bytes: &[u8],
    now: Timestamp,
) -> Result<i64, StoreError> {
    let kept = keep_all(tx, &[(arrival.clone(), bytes)], now).await?;
    kept.first().copied().ok_or_else(|| StoreError::new("keep", sqlx::Error::RowNotFound))
}

/// The bytes and the first step of what is new, each content once.
async fn keep_bytes(
    tx: &mut Tx,
    arrived: &[(Arrival<'_>, &[u8])],
    fresh: &HashMap<String, i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (mut seen, mut first_steps) = (HashSet::new(), Vec::new());
    let (mut together, mut bytes_together) = (Vec::new(), 0);
    for (arrival, bytes) in arrived {
        let Some(&id) = fresh.get(&arrival.sha256).filter(|id| seen.insert(**id)) else { continue };
        first_steps.push((id, "stored", arrival.mailbox));
        for (piece, part) in bytes.chunks(PIECE_BYTES).enumerate() {
            if bytes_together + part.len() > BYTES_TOGETHER || together.len() >= ROWS {
                keep_pieces(tx, &std::mem::take(&mut together)).await?;
                bytes_together = 0;
            }
            together.push((id, piece, part));
            bytes_together += part.len();
        }
    }
    keep_pieces(tx, &together).await?;
    steps(tx, &first_steps, now).await
}

async fn keep_pieces(tx: &mut Tx, pieces: &[(i64, usize, &[u8])]) -> Result<(), StoreError> {
    match pieces {
        [] => Ok(()),
        [(id, piece, bytes)] => keep_piece(tx, *id, *piece, bytes).await,
        pieces => on!(tx, "keep pieces", c => {
            let mut insert =
                sqlx::QueryBuilder::new("INSERT INTO message_bytes (message_id, piece, bytes) ");
            insert.push_values(pieces, |mut row, (id, piece, bytes)| {
                row.push_bind(*id).push_bind(i64::try_from(*piece).unwrap_or(i64::MAX)).push_bind(*bytes);
            });
            insert.build().persistent(false).execute(c).await.map(drop)
        }),
    }
}

async fn message_of_hash(tx: &mut Tx, sha256: &str) -> Result<i64, StoreError> {
    let (id,): (i64,) = on!(tx, "find a message by its hash", c => sqlx::query_as("SELECT id FROM message WHERE sha256 = $1")
        .bind(sha256).fetch_one(c).await)?;
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
    note_deliveries(tx, &[(arrival, kept)], now).await?;
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
