//! One connection to a mail server (RFC 5321), one letter after another.
//!
//! A session is consumed by a send and comes back only with an accepted letter. So
//! no letter can read an answer that belongs to another: after a fault, a time-out or a dropped
//! future the connection is gone.

use std::{error::Error as _, future::Future, net::IpAddr, sync::Arc, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::AsyncSmtpConnection,
        commands::{Data, Ehlo, Mail, Quit, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};
use serde::Deserialize;
use tokio::time::timeout;

use super::{
    address::MailAddress,
    mailer::{Delay, Delivery, Envelope, Reply},
    retry::{LOGIN_REFUSED, ServerReply, Step, UNSURE, classify},
    stream::{self, SmtpStream, StartTlsFault},
};
use crate::{
    private::Private,
    tls::{self, TlsFault, Trust},
};

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// From the first octet (RFC 8314; port 465).
    #[default]
    Implicit,
    /// After asking (RFC 3207; port 587). A server that does not offer it gets no letter.
    StartTls,
    /// Not at all. No login is ever sent this way beyond this machine.
    None,
}

/// How we prove who we are.
#[derive(Debug, Clone)]
pub enum Login {
    /// Name and password (`PLAIN`, else `LOGIN`).
    Password {
        /// The account.
        user: String,
        /// Its password.
        password: Private<String>,
    },
    /// Name and OAuth access token (`XOAUTH2`).
    AccessToken {
        /// The account.
        user: String,
        /// The token, valid now.
        token: Private<String>,
    },
}

/// Limits of each step of the conversation. RFC 5321 section 4.5.3.2 allows far longer; we talk
/// to our own submission server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// Reaching the server and encrypting.
    pub connect: Duration,
    /// Each command's answer.
    pub command: Duration,
    /// The answer to the whole letter.
    pub after_dot: Duration,
    /// An unused connection is given up after this.
    pub idle: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_secs(30),
            after_dot: Duration::from_mins(2),
            idle: Duration::from_secs(20),
        }
    }
}

/// A mail server and our account on it.
#[derive(Debug, Clone)]
pub struct SmtpAccount {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub encryption: Encryption,
    /// Whom we trust to be that server.
    pub trust: Trust,
    /// Login, if the server wants one.
    pub login: Option<Login>,
    /// The name that we greet with: our host's, as the council's network knows it.
    pub hello: String,
    /// Connections at a time.
    pub sessions: usize,
    /// Limits of each step.
    pub limits: TimeLimits,
}

/// What is wrong with an account before anything is tried.
#[derive(Debug, thiserror::Error)]
pub enum AccountFault {
    /// TLS cannot be set up.
    #[error("cannot encrypt connections to the mail server")]
    Tls(#[from] TlsFault),
    /// The greeting name is no host name.
    #[error("the name to greet the mail server with is not a host name")]
    Hello,
    /// No connections allowed.
    #[error("at least one connection to the mail server is needed")]
    NoSessions,
}

impl SmtpAccount {
    /// The TLS set-up of the account, nothing where it does not encrypt.
    ///
    /// # Errors
    /// [`AccountFault`] if the account cannot be used as it stands.
    pub fn check(&self) -> Result<Option<Arc<rustls::ClientConfig>>, AccountFault> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        if self.hello.is_empty() || !self.hello.bytes().all(plain) {
            return Err(AccountFault::Hello);
        }
        if self.sessions == 0 {
            return Err(AccountFault::NoSessions);
        }
        Ok(match self.encryption {
            Encryption::None => None,
            Encryption::Implicit | Encryption::StartTls => Some(tls::client_config(&self.trust)?),
        })
    }
}

/// A connection that is greeted, encrypted and logged in.
pub struct SmtpSession {
    connection: AsyncSmtpConnection,
    limits: TimeLimits,
    /// The server takes several commands before it answers the first (RFC 2920).
    pipelines: bool,
}

/// What became of a letter, and the session if it may be used again.
pub(super) struct Sent {
    pub(super) delivery: Delivery,
    pub(super) session: Option<SmtpSession>,
    /// The server had closed the session before it heard of this letter.
    pub(super) stale: bool,
}

impl SmtpSession {
    /// Connects, encrypts, greets and logs in. `config` is what [`SmtpAccount::check`] gave.
    ///
    /// # Errors
    /// What the failure means for the letter that waits: mostly [`Delivery::QueueStopped`].
    pub async fn open(
        account: &SmtpAccount,
        config: Option<&Arc<rustls::ClientConfig>>,
    ) -> Result<Self, Delivery> {
        let limits = account.limits;
        let tcp = match timeout(limits.connect, stream::connect(&account.host, account.port)).await
        {
            Ok(Ok(tcp)) => tcp,
            Ok(Err(_)) => return Err(stopped("the mail server could not be reached")),
            Err(_) => return Err(stopped("the mail server did not answer in time")),
        };
        let peer = tcp.peer_addr().map_err(|_| stopped("the mail server closed the connection"))?;
        if account.login.is_some() && !keeps_secrets(account.encryption, peer.ip()) {
            return Err(stopped(
                "our password is not sent over a connection that is not encrypted",
            ));
        }
        let stream = match timeout(limits.connect, encrypt(tcp, account, config)).await {
            Ok(stream) => stream?,
            Err(_) => return Err(stopped("the mail server did not encrypt in time")),
        };
        let hello = ClientId::Domain(account.hello.clone());
        let opening = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
        let mut connection =
            within(limits.command, Step::Greeting, opening).await.map_err(|f| f.delivery)?;
        // Asked once more: of what the server can do, the client keeps only what it uses itself.
        let again = connection.command(Ehlo::new(hello));
        let offered =
            within(limits.command, Step::Greeting, again).await.map_err(|f| f.delivery)?;
        let pipelines = offered.message().any(|line| line.eq_ignore_ascii_case("PIPELINING"));
        let mut session = Self { connection, limits, pipelines };
        if let Some(login) = &account.login {
            session.log_in(login).await?;
        }
        Ok(session)
    }

    async fn log_in(&mut self, login: &Login) -> Result<(), Delivery> {
        let (mechanisms, user, secret): (&[Mechanism], _, _) = match login {
            Login::Password { user, password } => {
                (&[Mechanism::Plain, Mechanism::Login], user, password)
            }
            Login::AccessToken { user, token } => (&[Mechanism::Xoauth2], user, token),
        };
        let credentials = Credentials::new(user.clone(), secret.0.clone());
        let answer = self.connection.auth(mechanisms, &credentials);
        let answer =
            within(self.limits.command, Step::Login, answer).await.map_err(|f| f.delivery)?;
        if answer.has_code(235) { Ok(()) } else { Err(stopped(LOGIN_REFUSED)) }
    }

    /// Hands over one letter to one recipient.
    pub(super) async fn send(mut self, envelope: &Envelope, bytes: &[u8]) -> Sent {
        match self.converse(envelope, bytes).await {
            Ok(reply) => {
                Sent { delivery: Delivery::Accepted { reply }, session: Some(self), stale: false }
            }
            Err(failure) => {
                if failure.answered {
                    self.quit().await;
                }
                Sent { delivery: failure.delivery, session: None, stale: failure.stale }
            }
        }
    }

    async fn converse(&mut self, envelope: &Envelope, bytes: &[u8]) -> Result<Reply, Failure> {
        let after_dot = self.limits.after_dot;
        let from = envelope.from.as_ref().map(smtp_address).transpose()?;
        let to = smtp_address(&envelope.to)?;
        let parameters = self.parameters(bytes)?;
        self.announce(Mail::new(from, parameters), Rcpt::new(to, Vec::new())).await?;
        // The client ends the last line itself, with the dot.
        let body = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        let answer = within(after_dot, Step::AfterDot, self.connection.message(body)).await?;
        require(Step::AfterDot, &answer, &[250])?;
        let server = server_reply(&answer);
        let enhanced = server.enhanced();
        Ok(Reply {
            code: Some(server.code),
            enhanced,
            cause: "the mail server accepted the letter".to_owned(),
        })
    }

    /// Names sender and recipient and asks to go on, up to the server's 354.
    async fn announce(&mut self, mail: Mail, rcpt: Rcpt) -> Result<(), Failure> {
        let command = self.limits.command;
        let connection = &mut self.connection;
        if self.pipelines {
            // A refusal in the middle ends the connection: what the server makes of the commands after
            // it is not waited for, and without the letter's last dot it has accepted nothing.
            let cut = |failure| Failure { answered: false, ..failure };
            let together = format!("{mail}{rcpt}{Data}");
            let answer = within(command, Step::Sender, connection.command(together)).await;
            require(Step::Sender, &answer.map_err(cut)?, &[250])?;
            let answer = within(command, Step::Recipient, connection.read_response()).await;
            require(Step::Recipient, &answer.map_err(cut)?, &[250, 251])?;
            let answer = within(command, Step::Data, connection.read_response()).await?;
            return require(Step::Data, &answer, &[354]);
        }
        let answer = within(command, Step::Sender, connection.command(mail)).await?;
        require(Step::Sender, &answer, &[250])?;
        let answer = within(command, Step::Recipient, connection.command(rcpt)).await?;
        require(Step::Recipient, &answer, &[250, 251])?;
        let answer = within(command, Step::Data, connection.command(Data)).await?;
        require(Step::Data, &answer, &[354])
    }

    fn parameters(&self, bytes: &[u8]) -> Result<Vec<MailParameter>, Failure> {
        if bytes.is_ascii() {
            return Ok(Vec::new());
        }
        if self.connection.server_info().supports_feature(Extension::EightBitMime) {
            return Ok(vec![MailParameter::Body(MailBodyParameter::EightBitMime)]);
        }
        Err(refused("the mail server takes only plain ASCII letters"))
    }

    /// Takes leave, without waiting long for an answer.
    pub(super) async fn quit(mut self) {
        // Whatever it answers, the connection is closed next.
        let _answer = timeout(Duration::from_secs(1), self.connection.command(Quit)).await;
    }
}

/// A step that went wrong.
struct Failure {
    delivery: Delivery,
    /// The server answered, so that it will also understand a `QUIT`.
    answered: bool,
    stale: bool,
}

/// Whether a password may go this way: encrypted, or not beyond this machine.
fn keeps_secrets(encryption: Encryption, peer: IpAddr) -> bool {
    encryption != Encryption::None || peer.is_loopback()
}

async fn encrypt(
    tcp: tokio::net::TcpStream,
    account: &SmtpAccount,
    config: Option<&Arc<rustls::ClientConfig>>,
) -> Result<SmtpStream, Delivery> {
    let unsafe_tls = || stopped("the connection to the mail server could not be encrypted safely");
    match (account.encryption, config.cloned()) {
        (Encryption::None, _) => {
            stream::plain(tcp).map_err(|_| stopped("the mail server closed the connection"))
        }
        (Encryption::Implicit, Some(config)) => {
            stream::implicit_tls(tcp, &account.host, config).await.map_err(|e| not_encrypted(&e))
        }
        (Encryption::StartTls, Some(config)) => {
            let starting = stream::starttls(tcp, &account.host, &account.hello, config);
            starting.await.map_err(|fault| match fault {
                StartTlsFault::Answer(code, text) => {
                    classify(Step::Tls, &ServerReply { code, text })
                }
                StartTlsFault::NotOffered => {
                    stopped("the mail server does not offer encryption (STARTTLS)")
                }
                StartTlsFault::Injected => {
                    stopped("someone on the way tampers with the encryption (STARTTLS)")
                }
                StartTlsFault::Io => unsafe_tls(),
                StartTlsFault::Tls(error) => not_encrypted(&error),
            })
        }
        (Encryption::Implicit | Encryption::StartTls, None) => Err(unsafe_tls()),
    }
}

/// Why the server is not spoken to: its certificate, mostly, with what to do about it.
fn not_encrypted(error: &std::io::Error) -> Delivery {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls.cloned().map(TlsFault::of_handshake) {
        Some(fault) => stopped(&format!("{fault}: {}", fault.cure())),
        None => stopped("the connection to the mail server could not be encrypted safely"),
    }
}

/// One step within its limit. The caller drops the connection on any failure.
async fn within<T>(
    limit: Duration,
    step: Step,
    answer: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Failure> {
    match timeout(limit, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(step, &error)),
        Err(_) => Err(Failure {
            delivery: silent(step, "did not answer in time"),
            answered: false,
            stale: false,
        }),
    }
}

fn failed(step: Step, error: &lettre::transport::smtp::Error) -> Failure {
    if let Some(code) = error.status() {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        let server = ServerReply { code: u16::from(code), text };
        let stale = step == Step::Sender && server.code == 421;
        return Failure { delivery: classify(step, &server), answered: true, stale };
    }
    // At login, the client gives up by itself where it finds no way that both know, and where an
    // access token is refused by way of a challenge.
    let delivery = match (step, error.is_client()) {
        (Step::Login, true) => stopped(LOGIN_REFUSED),
        _ => silent(step, "broke off the conversation"),
    };
    Failure { delivery, answered: false, stale: step == Step::Sender }
}

/// What it means when no answer came.
fn silent(step: Step, what: &str) -> Delivery {
    let reply = Reply::without_code(format!("the mail server {what}"));
    match step {
        Step::Connect | Step::Greeting | Step::Tls | Step::Login => {
            Delivery::QueueStopped { reply }
        }
        Step::Sender | Step::Recipient | Step::Data => {
            Delivery::Deferred { reply, delay: Delay::Letter }
        }
        Step::AfterDot => Delivery::Unknown { reply: Reply::without_code(UNSURE) },
    }
}

/// Positive is not enough: an answer out of order belongs to something else.
fn require(step: Step, answer: &Response, codes: &[u16]) -> Result<(), Failure> {
    let server = server_reply(answer);
    if codes.contains(&server.code) {
        return Ok(());
    }
    Err(Failure { delivery: classify(step, &server), answered: false, stale: false })
}

fn server_reply(answer: &Response) -> ServerReply {
    let text = answer.message().collect::<Vec<_>>().join("\n");
    ServerReply { code: u16::from(answer.code()), text }
}

fn smtp_address(address: &MailAddress) -> Result<Address, Failure> {
    address.as_str().parse().map_err(|_| refused("the address cannot be written to automatically"))
}

fn refused(cause: &str) -> Failure {
    let delivery = Delivery::Refused { reply: Reply::without_code(cause) };
    Failure { delivery, answered: true, stale: false }
}

fn stopped(cause: &str) -> Delivery {
    Delivery::QueueStopped { reply: Reply::without_code(cause) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_leaves_this_machine_only_encrypted() {
        let check = |encryption, peer: &str, expected| {
            assert_eq!(
                keeps_secrets(encryption, peer.parse().unwrap()),
                expected,
                "{encryption:?} {peer}"
            );
        };
        check(Encryption::None, "127.0.0.1", true);
        check(Encryption::None, "::1", true);
        check(Encryption::None, "192.0.2.7", false);
        check(Encryption::StartTls, "192.0.2.7", true);
        check(Encryption::Implicit, "192.0.2.7", true);
    }

    #[test]
    fn silence_means_what_the_server_had_by_then() {
        for step in [Step::Connect, Step::Greeting, Step::Tls, Step::Login] {
            assert!(matches!(silent(step, "x"), Delivery::QueueStopped { .. }), "{step:?}");
        }
        for step in [Step::Sender, Step::Recipient, Step::Data] {
            assert!(matches!(silent(step, "x"), Delivery::Deferred { .. }), "{step:?}");
        }
        assert!(matches!(silent(Step::AfterDot, "x"), Delivery::Unknown { .. }));
    }
}
