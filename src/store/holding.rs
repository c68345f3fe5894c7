//! Holding letters: what a customer was promised, and what instead.

use jiff::civil::Date;
use sqlx::FromRow;

use super::StoreError;
use super::cases::{CaseRow, ROW};
use super::db::{Db, Tx, on};

/// What such a letter is in the outbox.
pub const PURPOSE: &str = "holding";

/// A holding letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHolding<'a> {
    /// The key of its letter.
    pub once_key: &'a str,
    /// Case row.
    pub case_id: i64,
    /// The day that was promised.
    pub was_due: Date,
    /// The day that the letter names.
    pub answer_by: Date,
}

/// Keeps a holding letter. False when one of its key is kept.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &mut Tx, new: &NewHolding<'_>) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "keep a holding letter", c => sqlx::query_as(
        "INSERT INTO holding (once_key, case_id, was_due, answer_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (once_key) DO NOTHING RETURNING case_id")
        .bind(new.once_key)
        .bind(new.case_id)
        .bind(new.was_due.to_string())
        .bind(new.answer_by.to_string())
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// A holding letter as a case shows it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, serde::Serialize, utoipa::ToSchema)]
pub struct HoldingRow {
    /// Its number in the outbox.
    pub letter: i64,
    /// Its state there: `held` until an officer releases it, `queued`, `sent`, `cancelled`, …
    pub state: String,
    /// The day that was promised.
    pub was_due: String,
    /// The day that it names instead.
    pub answer_by: String,
}

/// The holding letters of a case, in order.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(db: &Db, case: i64) -> Result<Vec<HoldingRow>, StoreError> {
    on!(db, "list holding letters", c => sqlx::query_as(
        "SELECT l.id AS letter, l.state, h.was_due, h.answer_by
         FROM holding h JOIN letter l ON l.once_key = h.once_key WHERE h.case_id = $1 ORDER BY l.id")
        .bind(case).fetch_all(c).await)
}

/// The day that the last holding letter of a case names which left, or is about to.
const NAMED: &str =
    "(SELECT MAX(h.answer_by) FROM holding h JOIN letter l ON l.once_key = h.once_key
     WHERE h.case_id = complaint_case.id AND l.state IN ('queued', 'sent'))";

/// The day by which a customer expects to hear: the one named last, else the one agreed. None while the clock
/// stands still.
///
/// # Errors
/// When the database refuses.
pub async fn expected(tx: &mut Tx, case: i64) -> Result<Option<String>, StoreError> {
    let row: Option<(Option<String>,)> = on!(tx, "look up a promise", c => sqlx::query_as(
        sqlx::AssertSqlSafe(format!(
            "SELECT CASE WHEN {NAMED} > agreed_due_on THEN {NAMED} ELSE agreed_due_on END
             FROM complaint_case WHERE id = $1")))
        .bind(case).fetch_optional(c).await)?;
    Ok(row.and_then(|(day,)| day))
}

/// The open cases whose customers expect to hear within some days, both included.
///
/// # Errors
/// When the database refuses.
pub async fn expected_within(
    tx: &mut Tx,
    from: Date,
    until: Date,
) -> Result<Vec<CaseRow>, StoreError> {
    on!(tx, "list what is promised", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE status = 'open' AND agreed_due_on IS NOT NULL AND agreed_due_on <= $2
           AND CASE WHEN {NAMED} > agreed_due_on THEN {NAMED} ELSE agreed_due_on END BETWEEN $1 AND $2
         ORDER BY id")))
        .bind(from.to_string()).bind(until.to_string()).fetch_all(c).await)
}

/// Takes the drafts of a case's holding letters back: it is answered, over, or another letter goes. Gives how
/// many there were.
///
/// # Errors
/// When the database refuses.
pub async fn drop_drafts(tx: &mut Tx, case: i64, why: &str) -> Result<u64, StoreError> {
    on!(tx, "drop drafts", c => sqlx::query(
        "UPDATE letter SET state = 'cancelled', last_cause = $2
         WHERE case_id = $1 AND purpose = 'holding' AND state = 'held'")
        .bind(case).bind(why).execute(c).await.map(super::db::affected))
}
