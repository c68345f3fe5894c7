//! The yardstick and the server: `smtp-source` and `smtp-sink` of the Debian package `postfix`, which need
//! not run, only be there.

use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Connections that may wait to be taken.
const BACKLOG: &str = "100";

/// Says what is missing before anything is measured.
pub(crate) fn version() -> String {
    let output = tool("smtp-source").arg("-?").output();
    output.expect("this benchmark compares with smtp-source: install the Debian package postfix");
    "smtp-source and smtp-sink of postfix".to_owned()
}

/// Where Debian keeps them is not where everybody looks.
fn tool(name: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(name);
    command.env("PATH", format!("{path}:/usr/sbin")).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A mail server that takes every letter and forgets it. Dropped, it is stopped.
pub(crate) struct Sink {
    child: Child,
    pub(crate) port: u16,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let port = crate::support::free_port::free_port();
        let mut command = tool("smtp-sink");
        let we = std::fs::metadata("/proc/self").expect("Linux tells whose process this is");
        if we.uid() == 0 {
            command.args(["-u", "nobody"]);
        }
        let child = command.arg(format!("127.0.0.1:{port}")).arg(BACKLOG).spawn();
        let sink = Self { child: child.expect("smtp-sink starts"), port };
        let end = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "smtp-sink does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        sink
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has `smtp-source` send so many letters of so many octets over so many connections, each used again;
/// how long that took.
pub(crate) fn send(port: u16, letters: usize, octets: usize, connections: usize) -> Duration {
    let began = Instant::now();
    let status = tool("smtp-source")
        .args(["-d", "-s", &connections.to_string(), "-m", &letters.to_string()])
        .args(["-l", &octets.to_string()])
        .args(["-f", "complaints@northmere.example", "-t", "helen@example.org"])
        .arg(format!("127.0.0.1:{port}"))
        .status()
        .expect("smtp-source starts");
    assert!(status.success(), "smtp-source could not send");
    began.elapsed()
}
