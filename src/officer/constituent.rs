//! What a member wrote for a constituent, handled as a complaint of theirs (decision table, D5b).

use jiff::civil::Date;

use super::{ActFault, Found, Move, clock, part, post, record, save};
use crate::casework::case::{Actor, CaseField};
use crate::casework::dates::PauseReason;
use crate::casework::ombudsman::past_day;
use crate::casework::vocabulary::RecordType;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::letters::letter::LetterId;
use crate::store::Tx;
use crate::store::tasks::{self, NewTask};

/// The kind of task that asks whether the constituent agrees.
const AGREES: &str = "constituent_agrees";
/// The kind of task that intake leaves where what a member wrote is opened as a complaint.
const FOR_CONSTITUENT: &str = "for_constituent";

/// Takes what a member wrote as a complaint of their constituent; the member is told.
pub(super) async fn take(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    record_type: RecordType,
    because: &str,
) -> Result<String, ActFault> {
    for event in found.case.take_for_constituent(record_type, because)? {
        record(tx, gateway, &mut found, by, event).await?;
    }
    let clock = clock::started(&gateway.policy(), &found.case)?;
    save(tx, gateway, &found, Some(&clock)).await?;
    let now = gateway.clock.now();
    tasks::finish_of_case(tx, found.row.id, &["check", FOR_CONSTITUENT], now).await?;
    let task = NewTask {
        kind: AGREES,
        case_id: Some(found.row.id),
        words: "a member wrote for a constituent, and it is handled as their complaint: ask whether they agree, and \
                record it with `case constituent`"
            .into(),
        ..NewTask::default()
    };
    tasks::add(tx, &task, now).await?;
    if let Some(due_on) = clock.agreed_due_on {
        part::redate(tx, gateway, &found, due_on).await?;
    }
    let dates = (clock.target_on, clock.standard_due_on);
    let told = tell(tx, gateway, &found, LetterId::MemberComplaint, dates).await?;
    let due = clock.agreed_due_on.map_or_else(String::new, |day| format!(", due by {day}"));
    let reference = &found.row.reference;
    Ok(format!("{reference} is a {record_type} for a constituent{due}; {told}"))
}

/// The constituent said whether they agree. Where they do not, the member's enquiry goes on by its own clock, from its
/// receipt.
pub(super) async fn said(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    (agrees, how, on): (bool, String, Option<Date>),
) -> Result<String, ActFault> {
    let received = found.case.received_on();
    let on = past_day(on, london_day(gateway.clock.now()), Some((received, "it came on")))?;
    let events = found.case.constituent_said(agrees, &how, on)?;
    for event in events {
        record(tx, gateway, &mut found, by, event).await?;
    }
    tasks::finish_of_case(tx, found.row.id, &[AGREES], gateway.clock.now()).await?;
    let policy = gateway.policy();
    let reference = found.row.reference.clone();
    let clock = clock::started(&policy, &found.case)?;
    let told = if agrees {
        "the constituent agrees, and the complaint goes on".to_owned()
    } else {
        let dates = (clock.target_on, clock.standard_due_on);
        let told = tell(tx, gateway, &found, LetterId::AcknowledgementMember, dates).await?;
        format!("a member's enquiry again; {told}")
    };
    let paused = clock::dates(&policy, &found.case)?;
    let held = paused.as_ref().and_then(|dates| dates.paused());
    if held.is_some_and(|pause| pause.why == PauseReason::AwaitingAuthority) {
        let because =
            if agrees { "the constituent agrees" } else { "the constituent does not agree" };
        let went_on = clock::turn(tx, gateway, found, by, Move::Resume, because).await?;
        return Ok(format!("{reference}: {told}; {went_on}"));
    }
    save(tx, gateway, &found, Some(&clock)).await?;
    let Some(due_on) = clock.agreed_due_on else { return Ok(format!("{reference}: {told}")) };
    part::redate(tx, gateway, &found, due_on).await?;
    Ok(format!("{reference}: {told}; the answer is due by {due_on}"))
}

async fn tell(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    letter: LetterId,
    dates: (Option<Date>, Option<Date>),
) -> Result<String, ActFault> {
    let context = post::customer_letter(gateway, found, found.case.received_on(), dates);
    let told = post::to_customer(tx, gateway, found, letter, &context).await?;
    Ok(told.replace("the customer", "the member"))
}

/// A correction would make a complaint of a member's enquiry: the member must be told, unless none wrote it.
pub(super) fn not_silently(found: &Found, changes: &[(CaseField, String)]) -> Result<(), ActFault> {
    let to = |field| changes.iter().find(|(one, _)| *one == field).map(|(_, value)| value.trim());
    let complaint = to(CaseField::RecordType)
        .and_then(|value| value.parse::<RecordType>().ok())
        .is_some_and(RecordType::is_complaint);
    let customer = to(CaseField::CustomerType).unwrap_or(found.case.customer_type.id());
    if found.case.record_type == RecordType::MemberEnquiry
        && complaint
        && customer == crate::casework::vocabulary::CustomerType::OtherCustomer.id()
    {
        return Err(super::stage::refused(
            "a member wrote it for a constituent, who would not be asked, nor the member told",
            "use `case for-constituent`; or correct the customer type too, if no member wrote it",
        ));
    }
    Ok(())
}

/// The answer of a complaint that a member wrote for a constituent: a person sends them a copy.
pub(super) async fn copy(tx: &mut Tx, gateway: &Gateway, found: &Found) -> Result<(), ActFault> {
    if found.case.constituent.is_none() {
        return Ok(());
    }
    let task = NewTask {
        kind: "copy_to_member",
        case_id: Some(found.row.id),
        words: "it is answered: send the member a copy once the constituent has theirs".into(),
        ..NewTask::default()
    };
    tasks::add(tx, &task, gateway.clock.now()).await?;
    Ok(())
}
