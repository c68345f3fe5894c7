//! Letters leave over real conversations: a scripted mail server for what goes wrong, exim for
//! what goes right.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

#[path = "smtp/dkim.rs"]
mod dkim;
#[path = "smtp/pace.rs"]
mod pace;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use postern::{
    clock::Clock,
    outbox::{
        Automatic, Delay, Delivery, Draft, Encryption, Envelope, Login, MailAddress, Mailer,
        SmtpAccount, SmtpPool, TimeLimits,
    },
    private::Private,
    tls::Trust,
};
use support::{
    exim::{self, Exim},
    smtp_sink::{Drop as HangUp, ENDLESS, Script, SmtpSink},
};
use tokio_rustls::{TlsAcceptor, rustls};

const LETTER: &[u8] = b"Subject: We have your message\r\n\r\nDear Helen\r\n.dot\r\n..\r\n";

fn account(port: u16) -> SmtpAccount {
    SmtpAccount {
        host: "127.0.0.1".into(),
        port,
        encryption: Encryption::None,
        trust: Trust::default(),
        login: None,
        hello: "postern.northmere.example".into(),
        sessions: 4,
        limits: TimeLimits {
            connect: Duration::from_secs(10),
            command: Duration::from_secs(10),
            after_dot: Duration::from_secs(10),
            idle: Duration::from_secs(20),
        },
    }
}

fn mailer(account: SmtpAccount) -> Mailer {
    Mailer::Smtp(SmtpPool::new(account).unwrap())
}

fn to(address: &str) -> Envelope {
    Envelope {
        from: Some(MailAddress::parse("bounce+t@northmere.example").unwrap()),
        to: MailAddress::parse(address).unwrap(),
    }
}

fn helen() -> Envelope {
    to("helen@example.org")
}

fn password(password: &str) -> Login {
    Login::Password { user: "complaints".into(), password: Private(password.into()) }
}

/// One letter to a server that follows the script.
async fn deliver_to(script: Script) -> (Delivery, SmtpSink) {
    let sink = SmtpSink::start(script).await;
    let delivery = mailer(account(sink.port())).deliver(&helen(), LETTER).await;
    (delivery, sink)
}

/// Whether the server wants each command answered before the next or takes them together, its
/// answers mean the same.
async fn check(script: Script, expected: impl Fn(&Delivery) -> bool, words: &str) {
    let mut together = script.clone();
    together.extensions.push("PIPELINING".to_owned());
    for script in [script, together] {
        let (delivery, sink) = deliver_to(script).await;
        assert!(expected(&delivery), "{delivery:?}");
        assert!(delivery.reply().cause.contains(words), "{delivery:?} should say: {words}");
        assert!(!format!("{delivery:?}").contains("helen"), "names the recipient: {delivery:?}");
        assert!(sink.letters().is_empty());
    }
}

/// Waits until it is so, at most five seconds.
async fn until(so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(5), "it never came to be");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn later(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Deferred { delay: Delay::Letter, .. })
}

fn slower(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Deferred { delay: Delay::Everything, .. })
}

fn refused(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Refused { .. })
}

fn stopped(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::QueueStopped { .. })
}

fn unknown(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Unknown { .. })
}

fn accepted(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Accepted { .. })
}

#[tokio::test]
async fn a_letter_arrives_byte_for_byte_for_one_recipient() {
    let (delivery, sink) = deliver_to(Script::default()).await;
    assert!(accepted(&delivery), "{delivery:?}");
    assert_eq!(delivery.reply().code, Some(250));
    assert_eq!(delivery.reply().enhanced.as_deref(), Some("2.0.0"));
    let letters = sink.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].bytes, LETTER);
    assert_eq!(letters[0].from, "<bounce+t@northmere.example>");
    assert_eq!(letters[0].to, ["<helen@example.org>"]);
    assert_eq!(sink.commands()[0], "EHLO postern.northmere.example");
}

#[tokio::test]
async fn commands_go_together_only_where_the_server_takes_them_so() {
    let offers = |extension: &str| Script {
        extensions: vec!["8BITMIME".to_owned(), extension.to_owned()],
        // It answers to sender and recipient late, and both at once.
        ..Script::default().reply("MAIL", &[""]).reply("RCPT", &["250 2.1.0 ok\r\n250 2.1.5 ok"])
    };
    let (delivery, sink) = deliver_to(offers("pipelining")).await;
    assert!(accepted(&delivery), "{delivery:?}");
    assert_eq!(sink.letters()[0].bytes, LETTER);
    let sink = SmtpSink::start(offers("SIZE 1000000")).await;
    let mut patient = account(sink.port());
    patient.limits.command = Duration::from_millis(500);
    let delivery = mailer(patient).deliver(&helen(), LETTER).await;
    assert!(later(&delivery), "{delivery:?}");
}

#[tokio::test]
async fn a_letter_without_return_address_says_so() {
    let sink = SmtpSink::start(Script::default()).await;
    let envelope = Envelope { from: None, ..helen() };
    assert!(accepted(&mailer(account(sink.port())).deliver(&envelope, LETTER).await));
    assert_eq!(sink.letters()[0].from, "<>");
}

#[tokio::test]
async fn each_answer_is_told_apart_by_what_is_to_be_done() {
    let script = Script::default;
    check(script().reply("RCPT", &["450 busy <helen@example.org>"]), later, "for now").await;
    check(script().reply("RCPT", &["451 4.7.1 greylisted"]), later, "this address again later")
        .await;
    check(
        script().reply("RCPT", &["550-5.1.1 no\r\n550 5.1.1 such user helen"]),
        refused,
        "does not exist",
    )
    .await;
    check(script().reply("RCPT", &["421 4.7.0 too many"]), slower, "slowly").await;
    check(script().reply("DATA", &["451 4.3.0 wait"]), later, "for now").await;
    check(script().reply("DOT", &["452 4.3.1 disk"]), slower, "slowly").await;
    check(script().reply("DOT", &["554 5.7.1 spam"]), refused, "policy").await;
    check(script().reply("DOT", &["552 5.3.4 too big"]), refused, "larger").await;
    check(script().reply("MAIL", &["530 5.7.0 log in"]), stopped, "login").await;
    check(script().reply("MAIL", &["550 5.1.8 helen may not"]), stopped, "our address").await;
    check(script().reply("RCPT", &["554 5.7.1 <h@e>: Relay access denied"]), stopped, "through it")
        .await;
    check(Script { greeting: "554 no".into(), ..script() }, stopped, "does not accept connections")
        .await;
    check(Script { greeting: "421 4.3.2 full".into(), ..script() }, slower, "slowly").await;
    check(Script { greeting: "nonsense".into(), ..script() }, stopped, "broke off").await;
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_stops_the_queue() {
    let port = SmtpSink::start(Script::default()).await.port();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let delivery = mailer(account(port)).deliver(&helen(), LETTER).await;
    assert!(stopped(&delivery), "{delivery:?}");
    assert!(delivery.reply().cause.contains("could not be reached"));
}

#[tokio::test]
async fn a_connection_lost_before_the_dot_defers_and_after_it_is_unknown() {
    let lost = |drop| Script { drop, ..Script::default() };
    check(lost(HangUp::AtGreeting), stopped, "broke off").await;
    check(lost(HangUp::AtMail), later, "broke off").await;
    check(lost(HangUp::Before354), later, "broke off").await;
    check(lost(HangUp::AfterDot), unknown, "did not say").await;
    // From 354 on the client cannot know how much the server has: also unknown, never accepted.
    check(lost(HangUp::After354), unknown, "did not say").await;
}

#[tokio::test]
async fn only_250_is_acceptance() {
    check(Script::default().reply("DOT", &["354 go on"]), unknown, "did not say").await;
    check(Script::default().reply("DOT", &["251 will forward"]), unknown, "did not say").await;
    check(Script::default().reply("DOT", &["???"]), unknown, "did not say").await;
    check(Script::default().reply("DATA", &["250 ok"]), later, "out of order").await;
    check(Script::default().reply("MAIL", &["354 go on"]), later, "out of order").await;
    // One answer too many shifts all that follow: the 250 for RCPT must not pass for DATA's.
    check(Script::default().reply("MAIL", &["250 ok\r\n250 ok"]), later, "out of order").await;
}

#[tokio::test]
async fn silence_after_the_dot_ends_in_unknown_and_poisons_no_later_letter() {
    let slow = vec![Duration::from_millis(1500), Duration::ZERO];
    let script = Script { delay_at_dot: slow, ..Script::default() };
    let sink =
        SmtpSink::start(script.reply("DOT", &["550 5.7.1 late no", "451 4.3.0 wait", "250 ok"]))
            .await;
    let mut account = account(sink.port());
    account.limits.after_dot = Duration::from_millis(500);
    let mailer = mailer(account);
    let start = Instant::now();
    let first = mailer.deliver(&helen(), LETTER).await;
    assert!(unknown(&first), "{first:?}");
    assert!(start.elapsed() < Duration::from_millis(1400), "waited {:?}", start.elapsed());
    // Each later letter gets its own answer, over a connection of its own.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert!(later(&mailer.deliver(&helen(), LETTER).await));
    assert!(accepted(&mailer.deliver(&helen(), LETTER).await));
    assert_eq!(sink.connections(), 3);
    assert_eq!(sink.letters().len(), 1);
}

#[tokio::test]
async fn a_send_that_is_dropped_half_way_never_makes_another_look_accepted() {
    let slow = vec![Duration::from_millis(500), Duration::ZERO];
    let script = Script { delay_at_dot: slow, ..Script::default() };
    let sink = SmtpSink::start(script.reply("RCPT", &["250 ok", "250 ok", "550 5.1.1 no"])).await;
    let mailer = mailer(account(sink.port()));
    let sending = tokio::spawn({
        let mailer = mailer.clone();
        async move { mailer.deliver(&helen(), LETTER).await }
    });
    until(|| sink.commands().iter().any(|command| command == "DATA")).await;
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled(), "the server was to be slower than that");
    assert!(accepted(&mailer.deliver(&helen(), LETTER).await));
    let refusal = mailer.deliver(&helen(), LETTER).await;
    assert!(refused(&refusal), "{refusal:?}");
    assert_eq!(sink.connections(), 2, "the dropped send's connection was used again");
}

#[tokio::test]
async fn letters_share_a_connection_and_it_is_closed_when_idle() {
    let sink = SmtpSink::start(Script::default()).await;
    let mut account = account(sink.port());
    account.limits.idle = Duration::from_secs(1);
    let mailer = mailer(account);
    for _ in 0..50 {
        assert!(accepted(&mailer.deliver(&helen(), LETTER).await));
    }
    assert_eq!((sink.connections(), sink.open()), (1, 1));
    until(|| sink.open() == 0).await;
    assert_eq!(sink.commands().last().map(String::as_str), Some("QUIT"));
    assert!(accepted(&mailer.deliver(&helen(), LETTER).await));
    mailer.close().await;
    until(|| sink.open() == 0).await;
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_costs_no_try() {
    let sink = SmtpSink::start(Script { letters_a_connection: 2, ..Script::default() }).await;
    let mailer = mailer(account(sink.port()));
    for n in 0..7 {
        let delivery = mailer.deliver(&helen(), LETTER).await;
        assert!(accepted(&delivery), "letter {n}: {delivery:?}");
    }
    assert_eq!((sink.letters().len(), sink.connections()), (7, 4));
}

#[tokio::test]
async fn no_more_connections_are_open_than_allowed() {
    let script = Script { delay_at_dot: vec![Duration::from_millis(20)], ..Script::default() };
    let sink = SmtpSink::start(script).await;
    let mailer = mailer(account(sink.port()));
    let sends = (0..40).map(|_| {
        let mailer = mailer.clone();
        tokio::spawn(async move { mailer.deliver(&helen(), LETTER).await })
    });
    for send in sends.collect::<Vec<_>>() {
        assert!(accepted(&send.await.unwrap()));
    }
    assert_eq!(sink.letters().len(), 40);
    assert_eq!(sink.most_open(), 4);
}

#[tokio::test]
async fn a_session_is_twenty_times_faster_than_one_with_nagles_algorithm() {
    use lettre::transport::smtp::{client::AsyncSmtpConnection, extension::ClientId};
    let sink = SmtpSink::start(Script::default()).await;
    let hello = ClientId::Domain("x.example".into());
    let envelope =
        lettre::address::Envelope::new(None, vec!["helen@example.org".parse().unwrap()]).unwrap();
    let nagle = AsyncSmtpConnection::connect_tokio1(sink.address, None, &hello, None, None);
    let mut nagle = nagle.await.unwrap();
    let start = Instant::now();
    for _ in 0..15 {
        nagle.send(&envelope, LETTER).await.unwrap();
    }
    let nagle_each = start.elapsed() / 15;

    let mailer = mailer(account(sink.port()));
    let start = Instant::now();
    for _ in 0..300 {
        assert!(accepted(&mailer.deliver(&helen(), LETTER).await));
    }
    let ours_each = start.elapsed() / 300;
    assert_eq!(sink.letters().len(), 315);
    assert!(
        nagle_each > ours_each * 20,
        "ours {ours_each:?}, with Nagle's algorithm {nagle_each:?}"
    );
}

#[tokio::test]
async fn a_login_is_made_and_a_wrong_one_stops_the_queue() {
    // base64 of NUL complaints NUL secret
    let right = "AGNvbXBsYWludHMAc2VjcmV0";
    let extensions = vec!["AUTH PLAIN LOGIN".into()];
    let sink =
        SmtpSink::start(Script { password: Some(right.into()), extensions, ..Script::default() })
            .await;
    let with = |login| mailer(SmtpAccount { login: Some(login), ..account(sink.port()) });
    assert!(accepted(&with(password("secret")).deliver(&helen(), LETTER).await));
    let wrong = with(password("guess")).deliver(&helen(), LETTER).await;
    assert!(stopped(&wrong), "{wrong:?}");
    assert_eq!(wrong.reply().code, Some(535));
    assert!(!format!("{:?}", password("secret")).contains("secret"));
    // No mechanism in common.
    let token = Login::AccessToken { user: "complaints".into(), token: Private("t".into()) };
    assert!(stopped(&with(token).deliver(&helen(), LETTER).await));
    assert_eq!(sink.letters().len(), 1);
}

#[tokio::test]
async fn a_refused_access_token_stops_the_queue() {
    let extensions = vec!["AUTH XOAUTH2".into()];
    let script =
        Script { extensions, ..Script::default() }.reply("AUTH", &["334 eyJzdGF0dXMiOiI0MDAifQ=="]);
    let sink = SmtpSink::start(script.reply("AUTH2", &["535 5.7.3 no"])).await;
    let token = Login::AccessToken { user: "complaints".into(), token: Private("old".into()) };
    let delivery = mailer(SmtpAccount { login: Some(token), ..account(sink.port()) })
        .deliver(&helen(), LETTER)
        .await;
    assert!(stopped(&delivery), "{delivery:?}");
    assert!(delivery.reply().cause.contains("login"));
}

/// A server certificate for 127.0.0.1, and its authority in a file.
fn certificate() -> (TlsAcceptor, tempfile::NamedTempFile) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), file)
}

fn encrypted(
    port: u16,
    encryption: Encryption,
    authority: &tempfile::NamedTempFile,
) -> SmtpAccount {
    let trust = Trust { ca_file: Some(authority.path().to_owned()), ..Trust::default() };
    SmtpAccount { encryption, trust, ..account(port) }
}

#[tokio::test]
async fn letters_go_encrypted_either_way_and_to_no_stranger() {
    let (tls, authority) = certificate();
    let (_, strangers) = certificate();
    for encryption in [Encryption::Implicit, Encryption::StartTls] {
        let script = Script {
            tls: Some(tls.clone()),
            implicit_tls: encryption == Encryption::Implicit,
            extensions: vec!["STARTTLS".into(), "AUTH PLAIN".into()],
            ..Script::default()
        };
        let sink = SmtpSink::start(script).await;
        let trusting = SmtpAccount {
            login: Some(password("s")),
            ..encrypted(sink.port(), encryption, &authority)
        };
        let mailer_ = mailer(trusting);
        for _ in 0..3 {
            let delivery = mailer_.deliver(&helen(), LETTER).await;
            assert!(accepted(&delivery), "{encryption:?}: {delivery:?}");
        }
        assert_eq!((sink.letters().len(), sink.connections()), (3, 1));
        let wary = mailer(encrypted(sink.port(), encryption, &strangers));
        let delivery = wary.deliver(&helen(), LETTER).await;
        assert!(stopped(&delivery), "{encryption:?}: {delivery:?}");
        assert_eq!(sink.letters().len(), 3);
    }
}

#[tokio::test]
async fn encryption_that_is_stripped_or_tampered_with_is_refused() {
    let (tls, authority) = certificate();
    let check = async |extensions: &[&str], inject: &str, words: &str| {
        let script = Script {
            tls: Some(tls.clone()),
            extensions: extensions.iter().map(|&extension| extension.to_owned()).collect(),
            inject_after_starttls: inject.to_owned(),
            ..Script::default()
        };
        let sink = SmtpSink::start(script).await;
        let login = Some(password("secret"));
        let account =
            SmtpAccount { login, ..encrypted(sink.port(), Encryption::StartTls, &authority) };
        let delivery = mailer(account).deliver(&helen(), LETTER).await;
        assert!(stopped(&delivery), "{delivery:?}");
        assert!(delivery.reply().cause.contains(words), "{delivery:?}");
        assert!(!sink.commands().iter().any(|c| c.starts_with("AUTH") || c.starts_with("MAIL")));
        assert!(sink.letters().is_empty());
    };
    check(&["AUTH PLAIN"], "", "does not offer").await;
    check(&["STARTTLS"], "250 ok\r\n", "tampers").await;
}

#[tokio::test]
async fn an_account_that_cannot_work_is_refused_at_once() {
    let new = |account| SmtpPool::new(account).map(|_| ()).map_err(|fault| fault.to_string());
    assert!(new(SmtpAccount { hello: "x\r\nMAIL FROM:<>".into(), ..account(25) }).is_err());
    assert!(new(SmtpAccount { sessions: 0, ..account(25) }).is_err());
    let trust = Trust { ca_file: Some("/nowhere/ca.pem".into()), ..Trust::default() };
    assert!(new(SmtpAccount { trust, encryption: Encryption::Implicit, ..account(25) }).is_err());
    assert_eq!(new(account(25)), Ok(()));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let sink = SmtpSink::start(Script::default().reply("DOT", &[ENDLESS])).await;
    let mut account = account(sink.port());
    account.limits.after_dot = Duration::from_secs(6);
    let start = Instant::now();
    let delivery = mailer(account).deliver(&helen(), LETTER).await;
    assert!(unknown(&delivery), "{delivery:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "read on until the time limit");
}

#[tokio::test]
async fn files_are_whole_and_a_letter_written_twice_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::fixed("2026-11-25T09:15:00Z".parse().unwrap());
    let mailer = Mailer::Files { folder: folder.path().join("outbox"), clock: clock.clone() };
    let letter =
        |id: &str, body: &str| format!("Message-ID: <{id}>\r\n\r\n{body}\r\n").into_bytes();
    assert!(accepted(&mailer.deliver(&helen(), &letter("a@b.example", "first")).await));
    clock.set("2026-11-25T09:20:00Z".parse().unwrap());
    assert!(accepted(&mailer.deliver(&helen(), &letter("a@b.example", "again")).await));
    assert!(accepted(&mailer.deliver(&helen(), &letter("../../c@b.example", "other")).await));
    let mut files: Vec<_> = std::fs::read_dir(folder.path().join("outbox"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 2);
    assert_eq!(std::fs::read(&files[0]).unwrap(), letter("a@b.example", "again"));
    let name = files[0].file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("20261125T091500Z-"), "{name}");
    assert_eq!(files[0].extension(), Some("eml".as_ref()));

    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let mailer = Mailer::Files { folder: blocked, clock };
    assert!(stopped(&mailer.deliver(&helen(), LETTER).await));
}

fn acknowledgement(n: usize) -> Vec<u8> {
    Draft {
        from: ("Northmere children's complaints".into(), "complaints@northmere.example".into()),
        to: Private("helen@example.org".into()),
        reply_to: None,
        subject: format!("We have your message: {n}"),
        text: Private("Dear Helen\n\n.\nWe will answer – by 23 December.\n".into()),
        attached: None,
        html: Some(Private("<html lang=\"en-GB\"><p>Dear Helen</p></html>".into())),
        message_id: format!("letter{n}@northmere.example"),
        in_reply_to: None,
        references: Vec::new(),
        automatic: Automatic::Replied,
        instance: "test".into(),
        date: "2026-11-25T09:15:00Z".parse().unwrap(),
        language: "en-GB".into(),
    }
    .render()
    .unwrap()
}

#[tokio::test]
async fn a_real_mail_server_takes_our_letters_unchanged() {
    let exim = Exim::start();
    let mailer = mailer(account(exim.port));
    for n in 0..5 {
        let delivery = mailer.deliver(&helen(), &acknowledgement(n)).await;
        assert!(accepted(&delivery), "{delivery:?}");
    }
    let delivered = exim.wait_for(5);
    for n in 0..5 {
        let ours = String::from_utf8(acknowledgement(n)).unwrap().replace("\r\n", "\n");
        let whole = |letter: &Vec<u8>| String::from_utf8_lossy(letter).into_owned();
        let letter =
            delivered.iter().map(whole).find(|letter| letter.contains(&format!("<letter{n}@")));
        let letter = letter.expect("the letter was delivered");
        assert!(letter.trim_end().ends_with(ours.trim_end()), "changed on the way:\n{letter}");
        assert!(letter.contains("Envelope-to: helen@example.org"));
        assert!(letter.contains("Return-path: <bounce+t@northmere.example>"));
    }

    let refusal =
        mailer.deliver(&to(&format!("{}@example.org", exim::REFUSED)), &acknowledgement(6)).await;
    assert!(refused(&refusal), "{refusal:?}");
    assert_eq!(refusal.reply().to_string(), "the address does not exist (550 5.1.1)");
    let greylisted = to(&format!("{}@example.org", exim::GREYLISTED));
    assert!(later(&mailer.deliver(&greylisted, &acknowledgement(7)).await));
    assert!(accepted(&mailer.deliver(&greylisted, &acknowledgement(7)).await));
    assert_eq!(exim.wait_for(6).len(), 6);
}
