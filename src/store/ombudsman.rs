//! What comes from the Ombudsman: their cases, what they wrote, what was agreed, and who was reminded of it.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::FromRow;

use super::StoreError;
use super::cases::actor_text;
use super::db::{Db, ROWS, Tx, affected, clean, on};
use crate::casework::case::{Actor, OfficerId};
use crate::casework::ombudsman::{ClosedBecause, ContactKind, Decided, OmbudsmanStep};

/// A case of the Ombudsman.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OmbudsmanRow {
    /// Row.
    pub id: i64,
    /// The Ombudsman's reference.
    pub theirs: Option<String>,
    /// The row of the council's case that it is about.
    pub case_id: Option<i64>,
    /// That case's reference.
    pub reference: Option<String>,
    /// `upheld`, `not_upheld`, `closed`, `premature`.
    pub outcome: Option<String>,
    /// Why it was closed.
    pub closed_because: Option<String>,
    /// The day of the decision.
    pub decided_on: Option<String>,
}

const ROW: &str =
    "SELECT o.id, o.reference AS theirs, o.case_id, k.reference, o.outcome, o.closed_because,
        o.decided_on
     FROM ombudsman_case o LEFT JOIN complaint_case k ON k.id = o.case_id";

/// Opens a case of the Ombudsman. Gives its row.
///
/// # Errors
/// When the database refuses, or has their reference already.
pub async fn open(
    tx: &mut Tx,
    theirs: Option<&str>,
    case: Option<i64>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    on!(tx, "open a case of the Ombudsman", c => sqlx::query_scalar(
        "INSERT INTO ombudsman_case (reference, case_id, opened_at) VALUES ($1, $2, $3) RETURNING id")
        .bind(theirs.map(clean)).bind(case).bind(now.as_millisecond()).fetch_one(c).await)
}

/// A case of the Ombudsman by its row.
///
/// # Errors
/// When the database refuses.
pub async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<OmbudsmanRow>, StoreError> {
    on!(tx, "find a case of the Ombudsman", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE o.id = $1"))).bind(id).fetch_optional(c).await)
}

/// A case of the Ombudsman by its row, which nobody else changes until the end of the transaction: what it
/// was linked to, and what was answered, is what it is.
///
/// # Errors
/// When the database refuses.
pub async fn hold(tx: &mut Tx, id: i64) -> Result<Option<OmbudsmanRow>, StoreError> {
    on!(tx, "hold a case of the Ombudsman", c => sqlx::query(
        "UPDATE ombudsman_case SET opened_at = opened_at WHERE id = $1")
        .bind(id).execute(c).await.map(drop))?;
    by_id(tx, id).await
}

/// A case of the Ombudsman by their reference.
///
/// # Errors
/// When the database refuses.
pub async fn by_reference(tx: &mut Tx, theirs: &str) -> Result<Option<OmbudsmanRow>, StoreError> {
    on!(tx, "find a case of the Ombudsman", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE o.reference = $1"))).bind(clean(theirs)).fetch_optional(c).await)
}

/// The Ombudsman's cases about one case of the council, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(tx: &mut Tx, case: i64) -> Result<Vec<OmbudsmanRow>, StoreError> {
    on!(tx, "list a case's cases of the Ombudsman", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE o.case_id = $1 ORDER BY o.id"))).bind(case).fetch_all(c).await)
}

/// The Ombudsman's cases on which something is left to do or to hear, oldest first; or all of them.
///
/// # Errors
/// When the database refuses.
pub async fn list(tx: &mut Tx, all: bool) -> Result<Vec<OmbudsmanRow>, StoreError> {
    on!(tx, "list the cases of the Ombudsman", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE CAST($1 AS BIGINT) = 1 OR o.outcome IS NULL
            OR EXISTS (SELECT 1 FROM ombudsman_contact t
                       WHERE t.ombudsman_id = o.id AND t.answered_on IS NULL)
            OR EXISTS (SELECT 1 FROM ombudsman_remedy r
                       WHERE r.ombudsman_id = o.id AND r.done_on IS NULL)
         ORDER BY o.id"))).bind(i64::from(all)).fetch_all(c).await)
}

/// Gives a case of the Ombudsman their reference.
///
/// # Errors
/// When the database refuses, or has the reference already.
pub async fn name(tx: &mut Tx, id: i64, theirs: &str) -> Result<(), StoreError> {
    on!(tx, "name a case of the Ombudsman", c => sqlx::query(
        "UPDATE ombudsman_case SET reference = $2 WHERE id = $1")
        .bind(id).bind(clean(theirs)).execute(c).await.map(drop))
}

/// Says which case of the council it is about. False when that was said before.
///
/// # Errors
/// When the database refuses.
pub async fn link(tx: &mut Tx, id: i64, case: i64) -> Result<bool, StoreError> {
    let rows = on!(tx, "link a case of the Ombudsman", c => sqlx::query(
        "UPDATE ombudsman_case SET case_id = $2 WHERE id = $1 AND case_id IS NULL")
        .bind(id).bind(case).execute(c).await.map(affected))?;
    Ok(rows == 1)
}

/// Records what the Ombudsman decided, in place of what was recorded before.
///
/// # Errors
/// When the database refuses.
pub async fn decide(
    tx: &mut Tx,
    id: i64,
    outcome: Decided,
    closed: Option<ClosedBecause>,
    on: Date,
) -> Result<(), StoreError> {
    on!(tx, "record a decision of the Ombudsman", c => sqlx::query(
        "UPDATE ombudsman_case SET outcome = $2, closed_because = $3, decided_on = $4 WHERE id = $1")
        .bind(id).bind(outcome.id()).bind(closed.map(ClosedBecause::id)).bind(on.to_string())
        .execute(c).await.map(drop))
}

/// Something that the Ombudsman wrote, said or sent.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, serde::Serialize, utoipa::ToSchema)]
#[schema(as = OmbudsmanContact)]
pub struct ContactRow {
    /// Row.
    pub id: i64,
    /// The row of the Ombudsman's case.
    #[serde(skip)]
    pub ombudsman_id: i64,
    /// The message; none where it came by post or telephone.
    pub message_id: Option<i64>,
    /// `premature`, `enquiry`, `documents`, `provisional_decision`, `decision`, `remedy`.
    pub kind: String,
    /// When it came, milliseconds.
    pub received_at: i64,
    /// The day of that, in London.
    pub received_on: String,
    /// What the gateway read in the letter: a suggestion by which nothing counts.
    pub suggested_on: Option<String>,
    /// The day that the letter gives, as an officer entered it.
    pub due_on: Option<String>,
    /// What is asked.
    pub asks: Option<String>,
    /// When an officer had read it, milliseconds; none while nobody has.
    pub confirmed_at: Option<i64>,
    /// The day on which the council answered.
    pub answered_on: Option<String>,
}

const CONTACT: &str =
    "SELECT id, ombudsman_id, message_id, kind, received_at, received_on, suggested_on,
        due_on, asks, confirmed_at, answered_on FROM ombudsman_contact";

/// A contact to keep.
#[derive(Debug, Clone, Copy)]
pub struct NewContact {
    /// The row of the Ombudsman's case.
    pub ombudsman: i64,
    /// The message, if it came by one.
    pub message: Option<i64>,
    /// What it seems to be.
    pub kind: ContactKind,
    /// When it came.
    pub received_at: Timestamp,
    /// The day of that, in London.
    pub received_on: Date,
    /// What the gateway read in the letter.
    pub suggested_on: Option<Date>,
}

/// Keeps a contact. None when its message was kept as one before.
///
/// # Errors
/// When the database refuses.
pub async fn add_contact(tx: &mut Tx, new: &NewContact) -> Result<Option<i64>, StoreError> {
    on!(tx, "keep a contact of the Ombudsman", c => sqlx::query_scalar(
        "INSERT INTO ombudsman_contact (ombudsman_id, message_id, kind, received_at, received_on, suggested_on)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (message_id) DO NOTHING RETURNING id")
        .bind(new.ombudsman).bind(new.message).bind(new.kind.id())
        .bind(new.received_at.as_millisecond()).bind(new.received_on.to_string())
        .bind(new.suggested_on.map(|day| day.to_string())).fetch_optional(c).await)
}

/// A contact by its row.
///
/// # Errors
/// When the database refuses.
pub async fn contact(tx: &mut Tx, id: i64) -> Result<Option<ContactRow>, StoreError> {
    on!(tx, "find a contact of the Ombudsman", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{CONTACT} WHERE id = $1"))).bind(id).fetch_optional(c).await)
}

/// The contacts of a case of the Ombudsman, in order of arrival.
///
/// # Errors
/// When the database refuses.
pub async fn contacts(tx: &mut Tx, ombudsman: i64) -> Result<Vec<ContactRow>, StoreError> {
    on!(tx, "list contacts of the Ombudsman", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{CONTACT} WHERE ombudsman_id = $1 ORDER BY received_at, id")))
        .bind(ombudsman).fetch_all(c).await)
}

/// Records what an officer read in a contact.
///
/// # Errors
/// When the database refuses.
pub async fn confirm(
    tx: &mut Tx,
    id: i64,
    kind: ContactKind,
    due_on: Option<Date>,
    asks: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "confirm a contact of the Ombudsman", c => sqlx::query(
        "UPDATE ombudsman_contact SET kind = $2, due_on = $3, asks = COALESCE($4, asks), confirmed_at = $5
         WHERE id = $1")
        .bind(id).bind(kind.id()).bind(due_on.map(|day| day.to_string())).bind(asks.map(clean))
        .bind(now.as_millisecond()).execute(c).await.map(drop))
}

/// Records that a contact was answered.
///
/// # Errors
/// When the database refuses.
pub async fn answered(tx: &mut Tx, id: i64, on: Date) -> Result<(), StoreError> {
    on!(tx, "record an answer to the Ombudsman", c => sqlx::query(
        "UPDATE ombudsman_contact SET answered_on = $2 WHERE id = $1")
        .bind(id).bind(on.to_string()).execute(c).await.map(drop))
}

/// What was agreed to put things right.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, serde::Serialize, utoipa::ToSchema)]
#[schema(as = OmbudsmanRemedy)]
pub struct RemedyRow {
    /// Row.
    pub id: i64,
    /// The row of the Ombudsman's case.
    #[serde(skip)]
    pub ombudsman_id: i64,
    /// What.
    pub what: String,
    /// By when, as the decision says.
    pub due_on: Option<String>,
    /// The day on which it was done.
    pub done_on: Option<String>,
    /// What shows it.
    pub evidence: Option<String>,
}

const REMEDY: &str =
    "SELECT id, ombudsman_id, what, due_on, done_on, evidence FROM ombudsman_remedy";

/// Keeps an agreed remedy. Gives its row.
///
/// # Errors
/// When the database refuses.
pub async fn add_remedy(
    tx: &mut Tx,
    ombudsman: i64,
    what: &str,
    due_on: Option<Date>,
) -> Result<i64, StoreError> {
    on!(tx, "keep an agreed remedy", c => sqlx::query_scalar(
        "INSERT INTO ombudsman_remedy (ombudsman_id, what, due_on) VALUES ($1, $2, $3) RETURNING id")
        .bind(ombudsman).bind(clean(what)).bind(due_on.map(|day| day.to_string()))
        .fetch_one(c).await)
}

/// A remedy by its row.
///
/// # Errors
/// When the database refuses.
pub async fn remedy(tx: &mut Tx, id: i64) -> Result<Option<RemedyRow>, StoreError> {
    on!(tx, "find an agreed remedy", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{REMEDY} WHERE id = $1"))).bind(id).fetch_optional(c).await)
}

/// The remedies of a case of the Ombudsman.
///
/// # Errors
/// When the database refuses.
pub async fn remedies(tx: &mut Tx, ombudsman: i64) -> Result<Vec<RemedyRow>, StoreError> {
    on!(tx, "list agreed remedies", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{REMEDY} WHERE ombudsman_id = $1 ORDER BY id"))).bind(ombudsman).fetch_all(c).await)
}

/// Records that a remedy is done.
///
/// # Errors
/// When the database refuses.
pub async fn remedy_done(tx: &mut Tx, id: i64, on: Date, evidence: &str) -> Result<(), StoreError> {
    on!(tx, "record that a remedy is done", c => sqlx::query(
        "UPDATE ombudsman_remedy SET done_on = $2, evidence = $3 WHERE id = $1")
        .bind(id).bind(on.to_string()).bind(clean(evidence)).execute(c).await.map(drop))
}

/// Records a step in the history of a case of the Ombudsman.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    tx: &mut Tx,
    ombudsman: i64,
    by: &Actor,
    step: &OmbudsmanStep,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "record what the Ombudsman did", c => sqlx::query(
        "INSERT INTO ombudsman_event (ombudsman_id, at, actor, detail) VALUES ($1, $2, $3, $4)")
        .bind(ombudsman).bind(now.as_millisecond()).bind(actor_text(by).to_owned())
        .bind(super::json(step)).execute(c).await.map(drop))
}

/// A step as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = RecordedOmbudsmanStep)]
pub struct RecordedStep {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What.
    #[serde(flatten)]
    pub step: OmbudsmanStep,
}

/// What happened to a case of the Ombudsman, oldest first.
///
/// # Errors
/// When the database refuses, or holds a step that this program does not know.
pub async fn history(tx: &mut Tx, ombudsman: i64) -> Result<Vec<RecordedStep>, StoreError> {
    let rows: Vec<(i64, String, String)> = on!(tx, "read what the Ombudsman did", c => sqlx::query_as(
        "SELECT at, actor, detail FROM ombudsman_event WHERE ombudsman_id = $1 ORDER BY id")
        .bind(ombudsman).fetch_all(c).await)?;
    let read = |(at, actor, detail): (i64, String, String)| {
        let step = serde_json::from_str(&detail).map_err(|_| {
            let why = format!("case {ombudsman} of the Ombudsman has a step of a newer program");
            StoreError::unsuitable("read what the Ombudsman did", why)
        })?;
        let by = match actor.as_str() {
            "gateway" => Actor::Gateway,
            officer => Actor::Officer(OfficerId(officer.to_owned())),
        };
        Ok(RecordedStep { at: super::moment(at), by, step })
    };
    rows.into_iter().map(read).collect()
}

/// A date of the Ombudsman that is still to be kept.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DateRow {
    /// `unread`: nobody has confirmed a letter yet, and it falls due on the day it came; `contact`; `remedy`;
    /// `undated`: a remedy without a date.
    pub item: String,
    /// Contact or remedy row.
    pub item_id: i64,
    /// The row of the Ombudsman's case.
    pub ombudsman_id: i64,
    /// The Ombudsman's reference.
    pub theirs: Option<String>,
    /// The council's case, by its reference.
    pub reference: Option<String>,
    /// The service that leads its answer.
    pub lead_service: Option<String>,
    /// The area for which that service was asked last.
    pub area: Option<String>,
    /// What kind of contact; `remedy` for a remedy.
    pub kind: String,
    /// From which day it counts: the day it came, or the day of the decision.
    pub from_on: String,
    /// The day itself; of a remedy without a date the day of the decision.
    pub due_on: String,
}

/// Every date of the Ombudsman that is still to be kept, the first due first.
///
/// # Errors
/// When the database refuses.
pub async fn dates(tx: &mut Tx) -> Result<Vec<DateRow>, StoreError> {
    on!(tx, "list the dates of the Ombudsman", c => sqlx::query_as(
        "SELECT CASE WHEN t.confirmed_at IS NULL THEN 'unread' ELSE 'contact' END AS item,
                t.id AS item_id, o.id AS ombudsman_id, o.reference AS theirs, k.reference,
                k.lead_service, (SELECT q.area FROM request q WHERE q.case_id = k.id AND q.service = k.lead_service
                 ORDER BY q.round DESC LIMIT 1) AS area,
                t.kind, t.received_on AS from_on,
                CASE WHEN t.confirmed_at IS NULL THEN t.received_on ELSE t.due_on END AS due_on
         FROM ombudsman_contact t JOIN ombudsman_case o ON o.id = t.ombudsman_id
              LEFT JOIN complaint_case k ON k.id = o.case_id
         WHERE t.answered_on IS NULL AND (t.confirmed_at IS NULL OR t.due_on IS NOT NULL)
         UNION ALL
         SELECT 'remedy' AS item, r.id AS item_id, o.id AS ombudsman_id, o.reference AS theirs,
                k.reference, k.lead_service, (SELECT q.area FROM request q WHERE q.case_id = k.id AND q.service = k.lead_service
                 ORDER BY q.round DESC LIMIT 1) AS area,
                'remedy' AS kind,
                COALESCE(o.decided_on, r.due_on) AS from_on, r.due_on
         FROM ombudsman_remedy r JOIN ombudsman_case o ON o.id = r.ombudsman_id
              LEFT JOIN complaint_case k ON k.id = o.case_id
         WHERE r.done_on IS NULL AND r.due_on IS NOT NULL
         UNION ALL
         SELECT 'undated' AS item, r.id AS item_id, o.id AS ombudsman_id, o.reference AS theirs,
                k.reference, k.lead_service, (SELECT q.area FROM request q WHERE q.case_id = k.id AND q.service = k.lead_service
                 ORDER BY q.round DESC LIMIT 1) AS area,
                'remedy' AS kind, o.decided_on AS from_on,
                o.decided_on AS due_on
         FROM ombudsman_remedy r JOIN ombudsman_case o ON o.id = r.ombudsman_id
              LEFT JOIN complaint_case k ON k.id = o.case_id
         WHERE r.done_on IS NULL AND r.due_on IS NULL AND o.decided_on IS NOT NULL
         ORDER BY due_on, item, item_id")
        .fetch_all(c).await)
}

/// A rung by which somebody was reminded of a date.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RungRow {
    /// `unread`, `contact`, `remedy` or `undated`.
    pub item: String,
    /// Contact or remedy row.
    pub item_id: i64,
    /// The date.
    pub due_on: String,
    /// Rung id.
    pub rung: String,
    /// `sent` or `skipped`.
    pub outcome: String,
}

/// The rungs of everything that is not answered or done yet.
///
/// # Errors
/// When the database refuses.
pub async fn rungs(tx: &mut Tx) -> Result<Vec<RungRow>, StoreError> {
    on!(tx, "list reminders of the Ombudsman's dates", c => sqlx::query_as(
        "SELECT g.item, g.item_id, g.due_on, g.rung, g.outcome FROM ombudsman_rung g
         WHERE (g.item IN ('remedy', 'undated') AND EXISTS (SELECT 1 FROM ombudsman_remedy r
                    WHERE r.id = g.item_id AND r.done_on IS NULL))
            OR (g.item IN ('unread', 'contact') AND EXISTS (SELECT 1 FROM ombudsman_contact t
                    WHERE t.id = g.item_id AND t.answered_on IS NULL))")
        .fetch_all(c).await)
}

/// Records rungs, each once, however often it is recorded.
///
/// # Errors
/// When the database refuses.
pub async fn record_rungs(
    tx: &mut Tx,
    rungs: &[RungRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    for some in rungs.chunks(ROWS) {
        on!(tx, "record reminders of the Ombudsman's dates", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO ombudsman_rung (item, item_id, due_on, rung, recorded_at, outcome) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(&one.item)
                    .push_bind(one.item_id)
                    .push_bind(&one.due_on)
                    .push_bind(&one.rung)
                    .push_bind(now.as_millisecond())
                    .push_bind(&one.outcome);
            });
            insert.push(" ON CONFLICT (item, item_id, due_on, rung) DO NOTHING");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// A decision of the Ombudsman, as table 12 of the annual report counts it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DecisionRow {
    /// The row of the Ombudsman's case.
    pub id: i64,
    /// `upheld`, `not_upheld`, `closed`, `premature`.
    pub outcome: String,
    /// Why it was closed.
    pub closed_because: Option<String>,
    /// The day of the decision.
    pub decided_on: String,
    /// The service that leads the council's case; none where no case is linked.
    pub lead_service: Option<String>,
}

/// The decisions of the days from one to before another, in their order.
///
/// # Errors
/// When the database refuses.
pub async fn decisions(db: &Db, from: Date, to: Date) -> Result<Vec<DecisionRow>, StoreError> {
    on!(db, "list decisions of the Ombudsman", c => sqlx::query_as(
        "SELECT o.id, o.outcome, o.closed_because, o.decided_on, k.lead_service
         FROM ombudsman_case o LEFT JOIN complaint_case k ON k.id = o.case_id
         WHERE o.outcome IS NOT NULL AND o.decided_on >= $1 AND o.decided_on < $2
         ORDER BY o.decided_on, o.id")
        .bind(from.to_string()).bind(to.to_string()).fetch_all(c).await)
}
