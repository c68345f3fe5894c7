//! A virus scanner that answers by a script and remembers what it was shown.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
    task::{JoinHandle, JoinSet},
};

/// What the scripted scanner takes for a virus.
pub const VIRUS: &str = "X-TEST-VIRUS";

/// How it behaves with one file.
#[derive(Debug, Clone)]
pub enum Act {
    /// Looks for [`VIRUS`] in it.
    Look,
    /// Answers this when it has everything.
    Say(&'static str),
    /// Answers this and hangs up as soon as it has so many bytes.
    SayAfter(usize, &'static str),
    /// Hangs up when it has so many bytes.
    HangUpAfter(usize),
    /// Takes everything and says nothing.
    Hang,
    /// Takes nothing and says nothing.
    Deaf,
    /// Answers without end and without NUL.
    Babble,
}

#[derive(Default)]
struct Seen {
    files: Mutex<Vec<Vec<u8>>>,
    commands: Mutex<Vec<String>>,
}

/// A running scanner; stops when dropped.
pub struct FakeClamd {
    /// As the settings name it.
    pub place: String,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl FakeClamd {
    /// On a free port; the acts are used in turn, the last one stays.
    pub async fn start(acts: &[Act]) -> Self {
        Self::start_at(0, acts).await
    }

    /// On a port that the test has chosen.
    pub async fn start_at(port: u16, acts: &[Act]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (seen, acts) = (Arc::new(Seen::default()), acts.to_vec());
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let (mut talks, mut acts) = (JoinSet::new(), Turns(acts));
            while let Ok((stream, _)) = listener.accept().await {
                talks.spawn(talk(stream, acts.next(), Arc::clone(&shared)));
            }
        });
        Self { place: format!("tcp:{address}"), seen, task }
    }

    /// At a socket.
    pub fn start_on(socket: &Path, acts: &[Act]) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let (seen, acts) = (Arc::new(Seen::default()), acts.to_vec());
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let (mut talks, mut acts) = (JoinSet::new(), Turns(acts));
            while let Ok((stream, _)) = listener.accept().await {
                talks.spawn(talk(stream, acts.next(), Arc::clone(&shared)));
            }
        });
        Self { place: format!("unix:{}", socket.display()), seen, task }
    }

    /// Every file that came whole, in order.
    pub fn files(&self) -> Vec<Vec<u8>> {
        self.seen.files.lock().unwrap().clone()
    }

    /// Every command, in order.
    pub fn commands(&self) -> Vec<String> {
        self.seen.commands.lock().unwrap().clone()
    }
}

impl Drop for FakeClamd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Turns(Vec<Act>);

impl Turns {
    fn next(&mut self) -> Act {
        if self.0.len() > 1 { self.0.remove(0) } else { self.0[0].clone() }
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, act: Act, seen: Arc<Seen>) {
    // A client that hangs up ends the talk: what it left behind is for the test to judge.
    let _end = converse(stream, act, &seen).await;
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    act: Act,
    seen: &Seen,
) -> std::io::Result<()> {
    if matches!(act, Act::Deaf) {
        return std::future::pending().await;
    }
    let mut command = Vec::new();
    loop {
        match stream.read_u8().await? {
            0 => break,
            byte => command.push(byte),
        }
    }
    let command = String::from_utf8(command).unwrap();
    seen.commands.lock().unwrap().push(command.clone());
    if command == "zPING" {
        let reply: &[u8] = if matches!(act, Act::Look) { b"PONG\0" } else { b"220 mail\r\n\0" };
        return stream.write_all(reply).await;
    }
    assert_eq!(command, "zINSTREAM");
    let mut file = Vec::new();
    loop {
        let length = usize::try_from(stream.read_u32().await?).unwrap();
        if length == 0 {
            break;
        }
        let from = file.len();
        file.resize(from + length, 0);
        stream.read_exact(&mut file[from..]).await?;
        match act {
            Act::SayAfter(most, reply) if file.len() > most => {
                stream.write_all(reply.as_bytes()).await?;
                stream.write_all(b"\0").await?;
                return stream.shutdown().await;
            }
            Act::HangUpAfter(most) if file.len() > most => return Ok(()),
            _ => {}
        }
    }
    seen.files.lock().unwrap().push(file.clone());
    let reply = match act {
        Act::Say(reply) | Act::SayAfter(_, reply) => reply,
        Act::Look if file.windows(VIRUS.len()).any(|part| part == VIRUS.as_bytes()) => {
            "stream: Test.Virus FOUND"
        }
        Act::Look => "stream: OK",
        Act::Babble => {
            while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
            return Ok(());
        }
        Act::HangUpAfter(_) => return Ok(()),
        Act::Hang | Act::Deaf => return std::future::pending().await,
    };
    stream.write_all(reply.as_bytes()).await?;
    stream.write_all(b"\0").await
}
