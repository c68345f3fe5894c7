//! `postern case show`: everything about one case, in words.

use super::{action, attachment, came_back, clock};
use crate::casework::adjustment::{Adjustment, Format};
use crate::casework::case::{Actor, AreaOf, Event, Issue, OfficerId, Part, Recorded};
use crate::casework::vocabulary::{Outcome, ServiceId};
use crate::casework::working::in_words;
use crate::clock::{london, london_day};
use crate::private::Private;
use crate::register::{PartOfCase, Proposed, Whole};
use crate::store::cases::CaseRow;

/// A case as a person reads it.
pub(super) fn lines(row: &CaseRow, whole: &Whole) -> Vec<String> {
    let mut lines = head(row);
    lines.extend(to_decide(row, whole));
    lines.extend(belongs(whole));
    lines.extend(whole.events.iter().map(|recorded| format!("  {}", told(recorded))));
    lines
}

fn head(row: &CaseRow) -> Vec<String> {
    let mut lines = vec![
        format!("{}  {}", row.reference, row.status),
        format!("  version    {}", row.version),
        format!("  from       {}", row.customer_address.as_deref().unwrap_or("unknown")),
        format!("  about      {}", row.subject.as_deref().unwrap_or("")),
        format!("  type       {}, stage {}", row.record_type, row.stage),
        format!("  service    {}, customer {}", row.lead_service, row.customer_type),
        format!("  received   {}", day(&row.received_on)),
    ];
    lines.extend(row.owner.iter().map(|owner| format!("  officer    {owner}")));
    let Adjustment { edition, format } = row.adjustment();
    lines.extend(edition.map(|letters| format!("  letters    {letters}")));
    lines.extend(
        Some(format)
            .filter(|one| *one != Format::Usual)
            .map(|one| format!("  written    {}", one.label())),
    );
    let dates =
        [("aim", &row.target_on), ("limit", &row.standard_due_on), ("due", &row.agreed_due_on)];
    let owed = dates.into_iter().filter_map(|(label, date)| Some((label, date.as_ref()?)));
    lines.extend(owed.map(|(label, date)| format!("  {label:<10} {}", day(date))));
    lines.push(format!(
        "  sure       {} in 100; `case why {}` shows by which words",
        (row.confidence + 5) / 10,
        row.reference
    ));
    if row.needs_officer {
        lines.push("  check      the rules are not sure; an officer must look".to_owned());
    }
    lines
}

/// What waits for an officer on it, and what was decided.
fn to_decide(row: &CaseRow, whole: &Whole) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    // What is answered, or past its first stage, was taken on.
    let weighed = row.status == "open" && row.stage == 1;
    let open = whole.proposals.iter().filter(|one| weighed && one.answer.is_none());
    lines.extend(open.flat_map(stands_in_the_way));
    lines.extend(whole.tasks.iter().map(|task| format!("  task       {} {}", task.id, task.words)));
    let awaited = whole.awaited.iter().filter(|one| one.ended_at.is_none());
    lines.extend(awaited.map(|one| {
        format!("  waiting    for the customer: {} until {}", one.needed, day(&one.until_on))
    }));
    if let Some(agreed) = whole.statement_agreed_at {
        lines.push(format!("  statement  agreed on {}", in_words(london_day(agreed))));
    }
    if let Some((step, on)) = whole.advocacy.stands {
        let who = whole.advocacy.advocate.as_ref();
        let who = who.map_or_else(String::new, |name| format!(" ({})", name.0));
        lines.push(format!("  advocacy   {}{who}, {}", step.label(), in_words(on)));
    }
    let constituent = whole.constituent.iter();
    lines.extend(constituent.map(|one| format!("  member     wrote for them: {}", one.label())));
    let interest = whole.interest.iter();
    lines.extend(interest.map(|one| format!("  interest   {}", one.label().to_lowercase())));
    let owed = whole.members.iter();
    lines.extend(owed.map(|member| format!("  copy       of its answer to {member}")));
    let linked = whole.complaint.iter();
    lines.extend(linked.map(|other| format!("  copy       of the answer to {other} follows")));
    let findings = whole.findings.iter();
    lines.extend(findings.map(|one| format!("  {}", found(&one.issue, Some(one.outcome)))));
    if let Some(outcome) = whole.outcome.filter(|_| whole.findings.len() > 1) {
        lines.push(format!("  together   {}", outcome.label().to_lowercase()));
    }
    lines.extend(whole.actions.iter().map(|one| action::shown(one, &row.reference)));
    lines
}

/// The requests, cases, messages, files and letters of a case.
fn belongs(whole: &Whole) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(whole.requests.iter().map(|request| {
        let area = request.area.as_ref().map_or_else(String::new, |area| format!(" ({area})"));
        let with = if request.message_attached { ", with the customer's message" } else { "" };
        format!(
            "  asked      {}{area} on {}{with}, {}, its draft due {}",
            request.service,
            day(&request.asked_on),
            request.state,
            request.draft_due_on.as_deref().map_or_else(|| day(&request.due_on), day)
        )
    }));
    lines.extend(whole.areas.iter().flat_map(area));
    lines.extend(whole.parts.iter().filter_map(part));
    lines.extend(whole.ombudsman.iter().flat_map(super::super::ombudsman::lines));
    lines.extend(whole.merged.iter().map(|other| format!("  merged     {other} is part of it")));
    let suggested = whole.suggestions.iter().filter(|one| one.answer.is_none());
    lines.extend(suggested.map(|one| format!("  suggestion {} {}", one.id, one.because)));
    lines.extend(whole.messages.iter().map(|message| {
        let forged = match message.sender_proof.as_deref() {
            Some("failed") => ", NOT from the address that it gives",
            _ => "",
        };
        format!(
            "  message    {} {} ({}){forged}",
            message.id,
            message.action.as_deref().unwrap_or(""),
            message.acknowledge_reason.as_deref().unwrap_or("")
        )
    }));
    let files = whole.attachments.iter();
    lines.extend(files.map(|one| format!("  attachment {}", attachment::told(one))));
    lines.extend(whole.letters.iter().map(|letter| {
        let cause = letter.last_cause.as_deref().unwrap_or("");
        let back = came_back(letter.bounced_at, letter.bounce_status.as_deref());
        let arrived = letter.delivered_at.map_or("", |_| ", delivered");
        format!(
            "  letter     {} {} {} {cause}{arrived}{back}",
            letter.id, letter.purpose, letter.state
        )
    }));
    lines
}

/// What was said of a service's part, and what was found of it.
fn part(one: &PartOfCase) -> Option<String> {
    let found = one.outcome.map(|outcome| format!(", found: {}", outcome.label().to_lowercase()));
    let asked = asked_of(&one.part);
    let said = !asked.is_empty() || found.is_some();
    let found = found.unwrap_or_default();
    said.then(|| format!("  part       {}{asked}{found}", one.part.service))
}

/// For which area a service answers, and what that rests on.
fn area(one: &AreaOf) -> Vec<String> {
    let area = one.area.as_deref();
    let which = match (area, one.is_sure) {
        (Some(area), true) => area.to_owned(),
        (Some(area), false) => format!("{area}, not sure: `case area` puts it right"),
        (None, true) => "none, its own contacts answer".to_owned(),
        (None, false) => "several are named: choose one with `case area`".to_owned(),
    };
    let mut lines = vec![format!("  area       {}: {which}", one.service)];
    lines.extend(one.words.iter().map(|words| {
        let whose = if area.is_none() { format!("{}: ", words.area) } else { String::new() };
        format!("             {whose}\"{}\" ({})", words.words.0, words.from.label())
    }));
    lines
}

/// What may stand in the way of a case, and what can be done about it.
fn stands_in_the_way(one: &Proposed) -> Vec<String> {
    let gate = one.gate;
    let mut lines = vec![format!("  proposal   {gate}: {}", one.words)];
    lines.extend(
        one.evidence
            .iter()
            .map(|one| format!("             \"{}\" ({}, rule {})", one.text, one.place, one.rule)),
    );
    if gate.is_decided_by_itself() {
        lines.push("             sufficient-interest --granted, or --refused".to_owned());
        return lines;
    }
    let ask =
        gate.asks().map_or_else(String::new, |needed| format!("ask-customer --for {needed}, "));
    let reason = gate.reason();
    lines.push(format!("             {ask}reject --reason {reason}, or dismiss {gate}"));
    lines
}

/// What was found of an issue, as a case's history tells it.
fn found(issue: &Issue, outcome: Option<Outcome>) -> String {
    let part = issue.part.map_or_else(String::new, |part| format!(" ({})", part.label()));
    let whose = issue.service.as_ref().map_or_else(String::new, |one| format!(" of {one}"));
    let outcome = outcome.map_or("taken back", Outcome::label).to_lowercase();
    format!("found of {}{part}{whose}: {outcome}", issue.theme)
}

/// What a part asks for, as a case's history tells it.
fn asked_of(part: &Part) -> String {
    let points: Vec<&str> = part.points.iter().map(|point| point.label()).collect();
    let points = if points.is_empty() { String::new() } else { format!(": {}", points.join("; ")) };
    let by = part.due_on.map_or_else(String::new, |day| format!(", by {}", in_words(day)));
    let who = part.responder.as_ref().map_or_else(String::new, |one| format!(", {}", one.name.0));
    format!("{points}{by}{who}")
}

pub(super) fn day(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), in_words)
}

/// One thing that happened, as a line.
pub(super) fn told(recorded: &Recorded) -> String {
    let at = recorded.at.to_zoned(london()).strftime("%-d %b %Y %H:%M").to_string();
    let by = match &recorded.by {
        Actor::Gateway => "the gateway",
        Actor::Officer(officer) => &officer.0,
    };
    let what = match &recorded.event {
        Event::Received { record_type, .. } => format!("registered it as {record_type}"),
        Event::Acknowledged { letter: Some(letter), .. } => {
            format!("acknowledged it (letter {letter})")
        }
        Event::Acknowledged { letter: None, at } => {
            let on = london_day(at.unwrap_or(recorded.at));
            format!("recorded that it was acknowledged by hand on {on}")
        }
        Event::ServiceAsked { service, message_attached: false, .. } => format!("asked {service}"),
        Event::ServiceAsked { service, .. } => {
            format!("asked {service}, with the customer's message")
        }
        Event::AreaSet { service, area, is_sure, .. } => took(service, area.as_deref(), *is_sure),
        Event::PartSet { part } => format!("set the part of {}{}", part.service, asked_of(part)),
        Event::AdvocacyRecorded { step, on, .. } => {
            format!("recorded of advocacy, on {on}: {}", step.label())
        }
        Event::TakenForConstituent { .. } => {
            "handles it as a complaint of the member's constituent".to_owned()
        }
        Event::ConstituentSaid { agrees, on, .. } => {
            let agrees = if *agrees { "agrees" } else { "does not agree" };
            format!("recorded that the constituent {agrees}, on {on}")
        }
        Event::InterestDecided { decision, .. } => {
            format!(
                "decided on the writer's interest in the child: {}",
                decision.label().to_lowercase()
            )
        }
        Event::LinkedToComplaint { complaint } => {
            format!("told the member that {complaint} is open and a copy of its answer follows")
        }
        Event::MemberWaits { member } => format!("owes {member} a copy of the answer"),
        Event::MemberWaitsNoLonger { member } => format!("owes {member} no copy any more"),
        Event::PolicyApplied { in_force_on, before, after, .. } => {
            let moved = clock::from_to(*before, *after);
            format!("applied the time limits of {in_force_on} and {moved}")
        }
        Event::Joined { other, .. } => format!("merged {other} into it"),
        Event::Parted { other } => format!("took {other} out of it again"),
        Event::ServiceReplied { service, says, message, by, words, .. } => {
            let how = match message {
                Some(message) => format!(" (message {message})"),
                None => on_its_page(by.as_ref(), words.as_ref()),
            };
            format!("recorded that {service} {}{how}", says.label())
        }
        Event::ServiceAccepted { service, by, words } => {
            format!("{service} accepted it{}", on_its_page(by.as_ref(), words.as_ref()))
        }
        Event::ServiceAnswered { service, by, .. } => {
            format!("recorded that {service} answered{}", on_its_page(by.as_ref(), None))
        }
        Event::AnswerConfirmed { service } => format!("accepted the answer of {service}"),
        Event::AnswerSentBack { service, note } => {
            format!("sent the answer of {service} back: {}", note.0)
        }
        Event::MoreTimeRefused { service, because } => {
            format!("gave {service} no more time: {}", because.0)
        }
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
        Event::CalendarChanged { before, after, .. } => clock::recounted(*before, *after),
        Event::Allocated { officer, because, .. } => allocated(officer.as_ref(), &because.0),
        Event::Separated { .. } => "undid the merger".to_owned(),
        Event::Action { number, step } => action::told(*number, step),
        Event::Ombudsman { number, step, earlier } => {
            super::super::ombudsman::event(*number, step, *earlier)
        }
        Event::Note { text } => format!("noted: {}", text.0),
    };
    format!("{at:<18} {by} {what}")
}

/// Which area of a service was taken for the case's, as its history tells it.
fn took(service: &ServiceId, area: Option<&str>, is_sure: bool) -> String {
    match (area, is_sure) {
        (Some(area), true) => format!("took {area} for the area of {service}"),
        (Some(area), false) => format!("took {area} for the area of {service}, which is not sure"),
        (None, true) => format!("took no area of {service}: its own contacts answer"),
        (None, false) => format!("found several areas of {service} named, and chose none"),
    }
}

/// Who said something on the answer page, and what they wrote there; nothing of a mail.
fn on_its_page(by: Option<&Private<String>>, words: Option<&Private<String>>) -> String {
    let by = by.map_or_else(String::new, |name| format!(" on its page ({})", name.0));
    let words = words.map_or_else(String::new, |words| format!(": {}", words.0));
    by + &words
}

fn allocated(officer: Option<&OfficerId>, because: &str) -> String {
    let whose =
        officer.map_or("took it from its officer".to_owned(), |to| format!("gave it to {to}"));
    if because.is_empty() { whose } else { format!("{whose} ({because})") }
}
