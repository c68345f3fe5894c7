//! A conversation with one IMAP folder.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;

use super::account::ImapAccount;
use super::aside::{Aside, AsideBy};
use super::dial::dial;
use super::error::{Attempt, MailboxError, Reason};
use super::fetch::{Answer, Batch};
use super::idle::{Idled, Woken};
use super::list::Waiting;
use super::login::log_in;
use super::select::{Capabilities, Selected};
use super::uidset::{SET_MOST, tidy};
use super::wire::Wire;

/// One connection to one folder.
///
/// After an error other than a clean refusal the connection is gone and every further call says
/// so ([`Reason::Lost`]): open a new session. The same holds when a call's future is dropped
/// before it ends, since the rest of its answer would be taken for the next one's.
pub struct Session {
    account: ImapAccount,
    wire: Option<Box<Wire>>,
    can: Capabilities,
    selected: Selected,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("account", &self.account.name)
            .field("selected", &self.selected)
            .field("connected", &self.wire.is_some())
            .finish_non_exhaustive()
    }
}

/// How many connections one fetch may use up on messages whose answer cannot be read.
const REOPENS_MOST: u32 = 30;

impl Session {
    /// Connects, logs in and opens the account's folder.
    ///
    /// # Errors
    /// [`MailboxError`] with what was attempted and why it failed.
    pub async fn open(account: &ImapAccount) -> Result<Self, MailboxError> {
        let account = account.clone();
        let opened = contained(Attempt::Connect, async {
            let (stream, greeting) = dial(&account).await?;
            let mut wire = Box::new(log_in(&account, stream, greeting).await?);
            let can = wire.capabilities(&account).await?;
            let selected = wire.select(&account, &can).await?;
            Ok((wire, can, selected))
        });
        let (wire, can, selected) = Box::pin(opened).await?;
        Ok(Self { account, wire: Some(wire), can, selected })
    }

    /// The folder, as it was when it was last opened.
    pub fn selected(&self) -> &Selected {
        &self.selected
    }

    /// Whether the connection may still be used.
    pub fn is_connected(&self) -> bool {
        self.wire.is_some()
    }

    /// Opens the folder again, for a fresh UIDVALIDITY, UIDNEXT and message count. The caller
    /// compares UIDVALIDITY with the one of its cursor.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub async fn reselect(&mut self) -> Result<&Selected, MailboxError> {
        let mut wire = self.take(Attempt::Select)?;
        let done = contained(Attempt::Select, wire.select(&self.account, &self.can)).await;
        // A refused SELECT leaves no folder open (RFC 3501 section 6.3.1).
        if done.is_ok() {
            self.wire = Some(wire);
        }
        self.selected = done?;
        Ok(&self.selected)
    }

    /// The messages above `after`, ascending. A very long list ends after about 20,000: ask again
    /// from its last UID.
    ///
    /// # Errors
    /// [`MailboxError`]; never an empty list in place of a refusal.
    pub async fn list(&mut self, after: u32) -> Result<Vec<Waiting>, MailboxError> {
        let mut wire = self.take(Attempt::List)?;
        let work = wire.list(&self.account, after, self.selected.uid_next);
        let done = contained(Attempt::List, work).await;
        self.give_back(wire, done)
    }

    /// Reads whole messages, with one command if nothing goes wrong.
    ///
    /// If the server refuses, or its answer cannot be read, the set is halved (on a new connection
    /// if need be) until the message at fault stands alone in [`Batch::refused`].
    ///
    /// # Errors
    /// [`MailboxError`] when the connection or the server as a whole fails; nothing of what came
    /// before is then given out as complete. A set in which most messages cannot be read ends so,
    /// too: asked for one at a time, each finds its place.
    pub async fn fetch(&mut self, uids: &[u32]) -> Result<Batch, MailboxError> {
        let mut batch = Batch::default();
        let mut sets = vec![tidy(uids)];
        let mut reopens = 0;
        let mut refusal = None;
        while let Some(set) = sets.pop() {
            if set.is_empty() {
                continue;
            }
            match self.fetch_set(&set).await {
                Ok(answers) => sort_out(&mut batch, &set, answers),
                Err(error) if error.may_be_one_message() => {
                    if self.wire.is_none() {
                        reopens += 1;
                        if reopens > REOPENS_MOST {
                            return Err(error);
                        }
                        self.reopen().await?;
                    } else {
                        // A refusal because a message has just gone is cured by looking again.
                        self.noop().await?;
                    }
                    match set.as_slice() {
                        [only] => batch.refused.push(*only),
                        many => {
                            let (lower, upper) = many.split_at(many.len() / 2);
                            sets.extend([upper.to_vec(), lower.to_vec()]);
                        }
                    }
                    refusal = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        // When everything is refused it is hardly the messages.
        let nothing = batch.messages.is_empty() && batch.missing.is_empty();
        match refusal {
            Some(error) if nothing && batch.refused.len() > 1 => Err(error),
            _ => Ok(batch),
        }
    }

    async fn fetch_set(
        &mut self,
        set: &[u32],
    ) -> Result<std::collections::BTreeMap<u32, Answer>, MailboxError> {
        let mut wire = self.take(Attempt::Fetch)?;
        let done = contained(Attempt::Fetch, wire.fetch(&self.account, set)).await;
        self.give_back(wire, done)
    }

    /// Reads a piece of a message, so that a large one needs little memory. Shorter than `length`
    /// at the end, empty beyond it; `None` if the message is gone.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub async fn fetch_piece(
        &mut self,
        uid: u32,
        offset: u32,
        length: u32,
    ) -> Result<Option<Vec<u8>>, MailboxError> {
        let mut wire = self.take(Attempt::Fetch)?;
        let work = wire.fetch_piece(&self.account, uid, offset, length);
        let done = contained(Attempt::Fetch, work).await;
        self.give_back(wire, done)
    }

    /// Sets messages aside that are safe with us: moved to the processed folder, else marked with
    /// a keyword, else left (the caller's cursor alone knows). Safe to repeat.
    ///
    /// # Errors
    /// [`MailboxError`]; a failure here must never hold up fetching.
    pub async fn set_aside(&mut self, uids: &[u32]) -> Result<Aside, MailboxError> {
        let uids = tidy(uids);
        let folder = self.account.processed_folder.clone();
        let by = match &folder {
            _ if self.selected.read_only => AsideBy::Nothing,
            Some(_) if self.selected.may_move => AsideBy::Move,
            _ if self.selected.may_keyword => AsideBy::Keyword,
            _ => AsideBy::Nothing,
        };
        let mut aside = Aside { by, ..Aside::default() };
        for set in uids.chunks(SET_MOST) {
            let done = match (by, &folder) {
                (AsideBy::Move, Some(folder)) => self.move_set(set, folder).await?,
                (AsideBy::Keyword, _) => self.mark_set(set).await?,
                (AsideBy::Move | AsideBy::Nothing, _) => return Ok(aside),
            };
            aside.absent.extend(set.iter().filter(|uid| !done.contains(uid)));
            aside.done.extend(done);
        }
        Ok(aside)
    }

    async fn move_set(&mut self, set: &[u32], folder: &str) -> Result<Vec<u32>, MailboxError> {
        let mut wire = self.take(Attempt::SetAside)?;
        let work = wire.move_to(&self.account, set, folder);
        let done = contained(Attempt::SetAside, work).await;
        self.give_back(wire, done)
    }

    async fn mark_set(&mut self, set: &[u32]) -> Result<Vec<u32>, MailboxError> {
        let mut wire = self.take(Attempt::SetAside)?;
        let done = contained(Attempt::SetAside, wire.mark(&self.account, set)).await;
        self.give_back(wire, done)
    }

    /// Waits for new mail, at most `longest`, by IDLE where the server has it and by asking now
    /// and then where it has not. May return sooner; list after it whatever it says.
    ///
    /// # Errors
    /// [`MailboxError`], also when the connection turns out to be only half there.
    pub async fn wait(&mut self, longest: Duration) -> Result<Woken, MailboxError> {
        self.wait_or(longest, std::future::pending()).await
    }

    /// As [`Session::wait`], but ends politely as soon as `called` is ready, so that a stop signal
    /// does not cost the connection.
    ///
    /// # Errors
    /// As [`Session::wait`].
    pub async fn wait_or(
        &mut self,
        longest: Duration,
        called: impl Future<Output = ()> + Send,
    ) -> Result<Woken, MailboxError> {
        tokio::pin!(called);
        if self.selected.idle {
            let mut wire = self.take(Attempt::Wait)?;
            let work = wire.idle(&self.account, longest, called.as_mut());
            let done = contained(Attempt::Wait, work).await;
            match self.give_back(wire, done)? {
                Idled::Woken(woken) => return Ok(woken),
                // Announced and refused: this server is polled from now on.
                Idled::Refused => self.selected.idle = false,
            }
        }
        let mut wire = self.take(Attempt::Wait)?;
        let work = wire.poll(&self.account, longest, called);
        let done = contained(Attempt::Wait, work).await;
        self.give_back(wire, done)
    }

    /// Says goodbye. Errors do not matter any more.
    pub async fn close(mut self) {
        if let Some(mut wire) = self.wire.take() {
            let limit = self.account.timeouts.idle_end;
            let goodbye = wire.run(Attempt::KeepAlive, "LOGOUT", limit, |_| {});
            // BYE comes before the tagged OK and ends it just as well.
            let _ = contained(Attempt::KeepAlive, goodbye).await;
        }
    }

    async fn noop(&mut self) -> Result<(), MailboxError> {
        let mut wire = self.take(Attempt::KeepAlive)?;
        let limit = self.account.timeouts.command;
        let work = wire.run(Attempt::KeepAlive, "NOOP", limit, |_| {});
        let done = contained(Attempt::KeepAlive, work).await;
        self.give_back(wire, done).map(|_| ())
    }

    async fn reopen(&mut self) -> Result<(), MailboxError> {
        let fresh = Box::pin(Self::open(&self.account)).await?;
        if fresh.selected.uid_validity != self.selected.uid_validity {
            return Err(MailboxError::new(Attempt::Fetch, Reason::Replaced));
        }
        *self = fresh;
        Ok(())
    }

    fn take(&mut self, attempt: Attempt) -> Result<Box<Wire>, MailboxError> {
        self.wire.take().ok_or_else(|| MailboxError::new(attempt, Reason::Lost))
    }

    /// The connection is kept only if its state is known.
    fn give_back<T>(
        &mut self,
        wire: Box<Wire>,
        done: Result<T, MailboxError>,
    ) -> Result<T, MailboxError> {
        if !done.as_ref().is_err_and(MailboxError::ends_connection) {
            self.wire = Some(wire);
        }
        done
    }
}

fn sort_out(batch: &mut Batch, set: &[u32], mut answers: std::collections::BTreeMap<u32, Answer>) {
    for uid in set {
        match answers.remove(uid) {
            Some(Answer::Message(message)) => batch.messages.push(message),
            Some(Answer::Nothing) => batch.refused.push(*uid),
            None => batch.missing.push(*uid),
        }
    }
}

/// The IMAP parser panics on some hostile answers (a response code directly followed by a letter
/// outside ASCII). Such an answer is one that cannot be read, and costs this connection only.
async fn contained<T>(
    attempt: Attempt,
    work: impl Future<Output = Result<T, MailboxError>>,
) -> Result<T, MailboxError> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(MailboxError::new(attempt, Reason::Garbled)))
}
