//! Whether somebody may complain for a child's sake, decided by an officer.

use super::stage::{refused, whoever};
use super::{ActFault, Found, actions, over, post, record, save};
use crate::casework::assessment::Gate;
use crate::casework::case::{Actor, Interest};
use crate::casework::vocabulary::{Flag, RejectionReason};
use crate::gateway::Gateway;
use crate::letters::InterestLetter;
use crate::letters::letter::LetterId;
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, assessments};

/// The kind of task that asks for the decision.
pub(super) const DECIDE: &str = "decide_interest";

/// What an officer decides of somebody's interest in a child's welfare.
pub(super) struct Decided {
    pub(super) decision: Interest,
    pub(super) because: String,
    pub(super) child_view: Option<String>,
    pub(super) say: Option<String>,
}

/// Records the decision. Who is refused is told why by a letter, and the case is over.
pub(super) async fn decide(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    Decided { decision, because, child_view, say }: Decided,
) -> Result<String, ActFault> {
    let officer = whoever(by);
    let event = found.case.decide_interest(officer.clone(), decision, &because, child_view)?;
    let say = told(decision, say)?;
    record(tx, gateway, &mut found, by, event).await?;
    let now = gateway.clock.now();
    let answer = match decision {
        Interest::Granted => "dismissed",
        Interest::Refused => "taken",
    };
    assessments::answer(tx, found.row.id, Gate::D22Interest.id(), answer, now).await?;
    tasks::finish_of_case(tx, found.row.id, &[DECIDE], now).await?;
    let reference = found.row.reference.clone();
    let Some(why) = say else {
        save(tx, gateway, &found, None).await?;
        return Ok(format!("{reference}: sufficient interest; the case goes on"));
    };
    let rejected = found.case.reject(officer, RejectionReason::Other, &because)?;
    record(tx, gateway, &mut found, by, rejected).await?;
    save(tx, gateway, &found, None).await?;
    over(tx, gateway, &found).await?;
    ask_to_tell_the_child(tx, gateway, &found).await?;
    let context = letter(gateway, &found, why);
    let told = post::to_customer(tx, gateway, &found, LetterId::InterestRefused, &context).await?;
    let left = actions::owed(&found);
    Ok(format!(
        "{reference}: no sufficient interest, and nothing further follows; {told}; decide whether the child is \
         told{left}"
    ))
}

/// What the letter says that tells of it.
pub(super) fn letter(gateway: &Gateway, found: &Found, why: String) -> InterestLetter {
    InterestLetter {
        reference: found.row.reference.clone(),
        greeting_name: None,
        received_on: post::received_on(found).into(),
        why: why.into(),
        is_child: false,
        safeguarding: found.case.flags.contains(&Flag::Safeguarding),
        contact: gateway.contact(),
        council: gateway.council(),
    }
}

/// What the person is told: why not, and nothing where there is no reason to.
fn told(decision: Interest, say: Option<String>) -> Result<Option<String>, ActFault> {
    let say = say.filter(|say| !say.trim().is_empty());
    match (decision, &say) {
        (Interest::Granted, None) | (Interest::Refused, Some(_)) => Ok(say),
        (Interest::Granted, Some(_)) => {
            Err(refused("no letter goes with that", "leave out what to say, and write by hand"))
        }
        (Interest::Refused, None) => {
            Err(refused("the person must be told why", "say it in plain words, for them to read"))
        }
    }
}

/// The child is told by a person, where that is suitable.
async fn ask_to_tell_the_child(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
) -> Result<(), StoreError> {
    let task = NewTask {
        kind: "tell_child",
        case_id: Some(found.row.id),
        words: "somebody was found to have no sufficient interest: where it suits the child, a person tells them so"
            .into(),
        ..NewTask::default()
    };
    tasks::add(tx, &task, gateway.clock.now()).await.map(drop)
}

/// Asks for the decision, where a correction has raised the doubt.
pub(super) async fn ask(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    asked_before: bool,
) -> Result<(), StoreError> {
    let asks = found.case.asks_for_interest();
    let now = gateway.clock.now();
    if asks && !asked_before {
        let words = crate::casework::assessment::DECIDE_INTEREST;
        let case_id = Some(found.row.id);
        let task = NewTask { kind: DECIDE, case_id, words: words.into(), ..NewTask::default() };
        tasks::add(tx, &task, now).await?;
    } else if !asks {
        tasks::finish_of_case(tx, found.row.id, &[DECIDE], now).await?;
    }
    Ok(())
}
