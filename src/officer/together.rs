//! Cases and messages that belong together, or do not.

use std::sync::Arc;

use jiff::Timestamp;

use super::{ActFault, Found, actions, clock, find, over, parsed, part, post, record, save};
use crate::casework::case::{Actor, CaseStatus, Event, OfficerId};
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::letters::letter::LetterId;
use crate::store::suggestions::{self, Answered};
use crate::store::tasks::{self, NewTask};
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
    requests::cancel_merged(tx, found.row.id, gateway.clock.now()).await?;
    // They stay where they were agreed, and are shown with the case that goes on.
    let left = actions::owed(&found);
    let (from, to) = (found.row.reference, into.row.reference.clone());
    let both = Answered::Between(found.row.id, into.row.id);
    let before = into.case.received_at;
    let received_at = found.case.received_at;
    let joined = Event::Joined { other: from.clone(), received_at };
    record(tx, gateway, &mut into, by, joined).await?;
    let dated = recount(tx, gateway, &into, before).await?;
    suggestions::answer(tx, both, "taken", gateway.clock.now()).await?;
    Ok(format!("{from} is merged into {to}{dated}; what comes in for it goes there{left}"))
}

/// Counts the dates of a case that others go on in, where its receipt is another since: the earliest counts.
async fn recount(
    tx: &mut Tx,
    gateway: &Gateway,
    into: &Found,
    received_before: Timestamp,
) -> Result<String, ActFault> {
    if into.case.received_at == received_before {
        return Ok(String::new());
    }
    let clock = clock::started(&gateway.policy(), &into.case)?;
    save(tx, gateway, into, Some(&clock)).await?;
    let received = london_day(into.case.received_at);
    let Some(due_on) = clock.agreed_due_on else {
        return Ok(format!(", which counts as received on {received}"));
    };
    part::redate(tx, gateway, into, due_on).await?;
    Ok(format!(", which counts as received on {received} and is due by {due_on}"))
}

pub(super) async fn separate(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    because: &str,
) -> Result<String, ActFault> {
    let into = found.case.merged.as_ref().map(|(into, _)| into.clone());
    let event = found.case.separate(because)?;
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    cases::merge(tx, found.row.id, None).await?;
    if let Some(into) = into {
        let mut into = find(tx, &parsed(&into)?).await?;
        let before = into.case.received_at;
        let parted = Event::Parted { other: found.row.reference.clone() };
        record(tx, gateway, &mut into, by, parted).await?;
        recount(tx, gateway, &into, before).await?;
    }
    if found.case.status == CaseStatus::Open {
        requests::restore(tx, found.row.id, &found.case.services).await?;
    }
    Ok(format!("{} stands by itself again", found.row.reference))
}

/// Answers a member's enquiry by saying that their constituent's complaint is open. It has no clock of its own then:
/// a copy of the complaint's answer follows (decision table, D5a).
pub(super) async fn link(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    mut complaint: Found,
    by: &Actor,
) -> Result<String, ActFault> {
    let linked = found.case.link_to_complaint(&complaint.case)?;
    let answered = found.case.respond(None)?;
    record(tx, gateway, &mut found, by, linked).await?;
    record(tx, gateway, &mut found, by, answered).await?;
    save(tx, gateway, &found, None).await?;
    over(tx, gateway, &found).await?;
    let member = found.row.reference.clone();
    record(tx, gateway, &mut complaint, by, Event::MemberWaits { member }).await?;
    let mut context =
        post::customer_letter(gateway, &found, found.case.received_on(), (None, None));
    context.complaint_open = true;
    let letter = LetterId::AcknowledgementMember;
    let told = post::to_customer(tx, gateway, &found, letter, &context).await?;
    let told = told.replace("the customer", "the member");
    let (member, complaint) = (&found.row.reference, &complaint.row.reference);
    Ok(format!("{member} waits for a copy of the answer to {complaint}; {told}"))
}

/// A complaint is answered: whoever waits for a copy gets one from a person, once the customer has theirs.
pub(super) async fn copies(
    tx: &mut Tx,
    gateway: &Gateway,
    complaint: &Found,
) -> Result<(), ActFault> {
    for member in &complaint.case.members {
        let member = find(tx, &parsed(member)?).await?;
        let words = format!(
            "{} is answered: send the member a copy once the customer has theirs, and close this enquiry",
            complaint.row.reference
        );
        let task = NewTask {
            kind: "copy_to_member",
            case_id: Some(member.row.id),
            words: words.into(),
            ..NewTask::default()
        };
        tasks::add(tx, &task, gateway.clock.now()).await?;
    }
    Ok(())
}

/// A member's enquiry is taken up by itself again.
pub(super) async fn unlink(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    by: &Actor,
) -> Result<(), ActFault> {
    let Some(complaint) = &found.case.complaint else { return Ok(()) };
    let mut complaint = find(tx, &parsed(complaint)?).await?;
    let member = found.row.reference.clone();
    record(tx, gateway, &mut complaint, by, Event::MemberWaitsNoLonger { member }).await?;
    let now = gateway.clock.now();
    Ok(tasks::finish_of_case(tx, found.row.id, &["copy_to_member"], now).await?)
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
