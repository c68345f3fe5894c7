//! What the Ombudsman sends back: a case is opened for it, or goes on at its first stage not done (D3). Its
//! clock starts on the day that the referral came.

use jiff::civil::Date;

use super::super::stage::{self, refused, uncovered};
use super::super::{ActFault, Found, ask_one, find, post, reopened, service_named};
use super::{came_at, contact_of, decided, decision_of, join};
use crate::casework::case::{Actor, Event};
use crate::casework::ombudsman::{self, Decided, Returned, reopening_words};
use crate::casework::procedure::{Procedure, StageClock, Start};
use crate::casework::reference::CaseReference;
use crate::casework::vocabulary::{CustomerType, RecordType, ServiceId};
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::intake::clocked;
use crate::store::cases::{self, NewCase};
use crate::store::ombudsman::{self as kept, ContactRow, OmbudsmanRow};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, json};

/// Why a case goes on that the Ombudsman sent back.
const RETURNED: &str = "the Ombudsman sent it back: premature";

/// Takes the linked case up at its first stage not done.
pub(super) async fn resume(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    contact: i64,
) -> Result<String, ActFault> {
    let (row, contact) = premature(tx, contact).await?;
    let policy = gateway.policy();
    let procedure = policy.procedures.of(found.case.record_type, post::received_on(&found));
    let returned = ombudsman::returned(&found.case, procedure.map_or(1, Procedure::steps_total))?;
    note_premature(tx, gateway, &row, &contact, &mut found, by).await?;
    let (at, reference) = (came_at(&contact), found.row.reference.clone());
    match (returned, procedure) {
        (Returned::NextStage, Some(procedure)) => {
            let event = found.case.request_stage(procedure.steps_total(), at)?;
            let because = Some(RETURNED.to_owned());
            let (clock, _) =
                stage::begin(tx, gateway, &mut found, by, (event, because), procedure, at).await?;
            tell_by_hand(tx, gateway, found.row.id, clock.answer_due_on()).await?;
            let due =
                clock.answer_due_on().map_or_else(String::new, |day| format!(", due by {day}"));
            Ok(format!("stage {} of {reference} is open{due}", clock.stage))
        }
        (Returned::SameStage, _) => {
            let event = found.case.reopen(at, RETURNED)?;
            let case = found.row.id;
            let told = reopened(tx, gateway, found, by, event).await?;
            tell_by_hand(tx, gateway, case, None).await?;
            Ok(told)
        }
        (Returned::GoesOn | Returned::NextStage, _) => {
            Ok(format!("{reference} is open at stage {} and goes on", found.case.stage))
        }
    }
}

/// Takes the linked case up again because of what the Ombudsman decided.
pub(super) async fn reopen(
    tx: &mut Tx,
    gateway: &Gateway,
    found: Found,
    by: &Actor,
) -> Result<String, ActFault> {
    let Some((outcome, on)) = found.case.ombudsman else {
        return Err(refused("the Ombudsman has not decided", "record the decision first"));
    };
    let event = found.case.reopen(gateway.clock.now(), &reopening_words(outcome, on))?;
    reopened(tx, gateway, found, by, event).await
}

/// Opens a case of the council for what came back and belongs to none, by mail, post or telephone. The customer is told
/// by hand: what came is the Ombudsman's, and nothing in it is an address of theirs.
pub(super) async fn open(
    tx: &mut Tx,
    gateway: &Gateway,
    by: &Actor,
    contact: i64,
    record_type: RecordType,
    service: &str,
) -> Result<String, ActFault> {
    let (row, contact) = premature(tx, contact).await?;
    let service = service_named(gateway, service)?;
    if !record_type.opens_case() {
        let why = format!("`{record_type}` is no case of its own");
        return Err(refused(why, "choose a type that opens one"));
    }
    let clock = first_clock(gateway, record_type, &contact)?;
    let reference = opened(tx, gateway, by, &contact, (record_type, &service), &clock).await?;
    let mut found = find(tx, &reference).await?;
    join(tx, gateway, &row, &mut found, by).await?;
    note_premature(tx, gateway, &row, &contact, &mut found, by).await?;
    ask_one(tx, gateway, &found, &service, clock.answer_due_on()).await?;
    tell_by_hand(tx, gateway, found.row.id, clock.answer_due_on()).await?;
    let due = clock.answer_due_on().map_or_else(String::new, |day| format!(", due by {day}"));
    Ok(format!("{reference} is open{due}"))
}

fn first_clock(
    gateway: &Gateway,
    record_type: RecordType,
    contact: &ContactRow,
) -> Result<StageClock, ActFault> {
    let policy = gateway.policy();
    let at = came_at(contact);
    let procedure = policy.procedures.of(record_type, london_day(at));
    let none = || refused(format!("a {record_type} has no procedure"), "choose another type");
    let clock = procedure.ok_or_else(none)?.clock(1, Start::at(at), &policy.calendar);
    clock.map_err(|fault| uncovered(&fault).into())
}

/// Writes the new case and how it began.
async fn opened(
    tx: &mut Tx,
    gateway: &Gateway,
    by: &Actor,
    contact: &ContactRow,
    (record_type, service): (RecordType, &ServiceId),
    clock: &StageClock,
) -> Result<CaseReference, ActFault> {
    let policy = gateway.policy();
    let at = came_at(contact);
    let year = clock.received_on.year();
    let number = cases::next_numbers(tx, year, 1).await?;
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let reference = CaseReference::new(&gateway.config.council.prefix, year, number)
        .map_err(|fault| uncovered(&fault))?;
    let new = NewCase {
        opened_by: contact.message_id.unwrap_or(-contact.id),
        record_type: record_type.id(),
        lead_service: service.as_str(),
        customer_type: CustomerType::Unknown.id(),
        themes: json(&Vec::<String>::new()),
        flags: json(&Vec::<String>::new()),
        // Whoever opened it gives it to somebody.
        owner: None,
        confidence: 1000,
        needs_officer: false,
        customer_address: None,
        customer_name: None,
        subject: None,
        clock: clocked(clock),
        rules_version: policy.rules.version(),
        received_at: at,
    };
    let ids = cases::open(tx, &[(reference.to_string(), new)]).await?;
    let received = Event::Received {
        message: contact.message_id.map(|message| message.to_string()),
        at,
        record_type,
        services: vec![service.clone()],
        customer_type: CustomerType::Unknown,
        themes: Vec::new(),
        flags: Vec::new(),
    };
    for id in ids {
        cases::record(tx, id, by, &received, gateway.clock.now()).await?;
    }
    Ok(reference)
}

/// A contact that an officer has read as premature, with its case of the Ombudsman.
async fn premature(tx: &mut Tx, number: i64) -> Result<(OmbudsmanRow, ContactRow), ActFault> {
    let contact = contact_of(tx, number).await?;
    if contact.confirmed_at.is_none() || contact.kind != "premature" {
        return Err(refused(
            format!("nobody has confirmed that contact {number} sends a premature complaint back"),
            "confirm it as premature first",
        ));
    }
    let row = kept::by_id(tx, contact.ombudsman_id).await?;
    let number = contact.ombudsman_id;
    Ok((row.ok_or(ActFault::NoSuchNumber { what: "case", number })?, contact))
}

/// What came back as premature was decided so, on the day it came, unless a decision says another; and the
/// contact is answered by being taken up.
async fn note_premature(
    tx: &mut Tx,
    gateway: &Gateway,
    row: &OmbudsmanRow,
    contact: &ContactRow,
    found: &mut Found,
    by: &Actor,
) -> Result<(), ActFault> {
    let received_on = london_day(came_at(contact));
    if decision_of(row)?.is_none() {
        let step =
            ombudsman::decide(Decided::Premature, None, Some(received_on), received_on, None)?;
        decided(tx, gateway, row, Some(&mut *found), by, step).await?;
    }
    if contact.answered_on.is_none() {
        let today = london_day(gateway.clock.now());
        let step = ombudsman::answer(contact.id, None, today, (received_on, None))?;
        super::answered(tx, gateway, Some(found), by, contact, step).await?;
    }
    Ok(())
}

/// No letter of ours says that the Ombudsman sent a matter back: a person writes it.
async fn tell_by_hand(
    tx: &mut Tx,
    gateway: &Gateway,
    case: i64,
    due: Option<Date>,
) -> Result<(), ActFault> {
    let due = due.map_or_else(String::new, |day| format!(", to be answered by {day}"));
    let words = format!("the Ombudsman sent this back: tell the customer that it is open{due}");
    let task = NewTask {
        kind: "write_by_hand",
        case_id: Some(case),
        words: words.into(),
        ..NewTask::default()
    };
    tasks::add(tx, &task, gateway.clock.now()).await?;
    Ok(())
}
