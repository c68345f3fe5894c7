//! The calendar as GOV.UK publishes it and as we ship it: read leniently, written with years by rule.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::WorkingCalendar;
use super::by_rule::{NOT_YET_PROCLAIMED, RuledHoliday, bank_holidays};
use crate::fault::Fault;

/// The division of the GOV.UK list that applies in England.
const DIVISION: &str = "england-and-wales";

/// How the notes of a day begin that nobody has proclaimed.
const BY_RULE: &str = "by rule";

#[derive(Deserialize)]
struct Division {
    events: Vec<Event>,
    coverage: Option<Coverage>,
}

#[derive(Deserialize)]
struct Event {
    title: String,
    date: String,
    /// Text in every list seen so far; nothing depends on it.
    #[serde(default)]
    notes: Value,
    /// Whatever else stands there, kept when the list is written again.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Event {
    fn is_by_rule(&self) -> bool {
        self.notes.as_str().is_some_and(|notes| notes.trim_start().starts_with(BY_RULE))
    }
}

#[derive(Deserialize)]
struct Coverage {
    from: String,
    to: String,
}

pub(super) fn read(file: &str, text: &str) -> Result<WorkingCalendar, Fault> {
    let division = division(file, text)?;
    let mut holidays = BTreeMap::new();
    let mut by_rule = Vec::new();
    for event in division.events {
        let day = day(file, text, &event.date)?;
        if event.is_by_rule() {
            by_rule.push(day);
        }
        if holidays.insert(day, event.title).is_some() {
            return Err(Fault::new(
                file,
                format!("{day} is listed twice"),
                "keep one line for each day",
            )
            .at_offset(text, last_place_of(text, &event.date)));
        }
    }
    let (covered_from, covered_until) = match division.coverage {
        Some(coverage) => (day(file, text, &coverage.from)?, day(file, text, &coverage.to)?),
        None => coverage_of(&holidays).ok_or_else(|| {
            Fault::new(file, "no holiday is listed", "list the bank holidays of each year")
        })?,
    };
    let mut calendar = WorkingCalendar::new(holidays, covered_from, covered_until);
    calendar.by_rule.extend(by_rule);
    Ok(calendar)
}

/// The text of a calendar file that holds a list and, by rule, the days that follow it to the end of a
/// year. Each of those says in its notes that nobody has proclaimed it; whatever else stands in the list
/// is kept. Other divisions than England's are left out.
///
/// # Errors
/// The first [`Fault`] of the list, or that it covers the year already.
pub fn extended(file: &str, text: &str, until: i16) -> Result<String, Fault> {
    let calendar = WorkingCalendar::from_json(file, text)?;
    let (from, to) = (calendar.covered_from(), calendar.covered_until());
    let last = super::last_of(until);
    if last <= to {
        return Err(Fault::new(
            file,
            format!("the calendar covers {until} already: it ends on {to}"),
            "name a later year",
        ));
    }
    let mut lines: Vec<(Date, String)> = Vec::new();
    for event in division(file, text)?.events {
        lines.push((day(file, text, &event.date)?, listed(event)));
    }
    let ruled = (to.year()..=until).flat_map(bank_holidays).filter(|holiday| holiday.day > to);
    lines.extend(ruled.map(|holiday| (holiday.day, expected(&holiday))));
    lines.sort();
    let events: Vec<String> = lines.into_iter().map(|(_, line)| format!("      {line}")).collect();
    let about = format!(
        "Bank and public holidays of England and Wales. Those whose notes say `{NOT_YET_PROCLAIMED}` \
         are expected: put them right, and clear the notes, when the year is proclaimed."
    );
    Ok(format!(
        "{{\n  {division}: {{\n    \"division\": {division},\n    \"coverage\": {{\"from\": \"{from}\", \
         \"to\": \"{last}\"}},\n    \"about\": {about},\n    \"events\": [\n{events}\n    ]\n  }}\n}}\n",
        division = json!(DIVISION),
        about = json!(about),
        events = events.join(",\n"),
    ))
}

/// An event of the list, on a line of its own.
fn listed(event: Event) -> String {
    let notes = if event.notes.is_null() { json!("") } else { event.notes };
    let first = [("title", json!(event.title)), ("date", json!(event.date)), ("notes", notes)];
    let first = first.into_iter().map(|(name, value)| (name.to_owned(), value));
    object(first.chain(event.more))
}

fn expected(holiday: &RuledHoliday) -> String {
    let notes = if holiday.substitute {
        format!("{NOT_YET_PROCLAIMED}; substitute day")
    } else {
        NOT_YET_PROCLAIMED.to_owned()
    };
    let fields = [
        ("title", json!(holiday.title)),
        ("date", json!(holiday.day.to_string())),
        ("notes", json!(notes)),
        ("bunting", json!(holiday.title != "Good Friday")),
        ("rule", json!(holiday.rule)),
    ];
    object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)))
}

/// An object with its fields in this order, as a JSON map would not keep them.
fn object(fields: impl IntoIterator<Item = (String, Value)>) -> String {
    let fields = fields.into_iter().map(|(name, value)| format!("{}: {value}", json!(name)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

fn division(file: &str, text: &str) -> Result<Division, Fault> {
    #[derive(Deserialize)]
    struct List {
        #[serde(rename = "england-and-wales")]
        england: Option<Division>,
    }
    // Some downloads begin with a byte order mark.
    let list: List =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
            let said = error.to_string();
            let what = said.split(" at line ").next().unwrap_or(&said);
            let mut fault = Fault::new(
                file,
                format!("not a bank holiday list: {what}"),
                "write the shape of GOV.UK's bank-holidays.json",
            );
            fault.at = Some((error.line(), error.column()));
            fault
        })?;
    list.england.ok_or_else(|| {
        Fault::new(
            file,
            format!("there is no `{DIVISION}` in it"),
            format!("name the list of days `{DIVISION}`"),
        )
    })
}

fn day(file: &str, text: &str, written: &str) -> Result<Date, Fault> {
    written.parse().map_err(|_| {
        Fault::new(file, format!("`{written}` is not a day"), "write it as YYYY-MM-DD")
            .at_offset(text, place_of(text, written))
    })
}

pub(super) fn place_of(text: &str, written: &str) -> usize {
    text.find(&format!("\"{written}\"")).unwrap_or(0)
}

fn last_place_of(text: &str, written: &str) -> usize {
    text.rfind(&format!("\"{written}\"")).unwrap_or(0)
}

/// What a list without `coverage` covers: from 1 January if New Year's Day or its substitute is
/// there, until 31 December if Christmas is; else no further than the days it names.
fn coverage_of(holidays: &BTreeMap<Date, String>) -> Option<(Date, Date)> {
    let (&first, _) = holidays.first_key_value()?;
    let (&last, _) = holidays.last_key_value()?;
    let from = if first.month() == 1 && first.day() <= 3 { first.first_of_year() } else { first };
    let until = if last.month() == 12 && last.day() >= 25 { last.last_of_year() } else { last };
    Some((from, until))
}
