//! A mail server that answers by a script and remembers what it was sent.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// A letter that the sink accepted, dots unstuffed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub from: String,
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
}

/// Where the sink hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drop {
    Never,
    /// Instead of a greeting.
    AtGreeting,
    /// Instead of answering `MAIL`.
    AtMail,
    /// Instead of 354.
    Before354,
    /// After 354, before the letter.
    After354,
    /// After the whole letter, without an answer.
    AfterDot,
}

/// A reply that is a line of 64 MB without an end, and then silence.
pub const ENDLESS: &str = "endless";

/// How the sink behaves. A reply is whole lines without the last line's end.
#[derive(Clone)]
pub struct Script {
    pub greeting: String,
    pub extensions: Vec<String>,
    /// Replies by verb (`MAIL`, `RCPT`, `DATA`, `DOT`, `EHLO`, `AUTH`, `AUTH2` for what follows a
    /// challenge), used in turn; the last one stays. Without one the sink agrees.
    pub replies: HashMap<String, Vec<String>>,
    /// Before the answer to the whole letter; in turn, the last one stays.
    pub delay_at_dot: Vec<Duration>,
    pub drop: Drop,
    /// Sent in the clear right behind the answer to `STARTTLS`.
    pub inject_after_starttls: String,
    pub tls: Option<TlsAcceptor>,
    /// TLS from the first octet.
    pub implicit_tls: bool,
    /// `AUTH PLAIN` must carry this base64 text, or is refused with 535.
    pub password: Option<String>,
    /// Hangs up after this many letters on one connection.
    pub letters_a_connection: usize,
    /// Hands each letter that is taken on, before it says so.
    pub hand_on: Option<HandOn>,
    /// Forgets each letter once it was handed on: for more of them than fit in memory.
    pub forget: bool,
}

/// Where letters go on to.
pub type HandOn = Arc<dyn Fn(&Letter) + Send + Sync>;

impl Default for Script {
    fn default() -> Self {
        Self {
            greeting: "220 sink.example ESMTP".into(),
            extensions: vec!["8BITMIME".into()],
            replies: HashMap::new(),
            delay_at_dot: Vec::new(),
            drop: Drop::Never,
            inject_after_starttls: String::new(),
            tls: None,
            implicit_tls: false,
            password: None,
            letters_a_connection: usize::MAX,
            hand_on: None,
            forget: false,
        }
    }
}

impl Script {
    /// The same, answering `verb` with these in turn.
    #[must_use]
    pub fn reply(mut self, verb: &str, replies: &[&str]) -> Self {
        self.replies.insert(verb.into(), replies.iter().map(|&reply| reply.to_owned()).collect());
        self
    }
}

#[derive(Default)]
struct Seen {
    letters: Mutex<Vec<Letter>>,
    offered: Mutex<Vec<Letter>>,
    commands: Mutex<Vec<String>>,
    used: Mutex<HashMap<String, usize>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

/// A running sink; stops when dropped.
pub struct SmtpSink {
    pub address: SocketAddr,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl SmtpSink {
    pub async fn start(script: Script) -> Self {
        Self::start_at(0, script).await
    }

    /// Starts one on a port that the test has chosen.
    pub async fn start_at(port: u16, script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let (script, shared) = (Arc::new(script), seen.clone());
        let task = tokio::spawn(async move {
            let mut talks = tokio::task::JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                tcp.set_nodelay(true).unwrap();
                talks.spawn(talk(tcp, script.clone(), shared.clone()));
            }
        });
        Self { address, seen, task }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn letters(&self) -> Vec<Letter> {
        self.seen.letters.lock().unwrap().clone()
    }

    /// Every letter that came whole, accepted or not, in order.
    pub fn offered(&self) -> Vec<Letter> {
        self.seen.offered.lock().unwrap().clone()
    }

    /// Every command line, in order of arrival.
    pub fn commands(&self) -> Vec<String> {
        self.seen.commands.lock().unwrap().clone()
    }

    /// Connections made so far.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    /// The most that were open at one time.
    pub fn most_open(&self) -> usize {
        self.seen.most_open.load(Ordering::SeqCst)
    }
}

impl std::ops::Drop for SmtpSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts a connection as open while it lives.
struct Open(Arc<Seen>);

impl Open {
    fn new(seen: Arc<Seen>) -> Self {
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most_open.fetch_max(open, Ordering::SeqCst);
        Self(seen)
    }
}

impl std::ops::Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn talk(tcp: tokio::net::TcpStream, script: Arc<Script>, seen: Arc<Seen>) {
    let _open = Open::new(seen.clone());
    // A client that hangs up ends the talk: what it left behind is for the test to judge.
    let _end = match (&script.tls, script.implicit_tls) {
        (Some(tls), true) => match tls.accept(tcp).await {
            Ok(stream) => converse(BufReader::new(stream), &script, &seen, true).await.map(|_| ()),
            Err(fault) => Err(fault),
        },
        _ => plain_first(tcp, &script, &seen).await,
    };
}

async fn plain_first(
    tcp: tokio::net::TcpStream,
    script: &Script,
    seen: &Seen,
) -> std::io::Result<()> {
    let Some(stream) = converse(BufReader::new(tcp), script, seen, true).await? else {
        return Ok(());
    };
    let tls = script.tls.as_ref().expect("STARTTLS agreed to without TLS");
    let stream = tls.accept(stream.into_inner()).await?;
    converse(BufReader::new(stream), script, seen, false).await.map(|_| ())
}

/// One conversation; gives the stream back where it is to be encrypted.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    script: &Script,
    seen: &Seen,
    greet: bool,
) -> std::io::Result<Option<BufReader<S>>> {
    if script.drop == Drop::AtGreeting {
        return Ok(None);
    }
    if greet {
        say(&mut stream, &script.greeting).await?;
    }
    let (mut from, mut to, mut letters) = (String::new(), Vec::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_owned();
        seen.commands.lock().unwrap().push(line.clone());
        let verb = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => {
                let mut lines = vec!["sink.example".to_owned()];
                lines.extend(script.extensions.clone());
                let last = lines.len() - 1;
                let offer: Vec<String> = (lines.iter().enumerate())
                    .map(|(n, line)| format!("250{}{line}", if n == last { ' ' } else { '-' }))
                    .collect();
                say(&mut stream, &answer(script, seen, "EHLO", &offer.join("\r\n"))).await?;
            }
            "STARTTLS" => {
                say(&mut stream, &format!("220 go ahead\r\n{}", script.inject_after_starttls))
                    .await?;
                return Ok(script.tls.is_some().then_some(stream));
            }
            "AUTH" => {
                let expected = script.password.as_deref();
                let right = expected.is_none_or(|password| line.ends_with(password));
                let usual = if right { "235 2.7.0 welcome" } else { "535 5.7.8 wrong" };
                let reply = answer(script, seen, "AUTH", usual);
                say(&mut stream, &reply).await?;
                if reply.starts_with("334") {
                    stream.read_line(&mut String::new()).await?;
                    say(&mut stream, &answer(script, seen, "AUTH2", usual)).await?;
                }
            }
            "MAIL" if script.drop == Drop::AtMail => return Ok(None),
            "MAIL" => {
                (from, to) = (line["MAIL FROM:".len()..].to_owned(), Vec::new());
                say(&mut stream, &answer(script, seen, "MAIL", "250 2.1.0 ok")).await?;
            }
            "RCPT" => {
                to.push(line["RCPT TO:".len()..].to_owned());
                say(&mut stream, &answer(script, seen, "RCPT", "250 2.1.5 ok")).await?;
            }
            "DATA" => {
                if script.drop == Drop::Before354 {
                    return Ok(None);
                }
                let reply = answer(script, seen, "DATA", "354 go on");
                say(&mut stream, &reply).await?;
                if script.drop == Drop::After354 {
                    return Ok(None);
                }
                if !reply.starts_with("354") {
                    continue;
                }
                let bytes = letter(&mut stream).await?;
                let whole = Letter { from: from.clone(), to: to.clone(), bytes };
                if !script.forget {
                    seen.offered.lock().unwrap().push(whole.clone());
                }
                if script.drop == Drop::AfterDot {
                    return Ok(None);
                }
                if let Some(&delay) = in_turn(seen, "delay", &script.delay_at_dot) {
                    tokio::time::sleep(delay).await;
                }
                let reply = answer(script, seen, "DOT", "250 2.0.0 queued as 42");
                if reply.starts_with("250") {
                    if let Some(hand_on) = &script.hand_on {
                        tokio::task::block_in_place(|| hand_on(&whole));
                    }
                    if !script.forget {
                        seen.letters.lock().unwrap().push(whole);
                    }
                    letters += 1;
                }
                say(&mut stream, &reply).await?;
                if letters >= script.letters_a_connection {
                    return Ok(None);
                }
            }
            "QUIT" => {
                say(&mut stream, "221 2.0.0 bye").await?;
                return Ok(None);
            }
            _ => say(&mut stream, "500 5.5.1 what?").await?,
        }
    }
}

async fn letter(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(bytes);
        }
        bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn answer(script: &Script, seen: &Seen, verb: &str, usual: &str) -> String {
    let scripted = script.replies.get(verb).and_then(|replies| in_turn(seen, verb, replies));
    scripted.cloned().unwrap_or_else(|| usual.to_owned())
}

fn in_turn<'a, T>(seen: &Seen, what: &str, values: &'a [T]) -> Option<&'a T> {
    let mut used = seen.used.lock().unwrap();
    let turn = used.entry(what.to_owned()).or_default();
    *turn += 1;
    values.get((*turn - 1).min(values.len().saturating_sub(1)))
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), reply: &str) -> std::io::Result<()> {
    if reply == ENDLESS {
        stream.write_all(b"250 ").await?;
        let piece = vec![b'x'; 64 * 1024];
        for _ in 0..1024 {
            stream.write_all(&piece).await?;
        }
        return std::future::pending().await;
    }
    let end = if reply.is_empty() || reply.ends_with("\r\n") { "" } else { "\r\n" };
    stream.write_all(format!("{reply}{end}").as_bytes()).await?;
    stream.flush().await
}
