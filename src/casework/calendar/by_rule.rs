//! The bank holidays of England and Wales of any year, by rule: what a year brings unless a
//! proclamation says otherwise (domain rules 4.1).
//!
//! Only Easter Monday, the last Mondays of May and August, 26 December (27 where 25 or 26 is a Sunday)
//! stand in the Banking and Financial Dealings Act 1971 (Schedule 1); Christmas Day and Good Friday are
//! holidays by common law. New Year's Day, the first Monday in May, every other substitute and every
//! special are proclaimed year by year, and a listed day may be moved: these days are an expectation.

use jiff::civil::{Date, Weekday};

/// What stands in an event's notes while nobody has proclaimed it.
pub const NOT_YET_PROCLAIMED: &str = "by rule, not yet proclaimed";

/// A day that a rule gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuledHoliday {
    /// The day off, a weekday.
    pub day: Date,
    /// As GOV.UK calls it.
    pub title: &'static str,
    /// Whether it stands for a day at a weekend.
    pub substitute: bool,
    /// The rule.
    pub rule: &'static str,
}

/// The eight bank holidays of a year, in order. Years before 1978 had other ones.
pub fn bank_holidays(year: i16) -> Vec<RuledHoliday> {
    let easter = easter_sunday(year);
    let fixed = |title, day, rule| RuledHoliday { day, title, substitute: false, rule };
    let mut days = vec![
        new_year(year),
        fixed("Good Friday", plus(easter, -2), "Friday before Easter Sunday"),
        fixed("Easter Monday", plus(easter, 1), "Monday after Easter Sunday"),
        fixed("Early May bank holiday", monday_from(year, 5, 1), "first Monday in May"),
        fixed("Spring bank holiday", monday_from(year, 5, 25), "last Monday in May"),
        fixed("Summer bank holiday", monday_from(year, 8, 25), "last Monday in August"),
    ];
    days.extend(christmas(year));
    days.sort_by_key(|holiday| holiday.day);
    days
}

/// Easter Sunday, by the Gregorian computus (Meeus, "Astronomical Algorithms", chapter 8).
pub fn easter_sunday(year: i16) -> Date {
    let year_number = i32::from(year);
    let (golden, century, of_century) =
        (year_number.rem_euclid(19), year_number.div_euclid(100), year_number.rem_euclid(100));
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    // Days after 22 March, the earliest Easter.
    let days = epact + weekday - 7 * late;
    plus(Date::constant(year, 3, 22), days)
}

fn new_year(year: i16) -> RuledHoliday {
    let first = Date::constant(year, 1, 1);
    let day = match first.weekday() {
        Weekday::Saturday => plus(first, 2),
        Weekday::Sunday => plus(first, 1),
        Weekday::Monday
        | Weekday::Tuesday
        | Weekday::Wednesday
        | Weekday::Thursday
        | Weekday::Friday => first,
    };
    RuledHoliday {
        day,
        title: "New Year’s Day",
        substitute: day != first,
        rule: "1 January; Saturday or Sunday moves to the next Monday",
    }
}

/// Christmas Day and Boxing Day, each on a weekday.
fn christmas(year: i16) -> [RuledHoliday; 2] {
    let day = |day: i8| Date::constant(year, 12, day);
    let one =
        |title, on: i8, substitute, rule| RuledHoliday { day: day(on), title, substitute, rule };
    let (christmas, boxing) = ("Christmas Day", "Boxing Day");
    match day(25).weekday() {
        Weekday::Friday => [
            one(christmas, 25, false, "25 December"),
            one(boxing, 28, true, "26 December on a Saturday: Monday 28"),
        ],
        Weekday::Saturday => [
            one(christmas, 27, true, "25 December on a Saturday: Monday 27"),
            one(boxing, 28, true, "26 December on a Sunday: Tuesday 28"),
        ],
        Weekday::Sunday => [
            one(boxing, 26, false, "26 December"),
            one(christmas, 27, true, "25 December on a Sunday: Tuesday 27"),
        ],
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday => {
            [one(christmas, 25, false, "25 December"), one(boxing, 26, false, "26 December")]
        }
    }
}

/// The first Monday on or after a day of a month: from the 1st the first, from the 25th the last of a
/// month of 31 days.
fn monday_from(year: i16, month: i8, day: i8) -> Date {
    let from = Date::constant(year, month, day);
    plus(from, i32::from((7 - from.weekday().to_monday_zero_offset()) % 7))
}

fn plus(day: Date, days: i32) -> Date {
    day.saturating_add(jiff::Span::new().days(days))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::casework::calendar::WorkingCalendar;

    const ENGLAND: &str = include_str!("../../../rules/calendar/bank-holidays-england.json");

    #[test]
    fn easter_is_where_almanacs_have_it() {
        for (year, month, day) in [
            (1818, 3, 22),
            (1943, 4, 25),
            (1954, 4, 18),
            (1981, 4, 19),
            (2000, 4, 23),
            (2008, 3, 23),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2028, 4, 16),
            (2029, 4, 1),
            (2038, 4, 25),
            (2049, 4, 18),
            (2285, 3, 22),
        ] {
            assert_eq!(easter_sunday(year), date(year, month, day));
        }
    }

    /// What proclamations made of 2015 to 2027, against the rules: days taken away, days given.
    const SPECIALS: &[(i16, &[&str], &[&str])] = &[
        // Early May moved to VE Day; the Monday was a working day.
        (
            2020,
            &["2020-05-04 Early May bank holiday"],
            &["2020-05-08 Early May bank holiday (VE day)"],
        ),
        // Spring moved for the Platinum Jubilee; the State Funeral.
        (
            2022,
            &["2022-05-30 Spring bank holiday"],
            &[
                "2022-06-02 Spring bank holiday",
                "2022-06-03 Platinum Jubilee bank holiday",
                "2022-09-19 Bank Holiday for the State Funeral of Queen Elizabeth II",
            ],
        ),
        (2023, &[], &["2023-05-08 Bank holiday for the coronation of King Charles III"]),
    ];

    #[test]
    fn the_shipped_list_is_what_the_rules_give_but_for_the_specials() {
        let calendar = WorkingCalendar::from_json("days.json", ENGLAND).unwrap();
        for year in 2015..=2027 {
            let listed: BTreeSet<String> = calendar
                .holidays_of(year)
                .map(|holiday| format!("{} {}", holiday.day, holiday.title))
                .collect();
            let ruled: BTreeSet<String> = bank_holidays(year)
                .iter()
                .map(|holiday| format!("{} {}", holiday.day, holiday.title))
                .collect();
            let special = SPECIALS.iter().find(|(special, _, _)| *special == year);
            let (taken, given) =
                special.map_or((&[][..], &[][..]), |(_, taken, given)| (*taken, *given));
            let told = |days: &mut dyn Iterator<Item = &String>| days.cloned().collect::<Vec<_>>();
            assert_eq!(told(&mut ruled.difference(&listed)), taken, "{year}");
            assert_eq!(told(&mut listed.difference(&ruled)), given, "{year}");
        }
    }

    #[test]
    fn every_year_has_eight_days_all_weekdays() {
        for year in 1978..=2199 {
            let days = bank_holidays(year);
            let different: BTreeSet<Date> = days.iter().map(|holiday| holiday.day).collect();
            assert_eq!(different.len(), 8, "{year}");
            for holiday in days {
                let weekend = matches!(holiday.day.weekday(), Weekday::Saturday | Weekday::Sunday);
                assert!(!weekend, "{holiday:?}");
            }
        }
    }

    #[test]
    fn a_substitute_says_so() {
        let told = |year: i16| {
            let days = bank_holidays(year);
            let moved = days.into_iter().filter(|holiday| holiday.substitute);
            moved.map(|holiday| format!("{} {}", holiday.day, holiday.title)).collect::<Vec<_>>()
        };
        assert_eq!(told(2021), ["2021-12-27 Christmas Day", "2021-12-28 Boxing Day"]);
        assert_eq!(told(2022), ["2022-01-03 New Year’s Day", "2022-12-27 Christmas Day"]);
        assert_eq!(told(2028), ["2028-01-03 New Year’s Day"]);
        assert_eq!(told(2026), ["2026-12-28 Boxing Day"]);
        assert_eq!(told(2029), Vec::<String>::new());
    }
}
