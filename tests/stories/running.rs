//! A gateway among failures: stopped, started again, its mail server killed.

use std::time::Duration;

use super::support::council::{Council, USER, deliver_into};
use super::{SEN, TRANSPORT, mail, sink};

fn writers(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("parent{number}@example.org")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_waits_ends_at_once() {
    let mut council = Council::with(sink().await);
    council.add_imap("feedback", "feedback", "feedback@northmere.example");
    council.add_maildir("letterbox", "letterbox@northmere.example");
    council.serve();
    council.until("both folders are read", |council| {
        council.daemons[0].log().matches("connected").count() == 2
    });
    std::thread::sleep(Duration::from_millis(1500));
    let (status, took) = council.daemons[0].terminate();
    assert!(status.success(), "{status}\n{}", council.story());
    assert!(took < Duration::from_secs(3), "{took:?}\n{}", council.story());
    assert!(council.story().contains("\"stopped\""), "{}", council.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_gateway_ends_soon_and_goes_on_where_it_was() {
    let mut council = Council::with(sink().await);
    let writers = writers(120);
    for writer in &writers {
        council.receives(&mail(writer, "The taxi", TRANSPORT));
    }
    // Stopped again and again, each time a little later.
    for letters in [1, 60, 150] {
        council.serve();
        council.until("it is busy", |council| council.letters().len() >= letters);
        council.close();
    }
    let by_then = council.letters().len();
    assert!(by_then < 3 * writers.len(), "it was stopped too late to show anything");

    council.serve();
    for writer in &writers {
        council.waits_for_letters(1, writer);
    }
    council.waits_until_moved(writers.len());
    council.waits_for_letters(writers.len(), "school-transport@northmere.example");
    council.waits_for_letters(writers.len(), "leopold.varney@northmere.example");
    council.close();
    assert_eq!(council.letters().len(), 3 * writers.len(), "nothing twice");
    assert_eq!(council.cases().len(), writers.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_dies_is_found_again_and_stops_no_other_mailbox() {
    let mut council = Council::with(sink().await);
    let letterbox = council.add_maildir("letterbox", "letterbox@northmere.example");
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    council.waits_for_letter("ann@example.org");
    council.waits_until_moved(1);

    council.dovecot.stop();
    council
        .until("the trouble is noticed", |council| council.daemons[0].log().contains("again in"));
    let now = jiff::Timestamp::now().as_second();
    let message = mail("ben@example.org", "EHCP", SEN);
    deliver_into(&letterbox, &format!("{now}.M1P1.localhost"), message.as_bytes());
    council.waits_for_letter("ben@example.org");

    council.dovecot.start_again();
    council.dovecot.deliver(USER, mail("cas@example.org", "The taxi", TRANSPORT).as_bytes());
    council.waits_for_letter("cas@example.org");
    council.waits_until_moved(2);
    for name in ["ann", "ben", "cas"] {
        council.waits_for_letters(1, &format!("{name}@example.org"));
    }
    assert_eq!(council.cases().len(), 3);
    council.close();
}
