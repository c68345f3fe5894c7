//! Accounts.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{Db, Tx, clean, on};

/// An account.
#[derive(Debug, Clone, FromRow)]
pub struct AccountRow {
    /// Row.
    pub id: i64,
    /// As whom acts are recorded.
    pub name: String,
    /// `officer` or `reader`.
    pub role: String,
    /// Hexadecimal digits.
    pub token_sha256: String,
    /// When it was made first, milliseconds.
    pub created_at: i64,
    /// Since when it is disabled, milliseconds.
    pub disabled_at: Option<i64>,
}

/// Adds an account, or gives a disabled one another token. None when there is one at work already.
///
/// # Errors
/// When the database refuses.
pub async fn add(
    tx: &mut Tx,
    name: &str,
    role: &str,
    token_sha256: &str,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    on!(tx, "add an account", c => sqlx::query_scalar(
        "INSERT INTO account (name, role, token_sha256, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET role = $2, token_sha256 = $3, disabled_at = NULL
         WHERE account.disabled_at IS NOT NULL
         RETURNING id")
        .bind(clean(name))
        .bind(role)
        .bind(token_sha256)
        .bind(now.as_millisecond())
        .fetch_optional(c).await)
}

/// Disables an account. False when there is none of this name at work.
///
/// # Errors
/// When the database refuses.
pub async fn disable(tx: &mut Tx, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "disable an account", c => sqlx::query_as(
        "UPDATE account SET disabled_at = $2 WHERE name = $1 AND disabled_at IS NULL RETURNING id")
        .bind(clean(name)).bind(now.as_millisecond()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

const ROW: &str = "SELECT id, name, role, token_sha256, created_at, disabled_at FROM account";

/// An account by its row.
///
/// # Errors
/// When the database refuses.
pub async fn by_id(db: &Db, id: i64) -> Result<Option<AccountRow>, StoreError> {
    on!(db, "look an account up", c => sqlx::query_as(sqlx::AssertSqlSafe(format!("{ROW} WHERE id = $1")))
        .bind(id).fetch_optional(c).await)
}

/// Every account, by name.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db) -> Result<Vec<AccountRow>, StoreError> {
    on!(db, "list accounts", c => sqlx::query_as(sqlx::AssertSqlSafe(format!("{ROW} ORDER BY name")))
        .fetch_all(c).await)
}
