//! By which rungs of a ladder somebody was chased: of a request, or of one date of an action; each once.

use jiff::Timestamp;
use jiff::civil::Date;

use super::StoreError;
use super::db::{ROWS, Tx, affected, on};

/// What is chased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chased {
    /// Requests to services.
    Requests,
    /// Actions; each of their dates anew.
    Actions,
}

/// A rung to record.
#[derive(Debug, Clone)]
pub struct NewRung<'a> {
    /// Request row, or action row.
    pub of: i64,
    /// Which date of an action; of a request it says nothing.
    pub round: i64,
    /// Rung id.
    pub rung: &'a str,
    /// The day it fell on.
    pub fell_on: Date,
    /// `sent` or `skipped`.
    pub outcome: &'static str,
}

/// Records rungs, each once, however often it is recorded. Gives how many were not recorded before.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    tx: &mut Tx,
    chased: Chased,
    rungs: &[NewRung<'_>],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let (into, known) = match chased {
        Chased::Requests => (
            "INSERT INTO rung (request_id, rung, fell_on, recorded_at, outcome) ",
            " ON CONFLICT (request_id, rung) DO NOTHING",
        ),
        Chased::Actions => (
            "INSERT INTO action_rung (action_id, round, rung, fell_on, recorded_at, outcome) ",
            " ON CONFLICT (action_id, round, rung) DO NOTHING",
        ),
    };
    let mut recorded = 0;
    for some in rungs.chunks(ROWS) {
        recorded += on!(tx, "record rungs", c => {
            let mut insert = sqlx::QueryBuilder::new(into);
            insert.push_values(some, |mut row, one| {
                row.push_bind(one.of);
                if chased == Chased::Actions {
                    row.push_bind(one.round);
                }
                row.push_bind(one.rung)
                    .push_bind(one.fell_on.to_string())
                    .push_bind(now.as_millisecond())
                    .push_bind(one.outcome);
            });
            insert.push(known);
            insert.build().persistent(false).execute(c).await.map(affected)
        })?;
    }
    Ok(recorded)
}
