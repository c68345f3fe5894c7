//! Nothing that a machine wrote is ever answered.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::support::council::{Council, Letter};
use super::support::dovecot::deliver_by_lmtp_at;
use super::support::smtp_sink::{HandOn, Script, SmtpSink};
use super::{SEN, TRANSPORT, mail, mail_with, sink};

const SERVICE: &str = "school-transport@northmere.example";

fn in_reply_to(letter: &Letter) -> String {
    format!("In-Reply-To: {0}\r\nReferences: {0}\r\n", letter.message_id())
}

/// A report in two or three parts.
pub(super) fn report(from: &str, to: &str, kind: &str, parts: &[(&str, String)]) -> String {
    let mut text = format!(
        "Return-Path: <>\r\nFrom: {from}\r\nTo: {to}\r\nSubject: Report\r\nMessage-ID: <{kind}@mx.example.org>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type={kind}; boundary=\"=_r\"\r\n\r\n"
    );
    for (part, body) in parts {
        write!(text, "--=_r\r\nContent-Type: {part}\r\n\r\n{body}\r\n").unwrap();
    }
    text + "--=_r--\r\n"
}

/// What a mail server reports of a letter.
pub(super) fn delivery_report(letter: &Letter, to: &str, action: &str, status: &str) -> String {
    let whole = String::from_utf8_lossy(&letter.bytes).into_owned();
    let head = whole.split("\r\n\r\n").next().unwrap().to_owned();
    let fields = format!(
        "Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; {}\r\n\
         Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 {status} sorry",
        letter.to
    );
    let words = format!("About your message {}: {action}, {status}.", letter.message_id());
    report(
        "MAILER-DAEMON@mx.example.org",
        to,
        "delivery-status",
        &[
            ("text/plain", words),
            ("message/delivery-status", fields),
            ("text/rfc822-headers", head),
        ],
    )
}

fn bounce_of(letter: &Letter, sent_from: &str) -> String {
    delivery_report(letter, sent_from, "failed", "5.1.1")
}

pub(super) fn read_receipt_of(letter: &Letter) -> String {
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

/// What a relay between two councils takes away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TakesAway {
    Nothing,
    /// Whatever marks a letter as a machine's.
    Marks,
    /// That, and whatever says which message it answers.
    MarksAndThreads,
}

const MARKS: &[&str] = &[
    "auto-submitted:",
    "x-auto-response-suppress:",
    "x-loop:",
    "x-postern-instance:",
    "precedence:",
    "list-",
];
const THREADS: &[&str] = &["in-reply-to:", "references:", "message-id:", "reply-to:"];

impl TakesAway {
    /// The letter as it arrives.
    fn leaves(self, bytes: &[u8]) -> String {
        let whole = String::from_utf8(bytes.to_vec()).unwrap();
        let taken: Vec<&str> = match self {
            Self::Nothing => Vec::new(),
            Self::Marks => MARKS.to_vec(),
            Self::MarksAndThreads => [MARKS, THREADS].concat(),
        };
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        let mut kept = Vec::new();
        let mut keeps = true;
        for line in head.split("\r\n") {
            if !line.starts_with([' ', '\t']) {
                let line = line.to_lowercase();
                keeps = !taken.iter().any(|name| line.starts_with(name));
            }
            if keeps {
                kept.push(line);
            }
        }
        format!("{}\r\n\r\n{body}", kept.join("\r\n"))
    }
}

/// A mail server whose letters to one address go on into the mailbox of another council, once that is
/// known.
async fn relay(to: &'static str, takes: TakesAway) -> (SmtpSink, Arc<OnceLock<u16>>) {
    let mailbox = Arc::new(OnceLock::new());
    let known = Arc::clone(&mailbox);
    let hand_on: HandOn = Arc::new(move |letter| {
        let address =
            |path: &str| path.split(' ').next().unwrap().trim_matches(['<', '>']).to_owned();
        if letter.to.iter().any(|path| address(path) == to) {
            let port = *known.get().expect("both councils are there before anybody writes");
            let bytes = takes.leaves(&letter.bytes);
            deliver_by_lmtp_at(port, &address(&letter.from), to, bytes.as_bytes());
        }
    });
    let script = Script { hand_on: Some(hand_on), ..Script::default() };
    (SmtpSink::start(script).await, mailbox)
}

/// Two gateways whose mail servers deliver into each other's mailbox, until both are silent: how many
/// letters went to the south and to the north, and how many cases the south then has.
async fn letters_between_two_councils(takes: TakesAway) -> (usize, usize, usize) {
    let (north, south) = ("complaints@northmere.example", "complaints@southmere.example");
    let (southward, souths) = relay(south, takes).await;
    let (northward, norths) = relay(north, takes).await;
    let mut one = Council::with(southward);
    let mut other = Council::with(northward);
    souths.set(other.dovecot.lmtp_port).unwrap();
    norths.set(one.dovecot.lmtp_port).unwrap();
    other.is_known_as(south);
    other.setting("council", "prefix = \"SCC\"");
    for council in [&mut one, &mut other] {
        if takes == TakesAway::MarksAndThreads {
            // By what it resembles an acknowledgement is told from a complaint: only the budget is to end this.
            council.goes_by_rules_alone();
        }
        council.setting("reminders", "enabled = false");
        council.serve();
    }
    // A person at the other council writes from the mailbox that their gateway reads.
    one.receives(&mail(south, "The taxi", TRANSPORT));
    one.until("the first letter left", |council| !council.letters_to(south).is_empty());

    let counts = || (one.letters_to(south).len(), other.letters_to(north).len());
    let (mut seen, mut since) = (counts(), Instant::now());
    // Each answers within a fraction of this.
    while since.elapsed() < Duration::from_secs(6) {
        std::thread::sleep(Duration::from_millis(100));
        let now = counts();
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        let (to_south, to_north) = seen;
        assert!(to_south + to_north < 50, "they do not stop\n{}\n{}", one.story(), other.story());
    }
    let (to_south, to_north) = seen;
    other.waits_until_moved(to_south);
    one.waits_until_moved(to_north + 1);
    assert_eq!(counts(), seen, "silent once all is read");
    one.close();
    other.close();
    (to_south, to_north, other.cases().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_that_write_to_each_other_fall_silent_after_one_exchange() {
    assert_eq!(letters_between_two_councils(TakesAway::Nothing).await, (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn they_fall_silent_even_where_a_relay_takes_the_marks_away() {
    assert_eq!(letters_between_two_councils(TakesAway::Marks).await, (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_relay_takes_the_threads_too_the_budget_ends_it() {
    // Each letter looks like a new complaint, and is answered as one until the address had its ten.
    assert_eq!(letters_between_two_councils(TakesAway::MarksAndThreads).await, (10, 10, 10));
}
