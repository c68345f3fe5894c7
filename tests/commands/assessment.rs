//! Whether a case can be taken on: what is proposed, what the customer is asked, what an officer decides.

use serde_json::{Value, json};

use super::desk::OneCase;
use super::{complaint, deliver};

const FOR_ANOTHER: &str = "From: Dee <dee@example.org>\r\nTo: complaints@northmere.example\r\n\
    Subject: my neighbour's boy\r\nMessage-ID: <n1@example.org>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n\r\n\
    I am writing on behalf of my neighbour. She has a complaint: her son's EHC plan is six months late and\r\n\
    nobody from the SEN team answers her. She asked me to write to you for her.\r\n\r\nDee Moss\r\n";

#[test]
fn a_gate_is_proposed_with_its_words_and_refuses_nobody() {
    let register = OneCase::with(FOR_ANOTHER.as_bytes());
    let object = register.show();
    assert_eq!(object["status"], "open", "nothing is refused by itself");
    let proposal = &object["proposals"][0];
    assert_eq!(
        (&proposal["gate"], &proposal["reason"], &proposal["ask_customer_for"]),
        (&json!("D20"), &json!("not_authorised"), &json!("authority"))
    );
    assert!(!proposal["evidence"].as_array().unwrap().is_empty(), "{proposal}");
    assert!(register.waiting().contains("D20  proposal   NCC-"), "{}", register.waiting());
    let words = register.act("show", &[]);
    assert!(words.contains("D20: somebody writes for another: check their authority"), "{words}");
    assert!(
        words.contains("ask-customer --for authority, reject --reason not_authorised"),
        "{words}"
    );

    let none = register.refused("dismiss", &["D19", "--because", "x"]);
    assert!(none.contains("D19 is not proposed for this case"), "{none}");
    register.act("dismiss", &["D20", "--because", "she rang and agreed"]);
    assert_eq!(register.show()["proposals"][0]["answer"], "dismissed");
    assert!(!register.waiting().contains("D20"), "{}", register.waiting());
}

#[test]
fn a_customer_is_asked_once_and_the_clock_stands_still() {
    let register = OneCase::with(FOR_ANOTHER.as_bytes());
    let standard = register.show()["standard_due"].clone();
    let told = register.act("ask-customer", &["--for", "authority"]);
    assert!(told.contains("the customer is told; they have until 20"), "{told}");
    assert!(told.ends_with(", and the clock stands still\n"), "{told}");
    let object = register.show();
    assert_eq!((&object["due"], &object["standard_due"]), (&Value::Null, &standard));
    assert_eq!(object["awaited"][0]["needed"], "authority");
    assert_eq!(register.desk.data(&["-q", "case", "list", "--paused"]).lines().count(), 1);
    let again = register.refused("ask-customer", &["--for", "authority"]);
    assert!(
        again.contains("have been asked for the agreement of the person they write for before")
    );

    // They answer: nobody waits any longer, and a person looks.
    register.desk.data(&["-q", "serve", "--once"]);
    let answer = format!(
        "From: Dee <dee@example.org>\r\nTo: complaints@northmere.example\r\nSubject: Re: {0}\r\n\
         Message-ID: <n2@example.org>\r\nDate: Tue, 3 Nov 2026 09:00:00 +0000\r\n\r\n\
         About {0}: here is her agreement.\r\n",
        register.reference
    );
    deliver(&register.desk, 2, answer.into_bytes());
    register.desk.data(&["-q", "serve", "--once"]);
    assert!(
        register.waiting().contains("who had been asked for something"),
        "{}",
        register.waiting()
    );
    let object = register.show();
    assert!(object["awaited"][0]["ended_at"].is_i64(), "{object}");
    register.act("resume", &["--because", "the agreement is here"]);
    assert!(register.show()["due"].is_string());
}

#[test]
fn whoever_goes_on_without_waits_no_longer() {
    let register = OneCase::with(FOR_ANOTHER.as_bytes());
    register.act("ask-customer", &["--for", "authority"]);
    register.act("resume", &["--because", "she rang and agreed"]);
    let object = register.show();
    assert!(object["awaited"][0]["ended_at"].is_i64(), "{object}");
    let on = format!("{}T09:00", object["awaited"][0]["remind_on"].as_str().unwrap());
    register.desk.data(&["-q", "remind", "--at", &on]);
    let letters = register.show()["letters"].as_array().unwrap().clone();
    assert_eq!(letters.iter().filter(|one| one["purpose"] == "ask-customer").count(), 1);
    // Once it is answered, nothing stands in its way, and what was to be checked was.
    register.act("respond", &["--note", "letter"]);
    assert!(!register.act("show", &[]).contains("D20"), "it was taken on");
    assert!(!register.waiting().contains("check what this is"), "{}", register.waiting());
}

#[test]
fn tasks_end_with_what_they_ask_for() {
    let register = OneCase::with(complaint(1).as_bytes());
    let about = |register: &OneCase| {
        let tasks = register.show()["tasks"].as_array().unwrap().clone();
        tasks.iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    register.act("respond", &["--note", "letter"]);
    register.act("next-stage", &["--because", "asked on the telephone"]);
    register.act("correct", &["--type", "children_act_complaint", "--because", "of the Act"]);
    assert!(!about(&register).contains(&"check".to_owned()), "an officer has looked");
    register.act("withdraw", &["--because", "on the telephone"]);
    assert_eq!(about(&register), Vec::<String>::new());
    register.desk.refused(&["-q", "case", "done", "99"], 1, "no task 99 waits");
}

#[test]
fn what_the_gateway_read_right_is_confirmed() {
    let register = OneCase::with(FOR_ANOTHER.as_bytes());
    let told = register.act("confirm", &[]);
    assert!(told.contains(" is confirmed as "), "{told}");
    assert_eq!(register.show()["needs_officer"], false);
    assert!(register.act("show", &[]).contains("noted: confirmed as "));
}

#[test]
fn whoever_does_not_answer_is_reminded_once_and_then_a_person_decides() {
    let register = OneCase::with(FOR_ANOTHER.as_bytes());
    register.act("ask-customer", &["--for", "authority"]);
    let awaited = register.show()["awaited"][0].clone();
    let on = |day: &Value| format!("{}T09:00", day.as_str().unwrap());
    let letters = |register: &OneCase| {
        let object = register.show();
        let letters = object["letters"].as_array().unwrap();
        letters.iter().filter(|one| one["purpose"] == "ask-customer").count()
    };
    assert_eq!(letters(&register), 1);
    register.desk.data(&["-q", "remind", "--at", &on(&awaited["remind_on"])]);
    assert_eq!(letters(&register), 2, "{awaited}");
    register.desk.data(&["-q", "remind", "--at", &on(&awaited["until_on"])]);
    assert_eq!(letters(&register), 2, "once");
    assert!(!register.waiting().contains("has not written"), "they have until the end of that day");
    // The next working day is at most five days off.
    let until: jiff::civil::Date = awaited["until_on"].as_str().unwrap().parse().unwrap();
    for days in 1..=5 {
        let day = until.saturating_add(jiff::Span::new().days(days));
        register.desk.run(&["-q", "remind", "--at", &format!("{day}T09:00")]);
    }
    let waiting = register.waiting();
    assert_eq!(
        waiting.matches("has not written: go on without it, or decide").count(),
        1,
        "{waiting}"
    );
    assert_eq!(letters(&register), 2);
    assert_eq!(register.show()["status"], "open", "nobody is refused for that");
}

#[test]
fn what_was_answered_at_its_last_stage_is_shown_to_an_officer_when_it_comes_again() {
    let register = OneCase::with(complaint(1).as_bytes());
    register.act("respond", &["--note", "letter"]);
    let again = |number: usize, words: &str| {
        let raw = complaint(1).replace("<c1@", &format!("<again{number}@")).replace(
            "I wish to complain formally.",
            &format!("I wish to complain formally{words}."),
        );
        deliver(&register.desk, number, raw.into_bytes());
        register.desk.data(&["-q", "serve", "--once"]);
        let list = register.desk.objects(&["-q", "case", "list", "--json"]);
        let newest = list.iter().map(|one| one["reference"].as_str().unwrap().to_owned()).max();
        let all = ["-q", "case", "show", "--json", &newest.unwrap()].map(str::to_owned);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        register.desk.objects(&all).remove(0)
    };
    let d16 = |object: &Value| {
        let proposals = object["proposals"].as_array().unwrap().iter();
        proposals.filter(|one| one["gate"] == "D16").cloned().collect::<Vec<_>>()
    };
    let first = again(2, " for the second time");
    assert_ne!(first["reference"], register.reference.as_str());
    assert!(d16(&first).is_empty(), "step 2 is still open to them: {first}");

    register.act("next-stage", &["--because", "asked on the telephone"]);
    register.act("respond", &["--note", "letter of step 2"]);
    let second = again(3, " once again");
    assert_eq!(second["status"], "open", "nothing is refused by itself");
    let proposed = d16(&second);
    assert_eq!(proposed.len(), 1, "{second}");
    assert_eq!(proposed[0]["reason"], "all_stages_done");
    let text = proposed[0]["evidence"][0]["text"].as_str().unwrap();
    let expected = format!("{} was answered at stage 2, its last", register.reference);
    assert!(text.starts_with(&expected), "{text}");
}

const GRANDFATHER: &str = "From: Wilf <wilf@example.net>\r\nTo: complaints@northmere.example\r\n\
    Subject: Parcels\r\nMessage-ID: <g1@example.net>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n\r\n\
    My granddaughter Bryn is in foster care. I am allowed to send cards and parcels to the office for her.\r\n\
    Christmas, birthday, Easter, all three are still sat in your cupboard, the receptionist told me. She thinks I\r\n\
    forgot her. Get them to her.\r\n\r\nWilf Hargest (grandad)\r\n";

fn tasks(register: &OneCase) -> Vec<String> {
    let tasks = register.show()["tasks"].as_array().unwrap().clone();
    tasks.iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn whoever_is_not_eligible_as_of_right_waits_for_an_officers_decision() {
    let register = OneCase::with(GRANDFATHER.as_bytes());
    let object = register.show();
    assert_eq!(
        (&object["record_type"], &object["customer_type"], &object["status"]),
        (&json!("children_act_complaint"), &json!("family_member"), &json!("open")),
    );
    let proposal = object["proposals"].as_array().unwrap().iter();
    let proposal = proposal.filter(|one| one["gate"] == "D22_interest").collect::<Vec<_>>();
    assert_eq!(proposal.len(), 1, "{object}");
    assert!(!proposal[0]["evidence"].as_array().unwrap().is_empty(), "{proposal:?}");
    assert_eq!(tasks(&register).iter().filter(|kind| *kind == "decide_interest").count(), 1);
    // The first letter promises no answer that an officer may have to take back.
    let files = std::fs::read_dir(register.desk.path("outbox")).unwrap();
    let mails = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let first = mails.map(|mail| mail.replace("=\r\n", "")).find(|mail| mail.contains("wilf@"));
    let first = first.unwrap();
    assert!(first.contains("A person in our team will read it"), "{first}");
    assert!(!first.contains("at the latest"), "{first}");
    let words = register.act("show", &[]);
    assert!(words.contains("sufficient-interest --granted, or --refused"), "{words}");
    let set_aside = register.refused("dismiss", &["D22_interest", "--because", "x"]);
    assert!(set_aside.contains("record it with `case sufficient-interest`"), "{set_aside}");

    let why = ["--because", "sees her weekly", "--child-view", "she would like him to"];
    let told = register.act("sufficient-interest", &[&["--granted"][..], &why].concat());
    // What was left open is told now.
    let goes_on = ": sufficient interest; the case goes on; the acknowledgement goes at ";
    assert!(told.contains(goes_on), "{told}");
    let object = register.show();
    assert_eq!((&object["status"], &object["interest"]), (&json!("open"), &json!("granted")));
    let gate = object["proposals"].as_array().unwrap().iter();
    let gate = gate.filter(|one| one["gate"] == "D22_interest").collect::<Vec<_>>();
    assert_eq!(gate[0]["answer"], "dismissed");
    assert!(!tasks(&register).contains(&"decide_interest".to_owned()));
    let event = object["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&event["event"]["decided_by"], &event["event"]["because"], &event["event"]["child_view"]),
        (&json!("pat"), &json!("sees her weekly"), &json!("she would like him to")),
    );
    let again = [&["--granted"][..], &why].concat();
    let again = register.refused("sufficient-interest", &again);
    assert!(again.contains("decided already (sufficient interest)"), "{again}");
}

#[test]
fn who_is_refused_is_told_why_and_the_child_by_a_person() {
    let register = OneCase::with(GRANDFATHER.as_bytes());
    let all =
        ["-q", "case", "sufficient-interest", &*register.reference, "--refused", "--because", "x"];
    register.desk.refused(&all, 2, "--say <WORDS>");
    let say = "You told us that you last saw Bryn six years ago.";
    let words = ["--refused", "--because", "no contact since 2020", "--say", say];
    let told = register.act("sufficient-interest", &words);
    assert!(told.contains("nothing further follows; the customer is told"), "{told}");
    let object = register.show();
    assert_eq!(
        (&object["status"], &object["rejected"], &object["interest"]),
        (&json!("rejected"), &json!("other"), &json!("refused"))
    );
    assert_eq!(tasks(&register), ["tell_child"], "a person tells the child, no letter");
    assert!(object["requests"].as_array().unwrap().iter().all(|one| one["state"] == "cancelled"));
    let letters = object["letters"].as_array().unwrap().iter();
    assert_eq!(letters.filter(|one| one["purpose"] == "interest-refused").count(), 1);
    register.desk.data(&["-q", "serve", "--once"]);
    let files = std::fs::read_dir(register.desk.path("outbox")).unwrap();
    let mails = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let mails: Vec<String> = mails.map(|mail| mail.replace("=\r\n", "")).collect();
    let letter = mails.iter().find(|mail| mail.contains("last saw Bryn six years ago")).unwrap();
    for part in ["we will not do any more", "Ombudsman", "call 999"] {
        assert!(letter.contains(part), "{part}: {letter}");
    }
    assert!(!letter.contains("no contact since 2020"), "the record's reason is not the letter's");
    assert!(!letter.contains("Auto-Submitted"), "a person decided: {letter}");
    let waiting = register.waiting();
    assert!(waiting.contains("where it suits the child, a person tells them so"), "{waiting}");
    // An officer may think again.
    register.act("reopen", &["--because", "a photograph of last year"]);
    assert_eq!(register.show()["interest"], Value::Null);
    assert!(tasks(&register).contains(&"decide_interest".to_owned()), "it is decided anew");
    register.act("sufficient-interest", &["--granted", "--because", "they do meet"]);
}

#[test]
fn a_correction_raises_the_doubt_and_lays_it() {
    let register = OneCase::with(complaint(1).as_bytes());
    let asked = |register: &OneCase| tasks(register).contains(&"decide_interest".to_owned());
    assert!(!asked(&register));
    let corrected = |kind: &str, customer: &str| {
        let words = ["--type", kind, "--customer", customer, "--because", "as they say"];
        register.act("correct", &words);
    };
    corrected("children_act_complaint", "family_member");
    assert!(asked(&register));
    register.act("correct", &["--customer", "carer", "--because", "the child lives with her"]);
    assert!(!asked(&register), "a carer is eligible as of right");
    let words = ["--granted", "--because", "x"];
    let right = register.refused("sufficient-interest", &words);
    assert!(right.contains("a carer is eligible as of right"), "{right}");
}
