//! Mail that is meant to stop a gateway, or might: each message ends as a case or in front of a
//! person, and the ordinary complaint behind it is acknowledged at once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

mod support;

#[path = "hostile/apart.rs"]
mod apart;
#[path = "hostile/names.rs"]
mod names;
#[path = "hostile/page.rs"]
mod page;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postern::clock::Clock;
use postern::on;
use support::dovecot::Dovecot;
use support::gateway::{Daemon, Mailbox, Settings};
use support::register::{Register, Row, sha256};
use support::smtp_sink::{Script, SmtpSink};

const MORE: &str = "[intake]\nlarge_megabytes = 1\n[reminders]\nenabled = false";

const BODY: &str = "I want to make a formal complaint. The social worker of my daughter has missed \
    four visits since September and nobody rings me back. I am her mother.\r\n";

fn with_header(header: &str, rest: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "From: Mal <mal@example.org>\r\nTo: complaints@northmere.example\r\n\
         Date: Mon, 16 Nov 2026 09:30:00 +0000\r\nMIME-Version: 1.0\r\n{header}"
    )
    .into_bytes();
    message.extend_from_slice(rest);
    message
}

/// An ordinary complaint of somebody who has not written before.
fn ordinary(who: &str) -> Vec<u8> {
    format!(
        "From: {who}@example.org\r\nTo: complaints@northmere.example\r\nSubject: Complaint\r\n\
         Message-ID: <{who}@example.org>\r\nDate: Mon, 16 Nov 2026 09:30:00 +0000\r\n\r\n{BODY}{who}\r\n"
    )
    .into_bytes()
}

fn random_bytes(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(count)
    .collect()
}

fn nested_multiparts(levels: usize) -> Vec<u8> {
    let mut text = String::from("Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
    for level in 0..levels {
        let next = level + 1;
        let cut = "Content-Type: multipart/mixed; boundary=b";
        write!(text, "--b{level}\r\n{cut}{next}\r\n\r\n").unwrap();
    }
    with_header("Subject: multiparts\r\n", format!("{text}{BODY}").as_bytes())
}

fn nested_messages(levels: usize) -> Vec<u8> {
    let inner = "Content-Type: message/rfc822\r\n\r\n".repeat(levels);
    with_header("Subject: messages\r\n", format!("{inner}Subject: x\r\n\r\n{BODY}").as_bytes())
}

fn many_parts(parts: usize) -> Vec<u8> {
    let text = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{BODY}{}--b--\r\n",
        "--b\r\n\r\nx\r\n".repeat(parts)
    );
    with_header("Subject: parts\r\n", text.as_bytes())
}

fn divs(bytes: usize) -> Vec<u8> {
    let deep = "<div>".repeat(bytes / 5);
    with_header(
        "Subject: divs\r\nContent-Type: text/html\r\n\r\n",
        format!("{deep}{BODY}").as_bytes(),
    )
}

/// Every attack, with a name.
fn attacks() -> Vec<(&'static str, Vec<u8>)> {
    let line = |header: &str| with_header(header, format!("\r\n{BODY}").as_bytes());
    let lines = |count: usize| {
        let many = (0..count).map(|n| format!("X-Line-{n}: {n}\r\n")).collect::<Vec<_>>().concat();
        with_header(&format!("{many}Subject: lines\r\n\r\n"), BODY.as_bytes())
    };
    let from = |from: &str| {
        format!(
            "From: {from}\r\nTo: complaints@northmere.example\r\nSubject: my complaint\r\n\
             Date: Mon, 16 Nov 2026 09:30:00 +0000\r\n\r\n{BODY}"
        )
        .into_bytes()
    };
    let dated = |date: &str| {
        format!(
            "From: dated@example.org\r\nTo: complaints@northmere.example\r\nDate: {date}\r\n\
             Subject: {date}\r\n\r\n{BODY}"
        )
        .into_bytes()
    };
    let mut latin = with_header("Subject: caf", b"\xe9 \xa3 \xff\r\n\r\n");
    latin.extend_from_slice(BODY.as_bytes());
    vec![
        ("random bytes", random_bytes(300_000)),
        ("random text", random_bytes(300_000).iter().map(|byte| byte & 0x7f).collect()),
        ("empty", Vec::new()),
        ("one line end", b"\r\n".to_vec()),
        ("a header only", with_header("Subject: nothing\r\n", b"")),
        ("10,000 nested multiparts", nested_multiparts(10_000)),
        ("50,000 nested messages", nested_messages(50_000)),
        ("200,000 parts", many_parts(200_000)),
        ("500 kB of nested divs", divs(500_000)),
        ("100,000 header lines", lines(100_000)),
        ("NUL bytes", line("Subject: a\0b\0c\r\nX-N\0: \0\r\n")),
        ("a body of NUL", with_header("Subject: nul\r\n\r\n", &[0; 100_000])),
        ("a Latin-1 header", latin),
        (
            "lone carriage returns",
            String::from_utf8(line("Subject: cr\r\n")).unwrap().replace("\r\n", "\r").into(),
        ),
        ("a subject of 1 MB", line(&format!("Subject: {}\r\n", "long ".repeat(200_000)))),
        (
            "a subject of encoded words",
            line(&format!("Subject: {}\r\n", "=?utf-8?q?=00=0d=0a?= ".repeat(20_000))),
        ),
        ("a line end in a name", from("\"A\r\n Bcc: x@example.org\" <crlf@example.org>")),
        (
            "an encoded line end in a name",
            from("=?utf-8?q?A=0D=0ABcc:_x@example.org?= <crlf2@example.org>"),
        ),
        ("a name that turns round", from("\"\u{202e}evil\u{2066}\" <bidi@example.org>")),
        ("a name of 10 kB", from(&format!("\"{}\" <long@example.org>", "n".repeat(10_000)))),
        ("an address of 10 kB", from(&format!("<{}@example.org>", "a".repeat(10_000)))),
        ("an address with a line end", from("<\"a\r\n b\"@example.org>")),
        ("an address with SMTP in it", from("<x@example.org> SIZE=1>")),
        ("10,000 senders", from(&"<s@example.org>, ".repeat(10_000))),
        (
            "10,000 addressees",
            line(&format!(
                "Subject: to\r\nCc: {}x@example.org\r\n",
                "<s@example.org>, ".repeat(10_000)
            )),
        ),
        (
            "20,000 references",
            line(&format!("Subject: refs\r\nReferences: {}\r\n", "<a@b> ".repeat(20_000))),
        ),
        (
            "our own reference, often",
            line(&format!("Subject: NCC-2026-00001-9 {}\r\n", "NCC-2026-00001-9 ".repeat(5_000))),
        ),
        ("a date in the year 9999", dated("Fri, 31 Dec 9999 23:59:59 +0000")),
        ("a date in the year 0", dated("Sat, 1 Jan 0000 00:00:00 -9999")),
        ("a date that is none", dated("Yesterday, 99:99")),
        (
            "quotes without end",
            with_header("Subject: quotes\r\n\r\n", ">".repeat(500_000).as_bytes()),
        ),
        (
            "a line of 2 MB",
            with_header("Subject: line\r\n\r\n", "word ".repeat(400_000).as_bytes()),
        ),
        (
            "base64 that is none",
            with_header(
                "Subject: base64\r\nContent-Transfer-Encoding: base64\r\n\r\n",
                &random_bytes(200_000),
            ),
        ),
        (
            "an unknown charset",
            with_header(
                "Subject: charset\r\nContent-Type: text/plain; charset=\"\u{202e}x-none\"\r\n\r\n",
                &random_bytes(2_000),
            ),
        ),
    ]
}

/// A Maildir that a gateway reads.
struct Post {
    folder: tempfile::TempDir,
    settings: Settings,
    sink: SmtpSink,
    number: u32,
}

impl Post {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["tmp", "new", "cur"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        let sink = SmtpSink::start(Script::default()).await;
        let mailbox =
            Mailbox::Maildir { name: "complaints".to_owned(), path: folder.path().to_owned() };
        let settings = Settings::write(&[mailbox], sink.port(), None, MORE);
        Self { folder, settings, sink, number: 0 }
    }

    /// Puts a message in, delivered now or at a moment that its name claims.
    fn put(&mut self, bytes: &[u8], seconds: Option<i64>) -> PathBuf {
        self.number += 1;
        let seconds = seconds.unwrap_or_else(|| Clock::System.now().as_second());
        let name = format!("{seconds}.M{:06}.here", self.number);
        let (draft, path) = (
            self.folder.path().join("tmp").join(&name),
            self.folder.path().join("new").join(&name),
        );
        std::fs::write(&draft, bytes).unwrap();
        std::fs::rename(draft, &path).unwrap();
        path
    }

    /// How long until somebody's complaint is acknowledged.
    fn acknowledged(&self, who: &str, daemon: &mut Daemon, longest: Duration) -> Duration {
        acknowledged(&self.sink, who, daemon, longest)
    }
}

fn acknowledged(sink: &SmtpSink, who: &str, daemon: &mut Daemon, longest: Duration) -> Duration {
    let (begin, address) = (Instant::now(), format!("<{who}@example.org>"));
    while !sink.letters().iter().any(|letter| letter.to.iter().any(|to| to.contains(&address))) {
        assert!(daemon.is_alive(), "the gateway has died:\n{}", daemon.said());
        assert!(begin.elapsed() < longest, "{who} waits for ever:\n{}", daemon.said());
        std::thread::sleep(Duration::from_millis(10));
    }
    begin.elapsed()
}

/// The row of these bytes, which are all there.
async fn row_of(register: &Register, bytes: &[u8]) -> Row {
    let sha256 = sha256(bytes);
    let row = register.messages().await.into_iter().find(|row| row.sha256 == sha256);
    let row = row.expect("a message has disappeared");
    assert!(register.bytes(row.id).await == bytes, "other bytes than were delivered");
    row
}

/// Whether it is in a case, or where a person sees it, with a reason.
fn is_in_good_hands(row: &Row) -> bool {
    match row.state.as_str() {
        "done" => matches!(
            row.action.as_deref(),
            Some("opened" | "attached" | "filed" | "triage" | "duplicate")
        ),
        "quarantined" => row.trouble.as_deref().is_some_and(|why| !why.is_empty()),
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stops_the_complaint_behind_it() {
    let mut post = Post::new().await;
    let mut daemon = post.settings.serve(None);
    daemon.wait_for("ready", Duration::from_secs(20));
    let attacks = attacks();
    for (number, (name, bytes)) in attacks.iter().enumerate() {
        post.put(bytes, None);
        let who = format!("ordinary{number}");
        post.put(&ordinary(&who), None);
        let took = post.acknowledged(&who, &mut daemon, Duration::from_secs(20));
        eprintln!("{name}: {} ms", took.as_millis());
    }
    daemon.stop();
    let register = Register::open(&post.settings.store).await;
    for (name, bytes) in &attacks {
        let row = row_of(&register, bytes).await;
        eprintln!("{name}: {} {} {:?}", row.state, row.action.as_deref().unwrap_or("-"), row.kind);
        assert!(is_in_good_hands(&row), "{name}: {row:?}");
        assert!(row.attempts <= 1, "{name} was tried again: {row:?}");
    }
    register.0.close().await;
    nothing_was_smuggled(&post.sink);
    // Each is out of the way, under its own bytes.
    assert_eq!(std::fs::read_dir(post.folder.path().join("new")).unwrap().count(), 0);
    let aside = std::fs::read_dir(post.folder.path().join(".Processed/cur")).unwrap();
    assert_eq!(aside.count(), 2 * attacks.len());
}

/// The same through a server, which changes line ends and NUL on the way.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_stops_an_imap_mailbox_either() {
    let dovecot = Dovecot::start();
    let sink = SmtpSink::start(Script::default()).await;
    let (name, port) = ("complaints".to_owned(), dovecot.imap_port);
    let mailbox = Mailbox::Imap { name, user: "mal".to_owned(), port };
    let settings = Settings::write(&[mailbox], sink.port(), None, MORE);
    let attacks = attacks();
    for (_, bytes) in &attacks {
        dovecot.deliver("mal", bytes);
    }
    dovecot.deliver("mal", &ordinary("behind"));
    let mut daemon = settings.serve(None);
    let took = acknowledged(&sink, "behind", &mut daemon, Duration::from_mins(1));
    eprintln!("{} attacks and a complaint: {} ms", attacks.len(), took.as_millis());
    // And what comes while they are being moved.
    dovecot.deliver("mal", &ordinary("later"));
    acknowledged(&sink, "later", &mut daemon, Duration::from_secs(20));
    for _ in 0..500 {
        if dovecot.messages("mal", "INBOX").is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    daemon.stop();
    assert_eq!(dovecot.messages("mal", "INBOX").len(), 0, "{}", daemon.said());
    assert_eq!(dovecot.messages("mal", "Processed").len(), attacks.len() + 2);
    let register = Register::open(&settings.store).await;
    let rows = register.messages().await;
    assert_eq!(rows.len(), attacks.len() + 2, "{rows:#?}");
    for row in &rows {
        assert!(is_in_good_hands(row), "{row:?}");
        assert_eq!(sha256(&register.bytes(row.id).await), row.sha256);
    }
    assert_eq!(register.deliveries().await.len(), rows.len());
    register.0.close().await;
    nothing_was_smuggled(&sink);
}

/// A file that cannot be read (here one whose reading is an error whoever asks) is a person's task,
/// told once, and the mailbox goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_stops_nobody() {
    let mut post = Post::new().await;
    let unreadable = post.folder.path().join("new/1794825000.M1.here");
    std::os::unix::fs::symlink("/proc/self/mem", unreadable).unwrap();
    post.put(&ordinary("behind"), None);
    let mut daemon = post.settings.serve(None);
    post.acknowledged("behind", &mut daemon, Duration::from_secs(20));
    post.put(&ordinary("later"), None);
    post.acknowledged("later", &mut daemon, Duration::from_secs(20));
    daemon.stop();
    let register = Register::open(&post.settings.store).await;
    let told = "SELECT CAST(COUNT(*) AS BIGINT) FROM task
        WHERE kind = 'unfetchable' AND words LIKE '%1794825000.M1.here%'";
    assert_eq!(register.count(told).await, 1);
    assert_eq!(register.messages().await.len(), 2);
    register.0.close().await;
}

/// No letter went to anybody but its one recipient, and no header of it was made by the sender.
fn nothing_was_smuggled(sink: &SmtpSink) {
    for letter in sink.letters() {
        assert_eq!(letter.to.len(), 1, "{:?}", letter.to);
        let text = String::from_utf8_lossy(&letter.bytes).into_owned();
        let header = text.split("\r\n\r\n").next().unwrap();
        assert!(!header.to_lowercase().contains("\r\nbcc:"), "{header}");
        assert!(!text.contains('\0') && !text.contains('\u{202e}'), "{header}");
        let bare =
            letter.bytes.windows(2).any(|two| matches!(two, [before, b'\n'] if *before != b'\r'));
        assert!(!bare, "a bare line end");
    }
    for command in sink.commands() {
        assert!(command.len() < 1000 && !command.contains('\0'), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_outside_the_calendar_is_a_persons_to_judge() {
    let mut post = Post::new().await;
    let mut daemon = post.settings.serve(None);
    daemon.wait_for("ready", Duration::from_secs(20));
    // September 2001: before the calendar begins. What no clock can have meant counts from now.
    let odd = ordinary("odd1000000000");
    post.put(&odd, Some(1_000_000_000));
    let impossible: Vec<Vec<u8>> = [1, 221_845_392_000]
        .into_iter()
        .map(|seconds| {
            let bytes = ordinary(&format!("odd{seconds}"));
            post.put(&bytes, Some(seconds));
            bytes
        })
        .collect();
    post.put(&ordinary("now"), None);
    let took = post.acknowledged("now", &mut daemon, Duration::from_secs(10));
    eprintln!("acknowledged after {} ms", took.as_millis());

    let register = Register::open(&post.settings.store).await;
    for bytes in &impossible {
        let row = row_of(&register, bytes).await;
        assert_eq!(row.action.as_deref(), Some("opened"), "{row:?}");
    }
    let row = row_of(&register, &odd).await;
    assert_eq!(row.state, "quarantined", "{row:?}");
    let why = row.trouble.clone().unwrap();
    assert!(why.contains("due date"), "{why}");
    // A person's second try: with its reason again, and nobody else disturbed.
    let done = post.settings.run(&["case", "retry", &row.id.to_string()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let again = row_of(&register, &odd).await;
    assert_ne!((again.state.as_str(), again.attempts), ("quarantined", row.attempts), "taken up");
    let list = post.settings.run(&["case", "list", "--waiting"]);
    assert!(list.status.success());
    for _ in 0..1000 {
        if row_of(&register, &odd).await.state == "quarantined" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(row_of(&register, &odd).await.state, "quarantined");
    // And where the reason is gone, it becomes a case like any other.
    correct_receipt(&register, row.id).await;
    let done = post.settings.run(&["case", "retry", &row.id.to_string()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    post.acknowledged("odd1000000000", &mut daemon, Duration::from_secs(30));
    daemon.stop();
    assert_eq!(row_of(&register, &odd).await.action.as_deref(), Some("opened"));
    let wrong = post.settings.run(&["case", "retry", &row.id.to_string()]);
    assert!(!wrong.status.success(), "it is not in quarantine any more");
    register.0.close().await;
}

async fn correct_receipt(register: &Register, message: i64) {
    let mut tx = register.0.begin().await.unwrap();
    let now = Clock::System.now().as_millisecond();
    on!(tx, "correct", c => sqlx::query("UPDATE message SET received_at = $2 WHERE id = $1")
        .bind(message).bind(now).execute(c).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
}

/// A complaint with an attachment of so many megabytes.
fn heavy(who: &str, megabytes: usize) -> Vec<u8> {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let text = format!(
        "Message-ID: <{who}@example.org>\r\nSubject: Complaint\r\n\
         Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\r\n{BODY}\r\n--cut\r\n\
         Content-Type: video/mp4; name=film.mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    );
    let mut message = with_header("", text.as_bytes());
    let mut from = Vec::from(format!("Reply-To: {who}@example.org\r\n"));
    from.append(&mut message);
    from.extend(line.repeat((megabytes << 20) / line.len()).bytes());
    from.extend(b"--cut--\r\n");
    String::from_utf8(from).unwrap().replacen("mal@", &format!("{who}@"), 1).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_cost_little_memory() {
    let dovecot = Dovecot::start();
    let sink = SmtpSink::start(Script::default()).await;
    let mailbox = Mailbox::Imap {
        name: "complaints".to_owned(),
        user: "heavy".to_owned(),
        port: dovecot.imap_port,
    };
    let settings = Settings::write(&[mailbox], sink.port(), None, MORE);
    // One is read from its beginning alone, one as a whole, just below that limit.
    let letters = [heavy("fifty", 50), heavy("thirtynine", 39)];
    for letter in &letters {
        dovecot.deliver("heavy", letter);
    }
    dovecot.deliver("heavy", &ordinary("light"));
    let mut daemon = settings.serve(None);
    for who in ["fifty", "thirtynine", "light"] {
        let took = acknowledged(&sink, who, &mut daemon, Duration::from_mins(1));
        eprintln!("{who}: after {} ms, at most {} MB", took.as_millis(), daemon.peak_megabytes());
    }
    let peak = daemon.peak_megabytes();
    assert!(peak < 450, "{peak} MB");
    daemon.stop();
    let register = Register::open(&settings.store).await;
    for letter in &letters {
        assert_eq!(row_of(&register, letter).await.action.as_deref(), Some("opened"));
    }
    register.0.close().await;
    assert_eq!(dovecot.messages("heavy", "Processed").len(), 3);
}

/// The same by Maildir, where a file comes at once.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_in_a_file_too() {
    let mut post = Post::new().await;
    let letter = heavy("fifty", 50);
    let path = post.put(&letter, None);
    post.put(&ordinary("light"), None);
    let mut daemon = post.settings.serve(None);
    for who in ["fifty", "light"] {
        post.acknowledged(who, &mut daemon, Duration::from_mins(1));
    }
    let peak = daemon.peak_megabytes();
    eprintln!("at most {peak} MB");
    assert!(peak < 450, "{peak} MB");
    daemon.stop();
    assert!(!Path::new(&path).exists());
    let register = Register::open(&post.settings.store).await;
    assert_eq!(row_of(&register, &letter).await.action.as_deref(), Some("opened"));
    register.0.close().await;
}
