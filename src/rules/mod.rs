//! What it is: an [`Email`](crate::email::Email) in, a [`Classification`] with its evidence out.

use serde::{Deserialize, Serialize};

use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId, Theme};
use crate::private::Private;

/// One rule that fired, on which words, with what weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it speaks for, as `field:value` (`service:sen`).
    pub label: String,
    /// The rule's id.
    pub rule: String,
    /// How strongly; negative speaks against.
    pub weight: f64,
    /// Where the words stand: `subject`, `text`, `quoted`, `from`, `attachment`, …
    #[serde(rename = "where")]
    pub place: String,
    /// The words.
    pub text: Private<String>,
}

/// What the rules make of one message. Never an error: with nothing to go on, `confidence` is 0
/// and `needs_officer` is true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// What the council registers.
    pub record_type: RecordType,
    /// Who must answer, lead first; `["none"]` for what is not for us.
    pub services: Vec<ServiceId>,
    /// Who writes.
    pub customer_type: CustomerType,
    /// What is alleged.
    pub themes: Vec<Theme>,
    /// What a person must know or check.
    pub flags: Vec<Flag>,
    /// How sure, 0 to 1, that record type, lead service and customer type are all right.
    pub confidence: f64,
    /// Whether an officer must look before it is acted on as final.
    pub needs_officer: bool,
    /// Why.
    pub evidence: Vec<Evidence>,
}
