//! When a customer is told that we have their message, and what an officer's decision changes of it.

use serde_json::Value;

use super::{Desk, SETTINGS, deliver};

/// Nothing in it says what it is about, nor that anything went wrong.
const UNSURE: &str = "From: Dee <dee@example.org>\r\nTo: complaints@northmere.example\r\n\
    Subject: transport\r\nMessage-ID: <unsure@example.org>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n\r\n\
    The taxi for school came at ten past nine again.\r\n\r\nDee Marsh, 4 Mill Lane, Northmere NM1 2AB\r\n";

/// What the rules place by themselves.
const SURE: &str = "From: Dee <dee@example.org>\r\nTo: complaints@northmere.example\r\n\
    Subject: Complaint: EHCP late\r\nMessage-ID: <sure@example.org>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n\r\n\
    I want to make a formal complaint. I am his mother. The EHC plan for my son was due in June and is four months \
    late. The SEN team do not answer my calls. I want an apology and the plan.\r\n\r\n\
    Dee Marsh, 4 Mill Lane, Northmere NM1 2AB\r\n";

fn desk(acknowledgement: &str) -> Desk {
    let settings = SETTINGS.replace("neutral_on_day = 0\n", acknowledgement);
    assert_ne!(settings, SETTINGS);
    Desk::with(&settings)
}

/// The only case, as scripts are given it.
fn case(desk: &Desk) -> Value {
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    assert_eq!(list.len(), 1, "{list:?}");
    desk.objects(&["-q", "case", "show", list[0]["reference"].as_str().unwrap(), "--json"])
        .remove(0)
}

/// Does an act; what is said of it.
fn act(desk: &Desk, act: &str, more: &[&str]) -> String {
    let case = case(desk);
    let reference = case["reference"].as_str().unwrap();
    desk.data(&[&["-q", "case", act, reference][..], more].concat())
}

/// State and subject of the letters that tell the customer that we have their message, in order.
fn states(desk: &Desk) -> Vec<String> {
    let case = case(desk);
    let letters = case["letters"].as_array().unwrap().iter();
    let first = letters.filter(|letter| letter["purpose"] == "acknowledgement");
    first.map(|letter| letter["state"].as_str().unwrap().to_owned()).collect()
}

/// What left for the customer, in order.
fn left(desk: &Desk) -> Vec<String> {
    let files = std::fs::read_dir(desk.path("outbox")).into_iter().flatten();
    let mut texts: Vec<_> = files
        .map(|file| file.unwrap().path())
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .filter(|(_, text)| text.contains("Auto-Submitted: auto-replied"))
        .collect();
    texts.sort();
    texts.into_iter().map(|(_, text)| text).collect()
}

/// Text in which line ends do not count.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_nobody_has_decided_is_told_at_the_end_of_the_second_working_day_or_once_it_is_decided() {
    let desk = desk("neutral_on_day = 2\n");
    let received = postern::clock::Clock::System
        .now()
        .to_zoned(jiff::tz::TimeZone::get("Europe/London").unwrap());
    deliver(&desk, 1, UNSURE.as_bytes());
    desk.data(&["-q", "serve", "--once"]);
    assert!(left(&desk).is_empty(), "nothing left yet");
    let queued = desk.objects(&["-q", "letters", "list", "--queued", "--json"]);
    let due = jiff::Timestamp::from_millisecond(queued[0]["due_at"].as_i64().unwrap()).unwrap();
    let due = due.to_zoned(received.time_zone().clone());
    assert_eq!(due.time(), jiff::civil::time(16, 0, 0, 0));
    let days = received.date().until(due.date()).unwrap().get_days();
    assert!((2..=8).contains(&days), "two working days from {received}, not {due}");

    let told = act(&desk, "confirm", &[]);
    assert!(told.contains("; the acknowledgement goes at "), "{told}");
    assert_eq!(states(&desk), ["cancelled", "queued"]);
    // Until it leaves, a decision is put right; no third letter stands beside it.
    let told = act(&desk, "correct", &["--type", "enquiry", "--because", "a question"]);
    assert!(told.contains("; the acknowledgement goes at "), "{told}");
    assert_eq!(states(&desk), ["cancelled", "cancelled", "queued"]);
    let other = act(&desk, "outcome", &["--theme", "communication", "--outcome", "upheld"]);
    assert!(!other.contains("acknowledgement"), "{other}");
}

#[test]
fn a_neutral_letter_that_left_is_followed_by_what_was_decided() {
    let desk = desk("undo_seconds = 0\nneutral_on_day = 0\n");
    deliver(&desk, 1, UNSURE.as_bytes());
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(left(&desk).len(), 1);
    assert!(!flat(&left(&desk)[0]).contains("We will answer by"), "{}", left(&desk)[0]);
    act(&desk, "confirm", &[]);
    desk.data(&["-q", "serve", "--once"]);
    let letters = left(&desk);
    assert_eq!((letters.len(), states(&desk).join(" ").as_str()), (2, "sent sent"));
    let full = letters.iter().filter(|text| flat(text).contains("We will answer by")).count();
    assert_eq!(full, 1, "{letters:#?}");
    assert!(letters.iter().all(|text| text.contains("In-Reply-To: <unsure@example.org>")));
    // What it said stays said.
    act(&desk, "correct", &["--type", "enquiry", "--because", "a question after all"]);
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(left(&desk).len(), 2);
}

#[test]
fn whoever_hears_by_another_letter_is_not_told_as_well_that_we_have_theirs() {
    let desk = desk("neutral_on_day = 2\n");
    deliver(&desk, 1, UNSURE.as_bytes());
    desk.data(&["-q", "serve", "--once"]);
    let told = act(&desk, "ask-customer", &["--for", "details"]);
    assert!(told.contains("; the acknowledgement that waited does not go"), "{told}");
    assert_eq!(states(&desk), ["cancelled"]);
}

#[test]
fn a_decision_of_the_rules_waits_two_minutes_in_which_it_is_put_right() {
    let desk = desk("neutral_on_day = 2\n");
    desk.write("one.eml", SURE);
    desk.data(&["-q", "import", "--acknowledge", "one.eml"]);
    let queued = desk.objects(&["-q", "letters", "list", "--queued", "--json"]);
    let first = queued.iter().find(|one| one["purpose"] == "acknowledgement").unwrap();
    let waits = first["due_at"].as_i64().unwrap() - first["created_at"].as_i64().unwrap();
    assert_eq!(waits, 120_000);
    let told = act(&desk, "correct", &["--type", "enquiry", "--because", "a question"]);
    assert!(told.contains("; the acknowledgement goes at "), "{told}");
    assert_eq!(states(&desk), ["cancelled", "queued"]);
}
