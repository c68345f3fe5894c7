//! What an officer may do to a case, as the terminal and the API send it.

use jiff::civil::DateTime;

use super::clock::Move;
use super::ombudsman::Wanted;
use crate::casework::assessment::{Gate, Needed};
use crate::casework::case::{CaseField, Issue};
use crate::casework::vocabulary::{Outcome, RejectionReason};

/// One act, as the API is sent it too.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Puts fields right.
    Correct {
        /// Each field with its new value: an id, or several separated by commas.
        #[serde(deserialize_with = "some_changes")]
        #[schema(value_type = std::collections::BTreeMap<CaseField, String>)]
        changes: Vec<(CaseField, String)>,
        /// Why.
        because: String,
    },
    /// A service answered, outside the gateway.
    Answered {
        /// Which.
        service: String,
    },
    /// A service is asked.
    Ask {
        /// Which.
        service: String,
    },
    /// The customer was answered.
    Respond {
        /// What was sent.
        note: String,
    },
    /// It is over.
    Close {
        /// Why.
        because: String,
    },
    /// It is taken up again.
    Reopen {
        /// Why.
        because: String,
    },
    /// It is about the same matter as another, which goes on for both.
    Merge {
        /// The other's reference.
        into: String,
        /// Why.
        because: String,
    },
    /// The clock of its stage is moved.
    Turn {
        /// How.
        wanted: Move,
        /// Why.
        because: String,
    },
    /// The customer asked for the next stage.
    NextStage {
        /// When the council received that, as London's clocks showed it; now, where none is named.
        #[schema(value_type = Option<String>, example = "2026-04-14T09:30")]
        received: Option<DateTime>,
        /// Why, where it is early or late.
        because: Option<String>,
    },
    /// The gateway read it right.
    Confirm,
    /// The customer is asked for what is needed before the case can be taken on.
    AskCustomer {
        /// What.
        needed: Needed,
        /// More for the customer to read.
        say: Option<String>,
    },
    /// A gate of the decision table does not stand in the way.
    Dismiss {
        /// Which.
        gate: Gate,
        /// Why.
        because: String,
    },
    /// The customer was told by hand that we have it.
    Acknowledged {
        /// When; now, where none is named.
        #[schema(value_type = Option<String>, example = "2026-04-14")]
        on: Option<DateTime>,
    },
    /// The written statement of complaint was agreed.
    Statement {
        /// When; now, where none is named.
        #[schema(value_type = Option<String>, example = "2026-04-20")]
        agreed: Option<DateTime>,
    },
    /// The customer took it back.
    Withdraw {
        /// How they said so.
        because: String,
    },
    /// It is not taken on.
    Reject {
        /// Which of the reasons of table 3.
        reason: RejectionReason,
        /// Why, for the record.
        because: String,
        /// More for the customer to read, beside the words of `routes.toml`.
        say: Option<String>,
    },
    /// What the council found of one issue.
    Outcome {
        /// Which.
        issue: Issue,
        /// What; none takes an earlier finding back.
        outcome: Option<Outcome>,
    },
    /// A case of the Ombudsman, which has no case of the council yet, is about this one.
    Link {
        /// The Ombudsman's case, by its number.
        number: i64,
    },
    /// Something happened between the Ombudsman and the council about it.
    Ombudsman {
        /// What.
        wanted: Wanted,
    },
    /// A merger is undone.
    Separate {
        /// Why.
        because: String,
    },
}

/// Changes from an object whose keys are the fields; at least one.
fn some_changes<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Vec<(CaseField, String)>, D::Error> {
    use serde::Deserialize as _;
    use serde::de::Error as _;
    let changes = std::collections::BTreeMap::<CaseField, String>::deserialize(from)?;
    if changes.is_empty() {
        let fields: Vec<&str> = CaseField::ALL.iter().map(|field| field.id()).collect();
        let words = format!("`changes` names no field; name one of {}", fields.join(", "));
        return Err(D::Error::custom(words));
    }
    Ok(changes.into_iter().collect())
}
