//! Where letters leave.
//!
//! A letter is written once ([`message`]), kept with its Message-ID, and handed over by a
//! [`mailer`] as often as it takes; [`retry`] says what an answer means and when to try again.
//! The mail server's answer is a value, [`Delivery`], never an error.
//!
//! What never happens: a letter with two recipients; a send whose answer is read by another; a
//! reply other than 250 taken for acceptance; a server's words, which may quote an address, in a
//! log.

pub mod address;
pub mod dkim;
mod holding;
pub mod links;
pub mod mailer;
pub mod message;
pub mod pace;
pub mod pool;
pub mod queue;
pub mod refusal;
pub mod retry;
pub mod smtp;
mod stream;
mod tick;

pub use address::{AddressFault, MailAddress};
pub use dkim::{KeyFault, Signer};
pub(crate) use holding::{ANSWERS_STOPPED, SEND_OTHERWISE};
pub use links::Wanted;
pub use mailer::{Delay, Delivery, Envelope, Mailer, Reply};
pub use message::{Automatic, Draft, DraftFault};
pub use pace::{DomainLimit, DomainLimits, Pace};
pub use pool::SmtpPool;
pub use queue::{Posting, Sender, TokenCase};
pub(crate) use refusal::LETTERS_HELD;
pub use refusal::{Verdict, refused, verdict};
pub use retry::{Next, next_try, queue_pause};
pub use smtp::{Encryption, Login, SmtpAccount, TimeLimits};
pub use tick::tick;
