//! What officers record of the Ombudsman: what came, what it asks and by when, what was answered, decided
//! and agreed. The Ombudsman's case is linked to one of the council's, or to none yet; what happens to it
//! stands in its own history, and in that of the linked case.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::stage::{refused, uncovered};
use super::{ActFault, Found, record};
use crate::casework::case::{Actor, Event, OfficerId};
use crate::casework::ombudsman::{
    self, ClosedBecause, ContactKind, Decided, OmbudsmanStep, references,
};
use crate::casework::vocabulary::RecordType;
use crate::clock::{london, london_day};
use crate::gateway::Gateway;
use crate::intake::{Came, Reading, notice};
use crate::store::ombudsman::{self as kept, ContactRow, NewContact, OmbudsmanRow, RemedyRow};
use crate::store::{StoreError, Tx, messages, tasks};

mod resume;

/// What is recorded of the Ombudsman, or done because of it.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = OmbudsmanAct)]
pub enum Wanted {
    /// The Ombudsman wrote by post, rang, or used another way than the mailbox.
    Contact {
        /// The Ombudsman's case, by its number; that with `theirs`, or a new one, where none is named.
        number: Option<i64>,
        /// The Ombudsman's reference: `23 001 234`.
        theirs: Option<String>,
        /// What it is.
        kind: ContactKind,
        /// The day it came; today, where none is named.
        #[schema(value_type = Option<String>, format = Date)]
        received: Option<Date>,
        /// The day that it gives; none where it gives none. Never compute one.
        #[schema(value_type = Option<String>, format = Date)]
        by: Option<Date>,
        /// What is asked.
        asks: Option<String>,
    },
    /// An officer read a contact: what it is, and the date that it gives.
    Confirm {
        /// Which.
        contact: i64,
        /// What it is.
        kind: ContactKind,
        /// The day that it gives; none where it gives none. Never compute one.
        #[schema(value_type = Option<String>, format = Date)]
        by: Option<Date>,
        /// What is asked.
        asks: Option<String>,
    },
    /// The council answered a contact.
    Answered {
        /// Which.
        contact: i64,
        /// When; today, where none is named.
        #[schema(value_type = Option<String>, format = Date)]
        on: Option<Date>,
    },
    /// The Ombudsman decided.
    Decision {
        /// The Ombudsman's case, by its number.
        number: i64,
        /// What.
        outcome: Decided,
        /// Why it was closed, where it was.
        closed: Option<ClosedBecause>,
        /// The day of the decision; today, where none is named.
        #[schema(value_type = Option<String>, format = Date)]
        on: Option<Date>,
    },
    /// Something was agreed that puts things right.
    Remedy {
        /// The Ombudsman's case, by its number.
        number: i64,
        /// What.
        what: String,
        /// By when, as the decision says.
        #[schema(value_type = Option<String>, format = Date)]
        by: Option<Date>,
    },
    /// A remedy is done.
    RemedyDone {
        /// Which.
        remedy: i64,
        /// When; today, where none is named.
        #[schema(value_type = Option<String>, format = Date)]
        on: Option<Date>,
        /// What shows it.
        evidence: String,
    },
    /// The council takes up what came back as premature: the linked case at its first stage not done.
    Resume {
        /// The contact with which it came back.
        contact: i64,
    },
    /// The council opens a case for what came back as premature and belongs to none.
    Open {
        /// The contact with which it came; a message of the mailbox.
        contact: i64,
        /// What it is registered as.
        record_type: RecordType,
        /// The service that answers.
        service: String,
    },
    /// The linked case is taken up again because of the Ombudsman's decision.
    Reopen {
        /// The Ombudsman's case, by its number.
        number: i64,
    },
}

/// Does what is wanted where no case of the council is named; on the linked case, where there is one.
///
/// # Errors
/// [`ActFault`]; nothing is changed then.
pub async fn ombudsman(
    gateway: &Arc<Gateway>,
    officer: &str,
    wanted: Wanted,
) -> Result<String, ActFault> {
    let by = Actor::Officer(OfficerId(officer.to_owned()));
    let (inner, asked) = (Arc::clone(gateway), wanted.clone());
    let done = gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let row = subject(tx, &asked).await?;
                if let Some(reference) = row.as_ref().and_then(|row| row.reference.clone()) {
                    return Ok(Err(reference));
                }
                let done = if let Wanted::Open { contact, record_type, service } = asked {
                    resume::open(tx, &inner, &by, contact, record_type, &service).await
                } else {
                    step(tx, &inner, row, None, &by, asked).await
                };
                Ok::<_, ActFault>(Ok(done?))
            })
        })
        .await?;
    gateway.nudges.letter.notify_one();
    match done {
        Ok(done) => Ok(done),
        // It belongs to a case, which is held while it is acted on.
        Err(reference) => {
            super::act(gateway, &reference, officer, None, super::Act::Ombudsman { wanted }).await
        }
    }
}

/// Does what is wanted on a case of the council.
pub(super) async fn on_case(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    wanted: Wanted,
) -> Result<String, ActFault> {
    let row = subject(tx, &wanted).await?;
    if let Some(row) = &row
        && row.case_id != Some(found.row.id)
    {
        let (number, ours) = (row.id, &found.row.reference);
        return Err(match &row.reference {
            Some(other) => refused(
                format!("case {number} of the Ombudsman is about {other}"),
                format!("act on {other}"),
            ),
            None => refused(
                format!("case {number} of the Ombudsman is linked to no case"),
                format!("link it to {ours} first"),
            ),
        });
    }
    match wanted {
        Wanted::Resume { contact } => resume::resume(tx, gateway, found, by, contact).await,
        Wanted::Reopen { .. } => resume::reopen(tx, gateway, found, by).await,
        Wanted::Open { .. } => {
            let ours = &found.row.reference;
            Err(refused(format!("it belongs to {ours} already"), "resume that case"))
        }
        asked @ (Wanted::Contact { .. }
        | Wanted::Confirm { .. }
        | Wanted::Answered { .. }
        | Wanted::Decision { .. }
        | Wanted::Remedy { .. }
        | Wanted::RemedyDone { .. }) => {
            let row = match (&asked, row) {
                (Wanted::Contact { theirs, .. }, None) => {
                    only_one(tx, &found, theirs.as_deref()).await?
                }
                (_, row) => row,
            };
            step(tx, gateway, row, Some(&mut found), by, asked).await
        }
    }
}

/// The one case of the Ombudsman about a case, for a contact that names none, or a reference that the one
/// has not yet.
async fn only_one(
    tx: &mut Tx,
    found: &Found,
    theirs: Option<&str>,
) -> Result<Option<OmbudsmanRow>, ActFault> {
    let mut all = kept::of_case(tx, found.row.id).await?;
    let fits = all.len() == 1 && all.iter().all(|one| theirs.is_none() || one.theirs.is_none());
    Ok(if fits { all.pop() } else { None })
}

/// Says that a case of the Ombudsman is about a case of the council. What happened to it before becomes
/// part of that case's history.
pub(super) async fn link(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    number: i64,
) -> Result<String, ActFault> {
    let row = kept::hold(tx, number).await?;
    let row = row.ok_or(ActFault::NoSuchNumber { what: "case", number })?;
    if let Some(other) = &row.reference {
        let why = format!("case {number} of the Ombudsman is about {other}");
        return Err(refused(why, "act on it as it is"));
    }
    join(tx, gateway, &row, &mut found, by).await?;
    Ok(format!("case {number} of the Ombudsman is about {}", found.row.reference))
}

/// Links the two, with everything that happened until now.
async fn join(
    tx: &mut Tx,
    gateway: &Gateway,
    row: &OmbudsmanRow,
    found: &mut Found,
    by: &Actor,
) -> Result<(), ActFault> {
    if !kept::link(tx, row.id, found.row.id).await? {
        return Err(ActFault::ChangedMeanwhile);
    }
    let before = kept::history(tx, row.id).await?;
    let linked = OmbudsmanStep::Linked { theirs: row.theirs.clone() };
    tell(tx, gateway, row.id, Some(found), by, linked).await?;
    for one in before {
        let event = Event::Ombudsman { number: row.id, step: one.step, earlier: Some(one.at) };
        record(tx, gateway, found, by, event).await?;
    }
    for contact in kept::contacts(tx, row.id).await? {
        if let Some(message) = contact.message_id {
            messages::put_with(tx, message, found.row.id).await?;
        }
    }
    Ok(())
}

/// The Ombudsman's case that something is wanted of; none where a contact opens one.
async fn subject(tx: &mut Tx, wanted: &Wanted) -> Result<Option<OmbudsmanRow>, ActFault> {
    let number = match wanted {
        Wanted::Contact { number: None, theirs, .. } => {
            let theirs = theirs.as_deref().map(their_reference).transpose()?;
            return Ok(match theirs {
                Some(theirs) => kept::by_reference(tx, &theirs).await?,
                None => None,
            });
        }
        Wanted::Contact { number: Some(number), .. }
        | Wanted::Decision { number, .. }
        | Wanted::Remedy { number, .. }
        | Wanted::Reopen { number } => *number,
        Wanted::Confirm { contact, .. }
        | Wanted::Answered { contact, .. }
        | Wanted::Resume { contact }
        | Wanted::Open { contact, .. } => contact_of(tx, *contact).await?.ombudsman_id,
        Wanted::RemedyDone { remedy, .. } => remedy_of(tx, *remedy).await?.ombudsman_id,
    };
    let row = kept::hold(tx, number).await?;
    Ok(Some(row.ok_or(ActFault::NoSuchNumber { what: "case", number })?))
}

async fn contact_of(tx: &mut Tx, number: i64) -> Result<ContactRow, ActFault> {
    let row = kept::contact(tx, number).await?;
    row.ok_or(ActFault::NoSuchNumber { what: "contact", number })
}

async fn remedy_of(tx: &mut Tx, number: i64) -> Result<RemedyRow, ActFault> {
    let row = kept::remedy(tx, number).await?;
    row.ok_or(ActFault::NoSuchNumber { what: "remedy", number })
}

/// The Ombudsman's reference in the one spelling that is kept.
fn their_reference(text: &str) -> Result<String, ActFault> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let spaced = match (digits.get(..2), digits.get(2..5), digits.get(5..)) {
        (Some(a), Some(b), Some(c)) => format!("{a} {b} {c}"),
        _ => String::new(),
    };
    let rest = text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || c == '-');
    references(&spaced).pop().filter(|_| rest).ok_or_else(|| {
        refused(format!("`{text}` is no reference of theirs"), "write it as 23 001 234")
    })
}

fn day(text: &str) -> Result<Date, ActFault> {
    text.parse().map_err(|_| {
        StoreError::unsuitable("read a date of the Ombudsman", "the row cannot be read".to_owned())
            .into()
    })
}

fn day_or_none(text: Option<&str>) -> Result<Option<Date>, ActFault> {
    text.map(day).transpose()
}

/// What was decided of a case of the Ombudsman.
fn decision_of(
    row: &OmbudsmanRow,
) -> Result<Option<(Decided, Option<ClosedBecause>, Date)>, ActFault> {
    let outcome = row.outcome.as_deref().and_then(|text| text.parse::<Decided>().ok());
    let closed = row.closed_because.as_deref().and_then(|text| text.parse().ok());
    let on = day_or_none(row.decided_on.as_deref())?;
    Ok(outcome.zip(on).map(|(outcome, on)| (outcome, closed, on)))
}

/// Records a step in the history of the Ombudsman's case, and of the council's where it is linked.
async fn tell(
    tx: &mut Tx,
    gateway: &Gateway,
    number: i64,
    found: Option<&mut Found>,
    by: &Actor,
    step: OmbudsmanStep,
) -> Result<(), ActFault> {
    kept::record(tx, number, by, &step, gateway.clock.now()).await?;
    if let Some(found) = found {
        let event = Event::Ombudsman { number, step, earlier: None };
        record(tx, gateway, found, by, event).await?;
    }
    Ok(())
}

/// The steps that move no clock of the council.
async fn step(
    tx: &mut Tx,
    gateway: &Gateway,
    row: Option<OmbudsmanRow>,
    found: Option<&mut Found>,
    by: &Actor,
    wanted: Wanted,
) -> Result<String, ActFault> {
    let today = london_day(gateway.clock.now());
    match (wanted, row) {
        (Wanted::Contact { theirs, kind, received, by: due, asks, .. }, row) => {
            let theirs = theirs.as_deref().map(their_reference).transpose()?;
            let came = ombudsman::past_day(received, today, None)?;
            contacted(tx, gateway, row, found, by, (theirs, kind, came, due, asks)).await
        }
        (Wanted::Confirm { contact, kind, by: due, asks }, _) => {
            confirmed(tx, gateway, found, by, (contact, kind, due, asks)).await
        }
        (Wanted::Answered { contact, on }, _) => {
            let row = contact_of(tx, contact).await?;
            let stands = (day(&row.received_on)?, day_or_none(row.answered_on.as_deref())?);
            let step = ombudsman::answer(contact, on, today, stands)?;
            answered(tx, gateway, found, by, &row, step).await
        }
        (Wanted::Decision { outcome, closed, on, .. }, Some(row)) => {
            let step = ombudsman::decide(outcome, closed, on, today, decision_of(&row)?)?;
            decided(tx, gateway, &row, found, by, step).await
        }
        (Wanted::Remedy { what, by: due, .. }, Some(row)) => {
            let decision = decision_of(&row)?.map(|(outcome, _, on)| (outcome, on));
            ombudsman::may_agree(decision, &what, due)?;
            let remedy = kept::add_remedy(tx, row.id, what.trim(), due).await?;
            let what = what.trim().to_owned().into();
            let step = OmbudsmanStep::RemedyAgreed { remedy, what, due_on: due };
            tell(tx, gateway, row.id, found, by, step).await?;
            Ok(format!("remedy {remedy} is agreed{}", by_when(due)))
        }
        (Wanted::RemedyDone { remedy, on, evidence }, Some(row)) => {
            let before = remedy_of(tx, remedy).await?;
            let decided_on = day_or_none(row.decided_on.as_deref())?;
            let stands = (decided_on, day_or_none(before.done_on.as_deref())?);
            let step = ombudsman::remedy_done(remedy, on, &evidence, today, stands)?;
            if let OmbudsmanStep::RemedyDone { on, evidence, .. } = &step {
                kept::remedy_done(tx, remedy, *on, evidence).await?;
            }
            tell(tx, gateway, row.id, found, by, step).await?;
            Ok(format!("remedy {remedy} is done; its reminders stop"))
        }
        (Wanted::Resume { contact }, _) => Err(refused(
            format!("contact {contact} belongs to no case of the council"),
            "link it to one, or open one for it",
        )),
        (Wanted::Reopen { number }, _) => Err(refused(
            format!("case {number} of the Ombudsman is linked to no case"),
            "link it to one first",
        )),
        // Every other step names a case of the Ombudsman, which was found.
        (
            Wanted::Open { .. }
            | Wanted::Decision { .. }
            | Wanted::Remedy { .. }
            | Wanted::RemedyDone { .. },
            _,
        ) => Err(ActFault::ChangedMeanwhile),
    }
}

fn by_when(due: Option<Date>) -> String {
    due.map_or_else(|| ", without a date".to_owned(), |day| format!(", due by {day}"))
}

type Told = (Option<String>, ContactKind, Date, Option<Date>, Option<String>);

/// Records what came by another way than the mailbox; an officer has read it.
async fn contacted(
    tx: &mut Tx,
    gateway: &Gateway,
    row: Option<OmbudsmanRow>,
    mut found: Option<&mut Found>,
    by: &Actor,
    (theirs, kind, received_on, due, asks): Told,
) -> Result<String, ActFault> {
    let now = gateway.clock.now();
    let number = if let Some(row) = row {
        named(tx, &row, theirs.as_deref()).await?;
        row.id
    } else {
        let case = found.as_ref().map(|found| found.row.id);
        let number = kept::open(tx, theirs.as_deref(), case, now).await?;
        if case.is_some() {
            let step = OmbudsmanStep::Linked { theirs };
            tell(tx, gateway, number, found.as_deref_mut(), by, step).await?;
        }
        number
    };
    // Of a day alone the hour is not known; of today, that it has passed.
    let noon = received_on.at(12, 0, 0, 0).to_zoned(london());
    let received_at = noon.map_err(|fault| uncovered(&fault))?.timestamp().min(now);
    let new = NewContact {
        ombudsman: number,
        message: None,
        kind,
        received_at,
        received_on,
        suggested_on: None,
    };
    let contact = kept::add_contact(tx, &new).await?.ok_or(ActFault::ChangedMeanwhile)?;
    let step = OmbudsmanStep::Contacted { contact, about: kind, received_on, message: None };
    tell(tx, gateway, number, found.as_deref_mut(), by, step).await?;
    let ours = found.as_ref().map(|found| found.row.reference.clone());
    confirmed(tx, gateway, found, by, (contact, kind, due, asks)).await?;
    if let Some(row) = kept::by_id(tx, number).await? {
        let ours = ours.as_deref();
        let came = Came { row: &row, ours, contact, new: &new, reading: Reading::Read(due) };
        let letter = notice(gateway, &gateway.policy(), &came, now);
        gateway.sender.post(tx, letter.as_slice(), now).await?;
    }
    Ok(format!("contact {contact} on case {number} of the Ombudsman is recorded{}", by_when(due)))
}

/// Gives a case of the Ombudsman their reference, where it has none.
async fn named(tx: &mut Tx, row: &OmbudsmanRow, theirs: Option<&str>) -> Result<(), ActFault> {
    let Some(theirs) = theirs else { return Ok(()) };
    match &row.theirs {
        Some(before) if before != theirs => Err(refused(
            format!("case {} of the Ombudsman has their reference {before}", row.id),
            "leave the reference out, or record the contact without a number",
        )),
        Some(_) => Ok(()),
        None => {
            if let Some(other) = kept::by_reference(tx, theirs).await? {
                let why =
                    format!("case {} of the Ombudsman has their reference {theirs}", other.id);
                return Err(refused(why, "record the contact there"));
            }
            Ok(kept::name(tx, row.id, theirs).await?)
        }
    }
}

async fn confirmed(
    tx: &mut Tx,
    gateway: &Gateway,
    found: Option<&mut Found>,
    by: &Actor,
    (contact, kind, due, asks): (i64, ContactKind, Option<Date>, Option<String>),
) -> Result<String, ActFault> {
    let now = gateway.clock.now();
    let row = contact_of(tx, contact).await?;
    let stands = (day(&row.received_on)?, day_or_none(row.answered_on.as_deref())?);
    let step = ombudsman::confirm(contact, kind, due, asks, stands)?;
    if let OmbudsmanStep::Confirmed { asks, .. } = &step {
        let asks = asks.as_ref().map(|asks| asks.as_str());
        kept::confirm(tx, contact, kind, due, asks, now).await?;
    }
    tell(tx, gateway, row.ombudsman_id, found, by, step.clone()).await?;
    if let Some(message) = row.message_id {
        tasks::finish_of_message(tx, message, "ombudsman", now).await?;
    }
    Ok(format!("contact {contact} is confirmed as {kind}{}", by_when(due)))
}

async fn answered(
    tx: &mut Tx,
    gateway: &Gateway,
    found: Option<&mut Found>,
    by: &Actor,
    row: &ContactRow,
    step: OmbudsmanStep,
) -> Result<String, ActFault> {
    let OmbudsmanStep::Answered { on, .. } = step else { return Err(ActFault::ChangedMeanwhile) };
    kept::answered(tx, row.id, on).await?;
    tell(tx, gateway, row.ombudsman_id, found, by, step).await?;
    if let Some(message) = row.message_id {
        tasks::finish_of_message(tx, message, "ombudsman", gateway.clock.now()).await?;
    }
    Ok(format!("contact {} was answered on {on}; its reminders stop", row.id))
}

/// Records a decision. What announced it asks for nothing any more.
async fn decided(
    tx: &mut Tx,
    gateway: &Gateway,
    row: &OmbudsmanRow,
    mut found: Option<&mut Found>,
    by: &Actor,
    step: OmbudsmanStep,
) -> Result<String, ActFault> {
    let OmbudsmanStep::Decided { outcome, closed, on } = step else {
        return Err(ActFault::ChangedMeanwhile);
    };
    kept::decide(tx, row.id, outcome, closed, on).await?;
    tell(tx, gateway, row.id, found.as_deref_mut(), by, step).await?;
    let announced = [ContactKind::Decision.id(), ContactKind::Provisional.id()];
    for contact in kept::contacts(tx, row.id).await? {
        let open = contact.answered_on.is_none() && contact.confirmed_at.is_some();
        if open && announced.contains(&contact.kind.as_str()) {
            let received = day(&contact.received_on)?;
            let step = OmbudsmanStep::Answered { contact: contact.id, on: on.max(received) };
            answered(tx, gateway, found.as_deref_mut(), by, &contact, step).await?;
        }
    }
    let label = outcome.label().to_lowercase();
    Ok(format!("case {} of the Ombudsman is decided on {on}: {label}", row.id))
}

/// When a contact came.
fn came_at(row: &ContactRow) -> Timestamp {
    crate::store::moment(row.received_at)
}
