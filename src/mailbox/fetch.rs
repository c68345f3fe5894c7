//! Messages as bytes.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a server says much that does not concern the command under way"
)]

use std::collections::BTreeMap;
use std::fmt;

use imap_proto::{AttributeValue, Response};
use jiff::Timestamp;

use super::account::ImapAccount;
use super::error::{Attempt, MailboxError, Reason};
use super::list::read_internal_date;
use super::uidset::sequence_set;
use super::wire::Wire;

/// A message as the server gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its number in the folder.
    pub uid: u32,
    /// When the server received it.
    pub internal_date: Option<Timestamp>,
    /// The whole message.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("uid", &self.uid)
            .field("internal_date", &self.internal_date)
            .field("bytes", &format_args!("{} bytes", self.bytes.len()))
            .finish()
    }
}

/// What a fetch brought: every UID asked for is in exactly one of the three.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The messages, by UID.
    pub messages: Vec<Fetched>,
    /// No longer there: someone moved or deleted them.
    pub missing: Vec<u32>,
    /// There, but the server refuses to give them or its answer cannot be read. Worth another try
    /// later; after three a person should look.
    pub refused: Vec<u32>,
}

impl Wire {
    /// Reads messages with one command. `BODY.PEEK` leaves them unseen for the officers who share
    /// the mailbox; ENVELOPE and BODYSTRUCTURE are never asked for, as servers make invalid ones
    /// of real mail.
    ///
    /// Whatever came is thrown away unless the server then says OK.
    pub(super) async fn fetch(
        &mut self,
        account: &ImapAccount,
        uids: &[u32],
    ) -> Result<BTreeMap<u32, Answer>, MailboxError> {
        let set = sequence_set(uids);
        let command = format!("UID FETCH {set} (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])");
        let mut got: BTreeMap<u32, Answer> = BTreeMap::new();
        self.run(Attempt::Fetch, &command, account.timeouts.command, |response| {
            let Some((uid, answer)) = read_message(response) else { return };
            // Servers tell of other messages' flags at any time; a body is what we asked for.
            if uids.binary_search(&uid).is_ok() {
                let known = got.entry(uid).or_insert(Answer::Nothing);
                if !matches!(known, Answer::Message(_)) {
                    *known = answer;
                }
            }
        })
        .await?;
        Ok(got)
    }

    /// Reads a piece of a message; `None` if the message is gone.
    pub(super) async fn fetch_piece(
        &mut self,
        account: &ImapAccount,
        uid: u32,
        offset: u32,
        length: u32,
    ) -> Result<Option<Vec<u8>>, MailboxError> {
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<{offset}.{length}>)");
        let mut piece = None;
        self.run(Attempt::Fetch, &command, account.timeouts.command, |response| {
            if piece.is_none() {
                piece = read_piece(response, uid, offset);
            }
        })
        .await?;
        let unexpected = |what| MailboxError::new(Attempt::Fetch, Reason::Unexpected(what));
        match piece {
            Some(Piece::Elsewhere) => Err(unexpected("another piece than was asked for")),
            Some(Piece::Bytes(bytes)) if bytes.len() > length as usize => {
                Err(unexpected("more than was asked for"))
            }
            Some(Piece::Bytes(bytes)) => Ok(Some(bytes)),
            None => Ok(None),
        }
    }
}

/// What the server said about one message.
pub(super) enum Answer {
    Message(Fetched),
    /// `BODY[] NIL`: there, but not given. To be asked for again, not an empty message.
    Nothing,
}

fn read_message(response: &Response<'_>) -> Option<(u32, Answer)> {
    let Response::Fetch(_, attributes) = response else { return None };
    let (mut uid, mut internal_date, mut body) = (None, None, None);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::InternalDate(text) => internal_date = read_internal_date(text),
            AttributeValue::BodySection { section: None, index: None, data } => {
                body = Some(data.as_deref());
            }
            _ => {}
        }
    }
    let uid = uid?;
    let answer = match body? {
        Some(bytes) => Answer::Message(Fetched { uid, internal_date, bytes: bytes.to_vec() }),
        None => Answer::Nothing,
    };
    Some((uid, answer))
}

enum Piece {
    Bytes(Vec<u8>),
    Elsewhere,
}

fn read_piece(response: &Response<'_>, wanted: u32, offset: u32) -> Option<Piece> {
    let Response::Fetch(_, attributes) = response else { return None };
    attributes.iter().find(|attribute| **attribute == AttributeValue::Uid(wanted))?;
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::BodySection { section: None, index, data } => {
            let data = data.as_deref().unwrap_or_default();
            // Beyond the end some servers leave the origin out.
            let placed = *index == Some(offset) || (index.is_none() && data.is_empty());
            Some(if placed { Piece::Bytes(data.to_vec()) } else { Piece::Elsewhere })
        }
        _ => None,
    })
}
