//! Waiting for new mail.

use std::time::Duration;

use imap_proto::Response;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::account::ImapAccount;
use super::error::{Attempt, MailboxError, Reason};
use super::wire::{Heard, Tag, Wire};

/// Why a wait ended. Whatever it says, look once: a server may have told us at a moment when
/// nobody listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The server announced new mail.
    NewMail,
    /// Nothing happened for as long as we meant to wait.
    Quiet,
    /// The caller asked us to stop waiting.
    Called,
}

/// A wait by IDLE ended, or the server would not begin it.
pub(super) enum Idled {
    Woken(Woken),
    Refused,
}

impl Wire {
    /// Sleeps, then asks the server whether anything is new.
    pub(super) async fn poll(
        &mut self,
        account: &ImapAccount,
        longest: Duration,
        called: impl Future<Output = ()> + Send,
    ) -> Result<Woken, MailboxError> {
        let pause = longest.min(account.timeouts.poll);
        let woken = tokio::select! {
            () = sleep(pause) => Woken::Quiet,
            () = called => Woken::Called,
        };
        self.run(Attempt::Wait, "NOOP", account.timeouts.command, |_| {}).await?;
        Ok(if self.news { Woken::NewMail } else { woken })
    }

    /// One IDLE (RFC 2177), on our own response loop: the library's waits for ever when it is
    /// refused, panics on a bare BAD, and cannot tell a closed connection from a stop.
    pub(super) async fn idle(
        &mut self,
        account: &ImapAccount,
        longest: Duration,
        called: impl Future<Output = ()> + Send,
    ) -> Result<Idled, MailboxError> {
        let limits = &account.timeouts;
        let deadline = Instant::now() + longest.min(limits.idle_slice);
        let tag = self.send(Attempt::Wait, "IDLE", limits.command).await?;
        let begun = timeout(limits.command, self.idle_begins(&tag))
            .await
            .map_err(|_| MailboxError::new(Attempt::Wait, Reason::TimedOut(limits.command)))?;
        match begun {
            Ok(()) => {}
            Err(error) if !error.ends_connection() => return Ok(Idled::Refused),
            Err(error) => return Err(error),
        }
        let woken = self.idle_goes_on(&tag, deadline, called).await?;
        self.send_line(Attempt::Wait, "DONE", limits.idle_end).await?;
        // A connection that is only half there is found out here.
        timeout(limits.idle_end, self.idle_ends(&tag))
            .await
            .map_err(|_| MailboxError::new(Attempt::Wait, Reason::TimedOut(limits.idle_end)))??;
        Ok(Idled::Woken(if self.news { Woken::NewMail } else { woken }))
    }

    async fn idle_begins(&mut self, tag: &Tag) -> Result<(), MailboxError> {
        loop {
            match self.hear(Attempt::Wait, tag, &mut ignore).await? {
                Heard::Continue => return Ok(()),
                Heard::Response => {}
                Heard::Done(_) => return Err(ended_early()),
            }
        }
    }

    async fn idle_goes_on(
        &mut self,
        tag: &Tag,
        deadline: Instant,
        called: impl Future<Output = ()> + Send,
    ) -> Result<Woken, MailboxError> {
        tokio::pin!(called);
        let mut sink = ignore;
        // News may have come before the server said that it is idling.
        while !self.news {
            tokio::select! {
                heard = timeout_at(deadline, self.hear(Attempt::Wait, tag, &mut sink)) => {
                    match heard {
                        Ok(Ok(Heard::Response | Heard::Continue)) => {}
                        Ok(Ok(Heard::Done(_))) => return Err(ended_early()),
                        Ok(Err(error)) => return Err(error),
                        Err(_) => return Ok(Woken::Quiet),
                    }
                }
                () = &mut called => return Ok(Woken::Called),
            }
        }
        Ok(Woken::NewMail)
    }

    async fn idle_ends(&mut self, tag: &Tag) -> Result<(), MailboxError> {
        loop {
            if let Heard::Done(_) = self.hear(Attempt::Wait, tag, &mut ignore).await? {
                return Ok(());
            }
        }
    }
}

fn ignore(_: &Response<'_>) {}

fn ended_early() -> MailboxError {
    MailboxError::new(Attempt::Wait, Reason::Unexpected("IDLE ended by itself"))
}
