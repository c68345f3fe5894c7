//! What the Ombudsman writes, asks, decides and is owed.

use std::fs;

use jiff::Span;
use jiff::civil::{Date, Weekday};
use serde_json::{Value, json};

use super::{Desk, SETTINGS, complaint, deliver};

const LINK_OFFICER: &str = "harriet.somers@northmere.example";
const MANAGER: &str = "desmond.pell@northmere.example";

/// A letter from the Ombudsman, with headers of the council's own mail server on top.
fn letter(number: usize, head: &str, subject: &str, text: &str) -> String {
    format!(
        "{head}From: Ms Kay <intake@lgo.org.uk>\r\nTo: complaints@northmere.example\r\nSubject: {subject}\r\n\
         Message-ID: <o{number}@lgo.org.uk>\r\nDate: Mon, 16 Nov 2026 08:00:00 +0000\r\n\r\n{text}\r\n"
    )
}

struct Register {
    desk: Desk,
    reference: String,
}

impl Register {
    /// A desk with one complaint.
    fn new() -> Self {
        Self::with(SETTINGS)
    }

    fn with(settings: &str) -> Self {
        let desk = Desk::with(settings);
        deliver(&desk, 1, complaint(1));
        desk.data(&["-q", "serve", "--once"]);
        let list = desk.objects(&["-q", "case", "list", "--json"]);
        let reference = list[0]["reference"].as_str().unwrap().to_owned();
        Self { desk, reference }
    }

    fn receives(&self, number: usize, head: &str, subject: &str, text: &str) {
        deliver(&self.desk, number, letter(number, head, subject, text));
        self.desk.data(&["-q", "serve", "--once"]);
    }

    fn does(&self, words: &[&str]) -> String {
        self.desk.data(&[&["-q", "ombudsman"][..], words].concat())
    }

    fn refused(&self, words: &[&str], why: &str) {
        self.desk.refused(&[&["-q", "ombudsman"][..], words].concat(), 1, why);
    }

    fn theirs(&self, number: i64) -> Value {
        let number = number.to_string();
        self.desk.objects(&["-q", "ombudsman", "show", "--json", &number]).remove(0)
    }

    fn show(&self) -> Value {
        self.desk.objects(&["-q", "case", "show", "--json", &*self.reference]).remove(0)
    }

    /// The steps of the Ombudsman in the history of the case.
    fn steps(&self) -> Vec<String> {
        let object = self.show();
        let events = object["events"].as_array().unwrap().iter().map(|one| one["event"].clone());
        let of_ombudsman = events.filter(|event| event["kind"] == "ombudsman");
        of_ombudsman.map(|event| event["step"].as_str().unwrap().to_owned()).collect()
    }

    /// The tasks of a kind that wait.
    fn tasks(&self, kind: &str) -> usize {
        let waiting = self.desk.objects(&["-q", "case", "list", "--waiting", "--json"]);
        waiting.iter().filter(|one| one["kind"] == kind).count()
    }

    /// Letters to an address, on one line each.
    fn letters_to(&self, address: &str) -> Vec<String> {
        let files = fs::read_dir(self.desk.path("outbox")).unwrap();
        let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let to = format!("To: {address}");
        let flat = |text: String| text.replace("=\r\n", "").replace("\r\n", " ");
        texts.filter(|text| text.contains(&to)).map(flat).collect()
    }

    /// The Ombudsman's dates in each person's mail of a day.
    fn reminded(&self, day: Date) -> Vec<(String, Vec<Value>)> {
        let at = format!("{day}T09:00");
        let ran = self.desk.run(&["-q", "remind", "--json", "--at", &at]);
        let mails = ran.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        mails
            .filter_map(|mail| {
                let dates = mail["ombudsman"].as_array()?.clone();
                let recipient = mail["recipient"].as_str()?.to_owned();
                (!dates.is_empty()).then_some((recipient, dates))
            })
            .collect()
    }
}

fn today() -> Date {
    postern::clock::london_day(postern::clock::Clock::System.now())
}

fn works(day: Date) -> bool {
    static HOLIDAYS: &str = include_str!("../../rules/calendar/bank-holidays-england.json");
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
        && !HOLIDAYS.contains(&format!("\"date\": \"{day}\""))
}

/// A working day so many working days after, or before, another.
fn away(mut day: Date, working_days: i64) -> Date {
    let step = Span::new().days(working_days.signum());
    for _ in 0..working_days.abs() {
        day = day.saturating_add(step);
        while !works(day) {
            day = day.saturating_add(step);
        }
    }
    day
}

#[test]
fn a_letter_is_put_before_the_link_officer_and_its_date_waits_for_a_person() {
    let register = Register::new();
    let due = away(today(), 20);
    let date = due.strftime("%-d %B %Y");
    let subject = format!("Enquiry about {}", register.reference);
    let text = format!(
        "Our ref: 25 012 345\r\n\r\nMrs Underwood of 4 Mill Lane has complained to us. Please send comments\r\n\
         by {date}."
    );
    register.receives(2, "", &subject, &text);
    let object = register.theirs(1);
    assert_eq!(
        (&object["theirs"], &object["reference"]),
        (&json!("25 012 345"), &json!(register.reference))
    );
    let contact = &object["contacts"][0];
    assert_eq!((&contact["kind"], &contact["suggested_on"]), (&json!("enquiry"), &json!(due)));
    assert_eq!((&contact["due_on"], &contact["confirmed_at"]), (&Value::Null, &Value::Null));
    assert_eq!(register.steps(), ["linked", "contacted"]);
    assert_eq!(register.tasks("ombudsman"), 1);
    assert_eq!(register.show()["messages"].as_array().unwrap().len(), 2);

    // Nobody answers the Ombudsman by itself; the link officer reads references and dates alone.
    assert!(register.letters_to("intake@lgo.org.uk").is_empty());
    let letters = register.letters_to(LINK_OFFICER);
    assert_eq!(letters.len(), 1, "{letters:?}");
    for part in [&*register.reference, "25 012 345", &short(due), "read the Ombudsman"] {
        assert!(letters[0].contains(part), "{part}: {}", letters[0]);
    }
    for private in ["Underwood", "Mill Lane", "Kay", "ann1@example.org", "comments by"] {
        assert!(!letters[0].contains(private), "{private}");
    }

    register.refused(&["confirm", "9", "--kind", "enquiry", "--no-date"], "there is no contact 9");
    let day = due.to_string();
    let told =
        register.does(&["confirm", "1", "--kind", "documents", "--by", &day, "--asks", "our file"]);
    assert_eq!(told, format!("contact 1 is confirmed as documents, due by {due}\n"));
    assert_eq!(register.tasks("ombudsman"), 0, "the task ends with what it asks for");
    let words = register.desk.data(&["-q", "case", "show", &register.reference]);
    assert!(words.contains("  ombudsman  1 25 012 345, not decided"), "{words}");
    assert!(words.contains("contact    1 documents, came "), "{words}");
    register.does(&["answered", "1"]);
    register.refused(&["answered", "1"], "contact 1 was answered on");
    let late = ["confirm", "1", "--kind", "enquiry", "--no-date"];
    register.refused(&late, "contact 1 was answered on");
}

fn short(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}

#[test]
fn a_decision_and_its_remedies_are_recorded_each_once() {
    let register = Register::new();
    let case = ["--case", &*register.reference];
    let contact = ["contact", "--kind", "enquiry", "--theirs", "25-012-345", "--asks", "comments"];
    let told = register.does(&[&contact[..], &case].concat());
    assert!(told.starts_with("contact 1 on case 1 of the Ombudsman is recorded"), "{told}");
    let again = ["contact", "--kind", "provisional_decision", "--theirs", "25 012 345"];
    register.does(&again);
    assert_eq!(
        register.theirs(1)["contacts"].as_array().unwrap().len(),
        2,
        "one reference, one case"
    );
    register
        .refused(&["contact", "--kind", "enquiry", "--theirs", "12345"], "write it as 23 001 234");

    register.refused(&["remedy", "1", "--what", "an apology"], "record the decision first");
    register.refused(&["reopen", "1"], "record the decision first");
    register.refused(&["decision", "1", "--outcome", "closed"], "give one of out_of_jurisdiction");
    register.refused(
        &["decision", "1", "--outcome", "upheld", "--on", &away(today(), 1).to_string()],
        "is still to come",
    );
    register.does(&["decision", "1", "--outcome", "upheld"]);
    register.refused(&["decision", "1", "--outcome", "upheld"], "recorded already");
    assert!(
        register.theirs(1)["contacts"][1]["answered_on"].is_string(),
        "the draft asks nothing more"
    );

    let due = away(today(), 20).to_string();
    register.does(&["remedy", "1", "--what", "an apology", "--by", &due]);
    register.does(&["remedy", "1", "--what", "a new procedure"]);
    register.refused(&["done", "1", "--evidence", " "], "say where the evidence is");
    register.does(&["done", "1", "--evidence", "copy of the letter"]);
    register.refused(&["done", "1", "--evidence", "again"], "remedy 1 was done on");
    let object = register.theirs(1);
    assert_eq!(object["remedies"][0]["evidence"], "copy of the letter");
    assert_eq!(
        (&object["remedies"][1]["due_on"], &object["outcome"]),
        (&Value::Null, &json!("upheld"))
    );
    let steps =
        ["linked", "contacted", "confirmed", "contacted", "confirmed", "decided", "answered"];
    let rest = ["remedy_agreed", "remedy_agreed", "remedy_done"];
    assert_eq!(register.steps(), [&steps[..], &rest].concat());

    // The decision is a reason to take the case up again.
    let open = ["reopen", "1"];
    register.refused(&open, "the case is open already");
    register.desk.data(&["-q", "case", "respond", &register.reference, "--note", "letter"]);
    register.does(&open);
    let object = register.show();
    assert_eq!(object["status"], "open");
    let events = object["events"].as_array().unwrap();
    let reopened = events.iter().rfind(|one| one["event"]["kind"] == "reopened").unwrap();
    let because = reopened["event"]["because"].as_str().unwrap();
    assert_eq!(because, format!("the Ombudsman's decision of {}: upheld", today()));
}

#[test]
fn what_belongs_to_no_case_yet_keeps_its_history_when_it_is_linked() {
    let register = Register::new();
    register.receives(2, "", "New complaint", "Our ref 25 012 345. We write about a complaint.");
    let object = register.theirs(1);
    assert_eq!((&object["reference"], &object["theirs"]), (&Value::Null, &json!("25 012 345")));
    assert_eq!(register.show()["messages"].as_array().unwrap().len(), 1);
    register.does(&["confirm", "1", "--kind", "enquiry", "--no-date"]);
    register.refused(&["resume", "1"], "belongs to no case of the council");
    register.refused(&["reopen", "1"], "linked to no case");

    register.does(&["link", "1", &register.reference]);
    register.refused(&["link", "1", &register.reference], "is about NCC-");
    assert_eq!(register.steps(), ["linked", "contacted", "confirmed"]);
    let object = register.show();
    let events = object["events"].as_array().unwrap();
    let steps = events.iter().map(|one| &one["event"]).filter(|one| one["kind"] == "ombudsman");
    let earlier: Vec<bool> = steps.map(|one| one["earlier"].is_string()).collect();
    assert_eq!(earlier, [false, true, true], "what came before says when");
    assert_eq!(object["messages"].as_array().unwrap().len(), 2, "the letter is with the case");

    // The next letter is known by their reference alone.
    register.receives(3, "", "Your comments", "Our ref 25 012 345. Thank you.");
    assert_eq!(register.theirs(1)["contacts"].as_array().unwrap().len(), 2);
    assert_eq!(register.steps().last().unwrap(), "contacted");
    register.desk.refused(&["-q", "ombudsman", "show", "2"], 1, "there is no case 2");
    assert_eq!(register.does(&["list"]).lines().count(), 1);
}

#[test]
fn what_comes_back_as_premature_goes_on_at_the_first_stage_not_done() {
    let register = Register::new();
    register.desk.data(&["-q", "case", "respond", &register.reference, "--note", "letter"]);
    let subject = format!("Premature complaint {}", register.reference);
    register.receives(2, "", &subject, "Please put it through your complaints procedure.");
    assert_eq!(register.theirs(1)["contacts"][0]["kind"], "premature");
    register.refused(&["resume", "1"], "confirm it as premature first");
    register.does(&["confirm", "1", "--kind", "premature", "--no-date"]);
    let told = register.does(&["resume", "1"]);
    assert!(told.starts_with("stage 2 of NCC-") && told.contains(", due by 20"), "{told}");
    let object = register.show();
    assert_eq!((&object["stage"], &object["status"]), (&json!(2), &json!("open")));
    let events = object["events"].as_array().unwrap();
    let asked = events.iter().find(|one| one["event"]["kind"] == "stage_requested").unwrap();
    let came = register.theirs(1)["contacts"][0]["received_at"].as_i64().unwrap();
    let at: jiff::Timestamp = asked["event"]["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(at.as_millisecond(), came, "the clock starts when the referral came");
    // It counts as a premature decision, and a person tells the customer.
    let theirs = register.theirs(1);
    assert_eq!(
        (&theirs["outcome"], &theirs["decided_on"]),
        (&json!("premature"), &theirs["contacts"][0]["received_on"])
    );
    assert!(theirs["contacts"][0]["answered_on"].is_string());
    assert_eq!(register.tasks("write_by_hand"), 1);
    assert!(register.does(&["resume", "1"]).contains("is open at stage 2 and goes on"));
    register.desk.data(&["-q", "case", "respond", &register.reference, "--note", "letter"]);
    register.refused(&["resume", "1"], "tell the Ombudsman that every stage is done");
}

#[test]
fn what_comes_back_and_belongs_to_no_case_opens_one() {
    let register = Register::new();
    let text = "Our ref 25 012 345. Mr Underwood's complaint about a school place is premature.";
    register.receives(2, "", "Premature complaint", text);
    let open = ["open", "1", "--type", "corporate_complaint", "--service"];
    register.refused(&[&open[..], &["fair_access"]].concat(), "confirm it as premature first");
    register.does(&["confirm", "1", "--kind", "premature", "--no-date"]);
    register.refused(&[&open[..], &["none_such"]].concat(), "no service `none_such`");
    let told = register.does(&[&open[..], &["fair_access"]].concat());
    let theirs = register.theirs(1);
    let reference = theirs["reference"].as_str().unwrap();
    assert!(told.starts_with(&format!("{reference} is open, due by 20")), "{told}");
    assert_ne!(reference, register.reference);
    let object = register.desk.objects(&["-q", "case", "show", "--json", reference]).remove(0);
    assert_eq!(
        (&object["record_type"], &object["lead_service"]),
        (&json!("corporate_complaint"), &json!("fair_access"))
    );
    assert_eq!(object["customer_address"], Value::Null, "the Ombudsman is no customer");
    assert_eq!(object["received_on"], theirs["contacts"][0]["received_on"]);
    assert_eq!(object["requests"][0]["service"], "fair_access");
    assert_eq!(object["messages"].as_array().unwrap().len(), 1);
    assert!(register.letters_to("intake@lgo.org.uk").is_empty());
    register.refused(&[&open[..], &["sen"]].concat(), "resume that case");
}

#[test]
fn a_letter_by_post_is_the_link_officers_and_opens_a_case_as_a_mailed_one_does() {
    let register = Register::new();
    let (came, by) = (away(today(), -3), away(today(), 10));
    let day = [came, by].map(|day| day.to_string());
    let theirs = ["--theirs", "25 000 001", "--asks", "the letter names Mrs Underwood"];
    let by_post = ["contact", "--kind", "premature", "--received", &day[0], "--by", &day[1]];
    let told = register.does(&[&by_post[..], &theirs].concat());
    assert!(
        told.contains(&format!("on case 1 of the Ombudsman is recorded, due by {by}")),
        "{told}"
    );
    register.desk.data(&["-q", "serve", "--once"]);
    let letters = register.letters_to(LINK_OFFICER);
    assert_eq!(letters.len(), 1, "told at once: {letters:?}");
    for part in ["25 000 001", "By post or telephone", &short_day(came), &short_day(by)] {
        assert!(letters[0].contains(part), "{part}: {letters:?}");
    }
    assert!(!letters[0].contains("Underwood"), "references and dates alone: {letters:?}");

    let open = ["open", "1", "--type", "corporate_complaint", "--service", "sen"];
    let told = register.does(&open);
    let theirs = register.theirs(1);
    let reference = theirs["reference"].as_str().unwrap();
    assert!(told.starts_with(&format!("{reference} is open, due by 20")), "{told}");
    let object = register.desk.objects(&["-q", "case", "show", "--json", reference]).remove(0);
    assert_eq!(
        (&object["received_on"], &object["customer_address"], &object["messages"]),
        (&json!(day[0]), &Value::Null, &json!([])),
    );
    assert_eq!(object["requests"][0]["service"], "sen", "the service is asked");
    assert_eq!(register.tasks("write_by_hand"), 1, "the customer is told by hand");
    assert!(theirs["contacts"][0]["answered_on"].is_string(), "it is taken up");
    register.refused(&open, "resume that case");
    // Another by telephone opens another; everything else works on it as on any.
    register.does(&["contact", "--kind", "premature", "--theirs", "25 000 002"]);
    register.does(&["open", "2", "--type", "corporate_complaint", "--service", "fair_access"]);
    register.does(&["decision", "2", "--outcome", "upheld"]);
    let steps = register.theirs(2)["history"].as_array().unwrap().len();
    assert!(steps >= 4, "{steps}");
}

#[test]
fn a_remedy_without_a_date_is_reminded_of_from_the_decision_until_it_is_done() {
    let register = Register::new();
    let decided = away(today(), -2);
    register.does(&["contact", "--kind", "enquiry", "--theirs", "25 012 345", "--asks", "x"]);
    let day = decided.to_string();
    register.does(&["decision", "1", "--outcome", "upheld", "--on", &day]);
    register.does(&["answered", "1"]);
    register.does(&["remedy", "1", "--what", "new training for the team"]);
    assert!(register.reminded(away(decided, 9)).is_empty(), "too early");
    let tenth = register.reminded(away(decided, 10));
    let people: Vec<&str> = tenth.iter().map(|(who, _)| who.as_str()).collect();
    assert_eq!(people, [MANAGER, LINK_OFFICER]);
    assert_eq!(tenth[0].1[0]["item"], "undated");
    let letters = register.letters_to(LINK_OFFICER);
    let mail = letters.iter().find(|text| text.contains("From the Ombudsman")).unwrap();
    assert!(mail.contains("Decided 10 days ago"), "{mail}");
    assert!(mail.contains("Remedy 1: agreed without a date, and not done yet"), "{mail}");
    assert!(!mail.contains("training"), "{mail}");
    assert!(register.reminded(away(decided, 11)).is_empty(), "not each day");
    assert_eq!(register.reminded(away(decided, 20)).len(), 2);
    register.does(&["done", "1", "--evidence", "the list of who came"]);
    assert!(register.reminded(away(decided, 30)).is_empty(), "what is done is not asked for");
}

/// A day as a notice has it.
fn short_day(day: Date) -> String {
    day.strftime("%-d %B").to_string()
}

#[test]
fn a_forged_letter_gains_nothing_and_waits_for_a_person() {
    let settings =
        format!("{SETTINGS}[intake]\nauthentication_servers = [\"mx.northmere.example\"]\n");
    let register = Register::with(&settings);
    let forged =
        "Authentication-Results: mx.northmere.example; dmarc=fail header.from=lgo.org.uk\r\n";
    let subject = format!("Decision on {}", register.reference);
    let text = "Our ref 25 012 345. I wish to complain. Final decision: close the case at once.";
    register.receives(2, forged, &subject, text);
    assert_eq!(register.does(&["list", "--all"]), "", "it is no contact");
    assert_eq!((register.tasks("forged"), register.tasks("triage")), (1, 1));
    assert_eq!(
        register.desk.objects(&["-q", "case", "list", "--json"]).len(),
        1,
        "and opens nothing"
    );
    assert_eq!(register.show()["messages"].as_array().unwrap().len(), 1);
    assert!(register.letters_to("intake@lgo.org.uk").is_empty());
    assert!(register.letters_to(LINK_OFFICER).is_empty());

    let proven =
        "Authentication-Results: mx.northmere.example; dmarc=pass header.from=lgo.org.uk\r\n";
    register.receives(3, proven, &subject, text);
    assert_eq!(register.does(&["list"]).lines().count(), 1);
}

#[test]
fn the_link_officer_is_reminded_of_each_date_once_in_the_one_mail_of_the_day() {
    let register = Register::new();
    let case = ["--case", &*register.reference];
    let due = away(today(), 15);
    let day = due.to_string();
    register.does(&[&["contact", "--kind", "documents", "--by", &day][..], &case].concat());
    register.does(&["decision", "1", "--outcome", "upheld"]);
    register.does(&["remedy", "1", "--what", "an apology", "--by", &day]);

    let people = |mails: &[(String, Vec<Value>)]| {
        mails.iter().map(|(recipient, _)| recipient.clone()).collect::<Vec<_>>()
    };
    assert!(register.reminded(away(due, -6)).is_empty(), "too early");
    let before = register.letters_to(LINK_OFFICER).len();
    let five = register.reminded(away(due, -5));
    assert_eq!(five.len(), 2, "the link officer and the director: {five:?}");
    let (_, dates) = five.iter().find(|(who, _)| who == LINK_OFFICER).unwrap();
    assert_eq!(dates.len(), 2, "a contact and a remedy in one mail: {dates:?}");
    assert!(register.reminded(away(due, -5)).is_empty(), "once a day");
    let letters = register.letters_to(LINK_OFFICER);
    assert_eq!(letters.len(), before + 1);
    let mail = letters.iter().find(|text| text.contains("From the Ombudsman")).unwrap();
    assert!(mail.contains("2 matters of the Ombudsman"), "{mail}");
    assert!(!mail.contains("apology") && !mail.contains("ann1@"), "references and dates alone");
    assert!(register.reminded(away(due, -4)).is_empty(), "each rung once");

    // Down for a week: the highest rung alone. Then each working day, and the manager hears.
    let late = register.reminded(away(due, 2));
    assert!(people(&late).contains(&LINK_OFFICER.to_owned()), "{late:?}");
    assert!(people(&late).contains(&MANAGER.to_owned()), "{late:?}");
    assert_eq!(register.reminded(away(due, 3)).len(), 2);
    register.does(&["answered", "1"]);
    let rest = register.reminded(away(due, 4));
    let (_, dates) = rest.iter().find(|(who, _)| who == LINK_OFFICER).unwrap();
    assert_eq!((dates.len(), &dates[0]["item"]), (1, &json!("remedy")), "{rest:?}");
    register.does(&["done", "1", "--evidence", "letter"]);
    assert!(register.reminded(away(due, 5)).is_empty(), "what is done is not asked for");
}

#[test]
fn a_letter_that_nobody_reads_is_not_silent() {
    let register = Register::new();
    register.receives(2, "", "Enquiry", "Our ref 25 012 345. Please reply.");
    let unread = register.reminded(away(today(), 1));
    assert_eq!(unread.len(), 2, "{unread:?}");
    assert_eq!(unread[0].1[0]["item"], "unread");
    register.does(&["confirm", "1", "--kind", "enquiry", "--no-date"]);
    assert!(register.reminded(away(today(), 2)).is_empty());
}
