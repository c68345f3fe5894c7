//! The header block: a linear split into fields, and the decoding of one field's text.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;
use mail_parser::DateTime;

use super::parameters::{Parameters, parameters};
use super::{charset, transfer};

/// Longest header block read, in bytes; what stands behind it is body.
const BLOCK_BYTES: usize = 256 * 1024;
/// Fields that room is made for at once.
const USUAL_FIELDS: usize = 32;
/// Most fields kept.
const MOST_FIELDS: usize = 1_000;

/// One header field as it stands, folded lines included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    value: Value<'a>,
}

/// What stands behind a field's colon.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    /// Of a header block in plain ASCII, as nearly all are.
    Ascii(&'a str),
    /// Of any other: each of its fields may be in a character set of its own.
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    /// The value as it stands, 8-bit bytes decoded, with its line ends.
    fn folded(&self) -> Cow<'a, str> {
        match self.value {
            Value::Ascii(text) => Cow::Borrowed(text),
            Value::Bytes(bytes) => charset::guess(bytes).0,
        }
    }

    /// The value on one line, 8-bit bytes decoded, encoded words as they stand.
    pub(super) fn text(&self) -> Cow<'a, str> {
        match self.folded() {
            Cow::Borrowed(text) => unfold(text),
            Cow::Owned(text) => Cow::Owned(unfold(&text).into_owned()),
        }
    }

    /// The value with its encoded words (RFC 2047) decoded.
    pub(super) fn decoded(&self) -> Cow<'a, str> {
        match self.text() {
            Cow::Borrowed(text) => decode_words(text),
            Cow::Owned(text) => Cow::Owned(decode_words(&text).into_owned()),
        }
    }

    /// The value as one with parameters.
    fn parameters(&self) -> Parameters<'a> {
        match self.folded() {
            Cow::Borrowed(text) => parameters(text),
            Cow::Owned(text) => parameters(&text).into_owned(),
        }
    }
}

/// The fields of one message or part, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers<'a> {
    pub(super) fields: Vec<Field<'a>>,
    /// Whether lines stood between the fields that are none, or fields were too many.
    pub(super) damaged: bool,
    /// The marks of all names: most that is asked for is in no message, and that shows here.
    names: u64,
}

/// One of 64 marks of a name, the same in any case.
fn mark(name: &[u8]) -> u64 {
    let letter = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(byte.to_ascii_lowercase()));
    let ends = letter(name.first()) * 3 + letter(name.last()) * 5;
    1 << ((name.len() * 7 + ends) % 64)
}

impl<'a> Headers<'a> {
    fn may_have(&self, name: &str) -> bool {
        self.names & mark(name.as_bytes()) != 0
    }

    /// Every field of that name (ASCII case ignored).
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Field<'a>> {
        let there = if self.may_have(name) { self.fields.as_slice() } else { &[] };
        there.iter().filter(move |f| f.name.eq_ignore_ascii_case(name))
    }

    /// The first field of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Field<'a>> {
        let there = self.may_have(name).then_some(&self.fields)?;
        there.iter().find(|f| f.name.eq_ignore_ascii_case(name))
    }

    /// The first field's text, trimmed, where there is one.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(|field| trimmed(field.text()))
    }

    /// The first field's value and parameters; none of either where there is no such field.
    pub(super) fn parameters(&self, name: &str) -> Parameters<'a> {
        self.get(name).map(Field::parameters).unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// Fields that say: this is a message. Without any of them a text is just a text.
const TELLING: [&str; 16] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "received",
    "return-path",
    "content-type",
    "mime-version",
    "sender",
    "reply-to",
    "cc",
    "bcc",
    "delivered-to",
    "content-transfer-encoding",
    "content-disposition",
];

/// Where a field stands in its block.
struct Spot {
    name: Range<usize>,
    value: Range<usize>,
}

/// The fields of a block by where they stand in it.
fn fields(block: &[u8], spots: Vec<Spot>) -> Vec<Field<'_>> {
    // Told once of all; an escape may begin another character set.
    let plain = block.is_ascii() && memchr::memchr(b'\x1b', block).is_none();
    let text = plain.then(|| std::str::from_utf8(block).ok()).flatten();
    let field = |Spot { name, value }: Spot| {
        if let Some(text) = text {
            return Some(Field { name: text.get(name)?, value: Value::Ascii(text.get(value)?) });
        }
        let name = std::str::from_utf8(block.get(name)?).ok()?;
        Some(Field { name, value: Value::Bytes(block.get(value)?) })
    };
    // Room for all at once, which a filter cannot promise.
    let mut fields = Vec::with_capacity(spots.len());
    fields.extend(spots.into_iter().filter_map(field));
    fields
}

/// Splits a message (or part) into its header fields and its body.
///
/// Text that has no header at all is all body.
pub(super) fn split(raw: &[u8]) -> (Headers<'_>, &[u8]) {
    let mut headers = Headers::default();
    let mut spots = Vec::with_capacity(USUAL_FIELDS);
    let mut at = 0;
    let mut start = 0;
    loop {
        let rest = raw.get(at..).unwrap_or_default();
        let line = first_line(rest);
        if line.is_empty() || at > BLOCK_BYTES {
            break;
        }
        if is_blank(line) {
            at += line.len();
            break;
        }
        if let Some((name, colon)) = field_name(line) {
            let length = folded_length(rest, line.len());
            if spots.len() < MOST_FIELDS {
                headers.names |= mark(line.get(..name).unwrap_or_default());
                spots.push(Spot { name: at..at + name, value: at + colon + 1..at + length });
            } else {
                headers.damaged = true;
            }
            at += length;
        } else if (at == start && is_from_line(line)) || fields_follow(rest.get(line.len()..)) {
            headers.damaged |= at != start;
            at += line.len();
            if spots.is_empty() {
                start = at;
            }
        } else {
            headers.damaged = true;
            break;
        }
    }
    headers.fields = fields(raw.get(..at).unwrap_or_default(), spots);
    let telling = |f: &Field| {
        is_telling(f.name) || f.name.get(..8).is_some_and(|p| p.eq_ignore_ascii_case("content-"))
    };
    if !headers.fields.is_empty() && !headers.fields.iter().any(telling) {
        return (Headers::default(), raw);
    }
    if headers.fields.is_empty() && !raw.starts_with(b"\n") && !raw.starts_with(b"\r\n") {
        return (headers, raw);
    }
    (headers, raw.get(at..).unwrap_or_default())
}

fn is_telling(name: &str) -> bool {
    TELLING.iter().any(|telling| name.eq_ignore_ascii_case(telling))
}

/// Whether nothing but blanks stands in a line.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

fn first_line(rest: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', rest).map_or(rest, |end| rest.get(..=end).unwrap_or(rest))
}

/// `From user date` of an mbox, or the quoted kind.
fn is_from_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// The length of the name of the field that a line opens, and where its colon stands: printable ASCII, and blanks
/// before the colon if need be.
fn field_name(line: &[u8]) -> Option<(usize, usize)> {
    let name = line.iter().position(|byte| matches!(byte, b':' | ..=32 | 127..))?;
    let behind = line.get(name..)?;
    let colon = name + behind.iter().position(|byte| !byte.is_ascii_whitespace())?;
    ((1..=80).contains(&name) && line.get(colon) == Some(&b':')).then_some((name, colon))
}

/// Bytes of a field, whose first line has so many, with the folded lines that belong to it.
fn folded_length(rest: &[u8], first: usize) -> usize {
    let mut length = first;
    while length <= BLOCK_BYTES && matches!(rest.get(length), Some(b' ' | b'\t')) {
        let line = first_line(rest.get(length..).unwrap_or_default());
        // A line of blanks only is taken for the end of the block that someone indented.
        if is_blank(line) {
            break;
        }
        length += line.len();
    }
    length
}

/// Whether the next lines go on with fields, so that one odd line between is only an accident.
fn fields_follow(rest: Option<&[u8]>) -> bool {
    let mut lines = rest.unwrap_or_default().split_inclusive(|b| *b == b'\n').take(3);
    lines.find_map(|line| {
        if is_blank(line) {
            return Some(false);
        }
        let (name, _) = field_name(line)?;
        let name = std::str::from_utf8(line.get(..name)?).ok()?;
        Some(name.contains('-') || is_telling(name))
    }) == Some(true)
}

pub(super) fn unfold(text: &str) -> Cow<'_, str> {
    let text = trim(text);
    let bytes = text.as_bytes();
    if memchr::memchr3(b'\r', b'\n', 0, bytes).is_none() {
        return without_tabs(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for end in memchr::memchr3_iter(b'\r', b'\n', 0, bytes).chain([bytes.len()]) {
        let line = text.get(from..end).unwrap_or_default();
        from = end + 1;
        if line.is_empty() {
            continue;
        }
        if !out.is_empty() && !out.ends_with(' ') && !line.starts_with([' ', '\t']) {
            out.push(' ');
        }
        push_without_tabs(&mut out, line);
    }
    Cow::Owned(out)
}

/// [`str::trim`], which most texts need but of blanks in ASCII.
pub(super) fn trim(text: &str) -> &str {
    let text = text.trim_ascii();
    match text.as_bytes() {
        [] | [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim(),
    }
}

/// The text without blanks around it, copied only where it has to be.
pub(super) fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
        Cow::Owned(text) if trim(&text).len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(trim(&text).to_owned()),
    }
}

/// Blanks for tabs.
fn without_tabs(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\t', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    push_without_tabs(&mut out, text);
    Cow::Owned(out)
}

fn push_without_tabs(out: &mut String, text: &str) {
    let mut from = 0;
    for tab in memchr::memchr_iter(b'\t', text.as_bytes()) {
        out.push_str(text.get(from..tab).unwrap_or_default());
        out.push(' ');
        from = tab + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// One RFC 2047 encoded word: its charset, the decoded bytes and its length in the text.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    length: usize,
}

/// Longest encoded word that is believed, in bytes. RFC 2047 section 2 allows 75; without any end
/// a header full of beginnings would be searched to its last byte for each of them.
const WORD_BYTES: usize = 2 * 1024;

fn word_at(text: &str) -> Option<Word<'_>> {
    let inner = super::text::cut(text, WORD_BYTES).strip_prefix("=?")?;
    let (charset, inner) = split_at_mark(inner)?;
    let (encoding, inner) = split_at_mark(inner)?;
    let name_ok = !charset.is_empty() && charset.len() < 60 && !charset.contains([' ', '=']);
    if !name_ok || !matches!(encoding, "B" | "b" | "Q" | "q") {
        return None;
    }
    let mut end = find_end(inner)?;
    // A word of Q encoding that begins with `=` makes `?=` appear too early.
    if end == 0 && inner.len() > 2 {
        end = find_end(inner.get(1..)?)? + 1;
    }
    let payload = inner.get(..end)?;
    let length = 4 + charset.len() + encoding.len() + end + 2;
    let bytes = match encoding {
        "B" | "b" => transfer::decode(payload.as_bytes(), "base64").bytes.into_owned(),
        _ => transfer::quoted_printable(payload.replace('_', " ").as_bytes()).0,
    };
    // 8-bit characters that stood inside the word have been decoded with their line already.
    let charset = if payload.is_ascii() { charset } else { "utf-8" };
    Some(Word { charset: charset.split('*').next().unwrap_or(charset), bytes, length })
}

/// What stands before the first question mark, and behind it.
fn split_at_mark(text: &str) -> Option<(&str, &str)> {
    let at = memchr::memchr(b'?', text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Where the first `?=` of a text stands.
fn find_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'?', bytes).find(|at| bytes.get(at + 1) == Some(&b'='))
}

/// Where the first `=?` of a text stands, else its end.
pub(super) fn find_word(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut marks = memchr::memchr_iter(b'?', bytes).filter_map(|at| at.checked_sub(1));
    marks.find(|at| bytes.get(*at) == Some(&b'=')).unwrap_or(bytes.len())
}

/// Decodes every encoded word. Neighbours of one charset are joined before decoding, because
/// many senders split in the middle of a character.
pub(super) fn decode_words(text: &str) -> Cow<'_, str> {
    if find_word(text) == text.len() {
        return Cow::Borrowed(trim(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = text;
    // The word behind a gap has been read when it is its turn.
    let mut read = None;
    while !rest.is_empty() {
        if let Some(word) = read.take().or_else(|| word_at(rest)) {
            match &mut pending {
                Some((charset, bytes)) if charset.eq_ignore_ascii_case(word.charset) => {
                    bytes.extend_from_slice(&word.bytes);
                }
                _ => {
                    flush(&mut out, pending.take());
                    pending = Some((word.charset.to_owned(), word.bytes));
                }
            }
            rest = rest.get(word.length..).unwrap_or_default();
            let gap = rest.len() - rest.trim_start().len();
            // Blanks between two words are only there for folding.
            if gap > 0 {
                read = word_at(rest.trim_start());
                if read.is_some() {
                    rest = rest.trim_start();
                }
            }
            continue;
        }
        flush(&mut out, pending.take());
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let next = first + rest.get(first..).map_or(0, find_word);
        let (plain, tail) = rest.split_at(next);
        out.push_str(plain);
        rest = tail;
    }
    flush(&mut out, pending);
    trimmed(Cow::Owned(out))
}

fn flush(out: &mut String, pending: Option<(String, Vec<u8>)>) {
    if let Some((charset, bytes)) = pending {
        out.push_str(&charset::decode(&bytes, Some(&charset)).text);
    }
}

/// The date of a `Date` header, where it is a real one.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let parsed = DateTime::parse_rfc822(text).filter(is_sane);
    let parsed = parsed.or_else(|| DateTime::parse_rfc3339(text.trim()).filter(is_sane))?;
    Timestamp::from_second(parsed.to_timestamp()).ok()
}

fn is_sane(date: &DateTime) -> bool {
    date.is_valid() && (1980..=2200).contains(&date.year) && date.tz_hour <= 14
}

/// Message-IDs without angle brackets; those with blanks or controls inside are left out.
pub(super) fn message_ids(text: &str) -> Vec<String> {
    let fine = |id: &&str| {
        !id.is_empty()
            && id.len() <= 250
            && !id.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    if text.contains('<') {
        let ids = text.split('<').skip(1).filter_map(|piece| piece.split_once('>'));
        return ids.map(|(id, _)| id.trim()).filter(fine).map(str::to_owned).take(500).collect();
    }
    let bare = text.split([' ', ',']).filter(|id| id.contains('@'));
    bare.filter(fine).map(str::to_owned).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_folded_and_found() {
        let (headers, body) =
            split(b"From a@b Mon\r\nSubject : one\r\n two\r\nX-Odd\r\nTo: x@y.org\r\n\r\nBody\r\n");
        assert_eq!(headers.text("subject").as_deref(), Some("one two"));
        assert_eq!(headers.text("to").as_deref(), Some("x@y.org"));
        assert_eq!(body, b"Body\r\n");
    }

    #[test]
    fn a_text_without_headers_is_all_body() {
        for text in ["Dear Sir: my bin", "Hello: there\n\nmore", "just words\n\nFrom: x\n"] {
            let (headers, body) = split(text.as_bytes());
            assert!(headers.fields.is_empty());
            assert_eq!(body, text.as_bytes());
        }
    }

    #[test]
    fn encoded_words_split_inside_a_character_are_joined() {
        assert_eq!(decode_words("=?utf-8?B?Y2Fmw6k=?="), "café");
        assert_eq!(decode_words("=?utf-8?B?Y2Fmww==?= =?utf-8?B?qSBv?="), "café o");
        assert_eq!(decode_words("=?utf-8?Q?caf=C3?= =?UTF-8?q?=A9_au?= lait"), "café au lait");
        assert_eq!(decode_words("Re: =?iso-8859-1?Q?=A3?= 5 =?x"), "Re: £ 5 =?x");
        assert_eq!(decode_words("=?x-unknown?Q?caf=E9?="), "café");
        assert_eq!(decode_words("é =?utf-8?Q?=C3=A9?="), "é é");
    }

    #[test]
    fn only_real_dates_count() {
        assert!(date("Mon, 2 Mar 2026 10:00:00 +0000").is_some());
        assert!(date("2026-03-02T10:00:00Z").is_some());
        assert!(date("Mon, 32 Nov 25:61:61 +9999").is_none());
        assert!(date("yesterday").is_none());
    }
}
