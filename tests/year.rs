//! A simulated year, counted again by itself: who should have been chased when, by the events of the register and
//! with working days of this test's own. Nothing of `casework::reminder`, of `reminders` or of the calendar is used.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "year/days.rs"]
mod days;
#[path = "year/ladder.rs"]
mod ladder;
#[path = "year/privacy.rs"]
mod privacy;
#[path = "year/register.rs"]
mod register;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use jiff::civil::{Date, date};
use serde_json::Value;

use register::{Letter, Register};

/// Of the year's representations every so-many-th, so that the test takes a minute. `POSTERN_YEAR_EVERY=1` before the
/// command counts all of them again, which takes as many minutes.
const EVERY: usize = 8;
const SEED: u64 = 1;
const FIRST: Date = date(2026, 4, 1);

/// The mails that ask or chase somebody at the council.
const CHASES: [&str; 5] =
    ["service-request", "reminder", "digest", "overdue-digest", "officer-notice"];
/// What a person gets once a day.
const LISTS: [&str; 2] = ["digest", "overdue-digest"];

fn every() -> usize {
    std::env::var("POSTERN_YEAR_EVERY").map_or(EVERY, |every| every.parse().unwrap())
}

/// Runs the real program.
fn simulated(arguments: &[&str], temporary: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["-q", "demo", "--simulate-year"])
        .args(arguments)
        .env_clear()
        .env("TMPDIR", temporary)
        .output()
        .unwrap()
}

/// Lives through the year; the program's own report, and the register that it left.
async fn year() -> (tempfile::TempDir, Value, Register) {
    let folder = tempfile::tempdir().unwrap();
    let (every, seed) = (every().to_string(), SEED.to_string());
    let dir = folder.path().to_str().unwrap();
    let year = ["--json", "--at", "2026-06-01", "--dir", dir, "--every", &every, "--seed", &seed];
    let output = simulated(&year, folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = serde_json::from_slice(&output.stdout).unwrap();
    let register = Register::open(&folder.path().join("postern.db")).await;
    (folder, report, register)
}

#[tokio::test]
async fn a_year_keeps_every_promise() {
    let (_folder, report, register) = year().await;
    let matters = postern::demo::year::matters(FIRST, SEED, every());
    everybody_is_answered_once(&register, matters.len());
    each_rung_is_sent_once_on_its_day_to_its_people(&register, &report);
    nobody_gets_two_lists_a_day(&register);
    nothing_that_chases_leaves_on_a_closed_day(&register, &report);
    privacy::no_mail_to_the_council_names_anybody(&register.letters, &matters);
}

#[test]
fn it_prints_what_was_sent_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = simulated(&["--every", "400", "--at", "2025-09-01"], folder.path());
    let (printed, said) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "");
    for words in [
        "A simulated year, 1 April 2025 to 31 March 2026: 5 representations",
        "5 in all",
        "0 sent twice",
        "0 sent on another day than their own",
        "0 people with two lists on one day",
        "0 requests or reminders on a day when the council is closed",
    ] {
        assert!(printed.contains(words), "{words}:\n{printed}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "its folder is left");
}

#[test]
fn a_register_that_is_there_already_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("postern.db"), "a council's own").unwrap();
    let output = simulated(&["--dir", folder.path().to_str().unwrap()], folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("name another --dir for the year"), "{said}");
}

/// Each representation is a case, and each has an acknowledgement within two working days; a second only after one
/// that did not say what we take the message for.
fn everybody_is_answered_once(register: &Register, matters: usize) {
    assert_eq!(register.cases.len(), matters);
    let mut acknowledged: BTreeMap<i64, Vec<&Letter>> = BTreeMap::new();
    for letter in register.letters.iter().filter(|one| one.purpose == "acknowledgement") {
        acknowledged.entry(letter.case_id.unwrap()).or_default().push(letter);
    }
    assert_eq!(acknowledged.len(), matters);
    for (case, letters) in acknowledged {
        let case = &register.cases[&case];
        let (received, left) =
            (days::london_day(case.received_at), days::london_day(letters[0].sent_at));
        assert!((received..=days::plus(received, 2)).contains(&left), "{}: {left}", case.reference);
        let neutral = letters[0].template == "acknowledgement-neutral";
        let wanted = if neutral { 1..=2 } else { 1..=1 };
        assert!(wanted.contains(&letters.len()), "{}: {} letters", case.reference, letters.len());
    }
}

fn each_rung_is_sent_once_on_its_day_to_its_people(register: &Register, report: &Value) {
    let expected = ladder::climb(register, FIRST);
    assert!(expected.rungs.len() > 500, "only {} rungs: the year is empty", expected.rungs.len());
    let months = expected.rungs.keys().filter(|(_, step)| step.starts_with("progress"));
    assert!(months.count() > 1, "no long stage is asked how far it is: the year does not show it");
    let mut sent: BTreeMap<(i64, String), Date> = BTreeMap::new();
    for rung in register.rungs.iter().filter(|rung| rung.outcome == "sent") {
        let day = days::london_day(rung.recorded_at);
        let known = sent.insert((rung.request_id, rung.step.clone()), day);
        assert_eq!(known, None, "{} of request {} twice", rung.step, rung.request_id);
    }
    assert_eq!(report["rungs"][0], sent.len());
    // The request itself is the first rung: recorded as the service is asked.
    for request in &register.requests {
        let asked = sent.remove(&(request.id, "allocate".to_owned()));
        assert_eq!(asked, Some(days::london_day(request.asked_at)), "request {}", request.id);
        let count = letters_of(register, request.id, "service-request");
        // To the service's mailbox and its manager; and again, where an officer named somebody else before it was
        // asked anew, for the next stage.
        let anew = register.requests.iter().filter(|other| {
            (other.case_id, &other.service) == (request.case_id, &request.service)
                && other.id > request.id
        });
        let until = anew.map(|other| other.asked_at).min().unwrap_or(i64::MAX);
        let changed = register.events[&request.case_id].iter().any(|event| {
            event.what["kind"] == "part_set"
                && event.what["part"]["service"] == *request.service
                && (request.asked_at..until).contains(&event.at)
        });
        let wanted = if changed { 4 } else { 2 };
        assert_eq!(count, wanted, "letters of request {}", request.id);
    }
    differences(&expected.rungs, &sent);
    // Who heard on which day, by whom the lists of the outbox went to.
    let mut heard: BTreeSet<(Date, String)> = BTreeSet::new();
    for letter in register.letters.iter().filter(|one| LISTS.contains(&one.purpose.as_str())) {
        let (day, minute) = days::london_minute(letter.sent_at);
        assert_eq!(minute, 8 * 60 + 30, "a list to {} on {day}", letter.recipient);
        heard.insert((day, letter.recipient.clone()));
    }
    let missing: Vec<_> = expected.people.difference(&heard).collect();
    let unasked: Vec<_> = heard.difference(&expected.people).collect();
    assert!(missing.is_empty() && unasked.is_empty(), "not told: {missing:?}; told: {unasked:?}");
}

fn letters_of(register: &Register, request: i64, purpose: &str) -> usize {
    let is = |one: &&Letter| one.request_id == Some(request) && one.purpose == purpose;
    register.letters.iter().filter(is).count()
}

fn differences(expected: &BTreeMap<(i64, String), Date>, sent: &BTreeMap<(i64, String), Date>) {
    let keys: BTreeSet<_> = expected.keys().chain(sent.keys()).collect();
    let faults: Vec<String> = keys
        .into_iter()
        .filter(|key| expected.get(*key) != sent.get(*key))
        .map(|key| format!("{key:?}: due on {:?}, sent on {:?}", expected.get(key), sent.get(key)))
        .collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), expected.len(), faults.join("\n"));
}

fn nobody_gets_two_lists_a_day(register: &Register) {
    let mut seen = BTreeSet::new();
    for letter in register.letters.iter().filter(|one| LISTS.contains(&one.purpose.as_str())) {
        let day = days::london_day(letter.sent_at);
        assert!(seen.insert((&letter.recipient, day)), "{} on {day}", letter.recipient);
    }
}

/// A person who writes on a Sunday is told at once that we have it; nobody is asked to work (domain 7.2).
fn nothing_that_chases_leaves_on_a_closed_day(register: &Register, report: &Value) {
    let mut answers = 0;
    for letter in &register.letters {
        let day = days::london_day(letter.sent_at);
        if days::is_working_day(day) {
            continue;
        }
        assert!(!CHASES.contains(&letter.purpose.as_str()), "{} on {day}", letter.purpose);
        assert!(
            ["acknowledgement", "receipt", "safeguarding-alert"].contains(&letter.purpose.as_str()),
            "{} on {day}",
            letter.purpose
        );
        answers += 1;
    }
    assert!(answers > 0, "nobody wrote on a closed day: the year shows nothing");
    assert_eq!(report["chases_on_closed_days"], 0);
    assert_eq!(report["digests_doubled"], 0);
    assert_eq!(report["rungs_doubled"], 0);
    assert_eq!(report["rungs_off_their_day"], 0);
    assert_eq!(report["not_sent"], 0);
}
