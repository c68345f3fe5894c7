//! Whether a case can be taken on: what is proposed, what the customer is asked, what an officer decides.

use serde_json::{Value, json};

use super::{Desk, complaint, deliver};

const FOR_ANOTHER: &str = "From: Dee <dee@example.org>\r\nTo: complaints@northmere.example\r\n\
    Subject: my neighbour's boy\r\nMessage-ID: <n1@example.org>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n\r\n\
    I am writing on behalf of my neighbour. She has a complaint: her son's EHC plan is six months late and\r\n\
    nobody from the SEN team answers her. She asked me to write to you for her.\r\n\r\nDee Moss\r\n";

struct Register {
    desk: Desk,
    reference: String,
}

impl Register {
    fn with(raw: &[u8]) -> Self {
        let desk = Desk::new();
        deliver(&desk, 1, raw);
        desk.data(&["-q", "serve", "--once"]);
        let list = desk.objects(&["-q", "case", "list", "--json"]);
        let reference = list[0]["reference"].as_str().unwrap().to_owned();
        Self { desk, reference }
    }

    fn act(&self, act: &str, words: &[&str]) -> String {
        self.desk.data(&[&["-q", "case", act, &*self.reference][..], words].concat())
    }

    fn refused(&self, act: &str, words: &[&str]) -> String {
        let all = [&["-q", "case", act, &*self.reference][..], words].concat();
        let ran = self.desk.run(&all);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{all:?}: {ran:?}");
        ran.err
    }

    fn show(&self) -> Value {
        self.desk.objects(&["-q", "case", "show", "--json", &*self.reference]).remove(0)
    }

    fn waiting(&self) -> String {
        self.desk.data(&["-q", "case", "list", "--waiting"])
    }
}

#[test]
fn a_gate_is_proposed_with_its_words_and_refuses_nobody() {
    let register = Register::with(FOR_ANOTHER.as_bytes());
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
    let register = Register::with(FOR_ANOTHER.as_bytes());
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
    let register = Register::with(FOR_ANOTHER.as_bytes());
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
    let register = Register::with(complaint(1).as_bytes());
    let about = |register: &Register| {
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
    let register = Register::with(FOR_ANOTHER.as_bytes());
    let told = register.act("confirm", &[]);
    assert!(told.contains(" is confirmed as "), "{told}");
    assert_eq!(register.show()["needs_officer"], false);
    assert!(register.act("show", &[]).contains("noted: confirmed as "));
}

#[test]
fn whoever_does_not_answer_is_reminded_once_and_then_a_person_decides() {
    let register = Register::with(FOR_ANOTHER.as_bytes());
    register.act("ask-customer", &["--for", "authority"]);
    let awaited = register.show()["awaited"][0].clone();
    let on = |day: &Value| format!("{}T09:00", day.as_str().unwrap());
    let letters = |register: &Register| {
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
    let register = Register::with(complaint(1).as_bytes());
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
