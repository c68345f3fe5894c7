//! Customers who were asked for something, and clocks that stand still: reminded once, and looked at again.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::casework::assessment::Needed;
use crate::casework::case::{Actor, Case, Event};
use crate::gateway::Gateway;
use crate::letters::AskingLetter;
use crate::letters::letter::LetterId;
use crate::officer::asking_letter;
use crate::outbox::{Automatic, Posting, TokenCase};
use crate::policy::Policy;
use crate::store::assessments::{self, AwaitedRow};
use crate::store::cases::CaseRow;
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, cases};

/// After how many working days of standing still an officer looks at a clock again (domain 4.5).
const REVIEW_EVERY: i32 = 20;

/// Does what falls due on a day.
pub(super) async fn run(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    today: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    for awaited in assessments::due(tx, today).await? {
        let Some(row) = cases::by_id(tx, awaited.case_id).await? else { continue };
        if row.status != "open" {
            assessments::end(tx, row.id, now).await?;
        } else if awaited.until_on < today.to_string() {
            nothing_came(tx, &awaited, now).await?;
        } else {
            remind(tx, gateway, policy, &awaited, &row, now).await?;
        }
    }
    review(tx, policy, today, now).await
}

/// Reminds a customer, once.
async fn remind(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    awaited: &AwaitedRow,
    row: &CaseRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    assessments::reminded(tx, awaited.id, now).await?;
    let (Ok(needed), Ok(until_on)) = (awaited.needed.parse::<Needed>(), awaited.until_on.parse())
    else {
        return Err(StoreError::unsuitable(
            "remind a customer",
            "the row cannot be read".to_owned(),
        ));
    };
    let (Some(address), Some(case)) = (&row.customer_address, TokenCase::of(row)) else {
        return Ok(());
    };
    let asking = asking_letter(gateway, row, needed, until_on);
    let context = AskingLetter { is_reminder: true, ..asking };
    let written = policy
        .letters
        .write_as(LetterId::AskCustomer, &context, &row.adjustment())
        .map_err(|fault| StoreError::unsuitable("write a letter", fault.to_string()))?;
    let text = format!("reminded the customer of {}", needed.label()).into();
    cases::record(tx, row.id, &Actor::Gateway, &Event::Note { text }, now).await?;
    let posting = Posting {
        purpose: LetterId::AskCustomer.id(),
        once_key: format!("ask-customer-again:{}", awaited.id),
        case: Some(case),
        request: None,
        message: None,
        recipient: address.clone(),
        written: Arc::new(written),
        automatic: Automatic::Generated,
        in_reply_to: None,
        references: Vec::new(),
        due_at: now,
    };
    gateway.sender.post(tx, &[posting], now).await
}

/// The time is over: a person decides. Nothing is refused by itself.
async fn nothing_came(tx: &mut Tx, awaited: &AwaitedRow, now: Timestamp) -> Result<(), StoreError> {
    assessments::told(tx, awaited.id, now).await?;
    let label = awaited.needed.parse::<Needed>().map_or("what was asked for", Needed::label);
    let words = format!(
        "the customer was asked for {label} on {} and reminded, and has not written: go on without it, \
         or decide whether the case can be taken on",
        awaited.asked_on
    );
    let task = NewTask {
        kind: "nothing_came",
        case_id: Some(awaited.case_id),
        words: words.into(),
        ..NewTask::default()
    };
    tasks::add(tx, &task, now).await.map(drop)
}

/// Clocks that have stood still for long, each every twenty working days.
async fn review(
    tx: &mut Tx,
    policy: &Policy,
    today: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    for row in cases::standing_still(tx).await? {
        let Some(since) = paused_since(tx, &row).await? else { continue };
        let days = policy.calendar.working_days_between(since, today);
        let days = days.map_err(|gap| StoreError::unsuitable("count a pause", gap.to_string()))?;
        if days > 0 && days % REVIEW_EVERY == 0 {
            let words = format!(
                "the clock stands still since {since}, {days} working days: let it go on, or say why not"
            );
            let task = NewTask {
                kind: "paused",
                case_id: Some(row.id),
                words: words.into(),
                ..NewTask::default()
            };
            tasks::add(tx, &task, now).await?;
        }
    }
    Ok(())
}

/// The day from which the clock of a case stands still.
async fn paused_since(tx: &mut Tx, row: &CaseRow) -> Result<Option<Date>, StoreError> {
    let Ok(reference) = row.reference.parse() else { return Ok(None) };
    let events = cases::events(tx, row.id).await?;
    let case = Case::replay(reference, &events)
        .map_err(|fault| StoreError::unsuitable("read a case's history", fault.to_string()))?;
    Ok(crate::casework::dates::paused_since(&case.turns))
}
