//! Letters to a customer that an officer's act causes.

use std::sync::Arc;

use jiff::civil::Date;

use super::Found;
use crate::casework::assessment::Needed;
use crate::casework::vocabulary::{CustomerType, Flag};
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::letters::letter::{LetterId, is_written_by_child, record_words, step_words};
use crate::letters::{AskingLetter, Context, CustomerLetter, Written};
use crate::outbox::{Automatic, Posting, TokenCase};
use crate::store::cases::CaseRow;
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, moment};

/// What a letter to the customer of a case is written from. `about` is the day on which they wrote what
/// it answers, `due` the day aimed for and the last.
pub(super) fn customer_letter(
    gateway: &Gateway,
    found: &Found,
    about: Date,
    (aim_by, answer_by): (Option<Date>, Option<Date>),
) -> CustomerLetter {
    let case = &found.case;
    let policy = gateway.policy();
    let services = policy.rules.services();
    let mut named = case.services.iter().filter_map(|id| Some(services.get(id)?.name.clone()));
    CustomerLetter {
        reference: found.row.reference.clone(),
        received_on: about.into(),
        greeting_name: None,
        record_type: Some(case.record_type),
        record_words: record_words(Some(case.record_type)).to_owned(),
        step_words: step_words(case.record_type, case.stage),
        answer_by: answer_by.map(Into::into),
        aim_by: aim_by.filter(|_| aim_by != answer_by).map(Into::into),
        tell_by: None,
        lead: named.next(),
        helpers: named.collect(),
        contact: gateway.contact(),
        council: gateway.council(),
        is_child: is_child(found),
        is_care_leaver: case.customer_type == CustomerType::CareLeaver,
        is_sen: case.services.first().is_some_and(|lead| lead.as_str() == "sen"),
        about_child: true,
        safeguarding: case.flags.contains(&Flag::Safeguarding),
        complaint_open: false,
        route: None,
    }
}

/// What a customer is asked with, for the first time and in no words of an officer's.
pub(crate) fn asking_letter(
    gateway: &Gateway,
    row: &CaseRow,
    needed: Needed,
    answer_by: Date,
) -> AskingLetter {
    let customer = row.customer_type.parse().unwrap_or(CustomerType::Unknown);
    let flags: Vec<Flag> = serde_json::from_str(&row.flags).unwrap_or_default();
    AskingLetter {
        reference: row.reference.clone(),
        greeting_name: None,
        received_on: london_day(moment(row.received_at)).into(),
        needed,
        answer_by: answer_by.into(),
        is_reminder: false,
        note: None,
        is_child: is_written_by_child(customer, &flags),
        safeguarding: flags.contains(&Flag::Safeguarding),
        contact: gateway.contact(),
        council: gateway.council(),
    }
}

pub(super) fn is_child(found: &Found) -> bool {
    is_written_by_child(found.case.customer_type, &found.case.flags)
}

/// Queues a letter to the customer of a case; where they gave no address, a person is told to send it.
/// Says which of the two.
pub(super) async fn to_customer<C: Context>(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    letter: LetterId,
    context: &C,
) -> Result<&'static str, StoreError> {
    let now = gateway.clock.now();
    let policy = gateway.policy();
    let written = policy
        .letters
        .write_as(letter, context, &found.row.adjustment())
        .map_err(|fault| StoreError::unsuitable("write a letter", fault.to_string()))?;
    // Each act makes a new version of the case, and at most one letter.
    let key = format!("{}:{}:{}", letter.id(), found.row.id, found.row.version);
    let Some(posting) = to_queue(gateway, &found.row, letter.id(), key, written) else {
        let task = NewTask {
            kind: "write_by_hand",
            case_id: Some(found.row.id),
            words: format!("the customer gave no address: send `{letter}` by hand").into(),
            ..NewTask::default()
        };
        tasks::add(tx, &task, now).await?;
        return Ok("the customer gave no address: a task says to write by hand");
    };
    gateway.sender.post(tx, &[posting], now).await?;
    Ok("the customer is told")
}

/// What a letter of an officer's to the customer of a case is queued with. None where they gave no address.
pub(super) fn to_queue(
    gateway: &Gateway,
    row: &CaseRow,
    purpose: &'static str,
    once_key: String,
    written: Written,
) -> Option<Posting> {
    Some(Posting {
        purpose,
        once_key,
        case: Some(TokenCase::of(row)?),
        request: None,
        message: None,
        recipient: row.customer_address.clone()?,
        written: Arc::new(written),
        automatic: Automatic::No,
        in_reply_to: None,
        references: Vec::new(),
        due_at: gateway.clock.now(),
    })
}

/// The day on which the council received the matter.
pub(super) fn received_on(found: &Found) -> Date {
    london_day(found.case.received_at)
}
