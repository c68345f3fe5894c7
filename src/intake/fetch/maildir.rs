//! One Maildir.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::{
    FetchFault, Stop, arrival, believed, lease, log_kept, longest_wait, note_looked, sleep_unless,
};
use crate::config::Mailbox;
use crate::gateway::Gateway;
use crate::hold::hold_point;
use crate::mailbox::{Maildir, MaildirEntry, MaildirError, WINDOW_BYTES, WINDOW_MESSAGES};
use crate::store::StoreError;
use crate::store::messages;
use crate::store::tasks::{self, NewTask};

/// A file read, with its name and time.
struct Read {
    key: String,
    received_at: Timestamp,
    bytes: Vec<u8>,
}

/// Looks now and then until told to stop.
pub(super) async fn run(
    gateway: &Arc<Gateway>,
    mailbox: &Mailbox,
    stop: &mut Stop,
) -> Result<(), FetchFault> {
    let mut settled = gateway.nudges.settled.subscribe();
    while !*stop.borrow() {
        pass(gateway, mailbox).await?;
        let pause = Duration::from_secs(mailbox.poll_seconds.max(1)).min(longest_wait(gateway));
        tokio::select! {
            _ = settled.changed() => {}
            () = sleep_unless(stop, pause) => {}
        }
    }
    Ok(())
}

/// Brings in what is new and moves what is settled. Gives how many were new.
pub(super) async fn pass(gateway: &Arc<Gateway>, mailbox: &Mailbox) -> Result<usize, FetchFault> {
    lease(gateway, &mailbox.name).await?;
    let maildir = open(mailbox)?;
    let mut kept = 0;
    let mut window: Vec<Read> = Vec::new();
    let mut bytes = 0;
    for entry in maildir.list()? {
        if is_known(gateway, mailbox, &entry).await? {
            continue;
        }
        let raw = match maildir.read(&entry.key) {
            Ok(Some(raw)) => raw,
            // A file that vanished in between was taken by its reader.
            Ok(None) => continue,
            // One that cannot be read stops nobody behind it; it is looked at again in every pass.
            Err(fault) => {
                leave_to_a_person(gateway, mailbox, &entry.key, &fault).await?;
                continue;
            }
        };
        bytes += entry.size;
        let received_at = believed(entry.received_at, gateway.clock.now());
        window.push(Read { key: entry.key, received_at, bytes: raw });
        if window.len() >= WINDOW_MESSAGES || bytes >= WINDOW_BYTES {
            kept += keep(gateway, mailbox, std::mem::take(&mut window)).await?;
            bytes = 0;
        }
    }
    kept += keep(gateway, mailbox, window).await?;
    log_kept(&mailbox.name, kept);
    note_looked(gateway, &mailbox.name).await?;
    move_settled(gateway, mailbox).await?;
    Ok(kept)
}

async fn leave_to_a_person(
    gateway: &Gateway,
    mailbox: &Mailbox,
    key: &str,
    fault: &MaildirError,
) -> Result<(), FetchFault> {
    let cause = std::error::Error::source(fault).map(ToString::to_string).unwrap_or_default();
    let words = format!(
        "file {key} of mailbox {} cannot be read ({cause}): look at it there",
        mailbox.name
    );
    let now = gateway.clock.now();
    let said = words.clone();
    let fresh: Result<bool, StoreError> = gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let task =
                    NewTask { kind: "unfetchable", words: words.into(), ..NewTask::default() };
                tasks::add_once(tx, &task, now).await
            })
        })
        .await;
    if fresh? {
        warn!(mailbox = mailbox.name, "{said}");
    }
    Ok(())
}

fn open(mailbox: &Mailbox) -> Result<Maildir, FetchFault> {
    let maildir = Maildir::open(mailbox.path.clone().unwrap_or_default())?;
    Ok(maildir.trusting_the_power(mailbox.trusts_the_power))
}

async fn is_known(
    gateway: &Gateway,
    mailbox: &Mailbox,
    entry: &MaildirEntry,
) -> Result<bool, FetchFault> {
    Ok(messages::delivered(&gateway.db, &mailbox.name, 0, 0, &entry.key).await?)
}

async fn keep(
    gateway: &Gateway,
    mailbox: &Mailbox,
    window: Vec<Read>,
) -> Result<usize, FetchFault> {
    if window.is_empty() {
        return Ok(0);
    }
    hold_point("fetched").await;
    let (count, name, now) = (window.len(), mailbox.name.clone(), gateway.clock.now());
    gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let arrived: Vec<_> = window
                    .iter()
                    .map(|one| {
                        let arrival = arrival(&name, &one.bytes, one.received_at, 0, 0, &one.key);
                        (arrival, one.bytes.as_slice())
                    })
                    .collect();
                messages::keep_all(tx, &arrived, now).await.map(drop)
            })
        })
        .await?;
    hold_point("stored").await;
    gateway.nudges.stored.notify_one();
    Ok(count)
}

/// Moves what is settled into the processed folder.
pub(super) async fn move_settled(gateway: &Gateway, mailbox: &Mailbox) -> Result<(), FetchFault> {
    let ready = messages::unmoved(&gateway.db, &mailbox.name, 0, 10_000).await?;
    if ready.is_empty() {
        return Ok(());
    }
    hold_point("moving").await;
    let keys: Vec<&str> = ready.iter().map(|one| one.file_key.as_str()).collect();
    open(mailbox)?.set_aside(&keys, &mailbox.processed)?;
    hold_point("moved").await;
    let now = gateway.clock.now();
    gateway
        .db
        .write(move |tx| Box::pin(async move { messages::moved(tx, &ready, "moved", now).await }))
        .await?;
    Ok(())
}
