//! How far each mailbox was read, and which gateway reads it now.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};

/// How far a mailbox was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Cursor {
    /// UIDVALIDITY that the UIDs belong to.
    pub uid_validity: i64,
    /// Every UID up to this one is in the ledger or known to be gone.
    pub last_uid: i64,
    /// UIDNEXT as last seen: going backwards means that the server was restored.
    pub uid_next: i64,
}

/// Takes or renews the lease on a mailbox. None while another gateway has it.
///
/// # Errors
/// When the database refuses.
pub async fn lease(
    tx: &mut Tx,
    name: &str,
    gateway: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Cursor>, StoreError> {
    on!(tx, "lease", c => sqlx::query("INSERT INTO mailbox (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
        .bind(name).execute(c).await.map(drop))?;
    let row: Option<Cursor> = on!(tx, "lease", c => sqlx::query_as(
        "UPDATE mailbox SET leased_by = $2, leased_until = $4
         WHERE name = $1 AND (leased_by = $2 OR leased_until <= $3)
         RETURNING uid_validity, last_uid, uid_next")
        .bind(name)
        .bind(gateway)
        .bind(now.as_millisecond())
        .bind(until.as_millisecond())
        .fetch_optional(c).await)?;
    Ok(row)
}

/// Gives a mailbox back at a clean stop, so that another gateway need not wait.
///
/// # Errors
/// When the database refuses.
pub async fn give_back(tx: &mut Tx, name: &str, gateway: &str) -> Result<(), StoreError> {
    on!(tx, "give back", c => sqlx::query(
        "UPDATE mailbox SET leased_until = 0 WHERE name = $1 AND leased_by = $2")
        .bind(name).bind(gateway).execute(c).await.map(drop))?;
    Ok(())
}

/// Moves the cursor, in the transaction that keeps what it covers. False when the lease was lost to
/// another gateway: then nothing of the transaction may stand.
///
/// # Errors
/// When the database refuses.
pub async fn advance(
    tx: &mut Tx,
    name: &str,
    gateway: &str,
    cursor: Cursor,
) -> Result<bool, StoreError> {
    let row: Option<(String,)> = on!(tx, "advance", c => sqlx::query_as(
        "UPDATE mailbox SET uid_validity = $3, last_uid = $4, uid_next = $5
         WHERE name = $1 AND leased_by = $2 RETURNING name")
        .bind(name)
        .bind(gateway)
        .bind(cursor.uid_validity)
        .bind(cursor.last_uid)
        .bind(cursor.uid_next)
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Records that a mailbox was read to its end, and so that nothing is wrong with it.
///
/// # Errors
/// When the database refuses.
pub async fn looked(tx: &mut Tx, name: &str, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, "looked", c => sqlx::query("UPDATE mailbox SET looked_at = $2, trouble = NULL WHERE name = $1")
        .bind(name).bind(now.as_millisecond()).execute(c).await.map(drop))?;
    Ok(())
}

/// Records why a mailbox could not be read.
///
/// # Errors
/// When the database refuses.
pub async fn trouble(tx: &mut Tx, name: &str, words: &str) -> Result<(), StoreError> {
    on!(tx, "trouble", c => sqlx::query("UPDATE mailbox SET trouble = $2 WHERE name = $1")
        .bind(name).bind(clean(words)).execute(c).await.map(drop))?;
    Ok(())
}

/// Releases every lease that an earlier start of this, the only gateway, left behind.
///
/// # Errors
/// When the database refuses.
pub async fn release_all(tx: &mut Tx) -> Result<(), StoreError> {
    for sql in [
        "UPDATE mailbox SET leased_until = 0",
        "UPDATE message SET leased_until = 0 WHERE leased_until > 0",
        "UPDATE letter SET leased_until = 0 WHERE leased_until > 0",
        "UPDATE attached_file SET leased_until = 0 WHERE leased_until > 0",
    ] {
        on!(tx, "release all", c => sqlx::query(sql).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// A mailbox as `doctor` and health show it.
#[derive(Debug, Clone, FromRow, serde::Serialize)]
pub struct MailboxRow {
    /// Name.
    pub name: String,
    /// When it was last read to its end, milliseconds.
    pub looked_at: Option<i64>,
    /// What is wrong.
    pub trouble: Option<String>,
}

/// Every mailbox known.
///
/// # Errors
/// When the database refuses.
pub async fn all(db: &Db) -> Result<Vec<MailboxRow>, StoreError> {
    let rows = on!(db, "list the mailboxes", c => sqlx::query_as("SELECT name, looked_at, trouble FROM mailbox ORDER BY name")
        .fetch_all(c).await)?;
    Ok(rows)
}
