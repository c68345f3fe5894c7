//! Log lines: to standard error, as text or JSON, and never a person in them.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use clap::ValueEnum;
use tracing::error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

/// Starts logging for this process; a second call changes nothing.
///
/// Libraries are held at warnings, and `RUST_LOG` is not read: async-imap prints passwords and
/// message text at `trace`, the SMTP and SQL libraries what they carry at `debug`.
pub fn start(format: LogFormat, verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::WARN,
        (false, 0) => LevelFilter::INFO,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        // Colours are for people at a terminal, not for a file.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A subscriber that is already set (in tests) is as good.
    let _ = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    std::panic::set_hook(Box::new(report_panic));
}

/// What may be logged: our own lines at the level asked for, libraries when something is wrong.
fn filter(ours: LevelFilter) -> EnvFilter {
    EnvFilter::new(format!("warn,postern={ours},async_imap=off,imap_proto=off,sqlx::query=off"))
}

/// Says where a panic was and nothing else: its message may quote what a server or a sender wrote.
/// Whoever caught it says what became of the work.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, ToString::to_string);
    error!(place, "stopped unexpectedly at {place}");
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LevelFilter, work: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter(level))
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, work);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_library_that_prints_passwords_never_speaks() {
        let text = logged(LevelFilter::TRACE, || {
            tracing::trace!(target: "postern::mailbox", "ours");
            tracing::trace!(target: "async_imap::client", "LOGIN ann secret");
            tracing::error!(target: "async_imap::client", "LOGIN ann secret");
            tracing::error!(target: "imap_proto", "secret");
            tracing::debug!(target: "lettre", "secret");
            tracing::info!(target: "sqlx::query", "secret");
        });
        assert!(text.contains("ours"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn a_panic_is_told_by_its_place_alone() {
        let text = logged(LevelFilter::WARN, || {
            let old = std::panic::take_hook();
            std::panic::set_hook(Box::new(report_panic));
            let stopped = std::panic::catch_unwind(|| panic!("server said: secret"));
            std::panic::set_hook(old);
            assert!(stopped.is_err());
        });
        assert!(text.contains("src/telemetry.rs:"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}
