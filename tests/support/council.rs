//! A council for a story: a real Dovecot, a real or scripted mail server, and the real program.
//!
//! Everything waits with a deadline, and whoever waits in vain panics with the story so far.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::dovecot::{Dovecot, Options, PASSWORD};
use super::exim::Exim;
use super::postgres::Postgres;
use super::smtp_sink::SmtpSink;

/// The mailbox that people write to, and its user at Dovecot.
pub const COMPLAINTS: &str = "complaints@northmere.example";
/// Its user at Dovecot.
pub const USER: &str = "complaints";
/// Its folder of rules, where it has one.
const RULES: &str = "rules";
/// How long a story waits for anything.
const DEADLINE: Duration = Duration::from_mins(2);

/// Where the register is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Both engines, for the stories that are told on each.
pub const BOTH: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// Where letters go.
enum MailServer {
    Exim(Exim),
    Sink(SmtpSink),
    /// A port where somebody may or may not listen.
    Elsewhere(u16),
}

/// A letter that left.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Where a bounce goes.
    pub from: String,
    pub to: String,
    pub bytes: Vec<u8>,
}

impl Letter {
    /// A header's value, unfolded.
    ///
    /// # Panics
    /// When the letter has no such header.
    pub fn header(&self, name: &str) -> String {
        header(&self.bytes, name)
            .unwrap_or_else(|| panic!("no {name} in:\n{}", String::from_utf8_lossy(&self.bytes)))
    }

    /// Subject and text as a reader sees them.
    pub fn words(&self) -> String {
        let read = postern::email::read(&self.bytes, &postern::email::Limits::default());
        let subject = read.subject.as_ref().map_or("", |subject| subject.as_str());
        format!("{subject}\n{}", read.text.as_str())
    }

    /// The case reference that it names.
    pub fn reference(&self) -> String {
        let words = self.words();
        let at = words.find("NCC-").unwrap_or_else(|| panic!("no reference in:\n{words}"));
        words[at..].chars().take("NCC-2026-00001-9".len()).collect()
    }

    pub fn message_id(&self) -> String {
        self.header("Message-ID")
    }

    pub fn is_acknowledgement(&self) -> bool {
        self.header("Auto-Submitted") == "auto-replied"
    }
}

/// A header's value, unfolded, of any message.
pub fn header(bytes: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let head = text.split("\n\n").next().unwrap().replace("\n ", " ").replace("\n\t", " ");
    let start = format!("{}:", name.to_lowercase());
    let line = head.lines().find(|line| line.to_lowercase().starts_with(&start))?;
    Some(line[start.len()..].trim().to_owned())
}

/// One running gateway.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end, as systemd does; how it ended and how long that took.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        signal(self.child.id(), "TERM");
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, asked.elapsed());
            }
            assert!(asked.elapsed() < DEADLINE, "it does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops its time, as when a virtual machine is paused.
    pub fn suspend(&self) {
        signal(self.child.id(), "STOP");
    }

    /// Lets its time go on.
    pub fn wake(&self) {
        signal(self.child.id(), "CONT");
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(sent.unwrap().success());
}

/// The council's side of a story.
pub struct Council {
    pub daemons: Vec<Daemon>,
    pub dovecot: Dovecot,
    mail_server: MailServer,
    store: String,
    /// Whole sections, and lines of sections, that a story adds to the settings.
    settings: BTreeMap<&'static str, String>,
    mailboxes: Vec<String>,
    started: usize,
    folder: tempfile::TempDir,
}

impl Council {
    /// A council on `SQLite` whose letters go to a scripted server.
    pub fn with(sink: SmtpSink) -> Self {
        Self::new(Engine::Sqlite, MailServer::Sink(sink), &Options::default())
    }

    /// The same, with a register of this kind.
    pub fn on(engine: Engine, sink: SmtpSink) -> Self {
        Self::new(engine, MailServer::Sink(sink), &Options::default())
    }

    /// The same, with a Dovecot that leaves something out.
    pub fn with_dovecot(sink: SmtpSink, options: &Options) -> Self {
        Self::new(Engine::Sqlite, MailServer::Sink(sink), options)
    }

    /// A council whose letters go to a real mail server.
    pub fn with_exim(engine: Engine) -> Self {
        Self::new(engine, MailServer::Exim(Exim::start()), &Options::default())
    }

    /// A council whose mail server may be down.
    pub fn with_mail_server_at(port: u16) -> Self {
        Self::new(Engine::Sqlite, MailServer::Elsewhere(port), &Options::default())
    }

    fn new(engine: Engine, mail_server: MailServer, options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("council").tempdir().unwrap();
        let dovecot = Dovecot::start_with(options);
        let store = match engine {
            Engine::Sqlite => "sqlite:postern.db".to_owned(),
            Engine::Postgres => Postgres::database(),
        };
        let mut council = Self {
            daemons: Vec::new(),
            dovecot,
            mail_server,
            store,
            settings: BTreeMap::new(),
            mailboxes: Vec::new(),
            started: 0,
            folder,
        };
        let first = council.imap("complaints", USER, COMPLAINTS, "");
        council.mailboxes.push(first);
        council
    }

    /// A further line in a section of the settings (`intake`, `smtp`, …).
    pub fn setting(&mut self, section: &'static str, line: &str) {
        writeln!(self.settings.entry(section).or_default(), "{line}").unwrap();
    }

    /// It has the shipped rules, and no examples: nothing is judged by what it resembles.
    pub fn goes_by_rules_alone(&mut self) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        for part in ["", "calendar"] {
            let own = self.path(RULES).join(part);
            std::fs::create_dir_all(&own).unwrap();
            for entry in std::fs::read_dir(shipped.join(part)).unwrap() {
                let file = entry.unwrap().path();
                if file.is_file() {
                    std::fs::copy(&file, own.join(file.file_name().unwrap())).unwrap();
                }
            }
        }
    }

    /// A further line in the first mailbox's section.
    pub fn mailbox_setting(&mut self, line: &str) {
        writeln!(self.mailboxes[0], "{line}").unwrap();
    }

    /// The first mailbox is reached by another port of this machine.
    pub fn reads_by_port(&mut self, port: u16) {
        let own = format!("port = {}\n", self.dovecot.imaps_port);
        self.mailboxes[0] = self.mailboxes[0].replace(&own, &format!("port = {port}\n"));
    }

    /// The council is known under another address.
    pub fn is_known_as(&mut self, address: &str) {
        self.mailboxes[0] = self.imap("complaints", USER, address, "");
    }

    /// One more mailbox at Dovecot.
    pub fn add_imap(&mut self, name: &str, user: &str, address: &str) {
        let section = self.imap(name, user, address, "");
        self.mailboxes.push(section);
    }

    /// One more mailbox: a folder on this machine. Gives the folder.
    pub fn add_maildir(&mut self, name: &str, address: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        for part in ["tmp", "new", "cur"] {
            std::fs::create_dir_all(path.join(part)).unwrap();
        }
        self.mailboxes.push(format!(
            "name = \"{name}\"\nkind = \"maildir\"\npath = \"{}\"\naddress = \"{address}\"\n\
             poll_seconds = 1\n",
            path.display()
        ));
        path
    }

    fn imap(&self, name: &str, user: &str, address: &str, more: &str) -> String {
        format!(
            "name = \"{name}\"\naddress = \"{address}\"\nhost = \"127.0.0.1\"\nport = {}\n\
             user = \"{user}\"\npassword = \"{PASSWORD}\"\nca_file = \"{}\"\n{more}",
            self.dovecot.imaps_port,
            self.dovecot.certificate.ca_file.display(),
        )
    }

    /// Writes the settings and gives their file.
    pub fn settings_file(&self) -> PathBuf {
        let port = match &self.mail_server {
            MailServer::Exim(exim) => exim.port,
            MailServer::Sink(sink) => sink.port(),
            MailServer::Elsewhere(port) => *port,
        };
        let own = self.path(RULES).is_dir().then(|| format!("rules = \"{RULES}\"\n"));
        let own = own.unwrap_or_default();
        let mut text = format!("{own}[store]\nurl = \"{}\"\n", self.store);
        for mailbox in &self.mailboxes {
            write!(text, "[[mailbox]]\n{mailbox}").unwrap();
        }
        let mut sections = self.settings.clone();
        write!(
            sections.entry("smtp").or_default(),
            "host = \"127.0.0.1\"\nport = {port}\nsecurity = \"plain\"\n"
        )
        .unwrap();
        // The stories happen on whichever day they are told.
        writeln!(sections.entry("reminders").or_default(), "ask_on_closed_days = true").unwrap();
        // No officer is there who decides before the first letter leaves, or puts a decision right.
        let first = sections.entry("acknowledgement").or_default();
        writeln!(first, "undo_seconds = 0\nneutral_on_day = 0").unwrap();
        // Any free port: several councils run at once.
        writeln!(sections.entry("console").or_default(), "listen = \"127.0.0.1:0\"").unwrap();
        for (section, lines) in sections {
            write!(text, "[{section}]\n{lines}").unwrap();
        }
        let file = self.folder.path().join("postern.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Starts a gateway and waits until it is ready.
    pub fn serve(&mut self) -> &mut Daemon {
        let (settings, log) = (self.settings_file(), self.path(&format!("log{}", self.started)));
        self.started += 1;
        let out = std::fs::File::create(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(["--config", settings.to_str().unwrap(), "--log-format", "json", "serve"])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        self.daemons.push(Daemon { child, log });
        self.until("the gateway is ready", |council| {
            council.daemons.last().unwrap().log().contains("\"ready\"")
        });
        self.daemons.last_mut().unwrap()
    }

    /// Ends every gateway, and checks that each ends well.
    pub fn close(&mut self) {
        for mut daemon in std::mem::take(&mut self.daemons) {
            let (status, took) = daemon.terminate();
            assert!(status.success(), "{status}:\n{}", daemon.log());
            assert!(took < Duration::from_secs(3), "{took:?} to end:\n{}", daemon.log());
        }
    }

    /// What a command of the program says.
    pub fn says(&self, arguments: &[&str]) -> String {
        let settings = self.settings_file();
        let done = Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(["--config", settings.to_str().unwrap(), "--quiet"])
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(
            done.status.success(),
            "postern {arguments:?}: {}\n{said}{}\n{}",
            done.status,
            String::from_utf8_lossy(&done.stderr),
            self.story()
        );
        said
    }

    /// What a command says as JSON, one object a line.
    pub fn lists(&self, arguments: &[&str]) -> Vec<Value> {
        let said = self.says(&[arguments, &["--json"]].concat());
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Every case there is.
    pub fn cases(&self) -> Vec<Value> {
        self.lists(&["case", "list", "--all"])
    }

    /// Everything about one case.
    pub fn case(&self, reference: &str) -> Value {
        self.lists(&["case", "show", reference]).remove(0)
    }

    /// The reminders of a day at half past eight: whom, and why (reference and rung).
    pub fn reminders(&self, day: jiff::civil::Date, really: bool) -> Vec<Reminder> {
        let at = format!("{day}T08:30");
        let mut arguments = vec!["remind", "--at", &at, "--json"];
        if !really {
            arguments.push("--dry-run");
        }
        // On a closed day it says so instead of listing.
        let said = self.says(&arguments);
        let mails = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        mails
            .flat_map(|mail| {
                let to = text(&mail["recipient"]);
                let because = mail["because"].as_array().unwrap().clone();
                because.into_iter().map(move |why| Reminder {
                    to: to.clone(),
                    reference: text(&why[0]),
                    rung: text(&why[1]),
                })
            })
            .collect()
    }

    /// A message arrives in the mailbox for complaints.
    pub fn receives(&self, message: &str) {
        self.dovecot.deliver(USER, message.as_bytes());
    }

    /// Every letter that left, in no special order.
    pub fn letters(&self) -> Vec<Letter> {
        match &self.mail_server {
            MailServer::Exim(exim) => exim
                .delivered()
                .into_iter()
                .map(|bytes| Letter {
                    from: header(&bytes, "Return-path")
                        .unwrap()
                        .trim_matches(['<', '>'])
                        .to_owned(),
                    to: header(&bytes, "Envelope-to").unwrap(),
                    bytes,
                })
                .collect(),
            MailServer::Sink(sink) => letters_of(sink),
            MailServer::Elsewhere(_) => Vec::new(),
        }
    }

    /// The letters to one address.
    pub fn letters_to(&self, address: &str) -> Vec<Letter> {
        self.letters().into_iter().filter(|letter| letter.to == address).collect()
    }

    /// Waits for this many letters to an address; there must never be more.
    pub fn waits_for_letters(&self, count: usize, address: &str) -> Vec<Letter> {
        self.until(&format!("{count} letters to {address}"), |council| {
            council.letters_to(address).len() >= count
        });
        let letters = self.letters_to(address);
        assert_eq!(letters.len(), count, "letters to {address}\n{}", self.story());
        letters
    }

    /// Waits for the one letter to an address.
    pub fn waits_for_letter(&self, address: &str) -> Letter {
        self.waits_for_letters(1, address).remove(0)
    }

    /// Waits until a folder of the complaints mailbox holds this many messages and INBOX none.
    pub fn waits_until_moved(&self, count: usize) {
        self.until(&format!("{count} messages in Processed, none in INBOX"), |council| {
            council.dovecot.messages(USER, "INBOX").is_empty()
                && council.dovecot.messages(USER, "Processed").len() == count
        });
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// When it is not in time: with the story so far.
    pub fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !is_so(self) {
            assert!(Instant::now() < end, "waited in vain for: {what}\n{}", self.story());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What happened so far.
    pub fn story(&self) -> String {
        let mut story = String::new();
        for number in 0..self.started {
            let log = std::fs::read_to_string(self.path(&format!("log{number}")));
            writeln!(story, "--- gateway {number} says:\n{}", log.unwrap_or_default()).unwrap();
        }
        writeln!(story, "--- letters:").unwrap();
        for letter in self.letters() {
            let subject = header(&letter.bytes, "Subject").unwrap_or_default();
            writeln!(story, "to {}: {subject}", letter.to).unwrap();
        }
        let folder = |name| self.dovecot.messages(USER, name).len();
        writeln!(story, "--- INBOX {}, Processed {}", folder("INBOX"), folder("Processed"))
            .unwrap();
        story
    }

    /// A file in the council's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The letters that a scripted server took.
pub fn letters_of(sink: &SmtpSink) -> Vec<Letter> {
    // What follows the address are parameters of SMTP.
    let address =
        |path: &String| path.split(' ').next().unwrap().trim_matches(['<', '>']).to_owned();
    let letter = |letter: super::smtp_sink::Letter| {
        let to: Vec<String> = letter.to.iter().map(address).collect();
        assert_eq!(to.len(), 1, "a letter with several recipients");
        Letter { from: address(&letter.from), to: to.concat(), bytes: letter.bytes }
    };
    sink.letters().into_iter().map(letter).collect()
}

/// One reason why somebody is chased.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reminder {
    pub to: String,
    pub reference: String,
    pub rung: String,
}

/// A JSON text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Delivers a message into a Maildir as a mail server does.
pub fn deliver_into(maildir: &Path, name: &str, bytes: &[u8]) {
    let draft = maildir.join("tmp").join(name);
    std::fs::write(&draft, bytes).unwrap();
    std::fs::rename(draft, maildir.join("new").join(name)).unwrap();
}
