//! Calendars by which open cases were counted again, and what they moved.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::FromRow;

use super::StoreError;
use super::cases::{self, CaseRow, Clocked, recorded};
use super::db::{Db, ROWS, Tx, on};
use crate::casework::case::Recorded;

/// A change of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ChangeRow {
    /// Row.
    pub id: i64,
    /// Which list of holidays.
    pub version: String,
    /// When, milliseconds.
    pub changed_at: i64,
    /// How many moves an officer was told of.
    pub told: i64,
    /// How many there are.
    pub moves: i64,
}

const CHANGE: &str = "SELECT c.id, c.version, c.changed_at, c.told,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM calendar_move m WHERE m.change_id = c.id) AS moves
    FROM calendar_change c";

/// The newest change: by its calendar the register counts.
///
/// # Errors
/// When the database refuses.
pub async fn current(db: &Db) -> Result<Option<ChangeRow>, StoreError> {
    on!(db, "look the calendar up", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{CHANGE} ORDER BY c.id DESC LIMIT 1")))
        .fetch_optional(c).await)
}

/// The newest change that moved a date.
///
/// # Errors
/// When the database refuses.
pub async fn last_that_moved(db: &Db) -> Result<Option<ChangeRow>, StoreError> {
    on!(db, "look the last move up", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{CHANGE} WHERE c.id = (SELECT MAX(change_id) FROM calendar_move)")))
        .fetch_optional(c).await)
}

/// Whether the register has ever counted by a calendar.
///
/// # Errors
/// When the database refuses.
pub async fn is_known(db: &Db, version: &str) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(db, "look a calendar up", c => sqlx::query_as(
        "SELECT id FROM calendar_change WHERE version = $1 LIMIT 1")
        .bind(version).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Keeps a change after another, or as the first. None when somebody else changed it after the same one.
///
/// # Errors
/// When the database refuses.
pub async fn begin(
    tx: &mut Tx,
    version: &str,
    after: Option<i64>,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let row: Option<(i64,)> = on!(tx, "change the calendar", c => sqlx::query_as(
        "INSERT INTO calendar_change (version, previous, changed_at) VALUES ($1, $2, $3)
         ON CONFLICT (previous) DO NOTHING RETURNING id")
        .bind(version).bind(after.unwrap_or(0)).bind(now.as_millisecond())
        .fetch_optional(c).await)?;
    Ok(row.map(|(id,)| id))
}

/// Whether an open case was counted by another calendar than this.
///
/// # Errors
/// When the database refuses.
pub async fn is_any_behind(db: &Db, version: &str) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(db, "look for cases of another calendar", c => sqlx::query_as(
        "SELECT id FROM complaint_case WHERE status = 'open' AND calendar_version <> $1 LIMIT 1")
        .bind(version).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Open cases that were counted by another calendar than this, after a row, in order.
///
/// # Errors
/// When the database refuses.
pub async fn behind(
    tx: &mut Tx,
    version: &str,
    after: i64,
    most: usize,
) -> Result<Vec<CaseRow>, StoreError> {
    on!(tx, "list cases of another calendar", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{} WHERE status = 'open' AND calendar_version <> $1 AND id > $2 ORDER BY id LIMIT $3",
        cases::ROW)))
        .bind(version).bind(after).bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(c).await)
}

/// What happened to one case, oldest first.
pub type History = Result<Vec<Recorded>, StoreError>;

/// What happened to several cases, each oldest first; of a case with an event that this program does not
/// know, that fault.
///
/// # Errors
/// When the database refuses.
pub async fn histories(tx: &mut Tx, ids: &[i64]) -> Result<HashMap<i64, History>, StoreError> {
    let mut histories: HashMap<i64, History> = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(ROWS) {
        let rows: Vec<(i64, i64, String, String)> = on!(tx, "read the histories of cases", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT case_id, at, actor, detail FROM case_event WHERE case_id IN (");
            let mut list = select.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            select.push(") ORDER BY case_id, id");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        for (case, at, actor, detail) in rows {
            let history = histories.entry(case).or_insert_with(|| Ok(Vec::new()));
            match (history, recorded(case, at, &actor, &detail)) {
                (Ok(events), Ok(event)) => events.push(event),
                (history @ Ok(_), Err(fault)) => *history = Err(fault),
                (Err(_), _) => {}
            }
        }
    }
    Ok(histories)
}

/// Writes the dates of cases as they were counted again, each if nobody changed it since it was read.
/// Gives those that were written: whoever was second writes nothing.
///
/// # Errors
/// When the database refuses.
pub async fn redate(
    tx: &mut Tx,
    cases: &[(&CaseRow, Clocked)],
) -> Result<BTreeSet<i64>, StoreError> {
    let day = |date: Option<Date>| date.map(|date| date.to_string());
    let mut written = BTreeSet::new();
    for some in cases.chunks(ROWS) {
        let rows: Vec<(i64,)> = on!(tx, "count cases again", c => {
            let mut update = sqlx::QueryBuilder::new(
                "UPDATE complaint_case SET acknowledge_by_on = v.column3, target_on = v.column4,
                    standard_due_on = v.column5, agreed_due_on = v.column6, calendar_version = v.column7,
                    version = complaint_case.version + 1
                 FROM (");
            update.push_values(some, |mut row, (case, clock)| {
                row.push_bind(case.id)
                    .push_bind(case.version)
                    .push_bind(clock.acknowledge_by_on.to_string())
                    .push_bind(day(clock.target_on))
                    .push_bind(day(clock.standard_due_on))
                    .push_bind(day(clock.agreed_due_on))
                    .push_bind(clock.calendar_version.clone());
            });
            update.push(
                ") AS v WHERE complaint_case.id = v.column1 AND complaint_case.version = v.column2
                 RETURNING complaint_case.id");
            update.build_query_as().persistent(false).fetch_all(c).await
        })?;
        written.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(written)
}

/// A case whose date a change of the calendar moved.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct Moved {
    /// Case row.
    #[serde(skip)]
    pub case_id: i64,
    /// Reference.
    pub reference: String,
    /// The standard date until then.
    pub standard_before: Option<String>,
    /// The standard date since.
    pub standard_after: Option<String>,
    /// The day that the customer was told, which stays.
    pub promised_on: Option<String>,
    /// Where the new calendar would have that day.
    pub counted_on: Option<String>,
}

/// Records what a change moved. What it moved again keeps where it was first.
///
/// # Errors
/// When the database refuses.
pub async fn record_moves(tx: &mut Tx, change: i64, moved: &[Moved]) -> Result<(), StoreError> {
    for some in moved.chunks(ROWS) {
        on!(tx, "record what the calendar moved", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO calendar_move (change_id, case_id, standard_before, standard_after,
                    promised_on, counted_on) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(change)
                    .push_bind(one.case_id)
                    .push_bind(&one.standard_before)
                    .push_bind(&one.standard_after)
                    .push_bind(&one.promised_on)
                    .push_bind(&one.counted_on);
            });
            insert.push(
                " ON CONFLICT (change_id, case_id) DO UPDATE SET standard_after = excluded.standard_after,
                    promised_on = excluded.promised_on, counted_on = excluded.counted_on");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// What a change moved, in the order in which it falls due.
///
/// # Errors
/// When the database refuses.
pub async fn moves(db: &Db, change: i64) -> Result<Vec<Moved>, StoreError> {
    on!(db, "list what the calendar moved", c => sqlx::query_as(
        "SELECT m.case_id, k.reference, m.standard_before, m.standard_after, m.promised_on, m.counted_on
         FROM calendar_move m JOIN complaint_case k ON k.id = m.case_id
         WHERE m.change_id = $1 ORDER BY COALESCE(m.standard_after, '9999'), m.case_id")
        .bind(change).fetch_all(c).await)
}

/// What an officer has yet to be told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToTell {
    /// How many cases it has moved.
    pub moves: i64,
    /// The task that told of fewer.
    pub task: Option<i64>,
}

/// Takes it upon the caller to tell an officer how many cases a change has moved. None when that is
/// told already.
///
/// # Errors
/// When the database refuses.
pub async fn to_tell(tx: &mut Tx, change: i64) -> Result<Option<ToTell>, StoreError> {
    let row: Option<(i64, Option<i64>)> = on!(tx, "count what the calendar moved", c => sqlx::query_as(
        "UPDATE calendar_change
         SET told = (SELECT CAST(COUNT(*) AS BIGINT) FROM calendar_move WHERE change_id = $1)
         WHERE id = $1
           AND told <> (SELECT CAST(COUNT(*) AS BIGINT) FROM calendar_move WHERE change_id = $1)
         RETURNING told, task_id")
        .bind(change).fetch_optional(c).await)?;
    Ok(row.map(|(moves, task)| ToTell { moves, task }))
}

/// Keeps which task tells of a change.
///
/// # Errors
/// When the database refuses.
pub async fn told_by(tx: &mut Tx, change: i64, task: i64) -> Result<(), StoreError> {
    on!(tx, "keep who was told", c => sqlx::query(
        "UPDATE calendar_change SET task_id = $2 WHERE id = $1")
        .bind(change).bind(task).execute(c).await.map(drop))
}
