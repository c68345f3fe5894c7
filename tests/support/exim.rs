//! A real mail server (Debian package `exim4-daemon-light`) on a free loopback port, with its
//! own configuration, spool and delivery into files, thrown away at the end.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::free_port::free_port;

/// A user that an exim started by root steps down to: Debian's `nobody`.
const NOBODY: u32 = 65534;

/// Local parts that this server treats in its own way.
pub const REFUSED: &str = "refused";
/// Gets `451 4.7.1` at the first try, and is accepted from then on.
pub const GREYLISTED: &str = "greylisted";

/// A running server; killed and removed when dropped.
pub struct Exim {
    pub port: u16,
    server: Child,
    folder: tempfile::TempDir,
}

impl Exim {
    /// Starts a server and waits for its greeting.
    ///
    /// # Panics
    /// If exim is not installed or does not start.
    pub fn start() -> Self {
        let binary =
            ["/usr/sbin/exim4", "/usr/sbin/exim"].into_iter().find(|path| Path::new(path).exists());
        let binary =
            binary.expect("exim is missing: install the Debian package exim4-daemon-light");
        let folder = tempfile::tempdir().unwrap();
        let ours = fs::metadata(folder.path()).unwrap();
        let (uid, gid) = if ours.uid() == 0 { (NOBODY, NOBODY) } else { (ours.uid(), ours.gid()) };
        let port = free_port();
        for name in ["spool", "mail", "log"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            std::os::unix::fs::chown(folder.path().join(name), Some(uid), Some(gid)).unwrap();
        }
        std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).unwrap();
        fs::write(folder.path().join("exim.conf"), configuration(folder.path(), uid, gid)).unwrap();
        let log = fs::File::create(folder.path().join("output")).unwrap();
        let mut command = Command::new(binary);
        command.arg("-C").arg(folder.path().join("exim.conf")).args([
            "-bdf",
            "-oX",
            &port.to_string(),
        ]);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        if ours.uid() == 0 {
            command.uid(uid).gid(gid);
        }
        let server = command.spawn().unwrap();
        let mut exim = Self { port, server, folder };
        exim.wait_for_greeting();
        exim
    }

    /// Every letter delivered so far, whole.
    pub fn delivered(&self) -> Vec<Vec<u8>> {
        let files = fs::read_dir(self.folder.path().join("mail")).unwrap().filter_map(Result::ok);
        // A letter is written under another name first and then renamed to q….
        let mut letters: Vec<PathBuf> = files
            .filter(|file| file.file_name().to_string_lossy().starts_with('q'))
            .map(|file| file.path())
            .collect();
        letters.sort();
        letters.iter().map(|letter| fs::read(letter).unwrap()).collect()
    }

    /// Waits until `count` letters are delivered.
    ///
    /// # Panics
    /// If there are fewer after ten seconds.
    pub fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        let start = Instant::now();
        loop {
            let letters = self.delivered();
            if letters.len() >= count {
                return letters;
            }
            let log =
                fs::read_to_string(self.folder.path().join("log/mainlog")).unwrap_or_default();
            let late = start.elapsed() > Duration::from_secs(10);
            assert!(!late, "{} of {count} letters delivered; the log:\n{log}", letters.len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn wait_for_greeting(&mut self) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let mut greeting = String::new();
                if BufReader::new(stream).read_line(&mut greeting).is_ok()
                    && greeting.starts_with("220")
                {
                    return;
                }
            }
            if let Some(status) = self.server.try_wait().unwrap() {
                panic!("exim ended ({status}): {}", self.output());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("exim does not greet: {}", self.output());
    }

    fn output(&self) -> String {
        fs::read_to_string(self.folder.path().join("output")).unwrap_or_default()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        // The group holds the daemon and whatever it has started for a letter.
        let group = format!("-{}", self.server.id());
        let _stopped =
            Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _status = self.server.wait();
    }
}

fn configuration(folder: &Path, uid: u32, gid: u32) -> String {
    let folder = folder.display();
    format!(
        "primary_hostname = relay.test.example
exim_user = {uid}
exim_group = {gid}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
local_interfaces = 127.0.0.1
keep_environment =
deliver_drop_privilege = true
tls_advertise_hosts =
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
acl_smtp_rcpt = recipient
begin acl
recipient:
  deny  message = 5.1.1 no such mailbox here
        condition = ${{if eq{{$local_part}}{{{REFUSED}}}}}
  defer message = 4.7.1 greylisted, come back later
        condition = ${{if eq{{$local_part}}{{{GREYLISTED}}}}}
        !condition = ${{if exists{{{folder}/seen}}}}
        set acl_m_seen = ${{run{{/usr/bin/touch {folder}/seen}}}}
  accept
begin routers
everyone:
  driver = accept
  transport = files
begin transports
files:
  driver = appendfile
  directory = {folder}/mail
  envelope_to_add
  return_path_add
  create_directory = false
begin retry
* * F,1h,1s
"
    )
}
