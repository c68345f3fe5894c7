//! What officers do to a case: the same acts for the terminal and the console.
//!
//! Each reads the case's history, asks `casework` whether the move is allowed, and records it, in one
//! transaction. Whoever comes second is told; nothing is overwritten.

use std::sync::Arc;

use crate::casework::case::{Actor, Case, CaseField, Event, OfficerId, Recorded, Refusal};
use crate::casework::reference::CaseReference;
use crate::casework::vocabulary::ServiceId;
use crate::gateway::Gateway;
use crate::store::cases::{self, CaseRow, Clocked};
use crate::store::holding as drafts;
use crate::store::{StoreError, Tx, assessments, messages, requests, tasks};

mod acknowledge;
mod act;
mod actions;
mod adjust;
mod answers;
mod area;
mod ask;
mod assess;
mod assign;
mod attachments;
mod clock;
mod constituent;
pub(crate) mod holding;
mod interest;
mod letters;
mod ombudsman;
mod part;
mod post;
pub mod preview;
mod stage;
mod together;

pub use act::Act;
pub use actions::ActionMove;
pub use assess::task_done;
pub use assign::{NOBODY, Rebalanced, rebalance};
pub use attachments::{attachment, attachment_bytes, sendable};
pub use clock::{Move, Sum, sum};
pub(crate) use clock::{pauses, resumed, started, suspended};
pub use letters::{Fate, allow, release};
pub use ombudsman::{Wanted, ombudsman};
pub(crate) use part::redate_requests;
pub(crate) use post::asking_letter;
pub use together::{decline, split};

use ask::{ask, ask_one, asking, write_request};

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActFault {
    /// No case has this reference.
    #[error("there is no case {0}")]
    NoSuchCase(String),
    /// It is not a reference.
    #[error("{0}")]
    NotAReference(String),
    /// The case does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No service has this id.
    #[error("no service `{got}`; services.toml has: {known}")]
    NoSuchService {
        /// What was written.
        got: String,
        /// What could be.
        known: String,
    },
    /// The service has no area of this id.
    #[error("{service} has no area `{got}`; services.toml has: {known}")]
    NoSuchArea {
        /// Which service.
        service: String,
        /// What was written.
        got: String,
        /// What could be.
        known: String,
    },
    /// No officer has this id.
    #[error("no officer `{got}`; officers.toml has: {known}")]
    NoSuchOfficer {
        /// What was written.
        got: String,
        /// What could be.
        known: String,
    },
    /// No case, contact or remedy of the Ombudsman has this number.
    #[error("there is no {what} {number} of the Ombudsman")]
    NoSuchNumber {
        /// `case`, `contact` or `remedy`.
        what: &'static str,
        /// What was written.
        number: i64,
    },
    /// Somebody else changed it in between.
    #[error("somebody changed the case meanwhile: look at it again")]
    ChangedMeanwhile,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A case with its history, as an act finds it.
struct Found {
    row: CaseRow,
    case: Case,
}

/// Does one act; on a case of this version alone, where one is named. The case is of the next version
/// then, whatever was done.
///
/// # Errors
/// [`ActFault`]; nothing is changed then.
pub async fn act(
    gateway: &Arc<Gateway>,
    reference: &str,
    officer: &str,
    expected: Option<i64>,
    act: Act,
) -> Result<String, ActFault> {
    let reference = parsed(reference)?;
    let by = Actor::Officer(OfficerId(officer.to_owned()));
    let inner = Arc::clone(gateway);
    let done = gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let found = find(tx, &reference).await?;
                let (id, version) = (found.row.id, found.row.version);
                let other = expected.is_some_and(|expected| expected != version);
                // From here on nobody else changes it: who read the same version waits, and is told.
                if other || !cases::hold(tx, id, version).await? {
                    return Err(ActFault::ChangedMeanwhile);
                }
                let meaning = act.meaning();
                let done = on_case(tx, &inner, found, &by, act).await?;
                let as_it_is = find(tx, &reference).await?;
                let first = acknowledge::after(tx, &inner, &as_it_is, meaning).await?;
                cases::count(tx, id, version).await?;
                Ok::<_, ActFault>(done + &first)
            })
        })
        .await?;
    gateway.nudges.letter.notify_one();
    Ok(done)
}

/// Does one act on a case that is held.
async fn on_case(
    tx: &mut Tx,
    gateway: &Gateway,
    found: Found,
    by: &Actor,
    act: Act,
) -> Result<String, ActFault> {
    match act {
        Act::Correct { changes, because } => {
            correct(tx, gateway, found, by, &changes, because).await
        }
        Act::Adjust { letters, format, because } => {
            adjust::adjust(tx, gateway, found, by, (letters, format), because).await
        }
        Act::Answered { service } => answered(tx, gateway, found, by, service).await,
        Act::AcceptAnswer { service } => answers::accept(tx, gateway, found, by, &service).await,
        Act::SendBack { service, note } => {
            answers::send_back(tx, gateway, found, by, (&service, &note)).await
        }
        Act::NoMoreTime { service, because } => {
            answers::no_more_time(tx, gateway, found, by, (&service, &because)).await
        }
        Act::Ask { service } => ask(tx, gateway, found, service).await,
        Act::Part { service, points, due, by_the_customers_date, responder } => {
            let said = part::Said { service, points, due, by_the_customers_date, responder };
            part::set(tx, gateway, found, by, said).await
        }
        Act::Area { service, area, because } => {
            area::set(tx, gateway, found, by, area::Said { service, area, because }).await
        }
        Act::Respond { note } => respond(tx, gateway, found, by, note).await,
        Act::Close { because } => {
            let event = found.case.close(Some(because))?;
            ended(tx, gateway, found, by, event).await
        }
        Act::Reopen { because } => {
            let now = gateway.clock.now();
            let event = found.case.reopen(now, &because)?;
            reopened(tx, gateway, found, by, event).await
        }
        Act::Merge { into, because } => {
            let into = find(tx, &parsed(&into)?).await?;
            together::merge(tx, gateway, found, into, by, &because).await
        }
        Act::Turn { wanted, because } => {
            clock::turn(tx, gateway, found, by, wanted, &because).await
        }
        Act::ApplyPolicy { in_force_on, because } => {
            clock::apply_policy(tx, gateway, found, by, in_force_on, &because).await
        }
        Act::Advocacy { step, on, advocate } => {
            assess::advocacy(tx, gateway, found, by, step, on, advocate).await
        }
        Act::LinkToComplaint { complaint } => {
            let complaint = find(tx, &parsed(&complaint)?).await?;
            together::link(tx, gateway, found, complaint, by).await
        }
        Act::Action { wanted } => actions::act(tx, gateway, found, by, wanted).await,
        Act::HoldingLetter { until, why } => {
            holding::write(tx, gateway, found, by, until, why).await
        }
        Act::ForConstituent { record_type, because } => {
            constituent::take(tx, gateway, found, by, record_type, &because).await
        }
        Act::Constituent { agrees, how, on } => {
            constituent::said(tx, gateway, found, by, (agrees, how, on)).await
        }
        Act::NextStage { received, because } => {
            stage::next(tx, gateway, found, by, received, because).await
        }
        Act::Confirm => assess::confirm(tx, gateway, found, by).await,
        Act::AskCustomer { needed, say } => {
            assess::ask_customer(tx, gateway, found, by, needed, say).await
        }
        Act::Dismiss { gate, because } => {
            assess::dismiss(tx, gateway, found, by, gate, because).await
        }
        Act::SufficientInterest { decision, because, child_view, say } => {
            let decided = interest::Decided { decision, because, child_view, say };
            interest::decide(tx, gateway, found, by, decided).await
        }
        Act::Acknowledged { on } => stage::acknowledged(tx, gateway, found, by, on).await,
        Act::Statement { agreed } => stage::statement(tx, gateway, found, by, agreed).await,
        Act::Withdraw { because } => stage::withdraw(tx, gateway, found, by, because).await,
        Act::Reject { reason, because, say } => {
            stage::reject(tx, gateway, found, by, reason, &because, say).await
        }
        Act::Outcome { issue, outcome } => {
            stage::outcome(tx, gateway, found, by, issue, outcome).await
        }
        Act::Assign { to, because } => assign::assign(tx, gateway, found, by, &to, because).await,
        Act::Link { number } => ombudsman::link(tx, gateway, found, by, number).await,
        Act::Ombudsman { wanted } => ombudsman::on_case(tx, gateway, found, by, wanted).await,
        Act::Separate { because } => together::separate(tx, gateway, found, by, &because).await,
    }
}

fn parsed(reference: &str) -> Result<CaseReference, ActFault> {
    reference.parse().map_err(|fault: crate::casework::reference::NotAReference| {
        ActFault::NotAReference(fault.to_string())
    })
}

async fn find(tx: &mut Tx, reference: &CaseReference) -> Result<Found, ActFault> {
    let text = reference.to_string();
    let row = cases::by_reference(tx, &text).await?;
    let row = row.ok_or_else(|| ActFault::NoSuchCase(text.clone()))?;
    let events = cases::events(tx, row.id).await?;
    let case = Case::replay(reference.clone(), &events)
        .map_err(|fault| StoreError::unsuitable("read a case's history", fault.to_string()))?;
    Ok(Found { row, case })
}

/// Records an event and writes what the case has become.
async fn record(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &mut Found,
    by: &Actor,
    event: Event,
) -> Result<(), ActFault> {
    let now = gateway.clock.now();
    cases::record_act(tx, (found.row.id, found.row.version), by, &event, now).await?;
    found.case.apply(&Recorded { at: now, by: by.clone(), event });
    Ok(())
}

async fn save(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    clock: Option<&Clocked>,
) -> Result<(), ActFault> {
    let now = gateway.clock.now();
    if cases::change(tx, &found.row, &found.case, clock, now).await? {
        Ok(())
    } else {
        Err(ActFault::ChangedMeanwhile)
    }
}

async fn correct(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    changes: &[(CaseField, String)],
    because: String,
) -> Result<String, ActFault> {
    constituent::not_silently(&found, changes)?;
    let asked = found.case.asks_for_interest();
    for (field, value) in changes {
        if *field == CaseField::Services {
            // Whoever is named would have to be asked, and there is no day to ask for.
            if found.row.agreed_due_on.is_none() && found.row.target_on.is_some() {
                let because = "the clock stands still, and nobody can be asked".to_owned();
                let instead = "let it go on first".to_owned();
                return Err(Refusal { because, instead }.into());
            }
            for service in value.split(',') {
                service_named(gateway, service.trim())?;
            }
        }
        let event = found.case.correct(*field, value, Some(because.clone()))?;
        record(tx, gateway, &mut found, by, event).await?;
    }
    // Correcting a type moves no clock: the dates of its stage are worked out again from where it started.
    let policy = gateway.policy();
    let retyped = changes.iter().any(|(field, _)| *field == CaseField::RecordType);
    let clock = if retyped { Some(clock::started(&policy, &found.case)?) } else { None };
    save(tx, gateway, &found, clock.as_ref()).await?;
    tasks::finish_of_case(tx, found.row.id, &["check"], gateway.clock.now()).await?;
    interest::ask(tx, gateway, &found, asked).await?;
    if changes.iter().any(|(field, _)| *field == CaseField::Services) {
        tasks::finish_of_case(tx, found.row.id, &["not_ours"], gateway.clock.now()).await?;
    }
    let due = clock.and_then(|clock| clock.agreed_due_on);
    if let Some(due_on) = due {
        part::redate(tx, gateway, &found, due_on).await?;
    }
    if changes.iter().any(|(field, _)| *field == CaseField::Services) {
        let now = gateway.clock.now();
        requests::cancel_others(tx, found.row.id, &found.case.services, now).await?;
        // Who was asked already is not asked anew, whether they have answered or not.
        let asked = requests::services_of(tx, found.row.id).await?;
        for service in found.case.services.clone() {
            if !asked.iter().any(|one| one == service.as_str()) {
                ask_one(tx, gateway, &found, &service, due).await?;
            }
        }
    }
    Ok(match due {
        Some(day) => format!("corrected; the answer is due by {day}"),
        None => "corrected".to_owned(),
    })
}

fn service_named(gateway: &Gateway, id: &str) -> Result<ServiceId, ActFault> {
    let policy = gateway.policy();
    let services = policy.rules.services();
    let service = ServiceId(id.to_owned());
    if services.get(&service).is_some() {
        return Ok(service);
    }
    let known: Vec<&str> = services.all().iter().map(|service| service.id.as_str()).collect();
    Err(ActFault::NoSuchService { got: id.to_owned(), known: known.join(", ") })
}

/// The kinds of task that a service's reply leaves while it has not answered.
const REPLIES: [&str; 5] = ["not_ours", "more_time", "away", "progress", "asked_back"];

async fn answered(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    service: String,
) -> Result<String, ActFault> {
    let service = service_named(gateway, &service)?;
    let request = requests::open_of(tx, found.row.id, service.as_str()).await?;
    let Some(request) = request else {
        return Ok(format!("{service} has nothing open on this case"));
    };
    requests::answered(tx, request.id, None, gateway.clock.now()).await?;
    let event = Event::ServiceAnswered { service: service.clone(), message: None, by: None };
    record(tx, gateway, &mut found, by, event).await?;
    let ended = REPLIES.iter().copied().filter(|kind| *kind != "more_time").collect::<Vec<_>>();
    tasks::finish_of_case(tx, found.row.id, &ended, gateway.clock.now()).await?;
    // Another service may still wait to hear whether it gets more time.
    answers::time_decided(tx, gateway, &found).await?;
    Ok(format!("{service} has answered; its reminders stop"))
}

async fn respond(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    note: String,
) -> Result<String, ActFault> {
    let event = found.case.respond(None)?;
    record(tx, gateway, &mut found, by, event).await?;
    record(tx, gateway, &mut found, by, Event::Note { text: note.into() }).await?;
    save(tx, gateway, &found, None).await?;
    requests::cancel_all(tx, found.row.id, gateway.clock.now()).await?;
    // Whoever writes to the customer has read what the services answered.
    answers::with_the_case(tx, gateway, found.row.id, ("confirmed", by)).await?;
    let now = gateway.clock.now();
    assessments::end(tx, found.row.id, now).await?;
    drafts::drop_drafts(tx, found.row.id, "the customer is answered").await?;
    let ended = ["check", "answer_in", holding::TASK, answers::READY, interest::DECIDE];
    tasks::finish_of_case(tx, found.row.id, &ended, now).await?;
    tasks::finish_of_case(tx, found.row.id, &REPLIES, now).await?;
    together::copies(tx, gateway, &found).await?;
    constituent::copy(tx, gateway, &found).await?;
    let left = stage::undecided(&found);
    Ok(format!(
        "{} is answered; nobody is chased for it any more{left}{}",
        found.row.reference,
        actions::owed(&found)
    ))
}

async fn ended(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    event: Event,
) -> Result<String, ActFault> {
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    over(tx, gateway, &found).await?;
    let status = found.case.status.label().to_lowercase();
    Ok(format!("{} is {status}{}", found.row.reference, actions::owed(&found)))
}

/// The kinds of task that outlast a case: what a child at risk asks for, what the Ombudsman wrote, whom a person tells,
/// and what was agreed because of it.
const OUTLAST: [&str; 5] = [
    "safeguarding",
    "ombudsman",
    "tell_child",
    crate::store::actions::TASK,
    crate::store::actions::REPLY,
];

/// What ends with a case: nobody is chased or waited for, and nothing is left to do on it but what outlasts it.
async fn over(tx: &mut Tx, gateway: &Gateway, found: &Found) -> Result<(), ActFault> {
    let now = gateway.clock.now();
    requests::cancel_all(tx, found.row.id, now).await?;
    answers::with_the_case(tx, gateway, found.row.id, ("set_aside", &Actor::Gateway)).await?;
    assessments::end(tx, found.row.id, now).await?;
    drafts::drop_drafts(tx, found.row.id, "the case is over").await?;
    let ends = tasks::of_case(tx, found.row.id).await?;
    let ends: Vec<&str> =
        ends.iter().map(String::as_str).filter(|kind| !OUTLAST.contains(kind)).collect();
    if !ends.is_empty() {
        tasks::finish_of_case(tx, found.row.id, &ends, now).await?;
    }
    Ok(())
}

async fn reopened(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    event: Event,
) -> Result<String, ActFault> {
    together::unlink(tx, gateway, &found, by).await?;
    let was_asked = found.case.interest.is_none();
    record(tx, gateway, &mut found, by, event).await?;
    // A refusal is looked at anew.
    interest::ask(tx, gateway, &found, was_asked).await?;
    let clock = clock::started(&gateway.policy(), &found.case)?;
    save(tx, gateway, &found, Some(&clock)).await?;
    assign::renewed(tx, gateway, &mut found).await?;
    // Whoever worked on it before is asked by the new date.
    let asked = requests::ever_asked(tx, found.row.id).await?;
    for service in found.case.services.clone() {
        if asked.iter().any(|one| one == service.as_str()) {
            ask_one(tx, gateway, &found, &service, clock.agreed_due_on).await?;
        }
    }
    Ok(match clock.agreed_due_on {
        Some(day) => format!("{} is open again, due by {day}", found.row.reference),
        None => format!("{} is open again", found.row.reference),
    })
}

/// Takes a message out of quarantine, to be read again. False when it is not there.
///
/// # Errors
/// When the database refuses.
pub async fn retry(gateway: &Arc<Gateway>, message: i64) -> Result<bool, StoreError> {
    let now = gateway.clock.now();
    let released = gateway
        .db
        .write(move |tx| Box::pin(async move { messages::release(tx, message, now).await }))
        .await?;
    gateway.nudges.stored.notify_one();
    Ok(released)
}
