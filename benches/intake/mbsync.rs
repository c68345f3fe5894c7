//! The yardstick: `mbsync` (Debian package `isync`) pulls the same mailbox into a Maildir, with every
//! file flushed to the disk.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Says what is missing before anything is measured.
pub(crate) fn version() -> String {
    let output = Command::new("mbsync").arg("--version").output();
    let output =
        output.expect("this benchmark compares with mbsync: install the Debian package isync");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Pulls the mailbox; how long that took.
pub(crate) fn pull(folder: &Path, imap_port: u16, user: &str, messages: usize) -> Duration {
    let config = folder.join("mbsyncrc");
    let here = folder.display();
    let password = crate::support::dovecot::PASSWORD;
    let text = format!(
        "FSync yes\n\n\
         IMAPAccount a\nHost 127.0.0.1\nPort {imap_port}\nUser {user}\nPass {password}\n\
         SSLType None\nAuthMechs PLAIN\n\n\
         IMAPStore far\nAccount a\n\n\
         MaildirStore near\nPath {here}/\nInbox {here}/inbox\n\n\
         Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nSync Pull New\nCreate Near\n\
         SyncState {here}/state-\n"
    );
    std::fs::write(&config, text).expect("the folder can be written to");
    let started = Instant::now();
    let output = Command::new("mbsync")
        .arg("-q")
        .arg("-c")
        .arg(&config)
        .arg("c")
        .stdin(Stdio::null())
        .output()
        .expect("mbsync starts");
    let took = started.elapsed();
    let pulled = ["new", "cur"]
        .iter()
        .filter_map(|part| std::fs::read_dir(folder.join("inbox").join(part)).ok())
        .map(Iterator::count)
        .sum::<usize>();
    assert_eq!(pulled, messages, "mbsync: {}", String::from_utf8_lossy(&output.stderr));
    took
}
