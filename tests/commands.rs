//! What users and scripts can rely on, on the real program: data on standard output, everything else on
//! standard error, and the exit status says how it went.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

#[path = "commands/acknowledgements.rs"]
mod acknowledgements;
#[path = "commands/actions.rs"]
mod actions;
#[path = "commands/answers.rs"]
mod answers;
#[path = "commands/api.rs"]
mod api;
#[path = "commands/areas.rs"]
mod areas;
#[path = "commands/assessment.rs"]
mod assessment;
#[path = "commands/backlog.rs"]
mod backlog;
#[path = "commands/broken.rs"]
mod broken;
#[path = "commands/calendar.rs"]
mod calendar;
#[path = "commands/case.rs"]
mod case;
#[path = "commands/deadline.rs"]
mod deadline;
#[path = "commands/desk.rs"]
mod desk;
#[path = "commands/doctor.rs"]
mod doctor;
#[path = "commands/editions.rs"]
mod editions;
#[path = "commands/general.rs"]
mod general;
#[path = "commands/holding.rs"]
mod holding;
#[path = "commands/learning.rs"]
mod learning;
#[path = "commands/letters.rs"]
mod letters;
#[path = "commands/mail.rs"]
mod mail;
#[path = "commands/officers.rs"]
mod officers;
#[path = "commands/ombudsman.rs"]
mod ombudsman;
#[path = "commands/parts.rs"]
mod parts;
#[path = "commands/policies.rs"]
mod policies;
#[path = "commands/privacy.rs"]
mod privacy;
#[path = "commands/replies.rs"]
mod replies;
#[path = "commands/rules.rs"]
mod rules;
#[path = "commands/services.rs"]
mod services;
#[path = "commands/stages.rs"]
mod stages;
#[path = "commands/unasked.rs"]
mod unasked;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A folder with settings, and the program run in it.
struct Desk {
    folder: tempfile::TempDir,
}

/// What a run left.
#[derive(Debug)]
struct Ran {
    status: i32,
    out: String,
    err: String,
}

/// A gateway on a Maildir, whose letters become files. Nobody decides within these tests what their message
/// is, unless they say so: the first letter does not wait for it.
const SETTINGS: &str = "[[mailbox]]\nname = \"complaints\"\nkind = \"maildir\"\npath = \"mailbox\"\n\
    address = \"complaints@northmere.example\"\n[outgoing]\nfolder = \"outbox\"\n[console]\nlisten = \"127.0.0.1:0\"\n\
    [acknowledgement]\nneutral_on_day = 0\n";

impl Desk {
    fn new() -> Self {
        Self::with(SETTINGS)
    }

    fn with(settings: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write("postern.toml", settings);
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(desk.path("mailbox").join(part)).unwrap();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .env_clear()
            .env("USER", "pat")
            // Where what was learned is found by the next process: learning takes most of a short command's time.
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        finished(self.command(arguments))
    }

    /// Runs a command that must succeed; its data.
    fn data(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "{arguments:?}: {ran:?}");
        ran.out
    }

    /// Runs a command that must succeed; its data as one JSON value a line.
    fn objects(&self, arguments: &[&str]) -> Vec<Value> {
        self.data(arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs a command that must fail with this status and say this on standard error, and nothing
    /// on standard output.
    fn refused(&self, arguments: &[&str], status: i32, words: &str) {
        let ran = self.run(arguments);
        assert_eq!((ran.status, ran.out.as_str()), (status, ""), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(words), "{arguments:?} does not say {words:?}: {}", ran.err);
    }
}

fn finished(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        status: output.status.code().expect("ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Delivers a message into a desk's mailbox, now.
fn deliver(desk: &Desk, number: usize, message: impl AsRef<[u8]>) {
    let now = postern::clock::Clock::System.now().as_second();
    desk.write(&format!("mailbox/new/{now}.{number}.localhost"), message);
}

/// A complaint that the rules place.
fn complaint(number: usize) -> String {
    format!(
        "From: Ann Other <ann{number}@example.org>\r\nTo: complaints@northmere.example\r\n\
         Subject: Formal complaint about my son's EHC Plan {number}\r\nMessage-ID: <c{number}@example.org>\r\n\
         Date: Mon, 16 Nov 2026 08:00:00 +0000\r\n\r\nI wish to complain formally. My son's EHC plan is \
         four months late and the SEN team does not answer me, his mother.\r\n\r\nAnn {number}\r\n"
    )
}
