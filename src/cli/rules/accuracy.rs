//! `postern rules accuracy`: how right the rules have been, by what officers decided.

use serde::Serialize;
use serde_json::{Value, json};

use super::backtest::start_of;
use crate::backtest::kept::{self, Kept, Which};
use crate::cli::{Failure, Out};
use crate::clock::london_day;
use crate::rules::accuracy::{Accuracy, Answered, accuracy};
use crate::store::Db;

pub(super) async fn run(
    db: &Db,
    since: Option<&str>,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let since = since.map(start_of).transpose()?;
    let answered = kept::each(db, Which::Decided, since, usize::MAX, answered).await?;
    let found = accuracy(&answered);
    if as_json { objects(&found, out) } else { words(&found, out) }
}

fn answered(kept: Kept) -> Answered {
    let month = london_day(kept.received_at).strftime("%Y-%m").to_string();
    Answered { month, found: kept.found, truth: kept.truth }
}

fn objects(found: &Accuracy, out: &mut Out) -> Result<(), Failure> {
    let Accuracy { rules, labels, months } = found;
    let mut all = Vec::new();
    all.extend(rules.iter().map(|one| part("rule", one)));
    all.extend(labels.iter().map(|one| part("label", one)));
    all.extend(months.iter().map(|one| part("month", one)));
    for one in all {
        out.json(&one)?;
    }
    Ok(())
}

/// An object that says which part of the answer it is.
fn part(name: &str, one: &impl Serialize) -> Value {
    let mut object = json!({ "part": name });
    if let (Some(object), Ok(Value::Object(fields))) =
        (object.as_object_mut(), serde_json::to_value(one))
    {
        object.extend(fields);
    }
    object
}

fn words(found: &Accuracy, out: &mut Out) -> Result<(), Failure> {
    let Accuracy { rules, labels, months } = found;
    if months.is_empty() {
        return Ok(out.line("no officer has corrected, answered or ended a case yet")?);
    }
    out.line("by rule, most overruled first")?;
    for one in rules {
        let overruled = format!("overruled {} of {}", one.overruled, one.fired);
        out.line(&format!("  {overruled:<22}  {}  ({})", one.rule, one.label))?;
    }
    if rules.is_empty() {
        out.line("  none fired on three decided messages yet")?;
    }
    out.line("by label         chosen   right  missed")?;
    for one in labels {
        out.line(&format!("{:>23} {:>7} {:>7}  {}", one.chosen, one.right, one.missed, one.label))?;
    }
    out.line("by month        decided  wholly right")?;
    for one in months {
        out.line(&format!("  {:<13} {:>7} {:>7}", one.month, one.decided, one.right))?;
    }
    Ok(())
}
