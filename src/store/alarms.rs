//! Messages that may tell of a child at risk: who was called, and whether anybody has opened them.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};

/// A call to whoever is on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlarm {
    /// Message row.
    pub message: i64,
    /// The address that is called.
    pub called: String,
}

/// Keeps who is called because of a message. Once: a message that is settled again rings nobody anew.
///
/// # Errors
/// When the database refuses.
pub async fn raise(tx: &mut Tx, alarm: &NewAlarm, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, "raise an alarm", c => sqlx::query(
        "INSERT INTO alarm (message_id, called_at, called) VALUES ($1, $2, $3)
         ON CONFLICT (message_id) DO NOTHING")
        .bind(alarm.message)
        .bind(now.as_millisecond())
        .bind(clean(&alarm.called))
        .execute(c).await.map(drop))
}

/// Records that somebody has opened a message. False when that is known, or when nobody was called for it.
///
/// # Errors
/// When the database refuses.
pub async fn opened(
    tx: &mut Tx,
    message: i64,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "record an alarm as opened", c => sqlx::query_as(
        "UPDATE alarm SET opened_at = $2, opened_by = $3
         WHERE message_id = $1 AND opened_at IS NULL RETURNING message_id")
        .bind(message)
        .bind(now.as_millisecond())
        .bind(clean(by))
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// A message that nobody has opened.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Unopened {
    /// Message row.
    pub message_id: i64,
    /// When the first call was queued, milliseconds.
    pub called_at: i64,
    /// Whom it went to.
    pub called: String,
    /// When the message came, milliseconds.
    pub received_at: i64,
}

/// What nobody has opened and nobody was called for twice, first call first. Where an officer ended its task,
/// a person has seen it.
const UNOPENED: &str = "SELECT a.message_id, a.called_at, a.called, m.received_at
     FROM alarm a JOIN message m ON m.id = a.message_id
     WHERE a.opened_at IS NULL AND a.again_at IS NULL
       AND EXISTS (SELECT 1 FROM task t WHERE t.message_id = a.message_id
                     AND t.kind = 'safeguarding' AND t.done_at IS NULL)";

/// The first alarm that somebody else may have to be called for.
///
/// # Errors
/// When the database refuses.
pub async fn first(db: &Db) -> Result<Option<Unopened>, StoreError> {
    on!(db, "look at alarms", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{UNOPENED} ORDER BY a.called_at, a.message_id LIMIT 1")))
        .fetch_optional(c).await)
}

/// Takes the alarms whose first call was queued at or before a moment: the second is made in this transaction.
///
/// # Errors
/// When the database refuses.
pub async fn take(
    tx: &mut Tx,
    called_until: Timestamp,
    now: Timestamp,
) -> Result<Vec<Unopened>, StoreError> {
    let rows: Vec<Unopened> = on!(tx, "list alarms", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{UNOPENED} AND a.called_at <= $1 ORDER BY a.called_at, a.message_id")))
        .bind(called_until.as_millisecond()).fetch_all(c).await)?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        let ours: Option<(i64,)> = on!(tx, "call again", c => sqlx::query_as(
            "UPDATE alarm SET again_at = $2
             WHERE message_id = $1 AND again_at IS NULL AND opened_at IS NULL RETURNING message_id")
            .bind(row.message_id).bind(now.as_millisecond()).fetch_optional(c).await)?;
        if ours.is_some() {
            taken.push(row);
        }
    }
    Ok(taken)
}
