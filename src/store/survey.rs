//! What a period of the register comes to: for whoever counts it, not for the gateway's own work.

use jiff::civil::Date;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, on};

/// A case with the file of the message that opened it.
#[derive(Debug, Clone, FromRow)]
pub struct Opened {
    /// Row.
    pub id: i64,
    /// Reference.
    pub reference: String,
    /// Record type id.
    pub record_type: String,
    /// Lead service id.
    pub lead_service: String,
    /// Customer type id.
    pub customer_type: String,
    /// JSON list.
    pub flags: String,
    /// Whether a person must look.
    pub needs_officer: bool,
    /// The day of receipt.
    pub received_on: String,
    /// Its name in the Maildir that it came from.
    pub file_key: String,
}

/// The cases opened since the one of this row, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn opened_after(db: &Db, id: i64) -> Result<Vec<Opened>, StoreError> {
    on!(db, "list new cases", c => sqlx::query_as(
        "SELECT k.id, k.reference, k.record_type, k.lead_service, k.customer_type, k.flags, k.needs_officer,
                k.received_on, d.file_key
         FROM complaint_case k JOIN delivery d ON d.message_id = k.opened_by
         WHERE k.id > $1 ORDER BY k.id")
        .bind(id).fetch_all(c).await)
}

/// A case whose customer waits for an answer that no service has given.
#[derive(Debug, Clone, FromRow)]
pub struct Waiting {
    /// Row.
    pub id: i64,
    /// Reference.
    pub reference: String,
    /// The day told to the customer.
    pub agreed_due_on: String,
    /// The last day of its procedure.
    pub standard_due_on: Option<String>,
}

/// The open cases whose day is this one or an earlier one, and of which a request is unanswered.
///
/// # Errors
/// When the database refuses.
pub async fn unanswered_by(db: &Db, day: Date) -> Result<Vec<Waiting>, StoreError> {
    on!(db, "list unanswered cases", c => sqlx::query_as(
        "SELECT id, reference, agreed_due_on, standard_due_on FROM complaint_case
         WHERE status = 'open' AND agreed_due_on <= $1
           AND id IN (SELECT case_id FROM request WHERE state IN ('asked', 'accepted'))
         ORDER BY id")
        .bind(day.to_string()).fetch_all(c).await)
}

/// A letter, without its text.
#[derive(Debug, Clone, FromRow)]
pub struct Sent {
    /// Row.
    pub id: i64,
    /// What for.
    pub purpose: String,
    /// To whom.
    pub recipient: String,
    /// Its state.
    pub state: String,
    /// When it left, milliseconds.
    pub sent_at: Option<i64>,
}

/// Every letter, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn letters(db: &Db) -> Result<Vec<Sent>, StoreError> {
    on!(db, "list letters", c => sqlx::query_as(
        "SELECT id, purpose, recipient, state, sent_at FROM letter ORDER BY id")
        .fetch_all(c).await)
}

/// A rung of a request, recorded.
#[derive(Debug, Clone, FromRow)]
pub struct Climbed {
    /// Request row.
    pub request_id: i64,
    /// Rung id.
    pub rung: String,
    /// The day it fell on.
    pub fell_on: String,
    /// `sent` or `skipped`.
    pub outcome: String,
    /// When it was recorded, milliseconds.
    pub recorded_at: i64,
}

/// Every rung of every request, in the order in which they were recorded.
///
/// # Errors
/// When the database refuses.
pub async fn rungs(db: &Db) -> Result<Vec<Climbed>, StoreError> {
    on!(db, "list rungs", c => sqlx::query_as(
        "SELECT request_id, rung, fell_on, outcome, recorded_at FROM rung ORDER BY recorded_at, request_id, rung")
        .fetch_all(c).await)
}

/// Lets a store that can be made anew go without waiting for the disk: what a power failure would lose is
/// lost. For simulations; `PostgreSQL` stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn trust_the_power(db: &Db) -> Result<(), StoreError> {
    db.writer_pragma("PRAGMA synchronous = OFF").await
}
