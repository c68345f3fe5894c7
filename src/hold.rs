//! Places where a test can stop the process dead.
//!
//! A debug build that is started with `POSTERN_HOLD_AT=NAME` says so at that place and stands still
//! until it is killed: the crash tests send SIGKILL there. Some places name a row (`reading:7`). A release build has none of this.

/// A step of the walk has been reached.
#[cfg(debug_assertions)]
pub(crate) async fn hold_point(name: &str) {
    use std::io::Write;
    use std::sync::LazyLock;

    static WANTED: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("POSTERN_HOLD_AT").ok());
    if WANTED.as_deref() == Some(name) {
        let _ = writeln!(std::io::stderr(), "holding at {name}");
        std::future::pending::<()>().await;
    }
}

/// A step of the walk has been reached for one row: held at `NAME:ROW`.
#[cfg(debug_assertions)]
pub(crate) async fn hold_point_of(name: &str, row: i64) {
    hold_point(&format!("{name}:{row}")).await;
}

/// A step of the walk has been reached.
#[cfg(not(debug_assertions))]
#[expect(clippy::unused_async, reason = "the debug build waits here")]
pub(crate) async fn hold_point(_name: &str) {}

/// A step of the walk has been reached for one row.
#[cfg(not(debug_assertions))]
#[expect(clippy::unused_async, reason = "the debug build waits here")]
pub(crate) async fn hold_point_of(_name: &str, _row: i64) {}
