//! The store: everything Postern must not forget, in `SQLite` or `PostgreSQL`.
//!
//! One SQL text serves both engines (see `docs/decisions/0001-one-sql-two-engines.md`). Queries are
//! literals in this folder and nowhere else:
//!
//! ```text
//! pub async fn keep(tx: &mut Tx, key: &str, raw: &[u8]) -> Result<Option<i64>, StoreError> {
//!     on!(tx, "keep a message", c => sqlx::query_scalar(
//!         "INSERT INTO raw_message (key, raw) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING RETURNING id",
//!     )
//!     .bind(key)
//!     .bind(raw)
//!     .fetch_optional(c)
//!     .await)
//! }
//! ```
//!
//! An `execute` ends in `.await.map(affected)`: the number of rows it touched.
//!
//! What is true on both, and so what a query may use:
//!
//! - Values are `i64`, `bool`, `String`, `Vec<u8>` and `Option` of these. Moments are unix milliseconds.
//! - `$1`, `$2` … (never `?`); `RETURNING`; `ON CONFLICT (columns) DO …`; `TRUE` and `FALSE`.
//! - Every computed number is `CAST(… AS BIGINT)`: `COUNT` and `SUM` have other types in `PostgreSQL`.
//! - `LOWER(x) LIKE LOWER($1)`: `LIKE` ignores case in `SQLite` only.
//! - Text goes through [`clean`]: `PostgreSQL` refuses NUL.

pub mod accounts;
pub mod actions;
pub mod adjustments;
pub mod alarms;
pub mod allocations;
pub mod answers;
mod arrivals;
pub mod assessments;
pub mod attachments;
pub mod calendars;
mod case_lists;
mod case_row;
pub mod cases;
mod db;
pub mod drafts;
mod error;
pub mod held;
pub mod holding;
mod ledger;
pub mod letters;
pub mod links;
pub mod mailboxes;
mod message_lists;
pub mod messages;
mod migrate;
pub mod ombudsman;
pub mod past;
pub mod published;
pub mod refusals;
pub mod requests;
pub mod rungs;
pub mod suggestions;
pub mod survey;
pub mod tasks;
pub mod uploads;

use jiff::Timestamp;
use serde::Serialize;

pub(crate) use db::on;
pub use db::{Affected, Db, Engine, Tx, affected, clean};
pub use error::StoreError;

/// The id drawn when this store was made; it tells two installations apart.
///
/// # Errors
/// When the store cannot be read or holds no id.
pub async fn instance_id(db: &Db) -> Result<String, StoreError> {
    on!(db, "read the instance id", c => sqlx::query_scalar(
        "SELECT value FROM setting WHERE key = 'instance'",
    )
    .fetch_one(c)
    .await)
}

/// What was set under a key, if anything was.
///
/// # Errors
/// When the store cannot be read.
pub async fn setting(db: &Db, key: &str) -> Result<Option<String>, StoreError> {
    on!(db, "read a setting", c => sqlx::query_scalar("SELECT value FROM setting WHERE key = $1")
        .bind(key)
        .fetch_optional(c)
        .await)
}

/// Sets a key, in place of what was there.
///
/// # Errors
/// When the store cannot be written.
pub async fn set_setting(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    on!(tx, "keep a setting", c => sqlx::query(
        "INSERT INTO setting (key, value) VALUES ($1, $2)
         ON CONFLICT (key) DO UPDATE SET value = $2",
    )
    .bind(key)
    .bind(clean(value))
    .execute(c)
    .await
    .map(affected))?;
    Ok(())
}

/// What our tokens are keyed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// Its name in a token.
    pub name: char,
    /// 32 bytes as hexadecimal digits.
    pub secret: crate::private::Private<String>,
}

/// The key that signs, and the one before it, if there was one. The first was drawn when the store
/// was made and is named `1`.
///
/// # Errors
/// When the store cannot be read or holds no key.
pub async fn token_keys(db: &Db) -> Result<(TokenKey, Option<TokenKey>), StoreError> {
    let rows: Vec<(String, String)> = on!(db, "read the token keys", c => sqlx::query_as(
        "SELECT key, value FROM setting WHERE key LIKE 'token_key%'",
    )
    .fetch_all(c)
    .await)?;
    let value =
        |key: &str| rows.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let named = |secret: &str, name: &str| {
        let name = value(name).and_then(|name| name.chars().next()).unwrap_or('1');
        value(secret).map(|secret| TokenKey { name, secret: secret.into() })
    };
    let current = named("token_key", "token_key_name")
        .ok_or_else(|| StoreError::new("read the token keys", sqlx::Error::RowNotFound))?;
    Ok((current, named("token_key_before", "token_key_before_name")))
}

/// Draws a new key under another name. The one that signed until now is kept beside it, so that
/// answers to letters already out are still known; the one before that is forgotten.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn rotate_token_key(tx: &mut Tx, next_name: char) -> Result<(), StoreError> {
    for (from, to) in
        [("token_key", "token_key_before"), ("token_key_name", "token_key_before_name")]
    {
        on!(tx, "keep the old token key", c => sqlx::query(
            "INSERT INTO setting (key, value)
             VALUES ($2, COALESCE((SELECT value FROM setting WHERE key = $1), '1'))
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(from)
        .bind(to)
        .execute(c)
        .await
        .map(drop))?;
    }
    set_setting(tx, "token_key_name", &next_name.to_string()).await?;
    let secret = draw(tx).await?;
    set_setting(tx, "token_key", &secret).await
}

/// A secret: 32 bytes that nobody can guess, as hexadecimal digits.
///
/// # Errors
/// When the store cannot be read.
pub async fn draw(tx: &mut Tx) -> Result<crate::private::Private<String>, StoreError> {
    let drawn = draw_some(tx, 1).await?.pop();
    drawn.ok_or_else(|| StoreError::new("draw a secret", sqlx::Error::RowNotFound))
}

/// So many of them, with one statement.
///
/// # Errors
/// When the store cannot be read.
pub async fn draw_some(
    tx: &mut Tx,
    count: usize,
) -> Result<Vec<crate::private::Private<String>>, StoreError> {
    // Each engine draws its own random bytes: the program has no source of its own.
    let random = if tx.is_postgres() {
        "replace(CAST(gen_random_uuid() AS TEXT), '-', '')
         || replace(CAST(gen_random_uuid() AS TEXT), '-', '')"
    } else {
        "lower(hex(randomblob(32)))"
    };
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let drawn: Vec<String> = on!(tx, "draw secrets", c => sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "WITH RECURSIVE draw (at) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT at + 1 FROM draw WHERE at < $1)
         SELECT {random} FROM draw")))
        .bind(count).fetch_all(c).await)?;
    let wanted = usize::try_from(count).unwrap_or(0);
    Ok(drawn.into_iter().take(wanted).map(Into::into).collect())
}

/// A moment as the store keeps it: milliseconds since 1970 in UTC.
pub fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A value as the store keeps what is only ever read whole.
///
/// # Panics
/// Never for the types of this crate: their maps have text keys.
pub(crate) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("our own types have text keys");
    if text.contains(NUL) { without_nul(&text) } else { text }
}

/// NUL as JSON spells it.
const NUL: &str = "\\u0000";

/// JSON without its NULs. Where somebody wrote a backslash and `u0000` in so many letters, JSON spells
/// the backslash twice: that is text, and stays.
fn without_nul(json: &str) -> String {
    let mut kept = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        if let Some(after) = from.strip_prefix(NUL) {
            rest = after;
        } else {
            // Every other escape is at least two letters, both ASCII.
            let (escape, after) = from.split_at(from.len().min(2));
            kept.push_str(escape);
            rest = after;
        }
    }
    kept + rest
}

/// An enum's word as the store keeps it.
pub(crate) fn word(value: &impl Serialize) -> String {
    json(value).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_loses_nul_and_nothing_that_looks_like_it() {
        for (text, kept) in [
            ("a\0b", "ab"),
            ("\0\0", ""),
            ("literally \\u0000", "literally \\u0000"),
            ("\\\0\\", "\\\\"),
            ("\\\\u0000\0", "\\\\u0000"),
            ("naïve \u{1}\n\u{1F600}\0", "naïve \u{1}\n\u{1F600}"),
        ] {
            let back: String = serde_json::from_str(&json(&text)).unwrap();
            assert_eq!(back, kept, "{text:?}");
        }
    }
}
