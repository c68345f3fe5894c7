//! What is learned from what officers decided: on the real program.

use serde_json::Value;

use super::{Desk, SETTINGS, complaint, copy_all, deliver, root};

/// A desk with so many complaints taken in; the references of their cases, by the senders' numbers.
fn with_complaints(messages: &[String]) -> (Desk, Vec<String>) {
    let desk = Desk::with(&format!("rules = \"rules\"\n{SETTINGS}"));
    copy_all(&root().join("rules"), &desk.path("rules"));
    for (at, message) in messages.iter().enumerate() {
        deliver(&desk, at + 10, message);
    }
    desk.data(&["-q", "serve", "--once"]);
    let mut cases = desk.objects(&["-q", "case", "list", "--json"]);
    cases.sort_by_key(|case| case["reference"].as_str().unwrap().to_owned());
    assert_eq!(cases.len(), messages.len(), "{cases:#?}");
    (desk, cases.iter().map(|case| case["reference"].as_str().unwrap().to_owned()).collect())
}

fn correct(desk: &Desk, reference: &str, service: &str) {
    let what = ["--service", service, "--because", "it is so"];
    desk.data(&[&["-q", "case", "correct", reference], &what[..]].concat());
}

fn part<'a>(rows: &'a [Value], part: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["part"] == part).collect()
}

#[test]
fn accuracy_is_told_by_rule_by_label_and_by_month() {
    let messages: Vec<String> = (1..=4).map(complaint).collect();
    let (desk, references) = with_complaints(&messages);
    let none = desk.data(&["-q", "rules", "accuracy"]);
    assert_eq!(none, "no officer has corrected, answered or ended a case yet\n");

    let bus = "home_to_school_transport";
    correct(&desk, &references[0], bus);
    correct(&desk, &references[1], bus);
    desk.data(&["-q", "case", "respond", &references[2], "--note", "a letter"]);
    let told = desk.data(&["-q", "rules", "accuracy"]);
    assert!(told.contains("overruled 2 of 3        sen."), "{told}");
    assert!(told.contains("overruled 0 of 3"), "{told}");
    for private in ["ann", "Ann", "@", "months late"] {
        assert!(!told.contains(private), "{private}: {told}");
    }

    let rows = desk.objects(&["-q", "rules", "accuracy", "--json"]);
    let worst = part(&rows, "rule")[0];
    assert_eq!((&worst["fired"], &worst["overruled"]), (&3.into(), &2.into()));
    assert_eq!(worst["label"], "service:sen");
    let sen = part(&rows, "label").into_iter().find(|row| row["label"] == "service:sen").unwrap();
    assert_eq!((&sen["chosen"], &sen["right"], &sen["missed"]), (&3.into(), &1.into(), &0.into()));
    let months = part(&rows, "month");
    assert_eq!(months.len(), 1);
    assert_eq!((&months[0]["decided"], &months[0]["right"]), (&3.into(), &1.into()));
    let later = desk.data(&["-q", "rules", "accuracy", "--since", "2999-01-01"]);
    assert_eq!(later, none);
    desk.refused(&["rules", "accuracy", "--since", "monday"], 2, "`monday` is no moment");
}

/// A complaint about something that no shipped rule knows.
fn about_the_parade(number: usize) -> String {
    format!(
        "From: Bea Tramway{number} <bea{number}@example.org>\r\nTo: complaints@northmere.example\r\n\
         Subject: A complaint {number}\r\nMessage-ID: <b{number}@example.org>\r\n\
         Date: Mon, 16 Nov 2026 08:00:00 +0000\r\n\r\nI wish to complain formally. The lantern parade \
         was called off for Oscar {number} and nobody told me, his mother.\r\n\r\nBea\r\n"
    )
}

#[test]
fn corrections_suggest_rules_that_say_the_same() {
    let mut messages: Vec<String> = (1..=4).map(about_the_parade).collect();
    messages.extend((1..=8).map(complaint));
    let (desk, references) = with_complaints(&messages);
    let none = desk.data(&["-q", "rules", "suggest"]);
    assert_eq!(none, "12 messages read, 0 suggestions\n");
    for reference in &references[..4] {
        correct(&desk, reference, "early_help");
    }
    let told = desk.data(&["-q", "rules", "suggest"]);
    for words in [
        "1. new rule learned.early_help.",
        "officers corrected 4 messages with these words to service:early_help",
        "   would fix 4: ",
        &references[0],
        "   would break 0\n",
        "   in 90-learned.toml:",
        "[[rule]]\nid     = \"learned.early_help.",
        "12 messages read, ",
        "postern rules backtest --rules DRAFT",
        "postern rules publish --rules DRAFT",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let lower = told.to_lowercase();
    for private in ["bea", "ann", "tramway", "oscar", "@example"] {
        assert!(!lower.contains(private), "{private}: {told}");
    }
    assert!(!desk.path("rules/90-learned.toml").exists(), "nothing is written");

    let rows = desk.objects(&["-q", "rules", "suggest", "--json"]);
    let first = &rows[0];
    assert_eq!(
        (&first["kind"], &first["label"]),
        (&"new_rule".into(), &"service:early_help".into())
    );
    assert_eq!(first["fixed"].as_array().unwrap().len(), 4);
    assert_eq!(first["fixed"][0]["reference"], references[3].as_str());
    assert_eq!(first["broken"], serde_json::json!([]));

    // What it says becomes a draft that a replay tells the same of.
    copy_all(&desk.path("rules"), &desk.path("draft"));
    desk.write("draft/90-learned.toml", first["toml"].as_str().unwrap());
    let replayed = desk.data(&["-q", "rules", "backtest", "--rules", "draft"]);
    assert!(references[..4].iter().all(|one| replayed.contains(one.as_str())), "{replayed}");
    let again = desk.data(&["-q", "rules", "suggest", "--rules", "draft"]);
    assert!(again.contains("12 messages read, 0 suggestions"), "{again}");
    assert!(desk.data(&["-q", "rules", "suggest", "--limit", "2"]).starts_with("2 messages read"));
}

/// Complaints that speak of a school's transport in every word, as far as the shipped examples go.
fn about_the_taxi(number: usize) -> String {
    format!(
        "From: Pat Holm{number} <pat{number}@example.org>\r\nTo: complaints@northmere.example\r\n\
         Subject: A complaint {number}\r\nMessage-ID: <p{number}@example.org>\r\n\
         Date: Mon, 16 Nov 2026 08:00:00 +0000\r\n\r\nThis is a formal complaint. I drive my daughter to school \
         myself because her taxi was withdrawn {number} weeks ago, and the mileage forms are never paid.\r\n\r\nPat\r\n"
    )
}

#[test]
fn what_no_rule_would_put_right_is_told_with_what_helps() {
    let messages: Vec<String> = (2..=5).map(about_the_taxi).collect();
    let (desk, references) = with_complaints(&messages);
    for reference in &references {
        correct(&desk, reference, "planning_access");
    }
    let ran = desk.run(&["rules", "suggest"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.out, "4 messages read, 0 suggestions\n");
    for words in [
        "officers gave 4 messages to service:planning_access, and no rule that was tried would",
        "the second opinion finds service:home_to_school_transport ",
        "letters like them, labelled service:planning_access",
    ] {
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
    for private in ["Pat", "Holm", "@", "daughter"] {
        assert!(!ran.err.contains(private), "{private}: {ran:?}");
    }
}

#[test]
fn a_case_says_by_which_words_and_rules_of_which_version_it_was_read() {
    let (desk, references) = with_complaints(&[complaint(1)]);
    let reference = references[0].as_str();
    let version =
        desk.data(&["rules", "check"]).split("version ").nth(1).unwrap().trim().to_owned();
    assert!(desk.data(&["-q", "case", "show", reference]).contains("`case why "));
    let told = desk.data(&["-q", "case", "why", reference]);
    for words in [version.as_str(), "opened", "service:sen", "sen.ehcp", "EHC", "confidence"] {
        assert!(told.contains(words), "{words}: {told}");
    }

    // Other rules and a correction change nothing of why it was read so.
    desk.write("rules/95-ours.toml", "[[rule]]\nid = \"ours\"\nwhy = \"to try\"\nlabel = \"theme:communication\"\nweight = 1.0\nwords = [\"months late\"]\n");
    correct(&desk, reference, "home_to_school_transport");
    assert_eq!(desk.data(&["-q", "case", "why", reference]), told);
    let read = desk.objects(&["-q", "case", "why", "--json", reference]).remove(0);
    assert_eq!(read["rules_version"], version.as_str());
    assert_eq!(read["classification"]["services"][0], "sen");
    let evidence = read["classification"]["evidence"].as_array().unwrap();
    let plan = evidence.iter().find(|one| one["rule"] == "sen.ehcp").unwrap();
    assert_eq!((&plan["label"], &plan["weight"].is_number()), (&"service:sen".into(), &true));
    desk.refused(&["case", "why", "NCC-2026-00412-7"], 1, "there is no case");
}
