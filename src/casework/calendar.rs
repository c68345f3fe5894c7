//! Working days, and how far the list of holidays reaches.
//!
//! SI 2006/1738 regulation 2: a working day is not a Saturday, a Sunday, Christmas Day, Good Friday
//! or a bank holiday under the Banking and Financial Dealings Act 1971.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use sha2::{Digest, Sha256};

use crate::fault::Fault;

pub mod by_rule;
mod file;

pub use file::extended;

/// England and Wales have had at least eight holidays a year since 1978: a year with fewer has
/// lost a line.
const FEWEST_A_YEAR: usize = 8;

/// A day on which the calendar cannot say whether the council works.
///
/// Nothing is promised for such a day: a holiday not yet announced could move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{day} is outside the bank holiday calendar, which covers {covered_from} to {covered_until}: \
     {}",
    cure(*day, *covered_until)
)]
pub struct NotCovered {
    /// The first day asked for that is not covered.
    pub day: Date,
    /// The first day that is.
    pub covered_from: Date,
    /// The last day that is.
    pub covered_until: Date,
}

fn cure(day: Date, covered_until: Date) -> String {
    if day <= covered_until {
        return "add the missing years to it".to_owned();
    }
    format!(
        "add the missing years to it, as they are proclaimed or by rule \
         (`postern calendar extend --until {}`)",
        day.year()
    )
}

/// A bank or public holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday<'a> {
    /// The day off.
    pub day: Date,
    /// Its title.
    pub title: &'a str,
    /// Whether it is expected by rule and not proclaimed yet.
    pub by_rule: bool,
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
    /// Those of them that nobody has proclaimed yet.
    by_rule: BTreeSet<Date>,
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
        Self { holidays, by_rule: BTreeSet::new(), covered_from, covered_until, version }
    }

    /// The same with holidays proclaimed since.
    #[must_use]
    pub fn with_more(&self, proclaimed: impl IntoIterator<Item = (Date, String)>) -> Self {
        let all = self.holidays.clone().into_iter().chain(proclaimed);
        let fuller = Self::new(all, self.covered_from, self.covered_until);
        Self { by_rule: self.by_rule.clone(), ..fuller }
    }

    /// Reads the calendar from GOV.UK's bank holiday list, or a file of that shape.
    ///
    /// Unknown fields are passed over. Our own file says what it covers (`coverage`); for a list
    /// that does not, the whole of a year is covered only if its first and last holidays are there.
    /// A day whose notes begin with `by rule` is expected, not proclaimed.
    ///
    /// # Errors
    /// The first [`Fault`]: not JSON, no `england-and-wales`, an impossible date, a day listed
    /// twice or outside the coverage, or a covered year with too few holidays to be whole.
    pub fn from_json(file: &str, text: &str) -> Result<Self, Fault> {
        let calendar = file::read(file, text)?;
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
            .at_offset(text, file::place_of(text, &day.to_string())));
        }
        for year in self.covered_from.year()..=self.covered_until.year() {
            let (first, last) = (first_of(year), last_of(year));
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

    /// The holidays of a year, in order; those at a weekend too, if they are listed.
    pub fn holidays_of(&self, year: i16) -> impl Iterator<Item = Holiday<'_>> {
        self.holidays.range(first_of(year)..=last_of(year)).map(|(&day, title)| Holiday {
            day,
            title,
            by_rule: self.by_rule.contains(&day),
        })
    }

    /// The years of which some day is by rule and not proclaimed.
    pub fn years_by_rule(&self) -> Vec<i16> {
        self.years_by_rule_between(self.covered_from, self.covered_until)
    }

    fn years_by_rule_between(&self, from: Date, to: Date) -> Vec<i16> {
        (from.year()..=to.year())
            .filter(|&year| self.by_rule.range(first_of(year)..=last_of(year)).next().is_some())
            .collect()
    }

    /// What somebody should know who relies on a count from one day to another: which of its years
    /// are by rule and not proclaimed. Nothing where all are proclaimed.
    pub fn warnings(&self, from: Date, to: Date) -> Vec<String> {
        let warn = |year| {
            format!(
                "the bank holidays of {year} are by rule, not proclaimed yet: a proclamation may \
                 move this date"
            )
        };
        self.years_by_rule_between(from, to).into_iter().map(warn).collect()
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

fn first_of(year: i16) -> Date {
    Date::constant(year, 1, 1)
}

fn last_of(year: i16) -> Date {
    Date::constant(year, 12, 31)
}

fn version_of(holidays: &BTreeMap<Date, String>) -> String {
    let mut hash = Sha256::new();
    for (day, title) in holidays {
        hash.update(format!("{day} {title}\n"));
    }
    hash.finalize().iter().take(6).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests;
