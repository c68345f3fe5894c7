//! What an officer may do to a case, as the terminal and the API send it.

use jiff::civil::{Date, DateTime};

use super::acknowledge::Meaning;
use super::actions::ActionMove;
use super::clock::Move;
use super::ombudsman::Wanted;
use crate::casework::adjustment::Format;
use crate::casework::assessment::{Gate, Needed};
use crate::casework::case::{AdvocacyStep, CaseField, Interest, Issue, Point};
use crate::casework::vocabulary::{Outcome, RecordType, RejectionReason};

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
    /// How the customer is written to from now on, in every case of theirs. What is left out stays as it was.
    Adjust {
        /// Which letters: `usual`, or what `letters templates` lists (`cy`, `easy-read`).
        letters: Option<String>,
        /// In which form.
        format: Option<Format>,
        /// What was agreed, in a few words.
        because: Option<String>,
    },
    /// A service answered, outside the gateway.
    Answered {
        /// Which.
        service: String,
    },
    /// The answer that a service gave, on its page or by mail, is one.
    AcceptAnswer {
        /// Which service.
        service: String,
    },
    /// The answer that a service gave needs more: it is told, and chased from where it was.
    SendBack {
        /// Which service.
        service: String,
        /// What the answer lacks. It is shown behind the code of the answer page; where there is no page it stands
        /// in the mail, so it names nobody.
        note: String,
    },
    /// A service that asked for more time gets none: its day stays, and it is told.
    NoMoreTime {
        /// Which service.
        service: String,
        /// Why, in words for the service. They are shown behind the code of the answer page; where there is no page they
        /// stand in the mail, so they name nobody.
        because: String,
    },
    /// A service is asked.
    Ask {
        /// Which.
        service: String,
    },
    /// What a service answers of the case, by when, and who there. What is left out stays as it was.
    Part {
        /// Which service.
        service: String,
        /// Its points; none takes them back.
        points: Option<Vec<Point>>,
        /// By when its part is with the complaints team: a working day, not after the customer's date.
        #[schema(value_type = Option<String>, example = "2026-04-14")]
        due: Option<Date>,
        /// Its day is counted back from the customer's date again.
        #[serde(default)]
        by_the_customers_date: bool,
        /// Who answers, as `Name <address>`; `none` for whom the services' file names.
        responder: Option<String>,
    },
    /// For which of its areas a service answers the case. Where a request to it is open, whoever answers for the area is
    /// asked anew.
    Area {
        /// Which service.
        service: String,
        /// Which of its areas, by its id; none for the service's own contacts.
        area: Option<String>,
        /// Why.
        because: String,
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
    /// The time limits of a later day than that on which its clock started are applied to it.
    ApplyPolicy {
        /// The day whose time limits count since.
        #[schema(value_type = String, example = "2026-04-14")]
        in_force_on: Date,
        /// Why.
        because: String,
    },
    /// A child or young person was offered an advocate, or said whether they want one.
    Advocacy {
        /// What.
        step: AdvocacyStep,
        /// When; today, where no day is named.
        #[schema(value_type = Option<String>, example = "2026-04-14")]
        on: Option<Date>,
        /// Who works with them, with `works`.
        advocate: Option<String>,
    },
    /// A member's enquiry is answered by saying that their constituent's complaint is open: the member is told, and
    /// a copy of its answer follows.
    LinkToComplaint {
        /// The complaint's reference.
        complaint: String,
    },
    /// What a member wrote is handled as a complaint of their constituent: the member is told, and gets a copy of the
    /// answer later; the constituent is asked whether they agree.
    ForConstituent {
        /// Which kind of complaint.
        record_type: RecordType,
        /// Why.
        because: String,
    },
    /// The constituent said whether they agree to that. Where they do not, it is a member's enquiry again.
    Constituent {
        /// Whether they do.
        agrees: bool,
        /// How they said so.
        how: String,
        /// When; today, where no day is named.
        #[schema(value_type = Option<String>, example = "2026-04-14")]
        on: Option<Date>,
    },
    /// Something is agreed because of it, or happens to what was agreed.
    Action {
        /// What.
        wanted: ActionMove,
    },
    /// The customer is told that the answer will be late. The clock does not move.
    HoldingLetter {
        /// The day by which it comes instead: a working day.
        #[schema(value_type = String, example = "2026-04-14")]
        until: Date,
        /// Why, in one plain sentence that stands in the letter.
        why: String,
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
    /// An officer decides whether whoever writes has sufficient interest in the child's welfare. Who is refused is told
    /// why, and the case is over; whether the child is told is left to a person.
    SufficientInterest {
        /// What.
        decision: Interest,
        /// Why, for the record.
        because: String,
        /// What the child thinks of it, where that was asked.
        child_view: Option<String>,
        /// Why not, in plain words for the person to read; with `refused`, and only then.
        say: Option<String>,
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
    /// An officer of `officers.toml` looks after it from now on.
    Assign {
        /// Their id; `nobody` takes it from whoever has it.
        to: String,
        /// Why.
        because: Option<String>,
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

impl Act {
    /// What it means for the first letter to the customer.
    pub(super) fn meaning(&self) -> Meaning {
        match self {
            Self::Confirm
            | Self::Correct { .. }
            | Self::Dismiss { .. }
            // What waits is written again, as they need it.
            | Self::Adjust { .. }
            | Self::SufficientInterest { decision: Interest::Granted, .. } => Meaning::Decides,
            Self::SufficientInterest { decision: Interest::Refused, .. }
            | Self::ForConstituent { .. }
            | Self::AskCustomer { .. }
            | Self::Reject { .. }
            | Self::Withdraw { .. }
            | Self::Respond { .. }
            | Self::Acknowledged { .. } => Meaning::Told,
            // Whoever is thanked is thanked also where there is nothing more to do.
            Self::Close { .. }
            | Self::Answered { .. }
            | Self::Ask { .. }
            | Self::Part { .. }
            | Self::Area { .. }
            | Self::Reopen { .. }
            | Self::Merge { .. }
            | Self::Turn { .. }
            | Self::ApplyPolicy { .. }
            | Self::Advocacy { .. }
            | Self::LinkToComplaint { .. }
            | Self::Action { .. }
            | Self::HoldingLetter { .. }
            | Self::Constituent { .. }
            | Self::AcceptAnswer { .. }
            | Self::SendBack { .. }
            | Self::NoMoreTime { .. }
            | Self::NextStage { .. }
            | Self::Statement { .. }
            | Self::Outcome { .. }
            | Self::Assign { .. }
            | Self::Link { .. }
            | Self::Ombudsman { .. }
            | Self::Separate { .. } => Meaning::Nothing,
        }
    }
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
