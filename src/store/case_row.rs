//! A case as one row.

use sqlx::FromRow;

use crate::casework::adjustment::Adjustment;

/// A case as the register keeps it.
#[derive(Debug, Clone, FromRow, serde::Serialize)]
pub struct CaseRow {
    /// Row.
    pub id: i64,
    /// Reference.
    pub reference: String,
    /// `open`, `answered`, `closed`, `withdrawn`, `rejected`.
    pub status: String,
    /// Record type id.
    pub record_type: String,
    /// Lead service id.
    pub lead_service: String,
    /// Customer type id.
    pub customer_type: String,
    /// JSON list.
    pub themes: String,
    /// JSON list.
    pub flags: String,
    /// Thousandths.
    pub confidence: i64,
    /// Whether a person must look.
    pub needs_officer: bool,
    /// The customer's address.
    pub customer_address: Option<String>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// What they wrote about.
    pub subject: Option<String>,
    /// Procedure id.
    pub procedure_id: String,
    /// Stage.
    pub stage: i64,
    /// How counting started.
    pub start_rule: String,
    /// Calendar used.
    pub calendar_version: String,
    /// Receipt, milliseconds.
    pub received_at: i64,
    /// Day of receipt.
    pub received_on: String,
    /// Last day for the acknowledgement.
    pub acknowledge_by_on: String,
    /// Day aimed for.
    pub target_on: Option<String>,
    /// Limit.
    pub standard_due_on: Option<String>,
    /// Day told to the customer.
    pub agreed_due_on: Option<String>,
    /// When the acknowledgement left, milliseconds.
    pub acknowledged_at: Option<i64>,
    /// When the customer was answered, milliseconds.
    pub answered_at: Option<i64>,
    /// The message that opened it; minus the row of the Ombudsman's contact, where one by post or telephone did.
    pub opened_by: i64,
    /// The case that it was merged into.
    pub merged_into: Option<i64>,
    /// Counts up with every change.
    pub version: i64,
    /// The officer who looks after it.
    pub owner: Option<String>,
    /// The set of letters that the customer gets, where officers recorded another than the usual one.
    pub edition: Option<String>,
    /// The form in which the customer gets letters, where officers recorded one.
    pub letter_format: Option<String>,
}

impl CaseRow {
    /// How the customer is to be written to.
    pub fn adjustment(&self) -> Adjustment {
        super::adjustments::of_columns(self.edition.clone(), self.letter_format.as_deref())
    }
}

pub(super) const ROW: &str = "SELECT id, reference, status, record_type, lead_service, customer_type, themes, flags,
    confidence, needs_officer, customer_address, customer_name, subject, procedure_id, stage, start_rule,
    calendar_version, received_at, received_on, acknowledge_by_on, target_on, standard_due_on,
    agreed_due_on, acknowledged_at, answered_at, opened_by, merged_into, version, owner,
    (SELECT a.edition FROM adjustment a WHERE a.address = LOWER(customer_address)) AS edition,
    (SELECT a.format FROM adjustment a WHERE a.address = LOWER(customer_address)) AS letter_format
    FROM complaint_case";
