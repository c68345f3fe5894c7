//! What comes from the Ombudsman, as scripts are given it.

use serde::Serialize;

use crate::store::ombudsman::{self, ContactRow, OmbudsmanRow, RecordedStep, RemedyRow};
use crate::store::{Db, StoreError, Tx};

/// A case of the Ombudsman, with all that belongs to it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OmbudsmanCase {
    /// Its number here.
    pub number: i64,
    /// The Ombudsman's reference.
    pub theirs: Option<String>,
    /// The council's case that it is about; none where none is linked yet.
    pub reference: Option<String>,
    /// `upheld`, `not_upheld`, `closed`, `premature`; none until the Ombudsman has decided.
    pub outcome: Option<String>,
    /// Why it was closed: `out_of_jurisdiction`, `no_further_action`, `withdrawn`.
    pub closed_because: Option<String>,
    /// The day of the decision.
    pub decided_on: Option<String>,
    /// What the Ombudsman wrote, said or sent, in order of arrival.
    pub contacts: Vec<ContactRow>,
    /// What was agreed to put things right.
    pub remedies: Vec<RemedyRow>,
    /// What happened, oldest first: when (`at`), who (`by`), what (`step`).
    pub history: Vec<RecordedStep>,
}

impl OmbudsmanCase {
    async fn of(tx: &mut Tx, row: OmbudsmanRow) -> Result<Self, StoreError> {
        Ok(Self {
            contacts: ombudsman::contacts(tx, row.id).await?,
            remedies: ombudsman::remedies(tx, row.id).await?,
            history: ombudsman::history(tx, row.id).await?,
            number: row.id,
            theirs: row.theirs,
            reference: row.reference,
            outcome: row.outcome,
            closed_because: row.closed_because,
            decided_on: row.decided_on,
        })
    }

    async fn each(tx: &mut Tx, rows: Vec<OmbudsmanRow>) -> Result<Vec<Self>, StoreError> {
        let mut cases = Vec::with_capacity(rows.len());
        for row in rows {
            cases.push(Self::of(tx, row).await?);
        }
        Ok(cases)
    }

    /// One by its number.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn find(db: &Db, number: i64) -> Result<Option<Self>, StoreError> {
        let mut tx = db.snapshot().await?;
        match ombudsman::by_id(&mut tx, number).await? {
            Some(row) => Self::of(&mut tx, row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Those about one case of the council.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn of_case(db: &Db, case: i64) -> Result<Vec<Self>, StoreError> {
        let mut tx = db.snapshot().await?;
        let rows = ombudsman::of_case(&mut tx, case).await?;
        Self::each(&mut tx, rows).await
    }

    /// Those on which something is left to do or to hear; or all of them.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn list(db: &Db, all: bool) -> Result<Vec<Self>, StoreError> {
        let mut tx = db.snapshot().await?;
        let rows = ombudsman::list(&mut tx, all).await?;
        Self::each(&mut tx, rows).await
    }
}
