//! `postern doctor`: a line each, pass or fail, with the remedy.

use std::fmt::Write as _;

use super::support::certificate;
use super::support::dovecot::{Dovecot, PASSWORD};
use super::support::exim::Exim;
use super::support::free_port::free_ports;
use super::support::postgres::Postgres;
use super::{Desk, Ran};

/// The line about one thing.
fn line<'a>(ran: &'a Ran, what: &str) -> &'a str {
    ran.out
        .lines()
        .find(|line| line.get(6..).is_some_and(|rest| rest.starts_with(what)))
        .unwrap_or_else(|| panic!("nothing about {what}: {ran:?}"))
}

fn check(ran: &Ran, what: &str, expected: &str, words: &[&str]) {
    let line = line(ran, what);
    assert!(line.starts_with(expected), "{line}");
    for word in words {
        assert!(line.contains(word), "{word:?} is not in {line:?}");
    }
    assert!(!ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD), "{ran:?}");
    assert!(!ran.out.contains("swordfish") && !ran.err.contains("swordfish"), "{ran:?}");
}

fn imap(port: u16, user: &str, password: &str, more: &str) -> String {
    format!(
        "[[mailbox]]\nname = \"complaints\"\naddress = \"complaints@northmere.example\"\nhost = \"localhost\"\n\
         port = {port}\nuser = \"{user}\"\npassword = \"{password}\"\n{more}\n"
    )
}

#[test]
fn everything_that_answers_passes() {
    let (dovecot, exim) = (Dovecot::start(), Exim::start());
    dovecot.deliver("complaints", b"Subject: one\r\n\r\none\r\n");
    let ca = dovecot.certificate.ca_file.display().to_string();
    let mut settings =
        imap(dovecot.imaps_port, "complaints", PASSWORD, &format!("ca_file = \"{ca}\""));
    writeln!(
        settings,
        "[smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"plain\"\n[store]\nurl = \"{}\"",
        exim.port,
        Postgres::database()
    )
    .unwrap();
    let desk = Desk::with(&settings);
    let ran = desk.run(&["doctor"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran:?}");
    check(&ran, "settings", "pass  ", &[]);
    check(&ran, "store", "pass  ", &["open and up to date"]);
    check(
        &ran,
        "mailbox complaints",
        "pass  ",
        &["1 messages", "UIDVALIDITY", "IDLE", "move to Processed"],
    );
    check(&ran, "outgoing mail", "pass  ", &["no letter was sent"]);
    assert!(!ran.out.contains("fail"), "{ran:?}");
    assert!(exim.delivered().is_empty());
    assert_eq!(dovecot.messages("complaints", "INBOX").len(), 1, "nothing was moved");
}

#[test]
fn what_is_wrong_with_a_mailbox_comes_with_its_remedy() {
    let dovecot = Dovecot::start();
    dovecot.deliver("complaints", b"Subject: one\r\n\r\none\r\n");
    let ca = format!("ca_file = \"{}\"", dovecot.certificate.ca_file.display());
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = certificate::issue(elsewhere.path());
    let stranger = format!("ca_file = \"{}\"", stranger.ca_file.display());
    let [nobody] = free_ports();
    let (tls, plain) = (dovecot.imaps_port, dovecot.imap_port);
    for (mailbox, words) in [
        (
            imap(nobody, "complaints", PASSWORD, ""),
            &["connection refused", "check host and port"][..],
        ),
        (imap(tls, "complaints", "swordfish", &ca), &["check user and password"]),
        (imap(tls, "complaints", PASSWORD, &stranger), &["certificate", "ca_file, or pin"]),
        (
            imap(tls, "complaints", PASSWORD, "ca_file = \"nowhere.pem\""),
            &["give ca_file a readable PEM"],
        ),
        (
            imap(tls, "complaints", PASSWORD, &format!("{ca}\nfolder = \"Complaints/New\"")),
            &["check that the folder exists"],
        ),
        (imap(plain, "complaints", PASSWORD, &ca), &["check that the port speaks TLS"]),
        (
            imap(tls, "complaints", PASSWORD, &ca)
                .replace("password =", "password_file =")
                .replace(PASSWORD, "nowhere"),
            &["cannot read a mailbox's password from", "nowhere", "check password_file"],
        ),
    ] {
        let desk = Desk::with(&format!("{mailbox}[outgoing]\nfolder = \"outbox\"\n"));
        let ran = desk.run(&["doctor"]);
        assert_eq!(ran.status, 1, "{ran:?}");
        check(&ran, "mailbox complaints", "fail  ", words);
        check(&ran, "store", "pass  ", &[]);
        check(&ran, "outgoing mail", "pass  ", &["files in"]);
    }
}

#[test]
fn what_is_wrong_with_outgoing_mail_comes_with_its_remedy() {
    let exim = Exim::start();
    let [nobody] = free_ports();
    let dovecot = Dovecot::start();
    for (smtp, words) in [
        (
            format!("port = {nobody}\nsecurity = \"plain\""),
            &["could not be reached", "check smtp.host"][..],
        ),
        (format!("port = {}\nsecurity = \"starttls\"", exim.port), &["STARTTLS"]),
        (
            format!(
                "port = {}\nsecurity = \"plain\"\nuser = \"a\"\npassword = \"swordfish\"",
                exim.port
            ),
            &["log"],
        ),
        (format!("port = {}\nsecurity = \"tls\"", dovecot.imaps_port), &["certificate", "ca_file"]),
    ] {
        let settings = super::SETTINGS.replace("[outgoing]\nfolder = \"outbox\"\n", "");
        let desk = Desk::with(&format!("{settings}[smtp]\nhost = \"localhost\"\n{smtp}\n"));
        let ran = desk.run(&["doctor"]);
        assert_eq!(ran.status, 1, "{smtp}: {ran:?}");
        check(&ran, "outgoing mail", "fail  ", words);
        check(&ran, "mailbox complaints", "pass  ", &["0 messages wait"]);
    }
    assert!(exim.delivered().is_empty());
}

#[test]
fn what_is_wrong_with_the_store_comes_with_its_remedy() {
    let [nobody] = free_ports();
    let text = Desk::new();
    text.write(
        "words.db",
        "these are words, and no database at all, however long they may be.\n".repeat(99),
    );
    let words = text.path("words.db").display().to_string();
    for (url, told) in [
        ("sqlite:nowhere/postern.db".to_owned(), &["nowhere", "No such file"][..]),
        ("sqlite:/proc/postern.db".to_owned(), &["/proc/postern.db", "cannot be made"]),
        (format!("sqlite:{words}"), &["not a database"]),
        (
            format!("postgres://postern:swordfish@127.0.0.1:{nobody}/postern"),
            &["cannot be reached", "refused"],
        ),
    ] {
        let desk = Desk::with(&format!("{}[store]\nurl = \"{url}\"\n", super::SETTINGS));
        let ran = desk.run(&["doctor"]);
        assert_eq!(ran.status, 1, "{url}: {ran:?}");
        check(&ran, "store", "fail  ", &[told, &["check store.url"]].concat());
        for command in
            [&["case", "list"][..], &["serve", "--once"], &["import", "mailbox"], &["remind"]]
        {
            let ran = desk.run(command);
            assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
            assert!(
                !ran.err.contains("swordfish") && ran.err.starts_with("postern: cannot "),
                "{ran:?}"
            );
        }
    }
}

#[test]
fn what_is_missing_altogether_is_named() {
    let desk = Desk::with("");
    let ran = desk.run(&["doctor"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.out.contains("fail  no mailbox to read: add a [[mailbox]] section"), "{ran:?}");
    check(&ran, "outgoing mail", "fail  ", &["add [smtp]"]);
    let desk = Desk::with(&super::SETTINGS.replace("\"mailbox\"", "\"nowhere\""));
    let ran = desk.run(&["doctor"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    check(&ran, "mailbox complaints", "fail  ", &["name a folder with cur, new and tmp"]);
    let desk = Desk::with("[council]\nprefiks = \"x\"\n");
    let ran = desk.run(&["doctor"]);
    assert_eq!(ran.status, 2, "{ran:?}");
}

#[test]
fn a_scanner_that_does_not_answer_comes_with_its_remedy() {
    let [nobody] = free_ports();
    let mail = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stranger = mail.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = mail.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"220 mail.example ESMTP\0").unwrap();
    });
    for (clamd, words) in [
        (format!("tcp:127.0.0.1:{nobody}"), "nobody listens there"),
        (format!("tcp:127.0.0.1:{stranger}"), "whoever answers there is no clamd"),
        ("unix:/nowhere/clamd.ctl".to_owned(), "there is no such socket"),
    ] {
        let desk = Desk::with(&format!("{}[scan]\nclamd = \"{clamd}\"\n", super::SETTINGS));
        let ran = desk.run(&["doctor"]);
        assert_eq!(ran.status, 1, "{ran:?}");
        check(&ran, "virus scanner", "fail  ", &[words, "check scan.clamd, that clamd runs"]);
        check(&ran, "outgoing mail", "pass  ", &[]);
    }
    let ran = Desk::new().run(&["doctor"]);
    assert!(!ran.out.contains("scanner"), "{ran:?}");
}
