//! `postern ombudsman …`: what the Ombudsman asked, decided and is owed.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::arguments::Ombudsman as Asked;
use super::case::{done_or_said, whoever};
use super::{Failure, Out};
use crate::casework::ombudsman::OmbudsmanStep;
use crate::casework::working::short_words;
use crate::clock::{Clock, london_day};
use crate::gateway::Gateway;
use crate::officer::{self, Act, Wanted};
use crate::register::OmbudsmanCase;
use crate::store::ombudsman::{ContactRow, RemedyRow};

pub(super) async fn run(asked: Asked, file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (config, _) = super::configured(file)?;
    let gateway = super::serve::open(config, Clock::System).await?;
    let done = dispatch(&gateway, asked, out).await;
    gateway.db.close().await;
    out.flush()?;
    done
}

async fn dispatch(gateway: &Arc<Gateway>, asked: Asked, out: &mut Out) -> Result<(), Failure> {
    let (case, wanted) = match asked {
        Asked::List { all, json } => return list(gateway, all, json, out).await,
        Asked::Show { number, json } => return show(gateway, number, json, out).await,
        Asked::Link { number, reference } => {
            let act = Act::Link { number };
            return done_or_said(
                officer::act(gateway, &reference, &whoever(), None, act).await,
                out,
            );
        }
        Asked::Contact { kind, case, number, theirs, received, by, asks } => {
            (case, Wanted::Contact { number, theirs, kind, received, by, asks })
        }
        Asked::Confirm { contact, kind, by, no_date: _, asks } => {
            (None, Wanted::Confirm { contact, kind, by, asks })
        }
        Asked::Answered { contact, on } => (None, Wanted::Answered { contact, on }),
        Asked::Decision { number, outcome, closed, on } => {
            (None, Wanted::Decision { number, outcome, closed, on })
        }
        Asked::Remedy { number, what, by } => (None, Wanted::Remedy { number, what, by }),
        Asked::Done { remedy, on, evidence } => (None, Wanted::RemedyDone { remedy, on, evidence }),
        Asked::Resume { contact } => (None, Wanted::Resume { contact }),
        Asked::Open { contact, record_type, service } => {
            (None, Wanted::Open { contact, record_type, service })
        }
        Asked::Reopen { number } => (None, Wanted::Reopen { number }),
    };
    let done = match case {
        Some(reference) => {
            officer::act(gateway, &reference, &whoever(), None, Act::Ombudsman { wanted }).await
        }
        None => officer::ombudsman(gateway, &whoever(), wanted).await,
    };
    done_or_said(done, out)
}

async fn list(gateway: &Gateway, all: bool, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    for case in OmbudsmanCase::list(&gateway.db, all).await? {
        if as_json {
            out.json(&case)?;
        } else {
            out.line(&head(&case))?;
        }
    }
    Ok(())
}

async fn show(gateway: &Gateway, number: i64, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    let Some(case) = OmbudsmanCase::find(&gateway.db, number).await? else {
        out.note(&format!(
            "postern: there is no case {number} of the Ombudsman: `postern ombudsman list --all` lists them"
        ));
        return Err(Failure::Said);
    };
    if as_json {
        return Ok(out.json(&case)?);
    }
    out.line(&head(&case))?;
    for line in lines(&case).iter().skip(1) {
        out.line(line)?;
    }
    for one in &case.history {
        out.line(&format!("  {} {}", short_words(london_day(one.at)), told(&one.step)))?;
    }
    Ok(())
}

fn head(case: &OmbudsmanCase) -> String {
    let theirs = case.theirs.as_deref().unwrap_or("no reference of theirs");
    let ours = case.reference.as_deref().unwrap_or("linked to no case");
    format!("{:>4}  {theirs}  {ours}  {}", case.number, decided(case))
}

fn decided(case: &OmbudsmanCase) -> String {
    match (&case.outcome, &case.decided_on) {
        (Some(outcome), Some(on)) => {
            let because = case.closed_because.as_deref();
            let because = because.map_or_else(String::new, |why| format!(" ({why})"));
            format!("{outcome}{because} on {}", day(on))
        }
        (Some(_) | None, _) => "not decided".to_owned(),
    }
}

/// A case of the Ombudsman, among the lines of the council's case.
pub(super) fn lines(case: &OmbudsmanCase) -> Vec<String> {
    let theirs = case.theirs.as_deref().map_or_else(String::new, |theirs| format!(" {theirs}"));
    let mut lines = vec![format!("  ombudsman  {}{theirs}, {}", case.number, decided(case))];
    lines.extend(case.contacts.iter().map(contact));
    lines.extend(case.remedies.iter().map(remedy));
    lines
}

fn contact(one: &ContactRow) -> String {
    let due = match (&one.confirmed_at, &one.due_on, &one.suggested_on) {
        (Some(_), Some(due), _) => format!("due {}", day(due)),
        (Some(_), None, _) => "gives no date".to_owned(),
        (None, _, Some(found)) => format!("to be read; a date found in it: {}", day(found)),
        (None, _, None) => "to be read".to_owned(),
    };
    let answered = one.answered_on.as_deref();
    let answered = answered.map_or_else(String::new, |on| format!(", answered {}", day(on)));
    let asks = one.asks.as_deref().map_or_else(String::new, |asks| format!(": {asks}"));
    let came = day(&one.received_on);
    format!("  contact    {} {}, came {came}, {due}{answered}{asks}", one.id, one.kind)
}

fn remedy(one: &RemedyRow) -> String {
    let due =
        one.due_on.as_deref().map_or_else(|| "no date".to_owned(), |on| format!("due {}", day(on)));
    let done = one.done_on.as_deref().map_or_else(String::new, |on| format!(", done {}", day(on)));
    let evidence = one.evidence.as_deref().map_or_else(String::new, |text| format!(" ({text})"));
    format!("  remedy     {} {}, {due}{done}{evidence}", one.id, one.what)
}

fn day(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), short_words)
}

/// A step in the history of the council's case.
pub(super) fn event(number: i64, step: &OmbudsmanStep, earlier: Option<Timestamp>) -> String {
    let earlier = earlier
        .map_or_else(String::new, |at| format!(", recorded on {}", short_words(london_day(at))));
    format!("Ombudsman case {number}: {}{earlier}", told(step))
}

fn told(step: &OmbudsmanStep) -> String {
    let by = |due: &Option<jiff::civil::Date>| {
        due.map_or_else(|| "without a date".to_owned(), |day| format!("due {day}"))
    };
    match step {
        OmbudsmanStep::Linked { .. } => "linked to the case".to_owned(),
        OmbudsmanStep::Contacted { contact, about, received_on, .. } => {
            format!("contact {contact} ({about}) came on {received_on}")
        }
        OmbudsmanStep::Confirmed { contact, about, due_on, .. } => {
            format!("contact {contact} is {about}, {}", by(due_on))
        }
        OmbudsmanStep::Answered { contact, on } => format!("contact {contact} answered on {on}"),
        OmbudsmanStep::Decided { outcome, closed, on } => {
            let because = closed.map_or_else(String::new, |why| format!(" ({why})"));
            format!("decided on {on}: {outcome}{because}")
        }
        OmbudsmanStep::RemedyAgreed { remedy, what, due_on } => {
            format!("remedy {remedy} agreed, {}: {}", by(due_on), what.0)
        }
        OmbudsmanStep::RemedyDone { remedy, on, .. } => format!("remedy {remedy} done on {on}"),
    }
}
