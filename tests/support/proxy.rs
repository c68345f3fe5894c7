//! A TCP proxy that misbehaves on the way from the server to the client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What to do with what the server says.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Nothing: pass it on.
    None,
    /// Close both ways after so many bytes.
    CutAfter(usize),
    /// Reset the connection after so many bytes.
    ResetAfter(usize),
    /// Pass so many bytes on, then nothing more, and keep the connection open.
    StallAfter(usize),
    /// Pass on in pieces of so many bytes, with a pause after each.
    Drip(usize, Duration),
}

/// A running proxy. The fault holds for the first connections; later ones are passed on whole.
pub struct Proxy {
    /// Where clients connect.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before a loopback port whose first `times` connections have the fault.
    pub async fn start(target: u16, fault: Fault, times: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let left = Arc::new(AtomicUsize::new(times));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let one = |n: usize| n.checked_sub(1);
                let faulty = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one).is_ok();
                let fault = if faulty { fault } else { Fault::None };
                tokio::spawn(async move {
                    let server = TcpStream::connect(("127.0.0.1", target)).await?;
                    pass(client, server, fault).await
                });
            }
        });
        Self { address, task }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, server: TcpStream, fault: Fault) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    if let Fault::ResetAfter(_) = fault {
        client.set_zero_linger()?;
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 16 * 1024];
    let mut passed = 0;
    loop {
        let room = match fault {
            Fault::Drip(piece, _) => piece.min(buffer.len()),
            _ => buffer.len(),
        };
        let count = from_server.read(&mut buffer[..room]).await?;
        if count == 0 {
            break;
        }
        match fault {
            Fault::CutAfter(most) | Fault::ResetAfter(most) if passed + count >= most => {
                to_client.write_all(&buffer[..most - passed]).await?;
                break;
            }
            Fault::StallAfter(most) if passed + count >= most => {
                to_client.write_all(&buffer[..most - passed]).await?;
                tokio::time::sleep(Duration::from_hours(1)).await;
            }
            Fault::Drip(_, pause) => tokio::time::sleep(pause).await,
            _ => {}
        }
        to_client.write_all(&buffer[..count]).await?;
        passed += count;
    }
    up.abort();
    Ok(())
}
