//! From a mailbox into the store, and aside once settled.
//!
//! Bytes, ledger row and cursor are committed together before anything touches the mailbox; what is
//! settled is moved afterwards, in sets. Nothing is ever deleted.

mod imap;
mod maildir;

pub(crate) use imap::account as imap_account;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::config::{Mailbox, MailboxKind};
use crate::gateway::Gateway;
use crate::mailbox::{Backoff, MailboxError, MaildirError};
use crate::store::messages::Arrival;
use crate::store::{StoreError, mailboxes};

/// How long one wait for new mail lasts at most.
const WAIT: Duration = Duration::from_secs(50);
/// How often a gateway that does not have a mailbox asks for it, at least.
const STANDBY: Duration = Duration::from_secs(20);
/// Enough settled messages to be worth a move while others are still being fetched.
const MOVE_SET: i64 = 250;

/// Why a mailbox could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FetchFault {
    /// The server or the connection.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// The Maildir.
    #[error(transparent)]
    Maildir(#[from] MaildirError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another gateway has the mailbox now.
    #[error("another gateway reads this mailbox now")]
    NotOurs,
    /// A secret could not be read.
    #[error("the password cannot be read")]
    Secret(#[source] crate::gateway::StartFault),
}

/// A stop signal: true once the process is to end.
pub type Stop = watch::Receiver<bool>;

/// Reads one mailbox until told to stop: connects, catches up, waits, and comes back after faults
/// with growing pauses.
pub async fn run(gateway: Arc<Gateway>, mailbox: Mailbox, mut stop: Stop) {
    let mut backoff = Backoff::new(seed(&gateway.id, &mailbox.name));
    while !*stop.borrow() {
        let ended = match mailbox.kind {
            MailboxKind::Imap => imap::run(&gateway, &mailbox, &mut stop, &mut backoff).await,
            MailboxKind::Maildir => maildir::run(&gateway, &mailbox, &mut stop).await,
        };
        let Err(fault) = ended else { break };
        let pause = match &fault {
            FetchFault::NotOurs => STANDBY.min(gateway.lease() / 3),
            FetchFault::Mailbox(error) => backoff.failed(error),
            FetchFault::Maildir(_) | FetchFault::Store(_) | FetchFault::Secret(_) => {
                backoff.pause()
            }
        };
        if !matches!(fault, FetchFault::NotOurs) {
            warn!(
                mailbox = mailbox.name,
                cause = std::error::Error::source(&fault).map(ToString::to_string),
                "mailbox {}: {fault}; again in {} s",
                mailbox.name,
                pause.as_secs().max(1)
            );
            note_trouble(&gateway, &mailbox.name, &fault.to_string()).await;
        }
        sleep_unless(&mut stop, pause).await;
    }
    give_back(&gateway, &mailbox.name).await;
}

/// Reads what waits in a mailbox now, once: `serve --once` and the demo.
///
/// # Errors
/// [`FetchFault`].
pub async fn once(gateway: &Arc<Gateway>, mailbox: &Mailbox) -> Result<(), FetchFault> {
    match mailbox.kind {
        MailboxKind::Imap => imap::once(gateway, mailbox).await,
        MailboxKind::Maildir => maildir::pass(gateway, mailbox).await.map(drop),
    }
}

/// Moves what was settled since, once.
///
/// # Errors
/// [`FetchFault`].
pub async fn move_settled(gateway: &Arc<Gateway>, mailbox: &Mailbox) -> Result<(), FetchFault> {
    match mailbox.kind {
        MailboxKind::Imap => imap::once(gateway, mailbox).await,
        MailboxKind::Maildir => maildir::move_settled(gateway, mailbox).await,
    }
}

/// How long one wait for new mail may last, so that the lease on the mailbox stays ours.
fn longest_wait(gateway: &Gateway) -> Duration {
    WAIT.min(gateway.lease() / 3)
}

/// Takes or renews the lease on a mailbox.
async fn lease(gateway: &Gateway, name: &str) -> Result<mailboxes::Cursor, FetchFault> {
    let (now, id, name) = (gateway.clock.now(), gateway.id.clone(), name.to_owned());
    let until = gateway.lease_until(now);
    let cursor: Option<mailboxes::Cursor> = gateway
        .db
        .write(move |tx| {
            Box::pin(async move { mailboxes::lease(tx, &name, &id, now, until).await })
        })
        .await?;
    cursor.ok_or(FetchFault::NotOurs)
}

/// At a clean stop another gateway need not wait for the lease to end.
async fn give_back(gateway: &Gateway, name: &str) {
    let (id, owned) = (gateway.id.clone(), name.to_owned());
    let given = gateway
        .db
        .write(move |tx| Box::pin(async move { mailboxes::give_back(tx, &owned, &id).await }))
        .await;
    if let Err(error) = given {
        warn!(mailbox = name, %error, "the lease on mailbox {name} runs out by itself");
    }
}

/// Records that a mailbox was read to its end: health shows since when it was not.
async fn note_looked(gateway: &Gateway, name: &str) -> Result<(), FetchFault> {
    let (name, now) = (name.to_owned(), gateway.clock.now());
    gateway
        .db
        .write(move |tx| Box::pin(async move { mailboxes::looked(tx, &name, now).await }))
        .await
        .map_err(FetchFault::Store)
}

async fn note_trouble(gateway: &Gateway, name: &str, words: &str) {
    let (name, words) = (name.to_owned(), words.to_owned());
    let noted: Result<(), StoreError> = gateway
        .db
        .write(move |tx| Box::pin(async move { mailboxes::trouble(tx, &name, &words).await }))
        .await;
    if let Err(error) = noted {
        warn!(%error, "the trouble of a mailbox could not be recorded");
    }
}

async fn sleep_unless(stop: &mut Stop, pause: Duration) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        // The sender is gone only when the process ends.
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

fn seed(gateway: &str, mailbox: &str) -> u64 {
    let digest = Sha256::digest(format!("{gateway} {mailbox}"));
    digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

/// The ledger row of one delivery.
fn arrival<'a>(
    mailbox: &'a str,
    bytes: &[u8],
    received_at: Timestamp,
    uid_validity: i64,
    uid: i64,
    file_key: &'a str,
) -> Arrival<'a> {
    Arrival {
        mailbox,
        uid_validity,
        uid,
        file_key,
        received_at,
        sha256: crate::email::hexadecimal(&Sha256::digest(bytes)),
        header_message_id: header_message_id(bytes),
        silent: false,
    }
}

/// When a message came, as far as its mailbox can be believed. Clocks have been wrong, and file names
/// carry any number: what claims to come from the future, or from before there were such mailboxes,
/// counts from now, so that it gets a date to be answered by.
pub(crate) fn believed(claimed: Option<Timestamp>, now: Timestamp) -> Timestamp {
    const YEAR_2000: Timestamp = Timestamp::constant(946_684_800, 0);
    claimed.filter(|at| (YEAR_2000..=now).contains(at)).unwrap_or(now)
}

/// A delivery of a message from a file, for `import`.
pub(crate) fn imported<'a>(
    bytes: &[u8],
    received_at: Timestamp,
    file_key: &'a str,
    silent: bool,
) -> Arrival<'a> {
    Arrival { silent, ..arrival("import", bytes, received_at, 0, 0, file_key) }
}

/// The Message-ID as it stands in the header, found without parsing: the ledger is written before
/// any parser sees the message.
fn header_message_id(bytes: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"message-id:";
    let mut lines = bytes.split(|byte| *byte == b'\n').take(2000);
    let first = lines.by_ref().take_while(|line| !line.trim_ascii().is_empty()).find(|line| {
        line.get(..NAME.len()).is_some_and(|start| start.eq_ignore_ascii_case(NAME))
    })?;
    let mut value = first.get(NAME.len()..)?.trim_ascii();
    if value.is_empty() {
        // Folded: the id stands alone on the next line.
        let next = lines.next()?;
        value =
            if next.starts_with(b" ") || next.starts_with(b"\t") { next.trim_ascii() } else { b"" };
    }
    let id = String::from_utf8_lossy(value.get(..value.len().min(500))?);
    let id = id.trim().trim_start_matches('<').trim_end_matches('>').to_owned();
    (!id.is_empty()).then_some(id)
}

/// Says that a mailbox was brought in, when anything was.
fn log_kept(mailbox: &str, kept: usize) {
    if kept > 0 {
        info!(mailbox, kept, "mailbox {mailbox}: {kept} messages kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, id: Option<&str>) {
        assert_eq!(header_message_id(message.as_bytes()).as_deref(), id, "{message:?}");
    }

    #[test]
    fn what_claims_an_impossible_date_came_now() {
        let now: Timestamp = "2026-11-25T09:00:00Z".parse().unwrap();
        let check = |claimed: &str, believed_as: &str| {
            let claimed = claimed.parse().unwrap();
            assert_eq!(believed(Some(claimed), now), believed_as.parse().unwrap());
        };
        check("2026-11-24T17:00:00Z", "2026-11-24T17:00:00Z");
        check("1970-01-01T00:00:02Z", "2026-11-25T09:00:00Z");
        check("2038-01-19T03:14:07Z", "2026-11-25T09:00:00Z");
        assert_eq!(believed(None, now), now);
    }

    #[test]
    fn the_ledger_finds_the_message_id_without_a_parser() {
        check("Message-ID: <a@b>\r\n\r\nx", Some("a@b"));
        check("Subject: x\nmessage-id:<a@b>\n\nx", Some("a@b"));
        check("Message-Id:\r\n <a@b>\r\n\r\nx", Some("a@b"));
        check("Subject: x\r\n\r\nMessage-ID: <a@b>", None);
        check("Message-ID:\r\nSubject: x\r\n\r\n", None);
        check("", None);
    }
}
