//! Past messages, to be judged again: what was read of them, what was made of it, what officers did.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::cases::recorded;
use super::db::{Tx, on};
use crate::casework::case::Recorded;

/// A settled message with what it was judged by, and by what it was judged.
#[derive(FromRow)]
pub struct PastMessage {
    /// Row.
    pub id: i64,
    /// When the council's server took it, milliseconds.
    pub received_at: i64,
    /// What was done: `opened`, `attached`, …
    pub action: Option<String>,
    /// An officer said that it is a matter of its own.
    pub alone: bool,
    /// The reference of the case that it belongs to.
    pub reference: Option<String>,
    /// The message that opened that case.
    pub opened_by: Option<i64>,
    /// That case's lead service, as it is now.
    pub lead_service: Option<String>,
    /// That case's customer type, as it is now.
    pub customer_type: Option<String>,
    /// What was read of the message, as JSON.
    pub email: String,
    /// What the rules made of it, as JSON.
    pub classification: String,
    /// What they were told of its sender, as JSON; nothing for what was settled before that was kept.
    pub known: Option<String>,
}

impl std::fmt::Debug for PastMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PastMessage({})", self.id)
    }
}

/// How many there are that came since a moment.
///
/// # Errors
/// When the database refuses.
pub async fn count(tx: &mut Tx, since: Option<Timestamp>) -> Result<usize, StoreError> {
    let count: i64 = on!(tx, "count past messages", c => sqlx::query_scalar(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM message m
         JOIN decision d ON d.message_id = m.id JOIN reading r ON r.message_id = m.id
         WHERE m.state = 'done' AND m.received_at >= $1")
        .bind(earliest(since)).fetch_one(c).await)?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The newest of them that are older than a row, newest first, `most` at once.
///
/// # Errors
/// When the database refuses.
pub async fn page(
    tx: &mut Tx,
    before: i64,
    since: Option<Timestamp>,
    most: usize,
) -> Result<Vec<PastMessage>, StoreError> {
    on!(tx, "read past messages", c => sqlx::query_as(
        "SELECT m.id, m.received_at, m.action, m.alone, k.reference, k.opened_by, k.lead_service, k.customer_type,
                r.email, d.classification, d.known
         FROM message m JOIN decision d ON d.message_id = m.id JOIN reading r ON r.message_id = m.id
              LEFT JOIN complaint_case k ON k.id = m.case_id
         WHERE m.state = 'done' AND m.id < $1 AND m.received_at >= $2
         ORDER BY m.id DESC LIMIT $3")
        .bind(before)
        .bind(earliest(since))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(c).await)
}

/// The newest of those that opened a case which an officer corrected, answered or ended, and that are
/// older than a row, newest first, `most` at once.
///
/// # Errors
/// When the database refuses.
pub async fn decided_page(
    tx: &mut Tx,
    before: i64,
    since: Option<Timestamp>,
    most: usize,
) -> Result<Vec<PastMessage>, StoreError> {
    on!(tx, "read messages that officers decided", c => sqlx::query_as(
        "SELECT m.id, m.received_at, m.action, m.alone, k.reference, k.opened_by, k.lead_service,
                k.customer_type, r.email, d.classification, d.known
         FROM message m JOIN decision d ON d.message_id = m.id JOIN reading r ON r.message_id = m.id
              JOIN complaint_case k ON k.opened_by = m.id
         WHERE m.state = 'done' AND m.id < $1 AND m.received_at >= $2
           AND k.id IN (SELECT e.case_id FROM case_event e
                        WHERE e.actor <> 'gateway' AND e.kind IN
                              ('corrected', 'responded', 'closed', 'withdrawn', 'rejected'))
         ORDER BY m.id DESC LIMIT $3")
        .bind(before)
        .bind(earliest(since))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(c).await)
}

/// What these cases were opened as and what became of that, by the message that opened each: what
/// tells whether an officer has looked at it. Oldest first.
///
/// # Errors
/// When the database refuses, or holds an event that this program does not know.
pub async fn acts(
    tx: &mut Tx,
    opened_by: &[i64],
) -> Result<HashMap<i64, Vec<Recorded>>, StoreError> {
    let mut acts: HashMap<i64, Vec<Recorded>> = HashMap::new();
    if opened_by.is_empty() {
        return Ok(acts);
    }
    let rows: Vec<(i64, i64, i64, String, String)> = on!(tx, "read what officers did", c => {
        let mut select = sqlx::QueryBuilder::new(
            "SELECT k.opened_by, k.id, e.at, e.actor, e.detail
             FROM complaint_case k JOIN case_event e ON e.case_id = k.id
             WHERE e.kind IN ('received', 'corrected', 'responded', 'closed', 'withdrawn', 'rejected')
               AND k.opened_by IN (");
        let mut list = select.separated(", ");
        for id in opened_by {
            list.push_bind(*id);
        }
        select.push(") ORDER BY e.id");
        select.build_query_as().persistent(false).fetch_all(c).await
    })?;
    for (message, case, at, actor, detail) in rows {
        acts.entry(message).or_default().push(recorded(case, at, &actor, &detail)?);
    }
    Ok(acts)
}

/// What was made of one message of a case, and by which rules.
#[derive(FromRow)]
pub struct JudgedRow {
    /// The message's row.
    pub message: i64,
    /// When the council's server took it, milliseconds.
    pub received_at: i64,
    /// What was done: `opened`, `attached`, …
    pub action: Option<String>,
    /// The version of the rules.
    pub rules_version: String,
    /// What they made of it, as JSON.
    pub classification: String,
}

/// What was made of each message of a case, in order of arrival.
///
/// # Errors
/// When the database refuses.
pub async fn judged(tx: &mut Tx, case: i64) -> Result<Vec<JudgedRow>, StoreError> {
    on!(tx, "read what was made of messages", c => sqlx::query_as(
        "SELECT m.id AS message, m.received_at, m.action, d.rules_version, d.classification
         FROM message m JOIN decision d ON d.message_id = m.id
         WHERE m.case_id = $1 ORDER BY m.id")
        .bind(case).fetch_all(c).await)
}

fn earliest(since: Option<Timestamp>) -> i64 {
    since.map_or(i64::MIN, Timestamp::as_millisecond)
}
