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
        let known = [
            (io::ErrorKind::NotFound, "there is no such file or folder"),
            (io::ErrorKind::PermissionDenied, "this user may not read it"),
            (io::ErrorKind::InvalidData, "it is not text in UTF-8"),
        ];
        let known = known.iter().find(|(kind, _)| *kind == error.kind());
        let why = known.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned());
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
        let (what, cure) = in_plain_words(error.message().trim());
        let fault = Self::new(file, what, cure);
        match error.span() {
            Some(span) => fault.at_offset(text, span.start),
            None => fault,
        }
    }
}

/// The TOML reader's message for people who do not program, and what to write instead. A value of
/// the wrong type is not repeated: it may be a password without its quotes.
fn in_plain_words(message: &str) -> (String, String) {
    if let Some(name) = message.strip_prefix("missing field ") {
        return (format!("{name} is missing"), format!("add {}", name.replace('`', "") + " = …"));
    }
    let Some((what, expected)) = message.split_once(", expected ") else {
        return (message.to_owned(), "correct the line; the file must be valid TOML".to_owned());
    };
    if let Some(value) = what.strip_prefix("invalid type: ") {
        let kind = kind_of(value).unwrap_or("this");
        let wanted = kind_of(expected).unwrap_or(expected);
        return (format!("{kind} cannot stand here"), format!("write {wanted}"));
    }
    (what.replace("unknown variant", "unknown value"), format!("write {expected}"))
}

/// What Rust's reader calls a type, as the file's writer knows it.
fn kind_of(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("a ").or_else(|| name.strip_prefix("an ")).unwrap_or(name);
    match name.split([' ', '`', '"']).next().unwrap_or_default() {
        "string" | "str" | "borrowed" | "path" => Some("text in quotes"),
        "integer" | "usize" | "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64"
        | "nonzero" => Some("a whole number"),
        "floating" | "f64" | "f32" => Some("a number"),
        "boolean" => Some("true or false"),
        "sequence" => Some("a list in [ ]"),
        "map" | "struct" | "table" => Some("a section"),
        "datetime" => Some("a date"),
        _ => None,
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Sample {
        count: u16,
        words: Option<Vec<String>>,
        password: Option<String>,
        on: Option<bool>,
    }

    fn check(text: &str, expected: &str) {
        let error = toml::from_str::<Sample>(text).unwrap_err();
        assert_eq!(Fault::from_toml("f.toml", text, &error).to_string(), expected);
    }

    #[test]
    fn faults_are_told_in_words_for_people_who_do_not_program() {
        check(
            "count = \"four\"",
            "f.toml, line 1, column 9: text in quotes cannot stand here; write a whole number",
        );
        check(
            "count = 1\nwords = \"one\"",
            "f.toml, line 2, column 9: text in quotes cannot stand here; write a list in [ ]",
        );
        check(
            "count = 1\non = 1",
            "f.toml, line 2, column 6: a whole number cannot stand here; write true or false",
        );
        check("on = true", "f.toml, line 1, column 1: `count` is missing; add count = …");
    }

    #[test]
    fn a_password_without_its_quotes_is_not_repeated() {
        let expected =
            "f.toml, line 2, column 12: a whole number cannot stand here; write text in quotes";
        check("count = 1\npassword = 271828", expected);
    }
}
