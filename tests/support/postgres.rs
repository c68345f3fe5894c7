//! A throw-away `PostgreSQL`, and test bodies that run on both engines.
//!
//! One cluster per test process, a fresh database per test. The cluster dies with the process, however
//! that ends: it is started by a shell that waits on a pipe whose other end only we hold.

use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use postern::store::Db;

use super::free_port::free_port;

/// A running cluster; dropping it stops the server and removes its files.
pub struct Postgres {
    watcher: Child,
    port: u16,
    folder: tempfile::TempDir,
    databases: AtomicU32,
}

/// How much a crash may cost: tests seldom crash the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Fast: a crash of the server may lose everything.
    None,
    /// As in earnest: a commit is on disk.
    Full,
}

/// What every cluster is given. The machine's disk is not ours to fill: the log of what was written
/// is kept short.
const OPTIONS: &str = "-c listen_addresses=127.0.0.1 -c max_connections=200 \
    -c wal_level=minimal -c max_wal_senders=0 -c min_wal_size=32MB -c max_wal_size=64MB";

/// Makes the cluster, runs the server until the pipe closes, stops it at once and removes the folder.
/// `$1` is the folder with the programs, `$2` the folder for everything, `$3` the port, `$4` more options.
const WATCHER: &str = r#"
trap '' INT TERM HUP
"$1/initdb" --locale=C --encoding=UTF8 --auth=trust --username=postern --no-sync \
    --no-instructions -D "$2/data" </dev/null >"$2/log" 2>&1 || exit 1
"$1/postgres" -D "$2/data" -p "$3" -k "$2" $4 </dev/null >>"$2/log" 2>&1 &
server=$!
cat >/dev/null
# A server that is only just starting does not hear the first call.
while kill -QUIT $server 2>/dev/null; do sleep 0.05; done
wait $server 2>/dev/null
rm -rf "$2"
"#;

impl Postgres {
    /// The cluster that the tests of this process share.
    pub fn shared() -> &'static Postgres {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Postgres::start(Durability::None))
    }

    /// The address of a fresh, empty database in the shared cluster.
    pub fn database() -> String {
        Self::shared().fresh()
    }

    /// A cluster of one's own.
    pub fn start(durability: Durability) -> Postgres {
        let programs = programs();
        let user = unprivileged();
        let mut failed = String::new();
        // Another process may take the port between our looking and the server's binding it.
        for _ in 0..5 {
            let folder = tempfile::Builder::new().prefix("postern-pg-").tempdir().unwrap();
            if let Some((uid, gid)) = user {
                chown(folder.path(), Some(uid), Some(gid)).unwrap();
                std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
            }
            let port = free_port();
            let options = match durability {
                Durability::None => format!("{OPTIONS} -c fsync=off -c full_page_writes=off"),
                Durability::Full => OPTIONS.to_owned(),
            };
            let mut watcher = as_user(user, Path::new("/bin/sh"))
                .args(["-c", WATCHER, "sh"])
                .arg(&programs)
                .arg(folder.path())
                .arg(port.to_string())
                .arg(options)
                .current_dir("/")
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            if answers(&mut watcher, port, folder.path()) {
                return Postgres { watcher, port, folder, databases: AtomicU32::new(0) };
            }
            failed = log(folder.path());
            drop(watcher.stdin.take());
            watcher.wait().unwrap();
        }
        panic!("the server does not start: {failed}");
    }

    /// The address of a fresh, empty database.
    pub fn fresh(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.told(&format!("CREATE DATABASE {name}"));
        format!("postgres://postern@127.0.0.1:{}/{name}", self.port)
    }

    /// Removes a database and its files: kept, a hundred of them fill a gigabyte.
    fn remove(&self, url: &str) {
        let name = url.rsplit('/').next().unwrap();
        self.told(&format!("DROP DATABASE {name} WITH (FORCE)"));
    }

    fn told(&self, statement: &str) {
        let done = Command::new(programs().join("psql"))
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postern", "-h", "127.0.0.1", "-p"])
            .arg(self.port.to_string())
            .args(["-c", statement, "postgres"])
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{statement}: {}\nThe server wrote:\n{}",
            String::from_utf8_lossy(&done.stderr),
            self.log()
        );
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        log(self.folder.path())
    }

    /// The process that watches over the server, and the folder it will remove.
    pub fn remains(&self) -> (u32, PathBuf) {
        (self.watcher.id(), self.folder.path().to_owned())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// Whether this cluster (and not a stranger on the same port) takes connections in time.
fn answers(watcher: &mut Child, port: u16, folder: &Path) -> bool {
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        let pid_file =
            std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
        if pid_file.lines().nth(7).is_some_and(|state| state.trim() == "ready")
            && TcpStream::connect(("127.0.0.1", port)).is_ok()
        {
            return true;
        }
        if watcher.try_wait().unwrap().is_some()
            || log(folder).contains("could not create any TCP/IP sockets")
        {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// The newest server programs of the system.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs.join("initdb").exists().then_some((version, programs))
        })
        .collect();
    found.sort();
    let Some((_, programs)) = found.pop() else {
        panic!(
            "no PostgreSQL server in /usr/lib/postgresql/*/bin: install the Debian package `postgresql`"
        );
    };
    programs
}

/// The server refuses to run as root; then the system's user `postgres` runs it.
fn unprivileged() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let line = line.expect("the user `postgres`, made by the Debian package `postgresql-common`");
    let mut ids = line.split(':').skip(2).map(|id| id.parse().unwrap());
    Some((ids.next().unwrap(), ids.next().unwrap()))
}

fn as_user(user: Option<(u32, u32)>, program: &Path) -> Command {
    let Some((uid, gid)) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command
        .args([format!("--reuid={uid}"), format!("--regid={gid}")])
        .args(["--clear-groups", "--inh-caps=-all", "--"])
        .arg(program);
    command
}

/// Runs a test body on a fresh `SQLite` file and on a fresh `PostgreSQL` database.
pub async fn both_engines<F>(body: impl Fn(Db) -> F)
where
    F: Future<Output = ()>,
{
    let folder = tempfile::tempdir().unwrap();
    let lite = format!("sqlite:{}", folder.path().join("postern.db").display());
    let full = Postgres::database();
    for url in [&lite, &full] {
        let engine = url.split(':').next().unwrap_or_default();
        eprintln!("on {engine}:"); // shown only when the test fails
        let db = Db::open(url).await.unwrap();
        body(db.clone()).await;
        db.close().await;
    }
    Postgres::shared().remove(&full);
}
