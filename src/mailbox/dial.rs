//! From an account to a stream that is ready for IMAP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::account::{ImapAccount, Security};
use super::error::{Attempt, MailboxError, Reason, code_in};
use super::meter::Meter;
use crate::tls::{self, TlsFault};

/// A connection, protected or not, that measures what it receives.
#[derive(Debug)]
pub(super) struct Stream {
    inner: Inner,
    received: u64,
    meter: Meter,
}

#[derive(Debug)]
enum Inner {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn new(inner: Inner) -> Self {
        Self { inner, received: 0, meter: Meter::default() }
    }

    /// Bytes received so far: whether a slow answer is still coming.
    pub(super) fn received(&self) -> u64 {
        self.received
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = match &mut self.inner {
            Inner::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Inner::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        };
        let fresh = buf.filled().get(before..).unwrap_or_default();
        self.received += fresh.len() as u64;
        if self.meter.note(fresh).is_err() {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::FileTooLarge)));
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.inner {
            Inner::Plain(tcp) => Pin::new(tcp).poll_write(cx, data),
            Inner::Tls(tls) => Pin::new(tls).poll_write(cx, data),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Inner::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Inner::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

/// Whether the server's greeting is still to come on a new stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    Expected,
    /// Read before STARTTLS; the server does not greet again (RFC 3501 section 6.2.1).
    Done,
}

/// Connects as the account says.
pub(super) async fn dial(account: &ImapAccount) -> Result<(Stream, Greeting), MailboxError> {
    let failed = |reason| MailboxError::new(Attempt::Connect, reason);
    let limit = account.timeouts.connect;
    let tcp = connect(account).await.map_err(failed)?;
    match account.security {
        Security::Plain => Ok((Stream::new(Inner::Plain(tcp)), Greeting::Expected)),
        Security::Tls => {
            let stream = secure(account, tcp, limit).await.map_err(failed)?;
            Ok((stream, Greeting::Expected))
        }
        Security::StartTls => {
            let mut tcp = tcp;
            timeout(limit, ask_for_tls(&mut tcp))
                .await
                .map_err(|_| failed(Reason::TimedOut(limit)))?
                .map_err(failed)?;
            let stream = secure(account, tcp, limit).await.map_err(failed)?;
            Ok((stream, Greeting::Done))
        }
    }
}

async fn connect(account: &ImapAccount) -> Result<TcpStream, Reason> {
    let limit = account.timeouts.connect;
    let unreachable = |error: io::Error| Reason::Unreachable(error.kind());
    let addresses: Vec<SocketAddr> =
        timeout(limit, tokio::net::lookup_host((account.host.as_str(), account.port)))
            .await
            .map_err(|_| Reason::TimedOut(limit))?
            .map_err(unreachable)?
            .collect();
    let mut last = Reason::Unreachable(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let open = account.security != Security::Plain || account.allow_insecure;
        if !open && !address.ip().is_loopback() {
            return Err(Reason::Insecure);
        }
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                tune(&tcp).map_err(unreachable)?;
                return Ok(tcp);
            }
            Ok(Err(error)) => last = unreachable(error),
            Err(_) => last = Reason::TimedOut(limit),
        }
    }
    Err(last)
}

/// Small commands go out at once, and a peer that vanished is noticed within a minute.
fn tune(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10))
        .with_retries(3);
    SockRef::from(tcp).set_tcp_keepalive(&keepalive)
}

async fn secure(account: &ImapAccount, tcp: TcpStream, limit: Duration) -> Result<Stream, Reason> {
    let config = tls::client_config(&account.trust).map_err(Reason::Tls)?;
    let name =
        ServerName::try_from(account.host.clone()).map_err(|_| Reason::Tls(TlsFault::HostName))?;
    let handshake = TlsConnector::from(Arc::clone(&config)).connect(name, tcp);
    let tls = timeout(limit, handshake)
        .await
        .map_err(|_| Reason::TimedOut(limit))?
        .map_err(|error| of_handshake(&error))?;
    Ok(Stream::new(Inner::Tls(Box::new(tls))))
}

fn of_handshake(error: &io::Error) -> Reason {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(fault) => Reason::Tls(TlsFault::of_handshake(fault.clone())),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Reason::Closed,
        None => Reason::Unreachable(error.kind()),
    }
}

/// The exchange before TLS. Read byte by byte, so that nothing sent ahead of the handshake can be
/// taken for part of the protected conversation afterwards: such bytes break the handshake.
async fn ask_for_tls(tcp: &mut TcpStream) -> Result<(), Reason> {
    let greeting = read_line(tcp).await?;
    let word = greeting.get(..6).unwrap_or(&greeting).to_ascii_uppercase();
    if word.starts_with("* BYE") {
        return Err(Reason::Bye(code_in(&greeting)));
    }
    // PREAUTH would leave us in a session that someone else opened (RFC 9051 section 11.1).
    if !word.starts_with("* OK") {
        return Err(Reason::Unexpected("no greeting"));
    }
    tcp.write_all(b"T1 STARTTLS\r\n").await.map_err(|e| Reason::Unreachable(e.kind()))?;
    loop {
        let line = read_line(tcp).await?;
        if let Some(answer) = line.strip_prefix("T1 ") {
            let accepted = answer.get(..2).is_some_and(|ok| ok.eq_ignore_ascii_case("OK"));
            return if accepted { Ok(()) } else { Err(Reason::NoStartTls) };
        }
        if line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("* BYE")) {
            return Err(Reason::Bye(code_in(&line)));
        }
    }
}

/// The longest line accepted before TLS.
const LINE_BYTES: usize = 8192;

async fn read_line(tcp: &mut TcpStream) -> Result<String, Reason> {
    let mut line = Vec::new();
    while line.len() < LINE_BYTES {
        match tcp.read_u8().await {
            Ok(b'\n') => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            Ok(byte) => line.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Reason::Closed);
            }
            Err(error) => return Err(Reason::Unreachable(error.kind())),
        }
    }
    Err(Reason::Garbled)
}
