//! Where mail comes from: an IMAP folder or a Maildir.
//!
//! Nothing here keeps a message, and nothing here deletes one. Reading never marks a message as
//! seen; only after its bytes are safe elsewhere does a caller ask for it to be set aside.
//!
//! A refusal, a closed connection and a silence are all errors ([`MailboxError`]), never an empty
//! answer: a mailbox that looks empty because the server said no would be mail lost in plain sight.

mod account;
mod aside;
mod backoff;
mod dial;
mod error;
mod fetch;
mod idle;
mod imap;
mod list;
mod login;
mod maildir;
mod meter;
mod select;
mod uidset;
mod utf7;
mod wire;

pub use account::{ImapAccount, Secret, Security, Timeouts};
pub use aside::{Aside, AsideBy};
pub use backoff::Backoff;
pub use error::{Attempt, Class, MailboxError, Reason};
pub use fetch::{Batch, Fetched};
pub use idle::Woken;
pub use imap::Session;
pub use list::{PIECE_BYTES, WINDOW_BYTES, WINDOW_MESSAGES, Waiting, windows};
pub use maildir::{Maildir, MaildirEntry, MaildirError};
pub use select::Selected;
