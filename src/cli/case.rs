//! `postern case …`: the register from a terminal.

mod attachment;
mod clock;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::arguments::Case as Asked;
use super::{Failure, Out};
use crate::casework::case::{Actor, CaseField, Event, Recorded};
use crate::casework::reference::CaseReference;
use crate::casework::working::{in_words, short_words};
use crate::clock::{Clock, london, london_day};
use crate::gateway::Gateway;
use crate::officer::{self, Act, ActFault, Move};
use crate::store::cases::{self, CaseRow};
use crate::store::{attachments, letters, messages, moment, requests, suggestions, tasks};

pub(super) async fn run(asked: Asked, file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (config, _) = super::configured(file)?;
    let gateway = super::serve::open(config, Clock::System).await?;
    let done = dispatch(&gateway, asked, out).await;
    gateway.db.close().await;
    out.flush()?;
    done
}

async fn dispatch(gateway: &Arc<Gateway>, asked: Asked, out: &mut Out) -> Result<(), Failure> {
    let (reference, act) = match asked {
        Asked::List { waiting: true, json, .. } => return waiting(gateway, json, out).await,
        Asked::List { overdue, all, json, .. } => {
            return list(gateway, overdue, all, json, out).await;
        }
        Asked::Show { reference, json } => return show(gateway, &reference, json, out).await,
        Asked::Clock { reference, json } => {
            return clock::show(gateway, &reference, json, out).await;
        }
        Asked::Retry { message } => return retry(gateway, message, out).await,
        Asked::Split { message } => return split(gateway, message, out).await,
        Asked::Decline { suggestion } => return decline(gateway, suggestion, out).await,
        Asked::Attachment { attachment, save, even_infected } => {
            return attachment::save(gateway, &attachment, &save, even_infected, out).await;
        }
        Asked::Correct { reference, record_type, service, customer, because } => {
            let changes: Vec<(CaseField, String)> = [
                (CaseField::RecordType, record_type),
                (CaseField::Services, service),
                (CaseField::CustomerType, customer),
            ]
            .into_iter()
            .filter_map(|(field, value)| value.map(|value| (field, value)))
            .collect();
            (reference, Act::Correct { changes, because })
        }
        Asked::Answered { reference, service } => (reference, Act::Answered { service }),
        Asked::Ask { reference, service } => (reference, Act::Ask { service }),
        Asked::Respond { reference, note } => (reference, Act::Respond { note }),
        Asked::Close { reference, because } => (reference, Act::Close { because }),
        Asked::Reopen { reference, because } => (reference, Act::Reopen { because }),
        Asked::Extend { reference, until, because } => {
            (reference, Act::Turn { wanted: Move::Extend { until }, because })
        }
        Asked::Pause { reference, why, because } => {
            (reference, Act::Turn { wanted: Move::Pause { why }, because })
        }
        Asked::Resume { reference, because } => {
            (reference, Act::Turn { wanted: Move::Resume, because })
        }
        Asked::TakeBack { reference, number, because } => {
            (reference, Act::Turn { wanted: Move::TakeBack { number }, because })
        }
        Asked::Restore { reference, number, because } => {
            (reference, Act::Turn { wanted: Move::Restore { number }, because })
        }
        Asked::Merge { reference, into, because } => (reference, Act::Merge { into, because }),
        Asked::Separate { reference, because } => (reference, Act::Separate { because }),
    };
    match officer::act(gateway, &reference, &whoever(), act).await {
        Ok(words) => Ok(out.line(&words)?),
        Err(ActFault::Store(fault)) => Err(fault.into()),
        Err(ActFault::NotAReference(words)) => Err(Failure::Usage(words)),
        Err(fault) => {
            out.note(&format!("postern: {fault}"));
            Err(Failure::Said)
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

async fn list(
    gateway: &Gateway,
    overdue: bool,
    all: bool,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let today = london_day(gateway.clock.now());
    let rows = cases::list(&gateway.db, all).await?;
    for row in rows.iter().filter(|row| !overdue || is_overdue(row, today)) {
        if as_json {
            out.json(&brief(row))?;
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
    format!(
        "{}  {:<22} {:<26} {:<18} due {due}{late}{check}",
        row.reference, row.record_type, row.lead_service, row.customer_type
    )
}

/// A case as lists give it.
fn brief(row: &CaseRow) -> Value {
    let listed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    json!({
        "reference": row.reference,
        "status": row.status,
        "record_type": row.record_type,
        "lead_service": row.lead_service,
        "customer_type": row.customer_type,
        "themes": listed(&row.themes),
        "flags": listed(&row.flags),
        "needs_officer": row.needs_officer,
        "confidence": f64::from(u16::try_from(row.confidence).unwrap_or(0)) / 1000.0,
        "procedure": row.procedure_id,
        "stage": row.stage,
        "received_at": moment(row.received_at),
        "received_on": row.received_on,
        "acknowledge_by": row.acknowledge_by_on,
        "target": row.target_on,
        "standard_due": row.standard_due_on,
        "due": row.agreed_due_on,
        "acknowledged_at": row.acknowledged_at.map(moment),
        "answered_at": row.answered_at.map(moment),
    })
}

async fn waiting(gateway: &Gateway, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    let tagged = |kind: &str, row: Value| {
        let mut row = row;
        if let Some(object) = row.as_object_mut() {
            object.insert("waiting".to_owned(), json!(kind));
        }
        row
    };
    for row in messages::waiting_for_a_person(&gateway.db).await? {
        if as_json {
            out.json(&tagged("message", json!(row)))?;
            continue;
        }
        let why = row.trouble.as_deref().or(row.reason.as_deref()).unwrap_or("");
        let sender = row.sender.as_deref().unwrap_or("unknown sender");
        let state = if row.state == "quarantined" { "quarantine" } else { "triage" };
        out.line(&format!("{:>6}  {state:<10} {sender}  {why}", row.id))?;
    }
    for one in suggestions::open(&gateway.db).await? {
        if as_json {
            out.json(&tagged("suggestion", json!(one)))?;
            continue;
        }
        let about = one.reference.unwrap_or_else(|| format!("message {}", one.message_id));
        out.line(&format!("{:>6}  suggestion {about:<17}  {}", one.id, one.because))?;
    }
    for task in tasks::open(&gateway.db).await? {
        if as_json {
            out.json(&tagged("task", json!(task)))?;
            continue;
        }
        let about = match (&task.reference, task.message_id) {
            (Some(reference), _) => reference.clone(),
            (None, Some(message)) => format!("message {message}"),
            (None, None) => String::new(),
        };
        out.line(&format!("{:>6}  task       {about:<17}  {}", task.id, task.words))?;
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
    let Some(row) = cases::find(&gateway.db, &parsed.to_string()).await? else {
        out.note(&format!("postern: there is no case {parsed}"));
        return Err(Failure::Said);
    };
    let mut tx = gateway.db.snapshot().await?;
    let events = cases::events(&mut tx, row.id).await?;
    Ok((parsed, row, events))
}

async fn show(
    gateway: &Gateway,
    reference: &str,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let (_, row, events) = history(gateway, reference, out).await?;
    let db = &gateway.db;
    let requests = requests::of_case(db, row.id).await?;
    let rungs = requests::rungs_of_case(db, row.id).await?;
    let letters = letters::of_case(db, row.id).await?;
    let messages = messages::of_case(db, row.id).await?;
    let merged = cases::merged_into(db, row.id).await?;
    let suggested = suggestions::of_case(db, row.id).await?;
    let attachments = attachments::of_case(db, row.id).await?;
    if as_json {
        let mut object = brief(&row);
        if let Some(object) = object.as_object_mut() {
            object.insert("customer_address".to_owned(), json!(row.customer_address));
            object.insert("customer_name".to_owned(), json!(row.customer_name));
            object.insert("subject".to_owned(), json!(row.subject));
            object.insert("messages".to_owned(), json!(messages));
            object.insert("merged".to_owned(), json!(merged));
            object.insert("suggestions".to_owned(), json!(suggested));
            object.insert("attachments".to_owned(), json!(attachments));
            object.insert("requests".to_owned(), json!(requests));
            object.insert("rungs".to_owned(), json!(rungs));
            object.insert("letters".to_owned(), json!(letters));
            object.insert("events".to_owned(), json!(events));
        }
        return Ok(out.json(&object)?);
    }
    out.line(&format!("{}  {}", row.reference, row.status))?;
    out.line(&format!("  from       {}", row.customer_address.as_deref().unwrap_or("unknown")))?;
    out.line(&format!("  about      {}", row.subject.as_deref().unwrap_or("")))?;
    out.line(&format!("  type       {}, stage {}", row.record_type, row.stage))?;
    out.line(&format!("  service    {}, customer {}", row.lead_service, row.customer_type))?;
    out.line(&format!("  received   {}", day(&row.received_on)))?;
    for (label, date) in
        [("aim", &row.target_on), ("limit", &row.standard_due_on), ("due", &row.agreed_due_on)]
    {
        if let Some(date) = date {
            out.line(&format!("  {label:<10} {}", day(date)))?;
        }
    }
    if row.needs_officer {
        out.line("  check      the rules are not sure; an officer must look")?;
    }
    for request in &requests {
        out.line(&format!(
            "  asked      {} on {}, {}, its draft due {}",
            request.service,
            day(&request.asked_on),
            request.state,
            request.draft_due_on.as_deref().map_or_else(|| day(&request.due_on), day)
        ))?;
    }
    for other in &merged {
        out.line(&format!("  merged     {other} is part of it"))?;
    }
    for one in suggested.iter().filter(|one| one.answer.is_none()) {
        out.line(&format!("  suggestion {} {}", one.id, one.because))?;
    }
    for message in &messages {
        let forged = match message.sender_proof.as_deref() {
            Some("failed") => ", NOT from the address that it gives",
            _ => "",
        };
        out.line(&format!(
            "  message    {} {} ({}){forged}",
            message.id,
            message.action.as_deref().unwrap_or(""),
            message.acknowledge_reason.as_deref().unwrap_or("")
        ))?;
    }
    for one in &attachments {
        out.line(&format!("  attachment {}", attachment::told(one)))?;
    }
    for letter in &letters {
        let cause = letter.last_cause.as_deref().unwrap_or("");
        let back = came_back(letter.bounced_at, letter.bounce_status.as_deref());
        let arrived = letter.delivered_at.map_or("", |_| ", delivered");
        out.line(&format!(
            "  letter     {} {} {} {cause}{arrived}{back}",
            letter.id, letter.purpose, letter.state
        ))?;
    }
    for recorded in &events {
        out.line(&format!("  {}", told(recorded)))?;
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

fn day(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), in_words)
}

/// One thing that happened, as a line.
fn told(recorded: &Recorded) -> String {
    let at = recorded.at.to_zoned(london()).strftime("%-d %b %Y %H:%M").to_string();
    let by = match &recorded.by {
        Actor::Gateway => "the gateway",
        Actor::Officer(officer) => &officer.0,
    };
    let what = match &recorded.event {
        Event::Received { record_type, .. } => format!("registered it as {record_type}"),
        Event::Acknowledged { letter } => format!("acknowledged it (letter {letter})"),
        Event::ServiceAsked { service, .. } => format!("asked {service}"),
        Event::ServiceAccepted { service } => format!("{service} accepted it"),
        Event::ServiceAnswered { service, .. } => format!("recorded that {service} answered"),
        Event::Reminded { service, rung } => format!("chased {service} ({rung})"),
        Event::MessageAttached { message } => format!("put message {message} with it"),
        Event::Corrected { field, before, after, .. } => {
            format!("changed the {} from {before} to {after}", field.label())
        }
        Event::StageRequested { stage, .. } => format!("opened stage {stage}"),
        Event::Responded { stage, .. } => format!("answered stage {stage}"),
        Event::Closed { .. } => "closed it".to_owned(),
        Event::Reopened { .. } => "took it up again".to_owned(),
        Event::Withdrawn { .. } => "recorded that it was withdrawn".to_owned(),
        Event::Rejected { reason, .. } => format!("rejected it ({reason})"),
        Event::Merged { into, .. } => format!("merged it into {into}"),
        Event::ClockTurned { turn, before, after, .. } => clock::told(turn, *before, *after),
        Event::CalendarChanged { before, after, .. } => clock::recounted(*before, *after),
        Event::Separated { .. } => "undid the merger".to_owned(),
        Event::Note { text } => format!("noted: {}", text.0),
    };
    format!("{at:<18} {by} {what}")
}
