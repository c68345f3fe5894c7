//! Addresses that refuse our mail: what each refused, and until when nothing automatic goes to it.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::db::{ROWS, Tx, clean, on};

/// Records that an address refused a letter for good. False when that letter's refusal is known: it
/// counts once, however often it is reported.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    tx: &mut Tx,
    letter: i64,
    address: &str,
    status: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "record a refusal", c => sqlx::query_as(
        "INSERT INTO refusal (letter_id, address, status, refused_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (letter_id) DO NOTHING RETURNING letter_id")
        .bind(letter)
        .bind(kept(address))
        .bind(clean(status))
        .bind(now.as_millisecond())
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// How many letters an address refused after a moment. What an officer has forgiven does not count.
///
/// # Errors
/// When the database refuses.
pub async fn count(tx: &mut Tx, address: &str, since: Timestamp) -> Result<i64, StoreError> {
    let (count,): (i64,) = on!(tx, "count refusals", c => sqlx::query_as(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM refusal
         WHERE address = $1 AND refused_at > $2 AND allowed_at IS NULL")
        .bind(kept(address)).bind(since.as_millisecond()).fetch_one(c).await)?;
    Ok(count)
}

/// From when on an address has refused our mail, as one of our letters says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Refusing {
    /// Since when, milliseconds.
    pub since_at: i64,
    /// Until when nothing automatic goes to it, milliseconds.
    pub until_at: i64,
    /// The letter that said so first.
    pub letter_id: i64,
}

/// Stops automatic mail to an address until a moment. Where it was stopped already it stays so, from
/// its first refusal on.
///
/// # Errors
/// When the database refuses.
pub async fn stop(
    tx: &mut Tx,
    address: &str,
    letter: i64,
    now: Timestamp,
    until: Timestamp,
) -> Result<Refusing, StoreError> {
    let row = on!(tx, "stop mail to an address", c => sqlx::query_as(
        "INSERT INTO refusing_address (address, since_at, until_at, letter_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (address) DO UPDATE SET
             since_at = CASE WHEN refusing_address.until_at > $2 THEN refusing_address.since_at ELSE $2 END,
             letter_id = CASE WHEN refusing_address.until_at > $2 THEN refusing_address.letter_id ELSE $4 END,
             until_at = $3
         RETURNING since_at, until_at, letter_id")
        .bind(kept(address))
        .bind(now.as_millisecond())
        .bind(until.as_millisecond())
        .bind(letter)
        .fetch_one(c).await)?;
    Ok(row)
}

/// Which of some addresses refuse our mail at a moment.
///
/// # Errors
/// When the database refuses.
pub async fn refusing(
    tx: &mut Tx,
    addresses: &[&str],
    now: Timestamp,
) -> Result<HashMap<String, Refusing>, StoreError> {
    let mut all = HashMap::new();
    for some in addresses.chunks(ROWS) {
        let rows: Vec<(String, i64, i64, i64)> = on!(tx, "look addresses up that refuse mail", c => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT address, since_at, until_at, letter_id FROM refusing_address WHERE until_at > ");
            select.push_bind(now.as_millisecond()).push(" AND address IN (");
            let mut list = select.separated(", ");
            for address in some {
                list.push_bind(kept(address));
            }
            select.push(")");
            select.build_query_as().persistent(false).fetch_all(c).await
        })?;
        all.extend(rows.into_iter().map(|(address, since_at, until_at, letter_id)| {
            (address, Refusing { since_at, until_at, letter_id })
        }));
    }
    Ok(all)
}

/// Lets mail go to an address again: what it refused until now no longer counts. Gives the letter
/// that had stopped it, now or once; none where nothing ever did.
///
/// # Errors
/// When the database refuses.
pub async fn allow(tx: &mut Tx, address: &str, now: Timestamp) -> Result<Option<i64>, StoreError> {
    on!(tx, "forgive refusals", c => sqlx::query(
        "UPDATE refusal SET allowed_at = $2 WHERE address = $1 AND allowed_at IS NULL")
        .bind(kept(address)).bind(now.as_millisecond()).execute(c).await.map(drop))?;
    let row: Option<(i64,)> = on!(tx, "allow an address", c => sqlx::query_as(
        "UPDATE refusing_address SET until_at = CASE WHEN until_at > $2 THEN $2 ELSE until_at END
         WHERE address = $1 RETURNING letter_id")
        .bind(kept(address)).bind(now.as_millisecond()).fetch_optional(c).await)?;
    Ok(row.map(|(letter,)| letter))
}

/// An address as the store keeps it here.
fn kept(address: &str) -> String {
    clean(address).to_lowercase()
}
