//! The shape of the store, one text for both engines, brought up to date at start.
//!
//! A migration in `migrations/` is plain SQL with a few words in braces that the engines spell
//! differently:
//!
//! | word | `SQLite` | `PostgreSQL` |
//! |---|---|---|
//! | `{id}` | `INTEGER PRIMARY KEY` | `BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY` |
//! | `{text}` | `TEXT` | `TEXT COLLATE "C"`: the same order and the same `LOWER` on both |
//! | `{bytes}` | `BLOB` | `BYTEA` |
//! | `{big_bytes}` | `BLOB` | `BYTEA`, stored outside the row and never compressed |
//! | `{random}` | 32 random hexadecimal digits | the same |
//!
//! An applied migration is never edited: its checksum is kept and compared at every start.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgPool, SqlSafeStr, SqlitePool};

use super::error::StoreError;

/// Every migration, in order; a test compares this list with the folder.
const TEXTS: &[(&str, &str)] = &[
    ("0001_ground", include_str!("../../migrations/0001_ground.sql")),
    ("0002_register", include_str!("../../migrations/0002_register.sql")),
    ("0003_narrow_rows", include_str!("../../migrations/0003_narrow_rows.sql")),
    ("0004_suggestions", include_str!("../../migrations/0004_suggestions.sql")),
    ("0005_attachments", include_str!("../../migrations/0005_attachments.sql")),
    ("0006_refusing_addresses", include_str!("../../migrations/0006_refusing_addresses.sql")),
    ("0007_bands_anew", include_str!("../../migrations/0007_bands_anew.sql")),
    ("0008_rule_sets", include_str!("../../migrations/0008_rule_sets.sql")),
    ("0009_requests_in_rounds", include_str!("../../migrations/0009_requests_in_rounds.sql")),
    ("0010_assessment", include_str!("../../migrations/0010_assessment.sql")),
    ("0011_accounts", include_str!("../../migrations/0011_accounts.sql")),
    ("0012_calendar_changes", include_str!("../../migrations/0012_calendar_changes.sql")),
    ("0013_parts", include_str!("../../migrations/0013_parts.sql")),
    ("0014_actions", include_str!("../../migrations/0014_actions.sql")),
    ("0015_owners", include_str!("../../migrations/0015_owners.sql")),
    ("0016_ombudsman", include_str!("../../migrations/0016_ombudsman.sql")),
    ("0017_queues", include_str!("../../migrations/0017_queues.sql")),
    ("0018_first_letters", include_str!("../../migrations/0018_first_letters.sql")),
    ("0019_alarms", include_str!("../../migrations/0019_alarms.sql")),
    ("0020_holding", include_str!("../../migrations/0020_holding.sql")),
    ("0021_answer_page", include_str!("../../migrations/0021_answer_page.sql")),
    ("0022_versions_of_events", include_str!("../../migrations/0022_versions_of_events.sql")),
    ("0023_adjustments", include_str!("../../migrations/0023_adjustments.sql")),
    ("0024_letter_sets", include_str!("../../migrations/0024_letter_sets.sql")),
    ("0025_answer_files", include_str!("../../migrations/0025_answer_files.sql")),
    ("0026_areas", include_str!("../../migrations/0026_areas.sql")),
    ("0027_answer_check", include_str!("../../migrations/0027_answer_check.sql")),
];

/// The two spellings of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Lite,
    Pg,
}

/// Every migration in the engine's spelling, oldest first.
fn migrator(texts: &[(&str, &str)], spelling: Spelling) -> Result<Migrator, StoreError> {
    let mut migrations = Vec::new();
    for (name, text) in texts {
        let bad = |why: &str| {
            StoreError::unsuitable("read the migrations", format!("migrations/{name}.sql: {why}"))
        };
        let (number, about) = name.split_once('_').ok_or_else(|| bad("has no number"))?;
        let version: i64 = number.parse().map_err(|_| bad("has no number"))?;
        let sql = spell(text, spelling).map_err(|why| bad(&why))?;
        migrations.push(Migration::new(
            version,
            Cow::Owned(about.replace('_', " ")),
            MigrationType::Simple,
            AssertSqlSafe(sql).into_sql_str(),
            false,
        ));
    }
    Ok(Migrator::with_migrations(migrations))
}

/// Replaces the words in braces.
fn spell(text: &str, spelling: Spelling) -> Result<String, String> {
    let words: [(&str, &str); 5] = match spelling {
        Spelling::Lite => [
            ("{id}", "INTEGER PRIMARY KEY"),
            ("{text}", "TEXT"),
            ("{bytes}", "BLOB"),
            ("{big_bytes}", "BLOB"),
            ("{random}", "lower(hex(randomblob(16)))"),
        ],
        Spelling::Pg => [
            ("{id}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
            ("{text}", "TEXT COLLATE \"C\""),
            ("{bytes}", "BYTEA"),
            ("{big_bytes}", "BYTEA"),
            ("{random}", "replace(CAST(gen_random_uuid() AS TEXT), '-', '')"),
        ],
    };
    let mut sql = words.iter().fold(text.to_owned(), |sql, (word, plain)| sql.replace(word, plain));
    if let Some(at) = sql.find('{') {
        let word: String = sql.chars().skip(sql[..at].chars().count()).take(20).collect();
        return Err(format!("unknown word in braces: {word}"));
    }
    let big = big_columns(text)?;
    if spelling == Spelling::Pg {
        for (table, column) in big {
            // Mail is mostly base64: packing costs time on every read and write and saves little.
            let alter =
                ["\nALTER TABLE ", table, " ALTER COLUMN ", column, " SET STORAGE EXTERNAL;"];
            sql.extend(alter);
        }
    }
    Ok(sql)
}

/// The (table, column) pairs declared `{big_bytes}`, one column a line.
fn big_columns(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut table = None;
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line.split([' ', '\t', '(']).filter(|word| !word.is_empty());
        if let Some(rest) = line.trim_start().strip_prefix("CREATE TABLE ") {
            table = rest.split([' ', '(']).find(|word| !word.is_empty());
        }
        if line.contains("{big_bytes}") && !line.trim_start().starts_with("--") {
            let column = words.next();
            let pair = table.zip(column).ok_or("{big_bytes} outside a CREATE TABLE")?;
            found.push(pair);
        }
    }
    Ok(found)
}

/// Says what a failed migration means to the person who starts the program.
fn explain(error: MigrateError) -> StoreError {
    const ATTEMPTED: &str = "bring the store up to date";
    let text = if let MigrateError::ExecuteMigration(cause, version) = error {
        return StoreError::new(format!("apply migration {version}"), cause);
    } else if let MigrateError::VersionMissing(version) = error {
        format!("it is newer than this program (migration {version}); start the newer program")
    } else if let MigrateError::VersionMismatch(version) = error {
        format!(
            "migration {version} was edited after it was applied; start the program that made it"
        )
    } else {
        error.to_string()
    };
    StoreError::unsuitable(ATTEMPTED, text)
}

/// Brings an `SQLite` file up to date: all pending migrations or none.
pub(super) async fn lite(pool: &SqlitePool, file: &Path) -> Result<(), StoreError> {
    lite_to(pool, file, TEXTS).await
}

async fn lite_to(pool: &SqlitePool, file: &Path, texts: &[(&str, &str)]) -> Result<(), StoreError> {
    let migrator = migrator(texts, Spelling::Lite)?;
    let target = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    let mut conn = pool.acquire().await.map_err(|e| StoreError::new("open the store", e))?;

    if let Some(present) = lite_version(&mut conn).await?
        && present < target
    {
        back_up(&mut conn, &PathBuf::from(format!("{}.pre-{target}", file.display()))).await?;
    }
    // One transaction round the whole: sqlx takes no lock on SQLite, and two programs may start at once.
    let begun = conn.begin_with("BEGIN IMMEDIATE").await;
    let mut tx = begun.map_err(|e| StoreError::new("lock the store for migration", e))?;
    migrator.run_direct(None, &mut *tx, false).await.map_err(explain)?;
    tx.commit().await.map_err(|e| StoreError::new("commit the migrations", e))
}

/// The last migration of a file that has any.
async fn lite_version(conn: &mut sqlx::SqliteConnection) -> Result<Option<i64>, StoreError> {
    let attempted = "read the store's version";
    let known: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(|e| StoreError::new(attempted, e))?;
    if known.is_none() {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(&mut *conn)
        .await
        .map_err(|e| StoreError::new(attempted, e))
}

/// A whole, compact copy of the file beside it. An older copy of the same name came from an
/// attempt that was rolled back; the new one replaces it once it is complete.
async fn back_up(conn: &mut sqlx::SqliteConnection, to: &Path) -> Result<(), StoreError> {
    let attempted = "back up the store before migrating";
    let io = |e: std::io::Error| StoreError::new(attempted, sqlx::Error::Io(e));
    let part = PathBuf::from(format!("{}.part", to.display()));
    if part.exists() {
        std::fs::remove_file(&part).map_err(io)?;
    }
    super::db::create_private(&part).map_err(io)?;
    sqlx::query("VACUUM INTO $1")
        .bind(part.display().to_string())
        .execute(conn)
        .await
        .map_err(|e| StoreError::new(attempted, e))?;
    std::fs::File::open(&part).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&part, to).map_err(io)
}

/// Brings a `PostgreSQL` database up to date, each migration in its own transaction, under a lock.
pub(super) async fn pg(pool: &PgPool) -> Result<(), StoreError> {
    let attempted = "bring the store up to date";
    let migrator = migrator(TEXTS, Spelling::Pg)?;
    let conn = pool.acquire().await.map_err(|e| StoreError::new(attempted, e))?;
    // Its own connection: a migration may take longer than a query may, and closing it frees the
    // lock also after a failure.
    let mut conn = conn.detach();
    sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0")
        .execute(&mut conn)
        .await
        .map_err(|e| StoreError::new(attempted, e))?;
    let done = migrator.run_direct(None, &mut conn, false).await.map_err(explain);
    let closed = conn.close().await.map_err(|e| StoreError::new(attempted, e));
    done.and(closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_has_both_spellings() {
        for spelling in [Spelling::Lite, Spelling::Pg] {
            let migrator = migrator(TEXTS, spelling).unwrap();
            let versions: Vec<i64> = migrator.iter().map(|m| m.version).collect();
            let expected: Vec<i64> = (1..).take(versions.len()).collect();
            assert_eq!(versions, expected, "numbered from 1 without a gap");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<String> = TEXTS.iter().map(|(name, _)| format!("{name}.sql")).collect();
        assert_eq!(listed, files);
    }

    #[test]
    fn big_bytes_stay_out_of_the_row_on_postgres() {
        let text = "CREATE TABLE raw_blob (\n    id {id},\n    raw {big_bytes} NOT NULL\n);";
        let sql = spell(text, Spelling::Pg).unwrap();
        assert!(sql.contains("raw BYTEA NOT NULL"), "{sql}");
        assert!(
            sql.ends_with("ALTER TABLE raw_blob ALTER COLUMN raw SET STORAGE EXTERNAL;"),
            "{sql}"
        );
        let sql = spell(text, Spelling::Lite).unwrap();
        assert_eq!(
            sql,
            "CREATE TABLE raw_blob (\n    id INTEGER PRIMARY KEY,\n    raw BLOB NOT NULL\n);"
        );
    }

    #[test]
    fn an_unknown_word_in_braces_is_refused() {
        let fault = spell("CREATE TABLE a (b {txet})", Spelling::Pg).unwrap_err();
        assert!(fault.contains("{txet}"), "{fault}");
    }

    #[tokio::test]
    async fn an_old_file_is_copied_first_and_migrated_whole_or_not_at_all() {
        const ONE: (&str, &str) =
            ("0001_one", "CREATE TABLE one (id {id}); INSERT INTO one VALUES (7)");
        const TWO: (&str, &str) = ("0002_two", "CREATE TABLE two (id {id}); UPDATE one SET id = 8");
        const BAD: (&str, &str) =
            ("0003_bad", "CREATE TABLE three (id {id}); CREATE TABLE one (a {text})");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("postern.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
        let pool = SqlitePool::connect_with(options.create_if_missing(true)).await.unwrap();
        let backup = |version: i64| folder.path().join(format!("postern.db.pre-{version}"));
        let one = async |pool: &SqlitePool| -> i64 {
            sqlx::query_scalar("SELECT id FROM one").fetch_one(pool).await.unwrap()
        };

        lite_to(&pool, &file, &[ONE]).await.unwrap();
        assert!(!backup(1).exists(), "there was nothing to copy");
        lite_to(&pool, &file, &[ONE, TWO]).await.unwrap();
        assert_eq!(one(&pool).await, 8);
        let old = sqlx::sqlite::SqliteConnectOptions::new().filename(backup(2));
        let old = SqlitePool::connect_with(old).await.unwrap();
        assert_eq!(one(&old).await, 7, "as it was before");
        old.close().await;

        for _ in 0..2 {
            let error = lite_to(&pool, &file, &[ONE, TWO, BAD]).await.unwrap_err();
            assert!(error.to_string().contains("migration 3"), "{error:?}");
        }
        let three = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'three'";
        let three: i64 = sqlx::query_scalar(three).fetch_one(&pool).await.unwrap();
        assert_eq!(three, 0, "the half that worked was undone");
        assert!(backup(3).exists());
        lite_to(&pool, &file, &[ONE, TWO]).await.unwrap();
    }

    #[tokio::test]
    async fn what_services_were_asked_before_there_were_rounds_is_their_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("postern.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
        let pool = SqlitePool::connect_with(options.create_if_missing(true)).await.unwrap();
        let before: Vec<(&str, &str)> =
            TEXTS.iter().copied().take_while(|(name, _)| *name < "0009").collect();
        lite_to(&pool, &file, &before).await.unwrap();
        for (id, service) in [(5, "sen"), (9, "fostering")] {
            sqlx::query(
                "INSERT INTO request (id, case_id, service, leads, state, asked_at, asked_on, due_on, short)
                 VALUES ($1, 1, $2, TRUE, 'asked', 0, '2026-11-02', '2026-11-30', FALSE)",
            )
            .bind(id)
            .bind(service)
            .execute(&pool)
            .await
            .unwrap();
        }
        for rest in [
            "INSERT INTO rung VALUES (9, 'soon', '2026-11-20', 0, 'sent')",
            "INSERT INTO letter (purpose, once_key, request_id, recipient, envelope_from, subject,
                                 header_message_id, created_at, due_at, state)
             VALUES ('reminder', 'a', 9, 'a@b.example', 'c@d.example', 's', 'm', 0, 0, 'sent')",
        ] {
            sqlx::query(rest).execute(&pool).await.unwrap();
        }
        lite_to(&pool, &file, TEXTS).await.unwrap();
        let joined = "SELECT request.service, request.round, rung.rung, letter.once_key FROM request
             JOIN rung ON rung.request_id = request.id JOIN letter ON letter.request_id = request.id";
        let row: Vec<(String, i64, String, String)> =
            sqlx::query_as(joined).fetch_all(&pool).await.unwrap();
        assert_eq!(row, [("fostering".to_owned(), 1, "soon".to_owned(), "a".to_owned())]);
    }
}
