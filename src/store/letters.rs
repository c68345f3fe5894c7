//! The outbox: finished letters, who gets them, and how their delivery went.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, ROWS, Tx, clean, in_list, on};

/// Letters written with one statement: what a statement holds is in memory twice.
const LETTERS_TOGETHER: usize = 50;

/// A letter to queue. Its bytes follow once its number is known ([`finish`]), in the same
/// transaction.
#[derive(Debug, Clone)]
pub struct NewLetter<'a> {
    /// `acknowledgement`, `service_request`, …
    pub purpose: &'a str,
    /// Which letter it is.
    pub template: &'a str,
    /// What must happen only once.
    pub once_key: &'a str,
    /// Case row.
    pub case_id: Option<i64>,
    /// Request row.
    pub request_id: Option<i64>,
    /// The message that it answers.
    pub message_id: Option<i64>,
    /// To whom.
    pub recipient: &'a str,
    /// When it may leave.
    pub due_at: Timestamp,
}

/// Takes a number for each of some letters, in order. None for one that was queued before, or that
/// stands twice in the list: it is never written twice.
///
/// # Errors
/// When the database refuses.
pub async fn begin(
    tx: &mut Tx,
    new: &[NewLetter<'_>],
    now: Timestamp,
) -> Result<Vec<Option<i64>>, StoreError> {
    let mut numbers = HashMap::with_capacity(new.len());
    for some in new.chunks(ROWS) {
        let rows: Vec<(String, i64)> = on!(tx, "queue letters", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO letter (purpose, template, once_key, case_id, request_id, message_id, recipient,
                                     envelope_from, subject, header_message_id, created_at, due_at, state) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(one.purpose)
                    .push_bind(one.template)
                    .push_bind(clean(one.once_key).into_owned())
                    .push_bind(one.case_id)
                    .push_bind(one.request_id)
                    .push_bind(one.message_id)
                    .push_bind(clean(one.recipient).into_owned())
                    .push("'', '', ''")
                    .push_bind(now.as_millisecond())
                    .push_bind(one.due_at.as_millisecond())
                    .push("'queued'");
            });
            insert.push(" ON CONFLICT (once_key) DO NOTHING RETURNING once_key, id");
            insert.build_query_as().persistent(false).fetch_all(c).await
        })?;
        numbers.extend(rows);
    }
    Ok(new.iter().map(|one| numbers.remove(clean(one.once_key).as_ref())).collect())
}

/// A letter with its bytes.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Row.
    pub id: i64,
    /// Bounce address.
    pub envelope_from: String,
    /// Subject.
    pub subject: String,
    /// Message-ID.
    pub header_message_id: String,
    /// The finished message.
    pub bytes: Vec<u8>,
}

/// Writes letters' bytes, once.
///
/// # Errors
/// When the database refuses; also when one was written before.
pub async fn finish(tx: &mut Tx, letters: &[Finished]) -> Result<(), StoreError> {
    for some in letters.chunks(LETTERS_TOGETHER) {
        on!(tx, "write letters", c => {
            let mut update = sqlx::QueryBuilder::new(
                "UPDATE letter SET envelope_from = written.column2, subject = written.column3,
                     header_message_id = written.column4
                 FROM (");
            update.push_values(some, |mut row, one| {
                row.push_bind(one.id)
                    .push_bind(clean(&one.envelope_from).into_owned())
                    .push_bind(clean(&one.subject).into_owned())
                    .push_bind(clean(&one.header_message_id).into_owned());
            });
            update.push(") AS written WHERE letter.id = written.column1");
            update.build().persistent(false).execute(c).await.map(drop)
        })?;
        on!(tx, "write letters' bytes", c => {
            let mut insert = sqlx::QueryBuilder::new("INSERT INTO letter_bytes (letter_id, bytes) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(one.id).push_bind(one.bytes.as_slice());
            });
            insert.build().persistent(false).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// A letter that could not be written: held, with the reason, for a person.
///
/// # Errors
/// When the database refuses.
pub async fn hold(tx: &mut Tx, id: i64, cause: &str) -> Result<(), StoreError> {
    on!(tx, "hold a letter", c => sqlx::query("UPDATE letter SET state = 'held', last_cause = $2 WHERE id = $1")
        .bind(id).bind(clean(cause)).execute(c).await.map(drop))?;
    Ok(())
}

/// A letter on its way out.
#[derive(Debug, Clone, FromRow)]
pub struct Leaving {
    /// Row.
    pub id: i64,
    /// What for.
    pub purpose: String,
    /// Case row.
    pub case_id: Option<i64>,
    /// To whom.
    pub recipient: String,
    /// Bounce address.
    pub envelope_from: String,
    /// The finished message.
    pub bytes: Vec<u8>,
    /// Attempts, this one included.
    pub attempts: i64,
    /// When it was queued, or last released by a person, milliseconds.
    pub created_at: i64,
}

/// Claims letters that are due and keeps other gateways off them until the lease ends.
///
/// # Errors
/// When the database refuses.
pub async fn claim(
    tx: &mut Tx,
    gateway: &str,
    now: Timestamp,
    lease_until: Timestamp,
    most: i64,
) -> Result<Vec<Leaving>, StoreError> {
    let mut rows: Vec<Leaving> = on!(tx, "claim what waits", c => sqlx::query_as(
        "UPDATE letter SET leased_by = $1, leased_until = $2, attempts = attempts + 1, last_attempt_at = $3
         WHERE id IN (SELECT id FROM letter
                      WHERE state = 'queued' AND due_at <= $3 AND leased_until <= $3
                      ORDER BY due_at, id LIMIT $4)
           AND state = 'queued' AND leased_until <= $3
         RETURNING id, purpose, case_id, recipient, envelope_from, attempts,
             COALESCE(released_at, created_at) AS created_at,
             (SELECT b.bytes FROM letter_bytes b WHERE b.letter_id = letter.id) AS bytes")
        .bind(gateway)
        .bind(lease_until.as_millisecond())
        .bind(now.as_millisecond())
        .bind(most)
        .fetch_all(c).await)?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

/// Keeps other gateways off the letters that one is sending.
///
/// # Errors
/// When the database refuses.
pub async fn renew(tx: &mut Tx, gateway: &str, lease_until: Timestamp) -> Result<(), StoreError> {
    on!(tx, "renew a claim", c => sqlx::query(
        "UPDATE letter SET leased_until = $2
         WHERE state = 'queued' AND leased_by = $1 AND leased_until > 0")
        .bind(gateway).bind(lease_until.as_millisecond()).execute(c).await.map(drop))?;
    Ok(())
}

/// When the next letter may leave, if any waits.
///
/// # Errors
/// When the database refuses.
pub async fn next_due(db: &Db) -> Result<Option<i64>, StoreError> {
    let row: Option<(Option<i64>,)> = on!(db, "next due", c => sqlx::query_as(
        "SELECT MIN(CASE WHEN due_at > leased_until THEN due_at ELSE leased_until END)
         FROM letter WHERE state = 'queued'")
        .fetch_optional(c).await)?;
    Ok(row.and_then(|(due,)| due))
}

/// The last letter that tells a customer that we have their message.
#[derive(Debug, Clone, FromRow)]
pub struct FirstLetter {
    /// Row.
    pub id: i64,
    /// State.
    pub state: String,
    /// Which letter it is; none for one from before that was kept.
    pub template: Option<String>,
    /// The message that it answers.
    pub message_id: Option<i64>,
    /// To whom.
    pub recipient: String,
    /// The Message-ID of what it answers.
    pub in_reply_to: Option<String>,
}

/// The acknowledgement of a case, the last where an officer's decision put one in the place of another.
///
/// # Errors
/// When the database refuses.
pub async fn acknowledgement(tx: &mut Tx, case: i64) -> Result<Option<FirstLetter>, StoreError> {
    on!(tx, "look up an acknowledgement", c => sqlx::query_as(
        "SELECT l.id, l.state, l.template, l.message_id, l.recipient, m.message_id AS in_reply_to
         FROM letter l LEFT JOIN message m ON m.id = l.message_id
         WHERE l.case_id = $1 AND l.purpose = 'acknowledgement' AND l.state <> 'cancelled'
         ORDER BY l.id DESC LIMIT 1")
        .bind(case).fetch_optional(c).await)
}

/// The number of the letter with a key.
///
/// # Errors
/// When the database refuses.
pub async fn of_key(tx: &mut Tx, once_key: &str) -> Result<Option<i64>, StoreError> {
    let row: Option<(i64,)> = on!(tx, "find a letter by its key", c => sqlx::query_as(
        "SELECT id FROM letter WHERE once_key = $1").bind(once_key).fetch_optional(c).await)?;
    Ok(row.map(|(id,)| id))
}

/// Takes a letter out of the outbox that has not begun to leave. False when it has.
///
/// # Errors
/// When the database refuses.
pub async fn take_back(
    tx: &mut Tx,
    id: i64,
    cause: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "take a letter back", c => sqlx::query_as(
        "UPDATE letter SET state = 'cancelled', last_cause = $3
         WHERE id = $1 AND attempts = 0
           AND (state = 'held' OR (state = 'queued' AND leased_until <= $2)) RETURNING id")
        .bind(id)
        .bind(now.as_millisecond())
        .bind(clean(cause))
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Takes the letters back that ask for an answer to a request and have not begun to leave: somebody else is asked.
///
/// # Errors
/// When the database refuses.
pub async fn take_request_back(
    tx: &mut Tx,
    request: i64,
    cause: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "take a request's letters back", c => sqlx::query(
        "UPDATE letter SET state = 'cancelled', last_cause = $3
         WHERE request_id = $1 AND purpose = 'service-request' AND attempts = 0
           AND (state = 'held' OR (state = 'queued' AND leased_until <= $2))")
        .bind(request)
        .bind(now.as_millisecond())
        .bind(clean(cause))
        .execute(c).await.map(drop))
}

/// How a delivery ended, as the outbox keeps it.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    /// `queued` again, `sent`, `failed`, `unknown`.
    pub state: &'a str,
    /// Reply code.
    pub code: Option<u16>,
    /// Why, in words without personal data.
    pub cause: &'a str,
    /// When to try again, for `queued`.
    pub due_at: Option<Timestamp>,
}

/// Records how a delivery ended. False when that is known already: a gateway that stood still while
/// others went on does not undo what they recorded.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    tx: &mut Tx,
    id: i64,
    outcome: &Outcome<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sent_at = (outcome.state == "sent").then(|| now.as_millisecond());
    let row: Option<(i64,)> = on!(tx, "record a delivery", c => sqlx::query_as(
        "UPDATE letter SET state = $2, last_code = $3, last_cause = $4, leased_until = 0,
                           sent_at = COALESCE($5, sent_at), due_at = COALESCE($6, due_at)
         WHERE id = $1 AND state = 'queued' RETURNING id")
        .bind(id)
        .bind(outcome.state)
        .bind(outcome.code.map(i64::from))
        .bind(clean(outcome.cause))
        .bind(sent_at)
        .bind(outcome.due_at.map(Timestamp::as_millisecond))
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Records letters that left with one and the same answer. Gives those of which it was not known: a
/// gateway that stood still while others went on does not record a letter again.
///
/// # Errors
/// When the database refuses.
pub async fn sent(
    tx: &mut Tx,
    ids: &[i64],
    code: Option<u16>,
    cause: &str,
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let mut recorded = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ROWS) {
        let rows: Vec<(i64,)> = on!(tx, "record deliveries", c => {
            let mut update =
                sqlx::QueryBuilder::new("UPDATE letter SET state = 'sent', leased_until = 0");
            update.push(", last_code = ").push_bind(code.map(i64::from));
            update.push(", last_cause = ").push_bind(clean(cause).into_owned());
            update.push(", sent_at = ").push_bind(now.as_millisecond());
            in_list(&mut update, ids);
            update.push(" AND state = 'queued' RETURNING id");
            update.build_query_as().persistent(false).fetch_all(c).await
        })?;
        recorded.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(recorded)
}

/// Gives a letter back untouched, its attempt not counted: the queue stopped before it was tried.
///
/// # Errors
/// When the database refuses.
pub async fn give_back(
    tx: &mut Tx,
    id: i64,
    due_at: Timestamp,
    cause: &str,
) -> Result<(), StoreError> {
    on!(tx, "give back", c => sqlx::query(
        "UPDATE letter SET leased_until = 0, attempts = attempts - 1, due_at = $2, last_cause = $3
         WHERE id = $1 AND state = 'queued'")
        .bind(id).bind(due_at.as_millisecond()).bind(clean(cause)).execute(c).await.map(drop))?;
    Ok(())
}

/// A letter as lists show it.
#[derive(Debug, Clone, FromRow, serde::Serialize, utoipa::ToSchema)]
pub struct LetterRow {
    /// Row.
    pub id: i64,
    /// What for.
    pub purpose: String,
    /// To whom.
    pub recipient: String,
    /// Subject.
    pub subject: String,
    /// State.
    pub state: String,
    /// Attempts.
    pub attempts: i64,
    /// Last reply code.
    pub last_code: Option<i64>,
    /// Last reply in words.
    pub last_cause: Option<String>,
    /// When it left, milliseconds.
    pub sent_at: Option<i64>,
    /// When it bounced, milliseconds.
    pub bounced_at: Option<i64>,
    /// With which status it bounced.
    pub bounce_status: Option<String>,
    /// When its delivery was reported, milliseconds.
    pub delivered_at: Option<i64>,
}

/// The letters of a case, in order.
///
/// # Errors
/// When the database refuses.
pub async fn of_case(db: &Db, case: i64) -> Result<Vec<LetterRow>, StoreError> {
    let rows = on!(db, "of case", c => sqlx::query_as(
        "SELECT id, purpose, recipient, subject, state, attempts, last_code, last_cause, sent_at,
                bounced_at, bounce_status, delivered_at
         FROM letter WHERE case_id = $1 ORDER BY id")
        .bind(case).fetch_all(c).await)?;
    Ok(rows)
}

/// Letters by purpose and state.
///
/// # Errors
/// When the database refuses.
pub async fn counts(db: &Db) -> Result<Vec<(String, String, i64)>, StoreError> {
    let rows = on!(db, "counts", c => sqlx::query_as(
        "SELECT purpose, state, CAST(COUNT(*) AS BIGINT) FROM letter GROUP BY purpose, state ORDER BY 1, 2")
        .fetch_all(c).await)?;
    Ok(rows)
}

/// What a letter was about: its case and request.
#[derive(Debug, Clone, FromRow)]
pub struct About {
    /// Row.
    pub id: i64,
    /// Case row.
    pub case_id: Option<i64>,
    /// Request row.
    pub request_id: Option<i64>,
    /// The message that it is about.
    pub message_id: Option<i64>,
    /// What for.
    pub purpose: String,
    /// To whom it went.
    pub recipient: String,
}

/// A letter by its number.
///
/// # Errors
/// When the database refuses.
pub async fn about(tx: &mut Tx, id: i64) -> Result<Option<About>, StoreError> {
    let row = on!(tx, "find a letter", c => sqlx::query_as("SELECT id, case_id, request_id, message_id, purpose, recipient FROM letter WHERE id = $1")
        .bind(id).fetch_optional(c).await)?;
    Ok(row)
}

/// A letter by the Message-ID that it went out with.
///
/// # Errors
/// When the database refuses.
pub async fn by_header(tx: &mut Tx, message_id: &str) -> Result<Option<About>, StoreError> {
    let row = on!(tx, "by header", c => sqlx::query_as(
        "SELECT id, case_id, request_id, message_id, purpose, recipient FROM letter WHERE header_message_id = $1 LIMIT 1")
        .bind(clean(message_id)).fetch_optional(c).await)?;
    Ok(row)
}

/// Records that a letter came back. False when that is known.
///
/// # Errors
/// When the database refuses.
pub async fn bounced(
    tx: &mut Tx,
    id: i64,
    status: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "bounced", c => sqlx::query_as(
        "UPDATE letter SET bounced_at = $2, bounce_status = $3
         WHERE id = $1 AND bounced_at IS NULL RETURNING id")
        .bind(id).bind(now.as_millisecond()).bind(clean(status)).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Records that a letter's delivery was reported: the first time that it was.
///
/// # Errors
/// When the database refuses.
pub async fn delivered(tx: &mut Tx, id: i64, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, "delivered", c => sqlx::query(
        "UPDATE letter SET delivered_at = $2 WHERE id = $1 AND delivered_at IS NULL")
        .bind(id).bind(now.as_millisecond()).execute(c).await.map(drop))?;
    Ok(())
}

/// How many letters an address had lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lately {
    /// In ten minutes.
    pub ten_minutes: i64,
    /// In an hour.
    pub hour: i64,
    /// In a day.
    pub day: i64,
}

/// How many letters addresses had in the ten minutes, the hour and the day before a moment. One that
/// had none is missing.
///
/// # Errors
/// When the database refuses.
pub async fn lately(
    tx: &mut Tx,
    recipients: &[&str],
    now: Timestamp,
) -> Result<HashMap<String, Lately>, StoreError> {
    let since = |minutes: i64| now.as_millisecond() - minutes * 60_000;
    let mut all = HashMap::new();
    for some in recipients.chunks(ROWS) {
        let rows: Vec<(String, i64, i64, i64)> = on!(tx, "count letters", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT recipient, CAST(SUM(CASE WHEN created_at > ");
            select.push_bind(since(10)).push(" THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN created_at > ");
            select.push_bind(since(60)).push(" THEN 1 ELSE 0 END) AS BIGINT), CAST(COUNT(*) AS BIGINT)");
            select.push(" FROM letter WHERE created_at > ").push_bind(since(24 * 60));
            select.push(" AND recipient IN (");
            let mut list = select.separated(", ");
            for recipient in some {
                list.push_bind(clean(recipient).into_owned());
            }
            select.push(") GROUP BY recipient");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        all.extend(rows.into_iter().map(|(recipient, ten_minutes, hour, day)| {
            (recipient, Lately { ten_minutes, hour, day })
        }));
    }
    Ok(all)
}

/// How many letters about a case its customers had in the ten minutes, the hour and the day before a
/// moment.
///
/// # Errors
/// When the database refuses.
pub async fn lately_of_case(tx: &mut Tx, case: i64, now: Timestamp) -> Result<Lately, StoreError> {
    let since = |minutes: i64| now.as_millisecond() - minutes * 60_000;
    let (ten_minutes, hour, day): (i64, i64, i64) = on!(tx, "count a case's letters", c => sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(CASE WHEN created_at > $2 THEN 1 ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN created_at > $3 THEN 1 ELSE 0 END), 0) AS BIGINT),
                CAST(COUNT(*) AS BIGINT)
         FROM letter
         WHERE case_id = $1 AND created_at > $4 AND purpose IN ('acknowledgement', 'receipt')")
        .bind(case).bind(since(10)).bind(since(60)).bind(since(24 * 60)).fetch_one(c).await)?;
    Ok(Lately { ten_minutes, hour, day })
}

/// How many receipts a case had since a moment.
///
/// # Errors
/// When the database refuses.
pub async fn receipts_since(
    tx: &mut Tx,
    case: i64,
    recipient: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    let (count,): (i64,) = on!(tx, "receipts since", c => sqlx::query_as(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM letter
         WHERE case_id = $1 AND recipient = $2 AND created_at > $3
           AND purpose IN ('acknowledgement', 'receipt')")
        .bind(case).bind(clean(recipient)).bind(since.as_millisecond()).fetch_one(c).await)?;
    Ok(count)
}
