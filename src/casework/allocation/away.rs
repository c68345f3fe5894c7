//! Days away as people write them, in the files that say who is away.

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::Absence;

/// `{ from = 2026-12-21, until = 2027-01-01 }`: the first and the last day away.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwayEntry {
    from: Spanned<Datetime>,
    until: Spanned<Datetime>,
}

/// What is wrong with written days away: at which byte of the file, what, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwayFault {
    /// Where, in bytes from the file's beginning.
    pub at: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub cure: String,
}

impl AwayEntry {
    /// The days.
    ///
    /// # Errors
    /// The first thing that is wrong with each of the two days: no day, the wrong order, more than a year.
    pub fn read(&self) -> Result<Absence, Vec<AwayFault>> {
        let (from, until) = match (day(&self.from), day(&self.until)) {
            (Ok(from), Ok(until)) => (from, until),
            (from, until) => return Err(from.err().into_iter().chain(until.err()).collect()),
        };
        let wrong = |what: String, cure: &str| {
            Err(vec![AwayFault { at: self.until.span().start, what, cure: cure.to_owned() }])
        };
        if until < from {
            let what = format!("the last day away, {until}, is before the first, {from}");
            return wrong(what, "write the later day as `until`");
        }
        // More than a year is a slip of the keyboard.
        if from.saturating_add(jiff::Span::new().days(366)) < until {
            return wrong("away for more than a year".to_owned(), "check the year");
        }
        Ok(Absence { from, until })
    }
}

fn day(written: &Spanned<Datetime>) -> Result<Date, AwayFault> {
    let day = match written.get_ref() {
        Datetime { date: Some(day), time: None, offset: None } => day.to_string().parse().ok(),
        Datetime { .. } => None,
    };
    day.ok_or_else(|| AwayFault {
        at: written.span().start,
        what: format!("`{}` is not a day", written.get_ref()),
        cure: "write it as 2026-12-21, without a time".to_owned(),
    })
}
