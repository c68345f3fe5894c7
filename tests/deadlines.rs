//! Due dates against 600 answers that three independent calendars agreed on, the worked examples,
//! and what must hold for every sum.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};
use postern::casework::calendar::WorkingCalendar;
use postern::casework::deadline::{StartRule, due, due_from, parse_received};
use proptest::prelude::*;

static CALENDAR: LazyLock<WorkingCalendar> = LazyLock::new(|| {
    let file = "rules/calendar/bank-holidays-england.json";
    WorkingCalendar::from_json(file, &std::fs::read_to_string(file).unwrap()).unwrap()
});

fn due_on(received: &str, rule: &str, n: u16) -> Date {
    let received_at: Timestamp = received.parse().unwrap();
    due(&CALENDAR, received_at, rule.parse().unwrap(), n).unwrap().due_on
}

#[test]
fn six_hundred_due_dates_agree_with_three_other_calendars() {
    let rows = std::fs::read_to_string("tests/working-day-cases.csv").unwrap();
    let mut count = 0;
    for row in rows.lines().skip(1) {
        let [received, rule, n, expected] =
            row.splitn(5, ',').take(4).collect::<Vec<_>>().try_into().expect("four columns");
        let got = due_on(received, rule, n.parse().unwrap());
        assert_eq!(got.to_string(), expected, "{row}");
        count += 1;
    }
    assert_eq!(count, 600);
}

/// An example's name, receipt, rule, and due date for each number of days.
type Example = (&'static str, &'static str, &'static str, &'static [(u16, &'static str)]);

#[test]
fn worked_examples() {
    let examples: &[Example] = &[
        ("W1", "2021-06-01T10:15:00+01:00", "day_after", &[(3, "2021-06-04"), (20, "2021-06-29")]),
        (
            "W2",
            "2020-12-18T23:59:00+00:00",
            "day_after",
            &[(3, "2020-12-23"), (10, "2021-01-06"), (20, "2021-01-20")],
        ),
        (
            "W2b",
            "2020-12-18T23:59:00+00:00",
            "deemed_next_wd_1700",
            &[(3, "2020-12-24"), (10, "2021-01-07"), (20, "2021-01-21")],
        ),
        ("W3", "2021-12-25T07:00:00+00:00", "day_after", &[(3, "2021-12-31"), (20, "2022-01-26")]),
        (
            "W3b",
            "2021-12-25T07:00:00+00:00",
            "deemed_next_wd",
            &[(3, "2022-01-04"), (20, "2022-01-27")],
        ),
        (
            "W4",
            "2023-04-06T18:30:00+01:00",
            "day_after",
            &[(3, "2023-04-13"), (20, "2023-05-10"), (65, "2023-07-13")],
        ),
        ("W5", "2022-06-01T17:00:00+01:00", "day_after", &[(3, "2022-06-08"), (20, "2022-07-01")]),
        (
            "W6",
            "2022-09-16T23:59:59+01:00",
            "day_after",
            &[(3, "2022-09-22"), (10, "2022-10-03"), (20, "2022-10-17")],
        ),
        ("W7", "2022-09-19T11:00:00+01:00", "day_after", &[(3, "2022-09-22"), (20, "2022-10-17")]),
        ("W8", "2023-05-06T12:00:00+01:00", "day_after", &[(3, "2023-05-11"), (20, "2023-06-06")]),
        (
            "W9",
            "2020-05-04T09:30:00+01:00",
            "day_after",
            &[(1, "2020-05-05"), (3, "2020-05-07"), (20, "2020-06-03")],
        ),
        ("W10", "2024-03-31T12:00:00+01:00", "day_after", &[(3, "2024-04-04"), (20, "2024-04-29")]),
        // Sunday 23:30 by UTC: by the UTC date each answer would be a day early.
        ("W11", "2021-06-07T00:30:00+01:00", "day_after", &[(3, "2021-06-10"), (20, "2021-07-05")]),
        ("W12", "2021-10-31T01:30:00+00:00", "day_after", &[(3, "2021-11-03"), (20, "2021-11-26")]),
        ("W12", "2021-10-31T01:30:00+01:00", "day_after", &[(3, "2021-11-03"), (20, "2021-11-26")]),
        (
            "W13",
            "2026-12-24T09:00:00+00:00",
            "day_after",
            &[(3, "2026-12-31"), (10, "2027-01-12"), (20, "2027-01-26")],
        ),
        (
            "W14",
            "2022-04-07T09:00:00+01:00",
            "day_after",
            &[(10, "2022-04-25"), (20, "2022-05-10")],
        ),
    ];
    for (id, received, rule, dues) in examples {
        for (n, expected) in *dues {
            assert_eq!(due_on(received, rule, *n).to_string(), *expected, "{id}, {n} days");
        }
    }
}

#[test]
fn a_sum_that_runs_past_the_calendar_is_refused() {
    // E1: the right answer, 20 January 2028, needs the holidays of 2028.
    let received = "2027-12-20T09:00:00+00:00".parse().unwrap();
    let gap = due(&CALENDAR, received, StartRule::DayAfter, 20).unwrap_err();
    assert_eq!(gap.covered_until, date(2027, 12, 31));
    assert_eq!(
        gap.to_string(),
        "2028-01-01 is outside the bank holiday calendar, which covers 2015-01-01 to 2027-12-31: \
         add the missing years to it, as they are proclaimed or by rule \
         (`postern calendar extend --until 2028`)"
    );
}

#[test]
fn an_instant_and_its_local_time_give_the_same_sum() {
    let instant = "2021-06-06T23:30:00Z";
    let local = parse_received(instant).unwrap();
    assert_eq!(
        due(&CALENDAR, instant.parse().unwrap(), StartRule::DayAfter, 5),
        due_from(&CALENDAR, local, StartRule::DayAfter, 5)
    );
}

/// Any day from 2016 to 2025, and a time of day.
fn any_day() -> impl Strategy<Value = Date> {
    (0..3653_i32).prop_map(|days| date(2016, 1, 1).saturating_add(days.days()))
}

fn any_rule() -> impl Strategy<Value = StartRule> {
    prop::sample::select(StartRule::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_due_date_is_a_working_day_n_after_receipt(day in any_day(), hour in 0..24_i8, n in 1..70_u16) {
        let deadline = due_from(&CALENDAR, day.at(hour, 0, 0, 0), StartRule::DayAfter, n).unwrap();
        prop_assert!(CALENDAR.is_working_day(deadline.due_on).unwrap());
        prop_assert_eq!(CALENDAR.working_days_between(day, deadline.due_on), Ok(i32::from(n)));
        prop_assert_eq!(CALENDAR.add_working_days(day, n.into()), Ok(deadline.due_on));
    }

    #[test]
    fn a_longer_limit_goes_on_from_a_shorter(day in any_day(), rule in any_rule(), n in 1..40_u16, m in 0..40_u16) {
        let at = day.at(9, 0, 0, 0);
        let first = due_from(&CALENDAR, at, rule, n).unwrap().due_on;
        let both = due_from(&CALENDAR, at, rule, n + m).unwrap().due_on;
        prop_assert_eq!(CALENDAR.add_working_days(first, m.into()), Ok(both));
    }

    #[test]
    fn who_writes_later_is_never_answered_earlier(
        a in any_day(), hour_a in 0..24_i8, later in 0..100_i32, hour_b in 0..24_i8,
        rule in any_rule(), n in 1..70_u16,
    ) {
        let (a, b) = (a.at(hour_a, 0, 0, 0), a.saturating_add(later.days()).at(hour_b, 0, 0, 0));
        let (early, late) = (a.min(b), a.max(b));
        let early = due_from(&CALENDAR, early, rule, n).unwrap().due_on;
        prop_assert!(early <= due_from(&CALENDAR, late, rule, n).unwrap().due_on);
    }

    #[test]
    fn one_more_holiday_never_makes_it_earlier(
        day in any_day(), off in 0..100_i32, rule in any_rule(), n in 1..40_u16,
    ) {
        let fresh = day.saturating_add(off.days());
        let mut holidays = listed();
        holidays.push((fresh, "A day off".to_owned()));
        let fuller = WorkingCalendar::new(holidays, CALENDAR.covered_from(), CALENDAR.covered_until());
        let at = day.at(9, 0, 0, 0);
        prop_assert!(
            due_from(&CALENDAR, at, rule, n).unwrap().due_on
                <= due_from(&fuller, at, rule, n).unwrap().due_on
        );
    }

    #[test]
    fn only_a_cut_off_minds_the_time_of_day(day in any_day(), hour in 0..24_i8, minute in 0..60_i8, n in 1..40_u16) {
        for rule in [StartRule::DayAfter, StartRule::DeemedNextWd, StartRule::Inclusive] {
            let noon = due_from(&CALENDAR, day.at(12, 0, 0, 0), rule, n).unwrap();
            prop_assert_eq!(&noon, &due_from(&CALENDAR, day.at(hour, minute, 0, 0), rule, n).unwrap());
        }
    }

    #[test]
    fn the_steps_are_every_day_and_count_to_n(day in any_day(), hour in 0..24_i8, rule in any_rule(), n in 1..40_u16) {
        let deadline = due_from(&CALENDAR, day.at(hour, 0, 0, 0), rule, n).unwrap();
        let steps = &deadline.steps;
        prop_assert_eq!(steps[0].date, day);
        prop_assert_eq!(steps[steps.len() - 1].date, deadline.due_on);
        prop_assert_eq!(steps[steps.len() - 1].counted, Some(n));
        for pair in steps.windows(2) {
            prop_assert_eq!(pair[1].date, pair[0].date.tomorrow().unwrap());
        }
        let counts: Vec<u16> = steps.iter().filter_map(|step| step.counted).collect();
        prop_assert!(counts.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }
}

fn listed() -> Vec<(Date, String)> {
    date(2015, 1, 1)
        .series(1.day())
        .take_while(|day| *day <= CALENDAR.covered_until())
        .filter(|day| !CALENDAR.is_working_day(*day).unwrap())
        .map(|day| (day, "closed".to_owned()))
        .collect()
}
