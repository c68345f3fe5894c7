//! Log lines: to standard error, as text or JSON, and never a person in them.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::LogFormat;

/// Starts logging for this process; a second call changes nothing.
///
/// Libraries are held at warnings whatever `RUST_LOG` says: async-imap prints passwords and message
/// text at `trace`.
pub fn start(format: LogFormat, verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::WARN,
        (false, 0) => LevelFilter::INFO,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let filter = EnvFilter::new(format!("warn,postern={level},async_imap=off,sqlx::query=off"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A subscriber that is already set (in tests) is as good.
    let _ = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
