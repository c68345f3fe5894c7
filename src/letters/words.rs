//! Dates and spans as people say them: `Friday 4 December 2026`, `6 working days late`.

use jiff::{ToSpan, civil::Date};
use serde::{Serialize, Serializer};

/// A day that a letter names: written in full, with its weekday, never in figures alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InFull(pub Date);

/// A day in a list, under a heading that says the rest: `4 December`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InList(pub Date);

impl std::fmt::Display for InFull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.strftime("%A %-d %B %Y"))
    }
}

impl std::fmt::Display for InList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.strftime("%-d %B"))
    }
}

impl Serialize for InFull {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for InList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<Date> for InFull {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl From<Date> for InList {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

/// `Friday 4 December 2026` as a subject has it: `Friday 4 December`.
pub fn without_year(words: &str) -> String {
    match words.rsplit_once(' ') {
        Some((day, year)) if year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) => {
            day.to_owned()
        }
        _ => words.to_owned(),
    }
}

/// `1 complaint`, `2 complaints`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How far off a due day is, after the word "Answer" or alone: `due in 3 working days`,
/// `due tomorrow`, `due today`, `6 working days late`.
///
/// `working_days_left` is negative once the day has passed; today's and tomorrow's dates are
/// compared by the calendar, so that Monday is not "tomorrow" on a Friday.
pub fn due_words(today: Date, due: Date, working_days_left: i32) -> String {
    match near(today, due) {
        Some(words) => words.to_owned(),
        None if due < today => late(working_days_left, "working day", "working days"),
        None => format!("due in {}", days(working_days_left, "working day", "working days")),
    }
}

/// The same in a list under a heading that says working days: `in 6 days`, `6 days late`.
pub fn list_words(today: Date, due: Date, working_days_left: i32) -> String {
    match near(today, due) {
        Some(words) => words.to_owned(),
        None if due < today => late(working_days_left, "day", "days"),
        None => format!("in {}", days(working_days_left, "day", "days")),
    }
}

fn near(today: Date, due: Date) -> Option<&'static str> {
    if due == today {
        Some("due today")
    } else if due == today.saturating_add(1.day()) {
        Some("due tomorrow")
    } else {
        None
    }
}

// A weekend day after the due day is zero working days past it, and late all the same.
fn late(working_days_left: i32, one: &str, many: &str) -> String {
    match working_days_left {
        0 => "late".to_owned(),
        left => format!("{} late", days(left, one, many)),
    }
}

fn days(number: i32, one: &str, many: &str) -> String {
    count(usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX), one, many)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_is_written_with_its_weekday_and_year() {
        assert_eq!(InFull(date(2026, 12, 4)).to_string(), "Friday 4 December 2026");
        assert_eq!(InList(date(2026, 12, 4)).to_string(), "4 December");
        assert_eq!(without_year("Friday 4 December 2026"), "Friday 4 December");
        assert_eq!(without_year("soon"), "soon");
    }

    #[test]
    fn time_left_is_said_as_people_say_it() {
        let friday = date(2026, 11, 20);
        let check = |due, left, long: &str, short: &str| {
            assert_eq!(due_words(friday, due, left), long);
            assert_eq!(list_words(friday, due, left), short);
        };
        check(friday, 0, "due today", "due today");
        check(date(2026, 11, 21), 0, "due tomorrow", "due tomorrow");
        check(date(2026, 11, 23), 1, "due in 1 working day", "in 1 day");
        check(date(2026, 11, 25), 3, "due in 3 working days", "in 3 days");
        check(date(2026, 11, 19), -1, "1 working day late", "1 day late");
        check(date(2026, 11, 12), -6, "6 working days late", "6 days late");
        check(date(2026, 11, 19), 0, "late", "late");
    }
}
