//! A mail server that takes every letter, forgets its text and counts it by its recipient.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// The domain of those who complain.
const CUSTOMERS: &str = "@example.org>";

#[derive(Default)]
struct Counts {
    acknowledgements: Mutex<usize>,
    more: Condvar,
    others: AtomicUsize,
}

/// A running sink, on a port of its own until the process ends.
pub(crate) struct Sink {
    pub(crate) port: u16,
    counts: Arc<Counts>,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counts = Arc::clone(&shared);
                // A client that hangs up ends the talk.
                std::thread::spawn(move || converse(&stream, &counts));
            }
        });
        Self { port, counts }
    }

    /// Letters to customers so far.
    pub(crate) fn acknowledgements(&self) -> usize {
        *self.counts.acknowledgements.lock().expect("no panic while counting")
    }

    /// Letters to services and officers so far.
    pub(crate) fn others(&self) -> usize {
        self.counts.others.load(Ordering::SeqCst)
    }

    /// Waits until so many customers have a letter; how many have.
    pub(crate) fn wait_for(&self, wanted: usize, longest: Duration) -> usize {
        let end = Instant::now() + longest;
        let mut count = self.counts.acknowledgements.lock().expect("no panic while counting");
        while *count < wanted {
            let Some(left) = end.checked_duration_since(Instant::now()) else { break };
            count = self.counts.more.wait_timeout(count, left).expect("no panic while counting").0;
        }
        *count
    }
}

fn converse(stream: &TcpStream, counts: &Counts) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::with_capacity(64 << 10, stream.try_clone()?);
    let mut out = stream;
    out.write_all(b"220 sink.example ESMTP\r\n")?;
    let (mut line, mut to_customer) = (Vec::new(), false);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let reply: &[u8] = match text.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            "RCPT" => {
                to_customer = text.to_ascii_lowercase().contains(CUSTOMERS);
                b"250 2.1.5 ok\r\n"
            }
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                loop {
                    line.clear();
                    if lines.read_until(b'\n', &mut line)? == 0 {
                        return Ok(());
                    }
                    if line == b".\r\n" {
                        break;
                    }
                }
                count(counts, to_customer);
                b"250 2.0.0 kept\r\n"
            }
            "QUIT" => {
                out.write_all(b"221 2.0.0 bye\r\n")?;
                return Ok(());
            }
            _ => b"250 2.0.0 ok\r\n",
        };
        out.write_all(reply)?;
    }
}

fn count(counts: &Counts, to_customer: bool) {
    if to_customer {
        *counts.acknowledgements.lock().expect("no panic while counting") += 1;
        counts.more.notify_all();
    } else {
        counts.others.fetch_add(1, Ordering::SeqCst);
    }
}
