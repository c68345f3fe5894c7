//! The whole walk, from a delivered complaint to a reminder that nobody needs any more.

use serde_json::Value;

use super::support::council::{BOTH, COMPLAINTS, Council, Engine, Reminder, text};
use super::{SEN, TRANSPORT, answer_to, id_of, mail};

const TRANSPORT_INBOX: &str = "school-transport@northmere.example";
const TRANSPORT_MANAGER: &str = "leopold.varney@northmere.example";
const SEN_INBOX: &str = "sen-complaints@northmere.example";

#[test]
fn a_complaint_becomes_a_case_and_the_services_answer_stops_the_reminders() {
    for engine in BOTH {
        eprintln!("on {engine:?}"); // shown only when the test fails
        tell(engine);
    }
}

fn tell(engine: Engine) {
    let mut council = Council::with_exim(engine);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    council.receives(&mail("ben@example.org", "EHCP", SEN));

    let acknowledgement = council.waits_for_letter("ann@example.org");
    let anns = acknowledgement.reference();
    let bens = council.waits_for_letter("ben@example.org").reference();
    assert!(acknowledgement.header("Reply-To").starts_with("complaints+"));
    assert_eq!(acknowledgement.header("Auto-Submitted"), "auto-replied");
    let complaint = format!("<{}>", id_of("ann@example.org", "The taxi"));
    assert_eq!(acknowledgement.header("In-Reply-To"), complaint);
    assert!(acknowledgement.header("Return-path").starts_with("<complaints+"));
    council.waits_until_moved(2);

    // Both services are asked, each at its mailbox and its manager.
    let request = council.waits_for_letter(TRANSPORT_INBOX);
    assert!(request.header("Subject").starts_with("Please answer by"));
    assert_eq!(request.reference(), anns);
    assert_eq!(council.waits_for_letter(TRANSPORT_MANAGER).reference(), anns);
    assert_eq!(council.waits_for_letter(SEN_INBOX).reference(), bens);
    let shown = council.case(&anns);
    assert_eq!(shown["record_type"], "corporate_complaint");
    assert_eq!(shown["lead_service"], "home_to_school_transport");
    assert_eq!(states(&shown), ["asked"]);
    // What left is recorded a moment after the mail server has it.
    council.until("the acknowledgement is recorded", |council| {
        council.case(&anns)["acknowledged_at"].is_string()
    });

    let answer = answer_to(&request, TRANSPORT_INBOX, "The firm was changed. We are sorry.\r\n");
    let to = request.header("Reply-To");
    council.dovecot.deliver_by_lmtp(TRANSPORT_INBOX, &to, answer.as_bytes());
    council.until("the service's answer is recorded", |council| {
        states(&council.case(&anns)) == ["answered"]
    });
    council.waits_until_moved(3);
    assert_eq!(states(&council.case(&bens)), ["asked"], "only who answered has answered");
    council.close();

    let (day, rehearsed) = first_chase(&council);
    assert!(rehearsed.iter().all(|one| one.reference == bens), "{anns} is chased: {rehearsed:?}");
    let before = council.letters().len();
    let real = council.reminders(day, true);
    assert_eq!(real, rehearsed, "what is said beforehand is what is done");
    council.until("the reminders left", |council| council.letters().len() > before);
    let chased = council.letters().len() - before;
    assert_eq!(chased, people(&real));
    assert!(council.reminders(day, true).is_empty(), "run twice");
    assert_eq!(council.letters().len(), before + chased);
    // Nothing of all this went to the customers or to the service that has answered.
    for address in ["ann@example.org", "ben@example.org", TRANSPORT_INBOX, TRANSPORT_MANAGER] {
        council.waits_for_letters(1, address);
    }
    assert!(council.letters_to(COMPLAINTS).is_empty());
}

/// The first day on which somebody is chased, and who.
fn first_chase(council: &Council) -> (jiff::civil::Date, Vec<Reminder>) {
    let today = jiff::Zoned::now().date();
    (1..15)
        .map(|days| today + jiff::Span::new().days(days))
        .map(|day| (day, council.reminders(day, false)))
        .find(|(_, reminders)| !reminders.is_empty())
        .expect("somebody is chased within two weeks")
}

fn people(reminders: &[Reminder]) -> usize {
    let mut people: Vec<&str> = reminders.iter().map(|one| one.to.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    people.len()
}

fn states(case: &Value) -> Vec<String> {
    case["requests"].as_array().unwrap().iter().map(|request| text(&request["state"])).collect()
}
