//! One IMAP folder.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::{
    FetchFault, MOVE_SET, Stop, arrival, believed, header_message_id, lease, log_kept,
    longest_wait, note_looked,
};
use crate::config::{Mailbox, Security};
use crate::email::hexadecimal;
use crate::gateway::{Gateway, secret};
use crate::hold::hold_point;
use crate::mailbox::{
    self, AsideBy, Backoff, Fetched, ImapAccount, Secret, Session, Waiting, windows,
};
use crate::store::mailboxes::{self, Cursor};
use crate::store::messages::{self, Arrival, PIECE_BYTES};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx};

/// A message that the server refuses is asked for again this often before it is left to a person.
const TRIES: u8 = 3;
/// How long a wait lasts while messages are being settled, perhaps by another gateway on the same
/// database, which cannot wake us.
const SETTLING: Duration = Duration::from_secs(2);

/// One connection to one folder, and what it must remember between passes.
struct Reading<'a> {
    gateway: &'a Arc<Gateway>,
    mailbox: &'a Mailbox,
    session: Session,
    cursor: Cursor,
    /// When the lease on the mailbox was last taken or renewed.
    leased_at: Instant,
    /// Messages that the server would not give, and how often it was asked.
    refused: BTreeMap<u32, u8>,
}

/// Reads until told to stop or until something fails.
pub(super) async fn run(
    gateway: &Arc<Gateway>,
    mailbox: &Mailbox,
    stop: &mut Stop,
    backoff: &mut Backoff,
) -> Result<(), FetchFault> {
    // From before the first pass on: what is settled during a pass is moved in the next.
    let mut settled = gateway.nudges.settled.subscribe();
    let mut reading = Reading::begin(gateway, mailbox).await?;
    backoff.succeeded();
    info!(mailbox = mailbox.name, "mailbox {}: connected", mailbox.name);
    while !*stop.borrow() {
        let in_hand = reading.pass().await?;
        let called = async {
            tokio::select! {
                _ = settled.changed() => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        };
        let longest = longest_wait(gateway);
        let longest = if mailbox.idle { longest } else { poll(mailbox).min(longest) };
        let longest = if in_hand { longest.min(SETTLING) } else { longest };
        reading.session.wait_or(longest, called).await?;
    }
    reading.session.close().await;
    Ok(())
}

/// One pass on a connection of its own.
pub(super) async fn once(gateway: &Arc<Gateway>, mailbox: &Mailbox) -> Result<(), FetchFault> {
    let mut reading = Reading::begin(gateway, mailbox).await?;
    reading.pass().await?;
    reading.session.close().await;
    Ok(())
}

fn poll(mailbox: &Mailbox) -> Duration {
    Duration::from_secs(mailbox.poll_seconds.max(1))
}

/// The account as the settings describe it.
pub(crate) fn account(mailbox: &Mailbox) -> Result<ImapAccount, crate::gateway::StartFault> {
    let password = secret(
        "a mailbox's password",
        mailbox.password.as_ref(),
        mailbox.password_file.as_deref(),
    )?;
    let security = match mailbox.security {
        Security::Tls => mailbox::Security::Tls,
        Security::Starttls => mailbox::Security::StartTls,
        Security::Plain => mailbox::Security::Plain,
    };
    let port = mailbox.port.unwrap_or(if mailbox.security == Security::Tls { 993 } else { 143 });
    let secret = Secret::Password(password.unwrap_or_default());
    let mut account = ImapAccount::new(&mailbox.name, &mailbox.host, port, &mailbox.user, secret);
    account.security = security;
    account.trust = mailbox.trust();
    account.folder.clone_from(&mailbox.folder);
    account.processed_folder = Some(mailbox.processed.clone()).filter(|name| !name.is_empty());
    account.idle = mailbox.idle;
    account.timeouts.poll = poll(mailbox);
    Ok(account)
}

impl<'a> Reading<'a> {
    async fn begin(gateway: &'a Arc<Gateway>, mailbox: &'a Mailbox) -> Result<Self, FetchFault> {
        let cursor = lease(gateway, &mailbox.name).await?;
        let account = account(mailbox).map_err(FetchFault::Secret)?;
        let session = Session::open(&account).await?;
        let name = mailbox.name.clone();
        gateway
            .db
            .write(move |tx| Box::pin(async move { messages::sweep_unfinished(tx, &name).await }))
            .await?;
        let leased_at = Instant::now();
        let refused = BTreeMap::new();
        let mut reading = Self { gateway, mailbox, session, cursor, leased_at, refused };
        reading.check_validity().await?;
        Ok(reading)
    }

    /// After a change of UIDVALIDITY, or a server that was restored from a backup, every UID means
    /// something else. Everything is looked at again; what is known by its content is not new.
    async fn check_validity(&mut self) -> Result<(), FetchFault> {
        let selected = self.session.selected();
        let validity = i64::from(selected.uid_validity);
        let next = selected.uid_next.map_or(0, i64::from);
        let changed = self.cursor.uid_validity != validity;
        let restored = next > 0 && next < self.cursor.uid_next;
        if changed || restored {
            if self.cursor.uid_validity != 0 {
                warn!(
                    mailbox = self.mailbox.name,
                    "mailbox {}: its numbering began anew; every message is looked at again",
                    self.mailbox.name
                );
            }
            self.cursor = Cursor { uid_validity: validity, last_uid: 0, uid_next: 0 };
            let name = self.mailbox.name.clone();
            let now = self.gateway.clock.now();
            self.gateway
                .db
                .write(move |tx| {
                    Box::pin(async move { messages::forget_places(tx, &name, now).await })
                })
                .await?;
        }
        self.cursor.uid_next = self.cursor.uid_next.max(next);
        Ok(())
    }

    /// Brings in what is new and moves what is settled. Gives whether anything was still being
    /// settled.
    async fn pass(&mut self) -> Result<bool, FetchFault> {
        let cursor = lease(self.gateway, &self.mailbox.name).await?;
        self.leased_at = Instant::now();
        self.cursor.last_uid = self
            .cursor
            .last_uid
            .max(if cursor.uid_validity == self.cursor.uid_validity { cursor.last_uid } else { 0 });
        loop {
            let after = u32::try_from(self.cursor.last_uid).unwrap_or(u32::MAX);
            let waiting = self.session.list(after).await?;
            if waiting.is_empty() {
                break;
            }
            self.bring(&waiting).await?;
        }
        self.ask_again().await?;
        note_looked(self.gateway, &self.mailbox.name).await?;
        let in_hand = messages::any_waits(&self.gateway.db, self.gateway.clock.now()).await?;
        self.move_settled().await?;
        Ok(in_hand)
    }

    /// A long fetch keeps its lease: two gateways that took a slow mailbox from each other would
    /// both begin the same large message for ever.
    async fn stay_ours(&mut self) -> Result<(), FetchFault> {
        if self.leased_at.elapsed() > self.gateway.lease() / 3 {
            lease(self.gateway, &self.mailbox.name).await?;
            self.leased_at = Instant::now();
        }
        Ok(())
    }

    /// Keeps everything of a list, in windows that fit into memory.
    async fn bring(&mut self, waiting: &[Waiting]) -> Result<(), FetchFault> {
        let large = self.gateway.config.intake.large_megabytes << 20;
        let is_large = |one: &Waiting| one.size.is_some_and(|size| u64::from(size) > large);
        let mut kept = 0;
        for window in windows(waiting)
            .flat_map(|window| window.chunk_by(|one, next| !is_large(one) && !is_large(next)))
        {
            self.stay_ours().await?;
            match window {
                [one] if is_large(one) => {
                    self.keep_large(one).await?;
                    kept += 1;
                }
                _ => kept += self.keep_window(window).await?,
            }
            self.gateway.nudges.stored.notify_one();
            self.move_if_many().await?;
        }
        log_kept(&self.mailbox.name, kept);
        Ok(())
    }

    async fn keep_window(&mut self, window: &[Waiting]) -> Result<usize, FetchFault> {
        let uids: Vec<u32> = window.iter().map(|one| one.uid).collect();
        let batch = self.session.fetch(&uids).await?;
        hold_point("fetched").await;
        for uid in &batch.refused {
            self.refused.insert(*uid, 1);
        }
        let kept = batch.messages.len();
        let last = window.last().map_or(0, |one| i64::from(one.uid));
        self.keep(batch.messages, batch.refused, last).await?;
        hold_point("stored").await;
        Ok(kept)
    }

    /// Bytes, ledger and cursor in one transaction. What the server refused to give becomes a
    /// person's task in the same one, since the cursor passes it.
    async fn keep(
        &mut self,
        fetched: Vec<Fetched>,
        refused: Vec<u32>,
        last_uid: i64,
    ) -> Result<(), FetchFault> {
        let cursor = Cursor { last_uid: self.cursor.last_uid.max(last_uid), ..self.cursor };
        let (name, id) = (self.mailbox.name.clone(), self.gateway.id.clone());
        let now = self.gateway.clock.now();
        let window = Arc::new((name, id, fetched, refused));
        let ours = self
            .gateway
            .db
            .write_again(move |tx| {
                let window = Arc::clone(&window);
                Box::pin(async move {
                    let (name, id, fetched, refused) = &*window;
                    if !mailboxes::advance(tx, name, id, cursor).await? {
                        return Ok(false);
                    }
                    let arrived: Vec<_> = fetched
                        .iter()
                        .map(|one| {
                            let (at, uid) = (believed(one.internal_date, now), i64::from(one.uid));
                            let validity = cursor.uid_validity;
                            let arrival = arrival(name, &one.bytes, at, validity, uid, "");
                            (arrival, one.bytes.as_slice())
                        })
                        .collect();
                    messages::keep_all(tx, &arrived, now).await?;
                    for uid in refused {
                        leave_to_a_person(tx, name, *uid, now).await?;
                    }
                    Ok::<_, StoreError>(true)
                })
            })
            .await?;
        if !ours {
            return Err(FetchFault::NotOurs);
        }
        self.cursor = cursor;
        Ok(())
    }

    /// Keeps a message in pieces, so that its size costs no memory.
    async fn keep_large(&mut self, one: &Waiting) -> Result<(), FetchFault> {
        let now = self.gateway.clock.now();
        let received_at = believed(one.internal_date, now);
        let provisional = format!("arriving:{}:{}", self.mailbox.name, one.uid);
        let row = self
            .gateway
            .db
            .write(move |tx| {
                Box::pin(
                    async move { messages::begin_large(tx, &provisional, received_at, now).await },
                )
            })
            .await?;
        let mut hash = Sha256::new();
        let mut header = None;
        let (mut offset, mut piece) = (0_u32, 0_usize);
        loop {
            let length = u32::try_from(PIECE_BYTES).unwrap_or(u32::MAX);
            let bytes = self.session.fetch_piece(one.uid, offset, length).await?;
            let bytes = bytes.unwrap_or_default();
            if piece == 0 {
                header = header_message_id(&bytes);
            }
            let got = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            if got > 0 {
                hash.update(&bytes);
                self.gateway
                    .db
                    .write(move |tx| {
                        Box::pin(async move { messages::keep_piece(tx, row, piece, &bytes).await })
                    })
                    .await?;
            }
            hold_point("piece").await;
            self.stay_ours().await?;
            offset = offset.saturating_add(got);
            piece += 1;
            // A server may give less than it was asked for, and announce a size that is a guess: only
            // a short piece behind that size, or an empty one, is the end.
            if got == 0 || (got < length && one.size.is_none_or(|size| offset >= size)) {
                break;
            }
        }
        hold_point("pieces").await;
        let sha256 = hexadecimal(&hash.finalize());
        self.finish_large(row, one.uid, offset, sha256, header, received_at).await
    }

    async fn finish_large(
        &mut self,
        row: i64,
        uid: u32,
        size: u32,
        sha256: String,
        header_message_id: Option<String>,
        received_at: Timestamp,
    ) -> Result<(), FetchFault> {
        let cursor = Cursor { last_uid: self.cursor.last_uid.max(i64::from(uid)), ..self.cursor };
        let (name, id) = (self.mailbox.name.clone(), self.gateway.id.clone());
        let now = self.gateway.clock.now();
        let ours = self
            .gateway
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if !mailboxes::advance(tx, &name, &id, cursor).await? {
                        return Ok(false);
                    }
                    if size == 0 {
                        // Gone before its first byte: somebody moved it.
                        messages::drop_unfinished(tx, row).await?;
                        return Ok(true);
                    }
                    let arrival = Arrival {
                        mailbox: &name,
                        uid_validity: cursor.uid_validity,
                        uid: i64::from(uid),
                        file_key: "",
                        received_at,
                        sha256,
                        header_message_id,
                        silent: false,
                    };
                    messages::finish_large(tx, row, &arrival, i64::from(size), now).await?;
                    Ok::<_, StoreError>(true)
                })
            })
            .await?;
        if !ours {
            return Err(FetchFault::NotOurs);
        }
        self.cursor = cursor;
        Ok(())
    }

    /// What the server refused before, once more a pass.
    async fn ask_again(&mut self) -> Result<(), FetchFault> {
        let again: Vec<u32> =
            self.refused.iter().filter(|(_, tries)| **tries < TRIES).map(|(uid, _)| *uid).collect();
        for uid in again {
            let batch = self.session.fetch(&[uid]).await?;
            if batch.refused.is_empty() {
                self.refused.remove(&uid);
                self.keep(batch.messages, Vec::new(), self.cursor.last_uid).await?;
            } else {
                *self.refused.entry(uid).or_default() += 1;
            }
        }
        Ok(())
    }

    async fn move_if_many(&mut self) -> Result<(), FetchFault> {
        let ready = messages::unmoved(
            &self.gateway.db,
            &self.mailbox.name,
            self.cursor.uid_validity,
            MOVE_SET,
        )
        .await?;
        if i64::try_from(ready.len()).is_ok_and(|ready| ready >= MOVE_SET) {
            self.move_these(ready).await?;
        }
        Ok(())
    }

    /// Moves what is settled. While more is being settled it waits for a set worth a command: one
    /// move a message costs eight times the whole intake.
    async fn move_settled(&mut self) -> Result<(), FetchFault> {
        loop {
            let name = &self.mailbox.name;
            let validity = self.cursor.uid_validity;
            let db = &self.gateway.db;
            let ready = messages::unmoved(db, name, validity, 2 * MOVE_SET).await?;
            let few = i64::try_from(ready.len()).is_ok_and(|ready| ready < MOVE_SET);
            if ready.is_empty()
                || (few && messages::any_waits(db, self.gateway.clock.now()).await?)
            {
                return Ok(());
            }
            self.move_these(ready).await?;
        }
    }

    async fn move_these(&mut self, ready: Vec<messages::Unmoved>) -> Result<(), FetchFault> {
        hold_point("moving").await;
        let uids: Vec<u32> = ready.iter().filter_map(|one| u32::try_from(one.uid).ok()).collect();
        let aside = self.session.set_aside(&uids).await?;
        hold_point("moved").await;
        let note = match aside.by {
            AsideBy::Move => "moved",
            AsideBy::Keyword => "marked",
            AsideBy::Nothing => "left in place",
        };
        let now = self.gateway.clock.now();
        self.gateway
            .db
            .write(move |tx| Box::pin(async move { messages::moved(tx, &ready, note, now).await }))
            .await?;
        Ok(())
    }
}

async fn leave_to_a_person(
    tx: &mut Tx,
    mailbox: &str,
    uid: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let words = format!(
        "the server does not give message {uid} of mailbox {mailbox}: open it there and log it by hand"
    );
    let task = NewTask { kind: "unfetchable", words: words.into(), ..NewTask::default() };
    tasks::add(tx, &task, now).await.map(drop)
}
