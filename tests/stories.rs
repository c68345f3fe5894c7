//! Stories from beginning to end: the real program between a real Dovecot and a mail server.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests: a wrong index fails them, and mail arrives when it arrives"
)]

mod support;

#[path = "stories/alarms.rs"]
mod alarms;
#[path = "stories/arrival.rs"]
mod arrival;
#[path = "stories/bounces.rs"]
mod bounces;
#[path = "stories/chasing.rs"]
mod chasing;
#[path = "stories/machines.rs"]
mod machines;
#[path = "stories/ombudsman.rs"]
mod ombudsman;
#[path = "stories/outbox.rs"]
mod outbox;
#[path = "stories/references.rs"]
mod references;
#[path = "stories/running.rs"]
mod running;
#[path = "stories/several.rs"]
mod several;
#[path = "stories/suggestions.rs"]
mod suggestions;
#[path = "stories/walk.rs"]
mod walk;

use support::council::COMPLAINTS;
use support::smtp_sink::{Script, SmtpSink};

/// What a parent complains of; goes to home to school transport.
const TRANSPORT: &str = "I want to make a formal complaint about home to school transport.\r\n\
    The taxi that takes my son to school did not come on four mornings this month, and nobody\r\n\
    rings back. I have lost pay. Please put it right and tell me why it happened.\r\n";

/// As above; goes to special educational needs.
const SEN: &str = "I want to make a formal complaint about the SEN team.\r\n\
    My daughter's EHCP was due in June and her annual review was cancelled twice. Nobody answers\r\n\
    my emails. Please put it right and tell me why it happened.\r\n";

/// A scripted mail server that agrees to everything.
async fn sink() -> SmtpSink {
    SmtpSink::start(Script::default()).await
}

/// A person's message to the council, as their mail program writes it.
fn mail(from: &str, subject: &str, text: &str) -> String {
    mail_with(from, subject, "", text)
}

/// The same with further header lines.
fn mail_with(from: &str, subject: &str, header: &str, text: &str) -> String {
    let to = if header.contains("To: ") { String::new() } else { format!("To: {COMPLAINTS}\r\n") };
    let date = jiff::fmt::rfc2822::to_string(&jiff::Zoned::now()).unwrap();
    format!(
        "From: {from}\r\n{to}Subject: {subject}\r\nDate: {date}\r\nMessage-ID: <{}>\r\n{header}\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}",
        id_of(from, subject)
    )
}

/// The Message-ID of a person's message.
fn id_of(from: &str, subject: &str) -> String {
    let domain = from.rsplit('@').next().unwrap();
    let words: String = format!("{from} {subject}")
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    format!("{words}@{domain}")
}

/// An answer to a letter of ours, written in a mail program: to its Reply-To, in its thread.
fn answer_to(letter: &support::council::Letter, from: &str, text: &str) -> String {
    let header = format!(
        "To: {}\r\nIn-Reply-To: {}\r\nReferences: {}\r\n",
        letter.header("Reply-To"),
        letter.message_id(),
        letter.message_id()
    );
    mail_with(from, &format!("RE: {}", letter.reference()), &header, text)
}
