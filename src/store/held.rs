//! Letters that wait for a person, and how many answers went by themselves.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, ROWS, Tx, clean, in_list, on};

/// What holds a letter that could leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBy {
    /// Its address refuses our mail.
    Address,
    /// Too many answers went by themselves.
    Breaker,
    /// It is a draft: an officer releases it.
    Draft,
    /// Its reader needs it in a form that is no mail.
    Format,
}

impl HeldBy {
    fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Breaker => "breaker",
            Self::Draft => "draft",
            Self::Format => "format",
        }
    }
}

/// Holds queued letters.
///
/// # Errors
/// When the database refuses.
pub async fn hold(tx: &mut Tx, ids: &[i64], by: HeldBy, cause: &str) -> Result<(), StoreError> {
    for ids in ids.chunks(ROWS) {
        on!(tx, "hold letters", c => {
            let mut update = sqlx::QueryBuilder::new("UPDATE letter SET state = 'held', held_by = ");
            update.push_bind(by.word()).push(", last_cause = ").push_bind(clean(cause).into_owned());
            in_list(&mut update, ids);
            update.push(" AND state = 'queued'");
            update.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Holds what is queued to an address and not on its way, but for one purpose. Gives the letters.
///
/// # Errors
/// When the database refuses.
pub async fn hold_all_to(
    tx: &mut Tx,
    address: &str,
    but: &str,
    cause: &str,
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<(i64,)> = on!(tx, "hold letters to an address", c => sqlx::query_as(
        "UPDATE letter SET state = 'held', held_by = 'address', last_cause = $4
         WHERE recipient = $1 AND state = 'queued' AND leased_until <= $3 AND purpose <> $2
         RETURNING id")
        .bind(clean(address).to_lowercase())
        .bind(but)
        .bind(now.as_millisecond())
        .bind(clean(cause))
        .fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Answers that were written by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers {
    /// How many since the moment asked for, and since a person last released what was held.
    pub count: i64,
    /// Whether some are held because there were too many.
    pub held: bool,
}

/// Counts acknowledgements and receipts queued after a moment, up to `most`.
///
/// # Errors
/// When the database refuses.
pub async fn answers(tx: &mut Tx, since: Timestamp, most: i64) -> Result<Answers, StoreError> {
    let (count, held): (i64, bool) = on!(tx, "count answers", c => sqlx::query_as(
        "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM (
                    SELECT id FROM letter
                    WHERE purpose IN ('acknowledgement', 'receipt') AND created_at > $1
                      AND created_at > COALESCE((SELECT MAX(released_at) FROM letter WHERE held_by = 'breaker'), 0)
                    LIMIT $2) counted),
                COALESCE((SELECT TRUE FROM letter WHERE held_by = 'breaker' AND state = 'held' LIMIT 1), FALSE)")
        .bind(since.as_millisecond()).bind(most).fetch_one(c).await)?;
    Ok(Answers { count, held })
}

/// How a held letter goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoOn {
    /// It leaves like any other.
    Leave,
    /// It never leaves.
    Never,
}

/// A letter that is held no more.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Released {
    /// Row.
    pub id: i64,
    /// Case row.
    pub case_id: Option<i64>,
}

/// Ends the waiting of held letters. Gives those of which that is so now: what is not held stays as it
/// is, and what has no bytes cannot leave.
///
/// # Errors
/// When the database refuses.
pub async fn release(
    tx: &mut Tx,
    ids: &[i64],
    how: GoOn,
    now: Timestamp,
) -> Result<Vec<Released>, StoreError> {
    let mut released = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ROWS) {
        let rows: Vec<Released> = on!(tx, "release letters", c => {
            let mut update = sqlx::QueryBuilder::new("UPDATE letter SET released_at = ");
            update.push_bind(now.as_millisecond());
            update.push(match how {
                GoOn::Leave => ", state = 'queued'",
                GoOn::Never => ", state = 'cancelled'",
            });
            in_list(&mut update, ids);
            update.push(" AND state = 'held'");
            if how == GoOn::Leave {
                update.push(" AND id IN (SELECT letter_id FROM letter_bytes)");
            }
            update.push(" RETURNING id, case_id");
            update.build_query_as().persistent(false).fetch_all(c).await
        })?;
        released.extend(rows);
    }
    released.sort_by_key(|one| one.id);
    Ok(released)
}

/// The letters that are held because their address refuses our mail.
///
/// # Errors
/// When the database refuses.
pub async fn held_to(tx: &mut Tx, address: &str) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<(i64,)> = on!(tx, "list held letters", c => sqlx::query_as(
        "SELECT id FROM letter
         WHERE held_by = 'address' AND state = 'held' AND LOWER(recipient) = $1 ORDER BY id")
        .bind(clean(address).to_lowercase()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The letters that are held because too many answers went by themselves.
///
/// # Errors
/// When the database refuses.
pub async fn held_by_breaker(tx: &mut Tx) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<(i64,)> = on!(tx, "list held answers", c => sqlx::query_as(
        "SELECT id FROM letter WHERE held_by = 'breaker' AND state = 'held' ORDER BY id")
        .fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A letter's state; none where there is no such letter.
///
/// # Errors
/// When the database refuses.
pub async fn state(tx: &mut Tx, id: i64) -> Result<Option<String>, StoreError> {
    let row: Option<(String,)> = on!(tx, "look a letter up", c => sqlx::query_as(
        "SELECT state FROM letter WHERE id = $1")
        .bind(id).fetch_optional(c).await)?;
    Ok(row.map(|(state,)| state))
}

/// A letter as it was written, in the form of mail; none where there is no such letter, or it could not be put into it.
///
/// # Errors
/// When the database refuses.
pub async fn bytes(db: &Db, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<(Vec<u8>,)> = on!(db, "read a letter", c => sqlx::query_as(
        "SELECT bytes FROM letter_bytes WHERE letter_id = $1")
        .bind(id).fetch_optional(c).await)?;
    Ok(row.map(|(bytes,)| bytes))
}

/// A letter as the list of the outbox shows it.
#[derive(Debug, Clone, FromRow, serde::Serialize)]
pub struct ListedLetter {
    /// Row.
    pub id: i64,
    /// State.
    pub state: String,
    /// What for.
    pub purpose: String,
    /// The case's reference.
    pub reference: Option<String>,
    /// To whom.
    pub recipient: String,
    /// Subject.
    pub subject: String,
    /// Why it is where it is.
    pub last_cause: Option<String>,
    /// `address` or `breaker`, where one of these holds it.
    pub held_by: Option<String>,
    /// When it was queued, milliseconds.
    pub created_at: i64,
    /// When it is due, milliseconds.
    pub due_at: i64,
    /// When it came back, milliseconds.
    pub bounced_at: Option<i64>,
    /// With which status it came back, or was refused.
    pub bounce_status: Option<String>,
}

/// Letters in some states, in order; and those that came back, where asked for.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    db: &Db,
    states: &[&str],
    came_back: bool,
) -> Result<Vec<ListedLetter>, StoreError> {
    let rows = on!(db, "list letters", c => {
        let mut select = sqlx::QueryBuilder::new(
            "SELECT l.id, l.state, l.purpose, k.reference, l.recipient, l.subject, l.last_cause,
                    CASE WHEN l.state = 'held' THEN l.held_by END AS held_by,
                    l.created_at, l.due_at, l.bounced_at, l.bounce_status
             FROM letter l LEFT JOIN complaint_case k ON k.id = l.case_id WHERE l.state IN (");
        let mut list = select.separated(", ");
        for state in states {
            list.push_bind((*state).to_owned());
        }
        select.push(")");
        if came_back {
            select.push(" OR l.bounced_at IS NOT NULL");
        }
        select.push(" ORDER BY l.id");
        select.build_query_as().persistent(false).fetch_all(c).await
    })?;
    Ok(rows)
}
