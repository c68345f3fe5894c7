//! The one writer for what commands print.

use std::io::{self, Write};

use serde_json::json;

use crate::clock::Clock;
use crate::telemetry::LogFormat;

/// Standard output for data, standard error for everything else.
pub(crate) struct Out {
    data: Box<dyn Write + Send>,
    notes: Box<dyn Write + Send>,
    /// Whether notes are objects, as the log lines beside them are.
    as_objects: bool,
}

impl Out {
    /// The process's own streams.
    pub(crate) fn standard(format: LogFormat) -> Self {
        Self {
            data: Box::new(io::BufWriter::new(io::stdout())),
            notes: Box::new(io::stderr()),
            as_objects: format == LogFormat::Json,
        }
    }

    /// One line of data.
    ///
    /// # Errors
    /// When the reader has gone away or the disk is full.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.data, "{text}")
    }

    /// One value as JSON on a line of its own.
    ///
    /// # Errors
    /// As [`Out::line`].
    pub(crate) fn json(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.data, value)?;
        writeln!(self.data)
    }

    /// A line for the person at the terminal. Nobody can be told that this failed.
    pub(crate) fn note(&mut self, text: &str) {
        let _ = self.data.flush();
        let _ = if self.as_objects {
            let note = json!({
                "timestamp": Clock::System.now(), "level": "WARN", "fields": {"message": text},
                "target": "postern::cli",
            });
            writeln!(self.notes, "{note}")
        } else {
            writeln!(self.notes, "{text}")
        };
    }

    /// Text as it stands.
    ///
    /// # Errors
    /// As [`Out::line`].
    pub(crate) fn text(&mut self, text: &[u8]) -> io::Result<()> {
        self.data.write_all(text)
    }

    /// What was written so far is out.
    ///
    /// # Errors
    /// As [`Out::line`].
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.data.flush()
    }
}

/// Whether the reader of our output went away (`postern … | head`): no fault of anyone.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
