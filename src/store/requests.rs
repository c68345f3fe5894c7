//! What services were asked, the rungs that chased them, and each day's run.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::FromRow;

use super::db::{Db, ROWS, Tx, clean, on};
use super::{StoreError, drafts, letters};
use crate::casework::vocabulary::ServiceId;

/// A service asked for its part.
#[derive(Debug, Clone, FromRow, serde::Serialize, utoipa::ToSchema)]
pub struct RequestRow {
    /// Row.
    pub id: i64,
    /// Case row.
    pub case_id: i64,
    /// Service id.
    pub service: String,
    /// Which time it is asked about the case, from 1.
    pub round: i64,
    /// Whether it leads the answer.
    pub leads: bool,
    /// `asked`, `accepted`, `answered`, `declined` (not theirs, they say), `cancelled`.
    pub state: String,
    /// When asked, milliseconds.
    pub asked_at: i64,
    /// The day it was asked.
    pub asked_on: String,
    /// When its draft is due to us.
    pub draft_due_on: Option<String>,
    /// When the customer's answer is due.
    pub due_on: String,
    /// Whether the ladder for short limits applies.
    pub short: bool,
    /// When it answered, milliseconds.
    pub answered_at: Option<i64>,
    /// How many points it answers; 0 while nobody has said.
    pub points: i64,
    /// How many working days before the customer's date its part is due to us, where an officer said.
    pub days_before: Option<i64>,
    /// Who answers there, where that is not whom the services' file names.
    pub responder_name: Option<String>,
    /// Where they are written to.
    pub responder_address: Option<String>,
    /// The area of the service that answers; none where its own contacts do.
    pub area: Option<String>,
    /// Whether the customer's message went with the letter that asked.
    pub message_attached: bool,
}

const ROW: &str =
    "SELECT id, case_id, service, round, leads, state, asked_at, asked_on, draft_due_on, due_on,
                   short, answered_at, points, days_before, responder_name, responder_address, area,
                   message_attached FROM request";

/// A request to a service.
#[derive(Debug, Clone)]
pub struct NewRequest<'a> {
    /// Case row.
    pub case_id: i64,
    /// Service id.
    pub service: &'a str,
    /// Which time it is asked about the case, from 1.
    pub round: i64,
    /// Whether it leads.
    pub leads: bool,
    /// The day.
    pub asked_on: Date,
    /// When its draft is due to us.
    pub draft_due_on: Option<Date>,
    /// When the customer's answer is due.
    pub due_on: Date,
    /// Whether the ladder for short limits applies.
    pub short: bool,
    /// What an officer said of it.
    pub part: PartOf<'a>,
    /// Whether the customer's message goes with the letter that asks.
    pub message_attached: bool,
}

/// What an officer said of a request, and for which area it answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct PartOf<'a> {
    /// How many points it answers; 0 while nobody has said.
    pub points: i64,
    /// How many working days before the customer's date it is due to us.
    pub days_before: Option<i64>,
    /// Who answers there: name and address.
    pub responder: Option<(&'a str, &'a str)>,
    /// The area of the service; it stays for as long as the request is open.
    pub area: Option<&'a str>,
}

/// Asks services. Gives the row of each, in order; none for one that was asked already.
///
/// # Errors
/// When the database refuses.
pub async fn ask(
    tx: &mut Tx,
    requests: &[NewRequest<'_>],
    now: Timestamp,
) -> Result<Vec<Option<i64>>, StoreError> {
    let mut asked = HashMap::with_capacity(requests.len());
    for some in requests.chunks(ROWS) {
        let rows: Vec<(i64, String, i64)> = on!(tx, "ask services", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO request (case_id, service, round, leads, state, asked_at, asked_on, draft_due_on,
                                      due_on, short, points, days_before, responder_name,
                                      responder_address, area, message_attached) ");
            insert.push_values(some, |mut row, new| {
                row.push_bind(new.case_id)
                    .push_bind(new.service)
                    .push_bind(new.round)
                    .push_bind(new.leads)
                    .push("'asked'")
                    .push_bind(now.as_millisecond())
                    .push_bind(new.asked_on.to_string())
                    .push_bind(new.draft_due_on.map(|day| day.to_string()))
                    .push_bind(new.due_on.to_string())
                    .push_bind(new.short)
                    .push_bind(new.part.points)
                    .push_bind(new.part.days_before)
                    .push_bind(new.part.responder.map(|(name, _)| name))
                    .push_bind(new.part.responder.map(|(_, address)| address))
                    .push_bind(new.part.area)
                    .push_bind(new.message_attached);
            });
            insert.push(" ON CONFLICT (case_id, service, round) DO NOTHING RETURNING case_id, service, id");
            insert.build_query_as().persistent(false).fetch_all(c).await
        })?;
        asked.extend(rows.into_iter().map(|(case, service, id)| ((case, service), id)));
    }
    Ok(requests.iter().map(|new| asked.remove(&(new.case_id, new.service.to_owned()))).collect())
}

/// Records that a service answered. False when that was known.
///
/// # Errors
/// When the database refuses.
pub async fn answered(
    tx: &mut Tx,
    request: i64,
    message: Option<i64>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "record an answer", c => sqlx::query_as(
        "UPDATE request SET state = 'answered', answered_at = $2, answer_message = $3
         WHERE id = $1 AND state IN ('asked', 'accepted') RETURNING id")
        .bind(request).bind(now.as_millisecond()).bind(message).fetch_optional(c).await)?;
    if row.is_some() {
        drafts::drop_of(tx, request).await?;
    }
    Ok(row.is_some())
}

/// Records that a service will answer. False when that was known, or nothing is open.
///
/// # Errors
/// When the database refuses.
pub async fn accepted(tx: &mut Tx, request: i64) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "record an acceptance", c => sqlx::query_as(
        "UPDATE request SET state = 'accepted' WHERE id = $1 AND state = 'asked' RETURNING id")
        .bind(request).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Records that a service says that it is not theirs: it is chased no more. False when nothing is open.
///
/// # Errors
/// When the database refuses.
pub async fn declined(tx: &mut Tx, request: i64) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "record a refusal", c => sqlx::query_as(
        "UPDATE request SET state = 'declined' WHERE id = $1 AND state IN ('asked', 'accepted')
         RETURNING id")
        .bind(request).fetch_optional(c).await)?;
    if row.is_some() {
        drafts::drop_of(tx, request).await?;
    }
    Ok(row.is_some())
}

/// Opens a request again that was answered with less than was asked: its service is chased on from where it was.
/// False when it is not answered.
///
/// # Errors
/// When the database refuses.
pub async fn open_again(tx: &mut Tx, request: i64) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "open an answered request again", c => sqlx::query_as(
        "UPDATE request SET state = 'accepted', answered_at = NULL, answer_message = NULL
         WHERE id = $1 AND state = 'answered' RETURNING id")
        .bind(request).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// A request by its row.
///
/// # Errors
/// When the database refuses.
pub async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<RequestRow>, StoreError> {
    on!(tx, "look a request up", c => sqlx::query_as(sqlx::AssertSqlSafe(format!("{ROW} WHERE id = $1")))
        .bind(id).fetch_optional(c).await)
}

/// The last request of a case to a service.
///
/// # Errors
/// When the database refuses.
pub async fn last_of(
    tx: &mut Tx,
    case: i64,
    service: &str,
) -> Result<Option<RequestRow>, StoreError> {
    on!(tx, "find a service's last request", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE case_id = $1 AND service = $2 ORDER BY round DESC LIMIT 1")))
        .bind(case).bind(service).fetch_optional(c).await)
}

/// Ends every open request of a case that is over, or goes on otherwise: nothing is chased any more, and
/// what has not left is not sent.
///
/// # Errors
/// When the database refuses.
pub async fn cancel_all(tx: &mut Tx, case: i64, now: Timestamp) -> Result<(), StoreError> {
    for id in all_open(tx, case).await?.into_iter().map(|(id, _)| id) {
        letters::take_request_back(tx, id, "nobody has to answer any more", now).await?;
    }
    end_all(tx, case).await
}

/// Ends every open request of a case that is one with another now, until it stands by itself again ([`restore`]).
///
/// # Errors
/// When the database refuses.
pub async fn cancel_merged(tx: &mut Tx, case: i64, now: Timestamp) -> Result<(), StoreError> {
    take_back_merged(tx, case, now).await?;
    end_all(tx, case).await
}

/// Why a request's letter does not leave while its case is one with another.
const MERGED: &str = "its case was merged";

/// Takes the letters back that ask for an answer to a case and are about to leave: it is one with another now.
/// What is held stays so.
async fn take_back_merged(tx: &mut Tx, case: i64, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, "take a merged case's requests back", c => sqlx::query(
        "UPDATE letter SET state = 'cancelled', last_cause = $3
         WHERE case_id = $1 AND purpose = 'service-request' AND attempts = 0
           AND state = 'queued' AND leased_until <= $2")
        .bind(case)
        .bind(now.as_millisecond())
        .bind(MERGED)
        .execute(c).await.map(drop))
}

/// Sends a request's letter after all that was taken back with [`take_back_merged`].
async fn ask_after_all(tx: &mut Tx, case: i64, service: &ServiceId) -> Result<(), StoreError> {
    on!(tx, "send a request after all", c => sqlx::query(
        "UPDATE letter SET state = 'queued', last_cause = NULL
         WHERE case_id = $1 AND purpose = 'service-request' AND attempts = 0
           AND state = 'cancelled' AND last_cause = $3
           AND request_id IN (SELECT id FROM request
                              WHERE case_id = $1 AND service = $2 AND state = 'asked')")
        .bind(case)
        .bind(service.as_str())
        .bind(MERGED)
        .execute(c).await.map(drop))
}

async fn end_all(tx: &mut Tx, case: i64) -> Result<(), StoreError> {
    on!(tx, "cancel all", c => sqlx::query(
        "UPDATE request SET state = 'cancelled' WHERE case_id = $1 AND state IN ('asked', 'accepted')")
        .bind(case).execute(c).await.map(drop))?;
    drafts::drop_of_case(tx, case).await
}

/// Opens the ended requests of a case to these services again, where they had not answered.
///
/// # Errors
/// When the database refuses.
pub async fn restore(tx: &mut Tx, case: i64, services: &[ServiceId]) -> Result<(), StoreError> {
    for service in services {
        on!(tx, "open a request again", c => sqlx::query(
            "UPDATE request SET state = 'asked'
             WHERE case_id = $1 AND service = $2 AND state = 'cancelled' AND answered_at IS NULL
               AND round = (SELECT MAX(round) FROM request
                            WHERE case_id = $1 AND service = $2)")
            .bind(case).bind(service.as_str()).execute(c).await.map(drop))?;
        ask_after_all(tx, case, service).await?;
    }
    Ok(())
}

/// Which time a service would be asked about a case, from 1; none while a question to it is open.
///
/// # Errors
/// When the database refuses.
pub async fn next_round(
    tx: &mut Tx,
    case: i64,
    service: &ServiceId,
) -> Result<Option<i64>, StoreError> {
    let rounds: Vec<(i64, String)> = on!(tx, "count a service's requests", c => sqlx::query_as(
        "SELECT round, state FROM request WHERE case_id = $1 AND service = $2")
        .bind(case).bind(service.as_str()).fetch_all(c).await)?;
    let open = rounds.iter().any(|(_, state)| state == "asked" || state == "accepted");
    let last = rounds.into_iter().map(|(round, _)| round).max().unwrap_or(0);
    Ok((!open).then_some(last + 1))
}

/// The services that were ever asked about a case.
///
/// # Errors
/// When the database refuses.
pub async fn ever_asked(tx: &mut Tx, case: i64) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> = on!(tx, "list services ever asked", c => sqlx::query_as(
        "SELECT DISTINCT service FROM request WHERE case_id = $1 ORDER BY service")
        .bind(case).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(service,)| service).collect())
}

/// Ends the open requests of a case to services that no longer answer it.
///
/// # Errors
/// When the database refuses.
pub async fn cancel_others(
    tx: &mut Tx,
    case: i64,
    services: &[ServiceId],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (id, service) in all_open(tx, case).await? {
        if services.iter().any(|one| one.as_str() == service) {
            continue;
        }
        cancel(tx, id, now).await?;
    }
    Ok(())
}

/// The open requests of a case: their rows and services.
async fn all_open(tx: &mut Tx, case: i64) -> Result<Vec<(i64, String)>, StoreError> {
    on!(tx, "list open requests", c => sqlx::query_as(
        "SELECT id, service FROM request WHERE case_id = $1 AND state IN ('asked', 'accepted')")
        .bind(case).fetch_all(c).await)
}

/// Gives an open request new dates.
///
/// # Errors
/// When the database refuses.
pub async fn redate(
    tx: &mut Tx,
    request: i64,
    draft_due_on: Option<Date>,
    due_on: Date,
    short: bool,
) -> Result<(), StoreError> {
    on!(tx, "redate", c => sqlx::query(
        "UPDATE request SET draft_due_on = $2, due_on = $3, short = $4
         WHERE id = $1 AND state IN ('asked', 'accepted')")
        .bind(request)
        .bind(draft_due_on.map(|day| day.to_string()))
        .bind(due_on.to_string())
        .bind(short)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Writes what an officer said of a request.
///
/// # Errors
/// When the database refuses.
pub async fn set_part(tx: &mut Tx, request: i64, part: PartOf<'_>) -> Result<(), StoreError> {
    on!(tx, "set a part", c => sqlx::query(
        "UPDATE request SET points = $2, days_before = $3, responder_name = $4, responder_address = $5
         WHERE id = $1")
        .bind(request)
        .bind(part.points)
        .bind(part.days_before)
        .bind(part.responder.map(|(name, _)| name))
        .bind(part.responder.map(|(_, address)| address))
        .execute(c).await.map(drop))
}

/// The open requests of a case.
///
/// # Errors
/// When the database refuses.
pub async fn all_open_of(tx: &mut Tx, case: i64) -> Result<Vec<RequestRow>, StoreError> {
    on!(tx, "list a case's open requests", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE case_id = $1 AND state IN ('asked', 'accepted') ORDER BY id")))
        .bind(case).fetch_all(c).await)
}

/// The open request of a case that an address was named for.
///
/// # Errors
/// When the database refuses.
pub async fn open_to(
    tx: &mut Tx,
    case: i64,
    address: &str,
) -> Result<Option<RequestRow>, StoreError> {
    on!(tx, "find a responder's request", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE case_id = $1 AND responder_address = $2 AND state IN ('asked', 'accepted')
         ORDER BY id LIMIT 1")))
        .bind(case).bind(address).fetch_optional(c).await)
}

/// The requests of a case.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(db: &Db, case: i64) -> Result<Vec<RequestRow>, StoreError> {
    let rows = on!(db, "of case", c => sqlx::query_as(sqlx::AssertSqlSafe(format!("{ROW} WHERE case_id = $1 ORDER BY id")))
        .bind(case).fetch_all(c).await)?;
    Ok(rows)
}

/// The services that were asked about a case.
///
/// # Errors
/// When the database refuses.
pub async fn services_of(tx: &mut Tx, case: i64) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> = on!(tx, "list services asked", c => sqlx::query_as(
        "SELECT DISTINCT service FROM request
         WHERE case_id = $1 AND state <> 'cancelled' ORDER BY service")
        .bind(case).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(service,)| service).collect())
}

/// Ends an open request: somebody else is asked, another service or another area of it. Whoever was asked hears
/// nothing of it any more, not what waits to leave in the next working morning either.
///
/// # Errors
/// When the database refuses.
pub async fn cancel(tx: &mut Tx, request: i64, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, "end a request", c => sqlx::query(
        "UPDATE request SET state = 'cancelled' WHERE id = $1 AND state IN ('asked', 'accepted')")
        .bind(request).execute(c).await.map(drop))?;
    letters::take_request_back(tx, request, "somebody else answers", now).await?;
    drafts::drop_of(tx, request).await
}

/// The request of a case to a service, while it is open.
///
/// # Errors
/// When the database refuses.
pub async fn open_of(
    tx: &mut Tx,
    case: i64,
    service: &str,
) -> Result<Option<RequestRow>, StoreError> {
    let row = on!(tx, "open of", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE case_id = $1 AND service = $2 AND state IN ('asked', 'accepted')")))
        .bind(case).bind(service).fetch_optional(c).await)?;
    Ok(row)
}

/// An open request with what a chase mail may say of its case.
#[derive(Debug, Clone, FromRow)]
pub struct Chased {
    /// Request row.
    pub id: i64,
    /// Case row.
    pub case_id: i64,
    /// Reference.
    pub reference: String,
    /// Record type id.
    pub record_type: String,
    /// Procedure id.
    pub procedure_id: String,
    /// Stage.
    pub stage: i64,
    /// Service id.
    pub service: String,
    /// `asked` or `accepted`.
    pub state: String,
    /// The day it was asked.
    pub asked_on: String,
    /// When its draft is due to us.
    pub draft_due_on: Option<String>,
    /// When the customer's answer is due.
    pub due_on: String,
    /// Whether the ladder for short limits applies.
    pub short: bool,
    /// Who answers there, where that is not whom the services' file names.
    pub responder_name: Option<String>,
    /// Where they are written to.
    pub responder_address: Option<String>,
    /// The area of the service that answers.
    pub area: Option<String>,
    /// The officer who looks after the case.
    pub owner: Option<String>,
}

/// Every request that is still waited for, in the order in which it falls due. While a case's clock stands
/// still, nobody is waited for.
///
/// # Errors
/// When the database refuses.
pub async fn chased(tx: &mut Tx) -> Result<Vec<Chased>, StoreError> {
    let rows = on!(tx, "list what is chased", c => sqlx::query_as(
        "SELECT r.id, r.case_id, k.reference, k.record_type, k.procedure_id, k.stage, r.service, r.state,
                r.asked_on, r.draft_due_on, r.due_on, r.short, r.responder_name, r.responder_address,
                r.area, k.owner
         FROM request r JOIN complaint_case k ON k.id = r.case_id
         WHERE r.state IN ('asked', 'accepted') AND k.status = 'open' AND k.agreed_due_on IS NOT NULL
         ORDER BY r.due_on, r.id")
        .fetch_all(c).await)?;
    Ok(rows)
}

/// A rung that was recorded.
#[derive(Debug, Clone, FromRow, serde::Serialize, utoipa::ToSchema)]
pub struct RungRow {
    /// Request row.
    pub request_id: i64,
    /// Rung id.
    pub rung: String,
    /// The day it fell on.
    pub fell_on: String,
    /// `sent` or `skipped`.
    pub outcome: String,
}

/// Every rung recorded for requests that are still open.
///
/// # Errors
/// When the database refuses.
pub async fn rungs_of_open(tx: &mut Tx) -> Result<Vec<RungRow>, StoreError> {
    let rows = on!(tx, "rungs of open", c => sqlx::query_as(
        "SELECT g.request_id, g.rung, g.fell_on, g.outcome
         FROM rung g JOIN request r ON r.id = g.request_id
         WHERE r.state IN ('asked', 'accepted')")
        .fetch_all(c).await)?;
    Ok(rows)
}

/// The rungs of a case's requests, in order.
///
/// # Errors
/// When the database refuses.
pub async fn rungs_of_case(db: &Db, case: i64) -> Result<Vec<RungRow>, StoreError> {
    let rows = on!(db, "rungs of case", c => sqlx::query_as(
        "SELECT g.request_id, g.rung, g.fell_on, g.outcome
         FROM rung g JOIN request r ON r.id = g.request_id
         WHERE r.case_id = $1 ORDER BY g.recorded_at, g.rung")
        .bind(case).fetch_all(c).await)?;
    Ok(rows)
}

/// Takes the one run of reminders that a day has. False when another gateway or an earlier start
/// had it.
///
/// # Errors
/// When the database refuses.
pub async fn begin_run(tx: &mut Tx, day: Date, now: Timestamp) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "begin run", c => sqlx::query_as(
        "INSERT INTO reminder_run (ran_on, ran_at) VALUES ($1, $2)
         ON CONFLICT (ran_on) DO NOTHING RETURNING ran_at")
        .bind(day.to_string()).bind(now.as_millisecond()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Whether a day's run has been.
///
/// # Errors
/// When the database refuses.
pub async fn has_run(db: &Db, day: Date) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(db, "has run", c => sqlx::query_as("SELECT ran_at FROM reminder_run WHERE ran_on = $1")
        .bind(day.to_string()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Takes the one digest that a person gets on a day. False when they had it.
///
/// # Errors
/// When the database refuses.
pub async fn claim_digest(tx: &mut Tx, recipient: &str, day: Date) -> Result<bool, StoreError> {
    let row: Option<(String,)> = on!(tx, "claim digest", c => sqlx::query_as(
        "INSERT INTO digest (recipient, sent_on, letter_id) VALUES ($1, $2, 0)
         ON CONFLICT (recipient, sent_on) DO NOTHING RETURNING recipient")
        .bind(clean(recipient)).bind(day.to_string()).fetch_optional(c).await)?;
    Ok(row.is_some())
}
