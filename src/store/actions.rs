//! What was agreed because of complaints, and who was reminded of it.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};
use super::tasks;
use crate::casework::case::{Action, Owner};
use crate::casework::vocabulary::{ServiceId, SubTheme, Theme};

/// The kind of task that asks an officer to see to an action.
pub const TASK: &str = "action";

/// The kind of task that says that who sees to an action wrote.
pub const REPLY: &str = "action_reply";

/// As what somebody is a party to a case who was reminded of an action.
pub const PARTY: &str = "action";

/// An action as lists show it.
#[derive(Debug, Clone, FromRow, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Action)]
pub struct ActionRow {
    /// Row.
    pub id: i64,
    /// Case row.
    pub case_id: i64,
    /// The case's reference.
    pub reference: String,
    /// Its number within the case, from 1.
    pub number: i64,
    /// What is to be done.
    pub what: String,
    /// The theme of the issue that it puts right.
    pub theme: Option<String>,
    /// What exactly within the theme.
    pub part: Option<String>,
    /// The service that it is for.
    pub service: Option<String>,
    /// The service whose responding manager owns it.
    pub owner_service: Option<String>,
    /// The person who owns it, where it is no service.
    pub owner_name: Option<String>,
    /// Where mail reaches that person.
    pub owner_address: Option<String>,
    /// `open`, `done`, `dropped`.
    pub state: String,
    /// When it was agreed.
    pub agreed_on: String,
    /// By when.
    pub due_on: String,
    /// Which date this is, from 1.
    pub round: i64,
    /// When it was done or dropped.
    pub ended_on: Option<String>,
    /// How it is known that it was done.
    pub evidence: Option<String>,
    /// The message (`17`) or attachment (`17/1`) that shows it.
    pub message: Option<String>,
    /// The service that leads the answer of its case.
    pub lead_service: String,
    /// The area for which its service was asked last about the case.
    pub area: Option<String>,
}

const ROW: &str =
    "SELECT a.id, a.case_id, k.reference, a.number, a.what, a.theme, a.part, a.service,
            a.owner_service, a.owner_name, a.owner_address, a.state, a.agreed_on, a.due_on, a.round,
            a.ended_on, a.evidence, a.message, k.lead_service,
            (SELECT r.area FROM request r
             WHERE r.case_id = a.case_id AND r.service = COALESCE(a.owner_service, a.service, k.lead_service)
             ORDER BY r.round DESC LIMIT 1) AS area
     FROM action a JOIN complaint_case k ON k.id = a.case_id";

/// Writes what an action has become.
///
/// # Errors
/// When the database refuses.
pub async fn put(tx: &mut Tx, case: i64, action: &Action) -> Result<(), StoreError> {
    let (owner_service, owner) = match &action.owner {
        Owner::Service(service) => (Some(service.as_str()), None),
        Owner::Person { name, address } => (None, Some((name, address))),
    };
    let words = |text: &str| clean(text).into_owned();
    let address = owner.and_then(|(_, address)| address.as_ref());
    on!(tx, "write an action", c => sqlx::query(
        "INSERT INTO action (case_id, number, what, theme, part, service, owner_service, owner_name,
             owner_address, state, agreed_on, due_on, round, ended_on, evidence, message)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (case_id, number) DO UPDATE SET state = excluded.state, due_on = excluded.due_on,
             round = excluded.round, ended_on = excluded.ended_on, evidence = excluded.evidence,
             message = excluded.message")
        .bind(case)
        .bind(i64::from(action.number))
        .bind(words(&action.what))
        .bind(action.purpose.theme.map(Theme::id))
        .bind(action.purpose.part.map(SubTheme::id))
        .bind(action.purpose.service.as_ref().map(ServiceId::as_str))
        .bind(owner_service)
        .bind(owner.map(|(name, _)| words(name)))
        .bind(address.map(|address| words(address).to_lowercase()))
        .bind(action.state.id())
        .bind(action.agreed_on.to_string())
        .bind(action.due_on.to_string())
        .bind(i64::from(action.round))
        .bind(action.ended_on.map(|day| day.to_string()))
        .bind(action.evidence.as_ref().map(|evidence| words(evidence)))
        .bind(action.message.as_deref().map(words))
        .execute(c).await.map(drop))
}

/// The actions of a case, and of those that were merged into it, those due first first.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(db: &Db, case: i64) -> Result<Vec<ActionRow>, StoreError> {
    on!(db, "list a case's actions", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE a.case_id = $1 OR k.merged_into = $1 ORDER BY a.due_on, a.id")))
        .bind(case).fetch_all(c).await)
}

/// Which actions a page lists.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listed<'a> {
    /// Only those in this state.
    pub state: Option<&'a str>,
    /// Only open ones whose date had passed by this day.
    pub overdue_on: Option<Date>,
    /// Only those for this service, or whose owner it is.
    pub service: Option<&'a str>,
    /// Only those that come after this one.
    pub after: Option<&'a ActionRow>,
}

/// Some actions of all cases, those due first first.
///
/// # Errors
/// When the database refuses.
pub async fn page(db: &Db, which: Listed<'_>, count: i64) -> Result<Vec<ActionRow>, StoreError> {
    let (due, id) = which.after.map_or(("", 0), |row| (row.due_on.as_str(), row.id));
    on!(db, "list some actions", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE (CAST($1 AS TEXT) IS NULL OR a.state = $1)
           AND (CAST($2 AS TEXT) IS NULL OR (a.state = 'open' AND a.due_on < $2))
           AND (CAST($3 AS TEXT) IS NULL OR COALESCE(a.service, a.owner_service, k.lead_service) = $3
                OR a.owner_service = $3)
           AND (a.due_on, a.id) > ($4, $5)
         ORDER BY a.due_on, a.id LIMIT $6")))
        .bind(which.state)
        .bind(which.overdue_on.map(|day| day.to_string()))
        .bind(which.service)
        .bind(due)
        .bind(id)
        .bind(count)
        .fetch_all(c).await)
}

/// An action by its row.
///
/// # Errors
/// When the database refuses.
pub async fn find(db: &Db, id: i64) -> Result<Option<ActionRow>, StoreError> {
    on!(db, "find an action", c => sqlx::query_as(sqlx::AssertSqlSafe(format!("{ROW} WHERE a.id = $1")))
        .bind(id).fetch_optional(c).await)
}

/// Every action that somebody still owes, those due first first, whatever became of its case.
///
/// # Errors
/// When the database refuses.
pub async fn owed(tx: &mut Tx) -> Result<Vec<ActionRow>, StoreError> {
    on!(tx, "list what is owed", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE a.state = 'open' ORDER BY a.due_on, a.id")))
        .fetch_all(c).await)
}

/// A reminder that was recorded.
#[derive(Debug, Clone, FromRow)]
pub struct ActionRung {
    /// Action row.
    pub action_id: i64,
    /// Rung id.
    pub rung: String,
    /// `sent` or `skipped`.
    pub outcome: String,
}

/// Every reminder recorded for the present dates of open actions.
///
/// # Errors
/// When the database refuses.
pub async fn rungs_of_owed(tx: &mut Tx) -> Result<Vec<ActionRung>, StoreError> {
    on!(tx, "list an action's reminders", c => sqlx::query_as(
        "SELECT g.action_id, g.rung, g.outcome
         FROM action_rung g JOIN action a ON a.id = g.action_id AND a.round = g.round
         WHERE a.state = 'open'")
        .fetch_all(c).await)
}

/// How the task about one action of a case begins.
pub fn task_about(reference: &str, number: i64) -> String {
    format!("action {number} of {reference}: ")
}

/// Ends the tasks about one action, and those about what was written of the actions of its case.
///
/// # Errors
/// When the database refuses.
pub async fn end_tasks(
    tx: &mut Tx,
    case: i64,
    (reference, number): (&str, i64),
    now: Timestamp,
) -> Result<(), StoreError> {
    tasks::finish_of_case(tx, case, &[REPLY], now).await?;
    let about = task_about(reference, number);
    let open: Vec<(i64, String)> = on!(tx, "list tasks about actions", c => sqlx::query_as(
        "SELECT id, words FROM task WHERE kind = $1 AND done_at IS NULL")
        .bind(TASK).fetch_all(c).await)?;
    for (id, _) in open.iter().filter(|(_, words)| words.starts_with(&about)) {
        tasks::done(tx, *id, now).await?;
    }
    Ok(())
}
