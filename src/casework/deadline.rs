//! Due dates in working days, and the steps of the sum.
//!
//! Every due date of the product comes from here: the acknowledgement, the console, the reminders
//! and the report show the same day because they ask the same function.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, time};
use serde::Serialize;

use super::calendar::{DayKind, NotCovered, WorkingCalendar};
use super::vocabulary::vocabulary;
use crate::clock::london;

vocabulary! {
    /// When a clock starts. Each case stores the rule it was counted by, for councils differ and
    /// a change of policy must not move a promise.
    StartRule {
        /// The day of receipt is day 0, whatever day it is; the next working day is day 1.
        DayAfter = "day_after", "the working day after receipt is day 1";
        /// Received on a closed day counts as received on the next working day, which is day 0.
        DeemedNextWd = "deemed_next_wd", "received on a closed day counts as the next working day";
        /// The same, and also for what comes at or after 17:00 in London.
        DeemedNextWd1700 = "deemed_next_wd_1700", "received on a closed day, or from 17:00, counts as the next working day";
        /// The day of receipt is day 1 if it is a working day.
        Inclusive = "inclusive", "the day of receipt is day 1 if the council works";
    }
}

/// A due date with the sum that led to it. As JSON, `due` is the date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deadline {
    /// The day of receipt in London.
    pub received_on: Date,
    /// How the start was found.
    pub start_rule: StartRule,
    /// How many working days were given.
    pub working_days: u16,
    /// The day by whose end it is due.
    #[serde(rename = "due")]
    pub due_on: Date,
    /// Every day from receipt to due date, in order.
    pub steps: Vec<Step>,
    /// Which list of holidays it was counted by ([`WorkingCalendar::version`]).
    pub calendar_version: String,
    /// What may still move the date ([`WorkingCalendar::warnings`]).
    pub warnings: Vec<String>,
}

/// One day of a sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Step {
    /// The day.
    pub date: Date,
    /// Its number in the count; `None` for a day that does not count.
    pub counted: Option<u16>,
    /// Why it counts or not: `working day`, `Saturday`, a holiday's title, `received`.
    pub why: String,
}

/// The day by whose end something is due that takes `n` working days from a moment of receipt.
///
/// The moment becomes a day in London, never by UTC: 23:30 UTC on a summer Sunday is Monday. With
/// `n` 0 the answer is the day on which the count starts.
///
/// # Errors
/// [`NotCovered`] if the count leaves the calendar: no date is promised that a holiday not yet
/// announced could move.
///
/// # Example: twenty working days across Easter and three May holidays
/// ```
/// use postern::casework::{calendar::WorkingCalendar, deadline::{StartRule, due}};
///
/// let text = include_str!("../../rules/calendar/bank-holidays-england.json");
/// let calendar = WorkingCalendar::from_json("bank-holidays-england.json", text).unwrap();
/// let received_at = "2023-04-06T18:30:00+01:00".parse().unwrap();
/// let deadline = due(&calendar, received_at, StartRule::DayAfter, 20).unwrap();
/// assert_eq!(deadline.due_on.to_string(), "2023-05-10");
/// ```
pub fn due(
    calendar: &WorkingCalendar,
    received_at: Timestamp,
    rule: StartRule,
    n: u16,
) -> Result<Deadline, NotCovered> {
    due_from(calendar, received_at.to_zoned(london()).datetime(), rule, n)
}

/// The same, from the day and time that the clocks in London showed.
///
/// # Errors
/// As [`due`].
pub fn due_from(
    calendar: &WorkingCalendar,
    received: DateTime,
    rule: StartRule,
    n: u16,
) -> Result<Deadline, NotCovered> {
    let mut steps = start(calendar, received, rule)?;
    let (mut day, mut counted) =
        steps.last().map_or((received.date(), 0), |step| (step.date, step.counted.unwrap_or(0)));
    while counted < n {
        // Past the last day of all, the calendar refuses it.
        day = day.tomorrow().unwrap_or(day);
        let kind = calendar.day_kind(day)?;
        let works = kind == DayKind::Working;
        counted += u16::from(works);
        steps.push(Step { date: day, counted: works.then_some(counted), why: kind.to_string() });
    }
    Ok(Deadline {
        received_on: received.date(),
        start_rule: rule,
        working_days: n,
        due_on: day,
        steps,
        calendar_version: calendar.version().to_owned(),
        warnings: calendar.warnings(received.date(), day),
    })
}

/// The days from receipt up to the one that the count starts from (day 0, or day 1 by
/// [`StartRule::Inclusive`]).
pub(super) fn start(
    calendar: &WorkingCalendar,
    received: DateTime,
    rule: StartRule,
) -> Result<Vec<Step>, NotCovered> {
    let received_on = received.date();
    let kind = calendar.day_kind(received_on)?;
    let works = kind == DayKind::Working;
    let late = received.time() >= time(17, 0, 0, 0);
    let not_counted = match rule {
        StartRule::DeemedNextWd | StartRule::DeemedNextWd1700 if !works => {
            let article = if matches!(kind, DayKind::Holiday(_)) { "" } else { "a " };
            format!("received on {article}{kind}")
        }
        StartRule::DeemedNextWd1700 if late => "received at or after 17:00".to_owned(),
        StartRule::DayAfter
        | StartRule::DeemedNextWd
        | StartRule::DeemedNextWd1700
        | StartRule::Inclusive => {
            let counted = u16::from(works && rule == StartRule::Inclusive);
            return Ok(vec![Step {
                date: received_on,
                counted: Some(counted),
                why: "received".to_owned(),
            }]);
        }
    };
    let mut steps = vec![Step { date: received_on, counted: None, why: not_counted }];
    let mut day = received_on;
    loop {
        day = day.tomorrow().unwrap_or(day);
        let kind = calendar.day_kind(day)?;
        if kind == DayKind::Working {
            steps.push(Step { date: day, counted: Some(0), why: "taken as received".to_owned() });
            return Ok(steps);
        }
        steps.push(Step { date: day, counted: None, why: kind.to_string() });
    }
}

/// What a person may write for a moment of receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a moment: write a day (2026-12-24), a day and time in London \
     (2026-12-24T09:30), or one with its offset (2026-12-24T09:30:00Z)"
)]
pub struct NotAMoment(String);

/// Reads a moment of receipt as London's clocks showed it: a day (taken as its noon), a local day
/// and time, or an instant with an offset.
///
/// # Errors
/// [`NotAMoment`] with what could have been written.
pub fn parse_received(text: &str) -> Result<DateTime, NotAMoment> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.to_zoned(london()).datetime());
    }
    if let Ok(zoned) = text.parse::<jiff::Zoned>() {
        return Ok(zoned.with_time_zone(london()).datetime());
    }
    // Only a bare day is taken as its noon: "2026-12-24" is before any cut-off.
    if text.len() <= "2026-12-24".len()
        && let Ok(day) = text.parse::<Date>()
    {
        return Ok(day.at(12, 0, 0, 0));
    }
    text.parse::<DateTime>().map_err(|_| NotAMoment(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_london_saw_it() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parse_received(text).unwrap().to_string(), expected, "{text}");
        };
        check("2021-06-06T23:30:00Z", "2021-06-07T00:30:00");
        check("2021-06-07T00:30:00+01:00", "2021-06-07T00:30:00");
        check("2021-06-07T00:30", "2021-06-07T00:30:00");
        check("2021-06-07 17:00", "2021-06-07T17:00:00");
        check("2021-06-07", "2021-06-07T12:00:00");
        check("2021-06-07T00:30[America/New_York]", "2021-06-07T05:30:00");
        let said = parse_received("7 June").unwrap_err().to_string();
        assert!(said.contains("`7 June` is not a moment: write a day"), "{said}");
    }

    #[test]
    fn as_json_it_has_due_and_steps() {
        let text = include_str!("../../rules/calendar/bank-holidays-england.json");
        let calendar = WorkingCalendar::from_json("days.json", text).unwrap();
        let received = parse_received("2021-06-04").unwrap();
        let deadline = due_from(&calendar, received, StartRule::DayAfter, 1).unwrap();
        let json = serde_json::to_value(&deadline).unwrap();
        assert_eq!(json["due"], "2021-06-07");
        assert_eq!(json["start_rule"], "day_after");
        assert_eq!(
            json["steps"][1],
            serde_json::json!({"date": "2021-06-05", "counted": null, "why": "Saturday"})
        );
    }
}
