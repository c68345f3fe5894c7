//! The program itself, started with settings of its own, held at a step, killed, and asked what it
//! has in its store.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a gateway is told to read.
#[derive(Debug, Clone)]
pub enum Mailbox {
    /// A user of a Dovecot on this port.
    Imap { name: String, user: String, port: u16 },
    /// A folder.
    Maildir { name: String, path: PathBuf },
}

/// A folder with settings, and what runs on them.
#[derive(Debug)]
pub struct Settings {
    folder: tempfile::TempDir,
    /// `sqlite:…` or `postgres://…`.
    pub store: String,
}

impl Settings {
    /// Writes settings; a store of its own in the same folder where none is given.
    pub fn write(mailboxes: &[Mailbox], smtp_port: u16, store: Option<&str>, more: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("postern").tempdir().unwrap();
        let lite = format!("sqlite:{}", folder.path().join("postern.db").display());
        let store = store.map_or(lite, ToOwned::to_owned);
        let mut text = format!(
            "[store]\nurl = \"{store}\"\n\n[console]\nlisten = \"127.0.0.1:0\"\n\n\
             [smtp]\nhost = \"127.0.0.1\"\nport = {smtp_port}\nsecurity = \"plain\"\n\
             from = \"complaints@northmere.example\"\n\n\
             [acknowledgement]\nundo_seconds = 0\nneutral_on_day = 0\n\n{more}\n"
        );
        for mailbox in mailboxes {
            text.push_str("\n[[mailbox]]\n");
            match mailbox {
                Mailbox::Imap { name, user, port } => write!(
                    text,
                    "name = \"{name}\"\naddress = \"{name}@northmere.example\"\nhost = \"127.0.0.1\"\n\
                     port = {port}\nsecurity = \"plain\"\nuser = \"{user}\"\npassword = \"secret\"\n"
                )
                .unwrap(),
                Mailbox::Maildir { name, path } => write!(
                    text,
                    "name = \"{name}\"\naddress = \"{name}@northmere.example\"\nkind = \"maildir\"\n\
                     path = \"{}\"\npoll_seconds = 1\n",
                    path.display()
                )
                .unwrap(),
            }
        }
        std::fs::write(folder.path().join("postern.toml"), text).unwrap();
        Self { folder, store }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.arg("--config").arg(self.folder.path().join("postern.toml")).args(arguments);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Everything that waits, once.
    #[track_caller]
    pub fn serve_once(&self) -> String {
        let done = self.run(&["serve", "--once"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "serve --once: {said}");
        said
    }

    /// Starts the daemon, held at a step where one is named.
    pub fn serve(&self, hold: Option<&str>) -> Daemon {
        let mut command = self.command(&["serve"]);
        if let Some(hold) = hold {
            command.env("POSTERN_HOLD_AT", hold);
        }
        Daemon::start(command)
    }

    /// Runs a command, held at a step.
    pub fn held(&self, arguments: &[&str], hold: &str) -> Daemon {
        let mut command = self.command(arguments);
        command.env("POSTERN_HOLD_AT", hold);
        Daemon::start(command)
    }
}

/// A running gateway; killed when dropped.
pub struct Daemon {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Daemon {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, heard) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Self { child, said }
    }

    /// What it wrote so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it has written something.
    #[track_caller]
    pub fn wait_for(&mut self, words: &str, longest: Duration) {
        let end = Instant::now() + longest;
        while !self.said().contains(words) {
            assert!(self.is_alive(), "it ended without saying {words:?}:\n{}", self.said());
            assert!(Instant::now() < end, "it never said {words:?}:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// SIGTERM, and how it ended.
    #[track_caller]
    pub fn stop(&mut self) {
        self.signal("TERM");
        let end = Instant::now() + Duration::from_secs(20);
        while self.is_alive() {
            assert!(Instant::now() < end, "it does not stop:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(self.child.wait().unwrap().success(), "{}", self.said());
    }

    /// The most memory it ever had, in megabytes.
    pub fn peak_megabytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
