//! What a person must do because the gateway must not.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, ROWS, Tx, clean, on};
use crate::casework::allocation::Handover;

/// A task for an officer.
#[derive(Debug, Clone, Default)]
pub struct NewTask<'a> {
    /// `acknowledge_by_hand`, `letter_failed`, `safeguarding`, …
    pub kind: &'a str,
    /// Case row.
    pub case_id: Option<i64>,
    /// Message row.
    pub message_id: Option<i64>,
    /// Letter row.
    pub letter_id: Option<i64>,
    /// What to do, naming nobody.
    pub words: Cow<'a, str>,
}

impl NewTask<'_> {
    /// What is said of cases that changed hands: whoever gets one of a child at risk reads it that day.
    pub fn of_handovers(moves: &[Handover]) -> Vec<Self> {
        let at_risk = moves.iter().filter(|one| one.safeguarding);
        at_risk
            .map(|one| Self {
                kind: "handed_over",
                case_id: Some(one.case),
                words: format!(
                    "a child may be at risk, and the case has gone to {}: they read it today",
                    one.to
                )
                .into(),
                ..Self::default()
            })
            .collect()
    }
}

/// Adds a task.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &mut Tx, task: &NewTask<'_>, now: Timestamp) -> Result<i64, StoreError> {
    let (id,): (i64,) = on!(tx, "add", c => sqlx::query_as(
        "INSERT INTO task (kind, case_id, message_id, letter_id, words, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id")
        .bind(task.kind)
        .bind(task.case_id)
        .bind(task.message_id)
        .bind(task.letter_id)
        .bind(clean(&task.words))
        .bind(now.as_millisecond())
        .fetch_one(c).await)?;
    Ok(id)
}

/// Adds tasks.
///
/// # Errors
/// When the database refuses.
pub async fn add_all(tx: &mut Tx, tasks: &[NewTask<'_>], now: Timestamp) -> Result<(), StoreError> {
    for some in tasks.chunks(ROWS) {
        on!(tx, "add tasks", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO task (kind, case_id, message_id, letter_id, words, created_at) ");
            insert.push_values(some, |mut row, task| {
                row.push_bind(task.kind)
                    .push_bind(task.case_id)
                    .push_bind(task.message_id)
                    .push_bind(task.letter_id)
                    .push_bind(clean(&task.words).into_owned())
                    .push_bind(now.as_millisecond());
            });
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Adds a task unless one was added in the same words before. Whether it was added.
///
/// # Errors
/// When the database refuses.
pub async fn add_once(tx: &mut Tx, task: &NewTask<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let known: Option<(i64,)> = on!(tx, "look a task up", c => sqlx::query_as(
        "SELECT id FROM task WHERE kind = $1 AND words = $2 LIMIT 1")
        .bind(task.kind).bind(task.words.as_ref()).fetch_optional(c).await)?;
    if known.is_none() {
        add(tx, task, now).await?;
    }
    Ok(known.is_none())
}

/// Adds those tasks of one kind of which none in the same words is still to do.
///
/// # Errors
/// When the database refuses.
pub async fn add_missing(
    tx: &mut Tx,
    kind: &str,
    tasks: &[NewTask<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut missing = Vec::with_capacity(tasks.len());
    for some in tasks.chunks(ROWS) {
        let known: Vec<(String,)> = on!(tx, "look tasks up", c => {
            let mut select =
                sqlx::QueryBuilder::new("SELECT words FROM task WHERE done_at IS NULL AND kind = ");
            select.push_bind(kind.to_owned()).push(" AND words IN (");
            let mut list = select.separated(", ");
            for task in some {
                list.push_bind(clean(&task.words).into_owned());
            }
            select.push(")");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        let mut known: BTreeSet<String> = known.into_iter().map(|(words,)| words).collect();
        let new = some.iter().filter(|task| known.insert(clean(&task.words).into_owned()));
        missing.extend(new.map(|task| NewTask { kind, ..task.clone() }));
    }
    add_all(tx, &missing, now).await
}

/// Ends the tasks of a kind; only those about one letter, where one is named.
///
/// # Errors
/// When the database refuses.
pub async fn finish(
    tx: &mut Tx,
    kind: &str,
    letter: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "end tasks", c => sqlx::query(
        "UPDATE task SET done_at = $3
         WHERE kind = $1 AND done_at IS NULL AND (CAST($2 AS BIGINT) IS NULL OR letter_id = $2)")
        .bind(kind).bind(letter).bind(now.as_millisecond()).execute(c).await.map(drop))?;
    Ok(())
}

/// The kinds of a case's open tasks.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(tx: &mut Tx, case: i64) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> = on!(tx, "list a case's tasks", c => sqlx::query_as(
        "SELECT DISTINCT kind FROM task WHERE case_id = $1 AND done_at IS NULL ORDER BY kind")
        .bind(case).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(kind,)| kind).collect())
}

/// When the last task of a kind of a case was ended, in milliseconds; none where one is open, or none ever was.
///
/// # Errors
/// When the database refuses.
pub async fn ended_of_case(tx: &mut Tx, case: i64, kind: &str) -> Result<Option<i64>, StoreError> {
    let (open, ended): (i64, Option<i64>) = on!(tx, "look for a case's ended tasks", c => sqlx::query_as(
        "SELECT CAST(COUNT(*) - COUNT(done_at) AS BIGINT), CAST(MAX(done_at) AS BIGINT)
         FROM task WHERE case_id = $1 AND kind = $2")
        .bind(case).bind(kind).fetch_one(c).await)?;
    Ok(ended.filter(|_| open == 0))
}

/// Ends the tasks of one case of these kinds.
///
/// # Errors
/// When the database refuses.
pub async fn finish_of_case(
    tx: &mut Tx,
    case: i64,
    kinds: &[&str],
    now: Timestamp,
) -> Result<(), StoreError> {
    let open: Vec<(i64, String)> = on!(tx, "list a case's tasks", c => sqlx::query_as(
        "SELECT id, kind FROM task WHERE case_id = $1 AND done_at IS NULL")
        .bind(case).fetch_all(c).await)?;
    for (id, kind) in open {
        if kinds.contains(&kind.as_str()) {
            done(tx, id, now).await?;
        }
    }
    Ok(())
}

/// Ends the tasks of a kind about one message.
///
/// # Errors
/// When the database refuses.
pub async fn finish_of_message(
    tx: &mut Tx,
    message: i64,
    kind: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "end a message's tasks", c => sqlx::query(
        "UPDATE task SET done_at = $3 WHERE message_id = $1 AND kind = $2 AND done_at IS NULL")
        .bind(message).bind(kind).bind(now.as_millisecond()).execute(c).await.map(drop))
}

/// Ends a task. Its kind, and its case; none where it is not open.
///
/// # Errors
/// When the database refuses.
pub async fn done(
    tx: &mut Tx,
    id: i64,
    now: Timestamp,
) -> Result<Option<(String, Option<i64>)>, StoreError> {
    on!(tx, "end a task", c => sqlx::query_as(
        "UPDATE task SET done_at = $2 WHERE id = $1 AND done_at IS NULL RETURNING kind, case_id")
        .bind(id).bind(now.as_millisecond()).fetch_optional(c).await)
}

/// Puts a task in other words. It is to do again, if it was done.
///
/// # Errors
/// When the database refuses.
pub async fn reword(tx: &mut Tx, id: i64, words: &str) -> Result<(), StoreError> {
    on!(tx, "put a task in other words", c => sqlx::query(
        "UPDATE task SET words = $2, done_at = NULL WHERE id = $1")
        .bind(id).bind(clean(words)).execute(c).await.map(drop))
}

/// The cases of which a task of a kind is open.
///
/// # Errors
/// When the database refuses.
pub async fn cases_of(tx: &mut Tx, kind: &str) -> Result<BTreeSet<i64>, StoreError> {
    let rows: Vec<(i64,)> = on!(tx, "list the cases of a kind of task", c => sqlx::query_as(
        "SELECT DISTINCT case_id FROM task
         WHERE kind = $1 AND done_at IS NULL AND case_id IS NOT NULL")
        .bind(kind).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(case,)| case).collect())
}

/// The open tasks of a kind: row and words.
///
/// # Errors
/// When the database refuses.
pub async fn of_kind(db: &Db, kind: &str) -> Result<Vec<(i64, String)>, StoreError> {
    on!(db, "list a kind of task", c => sqlx::query_as(
        "SELECT id, words FROM task WHERE kind = $1 AND done_at IS NULL ORDER BY id")
        .bind(kind).fetch_all(c).await)
}

/// A task as lists show it.
#[derive(Debug, Clone, FromRow, serde::Serialize, utoipa::ToSchema)]
pub struct TaskRow {
    /// Row.
    pub id: i64,
    /// Kind.
    pub kind: String,
    /// The case's reference.
    pub reference: Option<String>,
    /// Message row.
    pub message_id: Option<i64>,
    /// What to do.
    pub words: String,
    /// Since when, milliseconds.
    pub created_at: i64,
}

/// What is still to do, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn open(db: &Db) -> Result<Vec<TaskRow>, StoreError> {
    let rows = on!(db, "write or list", c => sqlx::query_as(
        "SELECT t.id, t.kind, k.reference, t.message_id, t.words, t.created_at
         FROM task t LEFT JOIN complaint_case k ON k.id = t.case_id
         WHERE t.done_at IS NULL ORDER BY t.id")
        .fetch_all(c).await)?;
    Ok(rows)
}
