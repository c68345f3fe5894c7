//! Stages that the council suspends (`procedures.toml`): their clocks stand still and go on again with the day's run.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::casework::case::{Actor, Case};
use crate::casework::procedure::Suspension;
use crate::casework::procedure::suspension::Asked;
use crate::gateway::Gateway;
use crate::officer;
use crate::policy::Policy;
use crate::store::cases::CaseRow;
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, cases};

/// Stops and starts what suspensions ask for on a day.
pub(super) async fn run(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    today: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    for suspension in policy.procedures.suspensions() {
        if today < suspension.from {
            continue;
        }
        for row in cases::open_at(tx, &suspension.procedure, suspension.stage).await? {
            apply(tx, gateway, suspension, &row, (today, now)).await?;
        }
    }
    Ok(())
}

async fn apply(
    tx: &mut Tx,
    gateway: &Gateway,
    suspension: &Suspension,
    row: &CaseRow,
    (today, now): (Date, Timestamp),
) -> Result<(), StoreError> {
    let unread = |fault: String| StoreError::unsuitable("read a case's history", fault);
    let reference = row.reference.parse().map_err(|_| unread(row.reference.clone()))?;
    let events = cases::events(tx, row.id).await?;
    let case = Case::replay(reference, &events).map_err(|fault| unread(fault.to_string()))?;
    let pauses = officer::pauses(&gateway.policy(), &case)?;
    let Some(asked) = suspension.asks(&case, &pauses, today) else { return Ok(()) };
    let (from, to, why) = (suspension.from, suspension.to, &suspension.because);
    if asked == Asked::Decide {
        let words = format!(
            "{}: the stage is suspended from {from} to {to} ({why}), but a child may be at risk: it goes on \
             unless you pause it",
            row.reference
        );
        return add_task(tx, row, words, now).await;
    }
    let because = format!("suspended from {from} to {to}: {why}");
    let (event, case, clock) = match asked {
        Asked::GoOn(on) => officer::resumed(&gateway.policy(), case, on, &because, now)?,
        Asked::StandStill(on) => officer::suspended(&gateway.policy(), case, on, &because, now)?,
        Asked::Decide => return Ok(()),
    };
    cases::record(tx, row.id, &Actor::Gateway, &event, now).await?;
    if !cases::change(tx, row, &case, Some(&clock), now).await? {
        return Err(StoreError::unsuitable(
            "suspend a case",
            "it was changed meanwhile".to_owned(),
        ));
    }
    if let Some(due_on) = clock.agreed_due_on {
        officer::redate_requests(tx, gateway, row.id, &case, due_on).await?;
        return tasks::finish_of_case(tx, row.id, &["suspended"], now).await;
    }
    let words = format!(
        "the stage is suspended from {from} to {to} ({why}): tell the customer of {}",
        row.reference
    );
    add_task(tx, row, words, now).await
}

async fn add_task(
    tx: &mut Tx,
    row: &CaseRow,
    words: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    let task = NewTask {
        kind: "suspended",
        case_id: Some(row.id),
        words: words.into(),
        ..NewTask::default()
    };
    // A child at risk is found anew each day.
    tasks::add_once(tx, &task, now).await.map(drop)
}
