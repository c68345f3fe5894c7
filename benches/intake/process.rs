//! The released program as a child process, and what the system says about it.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where everything that one gateway needs is found.
pub(crate) struct Setup<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) store: &'a str,
    pub(crate) imap_port: u16,
    pub(crate) user: &'a str,
    pub(crate) smtp_port: u16,
}

/// A running `postern serve`. Dropped, it is killed.
pub(crate) struct Gateway {
    child: Child,
    socket: UnixDatagram,
    started: Instant,
    log: PathBuf,
}

impl Gateway {
    pub(crate) fn start(setup: &Setup<'_>) -> Self {
        let config = setup.folder.join("postern.toml");
        std::fs::write(&config, settings(setup)).expect("the folder can be written to");
        let notify = setup.folder.join("notify");
        let _ = std::fs::remove_file(&notify);
        let socket = UnixDatagram::bind(&notify).expect("a socket in the folder");
        let log = setup.folder.join("log");
        let stderr = std::fs::File::create(&log).expect("the folder can be written to");
        let started = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_postern"))
            .arg("--config")
            .arg(&config)
            .arg("serve")
            .env("NOTIFY_SOCKET", &notify)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the program starts");
        Self { child, socket, started, log }
    }

    /// From the start of the process until it says that it is ready.
    pub(crate) fn ready(&self) -> Duration {
        let mut state = [0; 64];
        self.socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
        match self.socket.recv(&mut state) {
            Ok(length) if state[..length].starts_with(b"READY=1") => self.started.elapsed(),
            _ => panic!("the gateway does not get ready:\n{}", self.log()),
        }
    }

    /// Since the start of the process.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The most memory that it had resident, in megabytes (`VmHWM`).
    pub(crate) fn peak_megabytes(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: f64 = line
            .and_then(|line| line.split_whitespace().next()?.parse().ok())
            .expect("Linux tells the peak memory of a process");
        kilobytes * 1024.0 / 1e6
    }

    /// Time that its threads have spent on a processor.
    pub(crate) fn processor_time(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let nanoseconds = tasks
            .expect("the process runs")
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
            .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
            .sum();
        Duration::from_nanos(nanoseconds)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))
            .expect("the process runs")
    }

    /// Stops it as systemd does, and waits.
    pub(crate) fn stop(mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn settings(setup: &Setup<'_>) -> String {
    format!(
        "[reminders]\nask_on_closed_days = true\n[store]\nurl = \"{store}\"\n\
         [[mailbox]]\nname = \"complaints\"\naddress = \"complaints@northmere.example\"\n\
         host = \"127.0.0.1\"\nport = {imap}\nsecurity = \"plain\"\nuser = \"{user}\"\n\
         password = \"{password}\"\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {smtp}\nsecurity = \"plain\"\n\
         [acknowledgement]\nundo_seconds = 0\nneutral_on_day = 0\n\
         [limits]\nanswers_in_ten_minutes = 100000\n\
         [console]\nlisten = \"127.0.0.1:0\"\n",
        store = setup.store,
        imap = setup.imap_port,
        user = setup.user,
        password = crate::support::dovecot::PASSWORD,
        smtp = setup.smtp_port,
    )
}
