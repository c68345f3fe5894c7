//! Holding letters: the answer will be late, why, and by when it comes instead (domain 7.5).
//!
//! The day's run drafts them before the promised day passes; an officer releases the draft, or writes another
//! in its place. The clock does not move: what was promised was not kept, and the report says so.

use jiff::civil::Date;

use super::{ActFault, Found, post, record, save};
use crate::casework::case::{Actor, Event, Refusal};
use crate::casework::vocabulary::{CustomerType, Flag, RecordType};
use crate::casework::working::in_words;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::letters::HoldingLetter;
use crate::letters::letter::{LetterId, is_written_by_child};
use crate::outbox::Posting;
use crate::policy::Policy;
use crate::store::cases::CaseRow;
use crate::store::holding::{self, NewHolding};
use crate::store::{StoreError, Tx, moment, tasks};

/// The kind of task that a draft leaves.
pub(crate) const TASK: &str = "holding_letter";

/// What a holding letter says of days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days {
    pub(crate) was_due: Date,
    pub(crate) answer_by: Date,
}

/// Writes to the customer that the answer will be late.
pub(super) async fn write(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    until: Date,
    why: String,
) -> Result<String, ActFault> {
    let now = gateway.clock.now();
    let policy = gateway.policy();
    let expected = holding::expected(tx, found.row.id).await?;
    let expected = expected.and_then(|day| day.parse::<Date>().ok());
    let Some(was_due) = expected.filter(|_| found.row.status == "open") else {
        let because = "no day is promised for its answer".to_owned();
        let instead = "write only where the case is open and its clock goes".to_owned();
        return Err(Refusal { because, instead }.into());
    };
    let first = london_day(now).max(was_due);
    let working = policy.calendar.is_working_day(until).unwrap_or(false);
    if until <= first || !working {
        let because = format!("{until} is no later working day");
        let instead = format!("name a working day after {}", in_words(first));
        return Err(Refusal { because, instead }.into());
    }
    if why.trim().is_empty() {
        let because = "the letter needs a reason".to_owned();
        let instead = "say why in one plain sentence".to_owned();
        return Err(Refusal { because, instead }.into());
    }
    let days = Days { was_due, answer_by: until };
    let key = format!("holding:{}:v{}", found.row.id, found.row.version);
    let Some(posting) = posting(gateway, &policy, &found.row, days, &why, key)? else {
        let because = "the customer gave no address".to_owned();
        let instead = "tell them by telephone or by post".to_owned();
        return Err(Refusal { because, instead }.into());
    };
    holding::drop_drafts(tx, found.row.id, "another letter goes in its place").await?;
    keep(tx, &posting, found.row.id, days).await?;
    gateway.sender.post(tx, &[posting], now).await?;
    let text = format!("holding letter: {was_due} is not kept, {until} is promised").into();
    record(tx, gateway, &mut found, by, Event::Note { text }).await?;
    save(tx, gateway, &found, None).await?;
    tasks::finish_of_case(tx, found.row.id, &[TASK], now).await?;
    let late = if was_due < london_day(now) { "; the promised day had passed already" } else { "" };
    Ok(format!("{} is told that the answer comes by {until}{late}", found.row.reference))
}

/// Keeps what a letter promises. False when it was written before.
pub(crate) async fn keep(
    tx: &mut Tx,
    posting: &Posting,
    case_id: i64,
    Days { was_due, answer_by }: Days,
) -> Result<bool, StoreError> {
    let new = NewHolding { once_key: &posting.once_key, case_id, was_due, answer_by };
    holding::keep(tx, &new).await
}

/// The letter to the customer of a case. None where they gave no address.
pub(crate) fn posting(
    gateway: &Gateway,
    policy: &Policy,
    row: &CaseRow,
    days: Days,
    why: &str,
    once_key: String,
) -> Result<Option<Posting>, StoreError> {
    let written = policy
        .letters
        .write_as(LetterId::Holding, &context(gateway, row, days, why), &row.adjustment())
        .map_err(|fault| StoreError::unsuitable("write a letter", fault.to_string()))?;
    Ok(post::to_queue(gateway, row, holding::PURPOSE, once_key, written))
}

/// What the letter says.
pub(super) fn context(
    gateway: &Gateway,
    row: &CaseRow,
    Days { was_due, answer_by }: Days,
    why: &str,
) -> HoldingLetter {
    let customer = row.customer_type.parse().unwrap_or(CustomerType::Unknown);
    let flags: Vec<Flag> = serde_json::from_str(&row.flags).unwrap_or_default();
    let is = |wanted: RecordType| row.record_type == wanted.id();
    // Past the last day of the regulations they need not wait for this stage (domain 7.5).
    let past = row.standard_due_on.as_ref().is_some_and(|last| answer_by.to_string() > *last);
    HoldingLetter {
        reference: row.reference.clone(),
        greeting_name: None,
        received_on: london_day(moment(row.received_at)).into(),
        was_due: was_due.into(),
        answer_by: answer_by.into(),
        why: why.trim().to_owned().into(),
        may_ask_next_stage: is(RecordType::ChildrenActComplaint) && past,
        ombudsman: is(RecordType::CorporateComplaint) || is(RecordType::ChildrenActComplaint),
        is_child: is_written_by_child(customer, &flags),
        safeguarding: flags.contains(&Flag::Safeguarding),
        contact: gateway.contact(),
        council: gateway.council(),
    }
}
