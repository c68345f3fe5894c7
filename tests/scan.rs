//! The virus scanner: its protocol against one that answers by a script, and what becomes of what it says.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests: a wrong index fails them"
)]

mod support;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use postern::clock::Clock;
use postern::config::{Clamd, Config};
use postern::gateway::Gateway;
use postern::officer;
use postern::scan::clamd::{Patience, Verdict, ping, scan};
use postern::store::attachments::{self, Carrier, Scan};
use postern::store::tasks;
use postern::tick::Tick;
use serde_json::Value;

use support::clamd::{Act, FakeClamd, VIRUS};
use support::free_port::free_ports;
use support::gateway::{Mailbox, Settings};
use support::smtp_sink::{Script, SmtpSink};

const SHORT: Patience =
    Patience { connect: Duration::from_millis(500), answer: Duration::from_millis(500) };

fn place(place: &str) -> Clamd {
    postern::config::Scan { clamd: Some(place.to_owned()) }.scanner().unwrap()
}

async fn verdict(act: Act, bytes: &[u8]) -> Verdict {
    let clamd = FakeClamd::start(&[act]).await;
    scan(&place(&clamd.place), bytes, SHORT).await
}

#[tokio::test]
async fn a_file_is_shown_whole_and_the_answer_is_read() {
    let large: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let clamd = FakeClamd::start(&[Act::Look]).await;
    for bytes in [&b""[..], b"a letter", &large] {
        assert_eq!(scan(&place(&clamd.place), bytes, SHORT).await, Verdict::Clean);
    }
    assert_eq!(clamd.files(), [Vec::new(), b"a letter".to_vec(), large]);
    let virus = format!("see {VIRUS}");
    let found = scan(&place(&clamd.place), virus.as_bytes(), SHORT).await;
    assert_eq!(found, Verdict::Infected("Test.Virus".to_owned()));

    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("clamd.ctl");
    let clamd = FakeClamd::start_on(&socket, &[Act::Look]);
    assert_eq!(scan(&place(&clamd.place), b"by socket", SHORT).await, Verdict::Clean);
    assert_eq!(clamd.files(), [b"by socket"]);
}

#[tokio::test]
async fn what_is_no_clear_answer_is_no_verdict() {
    const LIMIT: &str = "INSTREAM size limit exceeded. ERROR";
    let large = vec![b'x'; 8 << 20];
    for (act, expected) in [
        (Act::SayAfter(100_000, LIMIT), Verdict::TooLarge),
        (Act::Say(LIMIT), Verdict::TooLarge),
        (
            Act::Say("stream: Can't allocate memory ERROR"),
            Verdict::Failed("the scanner answered: Can't allocate memory".to_owned()),
        ),
        (
            Act::Say("UNKNOWN COMMAND"),
            Verdict::Failed("the scanner answered: UNKNOWN COMMAND".to_owned()),
        ),
        (
            Act::HangUpAfter(100_000),
            Verdict::Failed("the scanner hung up without an answer".to_owned()),
        ),
        (Act::Hang, Verdict::Failed("the scanner did not answer in time".to_owned())),
        (Act::Deaf, Verdict::Failed("the scanner did not answer in time".to_owned())),
        (Act::Babble, Verdict::Failed("the scanner hung up without an answer".to_owned())),
    ] {
        let began = Instant::now();
        assert_eq!(verdict(act.clone(), &large).await, expected, "{act:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{act:?}");
    }
}

#[tokio::test]
async fn where_nobody_listens_is_said() {
    let [nobody] = free_ports();
    let away = |place: Clamd| async move { scan(&place, b"x", SHORT).await };
    let unreachable = |why: &str| Verdict::Unreachable(why.to_owned());
    assert_eq!(
        away(place(&format!("tcp:127.0.0.1:{nobody}"))).await,
        unreachable("nobody listens there")
    );
    assert_eq!(
        away(Clamd::Unix(PathBuf::from("/nowhere/clamd"))).await,
        unreachable("there is no such socket")
    );
}

#[tokio::test]
async fn a_ping_knows_clamd_from_others() {
    let clamd = FakeClamd::start(&[Act::Look, Act::Say("x"), Act::Deaf]).await;
    let clamd = place(&clamd.place);
    assert_eq!(ping(&clamd, SHORT).await, Ok(()));
    assert_eq!(ping(&clamd, SHORT).await, Err("whoever answers there is no clamd".to_owned()));
    assert_eq!(ping(&clamd, SHORT).await, Err("it does not answer".to_owned()));
}

/// A council whose mailbox is a folder, with a scanner or without.
struct Desk {
    settings: Settings,
    mailbox: PathBuf,
    posted: usize,
    _sink: SmtpSink,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn new(clamd: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = folder.path().join("mailbox");
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(mailbox.join(part)).unwrap();
        }
        let sink = SmtpSink::start(Script::default()).await;
        let scan = clamd.map(|place| format!("[scan]\nclamd = \"{place}\"\n")).unwrap_or_default();
        let read = Mailbox::Maildir { name: "complaints".to_owned(), path: mailbox.clone() };
        let settings = Settings::write(&[read], sink.port(), None, &scan);
        Self { settings, mailbox, posted: 0, _sink: sink, _folder: folder }
    }

    /// A complaint with files arrives.
    fn receives(&mut self, from: &str, files: &[(&str, &str)]) {
        self.posted += 1;
        let mut text = format!(
            "From: {from}\r\nTo: complaints@northmere.example\r\nSubject: Formal complaint\r\n\
             Message-ID: <{}@example.org>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
             I wish to complain formally. My son's EHC plan is four months late and the SEN team does \
             not answer me, his mother.\r\n",
            self.posted
        );
        for (name, content) in files {
            write!(
                text,
                "--b\r\nContent-Type: application/pdf; name=\"{name}\"\r\n\
                 Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{content}\r\n"
            )
            .unwrap();
        }
        text.push_str("--b--\r\n");
        let now = Clock::System.now().as_second();
        let file = self.mailbox.join(format!("new/{now}.{}.localhost", self.posted));
        std::fs::write(file, text).unwrap();
    }

    fn says(&self, arguments: &[&str]) -> (bool, String) {
        let done = self.settings.run(&[&["--quiet"], arguments].concat());
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8(said).unwrap())
    }

    fn references(&self) -> Vec<String> {
        let (_, said) = self.says(&["case", "list", "--json"]);
        let cases = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        cases.map(|case| case["reference"].as_str().unwrap().to_owned()).collect()
    }

    fn attachments(&self, reference: &str) -> Vec<Value> {
        let (_, said) = self.says(&["case", "show", reference, "--json"]);
        let case: Value = serde_json::from_str(&said).unwrap();
        case["attachments"].as_array().unwrap().clone()
    }

    /// The scan states of everything attached to a case.
    fn states(&self, reference: &str) -> Vec<String> {
        let states = self.attachments(reference);
        states.iter().map(|one| one["scan"].as_str().unwrap().to_owned()).collect()
    }

    /// A gateway in this process on the same store, with a clock of its own.
    async fn gateway(&self, clock: Clock) -> Arc<Gateway> {
        let file = self.settings.path().join("postern.toml");
        let (config, _) = Config::load(&file, []).unwrap();
        Gateway::open(config, clock).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_infected_file_is_kept_apart_and_a_person_is_told() {
    let clamd = FakeClamd::start(&[Act::Look]).await;
    let mut desk = Desk::new(Some(&clamd.place)).await;
    let virus = format!("%PDF-1.4 {VIRUS}");
    desk.receives("ann@example.org", &[("letter.pdf", "%PDF-1.4 a letter"), ("bill.pdf", &virus)]);
    desk.settings.serve_once();
    let reference = &desk.references()[0];
    assert_eq!(desk.states(reference), ["clean", "infected"]);

    let (_, shown) = desk.says(&["case", "show", reference]);
    let words = "attachment 1/2 bill.pdf (application/pdf, 21 bytes): INFECTED (Test.Virus)";
    assert!(shown.contains(words), "{shown}");
    let (_, waiting) = desk.says(&["case", "list", "--waiting"]);
    let task = waiting.lines().find(|line| line.contains("infected")).unwrap();
    assert!(task.contains(reference) && task.contains("1/2 (Test.Virus)"), "{task}");
    assert!(!task.contains("bill.pdf"), "{task}");

    // Only what is clean may go on, and only what is clean is saved without more ado.
    let gateway = desk.gateway(Clock::System).await;
    let sendable = officer::sendable(&gateway, Carrier::Message(1)).await.unwrap();
    assert_eq!(sendable.iter().map(|one| one.number).collect::<Vec<_>>(), [1]);
    gateway.db.close().await;
    let file = desk.settings.path().join("saved");
    let to = file.to_str().unwrap();
    let (done, said) = desk.says(&["case", "attachment", "1/2", "--save", to]);
    assert!(!done && said.contains("is not saved: INFECTED (Test.Virus)"), "{said}");
    assert!(!file.exists());
    let (done, said) = desk.says(&["case", "attachment", "1/1", "--save", to]);
    assert!(done && said.starts_with("saved 1/1 letter.pdf"), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), b"%PDF-1.4 a letter");
    let (done, _) = desk.says(&["case", "attachment", "1/2", "--save", to, "--even-infected"]);
    assert!(!done, "a file that is there is left alone");
    std::fs::remove_file(&file).unwrap();
    let (done, said) = desk.says(&["case", "attachment", "1/2", "--save", to, "--even-infected"]);
    assert!(done, "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), virus.as_bytes());
    for wrong in ["1/3", "9/1"] {
        let (done, said) = desk.says(&["case", "attachment", wrong, "--save", "x"]);
        assert!(!done && said.contains(&format!("there is no attachment {wrong}")), "{said}");
    }
    let (done, said) = desk.says(&["case", "attachment", "letter.pdf", "--save", "x"]);
    assert!(!done && said.contains("write message and number"), "{said}");

    // The same file once more: known, not shown again, and told to a person as well.
    desk.receives("ben@example.org", &[("photo.pdf", &virus), ("other.pdf", "%PDF-1.4 a letter")]);
    desk.settings.serve_once();
    assert_eq!(clamd.files().len(), 2, "each content once");
    let (_, waiting) = desk.says(&["case", "list", "--waiting"]);
    assert_eq!(waiting.matches("infected attachment").count(), 2, "{waiting}");
    desk.settings.serve_once();
    let (_, waiting) = desk.says(&["case", "list", "--waiting"]);
    assert_eq!(waiting.matches("infected attachment").count(), 2, "told once: {waiting}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_scanner_nothing_is_scanned_and_everything_may_go_on() {
    let mut desk = Desk::new(None).await;
    desk.receives("ann@example.org", &[("a.pdf", "%PDF-1.4 a letter")]);
    desk.settings.serve_once();
    assert_eq!(desk.states(&desk.references()[0]), ["not_scanned"]);
    let gateway = desk.gateway(Clock::System).await;
    assert_eq!(officer::sendable(&gateway, Carrier::Message(1)).await.unwrap().len(), 1);
    assert_eq!(postern::scan::tick(&gateway, SHORT).await.unwrap(), Tick::Idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_opened_without_the_scanner_and_its_files_wait() {
    let [port] = free_ports();
    let mut desk = Desk::new(Some(&format!("tcp:127.0.0.1:{port}"))).await;
    desk.receives("ann@example.org", &[("a.pdf", "%PDF-1.4 one"), ("b.pdf", "%PDF-1.4 two")]);
    desk.settings.serve_once();
    let reference = &desk.references()[0];
    let mut states = desk.states(reference);
    states.sort();
    assert_eq!(states, ["could_not_scan", "not_scanned"], "one try tells it of all");
    let answers = desk.attachments(reference);
    let why = answers.iter().find_map(|one| one["scan_answer"].as_str()).unwrap();
    assert_eq!(why, "the scanner could not be reached: nobody listens there");

    let begun = Clock::System.now();
    let after = |seconds: i64| Clock::fixed(begun + jiff::SignedDuration::from_secs(seconds));
    let gateway = desk.gateway(after(0)).await;
    assert!(
        officer::sendable(&gateway, Carrier::Message(1)).await.unwrap().is_empty(),
        "unseen, where one looks"
    );
    gateway.db.close().await;

    let clamd = FakeClamd::start_at(port, &[Act::Look]).await;
    let gateway = desk.gateway(after(0)).await;
    assert_eq!(postern::scan::tick(&gateway, SHORT).await.unwrap(), Tick::Busy);
    assert_eq!(clamd.files().len(), 1, "the other waits for its pause");
    gateway.db.close().await;
    let gateway = desk.gateway(after(60)).await;
    assert_eq!(postern::scan::tick(&gateway, SHORT).await.unwrap(), Tick::Busy);
    assert_eq!(clamd.files().len(), 2);
    assert_eq!(postern::scan::tick(&gateway, SHORT).await.unwrap(), Tick::Idle);
    assert_eq!(desk.states(reference), ["clean", "clean"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_scanner_cannot_take_is_tried_again_or_left_for_good() {
    const LIMIT: &str = "INSTREAM size limit exceeded. ERROR";
    let clamd =
        FakeClamd::start(&[Act::Say(LIMIT), Act::Hang, Act::HangUpAfter(0), Act::Look]).await;
    let mut desk = Desk::new(Some(&clamd.place)).await;
    desk.receives("ann@example.org", &[("a.pdf", "%PDF-1.4 one"), ("b.pdf", "%PDF-1.4 two")]);
    // Taken in by a program that knows no scanner.
    let file = desk.settings.path().join("postern.toml");
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, whole.replace("clamd = ", "# clamd = ")).unwrap();
    desk.settings.serve_once();
    std::fs::write(&file, whole).unwrap();
    let reference = &desk.references()[0];
    assert_eq!(desk.states(reference), ["not_scanned", "not_scanned"]);

    let begun = Clock::System.now();
    let mut busy = Vec::new();
    for minutes in [0, 1, 2, 10, 1000] {
        let clock = Clock::fixed(begun + jiff::SignedDuration::from_mins(minutes));
        let gateway = desk.gateway(clock).await;
        busy.push(postern::scan::tick(&gateway, SHORT).await.unwrap() == Tick::Busy);
        let open = tasks::open(&gateway.db).await.unwrap();
        assert!(open.iter().all(|task| task.kind != "infected_attachment"));
        gateway.db.close().await;
    }
    // Too large and no answer; hung up; clean at last; nothing more to do.
    assert_eq!(busy, [true, true, true, false, false]);
    let gateway = desk.gateway(Clock::System).await;
    let rows = attachments::of_message(&gateway.db, 1).await.unwrap();
    let mut found: Vec<_> = rows.iter().map(|row| (row.scan, row.scan_answer.as_deref())).collect();
    found.sort_by_key(|(_, answer)| answer.is_some());
    let too_large = Some("it is beyond the scanner's limits");
    assert_eq!(found, [(Scan::Clean, None), (Scan::CouldNotScan, too_large)]);
    let sendable = officer::sendable(&gateway, Carrier::Message(1)).await.unwrap();
    assert_eq!(sendable.iter().map(|one| one.scan).collect::<Vec<_>>(), [Scan::Clean]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_gateway_scans_what_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("clamd.ctl");
    let clamd = FakeClamd::start_on(&socket, &[Act::Look]);
    let mut desk = Desk::new(Some(&clamd.place)).await;
    let daemon = desk.settings.serve(None);
    desk.receives("ann@example.org", &[("bill.pdf", &format!("%PDF-1.4 {VIRUS}"))]);
    let end = Instant::now() + Duration::from_mins(1);
    let told = || desk.says(&["case", "list", "--waiting"]).1.contains("infected attachment 1/1");
    while !told() {
        assert!(Instant::now() < end, "waited in vain");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(clamd.commands(), ["zINSTREAM"]);
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_while_it_scans_scans_at_its_next_start() {
    let clamd = FakeClamd::start(&[Act::Look]).await;
    let mut desk = Desk::new(Some(&clamd.place)).await;
    desk.receives("ann@example.org", &[("bill.pdf", &format!("%PDF-1.4 {VIRUS}"))]);
    let mut daemon = desk.settings.held(&["serve", "--once"], "scanning");
    daemon.wait_for("holding at scanning", Duration::from_mins(1));
    daemon.kill();
    assert!(clamd.files().is_empty());
    desk.settings.serve_once();
    assert_eq!(desk.states(&desk.references()[0]), ["infected"]);
    assert_eq!(clamd.files().len(), 1);
}
