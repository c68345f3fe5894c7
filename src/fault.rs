//! What is wrong with a file that people edit: where, what, and what to write instead.

use std::{fmt, io};

/// One fault in a configuration, rule, template or calendar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file as its reader knows it (`rules/30-service.toml`).
    pub file: String,
    /// Line and column, from 1, where they are known.
    pub at: Option<(usize, usize)>,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub cure: String,
}

impl Fault {
    /// A fault of the file as a whole.
    pub fn new(file: &str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { file: file.to_owned(), at: None, what: what.into(), cure: cure.into() }
    }

    /// A file or folder that cannot be read, said so that no error number need be looked up.
    pub fn unreadable(file: &str, error: &io::Error, cure: impl Into<String>) -> Self {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
            io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
            io::ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
            _ => error.to_string(),
        };
        Self::new(file, format!("cannot be read: {why}"), cure)
    }

    /// The same fault, placed at a byte offset of the file's text.
    #[must_use]
    pub fn at_offset(mut self, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        self.at = Some((line, column));
        self
    }

    /// What the TOML reader says, with its place and a cure.
    pub fn from_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim();
        let cure = match message.split_once(", expected ") {
            Some((_, expected)) => format!("write {expected}"),
            None => "correct the line; the file must be valid TOML".to_owned(),
        };
        let what = message.split_once(", expected ").map_or(message, |(what, _)| what);
        let fault = Self::new(file, what, cure);
        match error.span() {
            Some(span) => fault.at_offset(text, span.start),
            None => fault,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, ", line {line}, column {column}")?;
        }
        write!(f, ": {}; {}", self.what, self.cure)
    }
}
