//! The ground the store stands on: both engines, transactions that cannot be lost, migrations.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use postern::on;
use postern::store::{Db, Engine, StoreError, affected, instance_id, set_setting, setting};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use support::postgres::{Durability, Postgres, both_engines};

/// Polls a future up to `polls` times and drops it at once if it is not done by then.
async fn crash_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

async fn put(db: &Db, key: &str, value: &str) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    set_setting(&mut tx, key, value).await?;
    tx.commit().await
}

async fn get(db: &Db, key: &str) -> Option<String> {
    setting(db, key).await.unwrap()
}

/// Everything an error says, in all the ways it can be asked.
fn all_words(error: &StoreError) -> String {
    let source = std::error::Error::source(error).unwrap();
    assert!(source.source().is_none(), "the engine's own error is not in reach of a log");
    format!("{error} | {error:?} | {source} | {source:?}")
}

#[tokio::test]
async fn a_write_is_kept_only_if_committed() {
    both_engines(async |db| {
        let mut tx = db.begin().await.unwrap();
        set_setting(&mut tx, "greeting", "hello\0 there").await.unwrap();
        assert_eq!(get(&db, "greeting").await, None, "not before the commit");
        tx.commit().await.unwrap();
        assert_eq!(get(&db, "greeting").await.as_deref(), Some("hello there"), "without the NUL");

        let mut tx = db.begin().await.unwrap();
        set_setting(&mut tx, "greeting", "goodbye").await.unwrap();
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        set_setting(&mut tx, "greeting", "farewell").await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(get(&db, "greeting").await.as_deref(), Some("hello there"));
    })
    .await;
}

#[tokio::test]
async fn the_five_types_come_back_as_they_went_in() {
    #[derive(sqlx::FromRow, Debug, PartialEq)]
    struct Sample {
        id: i64,
        flag: bool,
        words: String,
        raw: Vec<u8>,
        absent: Option<i64>,
        missing: Option<String>,
    }
    both_engines(async |db| {
        let (id, bytes) = if db.is_postgres() {
            ("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "BYTEA")
        } else {
            ("INTEGER PRIMARY KEY", "BLOB")
        };
        let sql = format!(
            "CREATE TABLE sample (id {id}, flag BOOLEAN NOT NULL, words TEXT NOT NULL UNIQUE,
             raw {bytes} NOT NULL, absent BIGINT, missing TEXT)"
        );
        let mut tx = db.begin().await.unwrap();
        on!(tx, "make a table", c => sqlx::query(AssertSqlSafe(sql)).execute(c).await.map(affected))
            .unwrap();
        let raw: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        let insert = "INSERT INTO sample (flag, words, raw) VALUES ($1, $2, $3)
                      ON CONFLICT (words) DO NOTHING RETURNING id";
        let mut ids = Vec::new();
        for words in ["naïve — ½ 漢", "two", "two"] {
            let id: Option<i64> = on!(tx, "keep", c => sqlx::query_scalar(insert)
                .bind(true).bind(words).bind(&raw[..]).fetch_optional(c).await)
            .unwrap();
            ids.push(id);
        }
        assert_eq!(ids, [Some(1), Some(2), None], "the second `two` is not a row");
        tx.commit().await.unwrap();

        let rows: Vec<Sample> =
            on!(db, "list", c => sqlx::query_as("SELECT * FROM sample ORDER BY id").fetch_all(c).await)
                .unwrap();
        let expected = Sample {
            id: 1,
            flag: true,
            words: "naïve — ½ 漢".to_owned(),
            raw,
            absent: None,
            missing: None,
        };
        assert_eq!(rows[0], expected);
        let count: i64 =
            on!(db, "count", c => sqlx::query_scalar("SELECT CAST(COUNT(*) AS BIGINT) FROM sample")
                .fetch_one(c).await)
            .unwrap();
        assert_eq!(count, 2);
        let mut tx = db.begin().await.unwrap();
        let touched = on!(tx, "touch", c => sqlx::query("UPDATE sample SET flag = FALSE")
            .execute(c).await.map(affected))
        .unwrap();
        assert_eq!(touched, 2);
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_sees_one_moment_and_cannot_write() {
    both_engines(async |db| {
        put(&db, "a", "1").await.unwrap();
        let read = "SELECT value FROM setting WHERE key = 'a'";
        let mut tx = db.snapshot().await.unwrap();
        let first: String =
            on!(tx, "read", c => sqlx::query_scalar(read).fetch_one(c).await).unwrap();
        put(&db, "a", "2").await.unwrap();
        let again: String =
            on!(tx, "read", c => sqlx::query_scalar(read).fetch_one(c).await).unwrap();
        assert_eq!((&*first, &*again), ("1", "1"));
        assert!(set_setting(&mut tx, "a", "3").await.is_err());
        drop(tx);
        assert_eq!(get(&db, "a").await.as_deref(), Some("2"));
    })
    .await;
}

#[tokio::test]
async fn errors_say_what_was_attempted_and_nothing_that_was_stored() {
    const PERSON: &str = "ann@example.org";
    both_engines(async |db| {
        put(&db, PERSON, "1").await.unwrap();
        let twice = on!(db.begin().await.unwrap(), "keep a person", c =>
            sqlx::query("INSERT INTO setting (key, value) VALUES ($1, $1)")
                .bind(PERSON).execute(c).await.map(affected))
        .unwrap_err();
        assert!(twice.is_unique_violation() && !twice.is_busy_or_serialization());
        let words = all_words(&twice);
        assert!(words.starts_with("cannot keep a person"), "{words}");
        assert!(words.contains("setting"), "names the table: {words}");
        assert!(!words.contains("ann@"), "{words}");

        let absent =
            on!(db, "read", c => sqlx::query_scalar::<_, i64>("SELECT nonesuch FROM setting")
            .fetch_one(c).await)
            .unwrap_err();
        assert!(all_words(&absent).contains("nonesuch"), "{absent:?}");
        assert!(!absent.is_unique_violation());

        if db.is_postgres() {
            // PostgreSQL quotes what it cannot read.
            let unreadable = on!(db, "read", c =>
                sqlx::query_scalar::<_, i64>("SELECT CAST(CAST($1 AS TEXT) AS BIGINT)")
                    .bind(PERSON).fetch_one(c).await)
            .unwrap_err();
            let words = all_words(&unreadable);
            assert!(words.contains("22P02") && !words.contains("ann@"), "{words}");
        }
    })
    .await;
}

#[tokio::test]
async fn being_in_the_way_of_another_is_told_from_failing() {
    both_engines(async |db| {
        let mut tx = db.begin().await.unwrap();
        set_setting(&mut tx, "a", "1").await.unwrap();
        let impatient = match db.engine() {
            Engine::Lite(pool) => {
                let options = (*pool.connect_options()).clone().read_only(false);
                let mut other =
                    sqlx::ConnectOptions::connect(&options.busy_timeout(Duration::ZERO))
                        .await
                        .unwrap();
                sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap_err()
            }
            Engine::Pg(pool) => sqlx::raw_sql("BEGIN; LOCK TABLE setting NOWAIT; ROLLBACK")
                .execute(pool)
                .await
                .unwrap_err(),
        };
        assert!(StoreError::new("wait", impatient).is_busy_or_serialization());
    })
    .await;
}

/// Whether a row written through a pool is seen from outside it.
async fn is_seen(pool: &PgPool, url: &str, key: &str) -> bool {
    let insert = "INSERT INTO setting (key, value) VALUES ($1, 'x')";
    sqlx::query(insert).bind(key).execute(pool).await.unwrap();
    let outside = PgPoolOptions::new().max_connections(1).connect(url).await.unwrap();
    let seen = sqlx::query_scalar("SELECT CAST(COUNT(*) AS BIGINT) FROM setting WHERE key = $1")
        .bind(key)
        .fetch_one(&outside)
        .await;
    outside.close().await;
    seen.map(|n: i64| n == 1).unwrap()
}

#[tokio::test]
async fn a_plain_pool_loses_writes_after_a_begin_is_dropped() {
    // Why `Db::begin` is as it is. When this fails, sqlx was mended and it may become simpler.
    let url = Postgres::database();
    Db::open(&url).await.unwrap().close().await;
    // Which poll leaves BEGIN on the wire depends on the machine's load: try until one does.
    for attempt in 0..200 {
        let plain = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
        crash_after(1 + attempt % 5, Box::pin(plain.begin())).await;
        let seen = is_seen(&plain, &url, &format!("plain-{attempt}")).await;
        plain.close().await;
        if !seen {
            return;
        }
    }
    panic!("a dropped BEGIN no longer poisons a plain pool");
}

/// Asks from outside the pool, with patience for a rollback that is under way.
async fn nobody_sits_in_a_transaction(pool: &PgPool) -> bool {
    let outside = (*pool.connect_options()).clone();
    let mut outside = sqlx::ConnectOptions::connect(&outside).await.unwrap();
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        let sitting: i64 = sqlx::query_scalar(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND state LIKE 'idle in transaction%'",
        )
        .fetch_one(&mut outside)
        .await
        .unwrap();
        if sitting == 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

#[tokio::test]
async fn a_transaction_dropped_at_any_point_leaves_nothing_behind() {
    both_engines(async |db| {
        put(&db, "step", "0").await.unwrap();
        for polls in 1.. {
            let before = get(&db, "step").await.unwrap();
            let step = polls.to_string();
            let finished = crash_after(polls, put(&db, "step", &step)).await.is_some();

            if let Engine::Pg(pool) = db.engine() {
                assert!(nobody_sits_in_a_transaction(pool).await, "after poll {polls}");
            }
            // The very next write is kept, for everybody.
            let key = format!("after-{polls}");
            put(&db, &key, "x").await.unwrap();
            if let Engine::Pg(pool) = db.engine() {
                let outside = (*pool.connect_options()).clone();
                let mut outside = sqlx::ConnectOptions::connect(&outside).await.unwrap();
                let seen: i64 = sqlx::query_scalar(
                    "SELECT CAST(COUNT(*) AS BIGINT) FROM setting WHERE key = $1",
                )
                .bind(&key)
                .fetch_one(&mut outside)
                .await
                .unwrap();
                assert_eq!(seen, 1, "after poll {polls}");
            }
            let after = get(&db, "step").await.unwrap();
            assert!(after == before || after == step, "whole or not at all, after poll {polls}");
            if finished {
                assert_eq!(after, step);
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_comes_back_inside_a_transaction_is_not_used_again() {
    let url = Postgres::database();
    let db = Db::open(&url).await.unwrap();
    let Engine::Pg(ours) = db.engine() else { panic!("not PostgreSQL") };
    let plain = PgPoolOptions::new().connect(&url).await.unwrap();
    for (pool, name, kept) in [(&plain, "plain", false), (ours, "ours", true)] {
        let mut conn = pool.acquire().await.unwrap();
        sqlx::raw_sql("BEGIN").execute(&mut *conn).await.unwrap();
        conn.return_to_pool().await;
        assert_eq!(is_seen(pool, &url, name).await, kept, "{name}");
    }
    // And one whose transaction is done stays: nothing is closed without need.
    let mut pids = Vec::new();
    for _ in 0..5 {
        let mut conn = ours.acquire().await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT 1; COMMIT").execute(&mut *conn).await.unwrap();
        let pid = sqlx::query_scalar::<_, i64>("SELECT CAST(pg_backend_pid() AS BIGINT)");
        pids.push(pid.fetch_one(&mut *conn).await.unwrap());
        conn.return_to_pool().await;
    }
    pids.sort_unstable();
    pids.dedup();
    assert!(pids.len() <= 2, "the pool's own two at most, not a new one each time: {pids:?}");
}

#[tokio::test]
async fn a_whole_write_is_finished_even_if_nobody_waits() {
    both_engines(async |db| {
        let write = db.write::<_, StoreError, _>(|tx| {
            Box::pin(async move { set_setting(tx, "patience", "rewarded").await })
        });
        assert!(crash_after(1, write).await.is_none(), "dropped before it was done");
        let end = Instant::now() + Duration::from_secs(10);
        while get(&db, "patience").await.is_none() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(get(&db, "patience").await.as_deref(), Some("rewarded"));

        let failed: Result<(), StoreError> = db
            .write(|tx| {
                Box::pin(async move {
                    set_setting(tx, "patience", "lost").await?;
                    Err(StoreError::unsuitable("go on", "a reason"))
                })
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(get(&db, "patience").await.as_deref(), Some("rewarded"));
    })
    .await;
}

#[tokio::test]
async fn many_starts_at_once_make_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let lite = format!("sqlite:{}", folder.path().join("postern.db").display());
    for url in [lite, Postgres::database()] {
        let mut starts = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let url = url.clone();
            starts.spawn(async move {
                let db = Db::open(&url).await.unwrap();
                let id = instance_id(&db).await.unwrap();
                db.close().await;
                id
            });
        }
        let mut ids = starts.join_all().await;
        assert_eq!(ids[0].len(), 32);
        ids.dedup();
        assert_eq!(ids.len(), 1, "one instance: {ids:?}");
    }
    let mut files: Vec<_> =
        folder.path().read_dir().unwrap().map(|f| f.unwrap().file_name()).collect();
    files.retain(|name| !name.to_str().unwrap().ends_with("-shm"));
    files.retain(|name| !name.to_str().unwrap().ends_with("-wal"));
    assert_eq!(files, ["postern.db"], "a new store needs no backup");
}

#[tokio::test]
async fn a_store_of_another_program_is_refused() {
    both_engines(async |db| {
        let url = match db.engine() {
            Engine::Lite(pool) => {
                format!("sqlite:{}", pool.connect_options().get_filename().display())
            }
            Engine::Pg(pool) => {
                let options = pool.connect_options();
                let name = options.get_database().unwrap();
                format!("postgres://postern@127.0.0.1:{}/{name}", options.get_port())
            }
        };
        let attempt = async |sql: &'static str, word: &str| {
            let mut tx = db.begin().await.unwrap();
            on!(tx, "spoil", c => sqlx::query(sql).execute(c).await.map(affected)).unwrap();
            tx.commit().await.unwrap();
            let error = Db::open(&url).await.unwrap_err();
            assert!(format!("{error:?}").contains(word), "{error:?}");
        };
        attempt(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 9999, description, success, checksum, execution_time FROM _sqlx_migrations
             WHERE version = 1",
            "newer",
        )
        .await;
        let mut tx = db.begin().await.unwrap();
        on!(tx, "mend", c => sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 9999")
            .execute(c).await.map(affected))
        .unwrap();
        tx.commit().await.unwrap();
        attempt(
            "UPDATE _sqlx_migrations SET checksum = checksum || checksum WHERE version = 1",
            "edited",
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let folder = tempfile::tempdir().unwrap();
    let lite = format!("sqlite:{}", folder.path().join("postern.db").display());
    let lite = Db::open(&lite).await.unwrap();
    let pg = Db::open(&Postgres::database()).await.unwrap();
    let (Engine::Lite(lite), Engine::Pg(pg)) = (lite.engine(), pg.engine()) else {
        panic!("one of each")
    };
    // Search has a text of its own on each engine.
    let wanted = |table: &str| !table.starts_with("_sqlx") && !table.contains("search");
    let mut on_lite: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
         WHERE m.type = 'table' ORDER BY m.name, c.name",
    )
    .fetch_all(lite)
    .await
    .unwrap();
    on_lite.retain(|(table, _)| wanted(table));
    let mut on_pg: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT)
         FROM information_schema.columns WHERE table_schema = 'public'
         ORDER BY table_name COLLATE \"C\", column_name COLLATE \"C\"",
    )
    .fetch_all(pg)
    .await
    .unwrap();
    on_pg.retain(|(table, ..)| wanted(table));
    for (table, column, kind) in &on_pg {
        let known = ["bigint", "boolean", "text", "bytea"].contains(&kind.as_str());
        assert!(known, "{table}.{column} is {kind}");
    }
    let on_pg: Vec<_> = on_pg.into_iter().map(|(table, column, _)| (table, column)).collect();
    assert_eq!(on_lite, on_pg);
}

#[tokio::test]
async fn a_file_is_private_durable_and_soon_ready() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mut quickest = Duration::MAX;
    for n in 0..5 {
        let file = folder.path().join(format!("{n}.db"));
        let url = format!("sqlite:{}", file.display());
        let started = Instant::now();
        let db = Db::open(&url).await.unwrap();
        instance_id(&db).await.unwrap();
        quickest = quickest.min(started.elapsed());
        for name in [format!("{n}.db"), format!("{n}.db-wal")] {
            let mode = folder.path().join(&name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let mut tx = db.begin().await.unwrap();
        for (pragma, expected) in [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1)] {
            let is: i64 =
                on!(tx, "ask", c => sqlx::query_scalar(pragma).fetch_one(c).await).unwrap();
            assert_eq!(is, expected, "{pragma}");
        }
        drop(tx);
        db.close().await;
        assert!(!folder.path().join(format!("{n}.db-wal")).exists(), "folded in at the end");
    }
    assert!(quickest < Duration::from_millis(200), "ready in {quickest:?}");
}

#[tokio::test]
async fn a_name_that_is_no_store_is_refused_in_words() {
    let started = Instant::now();
    for (url, word) in [
        ("mysql://somewhere", "neither"),
        ("sqlite::memory:", "path of a file"),
        ("sqlite:/nonexistent/folder/postern.db", "cannot open the store"),
        ("postgres://postern@127.0.0.1:1/none", "refused"),
        ("postgres://postern:secret@[", "malformed"),
    ] {
        let error = Db::open(url).await.unwrap_err();
        let words = format!("{error:?}");
        assert!(words.contains(word) && !words.contains("secret"), "{url}: {words}");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "at once, not when patience ends");
}

#[test]
fn a_throw_away_cluster_leaves_nothing() {
    let cluster = Postgres::start(Durability::Full);
    let url = cluster.fresh();
    let (watcher, folder) = cluster.remains();
    assert!(url.starts_with("postgres://") && folder.join("data").exists());
    let server = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    let server = server.lines().next().unwrap().to_owned();
    drop(cluster);
    for pid in [watcher.to_string(), server] {
        assert!(!std::path::Path::new("/proc").join(&pid).exists(), "process {pid}");
    }
    assert!(!folder.exists());
}
