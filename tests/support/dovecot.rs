//! A throw-away Dovecot 2.3: IMAP, IMAPS and LMTP on free loopback ports, any user, one password.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::certificate::{self, Certificate};
use super::free_port::free_ports;

/// The password of every user.
pub const PASSWORD: &str = "secret";

/// Capabilities that a server without extensions would have; see [`Options::capability`].
pub const WITHOUT_MOVE: &str =
    "IMAP4rev1 SASL-IR LITERAL+ IDLE UIDPLUS CHILDREN NAMESPACE UNSELECT";
/// As [`WITHOUT_MOVE`], for IDLE.
pub const WITHOUT_IDLE: &str =
    "IMAP4rev1 SASL-IR LITERAL+ MOVE UIDPLUS CHILDREN NAMESPACE UNSELECT";

/// What a test may ask of its server.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// Replaces the capabilities announced after the login. Dovecot still understands the rest,
    /// so a client that ignores the list is found out by what it does.
    pub capability: Option<&'static str>,
}

/// A running Dovecot. Dropped, it is killed with its whole process group.
pub struct Dovecot {
    /// Plain IMAP on 127.0.0.1, with STARTTLS.
    pub imap_port: u16,
    /// IMAP over TLS.
    pub imaps_port: u16,
    /// LMTP, for mail delivered as by a real server (`Return-Path`, `Delivered-To`, `Received`).
    pub lmtp_port: u16,
    /// The certificate of the TLS port.
    pub certificate: Certificate,
    folder: tempfile::TempDir,
    process: Child,
    delivered: AtomicU32,
}

impl Dovecot {
    /// Starts one with the usual options.
    pub fn start() -> Self {
        Self::start_with(&Options::default())
    }

    /// Starts one and waits until it greets.
    ///
    /// # Panics
    /// When Dovecot 2.3 is not installed or does not start; the message says what to do.
    pub fn start_with(options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("dovecot").tempdir().unwrap();
        // Its processes may run as other users, who must reach the sockets.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let certificate = certificate::issue(folder.path());
        let [imap_port, imaps_port, lmtp_port] = free_ports();
        let config = folder.path().join("dovecot.conf");
        let text =
            configuration(folder.path(), &certificate, options, [imap_port, imaps_port, lmtp_port]);
        std::fs::write(&config, text).unwrap();
        let mail = folder.path().join("mail");
        std::fs::create_dir(&mail).unwrap();
        hand_over(&mail);
        let process = spawn(folder.path());
        let server = Self {
            imap_port,
            imaps_port,
            lmtp_port,
            certificate,
            folder,
            process,
            delivered: AtomicU32::new(0),
        };
        server.wait_for_greeting();
        server
    }

    fn wait_for_greeting(&self) {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", self.imap_port)) {
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let mut line = String::new();
                if BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("* OK") {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let read = |name| std::fs::read_to_string(self.folder.path().join(name));
        panic!(
            "Dovecot did not greet within 10 s. It says:\n{}\n{}",
            read("stderr").unwrap_or_default(),
            read("log").unwrap_or_default()
        );
    }

    /// Kills the server: connections break, and nobody listens until [`Self::start_again`].
    pub fn stop(&mut self) {
        // SIGTERM would take seconds; the whole group goes, as the master alone leaves children.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }

    /// Starts it again on the same ports with the same mail.
    pub fn start_again(&mut self) {
        let _ = std::fs::remove_dir_all(self.folder.path().join("run"));
        self.process = spawn(self.folder.path());
        self.wait_for_greeting();
    }

    /// Forgets how the messages of a user's folder were numbered, as after a restore from the
    /// messages alone: UIDVALIDITY, the time in seconds, is another one.
    pub fn forget_numbers(&self, user: &str) {
        for entry in std::fs::read_dir(self.maildir(user)).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("dovecot") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// Delivers a message as if it had come at this moment.
    pub fn deliver_at(&self, user: &str, bytes: &[u8], at: SystemTime) {
        let name = self.deliver(user, bytes);
        let file = self.maildir(user).join("new").join(name);
        std::fs::File::options().write(true).open(file).unwrap().set_modified(at).unwrap();
    }

    /// Delivers a message by writing it into the user's Maildir as it is; its unique name.
    pub fn deliver(&self, user: &str, bytes: &[u8]) -> String {
        let number = self.delivered.fetch_add(1, Ordering::SeqCst);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let name = format!("{now}.M{number:06}P{}.localhost", std::process::id());
        let maildir = self.maildir(user);
        for folder in [maildir.parent().unwrap(), &maildir] {
            create_folder(folder);
        }
        for part in ["tmp", "new", "cur"] {
            create_folder(&maildir.join(part));
        }
        let draft = maildir.join("tmp").join(&name);
        std::fs::write(&draft, bytes).unwrap();
        hand_over(&draft);
        std::fs::rename(draft, maildir.join("new").join(&name)).unwrap();
        name
    }

    /// Delivers a message as a mail server does, by LMTP (RFC 2033): Dovecot adds `Return-Path`,
    /// `Delivered-To` with what stands after `+` in the address, and `Received`.
    ///
    /// # Panics
    /// When Dovecot does not take it.
    pub fn deliver_by_lmtp(&self, sender: &str, recipient: &str, bytes: &[u8]) {
        deliver_by_lmtp_at(self.lmtp_port, sender, recipient, bytes);
    }

    /// The files of a user's folder (`INBOX`, or `Processed`, `A/B`), read from disk, by name.
    pub fn messages(&self, user: &str, folder: &str) -> Vec<Vec<u8>> {
        // The server may rename a file between its being listed and read: then they are listed again.
        loop {
            match self.messages_as_listed(user, folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                read => return read.unwrap(),
            }
        }
    }

    fn messages_as_listed(&self, user: &str, folder: &str) -> std::io::Result<Vec<Vec<u8>>> {
        let mut root = self.maildir(user);
        if folder != "INBOX" {
            root.push(format!(".{}", folder.replace('/', ".")));
        }
        let mut files: Vec<PathBuf> = ["new", "cur"]
            .iter()
            .filter_map(|part| std::fs::read_dir(root.join(part)).ok())
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
        files.iter().map(std::fs::read).collect()
    }

    /// The user's Maildir on disk.
    pub fn maildir(&self, user: &str) -> PathBuf {
        self.folder.path().join("mail").join(user).join("Maildir")
    }

    /// What the server logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(folder: &Path) -> Child {
    Command::new(binary())
        .arg("-F")
        .arg("-c")
        .arg(folder.join("dovecot.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("stderr")).unwrap())
        .process_group(0)
        .spawn()
        .unwrap()
}

fn binary() -> PathBuf {
    let binary = ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/usr/bin/dovecot"]
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .unwrap_or_else(|| {
            panic!("these tests need Dovecot 2.3: install the Debian packages dovecot-imapd and dovecot-lmtpd")
        });
    let version = Command::new(&binary).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8_lossy(&version).into_owned();
    assert!(
        version.starts_with("2.3."),
        "these tests write a configuration for Dovecot 2.3, and this is {version}"
    );
    binary
}

fn whoami(flag: &str) -> String {
    let output = Command::new("id").arg(flag).output().unwrap().stdout;
    String::from_utf8(output).unwrap().trim().to_owned()
}

fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| whoami("-u") == "0")
}

/// Who owns mail: this user, or, as Dovecot serves no mail as root, `nobody`.
fn mail_owner() -> (u32, u32) {
    if is_root() {
        (65534, 65534)
    } else {
        (whoami("-u").parse().unwrap(), whoami("-g").parse().unwrap())
    }
}

/// A folder of the mail's owner; whether Dovecot, which makes them at a user's first login, was faster
/// makes no difference. It comes into its place with its owner, so that Dovecot never meets one that
/// it may not write to.
fn create_folder(path: &Path) {
    if path.exists() {
        return;
    }
    let draft =
        tempfile::Builder::new().prefix("draft").tempdir_in(path.parent().unwrap()).unwrap();
    std::fs::set_permissions(draft.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    hand_over(draft.path());
    match std::fs::rename(draft.path(), path) {
        Ok(()) => drop(draft.keep()),
        // Dovecot made it in the meantime, and something lies in it.
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

fn hand_over(path: &Path) {
    if is_root() {
        let (uid, gid) = mail_owner();
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
    }
}

/// Dovecot refuses several settings on one line inside braces: one per line.
fn configuration(
    folder: &Path,
    certificate: &Certificate,
    options: &Options,
    [imap, imaps, lmtp]: [u16; 3],
) -> String {
    let root = is_root();
    let (uid, gid) = mail_owner();
    // Dovecot's login processes refuse to be root; its packages bring users for them.
    let (user, group, login) = if root {
        ("dovecot".to_owned(), "dovecot".to_owned(), "dovenull".to_owned())
    } else {
        (whoami("-un"), whoami("-gn"), whoami("-un"))
    };
    let here = folder.display();
    let mut text = format!(
        "base_dir = {here}/run
state_dir = {here}/run
log_path = {here}/log
listen = 127.0.0.1
protocols = imap lmtp
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = {uid}
first_valid_gid = {gid}
mail_uid = {uid}
mail_gid = {gid}
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 1000
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login
auth_username_format = %Ln
recipient_delimiter = +
login_trusted_networks =
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={here}/mail/%u allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
",
        cert = certificate.cert_file.display(),
        key = certificate.key_file.display(),
    );
    if let Some(capability) = options.capability {
        writeln!(text, "protocol imap {{\n  imap_capability = {capability}\n}}").unwrap();
    }
    text
}

/// Delivers a message by LMTP to the Dovecot that listens on a port.
///
/// # Panics
/// When Dovecot does not take it.
pub fn deliver_by_lmtp_at(port: u16, sender: &str, recipient: &str, bytes: &[u8]) {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut replies = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut expect = |code: &str| {
        loop {
            let line = replies.next().unwrap().unwrap();
            assert!(line.starts_with(code), "LMTP: {line}");
            if line.as_bytes().get(3) == Some(&b' ') {
                return;
            }
        }
    };
    let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes()).unwrap();
    expect("220");
    say("LHLO localhost");
    expect("250");
    say(&format!("MAIL FROM:<{sender}>"));
    expect("250");
    say(&format!("RCPT TO:<{recipient}>"));
    expect("250");
    say("DATA");
    expect("354");
    for line in String::from_utf8_lossy(bytes).lines() {
        let dot = if line.starts_with('.') { "." } else { "" };
        say(&format!("{dot}{line}"));
    }
    say(".");
    expect("250");
    say("QUIT");
}
