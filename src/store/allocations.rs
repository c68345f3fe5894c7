//! Whose cases are whose, and who is away.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, ROWS, Tx, on};
use crate::casework::allocation::{Facts, Handover, Held};
use crate::casework::case::{Actor, Event, OfficerId};
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId};
use crate::private::Private;

/// How many open cases an officer has, and how many of them weigh more.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Tally {
    /// Who.
    pub owner: String,
    /// Open cases.
    pub cases: i64,
    /// Past their first stage.
    pub later_stage: i64,
    /// Past their day.
    pub overdue: i64,
    /// With a child at risk.
    pub safeguarding: i64,
}

/// What every officer has, counted; nothing for those who have none.
///
/// # Errors
/// When the database refuses.
pub async fn tallies(tx: &mut Tx, today: Date) -> Result<Vec<Tally>, StoreError> {
    on!(tx, "count what officers have", c => sqlx::query_as(
        "SELECT owner, CAST(COUNT(*) AS BIGINT) AS cases,
                CAST(SUM(CASE WHEN stage > 1 THEN 1 ELSE 0 END) AS BIGINT) AS later_stage,
                CAST(SUM(CASE WHEN agreed_due_on < $1 THEN 1 ELSE 0 END) AS BIGINT) AS overdue,
                CAST(SUM(CASE WHEN flags LIKE '%\"safeguarding\"%' THEN 1 ELSE 0 END) AS BIGINT) AS safeguarding
         FROM complaint_case WHERE status = 'open' AND owner IS NOT NULL
         GROUP BY owner ORDER BY owner")
        .bind(today.to_string()).fetch_all(c).await)
}

/// A case that tells who knows a customer or a matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Whose it is, or was.
    pub owner: OfficerId,
    /// Its reference.
    pub reference: String,
}

/// The latest case that has an owner, by its customer's address, for each of these.
///
/// # Errors
/// When the database refuses.
pub async fn of_customers(
    tx: &mut Tx,
    addresses: &[&str],
) -> Result<HashMap<String, Known>, StoreError> {
    let mut found = HashMap::new();
    for some in addresses.chunks(ROWS) {
        let rows: Vec<(String, String, String)> = on!(tx, "find who knows a customer", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT customer_address, owner, reference FROM complaint_case
                 WHERE owner IS NOT NULL AND customer_address IN (");
            let mut list = select.separated(", ");
            for address in some {
                list.push_bind((*address).to_owned());
            }
            select.push(") ORDER BY id");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        found.extend(rows.into_iter().map(|(address, owner, reference)| {
            (address, Known { owner: OfficerId(owner), reference })
        }));
    }
    Ok(found)
}

/// Those of these cases that have an owner, by their rows.
///
/// # Errors
/// When the database refuses.
pub async fn of_cases(tx: &mut Tx, cases: &[i64]) -> Result<HashMap<i64, Known>, StoreError> {
    let mut found = HashMap::new();
    for some in cases.chunks(ROWS) {
        let rows: Vec<(i64, String, String)> = on!(tx, "find who knows a matter", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT id, owner, reference FROM complaint_case");
            super::db::in_list(&mut select, some);
            select.push(" AND owner IS NOT NULL");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        found.extend(
            rows.into_iter()
                .map(|(id, owner, reference)| (id, Known { owner: OfficerId(owner), reference })),
        );
    }
    Ok(found)
}

/// An open case, as far as sharing the work needs it.
#[derive(Debug, Clone, FromRow)]
pub struct OpenRow {
    /// Row.
    pub id: i64,
    /// Reference.
    pub reference: String,
    /// Whose it is.
    pub owner: Option<String>,
    record_type: String,
    lead_service: String,
    customer_type: String,
    flags: String,
    stage: i64,
    target_on: Option<String>,
    agreed_due_on: Option<String>,
    /// Counts up with every change.
    pub version: i64,
}

impl OpenRow {
    /// By when it is answered; none while its clock stands still.
    pub fn due_on(&self) -> Option<Date> {
        self.agreed_due_on.as_ref()?.parse().ok()
    }

    /// Whether its clock stands still.
    pub fn is_paused(&self) -> bool {
        self.agreed_due_on.is_none() && self.target_on.is_some()
    }

    /// The same, as the work is shared by it.
    pub fn held(&self, today: Date) -> Held {
        let flags: Vec<Flag> = serde_json::from_str(&self.flags).unwrap_or_default();
        Held {
            case: self.id,
            reference: self.reference.clone(),
            owner: self.owner.clone().map(OfficerId),
            facts: Facts {
                record_type: self.record_type.parse::<RecordType>().ok(),
                lead: ServiceId(self.lead_service.clone()),
                flags,
                customer_type: self.customer_type.parse().unwrap_or(CustomerType::Unknown),
                stage: u8::try_from(self.stage).unwrap_or(u8::MAX),
                late: self.due_on().is_some_and(|due| due < today),
                earlier: None,
            },
        }
    }
}

/// Every open case, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn open(tx: &mut Tx) -> Result<Vec<OpenRow>, StoreError> {
    on!(tx, "list open cases by officer", c => sqlx::query_as(
        "SELECT id, reference, owner, record_type, lead_service, customer_type, flags, stage, target_on,
                agreed_due_on, version
         FROM complaint_case WHERE status = 'open' ORDER BY id")
        .fetch_all(c).await)
}

/// Officers who have open cases, with how many.
///
/// # Errors
/// When the database refuses.
pub async fn owners(db: &Db) -> Result<Vec<(String, i64)>, StoreError> {
    on!(db, "list who has cases", c => sqlx::query_as(
        "SELECT owner, CAST(COUNT(*) AS BIGINT) FROM complaint_case
         WHERE status = 'open' AND owner IS NOT NULL GROUP BY owner ORDER BY owner")
        .fetch_all(c).await)
}

/// Writes whose a case is.
///
/// # Errors
/// When the database refuses.
pub async fn own(tx: &mut Tx, case: i64, owner: Option<&OfficerId>) -> Result<(), StoreError> {
    on!(tx, "give a case to an officer", c => sqlx::query(
        "UPDATE complaint_case SET owner = $2 WHERE id = $1")
        .bind(case).bind(owner.map(|owner| owner.0.as_str())).execute(c).await.map(drop))
}

/// Gives open cases from one to another, each as it was read (its version by its row), with what is recorded of
/// it. False when one was changed meanwhile: the transaction is then to be given up.
///
/// # Errors
/// When the database refuses.
pub async fn hand_over(
    tx: &mut Tx,
    by: &Actor,
    moves: &[Handover],
    versions: &BTreeMap<i64, i64>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut events = Vec::with_capacity(moves.len());
    for one in moves {
        let row: Option<(i64,)> = on!(tx, "hand a case over", c => sqlx::query_as(
            "UPDATE complaint_case SET owner = $3, version = version + 1
             WHERE id = $1 AND version = $2 AND status = 'open' RETURNING id")
            .bind(one.case)
            .bind(versions.get(&one.case).copied().unwrap_or(0))
            .bind(&one.to.0)
            .fetch_optional(c).await)?;
        if row.is_none() {
            return Ok(false);
        }
        let event = Event::Allocated {
            officer: Some(one.to.clone()),
            before: one.from.clone(),
            ground: one.ground,
            because: Private(one.because.clone()),
        };
        events.push((one.case, event));
    }
    super::cases::record_all(tx, by, &events, now).await?;
    Ok(true)
}

/// Notes that an absence was acted upon. False when it had been.
///
/// # Errors
/// When the database refuses.
pub async fn begin_absence(
    tx: &mut Tx,
    officer: &OfficerId,
    from: Date,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "begin an absence", c => sqlx::query_as(
        "INSERT INTO absence (officer, from_on, begun_at) VALUES ($1, $2, $3)
         ON CONFLICT (officer, from_on) DO NOTHING RETURNING begun_at")
        .bind(&officer.0).bind(from.to_string()).bind(now.as_millisecond()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Absences that were acted upon and have not ended: officer, first day.
///
/// # Errors
/// When the database refuses.
pub async fn absences(tx: &mut Tx) -> Result<Vec<(String, String)>, StoreError> {
    on!(tx, "list absences", c => sqlx::query_as(
        "SELECT officer, from_on FROM absence WHERE ended_at IS NULL ORDER BY from_on, officer")
        .fetch_all(c).await)
}

/// Notes that an absence has ended. Gives the task that told of it.
///
/// # Errors
/// When the database refuses.
pub async fn end_absence(
    tx: &mut Tx,
    officer: &str,
    from_on: &str,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let row: Option<(Option<i64>,)> = on!(tx, "end an absence", c => sqlx::query_as(
        "UPDATE absence SET ended_at = $3 WHERE officer = $1 AND from_on = $2 AND ended_at IS NULL
         RETURNING task_id")
        .bind(officer).bind(from_on).bind(now.as_millisecond()).fetch_optional(c).await)?;
    Ok(row.and_then(|(task,)| task))
}

/// Keeps which task tells of an absence.
///
/// # Errors
/// When the database refuses.
pub async fn absence_told(
    tx: &mut Tx,
    officer: &OfficerId,
    from: Date,
    task: i64,
) -> Result<(), StoreError> {
    on!(tx, "keep what told of an absence", c => sqlx::query(
        "UPDATE absence SET task_id = $3 WHERE officer = $1 AND from_on = $2")
        .bind(&officer.0).bind(from.to_string()).bind(task).execute(c).await.map(drop))
}

/// The tasks that tell of an officer's absences.
///
/// # Errors
/// When the database refuses.
pub async fn absence_tasks(tx: &mut Tx, officer: &str) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<(i64,)> = on!(tx, "list what told of absences", c => sqlx::query_as(
        "SELECT task_id FROM absence WHERE officer = $1 AND task_id IS NOT NULL ORDER BY from_on")
        .bind(officer).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(task,)| task).collect())
}

/// Keeps who got which case of somebody who is away.
///
/// # Errors
/// When the database refuses.
pub async fn keep_handovers(
    tx: &mut Tx,
    officer: &OfficerId,
    from: Date,
    moves: &[Handover],
) -> Result<(), StoreError> {
    for some in moves.chunks(ROWS) {
        on!(tx, "keep who got a case", c => {
            let mut insert =
                sqlx::QueryBuilder::new("INSERT INTO handed_over (officer, from_on, case_id, given_to) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(officer.0.clone()).push_bind(from.to_string())
                    .push_bind(one.case).push_bind(one.to.0.clone());
            });
            insert.push(" ON CONFLICT (officer, from_on, case_id) DO NOTHING");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// The cases that others got for an absence and still have: row, and who has it.
///
/// # Errors
/// When the database refuses.
pub async fn handed_over(
    tx: &mut Tx,
    officer: &str,
    from_on: &str,
) -> Result<Vec<(i64, String)>, StoreError> {
    on!(tx, "list what others got", c => sqlx::query_as(
        "SELECT h.case_id, h.given_to FROM handed_over h JOIN complaint_case k ON k.id = h.case_id
         WHERE h.officer = $1 AND h.from_on = $2 AND k.status = 'open' AND k.owner = h.given_to
         ORDER BY h.case_id")
        .bind(officer).bind(from_on).fetch_all(c).await)
}
