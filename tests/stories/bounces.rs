//! Letters that come back, and answers that are too many.

use serde_json::Value;

use super::machines::{delivery_report, read_receipt_of, report};
use super::support::council::Engine;
use super::support::council::{COMPLAINTS, Council, Letter};
use super::support::exim::REFUSED;
use super::{SEN, TRANSPORT, mail, sink};

const SERVICE: &str = "school-transport@northmere.example";
const MANAGER: &str = "leopold.varney@northmere.example";
const ANN: &str = "ann@example.org";

/// A complaint like no other of the same person.
fn complaint(from: &str, number: usize) -> String {
    mail(from, &format!("The taxi {number}"), &format!("{TRANSPORT}This is matter {number}.\r\n"))
}

async fn customers_alone() -> Council {
    let mut council = Council::with(sink().await);
    council.setting("reminders", "enabled = false");
    council.serve();
    council
}

fn waiting(council: &Council) -> String {
    council.says(&["case", "list", "--waiting"])
}

fn held(council: &Council) -> Vec<Value> {
    council.lists(&["letters", "list", "--held"])
}

/// The latest case, once there are this many.
fn latest_of(council: &Council, count: usize) -> Value {
    council.until(&format!("{count} cases"), |council| council.cases().len() >= count);
    let mut references: Vec<String> =
        council.cases().iter().map(|case| case["reference"].as_str().unwrap().to_owned()).collect();
    references.sort();
    council.case(references.last().unwrap())
}

/// A report comes by mail to where bounces of that letter go.
fn comes_back(council: &Council, letter: &Letter, status: &str) {
    let report = delivery_report(letter, &letter.from, "failed", status);
    council.dovecot.deliver_by_lmtp("", &letter.from, report.as_bytes());
    council.until("the letter is known to have come back", |council| {
        let case = council.case(&letter.reference());
        let letters = case["letters"].as_array().unwrap();
        letters.iter().any(|one| one["bounce_status"] == status)
    });
}

fn acknowledgement_of(council: &Council, count: usize) -> Letter {
    council.waits_for_letters(count, ANN).pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_hard_bounce_nothing_goes_to_the_address_until_an_officer_allows_it() {
    let mut council = customers_alone().await;
    council.receives(&complaint(ANN, 1));
    let letter = acknowledgement_of(&council, 1);
    comes_back(&council, &letter, "5.1.1");

    let shown = council.says(&["case", "show", &letter.reference()]);
    assert!(shown.contains("acknowledgement sent") && shown.contains("(5.1.1)"), "{shown}");
    let tasks = waiting(&council);
    let told = "a letter came back (5.1.1): reach the person by other means; nothing automatic goes to that address until ";
    assert!(tasks.contains(told) && tasks.contains(&letter.reference()), "{tasks}");
    assert!(!tasks.contains("ann@"), "tasks name nobody: {tasks}");

    // Another server says so too: nobody is told twice.
    let again = delivery_report(&letter, COMPLAINTS, "failed", "5.1.10");
    council.receives(&again);
    council.waits_until_moved(3);
    assert_eq!(waiting(&council).matches("a letter came back").count(), 1);

    council.receives(&complaint(ANN, 2));
    let case = latest_of(&council, 2);
    let message = &case["messages"][0];
    let reason = message["acknowledge_reason"].as_str().unwrap();
    assert!(reason.starts_with("its address refuses our mail since "), "{reason}");
    assert!(waiting(&council).contains("acknowledge by hand: its address refuses our mail"));
    // And through a restart.
    council.close();
    council.serve();
    council.receives(&complaint(ANN, 3));
    latest_of(&council, 3);
    council.waits_until_moved(5);
    assert_eq!(council.letters_to(ANN).len(), 1);

    let said = council.says(&["letters", "allow", "Ann@Example.org"]);
    assert_eq!(said, "automatic mail goes to it again\n");
    council.receives(&complaint(ANN, 4));
    acknowledgement_of(&council, 2);
    council.close();
    let log = council.story();
    assert!(!log.lines().any(|line| line.starts_with('{') && line.contains("ann@")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_without_our_token_changes_nothing() {
    let mut council = customers_alone().await;
    council.receives(&complaint(ANN, 1));
    let letter = acknowledgement_of(&council, 1);
    let real = delivery_report(&letter, COMPLAINTS, "failed", "5.1.1");
    let id = letter.message_id();
    // The last character of the token is another.
    let at = id.find('@').unwrap() - 1;
    let mut forged = id.clone();
    forged.replace_range(at..=at, if id[at..].starts_with('0') { "1" } else { "0" });
    let reports = [
        real.replace(&id, &forged),
        real.replace(&id, "<1@mx.example.org>").replace("5.1.1", "5.1.2"),
        report(
            "MAILER-DAEMON@mx.example.org",
            COMPLAINTS,
            "delivery-status",
            &[
                ("text/plain", format!("No such person: {ANN}, about {}.", letter.reference())),
                (
                    "message/delivery-status",
                    format!(
                        "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; {ANN}\r\nAction: failed\r\nStatus: 5.1.1"
                    ),
                ),
            ],
        ),
    ];
    for report in &reports {
        assert!(!report.contains(id.trim_matches(['<', '>'])), "{report}");
        // What is enclosed bears a token in its Reply-To as well.
        let plain: Vec<&str> =
            report.lines().filter(|line| !line.starts_with("Reply-To:")).collect();
        council.receives(&plain.join("\r\n"));
    }
    council.waits_until_moved(1 + reports.len());
    council.receives(&complaint(ANN, 2));
    acknowledgement_of(&council, 2);
    let case = council.case(&letter.reference());
    assert!(case["letters"][0]["bounced_at"].is_null(), "{case:#}");
    assert!(!waiting(&council).contains("came back"));
    council.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_that_a_letter_arrived_or_is_late_is_filed_and_never_answered() {
    let mut council = customers_alone().await;
    council.receives(&complaint(ANN, 1));
    let letter = acknowledgement_of(&council, 1);
    let reference = letter.reference();
    let before = waiting(&council);
    let delayed = delivery_report(&letter, COMPLAINTS, "delayed", "4.4.1");
    council.dovecot.deliver_by_lmtp("", &letter.from, delayed.as_bytes());
    council.waits_until_moved(2);
    assert!(council.case(&reference)["letters"][0]["delivered_at"].is_null());
    for (action, status) in [("relayed", "2.0.0"), ("delivered", "2.1.5")] {
        let report = delivery_report(&letter, COMPLAINTS, action, status);
        council.dovecot.deliver_by_lmtp("", &letter.from, report.as_bytes());
    }
    council.receives(&read_receipt_of(&letter));
    council.waits_until_moved(5);
    council.close();

    let case = council.case(&reference);
    let messages = case["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 5, "{case:#}");
    for message in &messages[1..] {
        assert_eq!(message["action"], "filed", "{message}");
    }
    let letters = case["letters"].as_array().unwrap();
    assert_eq!(letters.len(), 1, "no letter answers them: {case:#}");
    assert!(letters[0]["delivered_at"].is_number() && letters[0]["bounced_at"].is_null());
    assert_eq!(council.letters().len(), 1);
    assert_eq!(waiting(&council), before, "nobody has anything more to do");
    let shown = council.says(&["case", "show", &reference]);
    assert!(shown.contains(", delivered") && shown.contains("is delayed (4.4.1)"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_stops_mail_at_the_third_time_and_a_policy_never() {
    let mut council = customers_alone().await;
    for number in 1..=2 {
        council.receives(&complaint(ANN, number));
        comes_back(&council, &acknowledgement_of(&council, number), "5.7.1");
    }
    let tasks = waiting(&council);
    assert_eq!(tasks.matches("our mail is refused by policy (5.7.1)").count(), 1, "{tasks}");
    assert_eq!(tasks.matches("a letter came back (5.7.1)").count(), 2, "{tasks}");
    for number in 3..=5 {
        assert!(!waiting(&council).contains("nothing automatic goes"));
        council.receives(&complaint(ANN, number));
        comes_back(&council, &acknowledgement_of(&council, number), "5.2.2");
    }
    assert_eq!(waiting(&council).matches("nothing automatic goes").count(), 1);
    council.receives(&complaint(ANN, 6));
    latest_of(&council, 6);
    council.close();
    assert_eq!(council.letters_to(ANN).len(), 5);
}

#[test]
fn an_address_that_the_server_refuses_at_once_is_stopped_as_well() {
    let mut council = Council::with_exim(Engine::Sqlite);
    council.setting("reminders", "enabled = false");
    council.serve();
    let refused = format!("{REFUSED}@example.org");
    council.receives(&complaint(&refused, 1));
    council.until("the letter has failed", |council| {
        waiting(council).contains("(the address does not exist): reach the person by other means; nothing automatic goes to that address until ")
    });
    council.receives(&complaint(&refused, 2));
    let case = latest_of(&council, 2);
    let reason = case["messages"][0]["acknowledge_reason"].as_str().unwrap();
    assert!(reason.starts_with("its address refuses our mail since "), "{reason}");
    council.close();
    let failed = council.lists(&["letters", "list", "--failed"]);
    assert_eq!(failed.len(), 1, "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_to_a_service_whose_address_refuses_wait_with_one_task() {
    let mut council = Council::with(sink().await);
    council.serve();
    council.receives(&complaint(ANN, 1));
    let request = council.waits_for_letter(SERVICE);
    comes_back(&council, &request, "5.1.1");
    for number in 2..=3 {
        council.receives(&complaint(ANN, number));
    }
    council.until("both requests are held", |council| held(council).len() == 2);
    council.waits_for_letters(3, MANAGER);
    let rows = held(&council);
    for row in &rows {
        assert_eq!((&row["recipient"], &row["held_by"]), (&SERVICE.into(), &"address".into()));
        assert_eq!(row["last_cause"], "its address refuses our mail");
    }
    assert_eq!(waiting(&council).matches("letters are held: ").count(), 1, "{}", waiting(&council));

    let one = rows[0]["id"].to_string();
    council.says(&["letters", "release", &one]);
    council.until("it leaves", |council| council.letters_to(SERVICE).len() == 2);
    let said = council.says(&["letters", "allow", SERVICE]);
    let other = rows[1]["id"].to_string();
    assert!(said.ends_with(&format!("`postern letters release {other}`\n")), "{said}");
    assert_eq!(waiting(&council).matches("letters are held: ").count(), 0, "it is done");
    council.says(&["letters", "release", &other]);
    council.waits_for_letters(3, SERVICE);
    council.receives(&complaint(ANN, 4));
    council.waits_for_letters(4, SERVICE);
    council.close();
    assert!(held(&council).is_empty());
}

/// What a child at risk writes.
const AT_RISK: &str = "I am 14 and I want to complain about my social worker, she does nothing.\r\n\
    My stepdad punched me last night.\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn too_many_answers_wait_for_a_person_and_nothing_else_does() {
    let mut council = Council::with(sink().await);
    council.setting("limits", "answers_in_ten_minutes = 2");
    council.setting("duty", "address = \"duty@northmere.example\"");
    council.serve();
    for number in 1..=4 {
        council.receives(&complaint(&format!("parent{number}@example.org"), number));
    }
    council.until("two answers are held", |council| held(council).len() == 2);
    let answers = |council: &Council| {
        let letters = council.letters().into_iter();
        letters.filter(|letter| letter.to.ends_with("@example.org")).count()
    };
    council.waits_for_letters(4, SERVICE);
    council.receives(&mail("cas@example.org", "He is hurt", AT_RISK));
    council.waits_for_letter("duty@northmere.example");
    // And through a restart.
    council.close();
    council.serve();
    council.receives(&mail("ben@example.org", "EHCP", SEN));
    council.waits_for_letter("sen-complaints@northmere.example");
    council.until("the later ones are held too", |council| held(council).len() == 4);
    assert_eq!(answers(&council), 2, "{}", council.story());
    let alarms = council
        .story()
        .matches("automatic answers stand still: more than 2 in ten minutes")
        .count();
    assert_eq!(alarms, 1, "one line");
    assert_eq!(waiting(&council).matches("automatic answers stand still").count(), 1);
    for row in held(&council) {
        assert_eq!(row["held_by"], "breaker", "{row}");
        let case = council.case(row["reference"].as_str().unwrap());
        assert!(case["acknowledged_at"].is_null(), "{case:#}");
    }

    assert_eq!(council.says(&["letters", "release", "--held"]), "held answers released: 4\n");
    council.until("what was held leaves", |council| answers(council) == 6);
    assert!(!waiting(&council).contains("automatic answers stand still"));
    council.receives(&complaint("late@example.org", 5));
    council.waits_for_letter("late@example.org");
    council.close();
    assert!(held(&council).is_empty());
}
