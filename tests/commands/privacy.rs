//! Logs never hold a person: not at the chattiest level, not when mail is hostile.

use super::{Desk, deliver, root};

/// A word that stands wherever a sender can put one.
const MARK: &str = "ZZSECRET";

fn marked() -> Vec<String> {
    let person = |number: usize, extra: &str, body: &str| {
        format!(
            "From: \"{MARK} Name\" <{MARK}{number}@{MARK}.example>\r\nTo: complaints@northmere.example\r\n\
             Cc: {MARK}cc@example.org\r\nReply-To: {MARK}reply@example.org\r\nSubject: Complaint {MARK} {number}\r\n\
             Message-ID: <{MARK}{number}@{MARK}.example>\r\nDate: Mon, 16 Nov 2026 08:00:00 +0000\r\n{extra}\r\n{body}\r\n"
        )
    };
    let complaint = format!(
        "I complain formally about the SEN team and my son {MARK}. NCC-2026-00412-7 {MARK}."
    );
    vec![
        person(1, "", &complaint),
        person(1, "", &complaint),
        person(
            2,
            "",
            &format!("My stepfather {MARK} hits me. I am 9 and not safe at home. {MARK}"),
        ),
        person(3, "Auto-Submitted: auto-replied\r\n", MARK),
        person(4, &format!("In-Reply-To: <{MARK}1@{MARK}.example>\r\n"), &complaint),
        person(5, "Content-Type: multipart/mixed; boundary=\"x\r\n", MARK),
        person(
            6,
            &format!(
                "Content-Type: text/plain; charset={MARK}\r\nContent-Transfer-Encoding: {MARK}\r\n"
            ),
            MARK,
        ),
        format!(
            "From: {MARK} <not an address {MARK}>\r\nFrom: two@{MARK}\r\nSubject: {MARK}\r\n\r\n{MARK}"
        ),
        format!("{MARK}\0{MARK}\u{FFFD}"),
        format!(
            "From: MAILER-DAEMON@{MARK}.example\r\nTo: complaints@northmere.example\r\nSubject: Undelivered {MARK}\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n{MARK}\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {MARK}\r\n\r\n\
             Final-Recipient: rfc822; {MARK}@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\
             Diagnostic-Code: smtp; 550 {MARK}\r\n\r\n--b--\r\n"
        ),
    ]
}

fn check_silent(err: &str, what: &str) {
    assert!(err.lines().count() > 3, "{what} logged next to nothing: {err}");
    let told: Vec<&str> =
        err.lines().filter(|line| line.to_lowercase().contains("zzsecret")).collect();
    assert!(told.is_empty(), "{what}: {told:#?}");
}

#[test]
fn no_name_address_subject_or_text_reaches_the_log() {
    for format in ["text", "json"] {
        let desk = Desk::new();
        for (number, message) in marked().iter().enumerate() {
            deliver(&desk, number, message);
            desk.write(&format!("files/{number}.eml"), message);
        }
        let chatty = ["-vv", "--log-format", format];
        let ran = desk.run(&[&chatty[..], &["serve", "--once"]].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        check_silent(&ran.err, "serve");
        let ran = desk.run(&[&chatty[..], &["import", "files"]].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(!ran.out.contains(MARK), "{}", ran.out);
        assert!(!ran.err.contains(MARK), "{}", ran.err);
        let ran = desk.run(&[&chatty[..], &["inspect", "files"]].concat());
        assert!(ran.out.contains(MARK) && !ran.err.contains(MARK), "{}", ran.err);
    }
}

#[test]
fn nor_by_way_of_letters_that_cannot_leave() {
    // Nothing listens where mail should leave: letters wait, and the log says so without their addresses.
    let settings = "[[mailbox]]\nname = \"complaints\"\nkind = \"maildir\"\npath = \"mailbox\"\n\
        address = \"complaints@northmere.example\"\n[smtp]\nhost = \"127.0.0.1\"\nport = 1\nsecurity = \"plain\"\n\
        [acknowledgement]\nneutral_on_day = 0\n";
    let desk = Desk::with(settings);
    for (number, message) in marked().iter().enumerate() {
        deliver(&desk, number, message);
    }
    let ran = desk.run(&["-vv", "serve", "--once"]);
    check_silent(&ran.err, "serve");
    assert!(ran.err.contains("letter"), "{}", ran.err);
}

#[test]
fn the_sample_mailbox_leaves_no_address_in_the_log() {
    let desk = Desk::new();
    let sample = root().join("src/demo/mailbox");
    let ran = desk.run(&["-vv", "import", "--acknowledge", sample.to_str().unwrap()]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let people: Vec<&str> = ran.err.lines().filter(|line| line.contains("@example")).collect();
    assert!(people.is_empty(), "{people:#?}");
}
