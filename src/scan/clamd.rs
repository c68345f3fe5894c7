//! The protocol of `clamd` (its manual, section COMMANDS): one file a connection, sent in pieces.
//!
//! The answer is a value, [`Verdict`], never an error. A reply is the scanner's own words about bytes
//! that it was given without a name, so it names nobody.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::config::Clamd;

/// Bytes sent in one piece.
const PIECE_BYTES: usize = 64 * 1024;
/// The longest reply that is read; a real one is a line.
const MOST_REPLY_BYTES: u64 = 4096;
/// How much of a reply is kept.
const MOST_WORDS: usize = 200;

/// How long the scanner is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until it takes the connection.
    pub connect: Duration,
    /// Until the whole answer is there.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        // clamd itself gives up on one file after two minutes (`MaxScanTime`).
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(150) }
    }
}

/// What became of one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was found: the signature's name.
    Infected(String),
    /// The file is larger than the scanner takes (`StreamMaxLength`, or `MaxFileSize` and its kin where
    /// it says so): it will never be seen whole.
    TooLarge,
    /// The scanner says that it cannot see inside (`AlertEncrypted`).
    Locked,
    /// The scanner took the file and gave no verdict: why.
    Failed(String),
    /// There is no scanner to speak to: why.
    Unreachable(String),
}

/// Shows some bytes to the scanner.
pub async fn scan(clamd: &Clamd, bytes: &[u8], patience: Patience) -> Verdict {
    let stream = match timeout(patience.connect, connect(clamd)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(fault)) => return Verdict::Unreachable(unreachable_words(&fault)),
        Err(_) => return Verdict::Unreachable("the scanner takes no connection".to_owned()),
    };
    match timeout(patience.answer, converse(stream, bytes)).await {
        Ok(reply) => verdict(&reply),
        Err(_) => Verdict::Failed("the scanner did not answer in time".to_owned()),
    }
}

/// Whether somebody answers as `clamd` does.
///
/// # Errors
/// Why not, in words.
pub async fn ping(clamd: &Clamd, patience: Patience) -> Result<(), String> {
    let talk = async {
        let mut stream = connect(clamd).await.map_err(|fault| unreachable_words(&fault))?;
        // What cannot be sent is not answered either.
        let _ = stream.write_all(b"zPING\0").await;
        Ok(reply(&mut stream).await)
    };
    match timeout(patience.connect, talk).await {
        Ok(Ok(reply)) if reply == "PONG" => Ok(()),
        Ok(Ok(_)) => Err("whoever answers there is no clamd".to_owned()),
        Ok(Err(words)) => Err(words),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

/// A connection, of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn connect(clamd: &Clamd) -> std::io::Result<Box<dyn Stream>> {
    Ok(match clamd {
        Clamd::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Clamd::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    })
}

fn unreachable_words(fault: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let known = [
        (ErrorKind::NotFound, "there is no such socket"),
        (ErrorKind::ConnectionRefused, "nobody listens there"),
        (ErrorKind::PermissionDenied, "this user may not use the socket"),
    ];
    let known = known.iter().find(|(kind, _)| *kind == fault.kind());
    known.map_or_else(|| fault.to_string(), |(_, words)| (*words).to_owned())
}

/// Sends the bytes and reads the reply. The scanner may reply, and hang up, before it has everything:
/// so it is listened to while we speak.
async fn converse(stream: Box<dyn Stream>, bytes: &[u8]) -> String {
    let (mut from, mut to) = tokio::io::split(stream);
    let speaking = speak(&mut to, bytes);
    let listening = reply(&mut from);
    tokio::pin!(speaking, listening);
    tokio::select! {
        reply = &mut listening => reply,
        // Whether it went well or the other side hung up: the reply tells.
        _ = &mut speaking => listening.await,
    }
}

async fn speak(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(b"zINSTREAM\0").await?;
    for piece in bytes.chunks(PIECE_BYTES) {
        let length = u32::try_from(piece.len()).unwrap_or_default();
        to.write_all(&length.to_be_bytes()).await?;
        to.write_all(piece).await?;
    }
    to.write_all(&0_u32.to_be_bytes()).await?;
    to.flush().await
}

/// The reply up to its NUL, or what came of it before the other side hung up.
async fn reply(from: &mut (impl AsyncRead + Unpin)) -> String {
    let mut reply = Vec::new();
    let mut from = from.take(MOST_REPLY_BYTES);
    let mut piece = [0; 512];
    while !reply.contains(&0) {
        match from.read(&mut piece).await {
            Ok(0) | Err(_) => return String::new(),
            Ok(count) => reply.extend_from_slice(piece.get(..count).unwrap_or_default()),
        }
    }
    let end = reply.iter().position(|byte| *byte == 0).unwrap_or(reply.len());
    String::from_utf8_lossy(reply.get(..end).unwrap_or_default()).trim().to_owned()
}

/// What a reply says.
fn verdict(reply: &str) -> Verdict {
    let about = reply.strip_prefix("stream: ").unwrap_or(reply);
    if reply == "stream: OK" {
        return Verdict::Clean;
    }
    if let Some(name) = about.strip_suffix(" FOUND") {
        // Where the scanner is told to speak of what it did not look at, it does so in these names.
        return match name.strip_prefix("Heuristics.") {
            Some(why) if why.starts_with("Limits.Exceeded") => Verdict::TooLarge,
            Some(why) if why.starts_with("Encrypted.") => Verdict::Locked,
            _ => Verdict::Infected(shown(name)),
        };
    }
    if reply.is_empty() {
        return Verdict::Failed("the scanner hung up without an answer".to_owned());
    }
    if about.contains("size limit exceeded") {
        return Verdict::TooLarge;
    }
    let words = shown(about.strip_suffix("ERROR").unwrap_or(about).trim_end());
    Verdict::Failed(format!("the scanner answered: {words}"))
}

/// A reply fit to be kept and shown.
fn shown(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_reply_is_clean() {
        for (reply, expected) in [
            ("stream: OK", Verdict::Clean),
            (
                "stream: Win.Test.EICAR_HDB-1 FOUND",
                Verdict::Infected("Win.Test.EICAR_HDB-1".to_owned()),
            ),
            ("stream: OK FOUND", Verdict::Infected("OK".to_owned())),
            ("INSTREAM size limit exceeded. ERROR", Verdict::TooLarge),
            ("stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND", Verdict::TooLarge),
            ("stream: Heuristics.Encrypted.Zip FOUND", Verdict::Locked),
            (
                "stream: Heuristics.OLE2.ContainsMacros FOUND",
                Verdict::Infected("Heuristics.OLE2.ContainsMacros".to_owned()),
            ),
            (
                "stream: Can't allocate memory ERROR",
                Verdict::Failed("the scanner answered: Can't allocate memory".to_owned()),
            ),
            ("OK", Verdict::Failed("the scanner answered: OK".to_owned())),
            ("stream: ok", Verdict::Failed("the scanner answered: ok".to_owned())),
            ("", Verdict::Failed("the scanner hung up without an answer".to_owned())),
        ] {
            assert_eq!(verdict(reply), expected, "{reply}");
        }
    }
}
