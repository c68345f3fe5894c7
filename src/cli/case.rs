//! `postern case …`: the register from a terminal.

mod attachment;
mod clock;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::arguments::Case as Asked;
use super::{Failure, Out};
use crate::casework::assessment::Gate;
use crate::casework::case::{Actor, Case, CaseField, Event, Issue, Recorded};
use crate::casework::reference::CaseReference;
use crate::casework::vocabulary::{Outcome, ServiceId};
use crate::casework::working::{in_words, short_words};
use crate::clock::{Clock, london, london_day};
use crate::gateway::Gateway;
use crate::officer::{self, Act, ActFault, Move};
use crate::store::assessments::{self, ProposalRow};
use crate::store::cases::{self, CaseRow};
use crate::store::{
    StoreError, attachments, letters, messages, moment, requests, suggestions, tasks,
};

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
        Asked::List { overdue, all, paused, json, .. } => {
            return list(gateway, Listed { overdue, all, paused }, json, out).await;
        }
        Asked::Done { task } => return done(gateway, task, out).await,
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
        Asked::Correct { reference, record_type, service, customer, themes, flags, because } => {
            let changes: Vec<(CaseField, String)> = [
                (CaseField::RecordType, record_type),
                (CaseField::Services, service),
                (CaseField::CustomerType, customer),
                (CaseField::Themes, themes),
                (CaseField::Flags, flags),
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
        Asked::Confirm { reference } => (reference, Act::Confirm),
        Asked::AskCustomer { reference, needed, say } => {
            (reference, Act::AskCustomer { needed, say })
        }
        Asked::Dismiss { reference, gate, because } => (reference, Act::Dismiss { gate, because }),
        Asked::NextStage { reference, received, because } => {
            let received = when(received.as_deref())?;
            (reference, Act::NextStage { received, because })
        }
        Asked::Statement { reference, agreed } => {
            let agreed = when(agreed.as_deref())?;
            (reference, Act::Statement { agreed })
        }
        Asked::Withdraw { reference, because } => (reference, Act::Withdraw { because }),
        Asked::Reject { reference, reason, because, say } => {
            (reference, Act::Reject { reason, because, say })
        }
        Asked::Outcome { reference, theme, part, service, outcome, take_back: _ } => {
            let issue = Issue { theme, part, service: service.map(ServiceId) };
            (reference, Act::Outcome { issue, outcome })
        }
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

/// A moment as it may be typed.
fn when(text: Option<&str>) -> Result<Option<jiff::civil::DateTime>, Failure> {
    let read = text.map(crate::casework::deadline::parse_received).transpose();
    read.map_err(|fault| Failure::Usage(fault.to_string()))
}

/// What was found of each issue, for scripts.
fn findings(case: &Case) -> Value {
    let one = |(issue, outcome): &(Issue, Outcome)| {
        json!({
            "theme": issue.theme,
            "part": issue.part,
            "service": issue.service,
            "outcome": outcome,
        })
    };
    case.findings.iter().map(one).collect()
}

/// What was found of an issue, as a case's history tells it.
fn found(issue: &Issue, outcome: Option<Outcome>) -> String {
    let part = issue.part.map_or_else(String::new, |part| format!(" ({})", part.label()));
    let whose = issue.service.as_ref().map_or_else(String::new, |one| format!(" of {one}"));
    let outcome = outcome.map_or("taken back", Outcome::label).to_lowercase();
    format!("found of {}{part}{whose}: {outcome}", issue.theme)
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
#[derive(Debug, Clone, Copy)]
struct Listed {
    overdue: bool,
    all: bool,
    paused: bool,
}

async fn done(gateway: &Arc<Gateway>, task: i64, out: &mut Out) -> Result<(), Failure> {
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
    let wanted = |row: &&CaseRow| {
        (!which.overdue || is_overdue(row, today)) && (!which.paused || still(row))
    };
    for row in rows.iter().filter(wanted) {
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
    for one in assessments::open(&gateway.db).await? {
        if as_json {
            out.json(&tagged("proposal", proposed(&one)))?;
            continue;
        }
        let words = one
            .gate
            .parse::<Gate>()
            .map_or_else(|_| one.gate.clone(), |gate| gate.label().to_owned());
        out.line(&format!("{:>6}  proposal   {:<17}  {words}", one.gate, one.reference))?;
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

/// What may stand in the way of a case, for scripts.
fn proposed(one: &ProposalRow) -> Value {
    let gate = one.gate.parse::<Gate>().ok();
    json!({
        "reference": one.reference,
        "gate": one.gate,
        "words": gate.map(Gate::label),
        "reason": gate.map(Gate::reason),
        "ask_customer_for": gate.and_then(Gate::asks),
        "evidence": serde_json::from_str::<Value>(&one.evidence).unwrap_or(Value::Null),
        "answer": one.answer,
    })
}

/// What may stand in the way of a case, and what can be done about it.
fn stands_in_the_way(one: &ProposalRow) -> Vec<String> {
    let Ok(gate) = one.gate.parse::<Gate>() else { return Vec::new() };
    let mut lines = vec![format!("  proposal   {gate}: {}", gate.label())];
    let evidence: Vec<Value> = serde_json::from_str(&one.evidence).unwrap_or_default();
    lines.extend(evidence.iter().map(|one| {
        let text = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("             \"{}\" ({}, rule {})", text("text"), text("where"), text("rule"))
    }));
    let ask =
        gate.asks().map_or_else(String::new, |needed| format!("ask-customer --for {needed}, "));
    let reason = gate.reason();
    lines.push(format!("             {ask}reject --reason {reason}, or dismiss {gate}"));
    lines
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
    let (parsed, row, events) = history(gateway, reference, out).await?;
    let db = &gateway.db;
    let requests = requests::of_case(db, row.id).await?;
    let rungs = requests::rungs_of_case(db, row.id).await?;
    let letters = letters::of_case(db, row.id).await?;
    let messages = messages::of_case(db, row.id).await?;
    let merged = cases::merged_into(db, row.id).await?;
    let suggested = suggestions::of_case(db, row.id).await?;
    let attachments = attachments::of_case(db, row.id).await?;
    let mut tasks = tasks::open(db).await?;
    tasks.retain(|task| task.reference.as_ref() == Some(&row.reference));
    let proposals = assessments::of_case(db, row.id).await?;
    let awaited = assessments::awaited_of(db, row.id).await?;
    let replayed = Case::replay(parsed, &events)
        .map_err(|fault| StoreError::unsuitable("read a case's history", fault.to_string()))?;
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
            object.insert("statement_agreed_at".to_owned(), json!(replayed.statement_agreed_at));
            object.insert("proposals".to_owned(), proposals.iter().map(proposed).collect());
            object.insert("tasks".to_owned(), json!(tasks));
            object.insert("awaited".to_owned(), json!(awaited));
            object.insert("findings".to_owned(), findings(&replayed));
            object.insert("rejected".to_owned(), json!(replayed.rejected));
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
    for line in proposals.iter().filter(|one| one.answer.is_none()).flat_map(stands_in_the_way) {
        out.line(&line)?;
    }
    for task in &tasks {
        out.line(&format!("  task       {} {}", task.id, task.words))?;
    }
    for one in awaited.iter().filter(|one| one.ended_at.is_none()) {
        out.line(&format!(
            "  waiting    for the customer: {} until {}",
            one.needed,
            day(&one.until_on)
        ))?;
    }
    if let Some(agreed) = replayed.statement_agreed_at {
        out.line(&format!("  statement  agreed on {}", in_words(london_day(agreed))))?;
    }
    for (issue, outcome) in &replayed.findings {
        out.line(&format!("  {}", found(issue, Some(*outcome))))?;
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
        Event::StatementAgreed { at } => {
            format!("recorded that the statement was agreed on {}", london_day(*at))
        }
        Event::IssueDecided { issue, outcome } => found(issue, *outcome),
        Event::Responded { stage, .. } => format!("answered stage {stage}"),
        Event::Closed { .. } => "closed it".to_owned(),
        Event::Reopened { .. } => "took it up again".to_owned(),
        Event::Withdrawn { .. } => "recorded that it was withdrawn".to_owned(),
        Event::Rejected { reason, .. } => format!("rejected it ({reason})"),
        Event::Merged { into, .. } => format!("merged it into {into}"),
        Event::ClockTurned { turn, before, after, .. } => clock::told(turn, *before, *after),
        Event::Separated { .. } => "undid the merger".to_owned(),
        Event::Note { text } => format!("noted: {}", text.0),
    };
    format!("{at:<18} {by} {what}")
}
