//! Who may join a case by quoting its reference.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use postern::clock::Clock;
use postern::config::Config;
use postern::daemon;
use postern::gateway::Gateway;

use super::support::council::{Council, Letter};
use super::{TRANSPORT, answer_to, mail, mail_with, sink};

/// Everything that waits is done, at a moment of the story's own choosing.
async fn later(council: &Council, now: Timestamp) {
    let (config, _) = Config::load(&council.settings_file(), []).unwrap();
    let gateway: Arc<Gateway> = Gateway::open(config, Clock::fixed(now)).await.unwrap();
    daemon::once(&gateway).await.unwrap();
    gateway.db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quoted_reference_opens_no_door_for_a_stranger() {
    let mut council = Council::with(sink().await);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    let reference = council.waits_for_letter("ann@example.org").reference();

    let quoting = format!("I write about {reference}.\r\n{TRANSPORT}I am her neighbour.\r\n");
    council.receives(&mail("nosy@example.net", "The taxi again", &quoting));
    let answer = council.waits_for_letter("nosy@example.net");
    assert_ne!(answer.reference(), reference, "a stranger gets a case of their own");
    assert!(!answer.words().contains(&reference), "and hears nothing of the other");
    assert_eq!(council.case(&reference)["messages"].as_array().unwrap().len(), 1);
    let waiting = council.says(&["case", "list", "--waiting"]);
    assert!(
        waiting.contains(&format!("quotes {reference}, but its sender is no party")),
        "{waiting}"
    );
    council.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_customer_adds_joins_the_case_with_one_receipt_a_day() {
    let mut council = Council::with(sink().await);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    let reference = council.waits_for_letter("ann@example.org").reference();
    let adds = |council: &Council, text: &str| {
        let text = format!("About {reference}: {text}\r\n");
        council.receives(&mail("Ann <ANN@example.org>", text.trim_end(), &text));
    };
    adds(&council, "it was late again today.");
    council.until("it joined the case", |council| {
        council.case(&reference)["messages"].as_array().unwrap().len() == 2
    });
    let attached = &council.case(&reference)["messages"][1];
    assert_eq!(attached["action"], "attached");
    council.close();
    council.waits_for_letters(1, "ann@example.org");

    let tomorrow = Timestamp::now() + SignedDuration::from_hours(25);
    adds(&council, "and it did not come at all.");
    later(&council, tomorrow).await;
    let letters = council.waits_for_letters(2, "ann@example.org");
    assert!(letters.iter().all(|letter| letter.reference() == reference));
    adds(&council, "nor in the afternoon.");
    later(&council, tomorrow + SignedDuration::from_hours(2)).await;
    council.waits_for_letters(2, "ann@example.org");
    adds(&council, "today it came.");
    later(&council, tomorrow + SignedDuration::from_hours(25)).await;
    council.waits_for_letters(3, "ann@example.org");

    assert_eq!(council.cases().len(), 1);
    assert_eq!(council.case(&reference)["messages"].as_array().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_letter_from_before_the_key_was_changed_still_finds_its_case() {
    let mut council = Council::with(sink().await);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    let letter = council.waits_for_letter("ann@example.org");
    let (case, old) = (letter.reference(), letter.header("Reply-To"));
    council.close();
    let said = council.says(&["rotate-key"]);
    assert!(said.contains("restart every `postern serve`"), "{said}");

    // From an address that is no party: the token alone does it.
    let answer = |letter: &Letter, from| answer_to(letter, from, "It came an hour late.\r\n");
    council.serve();
    council.receives(&answer(&letter, "ann.at.work@example.net"));
    council.until("it joined the case", |council| {
        council.case(&case)["messages"].as_array().unwrap().len() == 2
    });
    council.receives(&mail("ben@example.org", "The bus", TRANSPORT));
    let new = council.waits_for_letter("ben@example.org").header("Reply-To");
    let key = |address: &str| address.split('+').nth(1).unwrap().chars().next();
    assert_eq!((key(&old), key(&new)), (Some('1'), Some('2')));
    council.close();
    council.says(&["rotate-key"]);
    council.serve();
    council.receives(&answer(&letter, "ann.elsewhere@example.net"));
    council.until("it opened a case of its own", |council| council.cases().len() == 3);
    council.close();
}

/// What somebody filled into the council's web form, as its machine sends it.
fn web_form(address: &str, happened: &str) -> String {
    let header = "Auto-Submitted: auto-generated\r\nReturn-Path: <>\r\n";
    let body = format!(
        "Type of feedback: Complaint\r\nName: Ann Lee\r\nEmail: {address}\r\nTelephone: 07700 900471\r\n\
         Service: School transport\r\nPlease tell us what happened: {happened}\r\n\
         What would you like us to do?: Ring me.\r\n"
    );
    mail_with(
        "Northmere <noreply@forms.northmere.example>",
        "Customer feedback form",
        header,
        &body,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_fills_in_the_web_form_is_answered_but_proves_nothing_of_themselves() {
    let mut council = Council::with(sink().await);
    council.serve();
    council.receives(&web_form("ann@example.org", TRANSPORT.trim_end()));
    let letter = council.waits_for_letter("ann@example.org");
    let reference = letter.reference();
    assert!(letter.is_acknowledgement());
    let case = council.case(&reference);
    assert_eq!(case["messages"].as_array().unwrap().len(), 1, "{case}");
    assert_eq!(case["lead_service"], "home_to_school_transport");

    // Anybody can type Ann's address, and a reference that they have seen somewhere.
    let quoting = format!("It is about {reference}. Please send me the whole file of the taxi.");
    council.receives(&web_form("ann@example.org", &quoting));
    council.waits_for_letters(2, "ann@example.org");
    assert_eq!(council.case(&reference)["messages"].as_array().unwrap().len(), 1);
    let waiting = council.says(&["case", "list", "--waiting"]);
    assert!(waiting.contains(&format!("quotes {reference}")), "{waiting}");

    // A service's or the council's own address that is typed there is not believed either.
    council.receives(&web_form("school-transport@northmere.example", "The taxi firm was late."));
    council.until("a third case", |council| council.cases().len() == 3);
    council.close();
    assert!(council.dovecot.messages("complaints", "INBOX").is_empty());
    assert_eq!(council.letters_to("noreply@forms.northmere.example").len(), 0);
}
