//! The bytes to and from a mail server: TCP as we want it, TLS by us, and a lid on answers.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use lettre::transport::smtp::client::AsyncTokioStream;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Octets that a server may send in answer to one command. Without a lid, a line that never ends
/// would fill the memory.
const ANSWER_OCTETS: usize = 64 * 1024;

/// After `STARTTLS` the server greets no more, but the SMTP client waits for a greeting.
const GREETING_AFTER_STARTTLS: &[u8] = b"220 encrypted\r\n";

/// A connection to a mail server, plain or encrypted.
#[derive(Debug)]
pub(super) struct SmtpStream {
    inner: Inner,
    peer: SocketAddr,
    /// What the reader gets before anything from the server.
    first: &'static [u8],
    /// Octets read since we last wrote.
    answered: usize,
}

#[derive(Debug)]
enum Inner {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects with Nagle's algorithm off: the SMTP client writes a letter and its final dot in two
/// pieces, and with it on every letter would wait 40 ms for a delayed acknowledgement.
pub(super) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(30));
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}

/// A connection as it stands.
pub(super) fn plain(stream: TcpStream) -> io::Result<SmtpStream> {
    let peer = stream.peer_addr()?;
    Ok(SmtpStream { inner: Inner::Plain(stream), peer, first: b"", answered: 0 })
}

/// A connection encrypted from the first octet (RFC 8314).
pub(super) async fn implicit_tls(
    stream: TcpStream,
    host: &str,
    config: Arc<rustls::ClientConfig>,
) -> io::Result<SmtpStream> {
    let peer = stream.peer_addr()?;
    let name = rustls::pki_types::ServerName::try_from(host.to_owned())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "not a server name"))?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    Ok(SmtpStream { inner: Inner::Tls(Box::new(stream)), peer, first: b"", answered: 0 })
}

/// What went wrong before encryption began.
#[derive(Debug)]
pub(super) enum StartTlsFault {
    /// The server greeted or answered with this.
    Answer(u16, String),
    /// It does not offer `STARTTLS`: we never go on without.
    NotOffered,
    /// It sent more than its answer: someone on the way may have put words into its mouth, to be
    /// read as if they had come encrypted (CVE-2011-0411).
    Injected,
    /// The connection failed.
    Io,
    /// The encryption failed.
    Tls(io::Error),
}

/// Asks for encryption (RFC 3207) and encrypts.
pub(super) async fn starttls(
    mut stream: TcpStream,
    host: &str,
    hello: &str,
    config: Arc<rustls::ClientConfig>,
) -> Result<SmtpStream, StartTlsFault> {
    expect(&mut stream, 220).await?;
    let offers = ask(&mut stream, &format!("EHLO {hello}\r\n"), 250).await?;
    if !offers.lines().any(|line| line.trim().eq_ignore_ascii_case("starttls")) {
        return Err(StartTlsFault::NotOffered);
    }
    ask(&mut stream, "STARTTLS\r\n", 220).await?;
    let stream = implicit_tls(stream, host, config).await.map_err(StartTlsFault::Tls)?;
    Ok(SmtpStream { first: GREETING_AFTER_STARTTLS, ..stream })
}

async fn ask(stream: &mut TcpStream, command: &str, code: u16) -> Result<String, StartTlsFault> {
    stream.write_all(command.as_bytes()).await.map_err(|_| StartTlsFault::Io)?;
    expect(stream, code).await
}

/// Reads one answer and nothing after it; its text, a line each.
async fn expect(stream: &mut TcpStream, code: u16) -> Result<String, StartTlsFault> {
    let mut answer = Vec::new();
    loop {
        if let Some((given, text, rest)) = whole_answer(&answer) {
            if rest > 0 {
                return Err(StartTlsFault::Injected);
            }
            return if given == code { Ok(text) } else { Err(StartTlsFault::Answer(given, text)) };
        }
        if answer.len() > ANSWER_OCTETS {
            return Err(StartTlsFault::Io);
        }
        if stream.read_buf(&mut answer).await.map_err(|_| StartTlsFault::Io)? == 0 {
            return Err(StartTlsFault::Io);
        }
    }
}

/// Code, text and the number of octets left over, once the last line (`250 `) is there.
fn whole_answer(octets: &[u8]) -> Option<(u16, String, usize)> {
    let mut text = String::new();
    let mut left = octets.len();
    for line in octets.split_inclusive(|&octet| octet == b'\n').filter(|line| line.ends_with(b"\n"))
    {
        left -= line.len();
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        text.push_str(line.get(4..).unwrap_or(""));
        text.push('\n');
        if line.get(3..4) != Some("-") {
            return Some((
                line.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0),
                text,
                left,
            ));
        }
    }
    None
}

impl AsyncRead for SmtpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.first.is_empty() {
            let (now, later) = self.first.split_at(self.first.len().min(buf.remaining()));
            buf.put_slice(now);
            self.first = later;
            return Poll::Ready(Ok(()));
        }
        if self.answered > ANSWER_OCTETS {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "answer without end",
            )));
        }
        let before = buf.filled().len();
        let polled = match &mut self.inner {
            Inner::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Inner::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        self.answered += buf.filled().len() - before;
        polled
    }
}

impl AsyncWrite for SmtpStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.answered = 0;
        match &mut self.inner {
            Inner::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Inner::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Inner::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Inner::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncTokioStream for SmtpStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
