//! Cases, a page at a time.

use jiff::civil::Date;

use super::StoreError;
use super::cases::{CaseRow, ROW};
use super::db::{Db, on};

/// Which cases a page lists.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listed<'a> {
    /// Only those of this status.
    pub status: Option<&'a str>,
    /// Only open ones whose date had passed by this day.
    pub overdue_on: Option<Date>,
    /// Only those of this officer; of nobody, where none is named inside.
    pub owner: Option<Option<&'a str>>,
    /// Only those that come after this one.
    pub after: Option<&'a CaseRow>,
}

/// Some cases, those due first first.
///
/// # Errors
/// When the database refuses.
pub async fn page(db: &Db, which: Listed<'_>, count: i64) -> Result<Vec<CaseRow>, StoreError> {
    let overdue_on = which.overdue_on.map(|day| day.to_string());
    let (due, id) = match which.after {
        Some(row) => (row.agreed_due_on.as_deref().unwrap_or(NEVER), row.id),
        None => ("", 0),
    };
    // All, one officer's, nobody's.
    let by_owner: i64 = match which.owner {
        None => 0,
        Some(Some(_)) => 1,
        Some(None) => 2,
    };
    on!(db, "list some cases", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE (CAST($1 AS TEXT) IS NULL OR status = $1)
           AND (CAST($2 AS TEXT) IS NULL OR (status = 'open' AND agreed_due_on < $2))
           AND (CAST($6 AS BIGINT) = 0 OR owner = $7 OR ($6 = 2 AND owner IS NULL))
           AND (COALESCE(agreed_due_on, '{NEVER}'), id) > ($3, $4)
         ORDER BY COALESCE(agreed_due_on, '{NEVER}'), id LIMIT $5")))
        .bind(which.status)
        .bind(overdue_on)
        .bind(due)
        .bind(id)
        .bind(count)
        .bind(by_owner)
        .bind(which.owner.flatten())
        .fetch_all(c).await)
}

/// Where a case stands in a list that has no date.
const NEVER: &str = "9999";
