//! Messages as lists and counts show them.

use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, on};

/// A message as lists show it.
#[derive(Debug, Clone, FromRow, serde::Serialize, utoipa::ToSchema)]
pub struct MessageRow {
    /// Row.
    pub id: i64,
    /// State.
    pub state: String,
    /// Receipt, in milliseconds.
    pub received_at: i64,
    /// Size.
    pub size_bytes: i64,
    /// What it is.
    pub kind: Option<String>,
    /// Who wrote.
    pub sender: Option<String>,
    /// About what.
    pub subject: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What went wrong.
    pub trouble: Option<String>,
    /// Whether it is answered, and why.
    pub acknowledge_reason: Option<String>,
    /// Whether its address is the sender's own: `unknown`, `proven`, `failed`.
    pub sender_proof: Option<String>,
}

const ROW: &str =
    "SELECT id, state, received_at, size_bytes, kind, sender, subject, action, reason,
                   trouble, acknowledge_reason, sender_proof FROM message";

/// What waits for a person: triage and quarantine, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn waiting_for_a_person(db: &Db) -> Result<Vec<MessageRow>, StoreError> {
    let rows = on!(db, "waiting for a person", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE state = 'quarantined' OR (state = 'done' AND action = 'triage') ORDER BY id")))
        .fetch_all(c).await)?;
    Ok(rows)
}

/// The messages of a case, in order of arrival.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(db: &Db, case: i64) -> Result<Vec<MessageRow>, StoreError> {
    let rows = on!(db, "of case", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE case_id = $1 ORDER BY received_at, id")))
        .bind(case).fetch_all(c).await)?;
    Ok(rows)
}

/// How many messages there are in each state and of each action.
///
/// # Errors
/// When the database refuses.
pub async fn counts(db: &Db) -> Result<Vec<(String, String, i64)>, StoreError> {
    let rows = on!(db, "counts", c => sqlx::query_as(
        "SELECT state, COALESCE(action, ''), CAST(COUNT(*) AS BIGINT) FROM message
         GROUP BY state, COALESCE(action, '') ORDER BY 1, 2")
        .fetch_all(c).await)?;
    Ok(rows)
}
