//! Several gateways on one register.

use std::collections::BTreeSet;
use std::time::Duration;

use super::support::council::{Council, Engine, Letter, deliver_into};
use super::support::smtp_sink::{Script, SmtpSink};
use super::{TRANSPORT, mail, sink};

const MESSAGES: usize = 200;
/// Letters that a slow mail server takes at once.
const AT_ONCE: usize = 20;
/// Letters that a gateway has in hand at most.
const IN_HAND: usize = 16;

fn writer(number: usize) -> String {
    format!("parent{number}@example.org")
}

fn acknowledgements(council: &Council) -> Vec<Letter> {
    let letters = council.letters().into_iter();
    letters.filter(|letter| letter.to.ends_with("@example.org")).collect()
}

/// Messages for two mailboxes, and which are for the second.
fn two_mailboxes(council: &mut Council) {
    let letterbox = council.add_maildir("letterbox", "letterbox@northmere.example");
    let now = jiff::Timestamp::now().as_second();
    for number in 0..MESSAGES {
        let message = mail(&writer(number), "The taxi", TRANSPORT);
        if number % 4 == 0 {
            let name = format!("{now}.M{number}P1.localhost");
            deliver_into(&letterbox, &name, message.as_bytes());
        } else {
            council.receives(&message);
        }
    }
}

fn everybody_has_one_case(council: &Council) {
    let cases = council.cases();
    assert_eq!(cases.len(), MESSAGES, "{}", council.story());
    let numbers: BTreeSet<&str> =
        cases.iter().map(|case| case["reference"].as_str().unwrap()).collect();
    assert_eq!(numbers.len(), MESSAGES);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_gateways_share_the_work_without_doing_any_of_it_twice() {
    let mut council = Council::on(Engine::Postgres, sink().await);
    two_mailboxes(&mut council);
    for _ in 0..3 {
        council.serve();
    }
    council.until("every letter left", |council| council.letters().len() >= 3 * MESSAGES);
    council.waits_until_moved(MESSAGES / 4 * 3);
    council.close();
    assert_eq!(council.letters().len(), 3 * MESSAGES, "nothing twice");
    for number in 0..MESSAGES {
        council.waits_for_letters(1, &writer(number));
    }
    everybody_has_one_case(&council);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_of_three_gateways_is_killed_the_others_finish_its_work() {
    // After the first letters it takes its time, so that the kill comes in the middle of the others.
    let mut delays = vec![Duration::ZERO; AT_ONCE];
    delays.extend([Duration::from_secs(2); 60]);
    delays.push(Duration::ZERO);
    let slow = Script { delay_at_dot: delays, ..Script::default() };
    let mut council = Council::on(Engine::Postgres, SmtpSink::start(slow).await);
    council.setting("intake", "lease_seconds = 8");
    two_mailboxes(&mut council);
    for _ in 0..3 {
        council.serve();
    }
    council.until("they are at it", |council| council.letters().len() >= AT_ONCE);
    assert!(council.letters().len() < 2 * MESSAGES, "too late to show anything");
    // The first has the mailboxes.
    council.daemons[0].kill();
    council.daemons.remove(0);
    council.until("everybody has an answer", |council| {
        let written: BTreeSet<String> =
            acknowledgements(council).into_iter().map(|letter| letter.to).collect();
        written.len() == MESSAGES
    });
    council.waits_until_moved(MESSAGES / 4 * 3);
    council.close();

    everybody_has_one_case(&council);
    // What was just being handed over when the gateway died may come again: the same letter, which
    // the reader's mail server knows by its Message-ID.
    let letters = acknowledgements(&council);
    let different: BTreeSet<Vec<u8>> = letters.iter().map(|one| one.bytes.clone()).collect();
    assert_eq!(different.len(), MESSAGES, "each answer was written once");
    assert!(letters.len() <= MESSAGES + IN_HAND, "{} letters", letters.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_on_a_file_is_told_why_not() {
    let mut council = Council::with(sink().await);
    council.serve();
    let settings = council.settings_file();
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["--config", settings.to_str().unwrap(), "serve"])
        .output()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another postern serves this store"), "{said}");
    assert!(said.contains("PostgreSQL"), "{said}");
    // The first one is none the worse for it.
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    council.waits_for_letter("ann@example.org");
    council.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_suspended_does_nothing_again_when_it_wakes() {
    let mut council = Council::on(Engine::Postgres, sink().await);
    council.setting("intake", "lease_seconds = 5");
    two_mailboxes(&mut council);
    for _ in 0..3 {
        council.serve();
    }
    council.until("they are at it", |council| council.letters().len() >= 40);
    council.daemons[0].suspend();
    council.until("everybody has an answer", |council| {
        let written: BTreeSet<String> =
            acknowledgements(council).into_iter().map(|letter| letter.to).collect();
        written.len() == MESSAGES
    });
    // It believes that no time has passed, and goes on with what it had in hand.
    council.daemons[0].wake();
    std::thread::sleep(std::time::Duration::from_secs(3));
    council.waits_until_moved(MESSAGES / 4 * 3);
    council.close();
    everybody_has_one_case(&council);
    let letters = acknowledgements(&council);
    let different: BTreeSet<Vec<u8>> = letters.iter().map(|one| one.bytes.clone()).collect();
    assert_eq!(different.len(), MESSAGES, "each answer was written once");
    assert!(letters.len() <= MESSAGES + IN_HAND, "{} letters", letters.len());
}
