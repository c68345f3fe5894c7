//! Opening the folder, and what the server then says about it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a server says much that does not concern the command under way"
)]

use std::collections::BTreeSet;

use imap_proto::{Capability, MailboxDatum, Response, ResponseCode};

use super::account::ImapAccount;
use super::error::{Attempt, MailboxError, Reason};
use super::utf7;
use super::wire::Wire;

/// The open folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent answers of the server")]
pub struct Selected {
    /// Changes when the server's UIDs start afresh; the cursor is worthless then.
    pub uid_validity: u32,
    /// The UID that the next message will have at least. Going backwards means that the folder
    /// was restored from a backup.
    pub uid_next: Option<u32>,
    /// How many messages it holds.
    pub exists: u32,
    /// We may not move or mark.
    pub read_only: bool,
    /// The server has MOVE (RFC 6851).
    pub may_move: bool,
    /// The folder takes keywords of our own. Exchange does not.
    pub may_keyword: bool,
    /// The server has IDLE (RFC 2177).
    pub idle: bool,
}

/// What the server says it can do, upper case.
#[derive(Debug, Default, Clone)]
pub(super) struct Capabilities(BTreeSet<String>);

impl Capabilities {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl Wire {
    pub(super) async fn capabilities(
        &mut self,
        account: &ImapAccount,
    ) -> Result<Capabilities, MailboxError> {
        let mut found = None;
        self.run(Attempt::Capability, "CAPABILITY", account.timeouts.command, |response| {
            if let Response::Capabilities(list) = response {
                let names = list.iter().filter_map(|capability| match capability {
                    Capability::Atom(name) => Some(name.to_ascii_uppercase()),
                    Capability::Imap4rev1 | Capability::Auth(_) => None,
                });
                found = Some(Capabilities(names.collect()));
            }
        })
        .await?;
        let silent = Reason::Unexpected("no list of capabilities");
        found.ok_or_else(|| MailboxError::new(Attempt::Capability, silent))
    }

    /// Opens the account's folder.
    pub(super) async fn select(
        &mut self,
        account: &ImapAccount,
        can: &Capabilities,
    ) -> Result<Selected, MailboxError> {
        let folder = self.folder_on_wire(account, Attempt::Select, &account.folder).await?;
        let command = format!("SELECT {folder}");
        let (mut uid_validity, mut uid_next, mut exists, mut keywords) = (None, None, None, false);
        // No folder is open while the next one opens, so nothing can be said to have changed.
        self.uid_validity = None;
        let done = self
            .run(Attempt::Select, &command, account.timeouts.command, |response| match response {
                Response::MailboxData(MailboxDatum::Exists(count)) => exists = Some(*count),
                // An untagged NO is a warning (quota, disk) and no refusal.
                Response::Data { outcome, .. } => match &outcome.code {
                    Some(ResponseCode::UidValidity(value)) => uid_validity = Some(*value),
                    Some(ResponseCode::UidNext(value)) => uid_next = Some(*value),
                    Some(ResponseCode::PermanentFlags(flags)) => {
                        keywords = flags.iter().any(|flag| flag == "\\*");
                    }
                    _ => {}
                },
                _ => {}
            })
            .await?;
        let unexpected = |what| MailboxError::new(Attempt::Select, Reason::Unexpected(what));
        // Without it, or with one that is no 32-bit number, UIDs mean nothing (RFC 3501 2.3.1.1).
        let uid_validity = uid_validity
            .filter(|value| *value > 0)
            .ok_or_else(|| unexpected("no usable UIDVALIDITY"))?;
        let exists = exists.ok_or_else(|| unexpected("no message count"))?;
        (self.uid_validity, self.exists, self.news) = (Some(uid_validity), exists, false);
        Ok(Selected {
            uid_validity,
            uid_next,
            exists,
            read_only: done.read_only,
            may_move: can.has("MOVE"),
            may_keyword: keywords && !done.read_only,
            idle: can.has("IDLE") && account.idle,
        })
    }

    /// A folder's name as this server writes it: its own sign between levels, encoded, quoted.
    pub(super) async fn folder_on_wire(
        &mut self,
        account: &ImapAccount,
        attempt: Attempt,
        folder: &str,
    ) -> Result<String, MailboxError> {
        let mut levels = None;
        if folder.contains('/') {
            self.run(attempt, "LIST \"\" \"\"", account.timeouts.command, |response| {
                if let Response::MailboxData(MailboxDatum::List(list)) = response {
                    levels = list.delimiter.as_deref().map(str::to_owned);
                }
            })
            .await?;
        }
        let name = match levels {
            Some(sign) if sign != "/" => folder.replace('/', &sign),
            _ => folder.to_owned(),
        };
        let fault = "a folder's name must not be empty or hold control characters";
        utf7::quoted(&name).ok_or_else(|| MailboxError::new(attempt, Reason::Account(fault)))
    }
}
