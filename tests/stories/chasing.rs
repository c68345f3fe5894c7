//! The ladder of reminders, day by day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Span;
use jiff::civil::{Date, Weekday};

use super::support::council::{Council, Reminder};
use super::{SEN, TRANSPORT, mail, sink};

/// Two cases of one service and one of another, and nobody ever answers.
async fn three_cases() -> Council {
    let mut council = Council::with(sink().await);
    council.serve();
    for (name, text) in [("ann", TRANSPORT), ("ben", TRANSPORT), ("cas", SEN)] {
        council.receives(&mail(&format!("{name}@example.org"), "Complaint", text));
        council.waits_for_letter(&format!("{name}@example.org"));
    }
    council.until("the services are asked", |council| council.letters().len() == 9);
    council.close();
    council
}

fn is_closed(day: Date) -> bool {
    static HOLIDAYS: &str = include_str!("../../rules/calendar/bank-holidays-england.json");
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
        || HOLIDAYS.contains(&format!("\"date\": \"{day}\""))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rung_is_climbed_once_on_working_days_with_one_mail_a_person_a_day() {
    let council = three_cases().await;
    let mut reasons = BTreeSet::new();
    let mut rungs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let today = jiff::Zoned::now().date();
    for day in (1..60).map(|days| today + Span::new().days(days)) {
        let before = council.letters().len();
        let reminders = council.reminders(day, true);
        let left: Vec<String> =
            council.letters().split_off(before).into_iter().map(|letter| letter.to).collect();
        let people: BTreeSet<String> = reminders.iter().map(|one| one.to.clone()).collect();
        assert_eq!(left.len(), people.len(), "{day}: one mail a person: {left:?}");
        assert_eq!(left.iter().cloned().collect::<BTreeSet<_>>(), people, "{day}");
        if reminders.is_empty() {
            continue;
        }
        assert!(!is_closed(day), "{day} is no working day: {reminders:?}");
        assert!(council.reminders(day, true).is_empty(), "{day}: run twice");
        assert_eq!(council.letters().len(), before + left.len(), "{day}: run twice");
        for one in reminders {
            let seen = rungs.entry(one.reference.clone()).or_default();
            if !seen.contains(&one.rung) {
                seen.push(one.rung.clone());
            }
            assert!(reasons.insert(one.clone()), "{day}: twice: {one:?}");
        }
    }
    // 59 days reach past the due date, and 20 working days after that.
    assert_eq!(rungs.len(), 3);
    for (reference, rungs) in &rungs {
        let start: Vec<&str> = rungs.iter().map(String::as_str).take(9).collect();
        let ladder = [
            "not_accepted",
            "halfway",
            "soon",
            "draft_due",
            "holding_check",
            "overdue",
            "overdue_5",
            "overdue_10",
            "overdue_10#2",
        ];
        assert_eq!(start, ladder, "{reference}");
    }
    for name in ["ann", "ben", "cas"] {
        council.waits_for_letters(1, &format!("{name}@example.org"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_weeks_of_silence_only_the_highest_rung_is_sent() {
    let council = three_cases().await;
    let today = jiff::Zoned::now().date();
    // Past `draft_due`, before the due date: four rungs were missed.
    let mut days = (23..40).map(|days| today + Span::new().days(days));
    let (day, reminders): (Date, Vec<Reminder>) = days
        .by_ref()
        .map(|day| (day, council.reminders(day, false)))
        .find(|(_, reminders)| !reminders.is_empty())
        .unwrap();
    let rungs: BTreeSet<&str> = reminders.iter().map(|one| one.rung.as_str()).collect();
    assert_eq!(rungs.len(), 1, "one rung a request: {reminders:?}");
    assert!(!rungs.contains("not_accepted") && !rungs.contains("halfway"), "{rungs:?}");
    assert_eq!(council.reminders(day, true), reminders);
    // What was passed over never comes.
    let missed = ["not_accepted", "halfway", "soon"];
    for day in days.take(10) {
        for one in council.reminders(day, true) {
            assert!(!missed.contains(&one.rung.as_str()), "{day}: {one:?}");
        }
    }
}
