//! What may stand in the way of a case, and what its customer was asked about that.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, ROWS, Tx, on};

/// A gate that a case meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProposal {
    /// Case row.
    pub case_id: i64,
    /// The gate's id.
    pub gate: &'static str,
    /// JSON list of the evidence.
    pub evidence: String,
}

/// Records the gates that cases meet, each once.
///
/// # Errors
/// When the database refuses.
pub async fn propose(
    tx: &mut Tx,
    proposals: &[NewProposal],
    now: Timestamp,
) -> Result<(), StoreError> {
    for some in proposals.chunks(ROWS) {
        on!(tx, "propose", c => {
            let mut insert =
                sqlx::QueryBuilder::new("INSERT INTO proposal (case_id, gate, evidence, made_at) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(one.case_id).push_bind(one.gate).push_bind(&one.evidence)
                    .push_bind(now.as_millisecond());
            });
            insert.push(" ON CONFLICT (case_id, gate) DO NOTHING");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// A proposal as lists show it.
#[derive(Debug, Clone, FromRow, serde::Serialize)]
pub struct ProposalRow {
    /// The case's reference.
    pub reference: String,
    /// The gate's id.
    pub gate: String,
    /// JSON list of the evidence.
    pub evidence: String,
    /// `taken`, `dismissed`; none while nobody has decided.
    pub answer: Option<String>,
}

const ROW: &str = "SELECT k.reference, p.gate, p.evidence, p.answer
     FROM proposal p JOIN complaint_case k ON k.id = p.case_id";

/// Whether anything of a case's first stage that may stand in its way is undecided.
///
/// # Errors
/// When the database refuses.
pub async fn any_undecided(tx: &mut Tx, case: i64) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "look for undecided proposals", c => sqlx::query_as(
        "SELECT p.id FROM proposal p JOIN complaint_case k ON k.id = p.case_id
         WHERE p.case_id = $1 AND p.answer IS NULL AND k.stage = 1 LIMIT 1")
        .bind(case).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// What nobody has decided yet, oldest first. Past its first stage a case was taken on.
///
/// # Errors
/// When the database refuses.
pub async fn open(db: &Db) -> Result<Vec<ProposalRow>, StoreError> {
    on!(db, "list proposals", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE p.answer IS NULL AND k.status = 'open' AND k.stage = 1 ORDER BY p.id")))
        .fetch_all(c).await)
}

/// What was proposed for a case.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(db: &Db, case: i64) -> Result<Vec<ProposalRow>, StoreError> {
    on!(db, "list a case's proposals", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE p.case_id = $1 ORDER BY p.id")))
        .bind(case).fetch_all(c).await)
}

/// Records what an officer made of a proposal. False when there is none that is open.
///
/// # Errors
/// When the database refuses.
pub async fn answer(
    tx: &mut Tx,
    case: i64,
    gate: &str,
    answer: &'static str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "answer a proposal", c => sqlx::query_as(
        "UPDATE proposal SET answer = $3, answered_at = $4
         WHERE case_id = $1 AND gate = $2 AND answer IS NULL RETURNING id")
        .bind(case).bind(gate).bind(answer).bind(now.as_millisecond()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// What a customer was asked.
#[derive(Debug, Clone, FromRow, serde::Serialize, utoipa::ToSchema)]
pub struct AwaitedRow {
    /// Row.
    #[serde(skip)]
    pub id: i64,
    /// Case row.
    #[serde(skip)]
    pub case_id: i64,
    /// `authority`, `details`, `name`.
    pub needed: String,
    /// The day it was asked.
    pub asked_on: String,
    /// The day on which they are reminded, once.
    pub remind_on: String,
    /// The last day of waiting.
    pub until_on: String,
    /// When they were reminded, milliseconds.
    pub reminded_at: Option<i64>,
    /// When it was over, milliseconds.
    pub ended_at: Option<i64>,
}

const AWAITED: &str =
    "SELECT id, case_id, needed, asked_on, remind_on, until_on, reminded_at, ended_at
     FROM awaited";

/// Records that a customer was asked. False when they had been asked for that before.
///
/// # Errors
/// When the database refuses.
pub async fn ask(
    tx: &mut Tx,
    case: i64,
    needed: &'static str,
    (asked_on, remind_on, until_on): (Date, Date, Date),
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "ask a customer", c => sqlx::query_as(
        "INSERT INTO awaited (case_id, needed, asked_on, remind_on, until_on)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (case_id, needed) DO NOTHING RETURNING id")
        .bind(case).bind(needed).bind(asked_on.to_string()).bind(remind_on.to_string())
        .bind(until_on.to_string()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// What the customer of a case was asked.
///
/// # Errors
/// When the database refuses.
pub async fn awaited_of(db: &Db, case: i64) -> Result<Vec<AwaitedRow>, StoreError> {
    on!(db, "list what is awaited", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{AWAITED} WHERE case_id = $1 ORDER BY id")))
        .bind(case).fetch_all(c).await)
}

/// What is still waited for and comes to its reminder, or its end, on a day.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &mut Tx, today: Date) -> Result<Vec<AwaitedRow>, StoreError> {
    on!(tx, "list what falls due", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{AWAITED} WHERE ended_at IS NULL AND told_at IS NULL
           AND ((reminded_at IS NULL AND remind_on <= $1) OR until_on < $1) ORDER BY id")))
        .bind(today.to_string()).fetch_all(c).await)
}

/// Records that a customer was reminded.
///
/// # Errors
/// When the database refuses.
pub async fn reminded(tx: &mut Tx, id: i64, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, "record a reminder", c => sqlx::query("UPDATE awaited SET reminded_at = $2 WHERE id = $1")
        .bind(id).bind(now.as_millisecond()).execute(c).await.map(drop))
}

/// Records that a person was told that nothing came.
///
/// # Errors
/// When the database refuses.
pub async fn told(tx: &mut Tx, id: i64, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, "record that nothing came", c => sqlx::query("UPDATE awaited SET told_at = $2 WHERE id = $1")
        .bind(id).bind(now.as_millisecond()).execute(c).await.map(drop))
}

/// Ends all waiting for the customer of a case. Whether there was any.
///
/// # Errors
/// When the database refuses.
pub async fn end(tx: &mut Tx, case: i64, now: Timestamp) -> Result<bool, StoreError> {
    let rows: Vec<(i64,)> = on!(tx, "end waiting", c => sqlx::query_as(
        "UPDATE awaited SET ended_at = $2 WHERE case_id = $1 AND ended_at IS NULL RETURNING id")
        .bind(case).bind(now.as_millisecond()).fetch_all(c).await)?;
    Ok(!rows.is_empty())
}
