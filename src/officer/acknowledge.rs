//! The first letter to a customer, once an officer has decided.
//!
//! While it waits it can be put right: another is written in its place. What left without saying what we
//! take the message for promised that we would, so that letter follows. What said it stays said: a case is
//! corrected, not its history.

use std::sync::Arc;

use super::{Act, Found, post};
use crate::casework::case::Interest;
use crate::casework::vocabulary::ServiceId;
use crate::clock::{london, london_day};
use crate::gateway::Gateway;
use crate::letters::acknowledgement_for;
use crate::letters::letter::LetterId;
use crate::outbox::{Automatic, Posting, TokenCase};
use crate::store::letters::{self, FirstLetter};
use crate::store::{StoreError, Tx, assessments, tasks};

/// What an act means for the first letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// What the message is may be decided now.
    Decides,
    /// The customer hears of it otherwise.
    Told,
    /// Nothing.
    Nothing,
}

impl Meaning {
    pub(super) fn of(act: &Act) -> Self {
        match act {
            Act::Confirm
            | Act::Correct { .. }
            | Act::Dismiss { .. }
            | Act::SufficientInterest { decision: Interest::Granted, .. } => Self::Decides,
            Act::SufficientInterest { decision: Interest::Refused, .. }
            | Act::ForConstituent { .. }
            | Act::AskCustomer { .. }
            | Act::Reject { .. }
            | Act::Withdraw { .. }
            | Act::Respond { .. }
            | Act::Acknowledged { .. } => Self::Told,
            // Whoever is thanked is thanked also where there is nothing more to do.
            Act::Close { .. }
            | Act::Answered { .. }
            | Act::Ask { .. }
            | Act::Part { .. }
            | Act::Reopen { .. }
            | Act::Merge { .. }
            | Act::Turn { .. }
            | Act::ApplyPolicy { .. }
            | Act::Advocacy { .. }
            | Act::LinkToComplaint { .. }
            | Act::Action { .. }
            | Act::HoldingLetter { .. }
            | Act::Constituent { .. }
            | Act::AcceptAnswer { .. }
            | Act::SendBack { .. }
            | Act::NoMoreTime { .. }
            | Act::NextStage { .. }
            | Act::Statement { .. }
            | Act::Outcome { .. }
            | Act::Assign { .. }
            | Act::Link { .. }
            | Act::Ombudsman { .. }
            | Act::Separate { .. } => Self::Nothing,
        }
    }
}

/// Does what an act means for the first letter. Gives what an officer is told of it.
pub(super) async fn after(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    meaning: Meaning,
) -> Result<String, StoreError> {
    if meaning == Meaning::Nothing {
        return Ok(String::new());
    }
    let Some(last) = letters::acknowledgement(tx, found.row.id).await? else {
        return Ok(String::new());
    };
    let now = gateway.clock.now();
    if meaning == Meaning::Told {
        let because = "the customer hears of it by another letter";
        let back = letters::take_back(tx, last.id, because, now).await?;
        return Ok(
            if back { "; the acknowledgement that waited does not go" } else { "" }.to_owned()
        );
    }
    if is_undecided(tx, found.row.id).await? {
        return Ok(String::new());
    }
    let because = "another was written in its place";
    let back = letters::take_back(tx, last.id, because, now).await?;
    let was_neutral = last.template.as_deref() == Some(LetterId::AcknowledgementNeutral.id());
    let owed = back || (was_neutral && matches!(last.state.as_str(), "sent" | "queued"));
    if !owed || !write(tx, gateway, found, &last).await? {
        return Ok(String::new());
    }
    let at = gateway.undoable_until(now).to_zoned(london());
    Ok(format!("; the acknowledgement goes at {}", at.strftime("%-I:%M%P")))
}

/// Whether an officer still has to say what it is, or whether it can be taken up.
async fn is_undecided(tx: &mut Tx, case: i64) -> Result<bool, StoreError> {
    let unread = tasks::of_case(tx, case).await?.iter().any(|kind| kind == "check");
    Ok(unread || assessments::any_undecided(tx, case).await?)
}

/// Queues the letter that fits what the case is now. False where none does.
async fn write(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    last: &FirstLetter,
) -> Result<bool, StoreError> {
    let case = &found.case;
    let lead = case.services.first().cloned().unwrap_or_else(ServiceId::none);
    let letter =
        acknowledgement_for(Some(case.record_type), case.customer_type, &case.flags, &lead);
    let (Some(letter), Some(token)) = (letter, TokenCase::of(&found.row)) else {
        return Ok(false);
    };
    let day = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
    let dates = (day(&found.row.target_on), day(&found.row.agreed_due_on));
    let received_on = london_day(case.received_at);
    let context = post::customer_letter(gateway, found, received_on, dates);
    let written = gateway
        .policy()
        .letters
        .write(letter, &context)
        .map_err(|fault| StoreError::unsuitable("write a letter", fault.to_string()))?;
    let now = gateway.clock.now();
    let posting = Posting {
        purpose: "acknowledgement",
        // Each act makes a new version of the case, and at most one of these.
        once_key: format!("decided:{}:{}", found.row.id, found.row.version),
        case: Some(token),
        request: None,
        message: last.message_id,
        recipient: last.recipient.clone(),
        written: Arc::new(written),
        automatic: Automatic::Replied,
        in_reply_to: last.in_reply_to.clone(),
        references: last.in_reply_to.iter().cloned().collect(),
        due_at: gateway.undoable_until(now),
    };
    gateway.sender.post(tx, &[posting], now).await?;
    Ok(true)
}
