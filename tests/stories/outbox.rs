//! Letters and mail servers that do not take them at once.

use std::time::Duration;

use super::support::council::{Council, header, letters_of};
use super::support::free_port::free_ports;
use super::support::smtp_sink::{Script, SmtpSink};
use super::{TRANSPORT, mail};

/// A gateway that writes to customers alone, and tries again soon.
fn writes_to_customers_alone(council: &mut Council) {
    council.setting("reminders", "enabled = false");
    council.setting("smtp", "retry_seconds = 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_put_off_leaves_later_with_the_same_bytes() {
    let script = Script::default()
        .reply("RCPT", &["451 4.7.1 greylisted, come back later", "250 ok"])
        .reply("DOT", &["451 4.3.0 not now", "250 ok"]);
    let sink = SmtpSink::start(script).await;
    let mut council = Council::with_mail_server_at(sink.port());
    writes_to_customers_alone(&mut council);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    council.until("the letter is taken", |_| sink.letters().len() == 1);

    let offered = sink.offered();
    assert_eq!(offered.len(), 2, "once put off, once taken");
    assert_eq!(offered[0], offered[1]);
    assert!(header(&offered[0].bytes, "Message-ID").is_some());
    let asked = sink.commands().iter().filter(|line| line.starts_with("RCPT")).count();
    assert_eq!(asked, 3);
    let case = &council.cases()[0];
    council.until("it is recorded as sent", |council| {
        let letter = &council.case(case["reference"].as_str().unwrap())["letters"][0];
        letter["state"] == "sent" && letter["attempts"] == 3
    });
    council.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_refused_becomes_an_officers_task_and_is_not_tried_again() {
    let script = Script::default().reply("RCPT", &["550 5.1.1 no such mailbox"]);
    let sink = SmtpSink::start(script).await;
    let mut council = Council::with_mail_server_at(sink.port());
    writes_to_customers_alone(&mut council);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    council.until("the letter has failed", |council| {
        let cases = council.cases();
        let Some(case) = cases.first() else { return false };
        council.case(case["reference"].as_str().unwrap())["letters"][0]["state"] == "failed"
    });
    let reference = council.cases()[0]["reference"].as_str().unwrap().to_owned();
    let shown = council.says(&["case", "show", &reference]);
    assert!(shown.contains("acknowledgement failed the address does not exist"), "{shown}");
    assert!(council.case(&reference)["acknowledged_at"].is_null());
    let waiting = council.says(&["case", "list", "--waiting"]);
    assert!(waiting.contains("a letter did not arrive (the address does not exist)"), "{waiting}");

    std::thread::sleep(Duration::from_millis(2500));
    council.close();
    let asked = sink.commands().iter().filter(|line| line.starts_with("RCPT")).count();
    assert_eq!(asked, 1, "not tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_mail_server_is_down_letters_wait_and_mail_is_taken_in() {
    let [port] = free_ports();
    let mut council = Council::with_mail_server_at(port);
    council.setting("smtp", "retry_seconds = 1");
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    council.waits_until_moved(1);
    council.until("the gateway says what is wrong", |council| {
        council.daemons[0].log().contains("outgoing mail stands still")
    });
    std::thread::sleep(Duration::from_secs(2));
    // And through a restart.
    council.close();
    council.serve();

    let sink = SmtpSink::start_at(port, Script::default()).await;
    council.until("all three letters left", |_| letters_of(&sink).len() == 3);
    let reference = council.cases()[0]["reference"].as_str().unwrap().to_owned();
    council.until("they are recorded as sent", |council| {
        let case = council.case(&reference);
        case["letters"].as_array().unwrap().iter().all(|letter| letter["state"] == "sent")
    });
    council.close();
    let letters = letters_of(&sink);
    assert_eq!(letters.len(), 3);
    assert_eq!(letters.iter().filter(|letter| letter.to == "ann@example.org").count(), 1);
}
