//! Messages that may tell of a child at risk: who was called, and whether anybody has opened them.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};
use crate::casework::case::Alarm;

/// A call to whoever is on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlarm {
    /// What they are called to.
    pub about: Alarm,
    /// The address that is called.
    pub called: String,
}

/// Keeps who is called. Once because of a message: one that is settled again rings nobody anew.
///
/// # Errors
/// When the database refuses.
pub async fn raise(tx: &mut Tx, alarm: &NewAlarm, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, "raise an alarm", c => sqlx::query(
        "INSERT INTO alarm (message_id, case_id, called_at, called) VALUES ($1, $2, $3, $4)
         ON CONFLICT (message_id) DO NOTHING")
        .bind(alarm.about.message())
        .bind(alarm.about.case())
        .bind(now.as_millisecond())
        .bind(clean(&alarm.called))
        .execute(c).await.map(drop))
}

/// Records that somebody has opened what they were called to: of a case, all that was typed on its answer page. False
/// when that is known, or when nobody was called to it.
///
/// # Errors
/// When the database refuses.
pub async fn opened(
    tx: &mut Tx,
    alarm: Alarm,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows: Vec<(i64,)> = on!(tx, "record an alarm as opened", c => sqlx::query_as(
        "UPDATE alarm SET opened_at = $3, opened_by = $4
         WHERE opened_at IS NULL AND (message_id = $1 OR case_id = $2) RETURNING id")
        .bind(alarm.message())
        .bind(alarm.case())
        .bind(now.as_millisecond())
        .bind(clean(by))
        .fetch_all(c).await)?;
    Ok(!rows.is_empty())
}

/// What nobody has opened.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Unopened {
    /// Row.
    pub id: i64,
    /// Message row; none where it was typed on the answer page of a case.
    pub message_id: Option<i64>,
    /// The case that it was typed for.
    pub case_id: Option<i64>,
    /// When the first call was queued, milliseconds.
    pub called_at: i64,
    /// Whom it went to.
    pub called: String,
    /// When it came, milliseconds: what is typed calls at once.
    pub received_at: i64,
}

/// What nobody has opened and nobody was called for twice, first call first. Where an officer ended its task,
/// a person has seen it.
const UNOPENED: &str = "SELECT a.id, a.message_id, a.case_id, a.called_at, a.called,
            COALESCE(m.received_at, a.called_at) AS received_at
     FROM alarm a LEFT JOIN message m ON m.id = a.message_id
     WHERE a.opened_at IS NULL AND a.again_at IS NULL
       AND EXISTS (SELECT 1 FROM task t WHERE t.kind = 'safeguarding' AND t.done_at IS NULL
                     AND (t.message_id = a.message_id
                          OR (t.message_id IS NULL AND t.case_id = a.case_id)))";

/// The first alarm that somebody else may have to be called for.
///
/// # Errors
/// When the database refuses.
pub async fn first(db: &Db) -> Result<Option<Unopened>, StoreError> {
    on!(db, "look at alarms", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{UNOPENED} ORDER BY a.called_at, a.id LIMIT 1")))
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
        "{UNOPENED} AND a.called_at <= $1 ORDER BY a.called_at, a.id")))
        .bind(called_until.as_millisecond()).fetch_all(c).await)?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        let ours: Option<(i64,)> = on!(tx, "call again", c => sqlx::query_as(
            "UPDATE alarm SET again_at = $2
             WHERE id = $1 AND again_at IS NULL AND opened_at IS NULL RETURNING id")
            .bind(row.id).bind(now.as_millisecond()).fetch_optional(c).await)?;
        if ours.is_some() {
            taken.push(row);
        }
    }
    Ok(taken)
}
