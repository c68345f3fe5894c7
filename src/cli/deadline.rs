//! `postern deadline`: the working-day sum with its steps.

use std::path::Path;

use serde_json::json;

use super::arguments::Deadline as Asked;
use super::{Failure, Out};
use crate::casework::calendar::WorkingCalendar;
use crate::casework::deadline::{Deadline, StartRule, due_from, parse_received};
use crate::casework::procedure::{ClockStart, Procedures};
use crate::casework::working::working;
use crate::policy::Policy;

pub(super) fn run(asked: &Asked, config: Option<&Path>, out: &mut Out) -> Result<(), Failure> {
    let (procedures, calendar) = timescales(config)?;
    let received = parse_received(&asked.received).map_err(|fault| usage(&fault))?;
    let rule = asked.rule.as_deref().map(str::parse::<StartRule>).transpose();
    let rule = rule.map_err(|fault| usage(&fault))?;
    if let Some(days) = asked.days {
        let rule = rule.unwrap_or(StartRule::DayAfter);
        let deadline = due_from(&calendar, received, rule, days)?;
        return if asked.json {
            Ok(out.json(&deadline)?)
        } else {
            out.line(working(&deadline).trim_end())?;
            warn(&deadline.warnings, out);
            Ok(())
        };
    }
    by_procedure(asked, &procedures, &calendar, received, rule, out)
}

/// The shipped rules serve without a configuration; one that is named must be right.
fn timescales(config: Option<&Path>) -> Result<(Procedures, WorkingCalendar), Failure> {
    let config = match config {
        Some(file) => Some(super::configured(file)?.0),
        None => None,
    };
    Policy::timescales(config.as_ref()).map_err(Failure::Faults)
}

fn usage(fault: &impl std::fmt::Display) -> Failure {
    Failure::Usage(fault.to_string())
}

/// Every date of one stage: acknowledgement, aim and limit, each with its steps.
fn by_procedure(
    asked: &Asked,
    procedures: &Procedures,
    calendar: &WorkingCalendar,
    received: jiff::civil::DateTime,
    rule: Option<StartRule>,
    out: &mut Out,
) -> Result<(), Failure> {
    let id = asked.procedure.as_deref().unwrap_or_default();
    let procedure = procedures.named(id).ok_or_else(|| {
        let known: Vec<&str> = procedures.all().iter().map(|one| one.id.as_str()).collect();
        Failure::Usage(format!("no procedure `{id}`; write one of: {}", known.join(", ")))
    })?;
    let number = asked.stage.unwrap_or(1);
    let stage = procedure.stage(number).map_err(|fault| usage(&fault))?;
    let limits = procedure.limits(number, received.date()).map_err(|fault| usage(&fault))?;
    let rule = rule.unwrap_or(procedure.start_rule);
    let acknowledge = due_from(calendar, received, rule, limits.acknowledge)?;
    // Some answers count from the acknowledgement: from the last day for it, where none is named.
    let from = match (stage.clock_starts, asked.acknowledged.as_deref()) {
        (ClockStart::Acknowledged, Some(at)) => {
            parse_received(at).map_err(|fault| usage(&fault))?
        }
        (ClockStart::Acknowledged, None) => acknowledge.due_on.at(12, 0, 0, 0),
        (_, Some(_)) => {
            let starts = stage.clock_starts.label();
            let words = format!("--acknowledged: this stage counts from {starts}; leave it out");
            return Err(Failure::Usage(words));
        }
        (_, None) => received,
    };
    let count = |days: u16| due_from(calendar, from, rule, days);
    let mut dates: Vec<(&str, Deadline)> = vec![("acknowledge", acknowledge)];
    if let Some(target) = limits.target.filter(|target| Some(*target) != limits.latest) {
        dates.push(("target", count(target)?));
    }
    if let Some(latest) = limits.latest {
        dates.push(("latest", count(latest)?));
    }
    // The longest count passes through every year that the others do.
    let warnings = dates.last().map(|(_, deadline)| deadline.warnings.clone()).unwrap_or_default();
    if asked.json {
        // The date that the report measures; what owes no answer is due when it is acknowledged.
        let due = dates.last().map(|(_, deadline)| deadline);
        let object = json!({
            "procedure": procedure.id,
            "stage": number,
            "stage_label": stage.label,
            "due": due.map(|deadline| deadline.due_on),
            "steps": due.map(|deadline| &deadline.steps),
            "warnings": warnings,
            "dates": dates.iter().map(|(name, deadline)| ((*name).to_owned(), json!(deadline)))
                .collect::<serde_json::Map<_, _>>(),
        });
        return Ok(out.json(&object)?);
    }
    out.line(&format!("{}, {}", procedure.label, stage.label))?;
    for (name, deadline) in &dates {
        out.line("")?;
        out.line(match *name {
            "acknowledge" => "Acknowledge by",
            "target" => "Aim to answer by",
            _ => "Answer at the latest by",
        })?;
        out.line(working(deadline).trim_end())?;
    }
    warn(&warnings, out);
    Ok(())
}

/// What may still move a date, for the person at the terminal.
pub(super) fn warn(warnings: &[String], out: &mut Out) {
    for warning in warnings {
        out.note(&format!("warning: {warning}"));
    }
}
