//! What a message may have to do with other cases, for an officer to decide.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, ROWS, Tx, clean, on};
use crate::email::Address;
use crate::private::Private;

/// A suggestion to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSuggestion {
    /// The message that it is about.
    pub message_id: i64,
    /// The case that the message belongs to.
    pub case_id: Option<i64>,
    /// The case that it may have to do with.
    pub about_case: i64,
    /// `duplicate`, `similar`, `belongs`, `new_matter`.
    pub kind: &'static str,
    /// Thousandths.
    pub score: i64,
    /// Why, naming nobody.
    pub because: String,
}

/// Makes suggestions, each once.
///
/// # Errors
/// When the database refuses.
pub async fn add_all(
    tx: &mut Tx,
    suggestions: &[NewSuggestion],
    now: Timestamp,
) -> Result<(), StoreError> {
    for some in suggestions.chunks(ROWS) {
        on!(tx, "make suggestions", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO suggestion (message_id, case_id, about_case, kind, score, because, made_at) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(one.message_id)
                    .push_bind(one.case_id)
                    .push_bind(one.about_case)
                    .push_bind(one.kind)
                    .push_bind(one.score)
                    .push_bind(clean(&one.because).into_owned())
                    .push_bind(now.as_millisecond());
            });
            insert.push(" ON CONFLICT (message_id, kind, about_case) DO NOTHING");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// A suggestion as lists show it.
#[derive(Debug, Clone, FromRow, serde::Serialize, utoipa::ToSchema)]
pub struct SuggestionRow {
    /// Row.
    pub id: i64,
    /// Message row.
    pub message_id: i64,
    /// Reference of the case that the message belongs to.
    pub reference: Option<String>,
    /// Reference of the case that it may have to do with.
    pub about: String,
    /// `duplicate`, `similar`, `belongs`, `new_matter`.
    pub kind: String,
    /// Thousandths.
    pub score: i64,
    /// Why.
    pub because: String,
    /// `taken`, `declined`.
    pub answer: Option<String>,
}

const ROW: &str =
    "SELECT s.id, s.message_id, k.reference, a.reference AS about, s.kind, s.score, s.because, s.answer
     FROM suggestion s JOIN complaint_case a ON a.id = s.about_case
     LEFT JOIN complaint_case k ON k.id = s.case_id";

/// What was suggested for a case, or about it, surest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(db: &Db, case: i64) -> Result<Vec<SuggestionRow>, StoreError> {
    on!(db, "list suggestions", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE s.case_id = $1 OR s.about_case = $1 ORDER BY s.score DESC, s.id")))
        .bind(case).fetch_all(c).await)
}

/// What nobody has decided yet, surest first.
///
/// # Errors
/// When the database refuses.
pub async fn open(db: &Db) -> Result<Vec<SuggestionRow>, StoreError> {
    on!(db, "list suggestions", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE s.answer IS NULL ORDER BY s.score DESC, s.id")))
        .fetch_all(c).await)
}

/// Records what an officer made of suggestions between two cases, or about a message. How many there
/// were to answer.
///
/// # Errors
/// When the database refuses.
pub async fn answer(
    tx: &mut Tx,
    which: Answered,
    answer: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let rows: Vec<(i64,)> = match which {
        Answered::Between(one, other) => on!(tx, "answer suggestions", c => sqlx::query_as(
            "UPDATE suggestion SET answer = $3, answered_at = $4
             WHERE answer IS NULL
               AND ((case_id = $1 AND about_case = $2) OR (case_id = $2 AND about_case = $1)) RETURNING id")
            .bind(one).bind(other).bind(answer).bind(now.as_millisecond()).fetch_all(c).await)?,
        Answered::Message(id) => on!(tx, "answer suggestions", c => sqlx::query_as(
            "UPDATE suggestion SET answer = $2, answered_at = $3
             WHERE answer IS NULL AND message_id = $1 RETURNING id")
            .bind(id).bind(answer).bind(now.as_millisecond()).fetch_all(c).await)?,
        Answered::One(id) => on!(tx, "answer suggestions", c => sqlx::query_as(
            "UPDATE suggestion SET answer = $2, answered_at = $3
             WHERE answer IS NULL AND id = $1 RETURNING id")
            .bind(id).bind(answer).bind(now.as_millisecond()).fetch_all(c).await)?,
    };
    Ok(rows.len())
}

/// Which suggestions an officer answers.
#[derive(Debug, Clone, Copy)]
pub enum Answered {
    /// Those between two cases.
    Between(i64, i64),
    /// Those about a message.
    Message(i64),
    /// One.
    One(i64),
}

/// Keeps by what numbers messages' words are found again.
///
/// # Errors
/// When the database refuses.
pub async fn keep_bands(tx: &mut Tx, bands: &[(i64, i64)]) -> Result<(), StoreError> {
    for some in bands.chunks(ROWS) {
        on!(tx, "keep bands", c => {
            let mut insert = sqlx::QueryBuilder::new("INSERT INTO likeness (band, message_id) ");
            insert.push_values(some, |mut row, (band, message)| {
                row.push_bind(*band).push_bind(*message);
            });
            insert.push(" ON CONFLICT (band, message_id) DO NOTHING");
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// The messages that share any of these bands: (band, message).
///
/// # Errors
/// When the database refuses.
pub async fn sharing(tx: &mut Tx, bands: &[i64]) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut found = Vec::new();
    for some in bands.chunks(ROWS) {
        let rows: Vec<(i64, i64)> = on!(tx, "look for like messages", c => {
            let mut select =
                sqlx::QueryBuilder::new("SELECT band, message_id FROM likeness WHERE band IN (");
            let mut list = select.separated(", ");
            for band in some {
                list.push_bind(*band);
            }
            select.push(")");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// An earlier message that belongs to a case.
#[derive(Debug, Clone)]
pub struct Earlier {
    /// Row.
    pub id: i64,
    /// Its case.
    pub case_id: i64,
    /// The case's reference.
    pub reference: String,
    /// Who wrote it.
    pub from: Option<Address>,
    /// Only what its sender newly wrote.
    pub reply_text: Private<String>,
}

/// Of what was read of a message, what another is compared with.
#[derive(serde::Deserialize)]
struct Words {
    from: Option<Address>,
    reply_text: Private<String>,
}

/// Earlier messages with their cases; those without one are missing. A merged case stands for the
/// one that it was merged into.
///
/// # Errors
/// When the database refuses.
pub async fn earlier(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Earlier>, StoreError> {
    let mut found = Vec::new();
    for some in ids.chunks(ROWS) {
        let rows: Vec<(i64, i64, String, String)> = on!(tx, "look at like messages", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT m.id, k.id, k.reference, r.email
                 FROM message m JOIN reading r ON r.message_id = m.id
                 JOIN complaint_case o ON o.id = m.case_id
                 JOIN complaint_case k ON k.id = COALESCE(o.merged_into, o.id)
                 WHERE m.id IN (");
            let mut list = select.separated(", ");
            for id in some {
                list.push_bind(*id);
            }
            select.push(") ORDER BY m.id");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        found.extend(rows.into_iter().filter_map(|(id, case_id, reference, email)| {
            // What an older version read of a message may have another shape; it is then not compared.
            let Words { from, reply_text } = serde_json::from_str(&email).ok()?;
            Some(Earlier { id, case_id, reference, from, reply_text })
        }));
    }
    Ok(found)
}

/// A case of somebody who writes again, which was answered.
#[derive(Debug, Clone, FromRow)]
pub struct AnsweredCase {
    /// Whose: the party's address.
    pub address: String,
    /// Row.
    pub id: i64,
    /// Reference.
    pub reference: String,
    /// What it is registered as.
    pub record_type: String,
    /// Lead service.
    pub lead_service: String,
    /// JSON list.
    pub themes: String,
    /// The stage that was answered.
    pub stage: i64,
    /// The day it was received.
    pub received_on: String,
}

/// The answered cases in which addresses are the customer, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn answered_cases_of(
    tx: &mut Tx,
    addresses: &[&str],
) -> Result<Vec<AnsweredCase>, StoreError> {
    let mut found = Vec::new();
    for some in addresses.chunks(ROWS) {
        let rows: Vec<AnsweredCase> = on!(tx, "look for answered cases", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT p.address, k.id, k.reference, k.record_type, k.lead_service, k.themes, k.stage,
                        k.received_on
                 FROM party p JOIN complaint_case k ON k.id = p.case_id
                 WHERE p.role = 'customer' AND k.status IN ('answered', 'closed')
                   AND k.answered_at IS NOT NULL AND p.address IN (");
            let mut list = select.separated(", ");
            for address in some {
                list.push_bind(clean(address).into_owned());
            }
            select.push(") ORDER BY k.id");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// An open case of somebody who writes again.
#[derive(Debug, Clone, FromRow)]
pub struct OpenCase {
    /// Whose: the party's address.
    pub address: String,
    /// Row.
    pub id: i64,
    /// Reference.
    pub reference: String,
    /// Lead service.
    pub lead_service: String,
}

/// The open cases in which addresses are the customer, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn open_cases_of(tx: &mut Tx, addresses: &[&str]) -> Result<Vec<OpenCase>, StoreError> {
    let mut found = Vec::new();
    for some in addresses.chunks(ROWS) {
        let rows: Vec<OpenCase> = on!(tx, "look for open cases", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT p.address, k.id, k.reference, k.lead_service
                 FROM party p JOIN complaint_case k ON k.id = p.case_id
                 WHERE p.role = 'customer' AND k.status = 'open' AND p.address IN (");
            let mut list = select.separated(", ");
            for address in some {
                list.push_bind(clean(address).into_owned());
            }
            select.push(") ORDER BY k.id");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}
