//! What was agreed because of complaints: agreed, moved, done, and reminded of in the one mail of a day.

use std::collections::BTreeSet;
use std::fs;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use serde_json::{Value, json};

use super::desk::OneCase;
use super::{complaint, deliver};

/// The responding manager of SEN, and a deputy, who is written to about nothing else.
const MANAGER: &str = "theodora.lyle@northmere.example";
const DEPUTY: &str = "beatrix.ode@northmere.example";

struct Register(OneCase);

impl std::ops::Deref for Register {
    type Target = OneCase;

    fn deref(&self) -> &OneCase {
        &self.0
    }
}

impl Register {
    fn new() -> Self {
        Self(OneCase::new())
    }

    /// Agrees on something with SEN's responding manager.
    fn agree(&self, due: Date) -> String {
        let due = due.to_string();
        self.act("agree-action", &["--what", "speak to Helen", "--service", "sen", "--due", &due])
    }

    /// The mails of a day at half past eight.
    fn reminders(&self, day: Date) -> Vec<Value> {
        let said = self.desk.data(&["-q", "remind", "--json", "--at", &format!("{day}T08:30")]);
        said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The letters to an address, as they left, each on one line.
    fn letters_to(&self, address: &str) -> Vec<String> {
        let files = fs::read_dir(self.desk.path("outbox")).unwrap();
        let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let wanted = format!("To: <{address}>");
        let one_line = |text: String| text.replace("=\r\n", "").replace("\r\n", " ");
        texts
            .filter(|text| text.contains(&wanted) || text.contains(&format!("To: {address}")))
            .map(one_line)
            .collect()
    }
}

fn today() -> Date {
    postern::clock::london_day(postern::clock::Clock::System.now())
}

/// A Wednesday some weeks ahead that is no holiday.
fn wednesday(weeks: i32) -> Date {
    let mut day = today().saturating_add((7 * weeks).days());
    while day.weekday() != Weekday::Wednesday {
        day = day.tomorrow().unwrap();
    }
    day
}

#[test]
fn an_action_is_agreed_moved_done_and_taken_up_again() {
    let register = Register::new();
    let due = wednesday(3);
    let told = register.agree(due);
    assert!(
        told.starts_with(&format!("action 1 of {} is due on Wed", register.reference)),
        "{told}"
    );
    let saturday = due.saturating_add(3.days());
    let words = ["--what", "a leaflet", "--owner", "Sam Reed", "--due", &saturday.to_string()];
    let told = register.act("agree-action", &words);
    assert!(told.contains(", which is no working day: its reminders count"), "{told}");
    assert!(told.contains("; its owner has no e-mail address: an officer is asked"), "{told}");
    let moved = saturday.saturating_add(2.days()).to_string();
    register.act("move-action", &["2", "--due", &moved, "--because", "the printer is ill"]);
    let told = register.act("action-done", &["2", "--evidence", "the leaflet", "--message", "1"]);
    assert_eq!(told, format!("action 2 of {} is done\n", register.reference));
    let shown = register.act("show", &[]);
    for words in [
        "action     1 speak to Helen (sen, for sen), due ",
        "action     2 a leaflet (Sam Reed), done on ",
        ": the leaflet (message 1)",
        "pat agreed action 1 with sen, due on 20",
        &format!("pat moved action 2 from {saturday} to {moved}: the printer is ill"),
        "pat recorded that action 2 was done on 20",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let object = register.show();
    let states: Vec<_> = object["actions"].as_array().unwrap().iter().collect();
    assert_eq!((&states[0]["state"], &states[1]["state"]), (&json!("open"), &json!("done")));
    assert_eq!((&states[1]["round"], &states[1]["message"]), (&json!(2), &json!("1")));

    let list =
        |words: &[&str]| register.desk.data(&[&["-q", "case", "actions"][..], words].concat());
    assert_eq!(list(&[]).lines().count(), 1);
    assert_eq!(list(&["--all"]).lines().count(), 2);
    assert_eq!(list(&["--all", "--owner", "SAM REED"]).lines().count(), 1);
    assert_eq!(list(&["--owner", MANAGER]).lines().count(), 1, "whoever the manager is");
    assert_eq!(list(&["--overdue"]), "");
    assert_eq!(list(&["--service", "sen"]).lines().count(), 1);
    register.desk.refused(&["-q", "case", "actions", "--service", "x"], 2, "services.toml has: ");
    register.act("reopen-action", &["2", "--because", "it has the old number"]);
    register.act("drop-action", &["2", "--because", "the service is gone"]);
    assert_eq!(list(&["--json"]).lines().count(), 1);
}

#[test]
fn what_cannot_be_agreed_is_refused_with_what_can() {
    let register = Register::new();
    let due = wednesday(3).to_string();
    let agree = |more: &[&str]| {
        register.refused("agree-action", &[&["--what", "x", "--due", &*due][..], more].concat())
    };
    assert!(agree(&["--service", "x"]).contains("no service `x`; services.toml has: "));
    let customer = agree(&["--owner", "Ann", "--address", "Ann1@example.org"]);
    assert!(customer.contains("that is the customer's address: name whoever"), "{customer}");
    let own = agree(&["--owner", "Us", "--address", "complaints@northmere.example"]);
    assert!(own.contains("that is the gateway's own address"), "{own}");
    let odd = agree(&["--owner", "Sam", "--address", "sam at home"]);
    assert!(odd.contains("not an e-mail address: write name@domain"), "{odd}");
    let far = register
        .refused("agree-action", &["--what", "x", "--service", "sen", "--due", "2150-01-05"]);
    assert!(far.contains("name a day up to 20"), "{far}");
    let past = register
        .refused("agree-action", &["--what", "x", "--service", "sen", "--due", "2020-01-06"]);
    assert!(past.contains("2020-01-06 has passed: name a day from today on"), "{past}");
    assert!(register.show()["actions"].as_array().unwrap().is_empty(), "nothing was agreed");
    let usage = ["-q", "case", "agree-action", &register.reference, "--what", "x", "--due", &due];
    register.desk.refused(&usage, 2, "--owner");

    register.agree(wednesday(3));
    for (message, words) in [
        ("99", "message 99 is none of the case"),
        ("1/4", "message 1 has no attachment 4"),
        ("x", "`x` names no message: write its number, 17, or an attachment's, 17/1"),
    ] {
        let said = register.refused("action-done", &["1", "--message", message]);
        assert!(said.contains(words), "{said}");
    }
    let said = register.refused("action-done", &["7", "--evidence", "x"]);
    assert!(said.contains("the case has no action 7: it has action 1"), "{said}");
}

#[test]
fn a_case_is_closed_while_its_actions_are_open_and_says_so() {
    let register = Register::new();
    register.agree(wednesday(3));
    let told = register.act("respond", &["--note", "letter of today"]);
    assert!(told.contains("; 1 action is still open, and its owner is reminded of it"), "{told}");
    register.agree(wednesday(4));
    let told = register.act("close", &["--because", "over"]);
    assert!(told.contains("; 2 actions are still open"), "{told}");
    register.agree(wednesday(5));
    let mails = register.reminders(wednesday(5));
    let mail = mails.iter().find(|mail| mail["recipient"] == MANAGER).unwrap();
    assert_eq!(mail["actions"].as_array().unwrap().len(), 3);
    assert_eq!(mail["rows"], json!([]), "a closed case is chased for nothing else");
}

#[test]
fn a_merged_cases_actions_stay_its_own_and_are_shown_with_the_other() {
    let register = Register::new();
    register.agree(wednesday(3));
    deliver(&register.desk, 2, complaint(2));
    register.desk.data(&["-q", "serve", "--once"]);
    let list = register.desk.objects(&["-q", "case", "list", "--json"]);
    let mut references = list.iter().map(|one| one["reference"].as_str().unwrap());
    let other = references.find(|one| *one != register.reference).unwrap();
    let told = register.act("merge", &["--into", other, "--because", "the same"]);
    assert!(told.contains("; 1 action is still open"), "{told}");
    let whole = register.desk.objects(&["-q", "case", "show", "--json", other]).remove(0);
    assert_eq!(whole["actions"][0]["reference"], *register.reference);
    let shown = register.desk.data(&["-q", "case", "show", other]);
    assert!(shown.contains(&format!("action     1 of {} speak", register.reference)), "{shown}");
    let due = wednesday(3).to_string();
    let words = ["--what", "x", "--service", "sen", "--due", &due];
    let said = register.refused("agree-action", &words);
    assert!(said.contains(&format!("agree it on {other}")), "{said}");
    register.act("action-done", &["1", "--evidence", "spoke on Monday"]);
}

#[test]
fn requests_and_actions_come_in_one_mail_a_person_a_day_that_does_not_say_what_they_are() {
    let register = Register::new();
    let draft_due: Date =
        register.show()["requests"][0]["draft_due_on"].as_str().unwrap().parse().unwrap();
    register.agree(draft_due);
    let words = ["--what", "x", "--owner", "Sam Reed", "--due", &draft_due.to_string()];
    register.act("agree-action", &words);
    let at = format!("{draft_due}T08:30");
    let rehearsed = register.desk.data(&["-q", "remind", "--dry-run", "--at", &at]);
    assert!(rehearsed.contains("for 1 requests and 2 actions"), "{rehearsed}");
    assert!(rehearsed.contains("action 1, action_due"), "{rehearsed}");
    assert!(rehearsed.contains("a task for an officer: action 2 of "), "{rehearsed}");
    let before = register.letters_to(MANAGER).len();
    let mails = register.reminders(draft_due);
    let people: BTreeSet<&str> =
        mails.iter().map(|mail| mail["recipient"].as_str().unwrap()).collect();
    assert_eq!(people.len(), mails.len(), "one mail a person: {mails:?}");
    let mail = mails.iter().find(|mail| mail["recipient"] == MANAGER).unwrap();
    assert_eq!(mail["because"][0][1], "draft_due");
    assert_eq!(mail["actions"][0]["rung"], "action_due");
    let letters = register.letters_to(MANAGER);
    assert_eq!(letters.len(), before + 1, "one letter for both");
    let letter = letters.iter().find(|letter| letter.contains("Actions you own")).unwrap();
    assert!(letter.contains("Subject: 1 complaint for Special educational needs:"), "{letter}");
    assert!(letter.contains(&format!("{}, action 1", register.reference)), "{letter}");
    assert!(!letters.iter().any(|letter| letter.contains("Helen")), "it may name people");
    assert!(register.reminders(draft_due).is_empty(), "run twice");
    assert_eq!(register.letters_to(MANAGER).len(), before + 1);
    // Whom no mail reaches is an officer's to remind, until the action is over.
    let task = format!("action 2 of {}: due on {draft_due}", register.reference);
    assert!(register.waiting().contains(&task), "{}", register.waiting());
    register.act("action-done", &["2", "--evidence", "said so"]);
    assert!(!register.waiting().contains(&task));
    let shown = register.act("show", &[]);
    assert!(shown.contains("the gateway reminded of action 1 (action_due)"), "{shown}");
}

#[test]
fn an_owners_reply_goes_on_the_case_and_answers_neither_the_customer_nor_a_request() {
    let register = Register::new();
    let day = wednesday(1);
    let due = day.to_string();
    let words = ["--what", "x", "--owner", "Beatrix Ode", "--address", DEPUTY, "--due", &due];
    register.act("agree-action", &words);
    register.reminders(day);
    let letter = register.letters_to(DEPUTY).remove(0);
    assert!(
        letter.contains("Subject: 1 action for Special educational needs: 1 due today"),
        "{letter}"
    );
    assert!(!letter.contains("counts as your answer"), "{letter}");
    let id = letter.split("Message-ID: ").nth(1).unwrap().split_whitespace().next().unwrap();
    let reply = format!(
        "From: Beatrix Ode <{DEPUTY}>\r\nTo: complaints@northmere.example\r\nSubject: RE: your list\r\n\
         In-Reply-To: {id}\r\nMessage-ID: <reply@northmere.example>\r\n\
         Date: Mon, 16 Nov 2026 08:00:00 +0000\r\n\r\nThe team was trained on Monday.\r\n"
    );
    deliver(&register.desk, 2, reply);
    register.desk.data(&["-q", "serve", "--once"]);
    let object = register.show();
    assert_eq!(object["messages"][1]["action"], "attached", "{object}");
    assert_eq!(object["requests"][0]["state"], "asked", "the service still owes its answer");
    assert_eq!(register.letters_to(DEPUTY).len(), 1, "no receipt that is meant for a customer");
    let words = "who sees to an action wrote: see whether it is done";
    assert!(register.waiting().contains(words), "{}", register.waiting());
    register.act("action-done", &["1", "--message", "2"]);
    assert!(!register.waiting().contains(words), "{}", register.waiting());
}
