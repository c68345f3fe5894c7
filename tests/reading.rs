//! Reading mail as it really comes.
//!
//! Where the mail library loses something, the test first shows that it still does: the day it is
//! mended upstream, that line fails and our own way round can be looked at again.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

#[path = "../benches/reading/attacks.rs"]
mod attacks;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use postern::email::{
    Email, Kind, Limits, Note, ReturnPath, attached_bytes, find_references, header_scan, read,
};
use postern::mailfiles::messages_in;

fn email(raw: &[u8]) -> Email {
    read(raw, &Limits::default())
}

/// What the mail library makes of the text.
fn theirs(raw: &[u8]) -> String {
    let message = MessageParser::default().parse(raw);
    message.and_then(|m| m.body_text(0).map(|t| t.trim().to_owned())).unwrap_or_default()
}

#[track_caller]
fn check_text(raw: &[u8], lost: &str, ours: &str) {
    assert_eq!(theirs(raw), lost, "the mail library has changed");
    assert_eq!(email(raw).text.0, ours);
}

const HEAD: &str = "From: ann@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n";

fn mixed(body: &str) -> Vec<u8> {
    format!("{HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}").into_bytes()
}

fn encoded(encoding: &str, body: &str) -> Vec<u8> {
    format!("{HEAD}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}")
        .into_bytes()
}

#[test]
fn a_boundary_inside_a_line_cuts_nothing() {
    let raw = mixed("--b\r\n\r\nsee ref --b today\r\nand more\r\n--b--\r\n");
    check_text(&raw, "see ref", "see ref --b today\nand more");
    let raw = mixed("--b\r\n\r\none\r\n--bXYZ\r\ntwo\r\n--b--\r\n");
    check_text(&raw, "one", "one\n--bXYZ\ntwo");
}

#[test]
fn a_message_that_breaks_off_keeps_its_text() {
    let raw = mixed("--b\r\n\r\nthe whole text");
    check_text(&raw, "", "the whole text");
    assert!(email(&raw).problems.iter().any(|p| p.contains("breaks off")));
}

#[test]
fn base64_keeps_its_last_bytes() {
    check_text(&encoded("base64", "aGVsbG8gd29ybGQ\r\n"), "hello wor", "hello world");
}

#[test]
fn a_plain_footer_behind_base64_is_text() {
    let raw = encoded("base64", "aGVsbG8=\r\nUnsubscribe from this list\r\n");
    assert_ne!(theirs(&raw), "hello\n\nUnsubscribe from this list");
    assert_eq!(email(&raw).text.0, "hello\n\nUnsubscribe from this list");
}

#[test]
fn bad_quoted_printable_is_decoded_where_it_can_be() {
    check_text(
        &encoded("quoted-printable", "caf=C3=A9 a==b =ZZ"),
        "caf=C3=A9 a==b =ZZ",
        "café a==b =ZZ",
    );
}

#[test]
fn subjects_survive_their_encoders() {
    let subject = |value: &[u8]| {
        let raw = [b"From: a@example.org\r\nSubject: ", value, b"\r\n\r\nx\r\n"].concat();
        let theirs =
            MessageParser::default().parse(&raw).unwrap().subject().unwrap_or_default().to_owned();
        (theirs, email(&raw).subject.unwrap().0)
    };
    let (theirs, ours) = subject(b"=?utf-8?B?Y2Fmww==?= =?utf-8?B?qQ==?=");
    assert!(theirs.contains('\u{fffd}'), "{theirs}");
    assert_eq!(ours, "café");
    let (theirs, ours) = subject(b"caf\xE9 \xA3 5");
    assert!(theirs.contains('\u{fffd}'), "{theirs}");
    assert_eq!(ours, "café £ 5");
}

#[test]
fn an_unknown_charset_is_guessed_and_said() {
    let raw =
        [HEAD.as_bytes(), b"Content-Type: text/plain; charset=x-odd\r\n\r\ncaf\xE9\r\n"].concat();
    check_text(&raw, "caf\u{fffd}", "café");
    assert!(email(&raw).problems.iter().any(|p| p.contains("character set")));
}

#[test]
fn an_invalid_date_is_no_date() {
    let raw = b"From: a@example.org\r\nDate: Mon, 32 Nov 25:61:61 +9999\r\n\r\nx\r\n";
    let theirs = MessageParser::default().parse(raw.as_slice()).unwrap();
    assert!(theirs.date().is_some_and(|d| !d.is_valid()), "the mail library has changed");
    assert_eq!(email(raw).date, None);
}

#[test]
fn two_senders_are_nobody_to_answer() {
    let raw = b"From: ann@example.org\r\nFrom: eve@example.net\r\nSubject: x\r\n\r\nx\r\n";
    let theirs = MessageParser::default().parse(raw.as_slice()).unwrap();
    assert_eq!(theirs.from().unwrap().first().unwrap().address(), Some("eve@example.net"));
    let email = email(raw);
    assert_eq!((email.from, email.from_count), (None, 2));
    assert!(email.suppress_answer.contains(&"From".to_owned()));
}

#[test]
fn odd_senders_are_valid_or_nobody() {
    let from = |value: &str| {
        let raw = format!("From: {value}\r\nSubject: x\r\n\r\nx\r\n");
        email(raw.as_bytes()).from.map(|a| a.address.0)
    };
    assert_eq!(from("Ann <ann@Example.ORG>").as_deref(), Some("ann@example.org"));
    assert_eq!(from("<@relay.example:ann@example.org>").as_deref(), Some("ann@example.org"));
    assert_eq!(from("John Smith"), None);
    assert_eq!(from("a b@x y.org"), None);
    assert_eq!(from(""), None);
}

#[test]
fn a_text_without_any_header_is_all_text() {
    let raw = b"Dear Sir,\n\nMy bin was not emptied.\n";
    assert!(MessageParser::default().parse(raw.as_slice()).is_none_or(|m| m.from().is_none()));
    let email = email(raw);
    assert_eq!(email.text.0, "Dear Sir,\n\nMy bin was not emptied.");
    assert_eq!((email.from, email.from_count), (None, 0));
}

#[test]
fn lone_carriage_returns_are_line_ends() {
    let raw = b"From: ann@example.org\rSubject: Bins\r\rMy bin\r";
    let theirs = MessageParser::default().parse(raw.as_slice());
    assert_ne!(theirs.and_then(|m| m.subject().map(str::to_owned)).as_deref(), Some("Bins"));
    let email = email(raw);
    assert_eq!(email.subject.unwrap().0, "Bins");
    assert_eq!(email.text.0, "My bin");
}

#[test]
fn an_empty_plain_form_gives_way_to_the_html() {
    let raw = format!(
        "{HEAD}Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\r\n\
         --b\r\nContent-Type: text/html\r\n\r\n<p>My bin<p>is full\r\n--b--\r\n"
    );
    assert_eq!(theirs(raw.as_bytes()), "", "the mail library has changed");
    assert_eq!(
        email(raw.as_bytes()).text.0.split_whitespace().collect::<Vec<_>>(),
        ["My", "bin", "is", "full"]
    );
}

#[test]
fn every_text_part_is_read() {
    let raw = mixed(
        "--b\r\n\r\nbefore\r\n--b\r\nContent-Type: image/png\r\nContent-Disposition: inline\r\n\r\nPNG\r\n\
         --b\r\n\r\nafter\r\n--b--\r\n",
    );
    check_text(&raw, "before", "before\n\nafter");
    assert_eq!(email(&raw).attachments.len(), 1);
}

#[test]
fn nul_never_reaches_the_store() {
    let raw = encoded("quoted-printable", "a=00b");
    assert!(theirs(&raw).contains('\0'), "the mail library has changed");
    assert_eq!(email(&raw).text.0, "ab");
    let email = email(b"From: a@example.org\r\nSubject: a\0b\r\n\r\nx");
    assert!(!serde_json::to_string(&email).unwrap().contains("\\u0000"));
}

#[test]
fn attachments_are_named_safely_and_counted_once() {
    let raw = mixed(
        "--b\r\n\r\nsee files\r\n\
         --b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename*=utf-8''..%2F..%2Fr%C3%A9sum%C3%A9.pdf\r\n\r\naGVsbG8\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: bob@example.net\r\nSubject: Inner\r\n\r\nInner text\r\n\
         --b--\r\n",
    );
    let email = email(&raw);
    let names: Vec<_> =
        email.attachments.iter().map(|a| a.name.as_ref().map(|n| n.0.as_str())).collect();
    assert_eq!(names, [Some("résumé.pdf"), None]);
    let pdf = &email.attachments[0];
    assert_eq!(pdf.bytes, 5);
    assert_eq!(pdf.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    let forwarded = email.forwarded.unwrap();
    assert_eq!(forwarded.from.unwrap().0, "bob@example.net");
    assert!(email.text.0.ends_with("Inner text"));
}

#[test]
fn the_same_message_has_the_same_fingerprint_on_every_way_here() {
    let body = "From: a@example.org\r\nMessage-ID: <1@x>\r\nSubject: Bins\r\n";
    let plain = format!("Received: by one\r\n{body}\r\nMy bin is full\r\n");
    let other = format!(
        "Received: by two\r\n{body}Content-Transfer-Encoding: quoted-printable\r\n\r\nMy bin =\r\nis full\r\n"
    );
    let changed = format!("{body}\r\nMy bin is empty\r\n");
    let print = |raw: &str| email(raw.as_bytes()).fingerprint;
    assert_eq!(print(&plain), print(&other));
    assert_ne!(print(&plain), print(&changed));
}

/// Many messages inside each other, as one attack would send them.
fn nested_messages(levels: usize) -> Vec<u8> {
    let mut raw = String::from("From: eve@example.net\r\nSubject: deep\r\n");
    raw += &"Content-Type: message/rfc822\r\n\r\n".repeat(levels);
    raw += "\r\nbottom\r\n";
    raw.into_bytes()
}

fn on_small_stack(raw: Vec<u8>) -> (Email, Duration) {
    let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let thread = small.spawn(move || {
        let start = Instant::now();
        (email(&raw), start.elapsed())
    });
    thread.unwrap().join().expect("reading survives on an ordinary stack")
}

#[test]
fn nesting_cannot_exhaust_the_stack_or_the_clock() {
    let (email, took) = on_small_stack(nested_messages(50_000));
    assert_eq!(email.subject.unwrap().0, "deep");
    assert!(took < PATIENCE, "{took:?}");

    let mut raw = String::from("From: eve@example.net\r\nSubject: deep\r\n");
    for level in 0..10_000 {
        let _ =
            write!(raw, "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    }
    let (email, took) = on_small_stack(raw.into_bytes());
    assert!(email.problems.iter().any(|p| p.contains("nested too deep")), "{:?}", email.problems);
    assert!(took < PATIENCE, "{took:?}");
}

#[test]
fn deep_html_costs_no_more_than_its_length() {
    let raw = format!("{HEAD}Content-Type: text/html\r\n\r\n{}help", "<div>".repeat(100_000));
    let (email, took) = on_small_stack(raw.into_bytes());
    assert_eq!(email.text.0, "help");
    assert!(took < PATIENCE, "{took:?}");
}

/// What one message may take: the bar itself where the code is optimised.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });

/// Size of each attack: what is square in it shows at this size too.
const ATTACK_BYTES: usize = if cfg!(debug_assertions) { 150_000 } else { 3_000_000 };

#[test]
fn no_attack_takes_long_or_is_lost() {
    for (name, raw) in attacks::all(ATTACK_BYTES) {
        let scanned = header_scan(&raw, &Limits::default());
        assert_eq!(scanned.fingerprint.len(), 64, "{name}");
        let (email, took) = on_small_stack(raw);
        assert!(took < PATIENCE, "{name}: {took:?}");
        assert!(email.text.0.len() <= Limits::default().text_bytes, "{name}");
        assert!(!email.kind.is_automatic() || name.contains("fail"), "{name}: {:?}", email.kind);
    }
}

/// What one message may need at its peak: six times its size, and what reading needs in any case.
const TIMES_ITS_SIZE: u64 = 6;
const NEEDED_IN_ANY_CASE: u64 = 16 << 20;
/// Names the attack that this process is to read alone.
const ALONE: &str = "POSTERN_READ_ALONE";

/// The most memory that this process has had, in bytes, where the system tells (Linux).
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[test]
fn no_attack_takes_six_times_its_size() {
    let all = attacks::all(ATTACK_BYTES);
    if let Ok(alone) = std::env::var(ALONE) {
        let (_, raw) = all.iter().find(|(name, _)| *name == alone).unwrap();
        // What is compiled once for all messages belongs to none of them.
        for name in ["human/complaint.eml", "bounce/qmail.eml", "newsletter/unmarked.eml"] {
            drop(email(&sample(name)));
        }
        let before = peak_bytes().unwrap();
        drop(email(raw));
        let needed = peak_bytes().unwrap() - before;
        let most = TIMES_ITS_SIZE * raw.len() as u64 + NEEDED_IN_ANY_CASE;
        assert!(needed <= most, "{alone}: {needed} bytes for a message of {}", raw.len());
        return;
    }
    if peak_bytes().is_none() {
        eprintln!("this system does not tell how much memory a process has: nothing was measured");
        return;
    }
    for (name, _) in all {
        let mut program = std::process::Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "no_attack_takes_six_times_its_size"]).env(ALONE, &name);
        let output = program.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{name}: {said}");
    }
}

#[test]
fn a_header_scan_needs_no_parts() {
    let scanned = header_scan(&nested_messages(50_000), &Limits::default());
    assert_eq!(scanned.from.unwrap().address.0, "eve@example.net");
    assert_eq!(scanned.subject.unwrap().0, "deep");
    assert!(scanned.problems.iter().any(|p| p.contains("only the header")));
    let machine =
        header_scan(b"From: a@example.org\nAuto-Submitted: auto-replied\n\nx", &Limits::default());
    assert_eq!(machine.kind, Kind::AutoReply);
}

#[test]
fn an_answer_to_us_is_known_by_the_form_of_our_ids() {
    let answer = sample("out_of_office/answer-without-headers.eml");
    let id = read(&answer, &council()).in_reply_to.remove(0);
    assert_eq!(id.split_once('@').unwrap().0.len(), postern::token::TOKEN_CHARS);
    let elsewhere = Limits { own_addresses: Vec::new(), ..council() };
    assert_eq!(read(&answer, &elsewhere).kind, Kind::Human, "nothing shows that it answers us");
}

fn council() -> Limits {
    Limits {
        own_addresses: vec!["complaints@council.example".to_owned()],
        own_domains: vec!["mail.council.example".to_owned()],
        ..Limits::default()
    }
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail").join(name)).unwrap()
}

#[test]
fn every_sample_is_of_the_kind_of_its_folder_with_either_line_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
    let mut seen = BTreeMap::new();
    for file in messages_in(&folder).map(Result::unwrap) {
        let want = Path::new(&file.name)
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let bare = read(&file.bytes, &council());
        let text = String::from_utf8(file.bytes).unwrap();
        let full = read(text.replace('\n', "\r\n").as_bytes(), &council());
        assert_eq!(serde_json::to_value(bare.kind).unwrap(), want, "{}", file.name);
        assert!(bare.kind.is_automatic() == (want != "human"));
        assert!(want == "human" || !bare.kind_evidence.is_empty(), "{} says not why", file.name);
        assert_eq!(
            (bare.kind, &bare.text, &bare.fingerprint),
            (full.kind, &full.text, &full.fingerprint)
        );
        *seen.entry(want).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 12, "{seen:?}");
}

#[test]
fn what_forbids_an_answer_is_listed_by_name() {
    let suppressed = |name: &str| read(&sample(name), &council()).suppress_answer;
    assert!(suppressed("human/complaint.eml").is_empty());
    assert_eq!(suppressed("human/newsletter-platform.eml"), ["X-Auto-Response-Suppress"]);
    assert_eq!(suppressed("auto_reply/vacation.eml"), ["Auto-Submitted", "Return-Path"]);
    assert_eq!(suppressed("notification/printer.eml"), ["From: no-reply"]);
    assert_eq!(
        suppressed("mailing_list/digest.eml"),
        ["List-Post", "List-Id", "Precedence", "Sender: no-reply"]
    );
    let raw = format!("{}From: a@example.org\r\n\r\nx", "Received: by x\r\n".repeat(26));
    assert_eq!(email(raw.as_bytes()).suppress_answer, ["Received"]);
    let raw = b"From: a@example.org\r\nX-Auto-Response-Suppress: DR, NDR\r\n\r\nx";
    assert!(email(raw).suppress_answer.is_empty());
}

#[test]
fn a_complaint_is_read_in_full() {
    let email = read(&sample("human/complaint.eml"), &council());
    assert_eq!(email.return_path, ReturnPath::Address("ann.lee@example.org".to_owned().into()));
    assert_eq!(email.delivered_to[0].0, "complaints@council.example");
    assert_eq!(email.message_id.as_deref(), Some("1@example.org"));
    assert_eq!(email.case_references, find_references(&email.subject.as_ref().unwrap().0, "NCC"));
    assert_eq!(email.case_references.len(), 1);
    assert_eq!(email.reply_text, email.text);
    assert!(email.problems.is_empty(), "{:?}", email.problems);
}

#[test]
fn what_a_councillor_forwards_is_the_complaint() {
    let email = read(&sample("human/forwarded-by-councillor.eml"), &council());
    let forwarded = email.forwarded.unwrap();
    assert_eq!(forwarded.from.unwrap().0, "ravi@example.net");
    assert_eq!(forwarded.subject.unwrap().0, "The school bus");
    assert!(email.reply_text.contains("three days"));
}

#[test]
fn only_the_letter_is_new() {
    let new = |name: &str| read(&sample(&format!("human/{name}.eml")), &council()).reply_text.0;
    assert_eq!(new("external-banner"), "The street light outside number 9 is out.");
    assert_eq!(new("first-contact-banner"), "The street light outside number 9 is out.");
    assert_eq!(new("new-outlook-reply"), "No, that is not what happened.\n\nRosa");
    assert_eq!(new("mobile-outlook-reply"), "It came again today.");
    for (name, end) in
        [("polish", "Ewa Nowak"), ("romanian", "Ioana"), ("ukrainian", "Олена"), ("arabic", "ليلى")]
    {
        assert!(new(name).ends_with(end), "{name}: {}", new(name));
    }
    assert_eq!(
        new("safe-link"),
        "The page <https://www.council.example/bins?day=1>\ngives the wrong day."
    );
}

#[test]
fn forwarded_casework_names_the_resident() {
    for (name, author) in [
        ("mp-casework", "folake@example.net"),
        ("mp-casework-attached", "folake@example.net"),
        ("polish-forward", "jan@example.net"),
    ] {
        let email = read(&sample(&format!("human/{name}.eml")), &council());
        assert_eq!(email.forwarded.unwrap().from.unwrap().0, author, "{name}");
        let told = ["four miles", "szkole"].iter().any(|w| email.reply_text.0.contains(w));
        assert!(told, "{name}: {}", email.reply_text.0);
    }
}

#[test]
fn what_a_machine_passes_on_is_not_answered_by_a_machine() {
    for name in ["form-on-behalf", "form-auto-generated", "scanned-letter", "portal-no-reply"] {
        let email = read(&sample(&format!("human/{name}.eml")), &council());
        assert!(!email.suppress_answer.is_empty(), "{name}");
    }
    for name in ["protected-message", "portal-no-reply"] {
        let email = read(&sample(&format!("human/{name}.eml")), &council());
        assert!(email.problems.iter().any(|p| p.contains("portal")), "{name}");
    }
    let koi8 = read(&sample("human/koi8.eml"), &council());
    assert_eq!(koi8.subject.unwrap().0, "Скарга");
    assert_eq!(koi8.text.0, "Автобус не приїхав.");
}

#[test]
fn mail_that_claims_to_come_from_its_reader_is_not_answered() {
    let forged = b"From: complaints@example.org\nTo: complaints@example.org\nSubject: x\n\nx";
    assert_eq!(email(forged).suppress_answer, ["From: its own recipient"]);
    let unthreadable = b"From: a@example.org\nMessage-ID: <nowhere>\nSubject: x\n\nx";
    assert_eq!(email(unthreadable).suppress_answer, ["Message-ID"]);
}

#[test]
fn reports_that_only_hint_name_whom_they_are_about() {
    for (name, recipient) in [
        ("provider-without-domain", "gone.person@provider.example"),
        ("wrapped-report", "gone@example.org"),
        ("microsoft365-polish", "gone@example.org"),
    ] {
        let bounce = read(&sample(&format!("bounce/{name}.eml")), &council()).bounce.unwrap();
        assert_eq!(bounce.recipient, [recipient.to_owned().into()], "{name}");
    }
}

#[test]
fn bounces_name_whom_they_are_about() {
    for name in ["bounce/exchange.eml", "bounce/qmail.eml"] {
        let bounce = read(&sample(name), &council()).bounce.unwrap();
        assert_eq!(bounce.recipient, ["gone@example.org".to_owned().into()], "{name}");
        assert_eq!(bounce.status, ["5.1.1"], "{name}");
        assert_eq!(
            bounce.original_message_id.as_deref(),
            Some("m.12.1.abc@council.example"),
            "{name}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    /// Whatever bytes come, an answer comes, and its lists and text obey their limits.
    #[test]
    fn nothing_makes_reading_fail(
        which in 0_usize..15,
        cuts in proptest::collection::vec((proptest::num::usize::ANY, proptest::num::u8::ANY), 0..12),
        tail in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
    ) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
        let mut raw = messages_in(&folder).nth(which).unwrap().unwrap().bytes;
        for (at, byte) in cuts {
            let at = at % raw.len();
            raw[at] = byte;
        }
        raw.extend(tail);
        let limits = Limits { text_bytes: 300, ..council() };
        for email in [read(&raw, &limits), header_scan(&raw, &limits)] {
            proptest::prop_assert!(email.text.0.len() <= 300);
            proptest::prop_assert!(!email.text.0.contains('\0'));
            proptest::prop_assert_eq!(email.fingerprint.len(), 64);
        }
    }
}

/// The shared collection of other projects' test mail, where this machine has it.
fn shared_corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("shared/corpus/mail");
    let named = std::env::var_os("POSTERN_MAIL_CORPUS").map(PathBuf::from);
    named.or(Some(beside)).filter(|p| p.join("manifest.jsonl").is_file())
}

/// At how many random places each message is cut; `POSTERN_CUTS=50` for the whole measure.
fn cuts() -> usize {
    std::env::var("POSTERN_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

/// Reads a message cut at random places, the same ones in each run.
fn read_in_pieces(name: &str, raw: &[u8], dice: &mut u64) {
    let whole = header_scan(raw, &council());
    let blank = raw.windows(2).position(|w| w == b"\n\n" || w == b"\n\r");
    for _ in 0..cuts() {
        *dice =
            dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let end = usize::try_from(*dice >> 33).unwrap() % (raw.len() + 1);
        let start = Instant::now();
        let email = read(raw.get(..end).unwrap(), &council());
        let took = start.elapsed();
        assert!(took < PATIENCE, "{name} cut at {end}: {took:?}");
        assert_eq!(email.fingerprint.len(), 64, "{name} cut at {end}");
        // Whatever else is gone, nothing of a whole header is.
        if blank.is_some_and(|blank| end > blank + 2) {
            assert_eq!(email.subject, whole.subject, "{name} cut at {end}");
            assert_eq!(email.from, whole.from, "{name} cut at {end}");
        }
    }
}

#[test]
fn a_message_that_breaks_off_anywhere_is_still_read() {
    let mut dice = 2026;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
    for file in messages_in(&samples).map(Result::unwrap) {
        read_in_pieces(&file.name, &file.bytes, &mut dice);
    }
    let Some(folder) = shared_corpus() else {
        eprintln!("the shared mail corpus is not on this machine: only our own samples were cut");
        return;
    };
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    for line in manifest.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = row["file"].as_str().unwrap();
        read_in_pieces(name, &std::fs::read(folder.join(name)).unwrap(), &mut dice);
    }
}

#[test]
fn the_shared_corpus_is_understood() {
    let Some(folder) = shared_corpus() else {
        eprintln!("the shared mail corpus is not on this machine: nothing was measured");
        return;
    };
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    let (mut kinds, mut kind_right, mut people, mut people_kept) = (0, 0, 0, 0);
    let (mut machines, mut machines_known) = (0, 0);
    let (mut senders, mut senders_right, mut subjects, mut subjects_right) = (0, 0, 0, 0);
    for line in manifest.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let path = folder.join(row["file"].as_str().unwrap());
        let email = read(&std::fs::read(path).unwrap(), &Limits::default());
        let kind = match serde_json::to_value(email.kind).unwrap().as_str().unwrap() {
            "bounce" => "bounce_dsn".to_owned(),
            other => other.to_owned(),
        };
        let accepted = |k: &serde_json::Value| k.as_str() == Some(kind.as_str());
        let right = accepted(&row["kind"])
            || row["kind_alt"].as_array().is_some_and(|alt| alt.iter().any(accepted));
        if row["kind"] != "malformed" {
            kinds += 1;
            kind_right += u32::from(right);
        }
        if row["kind"] != "malformed" && row["kind"] != "human" {
            machines += 1;
            machines_known += u32::from(kind != "human" || right);
        }
        if row["kind"] == "human" && row["ack"] != "either" {
            people += 1;
            people_kept += u32::from(right);
        }
        if let Some(from) = row["facts"]["from"].as_array() {
            let got = email.from.map(|a| a.address.0.to_lowercase()).unwrap_or_default();
            senders += 1;
            senders_right +=
                u32::from(from.iter().any(|f| f.as_str().unwrap().to_lowercase() == got));
        }
        if let Some(subject) = row["facts"]["subject"].as_str() {
            let words = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
            subjects += 1;
            subjects_right +=
                u32::from(words(subject) == words(&email.subject.map(|s| s.0).unwrap_or_default()));
        }
    }
    let rate = |right: u32, of: u32| f64::from(right) / f64::from(of);
    assert!(rate(kind_right, kinds) >= 0.97, "kinds: {kind_right} of {kinds}");
    assert!(rate(people_kept, people) >= 0.995, "people: {people_kept} of {people}");
    assert!(
        rate(machines_known, machines) >= 0.97,
        "machines known as such: {machines_known} of {machines}"
    );
    assert!(rate(senders_right, senders) >= 0.99, "senders: {senders_right} of {senders}");
    assert!(rate(subjects_right, subjects) >= 0.98, "subjects: {subjects_right} of {subjects}");
}

/// A message with one part behind its text.
fn with_part(header: &str, body: &str) -> Vec<u8> {
    mixed(&format!("--b\r\n\r\nplease see\r\n--b\r\n{header}\r\n\r\n{body}\r\n--b--\r\n"))
}

#[test]
fn an_attachment_is_what_its_bytes_are() {
    // A PNG that calls itself a page.
    let raw = with_part(
        "Content-Type: text/html\r\nContent-Disposition: attachment; filename=x.html\r\n\
         Content-Transfer-Encoding: base64",
        "iVBORw0KGgoAAAANSUhEUgAAAAE=",
    );
    let email = email(&raw);
    let attachment = email.attachments.first().unwrap();
    assert_eq!((&*attachment.media_type, &*attachment.declared), ("image/png", "text/html"));
    assert_eq!(attachment.notes, []);
}

#[test]
fn what_is_locked_or_wrapped_is_said() {
    for (header, body, media_type, note, problem) in [
        (
            // A ZIP archive whose one entry has the flag of a password.
            "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64",
            "UEsDBAoACQAAAAAAAAAAAAAAAAAMAAAAAAAAAAUAHABhLnR4dA==",
            "application/zip",
            Note::Encrypted,
            "an attachment is protected by a password",
        ),
        (
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\
             Content-Transfer-Encoding: base64",
            "MIIBAAYJKoZIhvcNAQcDoIIB",
            "application/pkcs7-mime",
            Note::Encrypted,
            "a part is encrypted (S/MIME) and was not opened",
        ),
        (
            "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
            "\u{1}",
            "application/pkcs7-mime",
            Note::Signed,
            "a part is wrapped in an S/MIME signature and was not opened",
        ),
        (
            "Content-Type: application/octet-stream; name=encrypted.asc",
            "-----BEGIN PGP MESSAGE-----\r\n\r\nhQ\r\n-----END PGP MESSAGE-----",
            "application/pgp-encrypted",
            Note::Encrypted,
            "a part is encrypted (PGP) and was not opened",
        ),
        (
            "Content-Type: application/pdf; name=bill.pdf\r\nContent-Transfer-Encoding: base64",
            "TVqQAAMAAAAEAAAA//8AALgAAAA=",
            "application/x-msdownload",
            Note::Misnamed,
            "an attachment is not what its name says",
        ),
    ] {
        let email = email(&with_part(header, body));
        assert_eq!(email.attachments.len(), 1, "{header}");
        let attachment = email.attachments.first().unwrap();
        assert_eq!(attachment.media_type, media_type, "{header}");
        assert!(attachment.notes.contains(&note), "{header}: {:?}", attachment.notes);
        assert!(email.problems.iter().any(|p| p == problem), "{header}: {:?}", email.problems);
    }
    let raw = encoded("7bit", "Dear all\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQ\r\n");
    assert!(
        email(&raw).problems.contains(&"the text is encrypted (PGP) and was not opened".to_owned())
    );
}

#[test]
fn every_attachment_listed_can_be_read_back_by_its_hash() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
    let mut count = 0;
    let folders: Vec<_> = [Some(ours), shared_corpus()].into_iter().flatten().collect();
    for file in folders.iter().flat_map(|folder| messages_in(folder)).filter_map(Result::ok) {
        for attachment in email(&file.bytes).attachments {
            let bytes = attached_bytes(&file.bytes, &attachment.sha256);
            let size = bytes.map(|bytes| bytes.len() as u64);
            assert_eq!(size, Some(attachment.bytes), "{}", file.name);
            count += 1;
        }
    }
    assert!(count > 0);
    let raw = with_part("Content-Type: text/csv; name=a.csv", "a,b");
    let hash = &email(&raw).attachments.first().unwrap().sha256.clone();
    assert_eq!(attached_bytes(&raw, hash).as_deref(), Some(&b"a,b"[..]));
    assert_eq!(attached_bytes(&raw, &hash.replace(|c: char| c.is_ascii_digit(), "f")), None);
    assert_eq!(attached_bytes(b"", hash), None);
}
