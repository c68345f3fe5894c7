//! Against a real server.

use std::time::{Duration, Instant};

use postern::mailbox::{AsideBy, Class, ImapAccount, Reason, Security, Session, Woken};
use postern::tls::{self, Trust};
use rustls::pki_types::CertificateDer;

use super::account;
use super::support::dovecot::{Dovecot, Options, WITHOUT_IDLE, WITHOUT_MOVE};
use super::support::proxy::{Fault, Proxy};

const MESSAGE: &[u8] = b"From: ann@example.org\r\nSubject: bins\r\n\r\nNobody came.\r\n";

fn tls_account(server: &Dovecot, user: &str, trust: Trust) -> ImapAccount {
    let mut account = account(server.imaps_port, user);
    account.security = Security::Tls;
    account.trust = trust;
    account
}

fn ca(server: &Dovecot) -> Trust {
    Trust { ca_file: Some(server.certificate.ca_file.clone()), ..Trust::default() }
}

fn uids(waiting: &[postern::mailbox::Waiting]) -> Vec<u32> {
    waiting.iter().map(|waiting| waiting.uid).collect()
}

#[tokio::test]
async fn tls_trusts_whom_the_account_names_and_no_one_else() {
    let server = Dovecot::start();
    for host in ["127.0.0.1", "localhost"] {
        let mut account = tls_account(&server, "ann", ca(&server));
        account.host = host.to_owned();
        Session::open(&account).await.unwrap().close().await;
    }

    let pin = tls::key_sha256(&CertificateDer::from(server.certificate.der.clone())).unwrap();
    let pinned = Trust { pinned_sha256: Some(pin), ca_file: None };
    Session::open(&tls_account(&server, "ann", pinned)).await.unwrap().close().await;

    let other = Dovecot::start();
    let wrong = [
        Trust::default(),
        ca(&other),
        Trust { pinned_sha256: Some("00".repeat(32)), ca_file: None },
    ];
    for trust in wrong {
        let error = Session::open(&tls_account(&server, "ann", trust)).await.unwrap_err();
        assert_eq!(error.class(), Class::Tls, "{error}");
        assert!(!error.cure().is_empty());
    }
}

#[tokio::test]
async fn starttls_is_used_and_never_done_without() {
    let server = Dovecot::start();
    let mut account = account(server.imap_port, "ann");
    account.security = Security::StartTls;
    account.trust = ca(&server);
    Session::open(&account).await.unwrap().close().await;

    account.trust = Trust::default();
    assert_eq!(Session::open(&account).await.unwrap_err().class(), Class::Tls);
}

#[tokio::test]
async fn a_wrong_password_is_an_auth_error() {
    let server = Dovecot::start();
    let mut account = account(server.imap_port, "ann");
    account.secret = postern::mailbox::Secret::Password("wrong".to_owned().into());
    let error = Session::open(&account).await.unwrap_err();
    assert!(error.is_auth());
    assert_eq!(error.code(), Some("AUTHENTICATIONFAILED"));
}

#[tokio::test]
async fn messages_are_listed_fetched_whole_and_in_pieces_and_moved() {
    let server = Dovecot::start();
    let large: Vec<u8> =
        [b"Subject: large\r\n\r\n".as_slice(), &b"0123456789abcdef\r\n".repeat(60_000)].concat();
    server.deliver("ann", MESSAGE);
    server.deliver("ann", &large);
    let mut session = Session::open(&account(server.imap_port, "ann")).await.unwrap();
    let selected = session.selected().clone();
    assert_eq!((selected.exists, selected.uid_next), (2, Some(3)));
    assert!(selected.may_move && selected.may_keyword && selected.idle && !selected.read_only);

    let waiting = session.list(0).await.unwrap();
    assert_eq!(uids(&waiting), [1, 2]);
    assert_eq!(waiting[1].size, Some(u32::try_from(large.len()).unwrap()));
    assert!(waiting[0].internal_date.is_some());
    assert_eq!(uids(&session.list(1).await.unwrap()), [2]);
    assert!(session.list(2).await.unwrap().is_empty(), "not the last one again");

    let batch = session.fetch(&[1, 2, 77]).await.unwrap();
    assert_eq!(batch.messages[0].bytes, MESSAGE);
    assert_eq!(batch.messages[1].bytes, large);
    assert_eq!(batch.missing, [77]);

    let mut pieces = Vec::new();
    loop {
        let offset = u32::try_from(pieces.len()).unwrap();
        let piece = session.fetch_piece(2, offset, 300_000).await.unwrap().unwrap();
        if piece.is_empty() {
            break;
        }
        pieces.extend(piece);
    }
    assert!(pieces == large, "{} of {} bytes", pieces.len(), large.len());
    assert_eq!(session.fetch_piece(77, 0, 10).await.unwrap(), None);

    // The folder is made on the way; again is harmless.
    let aside = session.set_aside(&[1, 77]).await.unwrap();
    assert_eq!((aside.by, aside.done, aside.absent), (AsideBy::Move, vec![1], vec![77]));
    assert_eq!(session.set_aside(&[1]).await.unwrap().absent, [1]);
    assert_eq!(server.messages("ann", "Processed"), [MESSAGE]);
    assert_eq!(server.messages("ann", "INBOX").len(), 1);
    assert_eq!(session.reselect().await.unwrap().exists, 1);
    session.close().await;
    // Nothing was marked as seen by reading it.
    let names = std::fs::read_dir(server.maildir("ann").join("cur")).unwrap();
    for name in names {
        let name = name.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name.ends_with(":2,"), "{name}");
    }
}

#[tokio::test]
async fn mail_delivered_by_a_server_says_to_which_address() {
    let server = Dovecot::start();
    server.deliver_by_lmtp("", "ann+case@example.org", MESSAGE);
    let mut session = Session::open(&account(server.imap_port, "ann")).await.unwrap();
    let batch = session.fetch(&[1]).await.unwrap();
    let text = String::from_utf8_lossy(&batch.messages[0].bytes).into_owned();
    assert!(text.contains("Return-Path: <>"), "{text}");
    assert!(text.contains("Delivered-To: ann+case@example.org"), "{text}");
    assert!(text.ends_with("Nobody came.\r\n"), "{text}");
}

#[tokio::test]
async fn folders_below_others_and_in_any_language_are_made() {
    let server = Dovecot::start();
    server.deliver("ann", MESSAGE);
    let mut account = account(server.imap_port, "ann");
    account.processed_folder = Some("Réclamations/done".to_owned());
    let mut session = Session::open(&account).await.unwrap();
    assert_eq!(session.set_aside(&[1]).await.unwrap().done, [1]);
    assert_eq!(server.messages("ann", "R&AOk-clamations/done"), [MESSAGE]);
    account.folder = "Réclamations/done".to_owned();
    assert_eq!(Session::open(&account).await.unwrap().selected().exists, 1);
}

#[tokio::test]
async fn without_move_messages_are_marked() {
    let server = Dovecot::start_with(&Options { capability: Some(WITHOUT_MOVE) });
    server.deliver("ann", MESSAGE);
    let mut session = Session::open(&account(server.imap_port, "ann")).await.unwrap();
    for _ in 0..2 {
        let aside = session.set_aside(&[1, 2]).await.unwrap();
        assert_eq!((aside.by, aside.done, aside.absent), (AsideBy::Keyword, vec![1], vec![2]));
    }
    assert_eq!(server.messages("ann", "INBOX").len(), 1);
    let keywords = std::fs::read_to_string(server.maildir("ann").join("dovecot-keywords"));
    assert!(keywords.unwrap().contains("PosternDone"));
}

#[tokio::test]
async fn new_mail_wakes_an_idle_within_two_seconds() {
    let server = Dovecot::start();
    server.deliver("ann", MESSAGE);
    let mut session = Session::open(&account(server.imap_port, "ann")).await.unwrap();
    assert_eq!(uids(&session.list(0).await.unwrap()), [1]);
    let wait = tokio::spawn(async move {
        let woken = session.wait(Duration::from_secs(20)).await;
        (woken, Instant::now(), session)
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let delivered = Instant::now();
    server.deliver("ann", MESSAGE);
    let (woken, at, mut session) = wait.await.unwrap();
    assert_eq!(woken.unwrap(), Woken::NewMail);
    assert!(at - delivered < Duration::from_secs(2), "{:?}", at - delivered);
    assert_eq!(uids(&session.list(1).await.unwrap()), [2], "the session goes on");
}

#[tokio::test]
async fn without_idle_new_mail_is_found_by_asking() {
    let server = Dovecot::start_with(&Options { capability: Some(WITHOUT_IDLE) });
    server.deliver("ann", MESSAGE);
    let mut session = Session::open(&account(server.imap_port, "ann")).await.unwrap();
    assert!(!session.selected().idle);
    server.deliver("ann", MESSAGE);
    assert_eq!(session.wait(Duration::from_secs(20)).await.unwrap(), Woken::NewMail);
    assert_eq!(uids(&session.list(1).await.unwrap()), [2]);
}

#[tokio::test]
async fn a_folder_made_anew_has_another_uidvalidity() {
    let server = Dovecot::start();
    server.deliver("ann", MESSAGE);
    let mut session = Session::open(&account(server.imap_port, "ann")).await.unwrap();
    let before = session.selected().uid_validity;
    assert_eq!(session.reselect().await.unwrap().uid_validity, before);
    session.close().await;
    // As after a server was rebuilt from the messages alone. UIDVALIDITY is the time in seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for entry in std::fs::read_dir(server.maildir("ann")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("dovecot") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let session = Session::open(&account(server.imap_port, "ann")).await.unwrap();
    assert_ne!(session.selected().uid_validity, before);
}

#[tokio::test]
async fn a_cut_inside_a_message_stores_nothing_and_the_next_session_gets_it_whole() {
    let server = Dovecot::start();
    let large = [b"Subject: large\r\n\r\n".as_slice(), &b"x".repeat(200_000)].concat();
    server.deliver("ann", MESSAGE);
    server.deliver("ann", &large);
    for fault in [Fault::CutAfter(100_000), Fault::ResetAfter(100_000)] {
        let proxy = Proxy::start(server.imap_port, fault, 1).await;
        let account = account(proxy.address.port(), "ann");
        let mut session = Session::open(&account).await.unwrap();
        let error = session.fetch(&[1, 2]).await.unwrap_err();
        assert!(matches!(error.reason, Reason::Closed), "{fault:?}: {error}");
        let mut session = Session::open(&account).await.unwrap();
        let batch = session.fetch(&[1, 2]).await.unwrap();
        assert_eq!(batch.messages[0].bytes, MESSAGE);
        assert!(batch.messages[1].bytes == large);
    }
}

#[tokio::test]
async fn a_stalled_fetch_times_out_and_a_slow_one_does_not() {
    let server = Dovecot::start();
    let large = [b"Subject: large\r\n\r\n".as_slice(), &b"x".repeat(400_000)].concat();
    server.deliver("ann", &large);
    let proxied = async |fault| {
        let proxy = Proxy::start(server.imap_port, fault, 1).await;
        let mut account = account(proxy.address.port(), "ann");
        account.timeouts.command = Duration::from_millis(700);
        let mut session = Session::open(&account).await.unwrap();
        session.fetch(&[1]).await
    };
    let stalled = proxied(Fault::StallAfter(100_000)).await.unwrap_err();
    assert!(matches!(stalled.reason, Reason::TimedOut(_)), "{stalled}");
    // 400 kB in pieces of 8 kB, 20 ms apart: about a second, longer than one limit.
    let slow = proxied(Fault::Drip(8_000, Duration::from_millis(20))).await.unwrap();
    assert!(slow.messages[0].bytes == large);
}

#[tokio::test]
async fn a_thousand_messages_come_in_windows() {
    let server = Dovecot::start();
    let text = [MESSAGE, &b"A line of a complaint.\r\n".repeat(100)].concat();
    for _ in 0..1_000 {
        server.deliver("ann", &text);
    }
    let mut session = Session::open(&account(server.imap_port, "ann")).await.unwrap();
    let waiting = session.list(0).await.unwrap();
    assert_eq!(waiting.len(), 1_000);
    let mut got = 0;
    for window in postern::mailbox::windows(&waiting) {
        let batch = session.fetch(&uids(window)).await.unwrap();
        assert!(batch.messages.iter().all(|message| message.bytes == text));
        got += batch.messages.len();
        let aside = session.set_aside(&uids(window)).await.unwrap();
        assert_eq!(aside.done.len(), window.len());
    }
    assert_eq!(got, 1_000);
    assert_eq!(server.messages("ann", "Processed").len(), 1_000);
}
