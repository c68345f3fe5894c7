//! One command and its whole answer.
//!
//! The library's own command functions turn a refusal, a goodbye or a closed connection into an
//! empty success, so none of them is used after the login. [`Wire::run`] sends a command, hands
//! every untagged response to the caller, and ends only at the tagged reply with our own tag, or
//! with an error that says what happened instead.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a server says much that does not concern the command under way"
)]

use std::time::Duration;

use imap_proto::{MailboxDatum, Outcome, Response, ResponseCode, Status};
use tokio::time::{Instant, timeout, timeout_at};

use super::dial::Stream;
use super::error::{Attempt, MailboxError, Reason, code_in};

/// A long answer must bring at least this many bytes in each time limit.
const PROGRESS_BYTES: u64 = 64 * 1024;

/// A logged-in connection.
pub(super) struct Wire {
    session: async_imap::Session<Stream>,
    /// How many messages the folder holds, as the server last said.
    pub(super) exists: u32,
    /// A larger EXISTS was announced and nobody has looked since.
    pub(super) news: bool,
    /// The folder's UIDVALIDITY while one is open.
    pub(super) uid_validity: Option<u32>,
}

/// What came with a tagged OK that a caller may want.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) read_only: bool,
}

/// What a look at the wire brought.
pub(super) enum Heard {
    /// A response was handled.
    Response,
    /// The command is over.
    Done(Done),
    /// The server asks us to go on.
    Continue,
}

impl Wire {
    pub(super) fn new(session: async_imap::Session<Stream>) -> Self {
        Self { session, exists: 0, news: false, uid_validity: None }
    }

    /// Sends one command and reads to its tagged reply. `sink` sees every untagged response.
    ///
    /// The reply must come within `limit`, or keep coming at a decent pace.
    pub(super) async fn run(
        &mut self,
        attempt: Attempt,
        command: &str,
        limit: Duration,
        mut sink: impl FnMut(&Response<'_>) + Send,
    ) -> Result<Done, MailboxError> {
        let tag = self.send(attempt, command, limit).await?;
        let mut deadline = Instant::now() + limit;
        let mut received = self.session.get_ref().received();
        loop {
            match timeout_at(deadline, self.hear(attempt, &tag, &mut sink)).await {
                Ok(Ok(Heard::Done(done))) => return Ok(done),
                Ok(Ok(Heard::Response)) => {}
                Ok(Ok(Heard::Continue)) => {
                    let reason = Reason::Unexpected("a continuation that was not asked for");
                    return Err(MailboxError::new(attempt, reason));
                }
                Ok(Err(error)) => return Err(error),
                Err(_) if self.session.get_ref().received() >= received + PROGRESS_BYTES => {
                    received = self.session.get_ref().received();
                    deadline = Instant::now() + limit;
                }
                Err(_) => return Err(MailboxError::new(attempt, Reason::TimedOut(limit))),
            }
        }
    }

    /// Sends a command; its tag.
    pub(super) async fn send(
        &mut self,
        attempt: Attempt,
        command: &str,
        limit: Duration,
    ) -> Result<Tag, MailboxError> {
        timeout(limit, self.session.run_command(command))
            .await
            .map_err(|_| MailboxError::new(attempt, Reason::TimedOut(limit)))?
            .map(|id| Tag(id.0))
            .map_err(|_| MailboxError::new(attempt, Reason::Closed))
    }

    /// Sends a line that is no command of its own (`DONE`).
    pub(super) async fn send_line(
        &mut self,
        attempt: Attempt,
        line: &str,
        limit: Duration,
    ) -> Result<(), MailboxError> {
        timeout(limit, self.session.run_command_untagged(line))
            .await
            .map_err(|_| MailboxError::new(attempt, Reason::TimedOut(limit)))?
            .map_err(|_| MailboxError::new(attempt, Reason::Closed))
    }

    /// Reads and handles one response. May be dropped at any point without losing one.
    pub(super) async fn hear(
        &mut self,
        attempt: Attempt,
        tag: &Tag,
        sink: &mut (impl FnMut(&Response<'_>) + Send),
    ) -> Result<Heard, MailboxError> {
        let failed = |reason| MailboxError::new(attempt, reason);
        let response = self
            .session
            .read_response()
            .await
            .map_err(|error| failed(of_read(&error)))?
            .ok_or_else(|| failed(Reason::Closed))?;
        match response.parsed() {
            Response::Done { tag: theirs, status, outcome } if theirs.0 == tag.0 => {
                let done = of_tagged(status, outcome).map_err(failed)?;
                // COPYUID may come with the tagged reply, too.
                sink(response.parsed());
                return Ok(Heard::Done(done));
            }
            // A reply to something we never asked, or no longer wait for.
            Response::Done { .. } => return Err(failed(Reason::Unexpected("a reply to nothing"))),
            Response::Continue(_) => return Ok(Heard::Continue),
            Response::Data { status: Status::Bye, outcome } => {
                return Err(failed(Reason::Bye(code_of(outcome))));
            }
            other => self.note(other).map_err(failed)?,
        }
        sink(response.parsed());
        Ok(Heard::Response)
    }

    /// What every response may say about the open folder, whatever was asked.
    fn note(&mut self, response: &Response<'_>) -> Result<(), Reason> {
        match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => {
                self.news |= *count > self.exists;
                self.exists = *count;
            }
            Response::Expunge(_) => self.exists = self.exists.saturating_sub(1),
            Response::Data { outcome: Outcome { code: Some(code), .. }, .. } => {
                if let (ResponseCode::UidValidity(now), Some(before)) = (code, self.uid_validity)
                    && *now != before
                {
                    return Err(Reason::Replaced);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The tag of a command under way.
pub(super) struct Tag(String);

/// An error while reading, without its text: the library's text holds the whole buffer.
pub(super) fn of_read(error: &std::io::Error) -> Reason {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::UnexpectedEof | K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe => {
            Reason::Closed
        }
        K::FileTooLarge => Reason::TooLarge,
        // The library reports an answer that it cannot read, or will not hold, as `Other`;
        // TLS reports broken records as `InvalidData`.
        K::Other | K::InvalidData => Reason::Garbled,
        kind => Reason::Unreachable(kind),
    }
}

fn of_tagged(status: &Status, outcome: &Outcome<'_>) -> Result<Done, Reason> {
    match status {
        Status::Ok => Ok(Done { read_only: matches!(outcome.code, Some(ResponseCode::ReadOnly)) }),
        Status::No => Err(Reason::No(code_of(outcome))),
        Status::Bad => Err(Reason::Bad(code_of(outcome))),
        Status::PreAuth | Status::Bye => Err(Reason::Unexpected("a tagged greeting")),
    }
}

/// The code of an answer, as one of our own words. The library knows only a few and leaves the
/// others in the text.
pub(super) fn code_of(outcome: &Outcome<'_>) -> Option<&'static str> {
    match &outcome.code {
        Some(ResponseCode::TryCreate) => Some("TRYCREATE"),
        Some(ResponseCode::ReadOnly) => Some("READ-ONLY"),
        _ => outcome.information.as_deref().and_then(code_in),
    }
}
