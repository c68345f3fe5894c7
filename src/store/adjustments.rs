//! How customers are to be written to. Kept by address: a person's next case is written as the last one was.

use std::collections::HashMap;

use jiff::Timestamp;

use super::StoreError;
use super::db::{ROWS, Tx, clean, on};
use crate::casework::adjustment::{Adjustment, Format};

/// The columns as they are kept; a form that this version does not know is taken for the usual one.
pub(super) fn of_columns(edition: Option<String>, format: Option<&str>) -> Adjustment {
    let format = format.and_then(|format| format.parse().ok()).unwrap_or(Format::Usual);
    Adjustment { edition, format }
}

/// Records how an address is to be written to, in the place of what was recorded before; the usual way is no record.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    tx: &mut Tx,
    address: &str,
    adjustment: &Adjustment,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let address = kept(address);
    if *adjustment == Adjustment::NONE {
        return on!(tx, "take an adjustment back", c => sqlx::query(
            "DELETE FROM adjustment WHERE address = $1")
            .bind(address).execute(c).await.map(drop));
    }
    on!(tx, "record an adjustment", c => sqlx::query(
        "INSERT INTO adjustment (address, edition, format, recorded_at, recorded_by)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (address) DO UPDATE SET edition = $2, format = $3, recorded_at = $4, recorded_by = $5")
        .bind(address)
        .bind(adjustment.edition.as_deref().map(clean))
        .bind(adjustment.format.id())
        .bind(now.as_millisecond())
        .bind(clean(by))
        .execute(c).await.map(drop))
}

/// How some addresses are to be written to, as far as anything is recorded; the addresses in small letters.
///
/// # Errors
/// When the database refuses.
pub async fn of(
    tx: &mut Tx,
    addresses: &[&str],
) -> Result<HashMap<String, Adjustment>, StoreError> {
    let mut found = HashMap::new();
    for addresses in addresses.chunks(ROWS) {
        let rows: Vec<(String, Option<String>, String)> = on!(tx, "look up adjustments", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT address, edition, format FROM adjustment WHERE address IN (");
            let mut list = select.separated(", ");
            for address in addresses {
                list.push_bind(kept(address));
            }
            select.push(")");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        found.extend(
            rows.into_iter()
                .map(|(address, edition, format)| (address, of_columns(edition, Some(&format)))),
        );
    }
    Ok(found)
}

fn kept(address: &str) -> String {
    clean(address).to_lowercase()
}
