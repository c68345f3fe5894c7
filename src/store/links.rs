//! Links to the answer page, the codes behind which the words of a customer are, the sessions that a code opens,
//! and the forms that were sent.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, ROWS, Tx, clean, on};

/// A link to make.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// Hexadecimal digits.
    pub token_sha256: String,
    /// The mailbox that it is sent to.
    pub recipient: String,
    /// The requests that it opens, in the order of its list.
    pub requests: Vec<i64>,
}

/// A link that was made.
#[derive(Debug, Clone, FromRow)]
pub struct LinkRow {
    /// Row.
    pub id: i64,
    /// The mailbox that it was sent to.
    pub recipient: String,
    /// The day.
    pub made_on: String,
    /// Since when another has taken its place, milliseconds.
    pub replaced_at: Option<i64>,
}

/// Makes links.
///
/// # Errors
/// When the database refuses.
pub async fn add(
    tx: &mut Tx,
    links: &[NewLink],
    made_on: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    for some in links.chunks(ROWS) {
        let rows: Vec<(String, i64)> = on!(tx, "make links", c => {
            let mut insert = sqlx::QueryBuilder::new(
                "INSERT INTO answer_link (token_sha256, recipient, made_on, made_at) ");
            insert.push_values(some, |mut row, one| {
                row.push_bind(one.token_sha256.as_str())
                    .push_bind(clean(&one.recipient).into_owned())
                    .push_bind(made_on.to_string())
                    .push_bind(now.as_millisecond());
            });
            insert.push(" RETURNING token_sha256, id");
            insert.build_query_as().persistent(false).fetch_all(c).await
        })?;
        let mut opened: Vec<(i64, i64, i64)> = Vec::new();
        for (token, id) in rows {
            let requests = some.iter().filter(|one| one.token_sha256 == token);
            let requests = requests.flat_map(|one| (1..).zip(&one.requests));
            opened.extend(requests.map(|(place, request)| (id, place, *request)));
        }
        for some in opened.chunks(ROWS) {
            on!(tx, "say what links open", c => {
                let mut insert = sqlx::QueryBuilder::new(
                    "INSERT INTO answer_link_request (link_id, place, request_id) ");
                insert.push_values(some, |mut row, (link, place, request)| {
                    row.push_bind(*link).push_bind(*place).push_bind(*request);
                });
                insert.build().persistent(false).execute(c).await.map(drop)
            })?;
        }
    }
    Ok(())
}

/// The link of a token.
///
/// # Errors
/// When the database refuses.
pub async fn of_token(tx: &mut Tx, token_sha256: &str) -> Result<Option<LinkRow>, StoreError> {
    on!(tx, "look a link up", c => sqlx::query_as(
        "SELECT id, recipient, made_on, replaced_at FROM answer_link WHERE token_sha256 = $1")
        .bind(token_sha256).fetch_optional(c).await)
}

/// The requests that a link opens, in the order of its list: place and row.
///
/// # Errors
/// When the database refuses.
pub async fn requests_of(tx: &mut Tx, link: i64) -> Result<Vec<(i64, i64)>, StoreError> {
    on!(tx, "list what a link opens", c => sqlx::query_as(
        "SELECT place, request_id FROM answer_link_request WHERE link_id = $1 ORDER BY place")
        .bind(link).fetch_all(c).await)
}

/// Puts another in a link's place. False where that was done since a moment before now.
///
/// # Errors
/// When the database refuses.
pub async fn replace(
    tx: &mut Tx,
    link: i64,
    unless_since: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "replace a link", c => sqlx::query_as(
        "UPDATE answer_link SET replaced_at = $3
         WHERE id = $1 AND (replaced_at IS NULL OR replaced_at < $2) RETURNING id")
        .bind(link)
        .bind(unless_since.as_millisecond())
        .bind(now.as_millisecond())
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// How many codes went to a mailbox since a moment.
///
/// # Errors
/// When the database refuses.
pub async fn codes_since(
    tx: &mut Tx,
    recipient: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    on!(tx, "count codes", c => sqlx::query_scalar(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM answer_code WHERE recipient = $1 AND sent_at > $2")
        .bind(recipient).bind(since.as_millisecond()).fetch_one(c).await)
}

/// Keeps a code that is sent. Gives its row.
///
/// # Errors
/// When the database refuses.
pub async fn add_code(
    tx: &mut Tx,
    link: &LinkRow,
    code_sha256: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    on!(tx, "keep a code", c => sqlx::query_scalar(
        "INSERT INTO answer_code (link_id, recipient, code_sha256, sent_at) VALUES ($1, $2, $3, $4)
         RETURNING id")
        .bind(link.id)
        .bind(&link.recipient)
        .bind(code_sha256)
        .bind(now.as_millisecond())
        .fetch_one(c).await)
}

/// Counts a try of the last code of a link, before it is compared. Gives the code's row and hash; none where
/// none was sent since a moment, or it was tried too often or used.
///
/// # Errors
/// When the database refuses.
pub async fn try_code(
    tx: &mut Tx,
    link: i64,
    since: Timestamp,
    most: i64,
) -> Result<Option<(i64, String)>, StoreError> {
    on!(tx, "try a code", c => sqlx::query_as(
        "UPDATE answer_code SET tries = tries + 1
         WHERE id = (SELECT MAX(id) FROM answer_code WHERE link_id = $1)
           AND sent_at > $2 AND tries < $3 AND used_at IS NULL
         RETURNING id, code_sha256")
        .bind(link).bind(since.as_millisecond()).bind(most).fetch_optional(c).await)
}

/// Uses a code up, and opens a session.
///
/// # Errors
/// When the database refuses.
pub async fn begin_session(
    tx: &mut Tx,
    (link, code): (i64, i64),
    session_sha256: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "use a code up", c => sqlx::query("UPDATE answer_code SET used_at = $2 WHERE id = $1")
        .bind(code).bind(now.as_millisecond()).execute(c).await.map(drop))?;
    on!(tx, "begin a session", c => sqlx::query(
        "INSERT INTO answer_session (session_sha256, link_id, began_at, until_at)
         VALUES ($1, $2, $3, $4)")
        .bind(session_sha256)
        .bind(link)
        .bind(now.as_millisecond())
        .bind(until.as_millisecond())
        .execute(c).await.map(drop))
}

/// The session of a link in which its code was typed: its row, and until when it opens anything, in milliseconds.
///
/// # Errors
/// When the database refuses.
pub async fn session(
    tx: &mut Tx,
    link: i64,
    session_sha256: &str,
) -> Result<Option<(i64, i64)>, StoreError> {
    on!(tx, "look a session up", c => sqlx::query_as(
        "SELECT id, until_at FROM answer_session WHERE session_sha256 = $1 AND link_id = $2")
        .bind(session_sha256).bind(link).fetch_optional(c).await)
}

/// Records that what a customer wrote was shown in a session, the first time.
///
/// # Errors
/// When the database refuses.
pub async fn viewed(
    tx: &mut Tx,
    session: i64,
    request: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "record a view", c => sqlx::query(
        "INSERT INTO answer_view (session_id, request_id, at) VALUES ($1, $2, $3)
         ON CONFLICT (session_id, request_id) DO NOTHING")
        .bind(session).bind(request).bind(now.as_millisecond()).execute(c).await.map(drop))
}

/// Records that what a customer wrote was shown by a link without a code, the first time on a day.
///
/// # Errors
/// When the database refuses.
pub async fn viewed_openly(
    tx: &mut Tx,
    (link, request): (i64, i64),
    day: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "record a view without a code", c => sqlx::query(
        "INSERT INTO answer_view_open (link_id, request_id, day, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (link_id, request_id, day) DO NOTHING")
        .bind(link)
        .bind(request)
        .bind(day.to_string())
        .bind(now.as_millisecond())
        .execute(c).await.map(drop))
}

/// Somebody saw what the customer of a case wrote.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ViewRow {
    /// The mailbox of the link.
    pub recipient: String,
    /// The service.
    pub service: String,
    /// When, milliseconds.
    pub at: i64,
    /// Whether the code was typed that went to that mailbox.
    pub by_code: bool,
}

/// Who saw what the customer of a case wrote, in the order of time.
///
/// # Errors
/// When the database refuses.
pub async fn views_of(db: &Db, case: i64) -> Result<Vec<ViewRow>, StoreError> {
    on!(db, "list views", c => sqlx::query_as(
        "SELECT l.recipient, r.service, v.at, TRUE AS by_code
         FROM answer_view v JOIN answer_session s ON s.id = v.session_id
              JOIN answer_link l ON l.id = s.link_id JOIN request r ON r.id = v.request_id
         WHERE r.case_id = $1
         UNION ALL
         SELECT l.recipient, r.service, v.at, FALSE AS by_code
         FROM answer_view_open v JOIN answer_link l ON l.id = v.link_id
              JOIN request r ON r.id = v.request_id
         WHERE r.case_id = $1
         ORDER BY at")
        .bind(case).fetch_all(c).await)
}

/// Whether a form was sent before.
///
/// # Errors
/// When the database refuses.
pub async fn is_taken(tx: &mut Tx, form_key: &str) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "look a form up", c => sqlx::query_as(
        "SELECT at FROM answer_form WHERE form_key = $1")
        .bind(clean(form_key)).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Takes a form, once. False for one that was sent before.
///
/// # Errors
/// When the database refuses.
pub async fn take_form(
    tx: &mut Tx,
    form_key: &str,
    (link, request): (i64, i64),
    act: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "take a form", c => sqlx::query_as(
        "INSERT INTO answer_form (form_key, link_id, request_id, act, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (form_key) DO NOTHING RETURNING at")
        .bind(clean(form_key))
        .bind(link)
        .bind(request)
        .bind(act)
        .bind(now.as_millisecond())
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}
