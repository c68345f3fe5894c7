//! Sets of rules and of letters as they were published.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};

/// What is published as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rules.
    Rules,
    /// Templates.
    Letters,
}

impl Kind {
    fn table(self) -> &'static str {
        match self {
            Self::Rules => "rule_set",
            Self::Letters => "letter_set",
        }
    }
}

/// A set to publish.
#[derive(Debug, Clone)]
pub struct NewSet {
    /// Twelve hexadecimal digits over the files.
    pub version: String,
    /// Who publishes it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Name of each file below the folder, and its text.
    pub files: BTreeMap<String, String>,
}

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SetRow {
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

/// Keeps a publication after another, or as the first. Gives its row.
///
/// # Errors
/// When the database refuses; a unique violation means that somebody published after the same one.
pub async fn add(
    tx: &mut Tx,
    kind: Kind,
    new: &NewSet,
    after: Option<i64>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let text = format!(
        "INSERT INTO {} (version, published_at, author, reason, files, previous)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        kind.table()
    );
    on!(tx, "keep a published set", c => sqlx::query_scalar(sqlx::AssertSqlSafe(text))
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
pub async fn list(db: &Db, kind: Kind) -> Result<Vec<SetRow>, StoreError> {
    let table = kind.table();
    let text = format!(
        "SELECT r.id, r.version, r.published_at, r.author, r.reason, p.version AS previous
         FROM {table} r LEFT JOIN {table} p ON p.id = r.previous ORDER BY r.id DESC"
    );
    on!(db, "list published sets", c => sqlx::query_as(sqlx::AssertSqlSafe(text)).fetch_all(c).await)
}

/// The files of a publication.
///
/// # Errors
/// When the database refuses, or holds something else than files.
pub async fn files(db: &Db, kind: Kind, id: i64) -> Result<BTreeMap<String, String>, StoreError> {
    let text = format!("SELECT files FROM {} WHERE id = $1", kind.table());
    let json: String = on!(db, "read a published set", c => sqlx::query_scalar(sqlx::AssertSqlSafe(text))
        .bind(id).fetch_one(c).await)?;
    serde_json::from_str(&json).map_err(|_| {
        StoreError::unsuitable("read a published set", format!("publication {id} holds no files"))
    })
}
