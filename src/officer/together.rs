//! Cases and messages that belong together, or do not.

use std::sync::Arc;

use super::{ActFault, Found, actions, record, save};
use crate::casework::case::{Actor, CaseStatus, Event, OfficerId};
use crate::gateway::Gateway;
use crate::store::suggestions::{self, Answered};
use crate::store::{StoreError, Tx, cases, messages, requests};

/// The other case goes on for both: what was asked about this one is asked there.
pub(super) async fn merge(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    mut into: Found,
    by: &Actor,
    because: &str,
) -> Result<String, ActFault> {
    let event = found.case.merge(&into.case, because)?;
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    cases::merge(tx, found.row.id, Some(into.row.id)).await?;
    requests::cancel_all(tx, found.row.id).await?;
    // They stay where they were agreed, and are shown with the case that goes on.
    let left = actions::owed(&found);
    let (from, to) = (found.row.reference, into.row.reference.clone());
    let note = Event::Note { text: format!("{from} was merged into this case").into() };
    let both = Answered::Between(found.row.id, into.row.id);
    record(tx, gateway, &mut into, by, note).await?;
    suggestions::answer(tx, both, "taken", gateway.clock.now()).await?;
    Ok(format!("{from} is merged into {to}; what comes in for it goes there{left}"))
}

pub(super) async fn separate(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    because: &str,
) -> Result<String, ActFault> {
    let event = found.case.separate(because)?;
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    cases::merge(tx, found.row.id, None).await?;
    if found.case.status == CaseStatus::Open {
        requests::restore(tx, found.row.id, &found.case.services).await?;
    }
    Ok(format!("{} stands by itself again", found.row.reference))
}

/// Makes a message a matter of its own, whatever it answers: it is settled again, as new. False when
/// it is not settled, or has opened a case already.
///
/// # Errors
/// When the database refuses.
pub async fn split(
    gateway: &Arc<Gateway>,
    message: i64,
    officer: &str,
) -> Result<bool, StoreError> {
    let now = gateway.clock.now();
    let by = Actor::Officer(OfficerId(officer.to_owned()));
    let done = gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let case = messages::case_of(tx, message).await?;
                if !messages::split(tx, message).await? {
                    return Ok(false);
                }
                if let Some(case) = case {
                    let text = format!("message {message} became a case of its own").into();
                    cases::record(tx, case, &by, &Event::Note { text }, now).await?;
                }
                suggestions::answer(tx, Answered::Message(message), "taken", now).await?;
                Ok::<_, StoreError>(true)
            })
        })
        .await?;
    gateway.nudges.stored.notify_one();
    Ok(done)
}

/// Declines a suggestion. False when there is none that is still open.
///
/// # Errors
/// When the database refuses.
pub async fn decline(gateway: &Arc<Gateway>, suggestion: i64) -> Result<bool, StoreError> {
    let now = gateway.clock.now();
    gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let one = Answered::One(suggestion);
                Ok(suggestions::answer(tx, one, "declined", now).await? > 0)
            })
        })
        .await
}
