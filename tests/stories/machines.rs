//! Nothing that a machine wrote is ever answered.

use std::fmt::Write as _;

use super::support::council::{Council, Letter};
use super::{SEN, TRANSPORT, mail, mail_with, sink};

const SERVICE: &str = "school-transport@northmere.example";

fn in_reply_to(letter: &Letter) -> String {
    format!("In-Reply-To: {0}\r\nReferences: {0}\r\n", letter.message_id())
}

/// A report in two or three parts.
fn report(from: &str, to: &str, kind: &str, parts: &[(&str, String)]) -> String {
    let mut text = format!(
        "Return-Path: <>\r\nFrom: {from}\r\nTo: {to}\r\nSubject: Report\r\nMessage-ID: <{kind}@mx.example.org>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type={kind}; boundary=\"=_r\"\r\n\r\n"
    );
    for (part, body) in parts {
        write!(text, "--=_r\r\nContent-Type: {part}\r\n\r\n{body}\r\n").unwrap();
    }
    text + "--=_r--\r\n"
}

fn bounce_of(letter: &Letter, sent_from: &str) -> String {
    let whole = String::from_utf8_lossy(&letter.bytes).into_owned();
    let head = whole.split("\r\n\r\n").next().unwrap().to_owned();
    report(
        "MAILER-DAEMON@mx.example.org",
        sent_from,
        "delivery-status",
        &[
            ("text/plain", "Your message could not be delivered.".to_owned()),
            (
                "message/delivery-status",
                format!(
                    "Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; {}\r\n\
                     Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown",
                    letter.to
                ),
            ),
            ("text/rfc822-headers", head),
        ],
    )
}

fn read_receipt_of(letter: &Letter) -> String {
    report(
        &letter.to,
        &letter.header("Reply-To"),
        "disposition-notification",
        &[
            ("text/plain", "Your message was displayed.".to_owned()),
            (
                "message/disposition-notification",
                format!(
                    "Final-Recipient: rfc822; {}\r\nOriginal-Message-ID: {}\r\n\
                     Disposition: manual-action/MDN-sent-manually; displayed",
                    letter.to,
                    letter.message_id()
                ),
            ),
        ],
    )
}

const AWAY: &str = "Hello\r\n\r\nThank you for your email. I am on annual leave until 16 March and \
    will not be\r\nreading my messages. I will reply when I return.\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_machines_send_no_letter_leaves_and_no_chaser_stops() {
    let mut council = Council::with(sink().await);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    let acknowledgement = council.waits_for_letter("ann@example.org");
    let request = council.waits_for_letter(SERVICE);
    council.waits_for_letter("leopold.varney@northmere.example");
    let reference = acknowledgement.reference();

    let away = format!("Automatic reply: We have your message: {reference}");
    let headers = format!(
        "{}Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n",
        in_reply_to(&acknowledgement)
    );
    let list = "Return-Path: <managers-bounces@lists.example.org>\r\n\
        To: managers@lists.example.org\r\nList-Id: Managers <managers.lists.example.org>\r\n\
        List-Post: <mailto:managers@lists.example.org>\r\nPrecedence: list\r\n";
    let machines = [
        mail_with("ann@example.org", &away, &headers, AWAY),
        mail("cas@example.org", "Out of office", AWAY),
        mail_with(SERVICE, "Automatic reply: Please answer", &in_reply_to(&request), AWAY),
        bounce_of(&acknowledgement, "complaints@northmere.example"),
        mail_with("Ida via Managers <managers@lists.example.org>", "[managers] Rates", list, SEN),
        read_receipt_of(&acknowledgement),
        String::from_utf8(acknowledgement.bytes.clone()).unwrap(),
        String::from_utf8(request.bytes.clone()).unwrap(),
    ];
    for message in &machines {
        council.receives(message);
    }
    // A person's complaint behind them shows that they were all looked at.
    council.receives(&mail("ben@example.org", "EHCP", SEN));
    council.waits_for_letter("ben@example.org");
    council.waits_until_moved(machines.len() + 2);
    council.until("ben's requests left", |council| council.letters().len() >= 6);
    council.close();

    assert_eq!(council.letters().len(), 6, "three letters for each complaint\n{}", council.story());
    assert_eq!(council.cases().len(), 2, "{}", council.story());
    let case = council.case(&reference);
    assert_eq!(case["requests"][0]["state"], "asked", "an absence is no answer");
    assert!(case["letters"][0]["bounced_at"].is_number(), "{case:#}");
    let waiting = council.says(&["case", "list", "--waiting"]);
    assert!(waiting.contains("a letter came back (5.1.1)"), "{waiting}");
}

/// What stands between two councils.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    /// Mail servers as they should be.
    Nothing,
    /// A relay that takes away whatever marks a letter as a machine's.
    Careless,
}

impl Between {
    fn brings(self, letter: &Letter) -> String {
        let whole = String::from_utf8(letter.bytes.clone()).unwrap();
        if self == Self::Nothing {
            return format!("Return-Path: <>\r\n{whole}");
        }
        let marks = ["Auto-Submitted:", "X-Auto-Response-Suppress:", "X-Loop:"];
        let unmarked = |line: &&str| !marks.iter().any(|mark| line.starts_with(mark));
        whole.split("\r\n").filter(unmarked).collect::<Vec<_>>().join("\r\n")
    }
}

/// Two gateways, each in the other's mailbox, until both are silent: how many letters went to the
/// south and to the north, and how many cases the south then has.
async fn letters_between_two_councils(between: Between) -> (usize, usize, usize) {
    let (north, south) = ("complaints@northmere.example", "complaints@southmere.example");
    let mut one = Council::with(sink().await);
    let mut other = Council::with(sink().await);
    other.is_known_as(south);
    for council in [&mut one, &mut other] {
        council.setting("reminders", "enabled = false");
        council.serve();
    }
    // A person at the other council writes from the mailbox that their gateway reads.
    one.receives(&mail(south, "The taxi", TRANSPORT));
    one.waits_for_letter(south);

    let (mut to_south, mut to_north) = (0, 0);
    loop {
        let (southward, northward) = (one.letters_to(south), other.letters_to(north));
        if southward.len() == to_south && northward.len() == to_north {
            break;
        }
        for letter in &southward[to_south..] {
            other.receives(&between.brings(letter));
        }
        for letter in &northward[to_north..] {
            one.receives(&between.brings(letter));
        }
        (to_south, to_north) = (southward.len(), northward.len());
        assert!(to_south < 8, "they do not stop\n{}\n{}", one.story(), other.story());
        other.waits_until_moved(to_south);
        one.waits_until_moved(to_north + 1);
        // What was settled is also written and handed over.
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    one.close();
    other.close();
    assert_eq!(one.cases().len(), 1);
    (to_south, to_north, other.cases().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_that_write_to_each_other_fall_silent_after_one_exchange() {
    assert_eq!(letters_between_two_councils(Between::Nothing).await, (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn they_fall_silent_even_where_a_relay_takes_the_marks_away() {
    let (to_south, to_north, _) = letters_between_two_councils(Between::Careless).await;
    assert!(to_south <= 2 && to_north <= 2, "{to_south} and {to_north} letters");
}
