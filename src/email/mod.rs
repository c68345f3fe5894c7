//! What arrived: bytes in, an [`Email`] out.
//!
//! [`read`] never fails: it returns what could be read and names what was wrong with it.
//! The raw bytes are never changed by anything here.

mod address;
mod advert;
mod authentication;
mod banner;
mod bounce;
mod charset;
mod containers;
mod content;
mod forward;
mod header;
mod html;
mod kind;
mod kind_rows;
mod links;
mod mime;
mod parameters;
mod parse;
mod phrases;
mod reader;
mod reference;
mod reply;
mod robot;
mod sieve;
mod text;
mod tnef;
mod transfer;

pub use authentication::SenderProof;
pub use parse::{attached_bytes, header_scan, hexadecimal, read, uploaded};
pub use reader::Reader;
pub use reference::find_references;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::private::Private;

/// What a message is, from its own headers and form (`corpus/mail` kinds, contract `inspect`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person wrote it.
    Human,
    /// A machine answered (RFC 3834 `auto-replied` and its many dialects).
    AutoReply,
    /// A person's machine says that they are away.
    OutOfOffice,
    /// A delivery report or any other "could not be delivered".
    Bounce,
    /// A disposition notification (RFC 8098).
    ReadReceipt,
    /// An abuse feedback report (RFC 5965).
    AbuseReport,
    /// Sent through a mailing list.
    MailingList,
    /// Bulk mail that many people get.
    Newsletter,
    /// A machine's own mail: ticket systems, monitoring, no-reply notices.
    Notification,
    /// An invitation or an answer to one.
    Calendar,
    /// Our own mail come back.
    OwnMessage,
    /// Marked as spam by the mail system that delivered it.
    Spam,
    /// Not a message at all, or so broken that nothing can be said of it.
    Malformed,
}

impl Kind {
    /// Whether a machine sent it, so that nothing automatic may ever answer it.
    pub fn is_automatic(self) -> bool {
        !matches!(self, Self::Human | Self::Malformed)
    }
}

/// The header or phrase that made a [`Kind`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindEvidence {
    /// The header's name, or `body` or `subject` where words decided.
    pub header: String,
    /// What stood there (cut to 200 characters).
    pub value: Private<String>,
}

/// An address with the name beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// `local@domain`, the domain in lower case.
    pub address: Private<String>,
    /// The display name, cleaned of control and bidirectional characters.
    pub name: Option<Private<String>>,
}

/// Who a bounce would go to, as the delivering server recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnPath {
    /// No `Return-Path` header: says nothing either way.
    #[default]
    Unknown,
    /// `<>`: must never be answered (RFC 5321 section 4.5.5).
    Null,
    /// An address.
    Address(Private<String>),
}

/// A part that is not the text or HTML body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Decoded file name, cleaned for display (no path, control or bidirectional characters).
    pub name: Option<Private<String>>,
    /// Media type, lower case: by its content where that tells, else as declared where that is
    /// harmless. Nothing that is offered to a person goes by the declared one.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Media type as its sender declared it, lower case.
    #[serde(default)]
    pub declared: String,
    /// Size after decoding.
    pub bytes: u64,
    /// SHA-256 of the decoded bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Shown inside the text (a logo, a pasted picture) rather than attached.
    pub inline: bool,
    /// What a person should know before opening it.
    #[serde(default)]
    pub notes: Vec<Note>,
}

/// What a person should know of a file before opening it. Found by looking at marks: a file without
/// a note is not thereby a good one.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// Locked with a password, or encrypted to somebody (S/MIME, PGP): no scanner sees inside.
    Encrypted,
    /// A signature, or wrapped in one.
    Signed,
    /// Carries macros.
    Macros,
    /// A program, or something that a desktop starts when it is opened, or an archive with one in it.
    Executable,
    /// Its name says one thing and its content another.
    Misnamed,
}

impl Note {
    /// In words for a person, to stand behind the file's name.
    pub fn words(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted or locked with a password",
            Self::Signed => "signed",
            Self::Macros => "carries macros",
            Self::Executable => "a program or holds one",
            Self::Misnamed => "not what its name says",
        }
    }
}

/// The message that a person forwarded inline or as an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Forwarded {
    /// Address of its author.
    pub from: Option<Private<String>>,
    /// Its subject.
    pub subject: Option<Private<String>>,
    /// Its date, as written there.
    pub date: Option<String>,
}

/// What a delivery report says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bounce {
    /// The addresses that failed.
    pub recipient: Vec<Private<String>>,
    /// RFC 3463 codes.
    pub status: Vec<String>,
    /// RFC 3464 action (`failed`, `delayed`, …) where given.
    pub action: Option<String>,
    /// Message-ID of the message that bounced, without angle brackets.
    pub original_message_id: Option<String>,
}

/// What a person filled into the council's own web form, which a machine sent on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilledForm {
    /// Which layout it has.
    pub layout: String,
    /// The address that the form sends from.
    pub sender: Private<String>,
    /// What was answered, by the layout's own word for the question, in the form's order.
    pub answers: Vec<(String, Private<String>)>,
}

/// Everything that the gateway understands of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// What it is.
    pub kind: Kind,
    /// Why.
    pub kind_evidence: Vec<KindEvidence>,
    /// Its author, where exactly one valid address is given.
    pub from: Option<Address>,
    /// Whether that address is the sender's own, as the council's mail server saw it.
    pub sender_proof: SenderProof,
    /// How many mailboxes stand in `From` headers: anything but 1 is odd and never answered.
    pub from_count: usize,
    /// `Reply-To` addresses.
    pub reply_to: Vec<Private<String>>,
    /// Envelope sender as recorded at delivery.
    pub return_path: ReturnPath,
    /// `To` and `Cc` addresses, in order.
    pub to: Vec<Private<String>>,
    /// `Cc` alone.
    pub cc: Vec<Private<String>>,
    /// Every address that says which mailbox it was delivered to (`Delivered-To`, `X-Original-To`,
    /// `Envelope-To`, `Resent-To`), besides `to`.
    pub delivered_to: Vec<Private<String>>,
    /// Decoded subject.
    pub subject: Option<Private<String>>,
    /// The sender's own date, where valid: advisory only.
    pub date: Option<Timestamp>,
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// Without angle brackets.
    pub in_reply_to: Vec<String>,
    /// Without angle brackets, oldest first.
    pub references: Vec<String>,
    /// Our case references that stand in the subject or body, in canonical spelling.
    pub case_references: Vec<String>,
    /// The whole readable text.
    pub text: Private<String>,
    /// Only what this sender newly wrote.
    pub reply_text: Private<String>,
    /// Every part that is not the text or HTML body.
    pub attachments: Vec<Attachment>,
    /// The message forwarded, where there is one.
    pub forwarded: Option<Forwarded>,
    /// What a delivery report says.
    pub bounce: Option<Bounce>,
    /// The web form that it came by. Whoever filled it in is then its author, unproven.
    #[serde(default)]
    pub form: Option<FilledForm>,
    /// Whether any of the signals of RFC 3834 and its dialects forbid an automatic answer, beyond
    /// what `kind` says: the header names (for example `Precedence`, `X-Auto-Response-Suppress`).
    pub suppress_answer: Vec<String>,
    /// SHA-256 over what stays the same when one message is delivered to two mailboxes or rebuilt
    /// by the server: Message-ID, Date, From, Subject and the readable text, with no trace headers.
    pub fingerprint: String,
    /// What was wrong with it, in words for a person, naming nobody.
    pub problems: Vec<String>,
}

impl Email {
    /// A message from nobody that says nothing: what a caller without bytes fills in.
    pub fn blank() -> Self {
        Self {
            kind: Kind::Human,
            kind_evidence: Vec::new(),
            from: None,
            sender_proof: SenderProof::Unknown,
            from_count: 1,
            reply_to: Vec::new(),
            return_path: ReturnPath::Unknown,
            to: Vec::new(),
            cc: Vec::new(),
            delivered_to: Vec::new(),
            subject: None,
            date: None,
            message_id: None,
            in_reply_to: Vec::new(),
            references: Vec::new(),
            case_references: Vec::new(),
            text: Private::default(),
            reply_text: Private::default(),
            attachments: Vec::new(),
            forwarded: None,
            bounce: None,
            form: None,
            suppress_answer: Vec::new(),
            fingerprint: String::new(),
            problems: Vec::new(),
        }
    }
}

/// What bounds the reading of one message; exceeding one never loses it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Prefix of our case references (`NCC`).
    pub reference_prefix: String,
    /// Addresses that are ours, lower case, without plus part.
    pub own_addresses: Vec<String>,
    /// Domains of our own outgoing Message-IDs, lower case.
    pub own_domains: Vec<String>,
    /// Servers whose `Authentication-Results` are believed (RFC 8601 authserv-ids); `topmost` stands
    /// for one that writes no name.
    pub authentication_servers: Vec<String>,
    /// Longest text kept for rules and display, in bytes.
    pub text_bytes: usize,
    /// Longest HTML converted with layout, in bytes.
    pub html_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reference_prefix: "NCC".to_owned(),
            own_addresses: Vec::new(),
            own_domains: Vec::new(),
            authentication_servers: Vec::new(),
            text_bytes: 256 * 1024,
            html_bytes: 1024 * 1024,
        }
    }
}
