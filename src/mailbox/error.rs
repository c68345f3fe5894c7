//! What can go wrong with a mailbox, in words that name no one.
//!
//! A server's own text never enters an error: it may quote addresses or whole messages. What is
//! kept is the kind of refusal and, from a fixed list, its response code (RFC 5530).

use std::time::Duration;

use crate::tls::TlsFault;

/// What we were doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Name look-up, TCP, TLS.
    Connect,
    /// The server's first line.
    Greeting,
    /// LOGIN or AUTHENTICATE.
    Login,
    /// CAPABILITY.
    Capability,
    /// SELECT.
    Select,
    /// Seeing which messages wait.
    List,
    /// Reading messages.
    Fetch,
    /// Moving or marking messages.
    SetAside,
    /// Waiting for new mail.
    Wait,
    /// NOOP, LOGOUT.
    KeepAlive,
}

impl std::fmt::Display for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Greeting => "waiting for the greeting",
            Self::Login => "logging in",
            Self::Capability => "asking what the server can do",
            Self::Select => "opening the folder",
            Self::List => "listing the folder",
            Self::Fetch => "reading messages",
            Self::SetAside => "setting messages aside",
            Self::Wait => "waiting for new mail",
            Self::KeepAlive => "checking the connection",
        })
    }
}

/// Why it failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No connection.
    #[error("the server cannot be reached ({0})")]
    Unreachable(std::io::ErrorKind),
    /// Nothing, or next to nothing, came for this long.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The connection ended before the answer did.
    #[error("the server closed the connection")]
    Closed,
    /// The server said goodbye (`* BYE`).
    #[error("the server ended the session{}", in_brackets(*.0))]
    Bye(Option<&'static str>),
    /// Tagged NO.
    #[error("the server refused{}", in_brackets(*.0))]
    No(Option<&'static str>),
    /// Tagged BAD.
    #[error("the server did not understand{}", in_brackets(*.0))]
    Bad(Option<&'static str>),
    /// The answer could not be read.
    #[error("the server's answer could not be read")]
    Garbled,
    /// The server announced more than we take at once. A message like that is read in pieces.
    #[error("the server's answer is too large")]
    TooLarge,
    /// The answer could be read and breaks the protocol.
    #[error("the server's answer breaks the protocol: {0}")]
    Unexpected(&'static str),
    /// TLS.
    #[error("{0}")]
    Tls(TlsFault),
    /// The server does not do STARTTLS.
    #[error("the server offers no STARTTLS")]
    NoStartTls,
    /// Plain text to another machine.
    #[error("a connection without TLS to another machine is not allowed")]
    Insecure,
    /// The account cannot be used as written.
    #[error("{0}")]
    Account(&'static str),
    /// Another folder stands under the same name now.
    #[error("the folder was replaced (UIDVALIDITY changed)")]
    Replaced,
    /// The session was used after its connection was lost.
    #[error("the connection was lost before")]
    Lost,
}

fn in_brackets(code: Option<&'static str>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

/// What kind of failure, for who must act and how soon to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The way to the server: will pass.
    Network,
    /// The server said no.
    Refused,
    /// Our credentials or rights: trying again soon locks the account.
    Auth,
    /// The server speaks otherwise than we understand.
    Protocol,
    /// The folder may be read only.
    ReadOnly,
    /// Certificates and encryption.
    Tls,
    /// Our own configuration.
    Setup,
}

/// A mailbox could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{attempt}: {reason}")]
pub struct MailboxError {
    /// What we were doing.
    pub attempt: Attempt,
    /// Why it failed.
    pub reason: Reason,
}

/// Response codes that we may repeat: RFC 3501, RFC 5530, RFC 4978, and two refusals of Exchange
/// that come as text.
const CODES: &[&str] = &[
    "AUTHENTICATIONFAILED",
    "AUTHORIZATIONFAILED",
    "EXPIRED",
    "PRIVACYREQUIRED",
    "CONTACTADMIN",
    "UNAVAILABLE",
    "NOPERM",
    "INUSE",
    "EXPUNGEISSUED",
    "CORRUPTION",
    "SERVERBUG",
    "CLIENTBUG",
    "CANNOT",
    "LIMIT",
    "OVERQUOTA",
    "ALREADYEXISTS",
    "NONEXISTENT",
    "TRYCREATE",
    "READ-ONLY",
    "ALERT",
];

/// What Exchange says when the login worked but the mailbox may not be opened with it.
pub(super) const NOT_CONNECTED: &str = "authenticated but not connected";

/// The response code in a server's text, as one of our own words.
pub(super) fn code_in(text: &str) -> Option<&'static str> {
    let upper = text.to_ascii_uppercase();
    if upper.contains(&NOT_CONNECTED.to_ascii_uppercase()) {
        return Some(NOT_CONNECTED);
    }
    CODES.iter().find(|code| upper.contains(&format!("[{code}]"))).copied()
}

impl MailboxError {
    pub(super) fn new(attempt: Attempt, reason: Reason) -> Self {
        Self { attempt, reason }
    }

    /// The code that came with a refusal.
    pub fn code(&self) -> Option<&'static str> {
        if let Reason::No(code) | Reason::Bad(code) | Reason::Bye(code) = self.reason {
            code
        } else {
            None
        }
    }

    /// What kind of failure this is.
    pub fn class(&self) -> Class {
        match &self.reason {
            Reason::Unreachable(_) | Reason::TimedOut(_) | Reason::Closed | Reason::Lost => {
                Class::Network
            }
            // Servers end sessions for their own reasons: overload, an expired token, a restart.
            Reason::Bye(code) if *code != Some(NOT_CONNECTED) => Class::Network,
            Reason::No(code) | Reason::Bad(code) | Reason::Bye(code) => {
                self.class_of_refusal(*code)
            }
            Reason::Garbled | Reason::TooLarge | Reason::Unexpected(_) | Reason::Replaced => {
                Class::Protocol
            }
            Reason::Tls(TlsFault::Handshake(_) | TlsFault::Certificate(_)) | Reason::NoStartTls => {
                Class::Tls
            }
            Reason::Tls(_) | Reason::Insecure | Reason::Account(_) => Class::Setup,
        }
    }

    fn class_of_refusal(&self, code: Option<&'static str>) -> Class {
        match code {
            Some("UNAVAILABLE" | "INUSE" | "LIMIT" | "SERVERBUG") => Class::Refused,
            Some("AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED" | NOT_CONNECTED) => {
                Class::Auth
            }
            Some("PRIVACYREQUIRED") => Class::Setup,
            _ if self.attempt == Attempt::Login => Class::Auth,
            Some("READ-ONLY" | "NOPERM") if self.attempt == Attempt::SetAside => Class::ReadOnly,
            _ => Class::Refused,
        }
    }

    /// Whether our credentials were refused: the caller waits a quarter of an hour, because
    /// hammering a login locks the account.
    pub fn is_auth(&self) -> bool {
        self.class() == Class::Auth
    }

    /// Whether the connection is of no more use. A clean NO or BAD leaves it as it was.
    pub(super) fn ends_connection(&self) -> bool {
        !matches!(self.reason, Reason::No(_) | Reason::Bad(_)) || self.attempt == Attempt::Login
    }

    /// Whether one odd message may be the cause, so that asking for fewer may help.
    pub(super) fn may_be_one_message(&self) -> bool {
        let all_alike =
            matches!(self.code(), Some("UNAVAILABLE" | "INUSE" | "LIMIT" | NOT_CONNECTED));
        matches!(self.reason, Reason::Garbled | Reason::TooLarge)
            || matches!(self.reason, Reason::No(_) | Reason::Bad(_)) && !all_alike
    }

    /// What to do about it, for `doctor`.
    pub fn cure(&self) -> &'static str {
        match (&self.reason, self.class()) {
            (Reason::Tls(fault), _) => fault.cure(),
            (Reason::NoStartTls, _) => "use security = \"tls\" (port 993)",
            (Reason::Account(_), _) => "correct the account in the configuration",
            (Reason::Replaced, _) => "nothing to do: the folder is read again from the start",
            (Reason::No(Some(NOT_CONNECTED)) | Reason::Bad(Some(NOT_CONNECTED)), _) => {
                "give the login (or app) full access to this mailbox in Exchange, check its \
                 licence, and write the shared mailbox's address as user"
            }
            (Reason::Insecure | Reason::No(Some("PRIVACYREQUIRED")), _) => "use security = \"tls\"",
            (_, Class::Auth) => {
                "check user and password (or token); after a change wait a few minutes, as the \
                 account may be locked for a while"
            }
            (_, Class::Network) if self.attempt == Attempt::Connect => {
                "check host and port, and that the firewall lets this machine reach them"
            }
            (_, Class::Network) => "nothing to do if it passes; otherwise ask the mail team",
            (_, Class::ReadOnly) => {
                "give the login the right to move messages, or leave processed_folder out"
            }
            (_, Class::Refused) if self.attempt == Attempt::Select => {
                "check that the folder exists under this name and that the login may read it"
            }
            (_, Class::Refused) => "try again later; otherwise ask the mail team",
            (_, Class::Protocol | Class::Tls | Class::Setup) => {
                "check that host and port are an IMAP4rev1 server; send the maintainers this line"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_is_our_fault_unless_the_server_is_unwell() {
        let refused = |code| MailboxError::new(Attempt::Login, Reason::No(code));
        assert!(refused(Some("AUTHENTICATIONFAILED")).is_auth());
        assert!(refused(None).is_auth());
        assert!(!refused(Some("UNAVAILABLE")).is_auth());
        assert!(!MailboxError::new(Attempt::Fetch, Reason::No(None)).is_auth());
        assert!(MailboxError::new(Attempt::Select, Reason::Bad(Some(NOT_CONNECTED))).is_auth());
    }

    #[test]
    fn a_servers_words_are_reduced_to_known_codes() {
        let text = "[AUTHENTICATIONFAILED] ann@example.org may not";
        assert_eq!(code_in(text), Some("AUTHENTICATIONFAILED"));
        assert_eq!(code_in("[ann@example.org] no"), None);
        assert_eq!(code_in("User is authenticated but not connected."), Some(NOT_CONNECTED));
        let error = MailboxError::new(Attempt::Login, Reason::No(code_in(text)));
        assert_eq!(error.to_string(), "logging in: the server refused (AUTHENTICATIONFAILED)");
    }
}
