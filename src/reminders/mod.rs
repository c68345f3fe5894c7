//! A day passes: rungs that are due become letters in the outbox.
//!
//! Reminders are worked out, not scheduled. Once on each working day, from the hour that the ladder
//! names, one transaction asks which rung fits today for every open request, records it under its
//! unique key, and queues one digest a person. Down for a week, run twice, several gateways at once:
//! the highest rung, once.

mod absence;
mod actions;
mod holding;
mod ombudsman;
mod plan;
mod suspension;
mod waiting;
mod write;

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use tracing::{error, info};

use crate::casework::case::{ActionStep, Actor, Event};
use crate::clock::{london, london_day};
use crate::gateway::Gateway;
use crate::policy::Policy;
use crate::store::actions as agreed;
use crate::store::rungs::{self, Chased, NewRung};
use crate::store::tasks::{self, NewTask};
use crate::store::{self, StoreError, Tx, cases, requests};
use crate::tick::Tick;

pub use absence::owners_gone;
pub use actions::{ActionDue, ListedAction};
pub use ombudsman::{DateDue, DateListed};
pub use plan::{Mail, Plan, RungDue};

/// Runs today's reminders, if it is a working day, the hour has come, and nobody ran them yet.
///
/// # Errors
/// When the database refuses; nothing of the day was recorded then, and the next tick tries again.
pub async fn tick(gateway: &Arc<Gateway>) -> Result<Tick, StoreError> {
    let now = gateway.clock.now();
    let policy = gateway.policy();
    if !gateway.config.reminders.enabled || !is_time(&policy, now) {
        return Ok(Tick::Idle);
    }
    if requests::has_run(&gateway.db, london_day(now)).await? {
        return Ok(Tick::Idle);
    }
    run(gateway, now).await.map(|_| Tick::Busy)
}

/// Whether reminders may leave at this moment.
fn is_time(policy: &Policy, now: Timestamp) -> bool {
    let local = now.to_zoned(london());
    match policy.calendar.is_working_day(local.date()) {
        Ok(working) => working && local.time() >= policy.ladder.send_at(),
        Err(gap) => {
            error!(%gap, "reminders stand still: the calendar does not reach today");
            false
        }
    }
}

/// Runs a day's reminders in one transaction. None when they had run.
///
/// # Errors
/// When the database refuses.
pub async fn run(gateway: &Arc<Gateway>, now: Timestamp) -> Result<Option<Plan>, StoreError> {
    let inner = Arc::clone(gateway);
    let done = gateway
        .db
        .write_again(move |tx| {
            let inner = Arc::clone(&inner);
            Box::pin(async move {
                let today = london_day(now);
                if !requests::begin_run(tx, today, now).await? {
                    return Ok(None);
                }
                let policy = inner.policy();
                suspension::run(tx, &inner, &policy, today, now).await?;
                // First: a list goes to whoever has the case from today.
                absence::run(tx, &policy, today, now).await?;
                let plan = plan_of(tx, &policy, today).await?;
                record(tx, &plan, now).await?;
                write::queue(tx, &inner, &policy, &plan, now).await?;
                waiting::run(tx, &inner, &policy, today, now).await?;
                holding::run(tx, &inner, &policy, today, now).await?;
                crate::hold::hold_point("reminding").await;
                Ok::<_, StoreError>(Some(plan))
            })
        })
        .await?;
    if let Some(plan) = &done {
        info!(
            mails = plan.mails.len(),
            rungs = plan.rungs.len(),
            actions = plan.actions.len(),
            "reminders of {} queued",
            plan.day
        );
        gateway.nudges.letter.notify_one();
    }
    Ok(done)
}

/// Runs a day's reminders if they may leave at that moment and have not run.
///
/// # Errors
/// When the database refuses.
pub async fn run_if_time(
    gateway: &Arc<Gateway>,
    now: Timestamp,
) -> Result<Option<Plan>, StoreError> {
    if is_time(&gateway.policy(), now) { run(gateway, now).await } else { Ok(None) }
}

/// What would go to whom at a moment; nothing is recorded. None when reminders of that day have run
/// or none may leave then.
///
/// # Errors
/// When the database refuses.
pub async fn rehearse(gateway: &Arc<Gateway>, now: Timestamp) -> Result<Option<Plan>, StoreError> {
    let policy = gateway.policy();
    let today = london_day(now);
    if !is_time(&policy, now) || requests::has_run(&gateway.db, today).await? {
        return Ok(None);
    }
    let mut tx = gateway.db.snapshot().await?;
    plan_of(&mut tx, &policy, today).await.map(Some)
}

async fn plan_of(tx: &mut Tx, policy: &Policy, today: Date) -> Result<Plan, StoreError> {
    let known = plan::Known {
        requests: requests::chased(tx).await?,
        rungs: requests::rungs_of_open(tx).await?,
        actions: agreed::owed(tx).await?,
        action_rungs: agreed::rungs_of_owed(tx).await?,
    };
    let mut plan = plan::plan(policy, &known, today);
    let dates = store::ombudsman::dates(tx).await?;
    ombudsman::join(policy, &mut plan, &dates, &store::ombudsman::rungs(tx).await?);
    Ok(plan)
}

/// Records every rung before a word is sent for it.
async fn record(tx: &mut Tx, plan: &Plan, now: Timestamp) -> Result<(), StoreError> {
    let (mut of_requests, mut events) = (Vec::new(), Vec::new());
    for due in &plan.rungs {
        let missed = due.passed_over.iter().map(|missed| (missed, "skipped"));
        of_requests.extend(missed.chain([(&due.rung, "sent")]).map(|(rung, outcome)| NewRung {
            of: due.request,
            round: 1,
            rung: &rung.id,
            fell_on: rung.on,
            outcome,
        }));
        let event = Event::Reminded { service: due.service.clone(), rung: due.rung.id.clone() };
        events.push((due.case, event));
    }
    rungs::record(tx, Chased::Requests, &of_requests, now).await?;
    let mut of_actions = Vec::new();
    for due in &plan.actions {
        let missed = due.passed_over.iter().map(|missed| (missed, "skipped"));
        of_actions.extend(missed.chain([(&due.rung, "sent")]).map(|(rung, outcome)| NewRung {
            of: due.action,
            round: due.round,
            rung: &rung.id,
            fell_on: rung.on,
            outcome,
        }));
        let step = ActionStep::Reminded { rung: due.rung.id.clone() };
        let number = u32::try_from(due.number).unwrap_or(0);
        events.push((due.case, Event::Action { number, step }));
    }
    rungs::record(tx, Chased::Actions, &of_actions, now).await?;
    ombudsman::record(tx, plan, now).await?;
    cases::record_all(tx, &Actor::Gateway, &events, now).await?;
    let task =
        |fault| NewTask { kind: "reminders", words: Cow::Borrowed(fault), ..NewTask::default() };
    let tasks: Vec<_> = plan.faults.iter().map(String::as_str).map(task).collect();
    tasks::add_all(tx, &tasks, now).await?;
    let by_hand = |(case, words): &(i64, String)| NewTask {
        case_id: Some(*case),
        words: Cow::Owned(words.clone()),
        ..NewTask::default()
    };
    let by_hand: Vec<_> = plan.by_hand.iter().map(by_hand).collect();
    tasks::add_missing(tx, agreed::TASK, &by_hand, now).await
}
