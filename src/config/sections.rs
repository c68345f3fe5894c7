//! One struct a section of `postern.toml`.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use super::place::Source;
use crate::fault::Fault;
use crate::private::Private;
use crate::tls::Trust;

/// A password or token: never printed.
pub type Secret = Private<String>;

/// Who we are, as letters say it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Council {
    /// The council's name.
    pub name: String,
    /// The team's name, as the sender of our mail.
    pub team: String,
    /// Prefix of case references, two to six capital letters.
    pub prefix: String,
    /// A person in the complaints team whom letters name.
    pub contact_name: String,
    /// The team's telephone number.
    pub phone: String,
    /// The monitored address that letters name; the first mailbox's address where left out.
    pub email: Option<String>,
    /// Out-of-hours number.
    pub out_of_hours_phone: String,
    /// Where the privacy notice is.
    pub privacy_url: String,
    /// Where the Ombudsman is.
    pub ombudsman_url: String,
    /// Where a parent finds mediation and advice about special educational needs.
    pub sen_advice_url: String,
    /// Who offers advocacy to children and young people.
    pub advocacy: String,
    /// How to reach them.
    pub advocacy_phone: String,
    /// Domains whose senders are the council itself.
    pub domains: Vec<String>,
}

impl Default for Council {
    fn default() -> Self {
        Self {
            name: "Northmere County Council".to_owned(),
            team: "Northmere children's complaints".to_owned(),
            prefix: "NCC".to_owned(),
            contact_name: "Priya Shah".to_owned(),
            phone: "01632 960 118".to_owned(),
            email: None,
            out_of_hours_phone: "01632 960 999".to_owned(),
            privacy_url: "https://www.northmere.example/complaints/privacy".to_owned(),
            ombudsman_url: "https://www.lgo.org.uk".to_owned(),
            sen_advice_url: "https://www.northmere.example/send-advice".to_owned(),
            advocacy: "the Northmere Advocacy Service".to_owned(),
            advocacy_phone: "01632 960 140".to_owned(),
            domains: vec!["northmere.example".to_owned()],
        }
    }
}

impl Council {
    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        let good = (2..=6).contains(&self.prefix.len())
            && self.prefix.bytes().all(|byte| byte.is_ascii_uppercase());
        if good {
            Vec::new()
        } else {
            vec![source.fault(
                "council",
                0,
                "prefix",
                format!("council.prefix `{}` cannot begin a case reference", self.prefix),
                "write two to six capital letters, for example `NCC`",
            )]
        }
    }
}

/// Where cases and messages are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// `sqlite:FILE` or `postgres://…`.
    pub url: String,
}

impl Default for Store {
    fn default() -> Self {
        Self { url: "sqlite:postern.db".to_owned() }
    }
}

/// What a mailbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailboxKind {
    /// A mailbox on an IMAP server.
    Imap,
    /// A Maildir on this machine.
    Maildir,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after STARTTLS, or no connection.
    Starttls,
    /// No protection: loopback only.
    Plain,
}

/// One mailbox to read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    /// Its name here; keys the ledger, so never rename one that was in use.
    pub name: String,
    /// `imap` or `maildir`.
    #[serde(default = "imap")]
    pub kind: MailboxKind,
    /// The address that people write to.
    pub address: String,
    /// Further addresses that arrive here.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// IMAP server.
    #[serde(default)]
    pub host: String,
    /// IMAP port: 993, or 143 without implicit TLS.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// Login name.
    #[serde(default)]
    pub user: String,
    /// Password; better a file.
    pub password: Option<Secret>,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
    /// Further certificate authorities (PEM).
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the server's public key: trust this and no other.
    pub pinned_sha256: Option<String>,
    /// The folder to read.
    #[serde(default = "inbox")]
    pub folder: String,
    /// Where what is done goes.
    #[serde(default = "processed")]
    pub processed: String,
    /// Whether to wait by IDLE where the server offers it.
    #[serde(default = "yes")]
    pub idle: bool,
    /// Seconds between looks where IDLE is not used: 50 at most, whatever is written, so that nobody at risk waits
    /// for the next one.
    #[serde(default = "sixty")]
    pub poll_seconds: u64,
    /// The Maildir's folder.
    pub path: Option<PathBuf>,
    /// Whether a Maildir that can be made anew goes without waiting for the disk: a simulation's, never a setting.
    #[serde(skip)]
    pub trusts_the_power: bool,
}

fn imap() -> MailboxKind {
    MailboxKind::Imap
}
fn inbox() -> String {
    "INBOX".to_owned()
}
fn processed() -> String {
    "Processed".to_owned()
}
fn yes() -> bool {
    true
}
fn sixty() -> u64 {
    60
}

impl Mailbox {
    /// Whom the connection trusts.
    pub fn trust(&self) -> Trust {
        Trust { ca_file: self.ca_file.clone(), pinned_sha256: self.pinned_sha256.clone() }
    }

    pub(super) fn faults(&self, source: Source<'_>, index: usize) -> Vec<Fault> {
        let whose = format!("mailbox `{}` (number {})", self.name, index + 1);
        let mut faults = Vec::new();
        let mut fault = |key: &str, what: &str, cure: &str| {
            let what = format!("{whose}: {what}");
            faults.push(source.fault("mailbox", index, key, what, cure));
        };
        if self.name.is_empty() {
            fault("name", "has no name", "write `name = \"complaints\"`");
        }
        if self.address.parse::<lettre::Address>().is_err() {
            fault(
                "address",
                "address is no e-mail address",
                "write `address = \"complaints@your.council\"`",
            );
        }
        match self.kind {
            MailboxKind::Imap => {
                if self.host.is_empty() {
                    fault("host", "has no host", "write `host = \"imap.your.council\"`");
                }
                if self.user.is_empty() {
                    fault("user", "has no user", "write `user = \"…\"`");
                }
                if self.password.is_none() && self.password_file.is_none() {
                    fault(
                        "password_file",
                        "has no password",
                        "write `password_file = \"/etc/postern/imap\"`",
                    );
                }
                if self.password.is_some() && self.password_file.is_some() {
                    fault(
                        "password",
                        "has two passwords",
                        "keep password_file, and strike password",
                    );
                }
                if self.security == Security::Plain && !is_loopback(&self.host) {
                    fault(
                        "security",
                        "would send the password unprotected",
                        "write `security = \"tls\"` or `\"starttls\"`; `plain` is for 127.0.0.1 alone",
                    );
                }
            }
            MailboxKind::Maildir => {
                if self.path.is_none() {
                    fault("path", "has no path", "write `path = \"/var/mail/complaints\"`");
                }
            }
        }
        faults
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// How mail is taken in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intake {
    /// Mail received before this moment is registered without an acknowledgement.
    pub cut_over: Option<Timestamp>,
    /// Messages above this many megabytes are fetched in pieces.
    pub large_megabytes: u64,
    /// Messages above this many megabytes are registered from their beginning; the whole is kept.
    pub read_megabytes: u64,
    /// Threads that read messages.
    pub readers: usize,
    /// Servers whose `Authentication-Results` header is believed, by the name that they write first in
    /// it; `topmost` for a server that writes none (Exchange Online). None: nobody's.
    pub authentication_servers: Vec<String>,
    /// Seconds after which another gateway takes over what a dead one had begun (`PostgreSQL` only;
    /// on `SQLite` the next start takes it over at once).
    pub lease_seconds: u64,
}

impl Intake {
    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        if (3..=3600).contains(&self.lease_seconds) {
            return Vec::new();
        }
        vec![source.fault(
            "intake",
            0,
            "lease_seconds",
            format!("intake.lease_seconds is {}", self.lease_seconds),
            "write between 3 and 3600, for example 120",
        )]
    }
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            cut_over: None,
            large_megabytes: 8,
            read_megabytes: 40,
            readers: 2,
            authentication_servers: Vec::new(),
            lease_seconds: 120,
        }
    }
}

/// Where mail leaves, by SMTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Server.
    pub host: String,
    /// Port: 465, 587 with STARTTLS, 25 plain.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// Login name, where the server asks for one.
    pub user: Option<String>,
    /// Password; better a file.
    pub password: Option<Secret>,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
    /// Further certificate authorities (PEM).
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the server's public key: trust this and no other.
    pub pinned_sha256: Option<String>,
    /// Our address, as sender; the first mailbox's where left out.
    pub from: Option<String>,
    /// Connections at once.
    #[serde(default = "four")]
    pub connections: usize,
    /// Letters to one domain on their way at once, where `limit` says nothing else.
    #[serde(default = "twenty")]
    pub sessions_a_domain: usize,
    /// Whose signature letters bear (DKIM); none where the server signs.
    pub dkim: Option<Dkim>,
    /// What single domains get.
    #[serde(default, rename = "limit")]
    pub limits: Vec<SmtpLimit>,
    /// Seconds before a letter that was put off is tried again. The tries after that wait 5, 15, 30
    /// and 60 times as long.
    #[serde(default = "sixty")]
    pub retry_seconds: u64,
}

fn four() -> usize {
    4
}
fn twenty() -> usize {
    20
}

/// A key that signs our letters. Its public half stands in DNS at `selector._domainkey.domain`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// Which of the domain's keys.
    pub selector: String,
    /// The domain that signs: that of our address, or one above it.
    pub domain: String,
    /// The private key, RSA or Ed25519, in PEM.
    pub key_file: PathBuf,
}

/// What one recipients' domain gets. Letters beyond wait their turn.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpLimit {
    /// The part of an address after the @; subdomains are domains of their own.
    pub domain: String,
    /// Letters on their way at once.
    pub sessions: Option<usize>,
    /// Letters in any minute.
    pub letters_a_minute: Option<usize>,
}

impl SmtpLimit {
    /// The domain as addresses are compared: in ASCII and lower case. None for what is no domain.
    pub fn ascii_domain(&self) -> Option<String> {
        let domain = idna::domain_to_ascii_strict(&self.domain).ok()?;
        domain.contains('.').then_some(domain)
    }

    fn faults(&self, source: Source<'_>, index: usize, before: &[Self]) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, what: &str, cure: &str| {
            let what = format!("smtp.limit number {}: {what}", index + 1);
            faults.push(source.fault("smtp.limit", index, key, what, cure));
        };
        let domain = self.ascii_domain();
        if domain.is_none() {
            let what = format!("`{}` is no domain", self.domain);
            fault("domain", &what, "write what stands after the @, for example `example.org`");
        } else if before.iter().any(|other| other.ascii_domain() == domain) {
            let what = format!("`{}` has a limit already", self.domain);
            fault("domain", &what, "give each domain one [[smtp.limit]] section");
        }
        if self.sessions.is_none() && self.letters_a_minute.is_none() {
            fault("domain", "limits nothing", "write `sessions = 2` or `letters_a_minute = 30`");
        }
        if self.sessions == Some(0) {
            fault("sessions", "sessions is 0: no letter would ever leave", "write at least 1");
        }
        if self.letters_a_minute.is_some_and(|letters| !(1..=100_000).contains(&letters)) {
            let what = "letters_a_minute is not between 1 and 100000";
            fault("letters_a_minute", what, "write for example 30, or strike it for no limit");
        }
        faults
    }
}

impl Smtp {
    /// Whom the connection trusts.
    pub fn trust(&self) -> Trust {
        Trust { ca_file: self.ca_file.clone(), pinned_sha256: self.pinned_sha256.clone() }
    }

    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, what: &str, cure: &str| {
            faults.push(source.fault("smtp", 0, key, what, cure));
        };
        if self.host.is_empty() {
            fault("host", "smtp.host is empty", "write `host = \"smtp.your.council\"`");
        }
        if self.from.as_ref().is_some_and(|from| from.parse::<lettre::Address>().is_err()) {
            fault(
                "from",
                "smtp.from is no e-mail address",
                "write `from = \"complaints@your.council\"`",
            );
        }
        if self.security == Security::Plain && self.user.is_some() && !is_loopback(&self.host) {
            fault(
                "security",
                "smtp would send the password unprotected",
                "write `security = \"tls\"` or `\"starttls\"`",
            );
        }
        if self.retry_seconds == 0 {
            fault("retry_seconds", "smtp.retry_seconds is 0", "write at least 1");
        }
        if self.password.is_some() && self.password_file.is_some() {
            let cure = "keep password_file, and strike password";
            fault("password", "smtp has two passwords", cure);
        }
        if self.connections == 0 {
            fault("connections", "smtp.connections is 0", "write at least 1");
        }
        if self.sessions_a_domain == 0 {
            fault("sessions_a_domain", "smtp.sessions_a_domain is 0", "write at least 1");
        }
        for (index, limit) in self.limits.iter().enumerate() {
            let before = self.limits.get(..index).unwrap_or_default();
            faults.extend(limit.faults(source, index, before));
        }
        faults
    }
}

/// Where mail leaves instead of SMTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    /// Folder that gets one `.eml` file a letter.
    pub folder: PathBuf,
}

/// Chasing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reminders {
    /// Whether services are asked and chased by mail at all.
    pub enabled: bool,
    /// Whether a service is asked at once on a closed day too, and not in the next working morning.
    pub ask_on_closed_days: bool,
    /// Whether a holding letter leaves as it is drafted, and does not wait for an officer.
    pub release_holding_letters: bool,
}

impl Default for Reminders {
    fn default() -> Self {
        Self { enabled: true, ask_on_closed_days: false, release_holding_letters: false }
    }
}

/// Who looks for viruses in what comes attached.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Scan {
    /// Where `clamd` listens: `unix:/run/clamav/clamd.ctl` or `tcp:127.0.0.1:3310`.
    pub clamd: Option<String>,
}

/// Where a `clamd` listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clamd {
    /// At a socket of this machine.
    Unix(PathBuf),
    /// At a port.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

impl Scan {
    /// The scanner, where one is named.
    pub fn scanner(&self) -> Option<Clamd> {
        let named = self.clamd.as_deref()?;
        if let Some(path) = named.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return path.is_absolute().then_some(Clamd::Unix(path));
        }
        let (host, port) = named.strip_prefix("tcp:")?.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port != 0)?;
        (!host.is_empty()).then(|| Clamd::Tcp { host: host.to_owned(), port })
    }

    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        let Some(named) = self.clamd.as_ref().filter(|_| self.scanner().is_none()) else {
            return Vec::new();
        };
        vec![source.fault(
            "scan",
            0,
            "clamd",
            format!("scan.clamd `{named}` is no place where a scanner listens"),
            "write `unix:/run/clamav/clamd.ctl` or `tcp:127.0.0.1:3310`",
        )]
    }
}

/// What bounds mail that goes by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Acknowledgements and receipts in ten minutes: one more, and answers are held until a person has
    /// looked.
    pub answers_in_ten_minutes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { answers_in_ten_minutes: 500 }
    }
}

impl Limits {
    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        if self.answers_in_ten_minutes > 0 {
            return Vec::new();
        }
        vec![source.fault(
            "limits",
            0,
            "answers_in_ten_minutes",
            "limits.answers_in_ten_minutes is 0".to_owned(),
            "write at least 1, for example 500",
        )]
    }
}
