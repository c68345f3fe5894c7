//! Sets of rules as they were published.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};

/// A set to publish.
#[derive(Debug, Clone)]
pub struct NewRuleSet {
    /// Twelve hexadecimal digits over the files.
    pub version: String,
    /// Who publishes it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Name of each file below the rules folder, and its text.
    pub files: BTreeMap<String, String>,
}

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RuleSetRow {
    /// Row.
    pub id: i64,
    /// Version.
    pub version: String,
    /// When, milliseconds.
    pub published_at: i64,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The version before it.
    pub previous: Option<String>,
}

const ROW: &str =
    "SELECT r.id, r.version, r.published_at, r.author, r.reason, p.version AS previous
     FROM rule_set r LEFT JOIN rule_set p ON p.id = r.previous";

/// Keeps a publication after another, or as the first. Gives its row.
///
/// # Errors
/// When the database refuses; a unique violation means that somebody published after the same one.
pub async fn add(
    tx: &mut Tx,
    new: &NewRuleSet,
    after: Option<i64>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    on!(tx, "keep a rule set", c => sqlx::query_scalar(
        "INSERT INTO rule_set (version, published_at, author, reason, files, previous)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id")
        .bind(&new.version)
        .bind(now.as_millisecond())
        .bind(clean(&new.author))
        .bind(clean(&new.reason))
        .bind(super::json(&new.files))
        .bind(after.unwrap_or(0))
        .fetch_one(c).await)
}

/// Every publication, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db) -> Result<Vec<RuleSetRow>, StoreError> {
    on!(db, "list rule sets", c => sqlx::query_as(sqlx::AssertSqlSafe(format!("{ROW} ORDER BY r.id DESC")))
        .fetch_all(c).await)
}

/// The files of a publication.
///
/// # Errors
/// When the database refuses, or holds something else than files.
pub async fn files(db: &Db, id: i64) -> Result<BTreeMap<String, String>, StoreError> {
    let json: String = on!(db, "read a rule set", c => sqlx::query_scalar(
        "SELECT files FROM rule_set WHERE id = $1")
        .bind(id).fetch_one(c).await)?;
    serde_json::from_str(&json).map_err(|_| {
        StoreError::unsuitable("read a rule set", format!("publication {id} holds no files"))
    })
}
