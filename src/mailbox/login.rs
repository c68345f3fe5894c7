//! The greeting and the login.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a server says much that does not concern the command under way"
)]

use async_imap::{Authenticator, Client};
use imap_proto::{Response, Status};
use tokio::time::timeout;

use super::account::{ImapAccount, Secret};
use super::dial::{Greeting, Stream};
use super::error::{Attempt, MailboxError, Reason, code_in};
use super::wire::{Wire, code_of, of_read};

/// From a fresh stream to a logged-in connection.
pub(super) async fn log_in(
    account: &ImapAccount,
    stream: Stream,
    greeting: Greeting,
) -> Result<Wire, MailboxError> {
    let mut client = Client::new(stream);
    if greeting == Greeting::Expected {
        greet(account, &mut client)
            .await
            .map_err(|reason| MailboxError::new(Attempt::Greeting, reason))?;
    }
    let limit = account.timeouts.login;
    timeout(limit, prove(account, client))
        .await
        .map_err(|_| Reason::TimedOut(limit))
        .and_then(|proved| proved)
        .map(Wire::new)
        .map_err(|reason| MailboxError::new(Attempt::Login, reason))
}

async fn greet(account: &ImapAccount, client: &mut Client<Stream>) -> Result<(), Reason> {
    let limit = account.timeouts.connect;
    let greeting = timeout(limit, client.read_response())
        .await
        .map_err(|_| Reason::TimedOut(limit))?
        .map_err(|error| of_read(&error))?
        .ok_or(Reason::Closed)?;
    match greeting.parsed() {
        Response::Data { status: Status::Ok, .. } => Ok(()),
        Response::Data { status: Status::Bye, outcome } => Err(Reason::Bye(code_of(outcome))),
        _ => Err(Reason::Unexpected("no greeting")),
    }
}

async fn prove(
    account: &ImapAccount,
    client: Client<Stream>,
) -> Result<async_imap::Session<Stream>, Reason> {
    let user = &account.user;
    let proved = match &account.secret {
        // A quoted string is seven-bit and has no line breaks (RFC 3501 section 4.3).
        Secret::Password(password) if is_plain(user) && is_plain(password) => {
            client.login(user, &password.0).await
        }
        Secret::Password(password) => {
            if user.contains('\0') || password.contains('\0') {
                return Err(Reason::Account("user and password must not hold a NUL"));
            }
            let text = format!("\0{user}\0{}", password.0);
            client.authenticate("PLAIN", Once(Some(text))).await
        }
        Secret::Token(token) => {
            let text = format!("user={user}\x01auth=Bearer {}\x01\x01", token.0);
            client.authenticate("XOAUTH2", Once(Some(text))).await
        }
    };
    proved.map_err(|(error, _client)| of_login(&error))
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// Says its text once. To a refused token the server answers with a second challenge that holds
/// the reason and must be answered with nothing; saying the token again would show it twice.
struct Once(Option<String>);

impl Authenticator for Once {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        self.0.take().unwrap_or_default()
    }
}

/// A failed login, without the server's words.
fn of_login(error: &async_imap::error::Error) -> Reason {
    use async_imap::error::Error as E;
    match error {
        E::Io(error) => of_read(error),
        E::No(text) => Reason::No(code_in(text)),
        E::Bad(text) => Reason::Bad(code_in(text)),
        E::ConnectionLost => Reason::Closed,
        E::Validate(_) => Reason::Account("user and password must not hold a line break"),
        // The enum may grow.
        _ => Reason::Garbled,
    }
}
