//! Two engines behind one handle: pools, transactions, errors.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection,
    SqlitePool, Transaction,
};

use tracing::debug;

use super::error::StoreError;
use super::migrate;

/// One of the two engines, and what belongs to it.
#[derive(Debug, Clone)]
pub enum Engine<L, P> {
    /// `SQLite`: one file, one machine, nothing to install.
    Lite(L),
    /// `PostgreSQL` 13 or later.
    Pg(P),
}

/// Runs one query, written once, on whichever engine there is.
///
/// `on!(place, "keep a message", c => query….execute(c).await)`: `place` is a [`Db`] (a single read) or
/// a `&mut` [`Tx`]; the words complete "cannot …" in the error; `c` is the connection, to be used
/// once (`&mut *c` when the body runs several statements in a transaction).
/// The value is a `Result<_, StoreError>`.
///
/// For the store's own queries, and for tests that look into it; no other module speaks SQL.
#[macro_export]
macro_rules! on {
    ($place:expr, $attempted:expr, $c:ident => $body:expr) => {
        match $place.engine() {
            $crate::store::Engine::Lite($c) => $body,
            $crate::store::Engine::Pg($c) => $body,
        }
        .map_err(|cause| $crate::store::StoreError::new($attempted, cause))
    };
}
pub(crate) use on;

/// How long a caller waits for a connection before the store counts as busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a transaction that others stand in the way of is begun anew: well within a lease.
const TRY_AGAIN: Duration = Duration::from_secs(20);

/// Rows written with one statement at most: times its columns, well below what either engine takes.
pub(super) const ROWS: usize = 500;

/// Pages of this many bytes: see the table in `docs/decisions/0001-one-sql-two-engines.md`.
const PAGE_SIZE: u32 = 16_384;

/// `SQLite`'s one writer and several readers. Of two writers the second would only wait, and a transaction
/// that reads first and writes later would fail at once instead of waiting.
#[derive(Debug, Clone)]
struct LitePools {
    write: SqlitePool,
    read: SqlitePool,
    file: PathBuf,
}

/// The store's handle; cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pools: Engine<LitePools, PgPool>,
}

/// A transaction. Dropped without [`Tx::commit`], it never happened.
pub struct Tx(Engine<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>);

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

impl Db {
    /// Opens the store named by `sqlite:PATH` or `postgres://…`, making the file if there is none, and
    /// brings it up to date.
    ///
    /// # Errors
    /// When the name is not understood, the place is unsuitable (a network file system, a database
    /// that is not UTF-8), the engine cannot be reached, or a migration fails.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        // Boxed: every migration is in them, and whoever waits would carry that along.
        let db = Box::pin(Self::connect(url)).await?;
        match &db.pools {
            Engine::Lite(pools) => Box::pin(migrate::lite(&pools.write, &pools.file)).await?,
            Engine::Pg(pool) => Box::pin(migrate::pg(pool)).await?,
        }
        Ok(db)
    }

    /// Connects without looking at the shape of what is there.
    async fn connect(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return connect_lite(Path::new(path)).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return connect_pg(url).await;
        }
        Err(StoreError::unsuitable(
            "open the store",
            "its name starts with neither sqlite: nor postgres://",
        ))
    }

    /// Where a single read runs: for [`on!`].
    pub fn engine(&self) -> Engine<&SqlitePool, &PgPool> {
        match &self.pools {
            Engine::Lite(pools) => Engine::Lite(&pools.read),
            Engine::Pg(pool) => Engine::Pg(pool),
        }
    }

    /// Whether this is `PostgreSQL`, for the few texts that differ (search).
    pub fn is_postgres(&self) -> bool {
        matches!(self.pools, Engine::Pg(_))
    }

    /// Starts a transaction that may write. The caller may be dropped at any point.
    ///
    /// # Errors
    /// When no connection is free in time or the engine refuses.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.start("begin a transaction", "BEGIN IMMEDIATE", "BEGIN", true).await
    }

    /// Starts a transaction that only reads: every query in it sees the same moment.
    ///
    /// # Errors
    /// When no connection is free in time or the engine refuses.
    pub async fn snapshot(&self) -> Result<Tx, StoreError> {
        let pg = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.start("begin a reading", "BEGIN DEFERRED", pg, false).await
    }

    /// A future dropped while BEGIN is on the wire leaves a `PostgreSQL` connection inside a transaction
    /// that nobody ends, and the next user of the connection writes into it. So BEGIN runs on a task of
    /// its own: if the caller is gone when it is done, the finished [`Tx`] is dropped and rolls back.
    async fn start(
        &self,
        attempted: &'static str,
        lite: &'static str,
        pg: &'static str,
        writes: bool,
    ) -> Result<Tx, StoreError> {
        let pools = self.pools.clone();
        let task = tokio::spawn(async move {
            Ok(Tx(match pools {
                Engine::Lite(pools) => {
                    let pool = if writes { pools.write } else { pools.read };
                    Engine::Lite(pool.begin_with(lite).await?)
                }
                Engine::Pg(pool) => Engine::Pg(pool.begin_with(pg).await?),
            }))
        });
        task.await
            .map_err(|_| StoreError::new(attempted, sqlx::Error::WorkerCrashed))?
            .map_err(|cause: sqlx::Error| StoreError::new(attempted, cause))
    }

    /// Runs a whole transaction on a task of its own: once begun it ends by itself, committed or rolled
    /// back, even if the caller is dropped (a browser that goes away drops its handler).
    ///
    /// `db.write(|tx| Box::pin(async move { … })).await?`
    ///
    /// # Errors
    /// What `work` returned (then nothing is kept), or that the transaction could not begin or commit.
    ///
    /// # Panics
    /// When `work` panics; then nothing is kept.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let db = self.clone();
        let task = tokio::spawn(async move {
            let mut tx = db.begin().await?;
            let value = work(&mut tx).await?;
            tx.commit().await?;
            Ok(value)
        });
        task.await.unwrap_or_else(|stopped| match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::new("finish a write", sqlx::Error::WorkerCrashed).into()),
        })
    }

    /// As [`Db::write`], for work that can be begun again: where another transaction is in the way
    /// (a deadlock, a lock not given in time), nothing is kept, and after a short pause the whole is
    /// done anew, a few times.
    ///
    /// # Errors
    /// What `work` returned, the last time; or that the transaction could not begin or commit.
    ///
    /// # Panics
    /// When `work` panics; then nothing is kept.
    pub async fn write_again<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let began = Instant::now();
        let mut pause = Duration::from_millis(25);
        loop {
            let once = Arc::clone(&work);
            let done = self.write(move |tx| Box::pin(async move { once(tx).await })).await;
            match done {
                Err(fault) if fault.is_busy_or_serialization() && began.elapsed() < TRY_AGAIN => {
                    debug!(%fault, "another was in the way; once more");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                done => return done,
            }
        }
    }

    /// Sets something on `SQLite`'s one writer; on `PostgreSQL` nothing.
    pub(super) async fn writer_pragma(&self, pragma: &'static str) -> Result<(), StoreError> {
        let Engine::Lite(pools) = &self.pools else { return Ok(()) };
        let set = sqlx::raw_sql(pragma).execute(&pools.write).await;
        set.map(drop).map_err(|cause| StoreError::new("set up the store", cause))
    }

    /// Closes every connection; `SQLite` then folds its log into the file.
    pub async fn close(&self) {
        match &self.pools {
            Engine::Lite(pools) => {
                pools.read.close().await;
                pools.write.close().await;
            }
            Engine::Pg(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Where a query of this transaction runs: for [`on!`].
    pub fn engine(&mut self) -> Engine<&mut SqliteConnection, &mut PgConnection> {
        match &mut self.0 {
            Engine::Lite(tx) => Engine::Lite(&mut **tx),
            Engine::Pg(tx) => Engine::Pg(&mut **tx),
        }
    }

    /// Whether this is `PostgreSQL`, for the few texts that differ (search).
    pub fn is_postgres(&self) -> bool {
        matches!(self.0, Engine::Pg(_))
    }

    /// Makes it so.
    ///
    /// # Errors
    /// When the engine refuses; nothing is kept then. After a lost connection it may have been kept:
    /// look before doing it again.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Engine::Lite(tx) => tx.commit().await,
            Engine::Pg(tx) => tx.commit().await,
        }
        .map_err(|cause| StoreError::new("commit a transaction", cause))
    }

    /// Undoes it, and waits until that is done.
    ///
    /// # Errors
    /// When the engine cannot be reached; it then undoes it by itself.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.0 {
            Engine::Lite(tx) => tx.rollback().await,
            Engine::Pg(tx) => tx.rollback().await,
        }
        .map_err(|cause| StoreError::new("roll a transaction back", cause))
    }
}

async fn connect_lite(path: &Path) -> Result<Db, StoreError> {
    let attempted = "open the store";
    if path.as_os_str().is_empty() || path == Path::new(":memory:") {
        return Err(StoreError::unsuitable(attempted, "sqlite: needs the path of a file"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(|error| {
        let why = format!("the folder {} cannot be used: {error}", folder.display());
        StoreError::unsuitable(attempted, why)
    })?;
    if let Some(kind) = network_file_system(&folder) {
        let why = format!(
            "{} is on a network file system ({kind}), where SQLite loses data; use a local disk or PostgreSQL",
            folder.display()
        );
        return Err(StoreError::unsuitable(attempted, why));
    }
    if let Err(error) = create_private(path)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        let why = format!("{} cannot be made: {error}", path.display());
        return Err(StoreError::unsuitable(attempted, why));
    }

    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", "-20000")
        .pragma("mmap_size", "0")
        .pragma("trusted_schema", "OFF");
    let writer = options
        .clone()
        .page_size(PAGE_SIZE)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL would lose the last commits when the power fails.
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "4096")
        .pragma("journal_size_limit", "67108864");
    let write = open_writer(writer).await?;
    let read = pool(4).connect_lazy_with(options.read_only(true));
    Ok(Db { pools: Engine::Lite(LitePools { write, read, file: path.to_owned() }) })
}

/// Opens the writer. The first program to open a new file turns its log on, and nobody can wait for
/// that with a busy timeout; so another that starts at the same moment tries again.
async fn open_writer(options: SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let mut tries = 0;
    loop {
        match pool(1).connect_with(options.clone()).await {
            Ok(pool) => return Ok(pool),
            Err(cause) => {
                let error = StoreError::new("open the store", cause);
                tries += 1;
                if tries > 100 || !error.is_busy_or_serialization() {
                    return Err(error);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn pool<DB: sqlx::Database>(size: u32) -> PoolOptions<DB> {
    PoolOptions::new().max_connections(size).acquire_timeout(PATIENCE)
}

/// Makes an empty file that only its owner may read: it will hold people's letters.
pub(super) fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The type of the file system a folder is on, if it lives on another machine. `SQLite`'s log needs
/// memory shared between its users, which no network file system gives.
fn network_file_system(folder: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    network_mount(&mounts, folder)
}

fn network_mount(mounts: &str, folder: &Path) -> Option<String> {
    const REMOTE: [&str; 16] = [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "beegfs",
        "gpfs",
        "ncpfs",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.s3fs",
    ];
    let line = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let place = fields.next()?.replace("\\040", " ").replace("\\011", "\t");
        let kind = fields.next()?;
        folder.starts_with(&place).then(|| (Path::new(&place).components().count(), kind))
    });
    // The deepest mount wins, and of two on one place the later.
    let (_, kind) = line.max_by_key(|(depth, _)| *depth)?;
    REMOTE.contains(&kind).then(|| kind.to_owned())
}

async fn connect_pg(url: &str) -> Result<Db, StoreError> {
    let attempted = "open the store";
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::unsuitable(attempted, "its postgres:// address is malformed"))?
        .application_name("postern");
    let (encoding, version) = look_at_pg(&options).await?;
    if encoding != "UTF8" {
        let why = format!("the database is encoded in {encoding}; make it with ENCODING 'UTF8'");
        return Err(StoreError::unsuitable(attempted, why));
    }
    if version < 130_000 {
        return Err(StoreError::unsuitable(attempted, "PostgreSQL 13 or later is needed"));
    }
    let pool = pool::<Postgres>(8)
        .after_connect(|conn, _| Box::pin(prepare(conn)))
        .after_release(|conn, _| Box::pin(outside_transaction(conn)))
        .connect_with(options)
        .await
        .map_err(|e| StoreError::new(attempted, e))?;
    Ok(Db { pools: Engine::Pg(pool) })
}

/// The database's encoding and the server's version, over a connection outside the pool: a pool tries
/// again until its patience ends, and then says only that.
async fn look_at_pg(options: &PgConnectOptions) -> Result<(String, i64), StoreError> {
    let attempted = "open the store";
    let look = async {
        let mut conn = options.connect().await?;
        let found = sqlx::query_as(
            "SELECT CAST(pg_encoding_to_char(encoding) AS TEXT),
                    CAST(current_setting('server_version_num') AS BIGINT)
             FROM pg_database WHERE datname = current_database()",
        )
        .fetch_one(&mut conn)
        .await?;
        conn.close().await?;
        Ok(found)
    };
    match tokio::time::timeout(Duration::from_secs(10), look).await {
        Ok(found) => found.map_err(|e| StoreError::new(attempted, e)),
        Err(_) => Err(StoreError::unsuitable(attempted, "the database server does not answer")),
    }
}

/// What every `PostgreSQL` session is told: nothing waits for ever, and a commit is on disk. A gateway
/// whose machine stands still in the middle of a transaction keeps its locks no longer than the others
/// are patient; our own transactions never wait for anything but the database.
async fn prepare(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "SET statement_timeout = '30s';
         SET lock_timeout = '5s';
         SET idle_in_transaction_session_timeout = '15s';
         SET synchronous_commit = on",
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Whether a connection comes back outside any transaction; one that does not is closed, which rolls
/// it back. [`Db::begin`] leaves none behind: this is the second lock on the same door.
async fn outside_transaction(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // now() is when the transaction began. Only a simple query (`raw_sql`) is one message, for which
    // both are the same moment outside a transaction.
    let row = sqlx::Executor::fetch_one(
        conn,
        sqlx::raw_sql("SELECT now() = statement_timestamp() AS outside"),
    )
    .await?;
    sqlx::Row::try_get(&row, 0)
}

/// What either engine answers to a statement that returns no rows.
pub trait Affected {
    /// How many rows it touched.
    fn rows(&self) -> u64;
}

impl Affected for sqlx::sqlite::SqliteQueryResult {
    fn rows(&self) -> u64 {
        self.rows_affected()
    }
}

impl Affected for sqlx::postgres::PgQueryResult {
    fn rows(&self) -> u64 {
        self.rows_affected()
    }
}

/// How many rows a statement touched: `….execute(c).await.map(affected)`.
#[expect(clippy::needless_pass_by_value, reason = "so that it fits in `map`")]
pub fn affected(answer: impl Affected) -> u64 {
    answer.rows()
}

/// `WHERE id IN (…)`. A statement built so is run with `persistent(false)`: those of every length
/// would crowd the others out of the cache.
pub(super) fn in_list<DB: sqlx::Database>(query: &mut sqlx::QueryBuilder<DB>, ids: &[i64])
where
    i64: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    query.push(" WHERE id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
}

/// Text without NUL, which `PostgreSQL` refuses in text.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_says_where_a_folder_is() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\nfiler:/v /srv/mail nfs4 rw 0 0\n\
            //filer/x /srv/two\\040words cifs rw 0 0\n/dev/sdb1 /srv/mail/local xfs rw 0 0\n";
        for (folder, expected) in [
            ("/var/lib/postern", None),
            ("/srv/mail", Some("nfs4")),
            ("/srv/mail/store", Some("nfs4")),
            ("/srv/mailbox", None),
            ("/srv/mail/local/store", None),
            ("/srv/two words/store", Some("cifs")),
        ] {
            assert_eq!(network_mount(mounts, Path::new(folder)).as_deref(), expected, "{folder}");
        }
    }

    #[test]
    fn text_loses_nothing_but_nul() {
        assert_eq!(clean("a\0b\0"), "ab");
        assert!(matches!(clean("naïve\r\n"), Cow::Borrowed("naïve\r\n")));
    }
}
