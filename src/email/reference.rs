//! Our case references in a subject or body.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;

use crate::casework::reference::CaseReference;

/// Finds every `PREFIX-YEAR-NUMBER-CHECK` of ours, whatever its case, spacing, dashes or
/// brackets, and gives it in canonical spelling, each once, in the order of the text.
///
/// Only references whose check digit is right count, so that a mistyped one is never taken for
/// somebody else's case.
pub fn find_references(text: &str, prefix: &str) -> Vec<String> {
    references_in([text], prefix)
}

/// The same of several texts, one after the other.
pub(super) fn references_in<const N: usize>(texts: [&str; N], prefix: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if let Some(pattern) = pattern(prefix) {
        for text in texts.into_iter().filter(|text| pattern.is_match(text)) {
            add_references(&mut found, text, prefix, &pattern);
        }
    }
    found
}

fn add_references(found: &mut Vec<String>, text: &str, prefix: &str, pattern: &Regex) {
    let mut from = 0;
    while let Some(captures) = pattern.captures_at(text, from) {
        let Some(whole) = captures.get(0) else { break };
        // A rejected match may hide a true one that starts inside it.
        from = whole.start() + prefix.len().max(1);
        let group = |n| captures.get(n).map_or("", |m: regex::Match<'_>| m.as_str());
        let (year, number, check) = (group(1), group(2), group(3));
        let boundary = text.get(..whole.start()).and_then(|t| t.chars().next_back());
        let behind = text.get(whole.end()..).and_then(|t| t.chars().next());
        if boundary.is_some_and(char::is_alphanumeric) || behind.is_some_and(char::is_alphanumeric)
        {
            from = next_boundary(text, from);
            continue;
        }
        if let Some(reference) = genuine(prefix, year, number, check) {
            if !found.contains(&reference) {
                found.push(reference);
            }
            from = whole.end();
        }
        from = next_boundary(text, from);
    }
}

fn next_boundary(text: &str, mut at: usize) -> usize {
    while at < text.len() && !text.is_char_boundary(at) {
        at += 1;
    }
    at.min(text.len())
}

/// One compiled pattern for each prefix ever asked for (in practice one).
fn pattern(prefix: &str) -> Option<Arc<Regex>> {
    static PATTERNS: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = patterns.get(prefix) {
        return Some(Arc::clone(known));
    }
    // Hyphen, soft hyphen, the dashes, minus, full-width hyphen, underscore, slash or blanks, some
    // of them together; quoted-printable and web forms make all of these.
    let gap = r"[\s\u{a0}\-\u{ad}\u{2010}-\u{2015}\u{2212}\u{fe58}\u{fe63}\u{ff0d}_/.]{1,5}";
    let prefix_pattern = regex::escape(prefix);
    let source = format!(r"(?i){prefix_pattern}{gap}([0-9]{{4}}){gap}([0-9]{{1,9}}){gap}([0-9])");
    let compiled = Arc::new(Regex::new(&source).ok()?);
    patterns.insert(prefix.to_owned(), Arc::clone(&compiled));
    Some(compiled)
}

/// The reference in canonical spelling, if its check digit is right.
fn genuine(prefix: &str, year: &str, number: &str, check: &str) -> Option<String> {
    let number = number.parse().ok()?;
    let reference = CaseReference::new(prefix, year.parse().ok()?, number).ok()?;
    (check.parse() == Ok(reference.check_digit())).then(|| reference.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(year: i16, number: u32) -> String {
        CaseReference::new("NCC", year, number).unwrap().to_string()
    }

    #[test]
    fn references_are_found_however_they_are_written() {
        let canonical = reference(2026, 412);
        let check = canonical.chars().last().unwrap();
        for written in [
            canonical.clone(),
            canonical.to_lowercase(),
            format!("Re: [{canonical}] my bin"),
            format!("NCC 2026 00412 {check}"),
            format!("(ncc–2026–00412–{check})."),
            format!("NCC\u{2011}2026\u{2011}412\u{2011}{check}"),
            format!("ref:NCC - 2026 - 00412 - {check};"),
            format!("NCC-2026-\r\n00412-{check}"),
        ] {
            assert_eq!(
                find_references(&written, "NCC"),
                std::slice::from_ref(&canonical),
                "{written}"
            );
        }
    }

    #[test]
    fn only_right_check_digits_count() {
        let canonical = reference(2026, 412);
        let check: u8 = canonical.bytes().last().unwrap() - b'0';
        for wrong in (0..10).filter(|d| *d != check) {
            assert!(find_references(&format!("NCC-2026-00412-{wrong}"), "NCC").is_empty());
        }
        assert!(find_references(&format!("X{canonical}"), "NCC").is_empty());
        assert!(find_references(&format!("{canonical}5"), "NCC").is_empty());
        assert!(find_references("", "").is_empty());
    }

    #[test]
    fn several_references_come_once_each_in_order() {
        let (one, two) = (reference(2026, 1), reference(2025, 123_456));
        assert_eq!(find_references(&format!("{two} {one} {two}é"), "NCC"), [two, one]);
    }
}
