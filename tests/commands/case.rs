//! `postern case …` and `postern remind`: the register from a terminal.

use serde_json::{Value, json};

use super::{Desk, complaint, deliver};

/// A desk with this many cases.
fn register(cases: usize) -> Desk {
    let desk = Desk::new();
    for number in 1..=cases {
        deliver(&desk, number, complaint(number));
    }
    desk.data(&["-q", "serve", "--once"]);
    desk
}

fn case(desk: &Desk, arguments: &[&str]) -> String {
    desk.data(&[&["-q", "case"][..], arguments].concat())
}

fn show(desk: &Desk, reference: &str) -> Value {
    desk.objects(&["-q", "case", "show", "--json", reference]).remove(0)
}

fn first(desk: &Desk) -> String {
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    list[0]["reference"].as_str().unwrap().to_owned()
}

#[test]
fn list_and_show_speak_for_people_and_for_scripts() {
    let desk = register(2);
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    assert_eq!(list.len(), 2);
    for key in [
        "reference",
        "status",
        "record_type",
        "lead_service",
        "customer_type",
        "themes",
        "flags",
        "needs_officer",
        "confidence",
        "procedure",
        "stage",
        "received_at",
        "received_on",
        "acknowledge_by",
        "target",
        "standard_due",
        "due",
        "acknowledged_at",
        "answered_at",
    ] {
        assert!(list[0].get(key).is_some(), "{key}: {}", list[0]);
    }
    assert_eq!(
        (&list[0]["record_type"], &list[0]["lead_service"]),
        (&json!("corporate_complaint"), &json!("sen"))
    );
    let reference = list[0]["reference"].as_str().unwrap();
    assert!(reference.starts_with("NCC-20"), "{reference}");
    let words = case(&desk, &["list"]);
    assert_eq!(words.lines().count(), 2);
    assert!(words.contains(reference) && words.contains("corporate_complaint"), "{words}");
    assert_eq!(case(&desk, &["list", "--overdue"]), "");
    // Two people wrote in the same words: that is offered to an officer, for scripts too.
    let waiting = desk.objects(&["-q", "case", "list", "--waiting", "--json"]);
    let waiting = waiting.iter().find(|one| one["waiting"] == "suggestion").unwrap();
    assert_eq!((&waiting["waiting"], &waiting["kind"]), (&json!("suggestion"), &json!("similar")));
    assert!(case(&desk, &["list", "--waiting"]).contains("is it the same matter?"));

    let object = show(&desk, reference);
    for key in ["messages", "requests", "rungs", "letters", "events"] {
        assert!(!object[key].as_array().unwrap().is_empty(), "{key}: {object}");
    }
    assert!(object["customer_address"].as_str().unwrap().starts_with("ann"), "{object}");
    assert!(object["acknowledged_at"].is_string(), "{object}");
    let loose = format!("[{}]", reference.to_lowercase().replace('-', " "));
    assert!(case(&desk, &["show", &loose]).starts_with(reference), "any spelling");
    let words = case(&desk, &["show", reference]);
    for part in [
        "  from ",
        "  about ",
        "  due ",
        "  asked      sen",
        "  letter ",
        "the gateway acknowledged it",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn a_case_is_corrected_answered_closed_and_reopened() {
    let desk = register(1);
    let reference = &*first(&desk);
    let due = show(&desk, reference)["due"].clone();

    let told = case(
        &desk,
        &["correct", reference, "--type", "children_act_complaint", "--because", "the law says so"],
    );
    assert!(told.starts_with("corrected; the answer is due by 20"), "{told}");
    let object = show(&desk, reference);
    assert_eq!(object["record_type"], "children_act_complaint");
    assert_ne!(object["due"], due, "another procedure, other dates");
    assert_eq!(object["needs_officer"], false);
    case(
        &desk,
        &[
            "correct",
            reference,
            "--service",
            "fostering",
            "--customer",
            "foster_carer",
            "--because",
            "x",
        ],
    );
    let object = show(&desk, reference);
    assert_eq!(
        (&object["lead_service"], &object["customer_type"]),
        (&json!("fostering"), &json!("foster_carer"))
    );
    let states: Vec<_> = object["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["service"].clone(), one["state"].clone()))
        .collect();
    assert_eq!(states, [(json!("sen"), json!("cancelled")), (json!("fostering"), json!("asked"))]);

    let told = case(&desk, &["ask", reference, "--service", "home_to_school_transport"]);
    assert_eq!(told, "home_to_school_transport is asked\n");
    let told = case(&desk, &["answered", reference, "--service", "home_to_school_transport"]);
    assert_eq!(told, "home_to_school_transport has answered; its reminders stop\n");
    let told = case(&desk, &["answered", reference, "--service", "home_to_school_transport"]);
    assert!(told.contains("has nothing open on this case"), "{told}");

    desk.refused(
        &["-q", "case", "close", reference, "--because", "x"],
        1,
        "not answered yet: answer it",
    );
    let told = case(&desk, &["respond", reference, "--note", "letter of today"]);
    assert!(told.contains("is answered; nobody is chased for it any more"), "{told}");
    desk.refused(
        &["-q", "case", "respond", reference, "--note", "x"],
        1,
        "close the case, reopen it",
    );
    let told = case(&desk, &["close", reference, "--because", "done"]);
    assert_eq!(told, format!("{reference} is closed\n"));
    desk.refused(
        &["-q", "case", "close", reference, "--because", "x"],
        1,
        "reopen it to act on it",
    );
    desk.refused(
        &["-q", "case", "correct", reference, "--type", "enquiry", "--because", "x"],
        1,
        "reopen it first",
    );
    assert_eq!(case(&desk, &["list"]), "");
    assert_eq!(case(&desk, &["list", "--all"]).lines().count(), 1);
    desk.refused(
        &["-q", "case", "reopen", reference, "--because", " "],
        1,
        "say why in a sentence",
    );
    let told = case(&desk, &["reopen", reference, "--because", "new evidence"]);
    assert!(told.starts_with(&format!("{reference} is open again, due by 20")), "{told}");
    desk.refused(&["-q", "case", "reopen", reference, "--because", "x"], 1, "open already");

    let events = show(&desk, reference)["events"].clone();
    let by: Vec<&Value> = events.as_array().unwrap().iter().map(|event| &event["by"]).collect();
    assert!(by.iter().any(|by| by.to_string().contains("pat")), "the officer is named: {by:?}");
    let words = case(&desk, &["show", reference]);
    assert!(words.contains("pat changed the record type from corporate_complaint"), "{words}");
    assert!(words.contains("pat closed it") && words.contains("pat took it up again"), "{words}");
}

#[test]
fn what_cannot_be_done_says_what_can() {
    let desk = register(1);
    let reference = &*first(&desk);
    let refused = |arguments: &[&str], status, words| {
        desk.refused(&[&["-q", "case"][..], arguments].concat(), status, words);
    };
    for act in [&["show", "nonsense"][..], &["close", "nonsense", "--because", "x"]] {
        refused(act, 2, "like NCC-2026-00412-7");
    }
    let mut swapped = reference.to_owned();
    swapped.replace_range(swapped.len() - 1.., if reference.ends_with('1') { "2" } else { "1" });
    refused(&["show", &swapped], 2, "the check digit does not fit");
    for act in [&["show", "NCC-2026-00412-7"][..], &["close", "NCC-2026-00412-7", "--because", "x"]]
    {
        refused(act, 1, "there is no case NCC-2026-00412-7");
    }
    refused(
        &["correct", reference, "--because", "x"],
        2,
        "<--type <TYPE>|--service <SERVICE>|--customer <CUSTOMER>|--themes <THEMES>|--flags <FLAGS>>",
    );
    refused(&["correct", reference, "--type", "enquiry"], 2, "--because <BECAUSE>");
    refused(
        &["correct", reference, "--type", "nonsense", "--because", "x"],
        1,
        "choose from children_act_complaint",
    );
    refused(
        &["correct", reference, "--service", "parking", "--because", "x"],
        1,
        "services.toml has: childrens_social_work",
    );
    refused(&["correct", reference, "--service", "sen", "--because", "x"], 1, "`sen` already");
    refused(&["ask", reference, "--service", "parking"], 1, "no service `parking`");
    refused(&["retry", "1"], 1, "message 1 is not in quarantine");
    refused(&["retry", "one"], 2, "invalid value 'one'");
    refused(&["list", "--waiting", "--all"], 2, "cannot be used with");
    assert_eq!(
        show(&desk, reference)["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event.to_string().contains("pat"))
            .count(),
        0
    );
}

#[test]
fn remind_says_who_would_be_chased_and_changes_nothing() {
    let desk = register(2);
    let references: Vec<Value> = desk
        .objects(&["-q", "case", "list", "--json"])
        .iter()
        .map(|one| one["reference"].clone())
        .collect();
    // A working day far enough ahead for everything to be late, and within the calendar.
    let soon = postern::clock::Clock::System.now().to_zoned(jiff::tz::TimeZone::UTC).date()
        + jiff::SignedDuration::from_hours(24 * 70);
    let mut day = soon;
    while day.weekday() != jiff::civil::Weekday::Wednesday {
        day = day.tomorrow().unwrap();
    }
    let at = format!("{day}T09:30");
    let rehearse = || desk.data(&["-q", "remind", "--dry-run", "--at", &at]);
    let words = rehearse();
    assert!(words.contains(" working days late"), "{words}");
    for reference in &references {
        assert!(words.contains(reference.as_str().unwrap()), "{words}");
    }
    assert_eq!(rehearse(), words, "a rehearsal changes nothing");
    let mails = desk.objects(&["-q", "remind", "--dry-run", "--at", &at, "--json"]);
    assert!(
        mails.iter().all(|mail| mail["recipient"].as_str().unwrap().contains('@')),
        "{mails:?}"
    );
    let early = desk.data(&["-q", "remind", "--dry-run", "--at", &format!("{day}T05:00")]);
    assert!(early.starts_with("no reminders at 5:00am on Wednesday"), "{early}");

    let done = desk.data(&["-q", "remind", "--at", &at]);
    assert_eq!(done, words, "what was rehearsed");
    let again = desk.data(&["-q", "remind", "--at", &at]);
    assert!(again.starts_with("no reminders"), "once a day: {again}");
    desk.refused(&["-q", "remind", "--at", "tomorrow"], 2, "write 2026-03-16, 2026-03-16T09:30");
}

#[test]
fn a_clock_stands_still_goes_on_and_says_how_it_counted() {
    let desk = register(1);
    let reference = first(&desk);
    let due = show(&desk, &reference)["due"].clone();
    let clock =
        |desk: &Desk| desk.objects(&["-q", "case", "clock", "--json", &reference]).remove(0);
    let steps = clock(&desk)["steps"].as_array().unwrap().clone();
    assert_eq!(
        (&steps.last().unwrap()["date"], &steps.last().unwrap()["counted"]),
        (&due, &json!(20))
    );

    let at = format!("{}T10:00", due.as_str().unwrap());
    let chased = |desk: &Desk| {
        !desk.objects(&["-q", "remind", "--dry-run", "--at", &at, "--json"]).is_empty()
    };
    assert!(chased(&desk));

    let because = ["--because", "asked which school"];
    let said =
        case(&desk, &[&["pause", &reference, "--for", "awaiting_customer"], &because[..]].concat());
    assert!(said.contains("stands still; nobody is chased for it"), "{said}");
    let still = show(&desk, &reference);
    assert!(still["due"].is_null(), "no date is shown while nobody can know it");
    assert_eq!(still["standard_due"], due, "the report's date does not wait for a customer");
    assert!(
        case(&desk, &["clock", &reference])
            .contains("waiting for the customer: the clock stands still")
    );
    assert!(!chased(&desk), "nobody is chased while it stands still");
    assert!(case(&desk, &["list"]).contains("due none: the clock stands still"));
    let ask = ["-q", "case", "ask", &reference, "--service", "fostering"];
    desk.refused(&ask, 1, "let its clock go on first");
    let other = ["-q", "case", "correct", &reference, "--service", "fostering"];
    desk.refused(&[&other, &because[..]].concat(), 1, "let it go on first");
    let again = [&["-q", "case", "pause", &reference, "--for", "statute"], &because[..]].concat();
    desk.refused(&again, 1, "let it go on first");

    case(&desk, &[&["resume", &reference], &because[..]].concat());
    assert_eq!(show(&desk, &reference)["due"], due);
    let until = ["-q", "case", "extend", &reference, "--until", "2027-06-01"];
    desk.refused(&[&until, &because[..]].concat(), 1, "at most: name a day up to");

    case(&desk, &[&["take-back", &reference, "2"], &because[..]].concat());
    assert!(show(&desk, &reference)["due"].is_null(), "it was never resumed");
    case(&desk, &[&["take-back", &reference, "1"], &because[..]].concat());
    assert_eq!(show(&desk, &reference)["due"], due, "it was never paused");
    let turns = clock(&desk)["turns"].as_array().unwrap().len();
    assert_eq!(turns, 4, "what happened stays in the history");
    assert!(case(&desk, &["show", &reference]).contains("moved the date from"));
}

#[test]
fn an_act_on_a_version_that_has_passed_is_not_done_and_says_what_changed() {
    let desk = register(1);
    let reference = &*first(&desk);
    let version = show(&desk, reference)["version"].as_i64().unwrap();
    let seen = version.to_string();
    assert!(case(&desk, &["show", reference]).contains(&format!("  version    {version}\n")));
    let on = |version: &str, act: &[&str]| {
        desk.run(&[&["-q", "case"][..], act, &["--if-version", version]].concat())
    };
    let because = ["--because", "two services must answer"];
    let correct = [&["correct", reference, "--service", "fostering"][..], &because].concat();
    assert_eq!(on(&seen, &correct).status, 0, "it is as it was seen");
    case(&desk, &["respond", reference, "--note", "letter of today"]);

    // Whoever looked before does nothing, and reads what was done since, and by whom.
    let close = ["close", reference, "--because", "nothing further"];
    let late = on(&seen, &close);
    assert_eq!((late.status, late.out.as_str()), (1, ""), "{late:?}");
    let said =
        format!("{reference} is of version {}, not {version}: nothing was done", version + 2);
    for words in [
        &*said,
        "pat changed the services from sen to fostering",
        "pat answered stage 1",
        &format!("look at it again: `postern case show {reference}`"),
    ] {
        assert!(late.err.contains(words), "{words}: {late:?}");
    }
    assert!(!late.err.contains("registered it as"), "what was there before is no change: {late:?}");
    assert_eq!(show(&desk, reference)["status"], "answered");
    let once = on(&(version + 1).to_string(), &close);
    assert!(once.err.contains("answered stage 1"), "{once:?}");
    assert!(!once.err.contains("changed the services"), "{once:?}");
    let never = on("99", &close);
    assert!(never.err.contains("is of version") && !never.err.contains("pat "), "{never:?}");
    assert_eq!(on(&(version + 2).to_string(), &close).status, 0);
    // An action is an act like any other; a list is none.
    let action =
        ["agree-action", reference, "--what", "x", "--service", "sen", "--due", "2099-01-05"];
    assert_eq!(on(&seen, &action).status, 1);
    desk.refused(&["-q", "case", "list", "--if-version", "3"], 2, "what is done to one case");
}
