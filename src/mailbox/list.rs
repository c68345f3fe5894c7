//! Which messages wait.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a server says much that does not concern the command under way"
)]

use imap_proto::{AttributeValue, Response};
use jiff::Timestamp;

use super::account::ImapAccount;
use super::error::{Attempt, MailboxError};
use super::wire::Wire;

/// A message that waits in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its number in the folder.
    pub uid: u32,
    /// Its size in bytes as the server counts; `None` if the server will not say. What is then
    /// fetched may be larger or smaller: Exchange rebuilds messages as they are read.
    pub size: Option<u32>,
    /// When the server received it.
    pub internal_date: Option<Timestamp>,
}

/// How many messages one fetch asks for at most.
pub const WINDOW_MESSAGES: usize = 50;

/// How many bytes one fetch brings at most, unless a single message is larger.
pub const WINDOW_BYTES: u64 = 8 * 1024 * 1024;

/// How many bytes of a large message one piece brings: [`super::Session::fetch_piece`] in steps of
/// this much keeps memory flat.
pub const PIECE_BYTES: u32 = 1024 * 1024;

/// Messages in sets that are each fetched with one command: at most [`WINDOW_MESSAGES`] and
/// [`WINDOW_BYTES`]. A message without a size, or larger than a window, stands alone.
pub fn windows(mut waiting: &[Waiting]) -> impl Iterator<Item = &[Waiting]> {
    std::iter::from_fn(move || {
        let mut bytes = 0_u64;
        let fitting = waiting.iter().take(WINDOW_MESSAGES).take_while(|message| {
            bytes += message.size.map_or(WINDOW_BYTES, u64::from);
            bytes <= WINDOW_BYTES
        });
        let count = fitting.count().max(1);
        let (window, rest) = waiting.split_at_checked(count)?;
        waiting = rest;
        Some(window)
    })
}

/// How many UIDs one command spans. Answers grow with the messages in it, not with the numbers.
const SPAN: u32 = 20_000;

/// After this many messages a list ends; the next one goes on from there.
const LIST_MOST: usize = 20_000;

/// How many refusals one list bears before it gives up.
const REFUSALS_MOST: u32 = 64;

#[derive(Default)]
struct Refusals {
    count: u32,
    last: Option<MailboxError>,
}

/// UIDs from one to another; without an end, to the last of the folder.
type Span = (u32, Option<u32>);

impl Wire {
    /// Messages with UIDs above `after`, ascending, about [`LIST_MOST`] at most.
    ///
    /// UIDs are asked for in spans from the cursor to UIDNEXT. A span that is refused is halved
    /// until the one message that the server cannot read stands alone; that one is listed without
    /// a size, so that it blocks nothing behind it.
    pub(super) async fn list(
        &mut self,
        account: &ImapAccount,
        after: u32,
        uid_next: Option<u32>,
    ) -> Result<Vec<Waiting>, MailboxError> {
        self.news = false;
        let mut found = Vec::new();
        let Some(mut from) = after.checked_add(1) else { return Ok(found) };
        if self.exists == 0 {
            // Some servers call any number wrong in an empty folder.
            self.run(Attempt::List, "NOOP", account.timeouts.command, |_| {}).await?;
            if self.exists == 0 {
                return Ok(found);
            }
        }
        let (mut width, mut refusals) = (SPAN, Refusals::default());
        loop {
            let until = from.saturating_add(width - 1);
            // The last span is open, for what arrived since UIDNEXT was said. It also covers
            // servers that never say UIDNEXT.
            let last = uid_next.is_none_or(|next| until >= next.saturating_sub(1));
            let span = (from, (!last).then_some(until));
            let before = found.len();
            self.list_span(account, span, uid_next, &mut refusals, &mut found).await?;
            // `n:*` also gives the last message when n lies beyond it (RFC 3501 section 6.4.8).
            found.retain(|waiting: &Waiting| waiting.uid > after);
            if last || found.len() >= LIST_MOST {
                break;
            }
            from = until.saturating_add(1);
            // UIDs can have gaps of thousands of millions: an empty stretch is crossed in
            // ever longer steps.
            width = if found.len() == before { width.saturating_mul(4) } else { SPAN };
        }
        // When nothing can be listed it is hardly the messages.
        if let Some(error) = refusals.last
            && found.len() > 1
            && found.iter().all(|waiting| waiting.size.is_none())
        {
            return Err(error);
        }
        found.sort_unstable_by_key(|waiting| waiting.uid);
        found.dedup_by_key(|waiting| waiting.uid);
        Ok(found)
    }

    async fn list_span(
        &mut self,
        account: &ImapAccount,
        span: Span,
        uid_next: Option<u32>,
        refusals: &mut Refusals,
        found: &mut Vec<Waiting>,
    ) -> Result<(), MailboxError> {
        let mut spans = vec![span];
        while let Some(span) = spans.pop() {
            match self.list_once(account, span, found).await {
                Ok(()) => {}
                Err(error) if error.ends_connection() || !error.may_be_one_message() => {
                    return Err(error);
                }
                Err(error) => {
                    refusals.count += 1;
                    if refusals.count > REFUSALS_MOST {
                        return Err(error);
                    }
                    match halves(span, uid_next) {
                        Halves::Two(lower, upper) => spans.extend([upper, lower]),
                        Halves::One(uid) => {
                            found.push(Waiting { uid, size: None, internal_date: None });
                        }
                        Halves::Open => return Err(error),
                    }
                    refusals.last = Some(error);
                }
            }
        }
        Ok(())
    }

    async fn list_once(
        &mut self,
        account: &ImapAccount,
        (from, until): Span,
        found: &mut Vec<Waiting>,
    ) -> Result<(), MailboxError> {
        let until_text = until.map_or_else(|| "*".to_owned(), |uid| uid.to_string());
        let command = format!("UID FETCH {from}:{until_text} (UID INTERNALDATE RFC822.SIZE)");
        let mut seen = Vec::new();
        self.run(Attempt::List, &command, account.timeouts.command, |response| {
            // Servers tell of other messages' flags at any time, without a size.
            let waiting = listed(response);
            seen.extend(waiting.filter(|waiting| until.is_none_or(|until| waiting.uid <= until)));
        })
        .await?;
        found.append(&mut seen);
        Ok(())
    }
}

enum Halves {
    Two(Span, Span),
    One(u32),
    Open,
}

fn halves((from, until): Span, uid_next: Option<u32>) -> Halves {
    match until.or(uid_next.map(|next| next.saturating_sub(1))) {
        Some(until) if until > from => {
            let middle = from + (until - from) / 2;
            Halves::Two((from, Some(middle)), (middle + 1, Some(until)))
        }
        Some(until) if until == from => Halves::One(from),
        Some(_) | None => Halves::Open,
    }
}

fn listed(response: &Response<'_>) -> Option<Waiting> {
    let Response::Fetch(_, attributes) = response else { return None };
    let (mut uid, mut size, mut internal_date) = (None, None, None);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::Rfc822Size(value) => size = Some(*value),
            AttributeValue::InternalDate(text) => internal_date = read_internal_date(text),
            _ => {}
        }
    }
    Some(Waiting { uid: uid?, size: Some(size?), internal_date })
}

/// `17-Jul-1996 02:44:25 -0700`; nothing for rubbish, which servers do send.
pub(super) fn read_internal_date(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(sizes: &[Option<u32>]) -> Vec<Waiting> {
        (1..)
            .zip(sizes)
            .map(|(uid, size)| Waiting { uid, size: *size, internal_date: None })
            .collect()
    }

    #[test]
    fn windows_keep_to_their_count_and_bytes() {
        let lengths = |sizes: &[Option<u32>]| -> Vec<usize> {
            windows(&waiting(sizes)).map(<[Waiting]>::len).collect()
        };
        assert_eq!(lengths(&[]), Vec::<usize>::new());
        assert_eq!(lengths(&[Some(10); 120]), [50, 50, 20]);
        assert_eq!(lengths(&[Some(3_000_000); 5]), [2, 2, 1]);
        assert_eq!(lengths(&[Some(1), Some(100_000_000), Some(1)]), [1, 1, 1]);
        assert_eq!(lengths(&[Some(1), None, Some(1)]), [1, 1, 1]);
    }

    #[test]
    fn server_dates_are_read_with_their_offset() {
        let check = |text, expected: &str| {
            assert_eq!(
                read_internal_date(text).map(|at| at.to_string()).as_deref(),
                Some(expected)
            );
        };
        check("17-Jul-1996 02:44:25 -0700", "1996-07-17T09:44:25Z");
        check(" 1-Mar-2026 23:30:00 +0000", "2026-03-01T23:30:00Z");
        assert_eq!(read_internal_date("yesterday"), None);
    }
}
