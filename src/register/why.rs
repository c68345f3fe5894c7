//! What the gateway made of a case's messages, and why.

use serde::Serialize;

use crate::rules::Classification;
use crate::store::past::{self, JudgedRow};
use crate::store::{Db, StoreError};

/// What the gateway made of one message of a case: by which words and rules, of which version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Judged {
    /// Its row.
    pub message: i64,
    /// When the council's server took it, milliseconds.
    pub received_at: i64,
    /// What was done with it: `opened`, `attached`, …
    pub action: Option<String>,
    /// The version of the rules, as `postern rules versions` lists it.
    pub rules_version: String,
    /// What they made of it. What officers corrected since is in the case's history.
    pub classification: Classification,
}

impl Judged {
    /// Of every message of a case, in order of arrival.
    ///
    /// # Errors
    /// When the database refuses, or holds what this program does not know.
    pub async fn of(db: &Db, case: i64) -> Result<Vec<Self>, StoreError> {
        let mut tx = db.snapshot().await?;
        past::judged(&mut tx, case).await?.into_iter().map(Self::from_row).collect()
    }

    fn from_row(row: JudgedRow) -> Result<Self, StoreError> {
        let JudgedRow { message, received_at, action, rules_version, classification } = row;
        let classification = serde_json::from_str(&classification).map_err(|fault| {
            StoreError::unsuitable("read what was made of a message", fault.to_string())
        })?;
        Ok(Self { message, received_at, action, rules_version, classification })
    }
}
