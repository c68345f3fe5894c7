//! What a mailbox has typed of an answer on the answer page and not sent yet.
//!
//! It belongs to the mailbox and not to one link: every link to it asks for a code that goes there. It goes with its
//! request: when that is answered, or is over, `store::requests` drops it.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Tx, clean, on};

/// What was typed.
#[derive(Debug, Clone, FromRow)]
pub struct DraftRow {
    /// The fields of the form, as JSON.
    pub typed: String,
    /// When it was last saved, milliseconds.
    pub saved_at: i64,
}

/// Keeps what was typed, in place of what was typed before.
///
/// # Errors
/// When the database refuses.
pub async fn save(
    tx: &mut Tx,
    (request, recipient): (i64, &str),
    typed: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "save a draft", c => sqlx::query(
        "INSERT INTO answer_draft (request_id, recipient, typed, saved_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (request_id, recipient) DO UPDATE SET typed = excluded.typed,
           saved_at = excluded.saved_at")
        .bind(request)
        .bind(clean(recipient).into_owned())
        .bind(clean(typed).into_owned())
        .bind(now.as_millisecond())
        .execute(c).await.map(drop))
}

/// What a mailbox has typed for a request.
///
/// # Errors
/// When the database refuses.
pub async fn of(
    tx: &mut Tx,
    request: i64,
    recipient: &str,
) -> Result<Option<DraftRow>, StoreError> {
    on!(tx, "look a draft up", c => sqlx::query_as(
        "SELECT typed, saved_at FROM answer_draft WHERE request_id = $1 AND recipient = $2")
        .bind(request).bind(clean(recipient).into_owned()).fetch_optional(c).await)
}

/// Drops what a mailbox typed for a request.
///
/// # Errors
/// When the database refuses.
pub async fn drop_of_mailbox(tx: &mut Tx, request: i64, recipient: &str) -> Result<(), StoreError> {
    on!(tx, "drop a draft", c => sqlx::query(
        "DELETE FROM answer_draft WHERE request_id = $1 AND recipient = $2")
        .bind(request).bind(clean(recipient).into_owned()).execute(c).await.map(drop))
}

/// Drops what anybody typed for a request.
///
/// # Errors
/// When the database refuses.
pub async fn drop_of(tx: &mut Tx, request: i64) -> Result<(), StoreError> {
    on!(tx, "drop drafts", c => sqlx::query("DELETE FROM answer_draft WHERE request_id = $1")
        .bind(request).execute(c).await.map(drop))
}

/// Drops what anybody typed for a case.
///
/// # Errors
/// When the database refuses.
pub async fn drop_of_case(tx: &mut Tx, case: i64) -> Result<(), StoreError> {
    on!(tx, "drop a case's drafts", c => sqlx::query(
        "DELETE FROM answer_draft WHERE request_id IN (SELECT id FROM request WHERE case_id = $1)")
        .bind(case).execute(c).await.map(drop))
}
