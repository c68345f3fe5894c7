//! Cases, their events and parties.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::StoreError;
pub use super::case_lists::{Listed, page};
pub use super::case_row::CaseRow;
pub(super) use super::case_row::ROW;
use super::db::{Db, ROWS, Tx, clean, in_list, on};
use crate::casework::case::{Actor, Case, CaseStatus, Event, OfficerId, Recorded};

/// A case to open; everything that its clock needs is decided already.
#[derive(Debug, Clone)]
pub struct NewCase<'a> {
    /// The message that opens it; minus the row of the Ombudsman's contact, where one by post or telephone does.
    pub opened_by: i64,
    /// Record type id.
    pub record_type: &'a str,
    /// Lead service id.
    pub lead_service: &'a str,
    /// Customer type id.
    pub customer_type: &'a str,
    /// Theme ids as a JSON list.
    pub themes: String,
    /// Flag ids as a JSON list.
    pub flags: String,
    /// Thousandths.
    pub confidence: i64,
    /// Whether a person must look.
    pub needs_officer: bool,
    /// The customer's address.
    pub customer_address: Option<&'a str>,
    /// The customer's name, as they write it.
    pub customer_name: Option<&'a str>,
    /// What they wrote about.
    pub subject: Option<&'a str>,
    /// The clock.
    pub clock: Clocked,
    /// Version of the rules that classified it.
    pub rules_version: &'a str,
    /// When the council's server took the message.
    pub received_at: Timestamp,
    /// The officer who looks after it.
    pub owner: Option<&'a str>,
}

/// The dates of a case's stage, as they were worked out when its clock started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocked {
    /// Procedure id.
    pub procedure: String,
    /// Stage, from 1.
    pub stage: u8,
    /// How counting started.
    pub start_rule: String,
    /// Which calendar was used.
    pub calendar_version: String,
    /// The day of receipt, in London.
    pub received_on: Date,
    /// Last day for the acknowledgement.
    pub acknowledge_by_on: Date,
    /// The day aimed for, where it differs from the limit.
    pub target_on: Option<Date>,
    /// The limit, which the report measures.
    pub standard_due_on: Option<Date>,
    /// What the customer was told and reminders use.
    pub agreed_due_on: Option<Date>,
}

/// The next case numbers of a year, `count` of them: gives the first. Taken inside the transaction that
/// opens the cases, so that a crash leaves no number without a case: the counter rolls back with
/// everything else.
///
/// # Errors
/// When the database refuses.
pub async fn next_numbers(tx: &mut Tx, year: i16, count: usize) -> Result<i64, StoreError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let (last,): (i64,) = on!(tx, "number cases", c => sqlx::query_as(
        "INSERT INTO case_number (year, last_number) VALUES ($1, $2)
         ON CONFLICT (year) DO UPDATE SET last_number = case_number.last_number + $2
         RETURNING last_number")
        .bind(i64::from(year)).bind(count).fetch_one(c).await)?;
    Ok(last - count + 1)
}

/// The case that stands for another: itself, or the one that it was merged into, however often.
///
/// # Errors
/// When the database refuses.
pub async fn standing(tx: &mut Tx, id: i64) -> Result<Option<CaseRow>, StoreError> {
    let mut row = by_id(tx, id).await?;
    // No officer can merge in a circle; a bound costs nothing.
    for _ in 0..16 {
        let Some(into) = row.as_ref().and_then(|row| row.merged_into) else { break };
        row = by_id(tx, into).await?;
    }
    Ok(row)
}

/// Records that a case was merged into another, or stands by itself again.
///
/// # Errors
/// When the database refuses.
pub async fn merge(tx: &mut Tx, id: i64, into: Option<i64>) -> Result<(), StoreError> {
    on!(tx, "merge cases", c => sqlx::query("UPDATE complaint_case SET merged_into = $2 WHERE id = $1")
        .bind(id).bind(into).execute(c).await.map(drop))
}

/// References of the cases that were merged into one, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn merged_into(db: &Db, id: i64) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> = on!(db, "list merged cases", c => sqlx::query_as(
        "SELECT reference FROM complaint_case WHERE merged_into = $1 ORDER BY id")
        .bind(id).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(reference,)| reference).collect())
}

/// Opens cases, each under its reference. Gives their rows, in order.
///
/// # Errors
/// When the database refuses; a unique violation means that a message opened one already.
pub async fn open(tx: &mut Tx, cases: &[(String, NewCase<'_>)]) -> Result<Vec<i64>, StoreError> {
    let day = |date: Option<Date>| date.map(|date| date.to_string());
    let text = |text: Option<&str>| text.map(|text| clean(text).into_owned());
    let mut rows = HashMap::with_capacity(cases.len());
    for some in cases.chunks(ROWS) {
        let opened: Vec<(String, i64)> = on!(tx, "open cases", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO complaint_case (reference, opened_by, status, record_type, lead_service,
                    customer_type, themes, flags, confidence, needs_officer, customer_address,
                    customer_name, subject, procedure_id, stage, start_rule, calendar_version,
                    rules_version, received_at, received_on, acknowledge_by_on, target_on,
                    standard_due_on, agreed_due_on, owner) ");
            insert.push_values(some, |mut row, (reference, new)| {
                let clock = &new.clock;
                row.push_bind(reference)
                    .push_bind(new.opened_by)
                    .push("'open'")
                    .push_bind(new.record_type)
                    .push_bind(new.lead_service)
                    .push_bind(new.customer_type)
                    .push_bind(&new.themes)
                    .push_bind(&new.flags)
                    .push_bind(new.confidence)
                    .push_bind(new.needs_officer)
                    .push_bind(text(new.customer_address))
                    .push_bind(text(new.customer_name))
                    .push_bind(text(new.subject))
                    .push_bind(&clock.procedure)
                    .push_bind(i64::from(clock.stage))
                    .push_bind(&clock.start_rule)
                    .push_bind(&clock.calendar_version)
                    .push_bind(new.rules_version)
                    .push_bind(new.received_at.as_millisecond())
                    .push_bind(clock.received_on.to_string())
                    .push_bind(clock.acknowledge_by_on.to_string())
                    .push_bind(day(clock.target_on))
                    .push_bind(day(clock.standard_due_on))
                    .push_bind(day(clock.agreed_due_on))
                    .push_bind(new.owner);
            });
            insert.push(" RETURNING reference, id");
            insert.build_query_as().persistent(false).fetch_all(c).await
        })?;
        rows.extend(opened);
    }
    Ok(cases.iter().filter_map(|(reference, _)| rows.get(reference).copied()).collect())
}

/// Records something that happened to a case.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    tx: &mut Tx,
    case: i64,
    by: &Actor,
    event: &Event,
    now: Timestamp,
) -> Result<(), StoreError> {
    record_all(tx, by, &[(case, event.clone())], now).await
}

/// Records what an officer did to a case, with the version of the case on which they decided it.
///
/// # Errors
/// When the database refuses.
pub async fn record_act(
    tx: &mut Tx,
    (case, version): (i64, i64),
    by: &Actor,
    event: &Event,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (kind, detail) = kind_and_detail(event);
    on!(tx, "record what happened", c => sqlx::query(
        "INSERT INTO case_event (case_id, at, kind, actor, detail, version)
         VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(case).bind(now.as_millisecond()).bind(kind).bind(actor_text(by).to_owned())
        .bind(detail).bind(version).execute(c).await.map(drop))
}

/// What officers did to a case that was of a version, oldest first.
///
/// # Errors
/// When the database refuses, or holds an event that this program does not know.
pub async fn acts_since(tx: &mut Tx, case: i64, version: i64) -> Result<Vec<Recorded>, StoreError> {
    let rows: Vec<(i64, String, String)> = on!(tx, "read what changed", c => sqlx::query_as(
        "SELECT at, actor, detail FROM case_event WHERE case_id = $1 AND version >= $2 ORDER BY id")
        .bind(case).bind(version).fetch_all(c).await)?;
    rows.into_iter().map(|(at, actor, detail)| recorded(case, at, &actor, &detail)).collect()
}

/// Makes an address a party to a case.
///
/// # Errors
/// When the database refuses.
pub async fn add_party(
    tx: &mut Tx,
    case: i64,
    address: &str,
    role: &'static str,
) -> Result<(), StoreError> {
    add_parties(tx, &[(case, address, role)]).await
}

/// Makes addresses parties to cases: (case, address, role).
///
/// # Errors
/// When the database refuses.
pub async fn add_parties(
    tx: &mut Tx,
    parties: &[(i64, &str, &'static str)],
) -> Result<(), StoreError> {
    for some in parties.chunks(ROWS) {
        on!(tx, "add parties", c => {
            let mut insert = sqlx::QueryBuilder::new("INSERT INTO party (case_id, address, role) ");
            insert.push_values(some, |mut row, (case, address, role)| {
                row.push_bind(*case).push_bind(clean(address).to_lowercase()).push_bind(*role);
            });
            insert.push(" ON CONFLICT (case_id, address) DO NOTHING");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Whether an address is a party to a case, or to one that was merged into it.
///
/// # Errors
/// When the database refuses.
pub async fn is_party(tx: &mut Tx, case: i64, address: &str) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "is party", c => sqlx::query_as(
        "SELECT case_id FROM party
         WHERE address = $2
           AND case_id IN (SELECT id FROM complaint_case WHERE id = $1 OR merged_into = $1) LIMIT 1")
        .bind(case).bind(clean(address).to_lowercase()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Whether an address is a party to a case in this role, here or on one that was merged into it.
///
/// # Errors
/// When the database refuses.
pub async fn is_party_as(
    tx: &mut Tx,
    case: i64,
    address: &str,
    role: &str,
) -> Result<bool, StoreError> {
    let roles: Vec<(String,)> = on!(tx, "is party as", c => sqlx::query_as(
        "SELECT role FROM party
         WHERE address = $2
           AND case_id IN (SELECT id FROM complaint_case WHERE id = $1 OR merged_into = $1)")
        .bind(case).bind(clean(address).to_lowercase()).fetch_all(c).await)?;
    Ok(!roles.is_empty() && roles.iter().all(|(one,)| one == role))
}

/// Whether an address is a party to any case that is not closed.
///
/// # Errors
/// When the database refuses.
pub async fn has_case(tx: &mut Tx, address: &str) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "has case", c => sqlx::query_as(
        "SELECT p.case_id FROM party p JOIN complaint_case k ON k.id = p.case_id
         WHERE p.address = $1 AND k.status IN ('open', 'answered') LIMIT 1")
        .bind(clean(address).to_lowercase()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// A case by its reference, inside a transaction.
///
/// # Errors
/// When the database refuses.
pub async fn by_reference(tx: &mut Tx, reference: &str) -> Result<Option<CaseRow>, StoreError> {
    let row = on!(tx, "by reference", c => sqlx::query_as(sqlx::AssertSqlSafe(format!("{ROW} WHERE reference = $1")))
        .bind(reference).fetch_optional(c).await)?;
    Ok(row)
}

/// A case by its row, inside a transaction.
///
/// # Errors
/// When the database refuses.
pub async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<CaseRow>, StoreError> {
    let row = on!(tx, "by id", c => sqlx::query_as(sqlx::AssertSqlSafe(format!("{ROW} WHERE id = $1")))
        .bind(id).fetch_optional(c).await)?;
    Ok(row)
}

/// A case by its reference, to show.
///
/// # Errors
/// When the database refuses.
pub async fn find(db: &Db, reference: &str) -> Result<Option<CaseRow>, StoreError> {
    let row = on!(db, "find a case", c => sqlx::query_as(sqlx::AssertSqlSafe(format!("{ROW} WHERE reference = $1")))
        .bind(reference).fetch_optional(c).await)?;
    Ok(row)
}

/// Cases, those due first first.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db, closed_too: bool) -> Result<Vec<CaseRow>, StoreError> {
    let filter = if closed_too { "" } else { "WHERE status = 'open'" };
    let rows = on!(db, "list the cases", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} {filter} ORDER BY COALESCE(agreed_due_on, '9999'), id")))
        .fetch_all(c).await)?;
    Ok(rows)
}

/// Open cases whose clock stands still.
///
/// # Errors
/// When the database refuses.
pub async fn standing_still(tx: &mut Tx) -> Result<Vec<CaseRow>, StoreError> {
    on!(tx, "list the clocks that stand still", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE status = 'open' AND agreed_due_on IS NULL AND target_on IS NOT NULL ORDER BY id")))
        .fetch_all(c).await)
}

/// The open cases at a stage of a procedure.
///
/// # Errors
/// When the database refuses.
pub async fn open_at(tx: &mut Tx, procedure: &str, stage: u8) -> Result<Vec<CaseRow>, StoreError> {
    on!(tx, "list the cases at a stage", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE status = 'open' AND procedure_id = $1 AND stage = $2 ORDER BY id")))
        .bind(procedure).bind(i64::from(stage)).fetch_all(c).await)
}

/// What happened to a case, oldest first: to replay, or to show.
///
/// # Errors
/// When the database refuses, or holds an event that this program does not know.
pub async fn events(tx: &mut Tx, case: i64) -> Result<Vec<Recorded>, StoreError> {
    let rows: Vec<(i64, String, String)> = on!(tx, "read a case's history", c => sqlx::query_as(
        "SELECT at, actor, detail FROM case_event WHERE case_id = $1 ORDER BY id")
        .bind(case).fetch_all(c).await)?;
    rows.into_iter().map(|(at, actor, detail)| recorded(case, at, &actor, &detail)).collect()
}

/// An event as it was kept.
pub(super) fn recorded(
    case: i64,
    at: i64,
    actor: &str,
    detail: &str,
) -> Result<Recorded, StoreError> {
    let event = serde_json::from_str(detail).map_err(|_| {
        StoreError::unsuitable(
            "read a case's history",
            format!("case {case} has an event of a newer program"),
        )
    })?;
    let by = match actor {
        "gateway" => Actor::Gateway,
        officer => Actor::Officer(OfficerId(officer.to_owned())),
    };
    Ok(Recorded { at: super::moment(at), by, event })
}

/// Writes what a case has become, if nobody changed it since it was read. False when somebody did:
/// nothing is overwritten then.
///
/// # Errors
/// When the database refuses.
pub async fn change(
    tx: &mut Tx,
    before: &CaseRow,
    case: &Case,
    clock: Option<&Clocked>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let lead = case.services.first().map_or("none", |service| service.as_str());
    let ended =
        matches!(case.status, CaseStatus::Closed | CaseStatus::Withdrawn | CaseStatus::Rejected);
    let row: Option<(i64,)> = on!(tx, "change a case", c => sqlx::query_as(
        "UPDATE complaint_case SET status = $3, record_type = $4, lead_service = $5, customer_type = $6,
             themes = $7, flags = $8, stage = $9, answered_at = $10, closed_at = $11,
             received_at = $12, received_on = $13,
             needs_officer = FALSE, version = version + 1
         WHERE id = $1 AND version = $2 RETURNING id")
        .bind(before.id)
        .bind(before.version)
        .bind(case.status.id())
        .bind(case.record_type.id())
        .bind(lead)
        .bind(case.customer_type.id())
        .bind(super::json(&case.themes))
        .bind(super::json(&case.flags))
        .bind(i64::from(case.stage))
        .bind(case.responded_at.map(Timestamp::as_millisecond))
        .bind(ended.then(|| now.as_millisecond()))
        .bind(case.received_at.as_millisecond())
        .bind(case.received_on().to_string())
        .fetch_optional(c).await)?;
    if row.is_none() {
        return Ok(false);
    }
    if let Some(clock) = clock {
        restart(tx, before.id, clock).await?;
    }
    Ok(true)
}

/// Keeps others from changing a case until the transaction ends. False when it is no longer of this
/// version.
///
/// # Errors
/// When the database refuses.
pub async fn hold(tx: &mut Tx, case: i64, version: i64) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "hold a case", c => sqlx::query_as(
        "UPDATE complaint_case SET version = version WHERE id = $1 AND version = $2 RETURNING id")
        .bind(case).bind(version).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Counts up the version of a case that is held, unless [`change`] has done so.
///
/// # Errors
/// When the database refuses.
pub async fn count(tx: &mut Tx, case: i64, version: i64) -> Result<(), StoreError> {
    on!(tx, "count up a case's version", c => sqlx::query(
        "UPDATE complaint_case SET version = version + 1 WHERE id = $1 AND version = $2")
        .bind(case).bind(version).execute(c).await.map(drop))
}

async fn restart(tx: &mut Tx, case: i64, clock: &Clocked) -> Result<(), StoreError> {
    let day = |date: Option<Date>| date.map(|date| date.to_string());
    on!(tx, "change a case's clock", c => sqlx::query(
        "UPDATE complaint_case SET procedure_id = $2, acknowledge_by_on = $3, target_on = $4,
             standard_due_on = $5, agreed_due_on = $6, calendar_version = $7
         WHERE id = $1")
        .bind(case)
        .bind(&clock.procedure)
        .bind(clock.acknowledge_by_on.to_string())
        .bind(day(clock.target_on))
        .bind(day(clock.standard_due_on))
        .bind(day(clock.agreed_due_on))
        .bind(&clock.calendar_version)
        .execute(c).await.map(drop))
}

/// Records that the acknowledgement of a case has left.
///
/// # Errors
/// When the database refuses.
pub async fn acknowledged(tx: &mut Tx, cases: &[i64], now: Timestamp) -> Result<(), StoreError> {
    for cases in cases.chunks(ROWS) {
        on!(tx, "acknowledged", c => {
            let mut update = sqlx::QueryBuilder::new("UPDATE complaint_case SET acknowledged_at = ");
            update.push_bind(now.as_millisecond());
            in_list(&mut update, cases);
            update.push(" AND acknowledged_at IS NULL");
            update.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Records what happened to several cases, each its own.
///
/// # Errors
/// When the database refuses.
pub async fn record_all(
    tx: &mut Tx,
    by: &Actor,
    events: &[(i64, Event)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for events in events.chunks(ROWS) {
        on!(tx, "record what happened", c => {
            let mut insert =
                sqlx::QueryBuilder::new("INSERT INTO case_event (case_id, at, kind, actor, detail) ");
            insert.push_values(events, |mut row, (case, event)| {
                let (kind, detail) = kind_and_detail(event);
                row.push_bind(*case).push_bind(now.as_millisecond()).push_bind(kind)
                    .push_bind(actor_text(by).to_owned()).push_bind(detail);
            });
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// An event as it is kept: what kind it is, and the whole.
fn kind_and_detail(event: &Event) -> (String, String) {
    let kind = serde_json::to_value(event)
        .ok()
        .and_then(|value| value.get("kind").and_then(|kind| kind.as_str().map(str::to_owned)))
        .unwrap_or_default();
    (kind, super::json(event))
}

pub(crate) fn actor_text(by: &Actor) -> &str {
    match by {
        Actor::Gateway => "gateway",
        Actor::Officer(officer) => &officer.0,
    }
}
