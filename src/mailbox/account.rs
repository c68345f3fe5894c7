//! A mailbox as the configuration describes it.

use std::time::Duration;

use crate::private::Private;
use crate::tls::Trust;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte (port 993), as RFC 8314 asks.
    #[default]
    Tls,
    /// Plain text that turns into TLS before anything is said; no falling back.
    StartTls,
    /// No protection: to this machine only, unless the account says otherwise.
    Plain,
}

/// What proves that we may read the mailbox.
#[derive(Debug, Clone)]
pub enum Secret {
    /// A password, for LOGIN (or AUTHENTICATE PLAIN when it is not plain ASCII).
    Password(Private<String>),
    /// An OAuth 2.0 access token, for AUTHENTICATE XOAUTH2.
    Token(Private<String>),
}

/// How long we wait for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up, TCP and TLS, and the greeting: each.
    pub connect: Duration,
    /// LOGIN or AUTHENTICATE; servers delay refusals on purpose.
    pub login: Duration,
    /// Any other command. A long answer may take longer as long as it keeps coming.
    pub command: Duration,
    /// The end of an IDLE: a half-open connection is noticed here.
    pub idle_end: Duration,
    /// The longest single IDLE; under nine minutes, for routers that forget quiet connections.
    pub idle_slice: Duration,
    /// How often to look where the server cannot tell us of new mail.
    pub poll: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            login: Duration::from_secs(20),
            command: Duration::from_mins(1),
            idle_end: Duration::from_secs(15),
            idle_slice: Duration::from_mins(5),
            poll: Duration::from_mins(1),
        }
    }
}

/// One IMAP folder from which complaints come.
#[derive(Debug, Clone)]
pub struct ImapAccount {
    /// What the configuration calls it; appears in logs.
    pub name: String,
    /// Name or address of the server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Allows [`Security::Plain`] to another machine.
    pub allow_insecure: bool,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// Who logs in. With a token this is the shared mailbox's address.
    pub user: String,
    /// The proof.
    pub secret: Secret,
    /// The folder to read, in UTF-8, `/` between levels.
    pub folder: String,
    /// Where messages go once they are safe with us; without it they stay and are marked.
    pub processed_folder: Option<String>,
    /// Whether to use IDLE where the server has it.
    pub idle: bool,
    /// How long we wait.
    pub timeouts: Timeouts,
}

impl ImapAccount {
    /// An account with the usual settings: TLS, INBOX, IDLE, nothing set aside.
    pub fn new(
        name: impl Into<String>,
        host: impl Into<String>,
        port: u16,
        user: impl Into<String>,
        secret: Secret,
    ) -> Self {
        Self {
            name: name.into(),
            host: host.into(),
            port,
            security: Security::Tls,
            allow_insecure: false,
            trust: Trust::default(),
            user: user.into(),
            secret,
            folder: "INBOX".to_owned(),
            processed_folder: None,
            idle: true,
            timeouts: Timeouts::default(),
        }
    }
}
