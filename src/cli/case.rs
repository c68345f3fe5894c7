//! `postern case …`: the register from a terminal.

mod act;
mod action;
mod answers;
mod attachment;
mod clock;
mod show;
mod why;
mod workload;

use std::path::Path;
use std::sync::Arc;

use super::arguments::{Case as Asked, CaseCommand};
use super::{Failure, Out};
use crate::casework::case::Recorded;
use crate::casework::reference::CaseReference;
use crate::casework::working::short_words;
use crate::clock::{Clock, london_day};
use crate::gateway::Gateway;
use crate::officer::{self, Act, ActFault};
use crate::register::{self, Brief, Waiting, Whole};
use crate::store::cases::{self, CaseRow};
use crate::store::moment;

pub(super) async fn run(command: CaseCommand, file: &Path, out: &mut Out) -> Result<(), Failure> {
    let CaseCommand { if_version, asked } = command;
    if if_version.is_some() && !matches!(asked, Asked::Act(_) | Asked::Action(_)) {
        let words = "--if-version goes with what is done to one case, as `postern case close`";
        return Err(Failure::Usage(words.to_owned()));
    }
    let (config, _) = super::configured(file)?;
    let gateway = super::serve::open(config, Clock::System).await?;
    let done = dispatch(&gateway, asked, if_version, out).await;
    gateway.db.close().await;
    out.flush()?;
    done
}

async fn dispatch(
    gateway: &Arc<Gateway>,
    asked: Asked,
    if_version: Option<i64>,
    out: &mut Out,
) -> Result<(), Failure> {
    match asked {
        Asked::List { waiting: true, json, .. } => waiting(gateway, json, out).await,
        Asked::List { overdue, all, paused, owner, json, .. } => {
            list(gateway, Listed { overdue, all, paused, owner }, json, out).await
        }
        Asked::Workload { json } => workload::show(gateway, json, out).await,
        Asked::Rebalance { from, because, dry_run, json } => {
            let asked = workload::Asked { from, because, dry_run, json };
            workload::rebalance(gateway, asked, out).await
        }
        Asked::Done { task } => task_done(gateway, task, out).await,
        Asked::Show { reference, json } => show(gateway, &reference, json, out).await,
        Asked::AnswerDraft { reference, json } => {
            answers::show(gateway, &reference, json, out).await
        }
        Asked::Why { reference, json } => why::show(gateway, &reference, json, out).await,
        Asked::Clock { reference, json } => clock::show(gateway, &reference, json, out).await,
        Asked::Retry { message } => retry(gateway, message, out).await,
        Asked::Split { message } => split(gateway, message, out).await,
        Asked::Decline { suggestion } => decline(gateway, suggestion, out).await,
        Asked::Attachment { attachment, save, even_infected } => {
            attachment::save(gateway, &attachment, &save, even_infected, out).await
        }
        Asked::Actions { overdue, owner, service, all, json } => {
            let which = action::Listed { overdue, owner, service, all };
            action::list(gateway, which, json, out).await
        }
        Asked::Action(asked) => done(gateway, action::of(asked), if_version, out).await,
        Asked::Act(asked) => done(gateway, act::of(asked)?, if_version, out).await,
    }
}

/// Does an act, as whoever is at the terminal; on a case of one version alone, where that is asked.
async fn done(
    gateway: &Arc<Gateway>,
    (reference, act): (String, Act),
    if_version: Option<i64>,
    out: &mut Out,
) -> Result<(), Failure> {
    match (officer::act(gateway, &reference, &whoever(), if_version, act).await, if_version) {
        (Err(ActFault::ChangedMeanwhile), Some(version)) => {
            changed_since(gateway, &reference, version, out).await
        }
        (done, _) => done_or_said(done, out),
    }
}

/// Says what officers did to a case since it was of a version.
async fn changed_since(
    gateway: &Gateway,
    reference: &str,
    version: i64,
    out: &mut Out,
) -> Result<(), Failure> {
    let parsed: Option<CaseReference> = reference.parse().ok();
    let changed = match &parsed {
        Some(parsed) => register::changed_since(&gateway.db, parsed, version).await?,
        None => None,
    };
    let (Some(parsed), Some((now, events))) = (parsed, changed) else {
        return Err(said(ActFault::ChangedMeanwhile, out));
    };
    out.note(&format!("postern: {parsed} is of version {now}, not {version}: nothing was done"));
    for event in events.iter().filter(|_| version < now) {
        out.note(&format!("  {}", show::told(event)));
    }
    out.note(&format!("look at it again: `postern case show {parsed}`"));
    Err(Failure::Said)
}

/// What was done, or why it was not.
pub(super) fn done_or_said(done: Result<String, ActFault>, out: &mut Out) -> Result<(), Failure> {
    match done {
        Ok(words) => Ok(out.line(&words)?),
        Err(fault) => Err(said(fault, out)),
    }
}

/// Why something was not done, said.
fn said(fault: ActFault, out: &mut Out) -> Failure {
    match fault {
        ActFault::Store(fault) => fault.into(),
        ActFault::NotAReference(words) => Failure::Usage(words),
        fault @ (ActFault::NoSuchCase(_)
        | ActFault::Refused(_)
        | ActFault::NoSuchService { .. }
        | ActFault::NoSuchArea { .. }
        | ActFault::NoSuchOfficer { .. }
        | ActFault::NoSuchNumber { .. }
        | ActFault::ChangedMeanwhile) => {
            out.note(&format!("postern: {fault}"));
            Failure::Said
        }
    }
}

/// Who acts, as far as the terminal knows.
pub(super) fn whoever() -> String {
    std::env::var("USER").unwrap_or_else(|_| "terminal".to_owned())
}

async fn split(gateway: &Arc<Gateway>, message: i64, out: &mut Out) -> Result<(), Failure> {
    if officer::split(gateway, message, &whoever()).await? {
        return Ok(out.line(&format!("message {message} becomes a case of its own"))?);
    }
    out.note(&format!(
        "postern: message {message} has opened a case already, or is not settled: \
         look at it with `postern case list --waiting`"
    ));
    Err(Failure::Said)
}

async fn decline(gateway: &Arc<Gateway>, suggestion: i64, out: &mut Out) -> Result<(), Failure> {
    if officer::decline(gateway, suggestion).await? {
        return Ok(out.line(&format!("suggestion {suggestion} is declined"))?);
    }
    out.note(&format!(
        "postern: no suggestion {suggestion} waits: `postern case list --waiting` lists them"
    ));
    Err(Failure::Said)
}

async fn retry(gateway: &Arc<Gateway>, message: i64, out: &mut Out) -> Result<(), Failure> {
    if officer::retry(gateway, message).await? {
        return Ok(out.line(&format!("message {message} will be read again"))?);
    }
    out.note(&format!("postern: message {message} is not in quarantine"));
    Err(Failure::Said)
}

/// Which cases a list gives.
#[derive(Debug, Clone)]
struct Listed {
    overdue: bool,
    all: bool,
    paused: bool,
    owner: Option<String>,
}

async fn task_done(gateway: &Arc<Gateway>, task: i64, out: &mut Out) -> Result<(), Failure> {
    if officer::task_done(gateway, task, &whoever()).await? {
        return Ok(out.line(&format!("task {task} is done"))?);
    }
    out.note(&format!("postern: no task {task} waits: `postern case list --waiting` lists them"));
    Err(Failure::Said)
}

async fn list(
    gateway: &Gateway,
    which: Listed,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let today = london_day(gateway.clock.now());
    let rows = cases::list(&gateway.db, which.all).await?;
    let still = |row: &CaseRow| row.agreed_due_on.is_none() && row.target_on.is_some();
    let is_owners = |row: &CaseRow| match which.owner.as_deref() {
        None => true,
        Some(officer::NOBODY) => row.owner.is_none(),
        owner => row.owner.as_deref() == owner,
    };
    let wanted = |row: &&CaseRow| {
        (!which.overdue || is_overdue(row, today))
            && (!which.paused || still(row))
            && is_owners(row)
    };
    for row in rows.iter().filter(wanted) {
        if as_json {
            out.json(&Brief::of(row))?;
        } else {
            out.line(&line(row, today))?;
        }
    }
    Ok(())
}

/// Whether the answer that the customer was told is late.
pub(super) fn is_overdue(row: &CaseRow, today: jiff::civil::Date) -> bool {
    row.status == "open" && row.agreed_due_on.as_ref().is_some_and(|due| *due < today.to_string())
}

/// When a case's answer is due, or why it is not.
pub(super) fn due(row: &CaseRow) -> &str {
    match (&row.agreed_due_on, &row.target_on) {
        (Some(due), _) => due,
        (None, Some(_)) => "none: the clock stands still",
        (None, None) => "no answer owed",
    }
}

fn line(row: &CaseRow, today: jiff::civil::Date) -> String {
    let due = due(row);
    let late = if is_overdue(row, today) { " LATE" } else { "" };
    let check = if row.needs_officer { " check" } else { "" };
    let with = row.owner.as_ref().map_or_else(String::new, |owner| format!(" with {owner}"));
    format!(
        "{}  {:<22} {:<26} {:<18} due {due}{late}{check}{with}",
        row.reference, row.record_type, row.lead_service, row.customer_type
    )
}

async fn waiting(gateway: &Gateway, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    for one in register::waiting(&gateway.db).await? {
        if as_json {
            out.json(&one)?;
            continue;
        }
        out.line(&match one {
            Waiting::Message(row) => {
                let why = row.trouble.as_deref().or(row.reason.as_deref()).unwrap_or("");
                let sender = row.sender.as_deref().unwrap_or("unknown sender");
                let state = if row.state == "quarantined" { "quarantine" } else { "triage" };
                format!("{:>6}  {state:<10} {sender}  {why}", row.id)
            }
            Waiting::Suggestion(one) => {
                let about = one.reference.unwrap_or_else(|| format!("message {}", one.message_id));
                format!("{:>6}  suggestion {about:<17}  {}", one.id, one.because)
            }
            Waiting::Proposal(one) => {
                format!("{:>6}  proposal   {:<17}  {}", one.gate.id(), one.reference, one.words)
            }
            Waiting::Task(task) => {
                let about = match (&task.reference, task.message_id) {
                    (Some(reference), _) => reference.clone(),
                    (None, Some(message)) => format!("message {message}"),
                    (None, None) => String::new(),
                };
                format!("{:>6}  task       {about:<17}  {}", task.id, task.words)
            }
        })?;
    }
    Ok(())
}

/// A case with all that happened to it.
async fn history(
    gateway: &Gateway,
    reference: &str,
    out: &mut Out,
) -> Result<(CaseReference, CaseRow, Vec<Recorded>), Failure> {
    let parsed: CaseReference =
        reference.parse().map_err(|fault: crate::casework::reference::NotAReference| {
            Failure::Usage(fault.to_string())
        })?;
    let Some((row, events)) = register::found(&gateway.db, &parsed).await? else {
        out.note(&format!("postern: there is no case {parsed}"));
        return Err(Failure::Said);
    };
    Ok((parsed, row, events))
}

async fn show(
    gateway: &Gateway,
    reference: &str,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let (parsed, row, events) = history(gateway, reference, out).await?;
    let whole = Whole::of(&gateway.db, parsed, &row, events).await?;
    if as_json {
        return Ok(out.json(&whole)?);
    }
    for line in show::lines(&row, &whole) {
        out.line(&line)?;
    }
    Ok(())
}

/// When and with which status a letter came back, where it did.
pub(super) fn came_back(at: Option<i64>, status: Option<&str>) -> String {
    let Some(at) = at else { return String::new() };
    let on = short_words(london_day(moment(at)));
    match status.filter(|status| !status.is_empty()) {
        Some(status) => format!(", came back on {on} ({status})"),
        None => format!(", came back on {on}"),
    }
}
