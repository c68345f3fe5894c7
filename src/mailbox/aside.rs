//! Setting messages aside once they are safe with us. Nothing is ever deleted.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a server says much that does not concern the command under way"
)]

use std::borrow::Cow;
use std::collections::BTreeSet;

use imap_proto::{AttributeValue, Response, ResponseCode};

use super::account::ImapAccount;
use super::error::{Attempt, MailboxError};
use super::uidset::{named, sequence_set};
use super::wire::Wire;

/// How messages were set aside.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum AsideBy {
    /// Moved to the processed folder.
    Move,
    /// Marked with the keyword `PosternDone`.
    Keyword,
    /// Not at all: the server allows neither, and only our own cursor knows.
    #[default]
    Nothing,
}

/// What setting aside came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Aside {
    /// How it was done.
    pub by: AsideBy,
    /// The messages that were set aside, as the server itself reported.
    pub done: Vec<u32>,
    /// The messages that were not: already moved, here or by someone else.
    pub absent: Vec<u32>,
}

/// Marks what we have. A keyword and not `\Seen`: officers read the same mailbox.
const KEYWORD: &str = "PosternDone";

impl Wire {
    /// Moves messages with one command (RFC 6851), making the folder if it is not there.
    ///
    /// OK proves nothing, as servers say it of messages that do not exist: COPYUID tells what was
    /// moved (RFC 4315), and without it a second look at what is left.
    pub(super) async fn move_to(
        &mut self,
        account: &ImapAccount,
        uids: &[u32],
        folder: &str,
    ) -> Result<Vec<u32>, MailboxError> {
        let limit = account.timeouts.command;
        let folder = self.folder_on_wire(account, Attempt::SetAside, folder).await?;
        let before = self.present(account, uids).await?;
        if before.is_empty() {
            return Ok(Vec::new());
        }
        let command = format!("UID MOVE {} {folder}", sequence_set(&before));
        let mut moved = BTreeSet::new();
        let mut told = false;
        for again in [true, false] {
            let done = self
                .run(Attempt::SetAside, &command, limit, |response| {
                    if let Some(ResponseCode::CopyUid(_, from, _)) = code_in(response) {
                        told = true;
                        moved.extend(named(&before, from));
                    }
                })
                .await;
            match done {
                Ok(_) => break,
                Err(error) if again && !error.ends_connection() => {
                    // Not every server says TRYCREATE. A refusal to create is the better error
                    // only if the folder is what was missing.
                    let create = format!("CREATE {folder}");
                    match self.run(Attempt::SetAside, &create, limit, |_| {}).await {
                        Ok(_) => {}
                        Err(create) if create.ends_connection() => return Err(create),
                        Err(_) => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        if !told {
            let left = self.present(account, &before).await?;
            moved.extend(before.into_iter().filter(|uid| left.binary_search(uid).is_err()));
        }
        Ok(moved.into_iter().collect())
    }

    /// Marks messages with our keyword; those that the server confirmed.
    pub(super) async fn mark(
        &mut self,
        account: &ImapAccount,
        uids: &[u32],
    ) -> Result<Vec<u32>, MailboxError> {
        let store = format!("UID STORE {} +FLAGS.SILENT ({KEYWORD})", sequence_set(uids));
        self.run(Attempt::SetAside, &store, account.timeouts.command, |_| {}).await?;
        // Servers report only what changed, so a repeated mark would look like none.
        self.look(account, uids, |flags| flags.iter().any(|f| f.eq_ignore_ascii_case(KEYWORD)))
            .await
    }

    /// Which of these messages the folder still holds.
    async fn present(
        &mut self,
        account: &ImapAccount,
        uids: &[u32],
    ) -> Result<Vec<u32>, MailboxError> {
        self.look(account, uids, |_| true).await
    }

    /// Which of these messages are there with flags that fit.
    async fn look(
        &mut self,
        account: &ImapAccount,
        uids: &[u32],
        fits: impl Fn(&[Cow<'_, str>]) -> bool + Send + Sync,
    ) -> Result<Vec<u32>, MailboxError> {
        let command = format!("UID FETCH {} (UID FLAGS)", sequence_set(uids));
        let mut found = BTreeSet::new();
        self.run(Attempt::SetAside, &command, account.timeouts.command, |response| {
            if let Some((uid, flags)) = uid_and_flags(response)
                && uids.binary_search(&uid).is_ok()
                && fits(flags)
            {
                found.insert(uid);
            }
        })
        .await?;
        Ok(found.into_iter().collect())
    }
}

fn code_in<'a>(response: &'a Response<'a>) -> Option<&'a ResponseCode<'a>> {
    match response {
        Response::Data { outcome, .. } | Response::Done { outcome, .. } => outcome.code.as_ref(),
        _ => None,
    }
}

fn uid_and_flags<'a>(response: &'a Response<'a>) -> Option<(u32, &'a [Cow<'a, str>])> {
    let Response::Fetch(_, attributes) = response else { return None };
    let (mut uid, mut flags) = (None, None);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::Flags(list) => flags = Some(list.as_slice()),
            _ => {}
        }
    }
    Some((uid?, flags?))
}
