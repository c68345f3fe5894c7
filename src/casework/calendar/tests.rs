//! The shipped list, lists as people write them, and counting.

use jiff::civil::date;

use super::*;

const ENGLAND: &str = include_str!("../../../rules/calendar/bank-holidays-england.json");

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
            format!(r#"{{"title":"x","date":"{}","notes":"","bunting":true}}"#, date(2025, m, d))
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
    assert!(fault(&empty).contains("2028 has only 0 holidays; list every bank holiday of 2028"));
    assert!(fault(r#"{"england-and-wales": {"events": []}}"#).contains("no holiday is listed"));
}

/// A list as GOV.UK publishes it: divisions, notes, no coverage. The days are invented.
fn gov_uk(until: i16) -> String {
    let line = |title: &str, day: String, notes: &str| {
        format!(r#"{{"title":"{title}","date":"{day}","notes":"{notes}","bunting":true}}"#)
    };
    let mut days = Vec::new();
    for year in 2025..=until {
        for holiday in by_rule::bank_holidays(year) {
            let notes = if holiday.substitute { "Substitute day" } else { "" };
            days.push(line(holiday.title, holiday.day.to_string(), notes));
        }
    }
    let days = days.join(",");
    format!(
        r#"{{"england-and-wales":{{"division":"england-and-wales","events":[{days}]}},
            "northern-ireland":{{"division":"northern-ireland","events":[]}}}}"#
    )
}

fn read(text: &str) -> WorkingCalendar {
    WorkingCalendar::from_json("days.json", text).unwrap()
}

#[test]
fn notes_are_read_whatever_stands_there() {
    let list = gov_uk(2026);
    let odd = list
        .replacen(r#""notes":"","#, "", 1)
        .replacen(r#""notes":"""#, r#""notes":null"#, 1)
        .replacen(r#""notes":"""#, r#""notes":["x"]"#, 1);
    assert_eq!(read(&odd), read(&list));
    assert_eq!(read(&format!("\u{feff}{list}")), read(&list), "a byte order mark");
    assert!(read(&list).years_by_rule().is_empty(), "a substitute is proclaimed like any other");
}

#[test]
fn a_list_is_extended_by_rule_and_says_so() {
    let text = extended("days.json", ENGLAND, 2030).unwrap();
    let (before, longer) = (england(), read(&text));
    assert_eq!(longer.covered_from(), before.covered_from());
    assert_eq!(longer.covered_until(), date(2030, 12, 31));
    assert_eq!(longer.years_by_rule(), [2028, 2029, 2030]);
    for year in 2015..=2027 {
        let days = |calendar: &WorkingCalendar| {
            calendar
                .holidays_of(year)
                .map(|one| (one.day, one.title.to_owned()))
                .collect::<Vec<_>>()
        };
        assert_eq!(days(&longer), days(&before), "{year}");
    }
    // Example E1 with the holidays of 2028.
    assert_eq!(longer.add_working_days(date(2027, 12, 20), 20), Ok(date(2028, 1, 20)));
    assert!(text.contains(
        r#""date": "2028-01-03", "notes": "by rule, not yet proclaimed; substitute day""#
    ));
    assert!(text.contains(r#""rule": "26 December on a Saturday: Monday 28""#), "ours is kept");
    // Once more, further.
    let further = read(&extended("days.json", &text, 2031).unwrap());
    assert_eq!(further.years_by_rule(), [2028, 2029, 2030, 2031]);
    // A year of which a line was proclaimed is not proclaimed whole.
    let proclaimed = text.replacen(r#""by rule, not yet proclaimed; substitute day""#, r#""""#, 1);
    assert_eq!(read(&proclaimed).years_by_rule(), [2028, 2029, 2030]);
    let said = extended("days.json", ENGLAND, 2027).unwrap_err().to_string();
    let told =
        "days.json: the calendar covers 2027 already: it ends on 2027-12-31; name a later year";
    assert_eq!(said, told);
}

#[test]
fn a_list_that_ends_within_a_year_is_filled_up() {
    let cut = gov_uk(2026).replace("2026-12-25", "2026-08-27").replace("2026-12-28", "2026-08-28");
    let calendar = read(&cut);
    assert_eq!(calendar.covered_until(), date(2026, 8, 31));
    let longer = read(&extended("days.json", &cut, 2027).unwrap());
    assert_eq!(longer.years_by_rule(), [2026, 2027]);
    assert!(longer.is_working_day(date(2026, 12, 24)).unwrap());
    assert!(!longer.is_working_day(date(2026, 12, 28)).unwrap());
}

#[test]
fn a_count_through_a_year_by_rule_says_so() {
    let longer = read(&extended("days.json", ENGLAND, 2029).unwrap());
    assert!(longer.warnings(date(2027, 1, 4), date(2027, 12, 31)).is_empty());
    let said = longer.warnings(date(2027, 12, 20), date(2028, 1, 20));
    assert_eq!(
        said,
        [
            "the bank holidays of 2028 are by rule, not proclaimed yet: a proclamation may move this date"
        ]
    );
    let more = longer.with_more([(date(2028, 6, 2), "A special".to_owned())]);
    assert_eq!(more.years_by_rule(), [2028, 2029]);
}
