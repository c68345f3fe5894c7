//! Several services, one complaint: parts with their own points, day and responder; and cases that go on in another.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::desk::OneCase;
use super::{Desk, complaint, deliver};

struct Shared(OneCase);

impl std::ops::Deref for Shared {
    type Target = OneCase;

    fn deref(&self) -> &OneCase {
        &self.0
    }
}

impl Shared {
    /// A complaint that two services answer.
    fn new() -> Self {
        let shared = Self(OneCase::new());
        let both = "sen,home_to_school_transport";
        shared.act("correct", &["--service", both, "--because", "the taxi too"]);
        shared.sent();
        shared
    }

    fn part(&self, words: &[&str]) -> String {
        let transport = ["--service", "home_to_school_transport"];
        self.act("part", &[&transport[..], words].concat())
    }

    /// Sends what waits; gives every mail to an address so far, as it was written.
    fn sent(&self) -> Vec<String> {
        self.desk.data(&["-q", "serve", "--once"]);
        let files = std::fs::read_dir(self.desk.path("outbox")).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }

    fn request(&self, service: &str) -> Value {
        let object = self.show();
        let requests = object["requests"].as_array().unwrap().iter();
        requests.rev().find(|one| one["service"] == service).unwrap().clone()
    }

    fn to<'a>(mails: &'a [String], address: &str) -> Vec<&'a String> {
        mails.iter().filter(|mail| mail.contains(&format!("To: {address}"))).collect()
    }
}

fn show(desk: &Desk, reference: &str) -> Value {
    desk.objects(&["-q", "case", "show", "--json", reference]).remove(0)
}

/// The working day so many before another, by the program's own calendar.
fn before(desk: &Desk, day: &str, days: usize) -> String {
    let mut day: Date = day.parse().unwrap();
    let mut left = days;
    while left > 0 {
        day = day.yesterday().unwrap();
        left -= usize::from(is_working(desk, day));
    }
    day.to_string()
}

fn is_working(desk: &Desk, day: Date) -> bool {
    // One working day from the day before a working day is that day.
    let eve = format!("{}T12:00", day.yesterday().unwrap());
    let sum = desk.objects(&["deadline", "--received", &eve, "--days", "1", "--json"]).remove(0);
    sum["due"] == day.to_string()
}

#[test]
fn a_part_has_its_points_its_day_and_who_answers_it() {
    let shared = Shared::new();
    let customers = shared.show()["due"].as_str().unwrap().to_owned();
    let day = before(&shared.desk, &customers, 8);
    let told = shared.part(&[
        "--points",
        "delay,staff_conduct",
        "--due",
        &day,
        "--responder",
        "Nora Tingle <nora.tingle@northmere.example>",
    ]);
    assert_eq!(told, format!("home_to_school_transport is told what it answers by {day}\n"));

    let object = shared.show();
    assert_eq!(object["due"], customers, "the customer has one date");
    let parts = object["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!((&parts[0]["service"], &parts[0]["points"]), (&json!("sen"), &json!([])));
    assert_eq!(parts[1]["due_on"], day);
    assert_eq!(parts[1]["points"][0], json!({"theme": "service_issue", "part": "delay"}));
    let request = shared.request("home_to_school_transport");
    assert_eq!((&request["draft_due_on"], &request["points"]), (&json!(day), &json!(2)));
    let margin = before(&shared.desk, &customers, 5);
    assert_eq!(request["due_on"], margin, "three working days to check it, as for any draft");
    let other = shared.request("sen");
    assert_eq!(other["due_on"], customers, "the other part keeps its day");

    // Who answers now is written to, and who does not no longer is.
    let mails = shared.sent();
    let to_her = Shared::to(&mails, "nora.tingle@northmere.example");
    assert_eq!(to_her.len(), 1, "{mails:#?}");
    let text = to_her[0].replace("=\r\n", "").replace("\r\n", " ");
    assert!(text.contains("This changes what we asked of you before."), "{text}");
    assert!(text.contains("We need an answer on: delayed service; staff conduct."), "{text}");
    assert_eq!(Shared::to(&mails, "leopold.varney@northmere.example").len(), 1, "only the first");

    let words = shared.act("show", &[]);
    assert!(
        words.contains("part       home_to_school_transport: Delayed service; Staff conduct, by ")
    );
    let none = shared.refused(
        "part",
        &["--service", "home_to_school_transport", "--points", "delay,staff_conduct"],
    );
    assert!(none.contains("that is the part of home_to_school_transport already"), "{none}");
}

#[test]
fn a_part_keeps_its_distance_when_the_date_of_the_customer_moves() {
    let shared = Shared::new();
    let customers = shared.show()["due"].as_str().unwrap().to_owned();
    shared.part(&["--due", &before(&shared.desk, &customers, 8)]);
    shared.act("correct", &["--type", "children_act_complaint", "--because", "looked after"]);
    let sooner = shared.show()["due"].as_str().unwrap().to_owned();
    assert!(sooner < customers, "{sooner} {customers}");
    let draft = shared.request("home_to_school_transport")["draft_due_on"].clone();
    let expected = before(&shared.desk, &sooner, 8);
    let asked_on = shared.request("home_to_school_transport")["asked_on"].clone();
    if expected.as_str() > asked_on.as_str().unwrap() {
        assert_eq!(draft, expected);
    } else {
        assert_eq!(draft, Value::Null, "no draft is due before it was asked for");
    }
    shared.part(&["--by-the-customers-date"]);
    assert_eq!(shared.request("home_to_school_transport")["due_on"], sooner);
}

#[test]
fn what_cannot_be_a_part_is_refused_with_what_can() {
    let shared = Shared::new();
    let customers = shared.show()["due"].as_str().unwrap().to_owned();
    let other = shared.refused("part", &["--service", "adoption", "--points", "delay"]);
    assert!(other.contains("adoption does not answer this case"), "{other}");
    assert!(other.contains("name one of sen,home_to_school_transport"), "{other}");
    let late: Date = customers.parse().unwrap();
    let mut late = late.tomorrow().unwrap();
    while !is_working(&shared.desk, late) {
        late = late.tomorrow().unwrap();
    }
    let late = shared.refused("part", &["--service", "sen", "--due", &late.to_string()]);
    assert!(late.contains("is not between today and the day of the customer's answer"), "{late}");
    let closed = shared.refused("part", &["--service", "sen", "--due", "2026-12-25"]);
    assert!(closed.contains("2026-12-25 is no working day: name 2026-12-24"), "{closed}");
    let outside =
        shared.refused("part", &["--service", "sen", "--responder", "Jo <jo@elsewhere.example>"]);
    assert!(outside.contains("not of a domain of the council"), "{outside}");
    let unknown = [
        &["-q", "case", "part", &*shared.reference, "--service", "sen"][..],
        &["--points", "rudeness"],
    ];
    shared.desk.refused(&unknown.concat(), 2, "unknown point `rudeness`");
    shared.act("pause", &["--for", "proceedings", "--because", "a court has it"]);
    let still = shared.refused("part", &["--service", "sen", "--due", "2026-12-24"]);
    assert!(still.contains("the clock stands still"), "{still}");
}

#[test]
fn whoever_was_named_for_a_part_answers_it_by_replying() {
    let shared = Shared::new();
    let named = "Pat Lowe <pat.lowe@northmere.example>";
    shared.part(&["--responder", named]);
    shared.sent();
    let answer = format!(
        "From: {named}\r\nTo: complaints@northmere.example\r\nSubject: Re: {0}\r\n\
         Message-ID: <answer@northmere.example>\r\nDate: Tue, 17 Nov 2026 09:00:00 +0000\r\n\r\n\
         {0}: the taxi firm was changed in March and nobody wrote. We are sorry. It runs again.\r\n",
        shared.reference
    );
    deliver(&shared.desk, 2, answer);
    shared.sent();
    assert_eq!(shared.request("home_to_school_transport")["state"], "answered");
    assert_eq!(shared.request("sen")["state"], "asked", "the other part is still waited for");
}

#[test]
fn what_is_found_of_the_parts_comes_to_one_outcome() {
    let shared = Shared::new();
    let find = |service: &str, outcome: &str| {
        shared.act(
            "outcome",
            &["--theme", "service_issue", "--service", service, "--outcome", outcome],
        );
    };
    find("sen", "upheld");
    assert_eq!(shared.show()["outcome"], "upheld");
    find("home_to_school_transport", "not_upheld");
    let object = shared.show();
    assert_eq!(object["outcome"], "partly_upheld");
    assert!(shared.act("show", &[]).contains("together   partly upheld"));
    let outcomes: Vec<&Value> =
        object["parts"].as_array().unwrap().iter().map(|part| &part["outcome"]).collect();
    assert_eq!(outcomes, [&json!("upheld"), &json!("not_upheld")]);
}

#[test]
fn of_merged_cases_the_earliest_receipt_counts_until_they_are_separated() {
    let desk = Desk::new();
    deliver(&desk, 1, complaint(1));
    // Another letter about it was in the mailbox nine days before.
    let before = postern::clock::Clock::System.now().as_second() - 9 * 24 * 3600;
    desk.write(&format!("mailbox/new/{before}.2.localhost"), complaint(2));
    desk.data(&["-q", "serve", "--once"]);
    let list = desk.objects(&["-q", "case", "list", "--json", "--all"]);
    let mut cases: Vec<(&str, &str)> = list
        .iter()
        .map(|one| (one["received_on"].as_str().unwrap(), one["reference"].as_str().unwrap()))
        .collect();
    cases.sort_unstable();
    let [(early_day, early), (_, late)] = cases[..] else { panic!("{cases:?}") };
    let (own, other) = (show(&desk, late), show(&desk, early));
    assert!(own["due"].as_str() > other["due"].as_str(), "{own} {other}");

    let merge = ["-q", "case", "merge", early, "--into", late, "--because", "sent twice"];
    let told = desk.data(&merge);
    assert!(told.contains(&format!("which counts as received on {early_day}")), "{told}");
    let merged = show(&desk, late);
    for key in ["received_on", "received_at", "due", "standard_due"] {
        assert_eq!(merged[key], other[key], "{key}");
    }
    assert_eq!(merged["requests"][0]["due_on"], other["due"]);

    desk.data(&["-q", "case", "separate", early, "--because", "another child"]);
    let apart = show(&desk, late);
    for key in ["received_on", "received_at", "due", "standard_due"] {
        assert_eq!(apart[key], own[key], "{key}");
    }
    assert_eq!(show(&desk, early)["status"], "open");
}
