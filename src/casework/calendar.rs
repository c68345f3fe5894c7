//! Working days, and how far the list of holidays reaches.
//!
//! SI 2006/1738 regulation 2: a working day is not a Saturday, a Sunday, Christmas Day, Good Friday
//! or a bank holiday under the Banking and Financial Dealings Act 1971.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::fault::Fault;

/// The division of the GOV.UK list that applies in England.
const DIVISION: &str = "england-and-wales";

/// England and Wales have had at least eight holidays a year since 1978: a year with fewer has
/// lost a line.
const FEWEST_A_YEAR: usize = 8;

/// A day on which the calendar cannot say whether the council works.
///
/// Nothing is promised for such a day: a holiday not yet announced could move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{day} is outside the bank holiday calendar, which covers {covered_from} to {covered_until}: \
     add the missing years to it"
)]
pub struct NotCovered {
    /// The first day asked for that is not covered.
    pub day: Date,
    /// The first day that is.
    pub covered_from: Date,
    /// The last day that is.
    pub covered_until: Date,
}

/// What sort of day a day is: the reason that a count passes over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayKind {
    /// The council works.
    Working,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
    /// A bank or public holiday on a weekday, with its title.
    Holiday(String),
}

impl std::fmt::Display for DayKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Working => "working day",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
            Self::Holiday(title) => title,
        })
    }
}

/// Which days the council works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingCalendar {
    holidays: BTreeMap<Date, String>,
    covered_from: Date,
    covered_until: Date,
    version: String,
}

impl WorkingCalendar {
    /// A calendar of the holidays given, sure of every day from `covered_from` to `covered_until`.
    pub fn new(
        holidays: impl IntoIterator<Item = (Date, String)>,
        covered_from: Date,
        covered_until: Date,
    ) -> Self {
        let holidays: BTreeMap<_, _> = holidays.into_iter().collect();
        let version = version_of(&holidays);
        Self { holidays, covered_from, covered_until, version }
    }

    /// The same with holidays proclaimed since.
    #[must_use]
    pub fn with_more(&self, proclaimed: impl IntoIterator<Item = (Date, String)>) -> Self {
        let all = self.holidays.clone().into_iter().chain(proclaimed);
        Self::new(all, self.covered_from, self.covered_until)
    }

    /// Reads the calendar from GOV.UK's bank holiday list, or a file of that shape.
    ///
    /// Unknown fields are passed over. Our own file says what it covers (`coverage`); for a list
    /// that does not, the whole of a year is covered only if its first and last holidays are there.
    ///
    /// # Errors
    /// The first [`Fault`]: not JSON, no `england-and-wales`, an impossible date, a day listed
    /// twice or outside the coverage, or a covered year with too few holidays to be whole.
    pub fn from_json(file: &str, text: &str) -> Result<Self, Fault> {
        let division = division(file, text)?;
        let mut holidays = BTreeMap::new();
        for event in division.events {
            let day = day(file, text, &event.date)?;
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
        let calendar = Self::new(holidays, covered_from, covered_until);
        calendar.check_whole(file, text)?;
        Ok(calendar)
    }

    fn check_whole(&self, file: &str, text: &str) -> Result<(), Fault> {
        let covered = self.covered_from..=self.covered_until;
        if let Some(day) = self.holidays.keys().find(|day| !covered.contains(day)) {
            return Err(Fault::new(
                file,
                format!(
                    "{day} is outside the coverage {} to {}",
                    self.covered_from, self.covered_until
                ),
                "widen `coverage` once the whole year is listed, or take the line out",
            )
            .at_offset(text, place_of(text, &day.to_string())));
        }
        for year in self.covered_from.year()..=self.covered_until.year() {
            let first = Date::constant(year, 1, 1);
            let last = Date::constant(year, 12, 31);
            let listed = self.holidays.range(first..=last).count();
            if covered.contains(&first) && covered.contains(&last) && listed < FEWEST_A_YEAR {
                return Err(Fault::new(
                    file,
                    format!("{year} has only {listed} holidays"),
                    format!(
                        "list every bank holiday of {year} (at least {FEWEST_A_YEAR}), or end the coverage before it"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Which list this is: the first twelve digits of the SHA-256 of its days and titles. Stored
    /// with each deadline, so that a due date can be worked out again as it was.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The first day the calendar is sure of.
    pub fn covered_from(&self) -> Date {
        self.covered_from
    }

    /// The last day the calendar is sure of.
    pub fn covered_until(&self) -> Date {
        self.covered_until
    }

    /// Calendar days from `today` to the last day covered; negative once that has passed. Under
    /// 120, an operator should be told to add the next year.
    pub fn days_left(&self, today: Date) -> i32 {
        (self.covered_until - today).get_days()
    }

    /// What sort of day `day` is.
    ///
    /// # Errors
    /// [`NotCovered`] if the calendar cannot say.
    pub fn day_kind(&self, day: Date) -> Result<DayKind, NotCovered> {
        self.check_covered(day)?;
        Ok(match (day.weekday(), self.holidays.get(&day)) {
            (Weekday::Saturday, _) => DayKind::Saturday,
            (Weekday::Sunday, _) => DayKind::Sunday,
            (_, Some(title)) => DayKind::Holiday(title.clone()),
            (_, None) => DayKind::Working,
        })
    }

    /// Whether the council works on `day`.
    ///
    /// # Errors
    /// [`NotCovered`] if the calendar cannot say.
    pub fn is_working_day(&self, day: Date) -> Result<bool, NotCovered> {
        self.check_covered(day)?;
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        Ok(!weekend && !self.holidays.contains_key(&day))
    }

    fn check_covered(&self, day: Date) -> Result<(), NotCovered> {
        if self.covered_from <= day && day <= self.covered_until {
            return Ok(());
        }
        let Self { covered_from, covered_until, .. } = *self;
        Err(NotCovered { day, covered_from, covered_until })
    }

    /// The `n`th working day after `from`, before it when `n` is negative, `from` itself when 0.
    ///
    /// # Errors
    /// [`NotCovered`] if a day on the way is not covered.
    pub fn add_working_days(&self, from: Date, n: i32) -> Result<Date, NotCovered> {
        let mut day = from;
        for _ in 0..n.unsigned_abs() {
            day = if n > 0 { self.next_working_day(day)? } else { self.previous_working_day(day)? };
        }
        Ok(day)
    }

    /// The first working day after `day`.
    ///
    /// # Errors
    /// [`NotCovered`] if a day on the way is not covered.
    pub fn next_working_day(&self, day: Date) -> Result<Date, NotCovered> {
        self.first_working_day(day, Date::tomorrow)
    }

    /// The last working day before `day`.
    ///
    /// # Errors
    /// [`NotCovered`] if a day on the way is not covered.
    pub fn previous_working_day(&self, day: Date) -> Result<Date, NotCovered> {
        self.first_working_day(day, Date::yesterday)
    }

    fn first_working_day(
        &self,
        from: Date,
        step: fn(self_: Date) -> Result<Date, jiff::Error>,
    ) -> Result<Date, NotCovered> {
        let mut day = from;
        loop {
            // The end of time itself stays put, and is then reported as not covered.
            day = step(day).unwrap_or(day);
            if self.is_working_day(day)? {
                return Ok(day);
            }
        }
    }

    /// How many working days lie after `a` up to and with `b`; negative when `b` is earlier.
    ///
    /// # Errors
    /// [`NotCovered`] if a day between them is not covered.
    pub fn working_days_between(&self, a: Date, b: Date) -> Result<i32, NotCovered> {
        if b < a {
            return Ok(-self.working_days_between(b, a)?);
        }
        let mut count = 0;
        let mut day = a;
        while day < b {
            day = day.tomorrow().unwrap_or(b);
            count += i32::from(self.is_working_day(day)?);
        }
        Ok(count)
    }
}

#[derive(Deserialize)]
struct Division {
    events: Vec<Event>,
    coverage: Option<Coverage>,
}

#[derive(Deserialize)]
struct Event {
    title: String,
    date: String,
}

#[derive(Deserialize)]
struct Coverage {
    from: String,
    to: String,
}

fn division(file: &str, text: &str) -> Result<Division, Fault> {
    #[derive(Deserialize)]
    struct List {
        #[serde(rename = "england-and-wales")]
        england: Option<Division>,
    }
    let list: List = serde_json::from_str(text).map_err(|error| {
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

fn place_of(text: &str, written: &str) -> usize {
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

fn version_of(holidays: &BTreeMap<Date, String>) -> String {
    let mut hash = Sha256::new();
    for (day, title) in holidays {
        hash.update(format!("{day} {title}\n"));
    }
    hash.finalize().iter().take(6).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const ENGLAND: &str = include_str!("../../rules/calendar/bank-holidays-england.json");

    fn england() -> WorkingCalendar {
        WorkingCalendar::from_json("bank-holidays-england.json", ENGLAND).unwrap()
    }

    fn fault(text: &str) -> String {
        WorkingCalendar::from_json("days.json", text).unwrap_err().to_string()
    }

    #[test]
    fn the_shipped_list_covers_2015_to_2027() {
        let calendar = england();
        assert_eq!(calendar.covered_from(), date(2015, 1, 1));
        assert_eq!(calendar.covered_until(), date(2027, 12, 31));
        assert_eq!(calendar.holidays.len(), 107);
        assert_eq!(calendar.days_left(date(2027, 12, 1)), 30);
    }

    #[test]
    fn each_report_year_has_its_known_number_of_working_days() {
        let known = [252, 255, 251, 253, 254, 253, 253, 251, 250, 254, 253, 251];
        for (year, expected) in (2015..).zip(known) {
            let count =
                england().working_days_between(date(year, 3, 31), date(year + 1, 3, 31)).unwrap();
            assert_eq!(count, expected, "{year}-{}", year + 1);
        }
    }

    #[test]
    fn a_day_says_why_it_is_not_worked() {
        let kind = |y, m, d| england().day_kind(date(y, m, d)).unwrap().to_string();
        assert_eq!(kind(2020, 5, 4), "working day");
        assert_eq!(kind(2020, 5, 8), "Early May bank holiday (VE day)");
        assert_eq!(kind(2023, 4, 7), "Good Friday");
        assert_eq!(kind(2021, 12, 25), "Saturday");
        assert_eq!(kind(2021, 12, 26), "Sunday");
    }

    #[test]
    fn counting_goes_both_ways() {
        let calendar = england();
        assert_eq!(calendar.add_working_days(date(2023, 4, 6), 1), Ok(date(2023, 4, 11)));
        assert_eq!(calendar.add_working_days(date(2023, 4, 11), -1), Ok(date(2023, 4, 6)));
        assert_eq!(calendar.add_working_days(date(2023, 4, 8), 0), Ok(date(2023, 4, 8)));
        assert_eq!(calendar.working_days_between(date(2023, 4, 6), date(2023, 4, 12)), Ok(2));
        assert_eq!(calendar.working_days_between(date(2023, 4, 12), date(2023, 4, 6)), Ok(-2));
    }

    #[test]
    fn no_day_is_promised_past_the_list() {
        let gap = england().add_working_days(date(2027, 12, 30), 2).unwrap_err();
        assert_eq!(gap.day, date(2028, 1, 1));
        assert!(england().is_working_day(date(2014, 12, 31)).is_err());
        assert!(england().add_working_days(Date::MAX, 1).is_err());
        assert!(england().add_working_days(Date::MIN, -1).is_err());
    }

    #[test]
    fn the_version_follows_the_days() {
        let fewer = ENGLAND.replace("the coronation of", "the crowning of");
        let other = WorkingCalendar::from_json("days.json", &fewer).unwrap();
        assert_eq!(england().version().len(), 12);
        assert_ne!(england().version(), other.version());
    }

    #[test]
    fn the_list_as_gov_uk_publishes_it_is_read() {
        let titles = [(1, 1), (4, 18), (4, 21), (5, 5), (5, 26), (8, 25), (12, 25), (12, 26)]
            .map(|(m, d)| {
                format!(
                    r#"{{"title":"x","date":"{}","notes":"","bunting":true}}"#,
                    date(2025, m, d)
                )
            })
            .join(",");
        let text = format!(
            r#"{{"england-and-wales":{{"division":"england-and-wales","events":[{titles}]}},
                "scotland":{{"division":"scotland","events":[]}}}}"#
        );
        let calendar = WorkingCalendar::from_json("bank-holidays.json", &text).unwrap();
        assert_eq!(calendar.covered_from(), date(2025, 1, 1));
        assert_eq!(calendar.covered_until(), date(2025, 12, 31));
        let cut = text
            .replace(r#","notes":"","bunting":true},{"title":"x","date":"2025-12-26""#, "")
            .replace("2025-12-25", "2025-08-26");
        let calendar = WorkingCalendar::from_json("bank-holidays.json", &cut).unwrap();
        assert_eq!(calendar.covered_until(), date(2025, 8, 26), "half a year is not a year");
    }

    #[test]
    fn a_wrong_list_is_refused_with_its_place_and_a_cure() {
        assert_eq!(
            fault(r#"{"scotland": {"events": []}}"#),
            "days.json: there is no `england-and-wales` in it; name the list of days `england-and-wales`"
        );
        assert!(fault("{\n\"england-and-wales\": [").starts_with("days.json, line 2, column"));
        let wrong = ENGLAND.replace("2023-05-08", "2023-05-38");
        let said = fault(&wrong);
        assert!(said.contains("`2023-05-38` is not a day; write it as YYYY-MM-DD"), "{said}");
        assert!(said.starts_with("days.json, line "), "{said}");
        let twice = ENGLAND.replace("2023-05-08", "2023-05-01");
        assert!(fault(&twice).contains("2023-05-01 is listed twice"));
        let beyond = ENGLAND.replace("\"to\": \"2027-12-31\"", "\"to\": \"2026-12-31\"");
        assert!(fault(&beyond).contains("2027-01-01 is outside the coverage"));
        let empty = ENGLAND.replace("\"to\": \"2027-12-31\"", "\"to\": \"2028-12-31\"");
        assert!(
            fault(&empty).contains("2028 has only 0 holidays; list every bank holiday of 2028")
        );
        assert!(fault(r#"{"england-and-wales": {"events": []}}"#).contains("no holiday is listed"));
    }
}
