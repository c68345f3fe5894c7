//! `postern case clock`: how the date of a case was counted, and what moved it.

use jiff::civil::Date;

use super::super::deadline::warn;
use super::super::{Failure, Out};
use super::history;
use crate::casework::dates::{Turn, What};
use crate::casework::working::in_words;
use crate::gateway::Gateway;
use crate::register::{self, ClockOfCase};

pub(super) async fn show(
    gateway: &Gateway,
    reference: &str,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let (reference, _, events) = history(gateway, reference, out).await?;
    let case = register::replayed(reference, &events)?;
    let Some(sum) = ClockOfCase::of(gateway, &case)? else {
        out.note(&format!("postern: no answer is owed to a {}", case.record_type));
        return Err(Failure::Said);
    };
    if as_json {
        return Ok(out.json(&sum)?);
    }
    for (label, day) in [("standard", sum.standard_due_on), ("agreed", sum.agreed_due_on)] {
        let day = day.map_or_else(|| "none: the clock stands still".to_owned(), in_words);
        out.line(&format!("{label:<9} {day}"))?;
    }
    out.line(&format!("calendar  {}", sum.calendar_version))?;
    for (number, turn) in case.turns.iter().enumerate() {
        out.line(&format!("{:>8}  {}: {}", number + 1, turn.on, moved(turn)))?;
    }
    for step in &sum.steps {
        let number = step.counted.map(|number| number.to_string()).unwrap_or_default();
        out.line(&format!("{}  {number:>3}  {}", step.date.strftime("%a %Y-%m-%d"), step.why))?;
    }
    warn(&sum.warnings, out);
    Ok(())
}

/// A move, as a case's history tells it.
pub(super) fn told(turn: &Turn, before: Option<Date>, after: Option<Date>) -> String {
    format!("{}: {}", from_to(before, after), moved(turn))
}

/// From which day to which a date moved, as a case's history tells it.
pub(super) fn from_to(before: Option<Date>, after: Option<Date>) -> String {
    let day = |day: Option<Date>| day.map_or_else(|| "none".to_owned(), |day| day.to_string());
    format!("moved the date from {} to {}", day(before), day(after))
}

/// A change of the calendar, as a case's history tells it.
pub(super) fn recounted(before: Option<Date>, after: Option<Date>) -> String {
    let day = |day: Option<Date>| day.map_or_else(|| "none".to_owned(), |day| day.to_string());
    format!(
        "counted it again by other bank holidays: the standard date moved from {} to {}, what was \
         promised stays",
        day(before),
        day(after)
    )
}

fn moved(turn: &Turn) -> String {
    match &turn.what {
        What::Extended { days, under } => {
            let under = under.as_ref().map_or_else(String::new, |name| format!(" under {name}"));
            format!("extended to {days} working days{under}")
        }
        What::Paused { why } => format!("paused ({})", why.label()),
        What::Resumed => "going on".to_owned(),
        What::Undone { turn } => format!("move {} taken back", turn + 1),
        What::Redone { turn } => format!("move {} restored", turn + 1),
    }
}
