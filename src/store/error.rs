//! What a failing store says, and what it must not say.

use std::borrow::Cow;
use std::fmt;

/// The store could not do what it was asked. Says what was attempted and why it failed, without a
/// word of what was stored.
#[derive(thiserror::Error)]
#[error("cannot {attempted}")]
pub struct StoreError {
    attempted: Cow<'static, str>,
    source: Cause,
}

/// Why the store failed.
struct Cause(Reason);

enum Reason {
    Engine(sqlx::Error),
    Unsuitable(String),
}

impl StoreError {
    /// What was attempted, to complete "cannot …", and the engine's answer.
    pub fn new(attempted: impl Into<Cow<'static, str>>, cause: sqlx::Error) -> Self {
        Self { attempted: attempted.into(), source: Cause(Reason::Engine(cause)) }
    }

    /// Something about the store itself, in words for the person who runs it.
    pub fn unsuitable(attempted: impl Into<Cow<'static, str>>, why: impl Into<String>) -> Self {
        Self { attempted: attempted.into(), source: Cause(Reason::Unsuitable(why.into())) }
    }

    /// Whether a row with the same key is there already.
    pub fn is_unique_violation(&self) -> bool {
        self.database().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
    }

    /// Whether somebody else was in the way, so that the whole transaction may be tried again.
    pub fn is_busy_or_serialization(&self) -> bool {
        if matches!(&self.source.0, Reason::Engine(sqlx::Error::PoolTimedOut)) {
            return true;
        }
        let Some(code) = self.database().and_then(sqlx::error::DatabaseError::code) else {
            return false;
        };
        // PostgreSQL: serialization failure, deadlock, lock not available. SQLite: BUSY and LOCKED,
        // whose kinds are in the higher bytes.
        matches!(&*code, "40001" | "40P01" | "55P03")
            || (code.len() < 5 && code.parse::<u32>().is_ok_and(|n| matches!(n & 0xff, 5 | 6)))
    }

    /// Whether the store itself is at fault (not reachable, full, read-only, a table missing) and
    /// not what it was given: then the same will do later.
    pub fn is_of_the_store(&self) -> bool {
        let error = match &self.source.0 {
            Reason::Unsuitable(_) => return false,
            Reason::Engine(error) => error,
        };
        let sqlx::Error::Database(answer) = error else {
            return matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            );
        };
        let code = answer.code().unwrap_or_default();
        // PostgreSQL: connection, wrong state (read-only), no such table or right, out of resources,
        // shutdown, system. A statement that took too long (57014) may be the message's doing.
        let postgres = code.len() == 5
            && code != "57014"
            && ["08", "25", "42", "53", "57", "58", "XX"]
                .iter()
                .any(|class| code.starts_with(class));
        // SQLite: ERROR (no such table), PERM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB.
        let lite = code.len() < 5
            && code
                .parse::<u32>()
                .is_ok_and(|n| matches!(n & 0xff, 1 | 3 | 8 | 10 | 11 | 13 | 14 | 26));
        postgres || lite || self.is_busy_or_serialization()
    }

    /// Whether the value itself cannot be kept: trying again gives the same.
    pub fn is_unsuitable(&self) -> bool {
        matches!(&self.source.0, Reason::Unsuitable(_))
    }

    fn database(&self) -> Option<&(dyn sqlx::error::DatabaseError + 'static)> {
        let Reason::Engine(error) = &self.source.0 else { return None };
        error.as_database_error()
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreError(cannot {}: {})", self.attempted, self.source)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Cause {}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match &self.0 {
            Reason::Unsuitable(why) => return f.write_str(why),
            Reason::Engine(error) => error,
        };
        if let sqlx::Error::Io(error) = error {
            return write!(f, "the database cannot be reached: {error}");
        }
        let sqlx::Error::Database(answer) = error else {
            return write!(f, "{error}");
        };
        let code = answer.code().unwrap_or_default();
        write!(f, "the database answered {code}")?;
        if let Some(constraint) = answer.constraint() {
            write!(f, " ({constraint})")?;
        }
        if names_no_values(&code, answer.message()) {
            write!(f, ": {}", answer.message())?;
        }
        Ok(())
    }
}

/// Whether the engine's message speaks of tables, columns and limits alone. `PostgreSQL` quotes a value it
/// cannot read (class 22), and either engine quotes a search it cannot parse.
fn names_no_values(code: &str, message: &str) -> bool {
    let search =
        message.contains("fts5") || message.contains("MATCH") || message.contains("tsquery");
    let quoting = code.len() == 5
        && !["08", "23", "25", "40", "42", "53", "55", "57"]
            .iter()
            .any(|class| code.starts_with(class));
    !search && !quoting
}
