//! Bytes to text, whatever the message says or fails to say about them.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

/// Decoded text and whether its character set had to be guessed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) guessed: bool,
}

/// Decodes `bytes` by the charset `label`; an absent, unknown or untrue label is guessed.
pub(super) fn decode<'a>(bytes: &'a [u8], label: Option<&str>) -> Decoded<'a> {
    let label = label.map(|l| l.trim_matches([' ', '"', '\'', ';'])).unwrap_or_default();
    let is = |names: &[&str]| names.iter().any(|name| label.eq_ignore_ascii_case(name));
    if is(&["", "us-ascii", "ascii", "utf-8", "utf8"]) {
        let (text, guessed) = guess(bytes);
        return Decoded { text, guessed };
    }
    let lower = label.to_ascii_lowercase();
    match lower.as_str() {
        // Not in the WHATWG list, but Exchange still writes it.
        "utf-7" | "unicode-1-1-utf-7" => by_mail_parser(bytes, &lower),
        _ => match Encoding::for_label(lower.as_bytes()) {
            Some(encoding) if encoding == UTF_8 => {
                let (text, guessed) = guess(bytes);
                Decoded { text, guessed }
            }
            Some(encoding) => Decoded { text: encoding.decode(bytes).0, guessed: false },
            None => by_mail_parser(bytes, &lower),
        },
    }
}

fn by_mail_parser<'a>(bytes: &'a [u8], label: &str) -> Decoded<'a> {
    match charset_decoder(label.as_bytes()) {
        Some(decoder) => Decoded { text: Cow::Owned(decoder(bytes)), guessed: false },
        None => Decoded { text: guess(bytes).0, guessed: true },
    }
}

/// UTF-8 where it is that, else what a British mailbox most likely holds: Windows-1252.
pub(super) fn guess(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        // The escape alone is looked for first: a search for two bytes is made ready anew each time.
        Ok(_)
            if memchr::memchr(b'\x1b', bytes).is_some()
                && memchr::memmem::find(bytes, b"\x1b$").is_some() =>
        {
            (ISO_2022_JP.decode(bytes).0, true)
        }
        Ok(text) => (Cow::Borrowed(text), false),
        // Some good UTF-8 with a damaged or cut character is still UTF-8.
        Err(_) if holds_multibyte(bytes) => (String::from_utf8_lossy(bytes), true),
        Err(_) => (WINDOWS_1252.decode(bytes).0, true),
    }
}

fn holds_multibyte(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], label: Option<&str>, text: &str, guessed: bool) {
        assert_eq!(decode(bytes, label), Decoded { text: Cow::Borrowed(text), guessed });
    }

    #[test]
    fn text_is_decoded_by_its_label_or_by_guess() {
        check(b"caf\xE9", Some("iso-8859-1"), "café", false);
        check(b"\x93hi\x94", Some("windows-1252"), "\u{201c}hi\u{201d}", false);
        check(b"caf\xE9", None, "café", true);
        check("café".as_bytes(), Some("us-ascii"), "café", false);
        check(b"caf\xE9", Some("x-klingon"), "café", true);
        check("café".as_bytes(), Some("x-klingon"), "café", true);
        check(b"\xA3 5", Some("utf-8"), "£ 5", true);
        check(b"caf\xC3\xA9 \xC3", Some("utf-8"), "café \u{fffd}", true);
        check(b"Hi Mom +Jjo-!", Some("utf-7"), "Hi Mom \u{263a}!", false);
        check(b"\x1b$B%F%9%H\x1b(B", None, "テスト", true);
        check(b"\xEF\xBB\xBFhello", None, "hello", false);
    }
}
