//! How mail arrives: by IDLE or by asking, in several mailboxes, twice, before the cut-over date.

use std::time::{Duration, Instant, SystemTime};

use super::support::council::{Council, USER, deliver_into};
use super::support::dovecot::{Options, WITHOUT_MOVE};
use super::{SEN, TRANSPORT, mail, mail_with, sink};

/// Sends a complaint to a gateway that waits for mail, and says how long its answer took.
fn answered_after(council: &mut Council) -> Duration {
    council.serve();
    council.until("the mailbox is read", |council| council.daemons[0].log().contains("connected"));
    // Let it finish its first pass and wait.
    std::thread::sleep(Duration::from_millis(1500));
    let delivered = Instant::now();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    council.waits_for_letter("ann@example.org");
    let took = delivered.elapsed();
    council.waits_until_moved(1);
    council.close();
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_arrives_while_we_idle_is_answered_within_five_seconds() {
    let mut council = Council::with(sink().await);
    let took = answered_after(&mut council);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_idle_a_message_is_found_by_asking() {
    let mut council = Council::with(sink().await);
    council.mailbox_setting("idle = false\npoll_seconds = 1");
    let took = answered_after(&mut council);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_in_three_mailboxes_is_one_case_and_one_answer() {
    let mut council = Council::with(sink().await);
    council.add_imap("feedback", "feedback", "feedback@northmere.example");
    let letterbox = council.add_maildir("letterbox", "letterbox@northmere.example");
    council.serve();

    let header = "To: complaints@northmere.example\r\nCc: feedback@northmere.example, \
                  letterbox@northmere.example\r\n";
    let message = mail_with("ann@example.org", "The taxi", header, TRANSPORT);
    // Each server adds its own lines, so that no two copies are the same bytes.
    for user in [USER, "feedback"] {
        council.dovecot.deliver_by_lmtp(
            "ann@example.org",
            &format!("{user}@northmere.example"),
            message.as_bytes(),
        );
    }
    deliver_into(&letterbox, "1.M1P1.localhost", message.as_bytes());

    council.waits_for_letter("ann@example.org");
    council.waits_until_moved(1);
    // And once more, byte for byte what is there already.
    let copy = council.dovecot.messages(USER, "Processed").remove(0);
    council.dovecot.deliver(USER, &copy);
    council.waits_until_moved(2);
    council.until("the other mailboxes are empty", |council| {
        council.dovecot.messages("feedback", "Processed").len() == 1
            && council.dovecot.messages("feedback", "INBOX").is_empty()
            && std::fs::read_dir(letterbox.join(".Processed/cur")).is_ok_and(|dir| dir.count() == 1)
            && std::fs::read_dir(letterbox.join("new")).unwrap().count() == 0
    });
    // A different message in another mailbox is another case.
    deliver_into(&letterbox, "2.M1P1.localhost", mail("ben@example.org", "EHCP", SEN).as_bytes());
    council.waits_for_letter("ben@example.org");
    assert_eq!(council.cases().len(), 2);
    council.waits_for_letters(1, "ann@example.org");
    council.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_moved_messages_are_marked_and_not_taken_again() {
    let options = Options { capability: Some(WITHOUT_MOVE) };
    let mut council = Council::with_dovecot(sink().await, &options);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    council.waits_for_letter("ann@example.org");
    let keywords = council.dovecot.maildir(USER).join("dovecot-keywords");
    council.until("the message is marked", |_| {
        std::fs::read_to_string(&keywords).is_ok_and(|text| text.contains("PosternDone"))
    });
    council.close();

    council.serve();
    council.receives(&mail("ben@example.org", "EHCP", SEN));
    council.waits_for_letter("ben@example.org");
    let log = council.daemons[0].log();
    assert!(log.contains("1 messages kept"), "only the new one is taken:\n{log}");
    assert!(!log.contains("message 1 "), "{log}");
    council.close();
    council.waits_for_letters(1, "ann@example.org");
    assert_eq!(council.cases().len(), 2);
    assert_eq!(council.dovecot.messages(USER, "INBOX").len(), 2, "nothing is ever deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_numbered_anew_open_nothing_and_are_not_answered_again() {
    // They stay in the folder, so that every one of them is seen again.
    let options = Options { capability: Some(WITHOUT_MOVE) };
    let mut council = Council::with_dovecot(sink().await, &options);
    council.serve();
    for name in ["ann", "ben", "cas"] {
        council.receives(&mail(&format!("{name}@example.org"), "The taxi", TRANSPORT));
        council.waits_for_letter(&format!("{name}@example.org"));
    }
    council.close();
    // The new number of the folder is the time in seconds.
    std::thread::sleep(Duration::from_millis(1100));
    council.dovecot.forget_numbers(USER);

    council.serve();
    council.receives(&mail("dot@example.org", "EHCP", SEN));
    council.waits_for_letter("dot@example.org");
    let log = council.daemons[0].log();
    assert!(log.contains("numbering began anew"), "{log}");
    assert!(log.contains("4 messages kept"), "all are looked at again:\n{log}");
    council.close();
    for name in ["ann", "ben", "cas", "dot"] {
        council.waits_for_letters(1, &format!("{name}@example.org"));
    }
    assert_eq!(council.cases().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_from_before_the_cut_over_is_registered_and_nobody_hears_of_it() {
    let mut council = Council::with(sink().await);
    let cut_over = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    council.setting("intake", &format!("cut_over = \"{cut_over}\""));
    let before = SystemTime::now() - Duration::from_hours(2);
    let old = mail("ann@example.org", "The taxi", TRANSPORT);
    council.dovecot.deliver_at(USER, old.as_bytes(), before);
    council.serve();
    council.receives(&mail("ben@example.org", "EHCP", SEN));
    council.waits_for_letter("ben@example.org");
    council.waits_until_moved(2);

    let cases = council.cases();
    assert_eq!(cases.len(), 2, "{cases:#?}");
    let anns = cases.iter().find(|case| case["lead_service"] == "home_to_school_transport");
    let anns = council.case(anns.unwrap()["reference"].as_str().unwrap());
    assert_eq!(anns["customer_address"], "ann@example.org");
    assert_eq!(anns["letters"].as_array().unwrap().len(), 0);
    assert_eq!(anns["requests"].as_array().unwrap().len(), 0);
    assert_eq!(anns["messages"][0]["acknowledge_reason"], "received before the cut-over date");
    council.until("ben's letters left", |council| council.letters().len() == 3);
    assert!(council.letters_to("ann@example.org").is_empty());
    council.close();
}
