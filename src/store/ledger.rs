//! The ledger: each time that a mailbox gave us something, and where it lies there now.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::arrivals::Arrival;
use super::db::{Db, ROWS, Tx, clean, in_list, on};
use super::messages::steps;

/// Writes deliveries, each with its message, into the ledger, once.
///
/// # Errors
/// When the database refuses.
pub(super) async fn note_deliveries(
    tx: &mut Tx,
    rows: &[(&Arrival<'_>, i64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let places: Vec<_> =
        rows.iter().map(|(arrival, message)| (*arrival, arrival.file_key, *message)).collect();
    let noted = insert_deliveries(tx, &places, now).await?;
    for (arrival, message) in rows {
        if noted.contains(&place(arrival, arrival.file_key)) {
            continue;
        }
        let known: Option<(i64,)> = on!(tx, "look a delivery up", c => sqlx::query_as(
            "SELECT id FROM delivery
             WHERE mailbox = $1 AND uid_validity = $2 AND uid = $3 AND sha256 = $4")
            .bind(arrival.mailbox).bind(arrival.uid_validity).bind(arrival.uid).bind(&arrival.sha256)
            .fetch_optional(c).await)?;
        if known.is_none() {
            // A server restored from a backup gives an old number to a new message.
            insert_deliveries(tx, &[(*arrival, &arrival.sha256, *message)], now).await?;
        }
    }
    Ok(())
}

/// Where a mailbox keeps a message, as the ledger keys it.
type Place = (String, i64, i64, String);

fn place(arrival: &Arrival<'_>, file_key: &str) -> Place {
    (arrival.mailbox.to_owned(), arrival.uid_validity, arrival.uid, file_key.to_owned())
}

/// Gives the places that were not in the ledger yet.
async fn insert_deliveries(
    tx: &mut Tx,
    rows: &[(&Arrival<'_>, &str, i64)],
    now: Timestamp,
) -> Result<HashSet<Place>, StoreError> {
    let mut noted = HashSet::with_capacity(rows.len());
    for some in rows.chunks(ROWS) {
        let new: Vec<Place> = on!(tx, "note deliveries", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO delivery (mailbox, uid_validity, uid, file_key, sha256, header_message_id,
                                       message_id, fetched_at) ");
            insert.push_values(some, |mut row, (arrival, file_key, message)| {
                row.push_bind(arrival.mailbox)
                    .push_bind(arrival.uid_validity)
                    .push_bind(arrival.uid)
                    .push_bind(*file_key)
                    .push_bind(&arrival.sha256)
                    .push_bind(arrival.header_message_id.as_deref().map(|id| clean(id).into_owned()))
                    .push_bind(*message)
                    .push_bind(now.as_millisecond());
            });
            insert.push(
                " ON CONFLICT (mailbox, uid_validity, uid, file_key) DO NOTHING
                  RETURNING mailbox, uid_validity, uid, file_key");
            insert.build_query_as().persistent(false).fetch_all(c).await
        })?;
        noted.extend(new);
    }
    Ok(noted)
}

/// After a mailbox began its numbering anew, the old numbers lead nowhere: nothing is moved by them
/// any more. The messages themselves are looked at again.
///
/// # Errors
/// When the database refuses.
pub async fn forget_places(tx: &mut Tx, mailbox: &str, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, "forget old places", c => sqlx::query(
        "UPDATE delivery SET moved_at = $2, move_note = 'numbering began anew'
         WHERE mailbox = $1 AND moved_at IS NULL")
        .bind(mailbox).bind(now.as_millisecond()).execute(c).await.map(drop))
}

/// Whether the ledger has this delivery already.
///
/// # Errors
/// When the database refuses.
pub async fn delivered(
    db: &Db,
    mailbox: &str,
    uid_validity: i64,
    uid: i64,
    file_key: &str,
) -> Result<bool, StoreError> {
    let found: Option<(i64,)> = on!(db, "look a delivery up", c => sqlx::query_as(
        "SELECT id FROM delivery
         WHERE mailbox = $1 AND uid_validity = $2 AND uid = $3 AND file_key = $4")
        .bind(mailbox).bind(uid_validity).bind(uid).bind(file_key).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// A delivery that is settled and still lies where it arrived.
#[derive(Debug, Clone, FromRow)]
pub struct Unmoved {
    /// Row.
    pub id: i64,
    /// The message.
    pub message_id: i64,
    /// UID.
    pub uid: i64,
    /// Name in a Maildir.
    pub file_key: String,
}

/// Deliveries of one mailbox that may be moved now.
///
/// # Errors
/// When the database refuses.
pub async fn unmoved(
    db: &Db,
    mailbox: &str,
    uid_validity: i64,
    most: i64,
) -> Result<Vec<Unmoved>, StoreError> {
    let rows = on!(db, "unmoved", c => sqlx::query_as(
        "SELECT d.id, d.message_id, d.uid, d.file_key
         FROM delivery d JOIN message m ON m.id = d.message_id
         WHERE d.mailbox = $1 AND d.moved_at IS NULL AND d.uid_validity = $2
           AND m.state IN ('done', 'quarantined')
         ORDER BY d.id LIMIT $3")
        .bind(mailbox).bind(uid_validity).bind(most).fetch_all(c).await)?;
    Ok(rows)
}

/// Records that deliveries were moved, marked, or need not be.
///
/// # Errors
/// When the database refuses.
pub async fn moved(
    tx: &mut Tx,
    deliveries: &[Unmoved],
    note: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for some in deliveries.chunks(500) {
        on!(tx, "record moves", c => {
            let mut update = sqlx::QueryBuilder::new("UPDATE delivery SET moved_at = ");
            update.push_bind(now.as_millisecond()).push(", move_note = ").push_bind(note);
            in_list(&mut update, &some.iter().map(|one| one.id).collect::<Vec<_>>());
            update.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    let rows: Vec<_> = deliveries.iter().map(|one| (one.message_id, "moved", note)).collect();
    steps(tx, &rows, now).await
}
