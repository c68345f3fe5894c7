//! An IMAP server that says exactly what a test wrote down, for what no real server can be made
//! to say.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How to answer one command.
#[derive(Debug, Clone)]
pub struct Answer {
    when: &'static str,
    says: Vec<u8>,
    after: After,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum After {
    GoOn,
    HangUp,
    FallSilent,
    Repeat(&'static str, Duration),
}

/// When a command contains `when`, say this. `TAG` stands for the command's tag.
///
/// Answers are used up in order: the first unused one that fits is taken. A command that none
/// fits gets the server's ordinary answer.
pub fn on(when: &'static str, says: impl AsRef<[u8]>) -> Answer {
    Answer { when, says: says.as_ref().to_vec(), after: After::GoOn }
}

impl Answer {
    /// Then closes the connection.
    pub fn hang_up(mut self) -> Self {
        self.after = After::HangUp;
        self
    }

    /// Then says this again and again, whatever else is asked and answered.
    pub fn repeat(mut self, says: &'static str, every: Duration) -> Self {
        self.after = After::Repeat(says, every);
        self
    }

    /// Then reads on and never says another word: a half-open connection.
    pub fn fall_silent(mut self) -> Self {
        self.after = After::FallSilent;
        self
    }
}

/// A scripted server on a loopback port. It logs anyone in and has an INBOX of three messages;
/// whatever else happens is in its script.
pub struct ImapScript {
    /// Where it listens.
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl ImapScript {
    /// Starts it. The script is shared by all connections: an answer is given once.
    pub async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        Self::start_greeting("* OK ready\r\n", script).await
    }

    /// Starts it with another first line.
    pub async fn start_greeting(
        greeting: &'static str,
        script: impl IntoIterator<Item = Answer>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script.into_iter().collect::<Vec<_>>()));
        let log = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                tokio::spawn(async move {
                    let _ = converse(stream, greeting, &script, &log).await;
                });
            }
        });
        Self { address, heard, task }
    }

    /// The commands that came, without their tags.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for ImapScript {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(
    stream: TcpStream,
    greeting: &str,
    script: &Mutex<Vec<Answer>>,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, write) = stream.into_split();
    let write = Arc::new(tokio::sync::Mutex::new(write));
    write.lock().await.write_all(greeting.as_bytes()).await?;
    let mut lines = BufReader::new(read).lines();
    let mut last_tag = String::new();
    while let Some(line) = lines.next_line().await? {
        let (tag, command) = match line.split_once(' ') {
            Some((tag, command)) => (tag.to_owned(), command.to_owned()),
            // `DONE`, or what answers a challenge, belongs to the command before.
            None => (last_tag.clone(), line.clone()),
        };
        last_tag.clone_from(&tag);
        heard.lock().unwrap().push(command.clone());
        let scripted = take(script, &command);
        let (says, after) = scripted.map_or_else(
            || (ordinary(&command).into_bytes(), After::GoOn),
            |answer| (answer.says, answer.after),
        );
        write.lock().await.write_all(&with_tag(&says, &tag)).await?;
        match after {
            After::GoOn => {}
            After::HangUp => return Ok(()),
            After::Repeat(says, every) => {
                let write = Arc::clone(&write);
                tokio::spawn(async move {
                    while write.lock().await.write_all(says.as_bytes()).await.is_ok() {
                        tokio::time::sleep(every).await;
                    }
                });
            }
            After::FallSilent => tokio::time::sleep(Duration::from_hours(1)).await,
        }
    }
    Ok(())
}

fn take(script: &Mutex<Vec<Answer>>, command: &str) -> Option<Answer> {
    let mut script = script.lock().unwrap();
    let place = script.iter().position(|answer| command.contains(answer.when))?;
    Some(script.remove(place))
}

fn with_tag(says: &[u8], tag: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(says.len());
    let mut rest = says;
    while let Some(place) = rest.windows(3).position(|three| three == b"TAG") {
        out.extend_from_slice(&rest[..place]);
        out.extend_from_slice(tag.as_bytes());
        rest = &rest[place + 3..];
    }
    out.extend_from_slice(rest);
    out
}

/// The answers of a well-behaved server.
fn ordinary(command: &str) -> String {
    let verb = command.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    match verb.as_str() {
        "CAPABILITY" => {
            "* CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS AUTH=PLAIN AUTH=XOAUTH2\r\nTAG OK done\r\n"
                .into()
        }
        "SELECT" => SELECTED.into(),
        "IDLE" => "+ idling\r\n".into(),
        "LOGOUT" => "* BYE bye\r\nTAG OK done\r\n".into(),
        "AUTHENTICATE" => "+ \r\n".into(),
        _ => "TAG OK done\r\n".into(),
    }
}

/// An ordinary answer to SELECT: three messages, UIDVALIDITY 7, UIDNEXT 4.
pub const SELECTED: &str = "* 3 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n\
    * OK [PERMANENTFLAGS (\\Seen \\*)] ok\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 4] ok\r\n\
    TAG OK [READ-WRITE] done\r\n";

/// A FETCH answer with a whole message.
pub fn message(sequence: u32, uid: u32, body: &str) -> String {
    format!(
        "* {sequence} FETCH (UID {uid} FLAGS () INTERNALDATE \"16-Mar-2026 09:00:00 +0000\" \
         RFC822.SIZE {n} BODY[] {{{n}}}\r\n{body})\r\n",
        n = body.len()
    )
}
