//! What services answered, and what officers made of it.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};
use crate::casework::answer::Given;

/// An answer to keep.
#[derive(Debug, Clone)]
pub struct NewAnswer<'a> {
    /// Case row.
    pub case_id: i64,
    /// Request row.
    pub request_id: i64,
    /// The message that it came by; none where it was given on the page.
    pub message_id: Option<i64>,
    /// Who gave it, as they wrote their name.
    pub by_name: Option<&'a str>,
    /// The mailbox that it came from.
    pub by_address: Option<&'a str>,
    /// What it says.
    pub answer: &'a Given,
    /// Whether it waits for an officer.
    pub waits: bool,
}

/// An answer as it is kept.
#[derive(Debug, Clone, FromRow)]
pub struct AnswerRow {
    /// Row.
    pub id: i64,
    /// Request row.
    pub request_id: i64,
    /// Service id.
    pub service: String,
    /// The message that it came by.
    pub message_id: Option<i64>,
    /// When, milliseconds.
    pub given_at: i64,
    /// Who gave it.
    pub by_name: Option<String>,
    /// The mailbox that it came from.
    pub by_address: Option<String>,
    /// What it says, as JSON.
    pub answer: String,
    /// `waiting`, `confirmed`, `sent_back`, `set_aside`.
    pub state: String,
    /// When an officer decided, milliseconds.
    pub decided_at: Option<i64>,
    /// Who.
    pub decided_by: Option<String>,
    /// What it lacks, where it was sent back.
    pub note: Option<String>,
}

impl AnswerRow {
    /// What it says.
    pub fn given(&self) -> Given {
        serde_json::from_str(&self.answer).unwrap_or_default()
    }
}

const ROW: &str = "SELECT a.id, a.request_id, r.service, a.message_id, a.given_at, a.by_name, a.by_address, a.answer,
            a.state, a.decided_at, a.decided_by, a.note
     FROM service_answer a JOIN request r ON r.id = a.request_id";

/// Keeps an answer. Gives its row.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &mut Tx, new: &NewAnswer<'_>, now: Timestamp) -> Result<i64, StoreError> {
    on!(tx, "keep an answer", c => sqlx::query_scalar(
        "INSERT INTO service_answer (case_id, request_id, message_id, given_at, by_name, by_address, answer, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id")
        .bind(new.case_id)
        .bind(new.request_id)
        .bind(new.message_id)
        .bind(now.as_millisecond())
        .bind(new.by_name.map(|name| clean(name).into_owned()))
        .bind(new.by_address.map(|address| clean(address).into_owned()))
        .bind(super::json(new.answer))
        .bind(if new.waits { "waiting" } else { "confirmed" })
        .fetch_one(c).await)
}

/// The answers of a case, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(db: &Db, case: i64) -> Result<Vec<AnswerRow>, StoreError> {
    on!(db, "list a case's answers", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE a.case_id = $1 ORDER BY a.id")))
        .bind(case).fetch_all(c).await)
}

/// The answers to a request, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_request(tx: &mut Tx, request: i64) -> Result<Vec<AnswerRow>, StoreError> {
    on!(tx, "list a request's answers", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE a.request_id = $1 ORDER BY a.id")))
        .bind(request).fetch_all(c).await)
}

/// Whether an answer of a case waits for an officer.
///
/// # Errors
/// When the database refuses.
pub async fn any_waits(tx: &mut Tx, case: i64) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "look for answers that wait", c => sqlx::query_as(
        "SELECT id FROM service_answer WHERE case_id = $1 AND state = 'waiting' LIMIT 1")
        .bind(case).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// What an officer made of answers.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// `confirmed`, `sent_back`, `set_aside`.
    pub state: &'static str,
    /// Who.
    pub by: &'a str,
    /// What they lack.
    pub note: Option<&'a str>,
}

/// Decides the answers to a request that wait. How many there were.
///
/// # Errors
/// When the database refuses.
pub async fn decide(
    tx: &mut Tx,
    request: i64,
    decided: Decided<'_>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    decide_where(tx, ("request_id = $1 AND state = 'waiting'", request), decided, now).await
}

/// Sends the answers to a request back that wait or were confirmed. How many there were.
///
/// # Errors
/// When the database refuses.
pub async fn send_back(
    tx: &mut Tx,
    request: i64,
    (by, note): (&str, &str),
    now: Timestamp,
) -> Result<u64, StoreError> {
    let decided = Decided { state: "sent_back", by, note: Some(note) };
    let which = ("request_id = $1 AND state IN ('waiting', 'confirmed')", request);
    decide_where(tx, which, decided, now).await
}

/// Decides the answers of a whole case that wait.
///
/// # Errors
/// When the database refuses.
pub async fn decide_all(
    tx: &mut Tx,
    case: i64,
    decided: Decided<'_>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    decide_where(tx, ("case_id = $1 AND state = 'waiting'", case), decided, now).await
}

async fn decide_where(
    tx: &mut Tx,
    (which, row): (&'static str, i64),
    decided: Decided<'_>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    on!(tx, "decide answers", c => sqlx::query(sqlx::AssertSqlSafe(format!(
        "UPDATE service_answer SET state = $2, decided_at = $3, decided_by = $4, note = $5 WHERE {which}")))
        .bind(row)
        .bind(decided.state)
        .bind(now.as_millisecond())
        .bind(clean(decided.by).into_owned())
        .bind(decided.note.map(|note| clean(note).into_owned()))
        .execute(c).await.map(super::db::affected))
}
