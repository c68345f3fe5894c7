//! What staff edit is taken up while the daemon runs, and a bad edit changes nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const SETTINGS: &str = r#"
rules = "rules"
templates = "templates"
[console]
listen = "127.0.0.1:0"
[[mailbox]]
name = "complaints"
kind = "maildir"
path = "mailbox"
address = "complaints@northmere.example"
poll_seconds = 1
[outgoing]
folder = "outbox"
[acknowledgement]
undo_seconds = 0
neutral_on_day = 0
"#;

const COMPLAINT: &str = "From: Ann Lee <ann@example.org>\r\nTo: complaints@northmere.example\r\n\
    Subject: EHC plan late\r\nMessage-ID: <1@example.org>\r\n\r\n\
    I want to complain. My son's EHC plan is ten weeks late and the SEN team does not answer.\r\n";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A daemon whose log can be waited for; killed when dropped.
struct Daemon {
    child: Child,
    log: Receiver<String>,
}

impl Daemon {
    fn start(settings: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
            .arg("--config")
            .arg(settings)
            .arg("serve")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, log }
    }

    fn expect(&self, words: &str) -> String {
        let mut story = Vec::new();
        loop {
            match self.log.recv_timeout(Duration::from_secs(20)) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => story.push(line),
                Err(waited) => panic!("{waited}: no `{words}` in the log:\n{}", story.join("\n")),
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_bad_edit_changes_nothing_and_a_good_one_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&root.join("rules"), &folder.path().join("rules"));
    copy(&root.join("templates"), &folder.path().join("templates"));
    for sub in ["cur", "new", "tmp"] {
        fs::create_dir_all(folder.path().join("mailbox").join(sub)).unwrap();
    }
    let settings = folder.path().join("postern.toml");
    fs::write(&settings, SETTINGS).unwrap();
    let daemon = Daemon::start(&settings);
    daemon.expect("ready");

    let template = folder.path().join("templates/letters/acknowledgement-neutral/body.txt");
    let good = fs::read_to_string(&template).unwrap();
    fs::write(&template, format!("{good}\n{{{{ referense }}}}\n")).unwrap();
    let fault = daemon.expect("referense");
    assert!(fault.contains("acknowledgement-neutral/body.txt, line"), "{fault}");
    daemon.expect("stay as they were");

    fs::write(folder.path().join("mailbox/new/1764000000.1.h"), COMPLAINT).unwrap();
    daemon.expect("left (acknowledgement)");

    fs::write(&template, &good).unwrap();
    daemon.expect("taken up anew");

    // A draft that is published reaches the daemon as an edit does.
    let draft = folder.path().join("draft");
    copy(&folder.path().join("rules"), &draft);
    fs::write(draft.join("35-ours.toml"), "[[fact]]\nid = \"ours\"\nwhat = \"to try\"\n").unwrap();
    let published = Command::new(env!("CARGO_BIN_EXE_postern"))
        .current_dir(folder.path())
        .args([
            "-q", "rules", "publish", "--rules", "draft", "--author", "Pat", "--reason", "to try",
        ])
        .output()
        .unwrap();
    assert!(published.status.success(), "{published:?}");
    let told = String::from_utf8(published.stdout).unwrap();
    let version = told.split("published ").nth(1).unwrap().split(',').next().unwrap();
    let line = daemon.expect("taken up anew");
    assert!(line.contains(version), "{version}: {line}");
}
