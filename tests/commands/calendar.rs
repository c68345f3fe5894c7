//! `postern calendar …`: the bank holidays, and what moves when they change.

use jiff::civil::Date;
use postern::casework::calendar::WorkingCalendar;
use postern::clock::{Clock, london_day};
use serde_json::{Value, json};

use super::support::postgres::Postgres;
use super::{Desk, SETTINGS, complaint, copy_all, deliver, root};

const FILE: &str = "rules/calendar/bank-holidays-england.json";

/// A desk with rules of its own, so that its calendar can be changed.
fn desk(more: &str) -> Desk {
    let desk = Desk::with(&format!("rules = \"rules\"\n{SETTINGS}{more}"));
    copy_all(&root().join("rules"), &desk.path("rules"));
    desk
}

fn text(desk: &Desk) -> String {
    std::fs::read_to_string(desk.path(FILE)).unwrap()
}

fn calendar(desk: &Desk) -> WorkingCalendar {
    WorkingCalendar::from_json(FILE, &text(desk)).unwrap()
}

/// Proclaims a day off.
fn proclaim(desk: &Desk, day: Date) {
    let list = text(desk);
    let line = format!("\"events\": [\n{{\"title\": \"A day off\", \"date\": \"{day}\"}},");
    desk.write(FILE, list.replacen("\"events\": [", &line, 1));
}

fn serve(desk: &Desk) -> String {
    let ran = desk.run(&["serve", "--once"]);
    // On PostgreSQL the mailbox stays claimed for a while, as by one of several gateways.
    let claimed = ran.err.contains("another gateway reads this mailbox now");
    assert!(ran.status == 0 || claimed, "{ran:?}");
    ran.err
}

fn case(desk: &Desk) -> Value {
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    desk.objects(&["-q", "case", "show", "--json", list[0]["reference"].as_str().unwrap()])
        .remove(0)
}

fn tasks(desk: &Desk) -> Vec<String> {
    let waiting = desk.objects(&["-q", "case", "list", "--waiting", "--json"]);
    let tasks = waiting.iter().filter(|one| one["kind"] == "calendar_changed");
    tasks.map(|task| task["words"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_day_says_whether_it_is_listed_or_by_rule() {
    let desk = Desk::with("");
    let words = desk.data(&["calendar", "show", "--year", "2026"]);
    assert!(words.contains("Fri 2026-04-03  listed   Good Friday\n"), "{words}");
    assert_eq!(words.lines().count(), 9, "eight days and what is covered: {words}");
    assert!(words.contains("covers 2015-01-01 to 2027-12-31, "), "{words}");
    let shown = &desk.objects(&["calendar", "show", "--json"])[0];
    assert_eq!(shown["days"].as_array().unwrap().len(), 107);
    assert_eq!(
        (&shown["covered_until"], &shown["years_by_rule"]),
        (&json!("2027-12-31"), &json!([]))
    );
    assert!(shown["days_left"].is_i64() && shown["version"].is_string(), "{shown}");
    let cure = "add the missing years to it, as they are proclaimed or by rule \
                (`postern calendar extend --until 2028`)";
    desk.refused(&["calendar", "show", "--year", "2028"], 1, cure);
    desk.refused(&["calendar", "show", "--year", "soon"], 2, "invalid value 'soon'");
}

#[test]
fn a_calendar_goes_on_by_rule_with_a_warning() {
    let desk = desk("");
    let past = ["deadline", "--received", "2027-12-20", "--days", "20", "--json"];
    let with_settings = [&["--config", "postern.toml"][..], &past].concat();
    desk.refused(&with_settings, 1, "`postern calendar extend --until 2028`");
    desk.refused(&["calendar", "extend", "--until", "2027"], 2, "name a later year");
    desk.refused(&["calendar", "extend"], 2, "--until <YEAR>");
    let ran = desk.run(&["calendar", "extend", "--until", "2028"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.err.contains("a proclamation may move them"), "{ran:?}");
    desk.write(FILE, &ran.out);

    let warning = "the bank holidays of 2028 are by rule, not proclaimed yet";
    let told = desk.objects(&with_settings);
    assert_eq!(told[0]["due"], "2028-01-20", "example E1, once 2028 is there");
    assert!(told[0]["warnings"][0].as_str().unwrap().starts_with(warning), "{told:?}");
    let said = desk.run(&with_settings[..with_settings.len() - 1]);
    assert!(said.err.starts_with(&format!("warning: {warning}")), "{said:?}");
    let stage = ["--procedure", "children_act", "--stage", "1", "--json"];
    let stage = [&with_settings[..5], &stage].concat();
    assert_eq!(desk.objects(&stage)[0]["warnings"].as_array().unwrap().len(), 1);
    let before = [&with_settings[..4], &["2026-03-16", "--days", "20", "--json"]].concat();
    assert_eq!(desk.objects(&before)[0]["warnings"], json!([]));

    let shown = &desk.objects(&["calendar", "show", "--year", "2028", "--json"])[0];
    assert_eq!(shown["years_by_rule"], json!([2028]));
    assert_eq!(
        shown["days"][0],
        json!({"date": "2028-01-03", "title": "New Year’s Day", "known": "by rule"})
    );
    let checked = desk.run(&["check"]);
    assert_eq!(checked.status, 0, "a warning is no fault: {checked:?}");
    assert!(checked.err.contains("bank holidays by rule, not proclaimed yet: 2028"), "{checked:?}");
}

#[test]
fn the_list_that_gov_uk_publishes_serves_as_it_is() {
    let desk = desk("");
    // Its shape, its divisions and its notes; the days are invented.
    let mut days = Vec::new();
    for year in 2026..=2028 {
        for (title, day, notes) in [
            ("New Year’s Day", "01-02", "Substitute day"),
            ("Good Friday", "04-05", ""),
            ("Easter Monday", "04-08", ""),
            ("Early May bank holiday", "05-03", ""),
            ("Spring bank holiday", "05-31", ""),
            ("Summer bank holiday", "08-30", ""),
            ("Christmas Day", "12-25", ""),
            ("Boxing Day", "12-29", "Substitute day"),
        ] {
            days.push(json!({"title": title, "date": format!("{year}-{day}"), "notes": notes, "bunting": true}));
        }
    }
    let empty = |name: &str| json!({"division": name, "events": []});
    let list = json!({
        "england-and-wales": {"division": "england-and-wales", "events": days},
        "scotland": empty("scotland"),
        "northern-ireland": empty("northern-ireland"),
    });
    desk.write(FILE, list.to_string());
    let shown = &desk.objects(&["calendar", "show", "--json"])[0];
    assert_eq!(
        (&shown["covered_from"], &shown["covered_until"], &shown["years_by_rule"]),
        (&json!("2026-01-01"), &json!("2028-12-31"), &json!([]))
    );
    assert_eq!(shown["days"].as_array().unwrap().len(), 24);
    desk.data(&["check"]);
    let longer = desk.data(&["calendar", "extend", "--until", "2029"]);
    desk.write(FILE, longer);
    assert_eq!(desk.objects(&["calendar", "show", "--json"])[0]["years_by_rule"], json!([2029]));
    desk.write(FILE, "[]");
    desk.refused(&["calendar", "show"], 2, "write the shape of GOV.UK's bank-holidays.json");
}

#[test]
fn a_new_holiday_moves_the_standard_date_and_keeps_the_promise() {
    a_new_holiday(&desk(""));
}

#[test]
fn a_new_holiday_does_the_same_on_postgresql() {
    a_new_holiday(&desk(&format!("[store]\nurl = \"{}\"\n", Postgres::database())));
}

fn a_new_holiday(desk: &Desk) {
    deliver(desk, 1, complaint(1));
    deliver(desk, 2, complaint(2));
    serve(desk);
    assert_eq!(
        desk.data(&["-q", "calendar", "moved"]),
        "no change of the bank holidays has moved a case\n"
    );
    assert_eq!(desk.data(&["-q", "calendar", "moved", "--json"]), "");
    let closed = desk.objects(&["-q", "case", "list", "--json"])[1]["reference"].clone();
    let closed = closed.as_str().unwrap();
    desk.data(&["-q", "case", "respond", closed, "--note", "a letter"]);
    let before = case(desk);
    let reference = before["reference"].as_str().unwrap();
    let old = before["standard_due"].as_str().unwrap();
    assert_eq!(before["due"], old);

    let today = london_day(Clock::System.now());
    proclaim(desk, calendar(desk).add_working_days(today, 6).unwrap());
    let new = calendar(desk).next_working_day(old.parse().unwrap()).unwrap().to_string();
    let told =
        format!("{reference}  standard {old} -> {new}  promised {old}, by the calendar {new}\n");
    let would = desk.data(&["-q", "calendar", "recompute", "--dry-run"]);
    assert_eq!(would, format!("1 open cases would be counted again, 1 would move\n{told}"));
    assert_eq!(case(desk)["standard_due"], old, "nothing was done");
    assert!(tasks(desk).is_empty());

    let log = serve(desk);
    assert!(log.contains("the bank holidays have changed: open cases are counted again"), "{log}");
    let after = case(desk);
    assert_eq!(after["standard_due"], new);
    assert_eq!(after["due"], old, "what the customer was told");
    let moved = desk.data(&["-q", "calendar", "moved"]);
    assert!(moved.contains(" moved 1 open cases\n") && moved.ends_with(&told), "{moved}");
    let object = json!({"reference": reference, "standard_before": old, "standard_after": new,
        "promised_on": old, "counted_on": new});
    assert_eq!(desk.objects(&["-q", "calendar", "moved", "--json"]), [object]);
    let task = tasks(desk);
    assert_eq!(task.len(), 1);
    assert!(
        task[0].contains("the dates of 1 open cases: `postern calendar moved` lists them"),
        "{task:?}"
    );
    let events = desk.data(&["-q", "case", "show", reference]);
    assert!(events.contains(&format!("the standard date moved from {old} to {new}")), "{events}");
    let clock = desk.objects(&["-q", "case", "clock", reference, "--json"]).remove(0);
    assert_eq!((&clock["standard_due_on"], &clock["agreed_due_on"]), (&json!(new), &json!(old)));
    let warning = format!("the customer was told {old} before the bank holidays changed");
    assert!(clock["warnings"][0].as_str().unwrap().starts_with(&warning), "{clock}");
    let answered = desk.objects(&["-q", "case", "show", "--json", closed]).remove(0);
    assert_eq!(answered["standard_due"], old, "what is answered is left alone");

    // Once is enough.
    let log = serve(desk);
    assert!(!log.contains("counted again"), "{log}");
    let again = desk.data(&["-q", "calendar", "recompute"]);
    assert_eq!(again, "0 open cases counted again, 0 moved\n");
    assert_eq!((case(desk), tasks(desk).len()), (after, 1));
    // A longer calendar moves nobody, and the list stays.
    let longer = desk.data(&["-q", "calendar", "extend", "--until", "2029"]);
    desk.write(FILE, longer);
    serve(desk);
    assert_eq!(desk.data(&["-q", "calendar", "moved"]), moved);
    assert_eq!(tasks(desk).len(), 1);

    // The officer moves the promise: up to where the calendar has it, and no further.
    let extend = |until: &str| {
        desk.run(&["-q", "case", "extend", reference, "--until", until, "--because", "a day off"])
    };
    let refused = extend(old);
    assert!(refused.err.contains(&format!("{old} is no later than {old}")), "{refused:?}");
    let far = calendar(desk).next_working_day(new.parse().unwrap()).unwrap().to_string();
    assert!(extend(&far).err.contains(&format!("the procedure gives until {new} at most")));
    assert_eq!(extend(&new).out, format!("the answer to {reference} is due by {new}\n"));
    assert_eq!(case(desk)["due"], new);
}

#[test]
fn a_calendar_that_was_left_is_taken_up_again_only_by_hand() {
    let desk = desk("");
    deliver(&desk, 1, complaint(1));
    serve(&desk);
    let first = text(&desk);
    let before = case(&desk);
    let today = london_day(Clock::System.now());
    proclaim(&desk, calendar(&desk).add_working_days(today, 6).unwrap());
    serve(&desk);
    let moved = case(&desk);
    assert!(moved["standard_due"].as_str() > before["standard_due"].as_str());
    // It was no holiday after all; or another machine's folder is behind.
    desk.write(FILE, &first);
    let log = serve(&desk);
    assert!(log.contains("`postern calendar recompute`"), "{log}");
    assert_eq!(case(&desk)["standard_due"], moved["standard_due"]);
    let back = desk.objects(&["-q", "calendar", "recompute", "--json"]);
    assert_eq!(back.len(), 1);
    assert_eq!(case(&desk)["standard_due"], before["standard_due"]);
    assert!(!serve(&desk).contains("counted again"));
}

#[test]
fn a_calendar_that_does_not_reach_says_which_cases_and_what_to_do() {
    let desk = desk("");
    deliver(&desk, 1, complaint(1));
    serve(&desk);
    let before = case(&desk);
    // The list ends ten days from now.
    let until = london_day(Clock::System.now()).saturating_add(jiff::Span::new().days(10));
    let list: Value = serde_json::from_str(&text(&desk)).unwrap();
    let events = list["england-and-wales"]["events"].as_array().unwrap();
    let kept: Vec<&Value> =
        events.iter().filter(|one| *one["date"].as_str().unwrap() <= *until.to_string()).collect();
    let short = json!({"england-and-wales": {"division": "england-and-wales", "events": kept,
        "coverage": {"from": "2015-01-01", "to": until}}});
    desk.write(FILE, short.to_string());
    let ran = desk.run(&["calendar", "recompute"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    let reference = before["reference"].as_str().unwrap();
    assert!(ran.err.contains(&format!("the dates of {reference} cannot be counted")), "{ran:?}");
    assert!(ran.err.contains("`postern calendar extend --until"), "{ran:?}");
    let log = serve(&desk);
    assert!(log.contains("some open cases cannot be counted"), "{log}");
    let waiting = desk.objects(&["-q", "case", "list", "--waiting", "--json"]);
    let told = waiting.iter().filter(|one| one["kind"] == "calendar_too_short").count();
    assert_eq!(told, 1, "once: {waiting:?}");
    let mut after = case(&desk);
    // But for the task that says so, all is as it was.
    after["tasks"] = before["tasks"].clone();
    assert_eq!(after, before);
    desk.refused(&["--config", "nowhere.toml", "calendar", "moved"], 2, "name the configuration");
}

#[test]
fn a_running_gateway_takes_a_new_holiday_up() {
    let desk = desk("");
    deliver(&desk, 1, complaint(1));
    serve(&desk);
    let (before, first) = (case(&desk), text(&desk));
    let mut daemon = desk.command(&["-q", "serve"]).spawn().unwrap();
    let today = london_day(Clock::System.now());
    proclaim(&desk, calendar(&desk).add_working_days(today, 6).unwrap());
    let until_due = |expected: &str| {
        let end = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while case(&desk)["standard_due"] != expected {
            assert!(std::time::Instant::now() < end, "it never counted again");
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    };
    let old = before["standard_due"].as_str().unwrap();
    let new = calendar(&desk).next_working_day(old.parse().unwrap()).unwrap().to_string();
    until_due(&new);
    // It was no holiday after all: whoever saw the change counts back by itself.
    desk.write(FILE, first);
    until_due(old);
    assert_eq!(tasks(&desk).len(), 2, "each change is told");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
