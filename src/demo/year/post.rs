//! Messages as people's programs write them, and what is read off a letter of ours.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;

use super::matter::Matter;
use super::mix::Method;
use crate::clock::london;
use crate::outbox::mailer::Delivered;

/// The mailbox that the year arrives in.
pub(super) const COMPLAINTS: &str = "complaints@northmere.example";

/// A message that will arrive.
#[derive(Debug, Clone)]
pub(super) struct Mail {
    /// A name for its file, of this message alone.
    pub(super) name: String,
    pub(super) text: String,
}

/// Who writes to whom, and about what.
pub(super) struct Head<'a> {
    pub(super) from: (&'a str, &'a str),
    pub(super) to: &'a str,
    pub(super) subject: &'a str,
    /// Message-ID of what it answers.
    pub(super) answers: Option<&'a str>,
    pub(super) automatic: bool,
}

impl Mail {
    /// A plain message.
    pub(super) fn plain(name: String, at: Timestamp, head: &Head<'_>, body: &str) -> Self {
        let (who, address) = head.from;
        let domain = address.rsplit('@').next().unwrap_or("example.org");
        let mut text = format!(
            "From: \"{who}\" <{address}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{name}@{domain}>\r\n",
            head.to,
            head.subject,
            date(at)
        );
        if let Some(id) = head.answers {
            let _ = write!(text, "In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n");
        }
        if head.automatic {
            text.push_str("Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n");
        }
        text.push_str("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
        text.push_str(&body.replace('\n', "\r\n"));
        text.push_str("\r\n");
        Self { name, text }
    }

    /// The message that raises a matter.
    pub(super) fn raising(matter: &Matter) -> Self {
        let people = &matter.people;
        let name = people.name();
        let file = format!("y{}", matter.number);
        if matter.method == Method::SelfService {
            let kind = if matter.record_type.is_complaint() {
                "Complaint"
            } else {
                "Question, comment or thanks"
            };
            let body = format!(
                "Type of feedback: {kind}\nName: {name}\nAddress: {}, {}\nEmail: {}\nTelephone: (blank)\n\
                 Are you complaining on behalf of someone else?: No\n\
                 Please tell us what happened: {}\nWhen did it happen?: this year\n\
                 Have you contacted us about this before?: No",
                people.street, people.town, people.address, matter.letter.text
            );
            let subject = format!("Customer feedback form FB-{}", matter.number);
            let head = Head {
                from: ("Northmere web form", "noreply@forms.northmere.example"),
                to: COMPLAINTS,
                subject: &subject,
                answers: None,
                automatic: false,
            };
            return Self::plain(file, matter.at, &head, &body);
        }
        let from = matter.member.map_or(name.as_str(), |member| member.name);
        let head = Head {
            from: (from, matter.from_address()),
            to: COMPLAINTS,
            subject: &matter.letter.subject,
            answers: None,
            automatic: false,
        };
        Self::plain(file, matter.at, &head, &matter.letter.text)
    }

    /// A mail server's report that a letter of ours did not arrive.
    pub(super) fn bounce(name: String, at: Timestamp, letter: &Left) -> Self {
        let text = format!(
            "Return-Path: <>\r\nFrom: Mail Delivery System <mailer-daemon@mx.example.net>\r\nTo: {}\r\n\
             Subject: Undelivered Mail Returned to Sender\r\nDate: {}\r\nMessage-ID: <{name}@mx.example.net>\r\n\
             Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b1\"\r\n\r\n\
             --b1\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n\
             --b1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
             Final-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: 5.2.2\r\n\
             --b1\r\nContent-Type: text/rfc822-headers\r\n\r\nTo: {}\r\nMessage-ID: <{}>\r\nSubject: {}\r\n\r\n--b1--\r\n",
            letter.envelope_from,
            date(at),
            letter.recipient,
            letter.recipient,
            letter.message_id,
            letter.subject
        );
        Self { name, text }
    }

    /// Puts it into a Maildir as a mail server does, but for the wait until the disk has it.
    pub(super) fn deliver(&self, maildir: &Path, at: Timestamp) -> std::io::Result<()> {
        let unique = format!("{}.{}.northmere", at.as_second(), self.name);
        let part = maildir.join("tmp").join(&unique);
        fs::File::create(&part)?.write_all(self.text.as_bytes())?;
        fs::rename(part, maildir.join("new").join(unique))
    }
}

fn date(at: Timestamp) -> String {
    jiff::fmt::rfc2822::to_string(&at.to_zoned(london())).unwrap_or_default()
}

/// The number of the matter that a file of the Maildir raised. None for every other.
pub(super) fn matter_of(file_key: &str) -> Option<usize> {
    file_key.split('.').nth(1)?.strip_prefix('y')?.parse().ok()
}

/// What a reader sees of a letter that left.
#[derive(Debug, Clone)]
pub(super) struct Left {
    pub(super) recipient: String,
    pub(super) envelope_from: String,
    pub(super) subject: String,
    pub(super) message_id: String,
    pub(super) reply_to: String,
}

impl Left {
    /// Reads the head of a letter of ours.
    pub(super) fn of(delivered: &Delivered) -> Self {
        let text = String::from_utf8_lossy(&delivered.bytes);
        let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let value = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let bare = |value: String| {
            let inner = value.rsplit_once('<').map_or(value.as_str(), |(_, after)| after);
            inner.trim_end_matches('>').to_owned()
        };
        let envelope = &delivered.envelope;
        Self {
            recipient: envelope.to.as_str().to_lowercase(),
            envelope_from: envelope
                .from
                .as_ref()
                .map_or_else(String::new, |from| from.as_str().to_owned()),
            subject: value("Subject:"),
            message_id: bare(value("Message-ID:")),
            reply_to: bare(value("Reply-To:")),
        }
    }

    /// The case that its subject names.
    pub(super) fn reference(&self) -> Option<&str> {
        self.subject.rsplit_once(": ").map(|(_, reference)| reference.trim())
    }
}
