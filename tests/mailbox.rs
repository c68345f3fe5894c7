//! Mailboxes, against a real Dovecot and against servers that say what real ones rarely do.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

#[path = "mailbox/dovecot.rs"]
mod dovecot;
#[path = "mailbox/maildir.rs"]
mod maildir;
#[path = "mailbox/scripted.rs"]
mod scripted;

use std::time::Duration;

use postern::mailbox::{ImapAccount, Secret, Security, Timeouts};
use postern::private::Private;

/// An account on this machine, without TLS, with short time limits.
fn account(port: u16, user: &str) -> ImapAccount {
    let secret = Secret::Password(Private("secret".to_owned()));
    let mut account = ImapAccount::new("test", "127.0.0.1", port, user, secret);
    account.security = Security::Plain;
    account.processed_folder = Some("Processed".to_owned());
    account.timeouts = Timeouts {
        connect: Duration::from_secs(5),
        login: Duration::from_secs(5),
        command: Duration::from_secs(5),
        idle_end: Duration::from_millis(500),
        idle_slice: Duration::from_secs(20),
        poll: Duration::from_millis(200),
    };
    account
}
