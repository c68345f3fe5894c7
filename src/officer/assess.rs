//! What officers decide before a case is worked on: whether the gateway read it right, what must be asked
//! of the customer first, and what does not stand in the way.

use std::sync::Arc;

use jiff::civil::Date;

use super::{ActFault, Found, Move, clock, post, record, save};
use crate::casework::assessment::{Gate, Needed};
use crate::casework::case::{Actor, AdvocacyStep, Event, OfficerId, Refusal};
use crate::casework::dates::PauseReason;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::letters::AskingLetter;
use crate::letters::letter::LetterId;
use crate::policy::Policy;
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, assessments};

/// How many working days a customer is given (domain 4.5).
const WAIT: i32 = 10;
/// After how many of them they are reminded, once.
const REMIND_AFTER: i32 = 5;

fn uncovered(fault: &impl ToString) -> StoreError {
    StoreError::unsuitable("work out by when the customer may answer", fault.to_string())
}

/// The rules read it right.
pub(super) async fn confirm(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
) -> Result<String, ActFault> {
    let text = format!("confirmed as {}", found.case.record_type).into();
    record(tx, gateway, &mut found, by, Event::Note { text }).await?;
    save(tx, gateway, &found, None).await?;
    tasks::finish_of_case(tx, found.row.id, &["check"], gateway.clock.now()).await?;
    Ok(format!("{} is confirmed as {}", found.row.reference, found.case.record_type))
}

/// Records that an advocate was offered, or what the child or young person said to it.
pub(super) async fn advocacy(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    step: AdvocacyStep,
    on: Option<Date>,
    advocate: Option<String>,
) -> Result<String, ActFault> {
    let today = london_day(gateway.clock.now());
    let on = on.unwrap_or(today);
    let received = found.case.received_on();
    if on < received || on > today {
        let because = format!("{on} is not between the receipt and today");
        let instead = format!("name a day from {received} to {today}");
        return Err(Refusal { because, instead }.into());
    }
    let event = found.case.record_advocacy(step, on, advocate)?;
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    let now = gateway.clock.now();
    let ended = ["find_advocate"];
    tasks::finish_of_case(tx, found.row.id, &ended, now).await?;
    if step == AdvocacyStep::Wanted {
        let task = NewTask {
            kind: "find_advocate",
            case_id: Some(found.row.id),
            words:
                "an advocate is wanted: ask the advocacy service, and record who works with them"
                    .into(),
            ..NewTask::default()
        };
        tasks::add(tx, &task, now).await?;
    }
    Ok(format!("advocacy of {}: {}", found.row.reference, step.label()))
}

/// Asks the customer for what is needed, once; the clock of the answer stands still meanwhile.
pub(super) async fn ask_customer(
    tx: &mut Tx,
    gateway: &Gateway,
    found: Found,
    by: &Actor,
    needed: Needed,
    say: Option<String>,
) -> Result<String, ActFault> {
    if found.row.customer_address.is_none() {
        let because = "the customer gave no address".to_owned();
        let instead = "ask by telephone or by post, and pause the clock".to_owned();
        return Err(Refusal { because, instead }.into());
    }
    let policy = gateway.policy();
    let today = london_day(gateway.clock.now());
    let after = |days| policy.calendar.add_working_days(today, days).map_err(|gap| uncovered(&gap));
    let (remind_on, until_on) = (after(REMIND_AFTER)?, after(WAIT)?);
    let dates = (today, remind_on, until_on);
    if !assessments::ask(tx, found.row.id, needed.id(), dates).await? {
        let because = format!("they have been asked for {} before", needed.label());
        let instead = "decide without it, or write by hand".to_owned();
        return Err(Refusal { because, instead }.into());
    }
    let asking = post::asking_letter(gateway, &found.row, needed, until_on);
    let context = AskingLetter { note: say.map(Into::into), ..asking };
    let told = post::to_customer(tx, gateway, &found, LetterId::AskCustomer, &context).await?;
    let because = format!("asked for {}", needed.label());
    let reference = found.row.reference.clone();
    let still = if going(&policy, &found)? {
        let why = match needed {
            Needed::Authority => PauseReason::AwaitingAuthority,
            Needed::Details | Needed::Name => PauseReason::AwaitingCustomer,
        };
        clock::turn(tx, gateway, found, by, Move::Pause { why }, &because).await?;
        ", and the clock stands still"
    } else {
        let mut found = found;
        record(tx, gateway, &mut found, by, Event::Note { text: because.into() }).await?;
        save(tx, gateway, &found, None).await?;
        ""
    };
    Ok(format!("{reference}: {told}; they have until {until_on}{still}"))
}

/// Whether a clock of the case goes, that can be paused.
fn going(policy: &Policy, found: &Found) -> Result<bool, ActFault> {
    let dates = clock::dates(policy, &found.case)?;
    Ok(dates.is_some_and(|dates| dates.paused().is_none()))
}

/// A gate does not stand in the way of the case.
pub(super) async fn dismiss(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    gate: Gate,
    because: String,
) -> Result<String, ActFault> {
    let now = gateway.clock.now();
    if because.trim().is_empty() {
        let why = "going on without it needs a reason".to_owned();
        return Err(Refusal { because: why, instead: "say why in a sentence".to_owned() }.into());
    }
    if gate.is_decided_by_itself() {
        let because = format!("{gate} has a decision of its own");
        let instead = "record it with `case sufficient-interest`, with the child's view".to_owned();
        return Err(Refusal { because, instead }.into());
    }
    if !assessments::answer(tx, found.row.id, gate.id(), "dismissed", now).await? {
        let because = format!("{gate} is not proposed for this case, or was decided");
        let instead = "`case show` lists what is".to_owned();
        return Err(Refusal { because, instead }.into());
    }
    let text = format!("{gate} does not stand in the way: {}", because.trim()).into();
    record(tx, gateway, &mut found, by, Event::Note { text }).await?;
    save(tx, gateway, &found, None).await?;
    Ok(format!("{gate} does not stand in the way of {}", found.row.reference))
}

/// Ends a task. False when there is none of this number that is open.
///
/// # Errors
/// When the database refuses.
pub async fn task_done(
    gateway: &Arc<Gateway>,
    task: i64,
    officer: &str,
) -> Result<bool, StoreError> {
    let now = gateway.clock.now();
    let by = Actor::Officer(OfficerId(officer.to_owned()));
    gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let Some((kind, case)) = tasks::done(tx, task, now).await? else {
                    return Ok(false);
                };
                if let Some(case) = case {
                    // Whoever asked for more time reads on its page what became of that.
                    let left =
                        if kind == "more_time" { ", and no day was moved by that" } else { "" };
                    let text = format!("task {task} ({kind}) is done{left}").into();
                    crate::store::cases::record(tx, case, &by, &Event::Note { text }, now).await?;
                }
                Ok::<_, StoreError>(true)
            })
        })
        .await
}
