//! The header block: a linear split into fields, and the decoding of one field's text.

use std::borrow::Cow;

use jiff::Timestamp;
use mail_parser::DateTime;

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
    pub(super) raw: &'a [u8],
}

impl<'a> Field<'a> {
    /// The value on one line, 8-bit bytes decoded, encoded words as they stand.
    pub(super) fn text(&self) -> Cow<'a, str> {
        match charset::guess(self.raw).0 {
            Cow::Borrowed(text) => unfold(text),
            Cow::Owned(text) => Cow::Owned(unfold(&text).into_owned()),
        }
    }

    /// The value with its encoded words (RFC 2047) decoded.
    pub(super) fn decoded(&self) -> String {
        decode_words(&self.text())
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
fn mark(name: &str) -> u64 {
    let letter = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(byte.to_ascii_lowercase()));
    let bytes = name.as_bytes();
    let ends = letter(bytes.first()) * 3 + letter(bytes.last()) * 5;
    1 << ((name.len() * 7 + ends) % 64)
}

impl<'a> Headers<'a> {
    fn may_have(&self, name: &str) -> bool {
        self.names & mark(name) != 0
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
        let text = self.get(name)?.text();
        Some(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(trimmed(text)),
        })
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

/// Splits a message (or part) into its header fields and its body.
///
/// Text that has no header at all is all body.
pub(super) fn split(raw: &[u8]) -> (Headers<'_>, &[u8]) {
    let mut headers = Headers { fields: Vec::with_capacity(USUAL_FIELDS), ..Headers::default() };
    let mut at = 0;
    let mut start = 0;
    loop {
        let rest = raw.get(at..).unwrap_or_default();
        let line = first_line(rest);
        let content = line.trim_ascii_end();
        if line.is_empty() || at > BLOCK_BYTES {
            break;
        }
        if content.is_empty() {
            at += line.len();
            break;
        }
        if let Some(name) = field_name(line) {
            let length = folded_length(rest, line.len());
            let raw = rest.get(name.len()..length).unwrap_or_default();
            let raw = memchr::memchr(b':', raw).and_then(|c| raw.get(c + 1..));
            if headers.fields.len() < MOST_FIELDS {
                headers.names |= mark(name);
                headers.fields.push(Field { name, raw: raw.unwrap_or_default() });
            } else {
                headers.damaged = true;
            }
            at += length;
        } else if (at == start && is_from_line(line)) || fields_follow(rest.get(line.len()..)) {
            headers.damaged |= at != start;
            at += line.len();
            if headers.fields.is_empty() {
                start = at;
            }
        } else {
            headers.damaged = true;
            break;
        }
    }
    let telling = |f: &Field| {
        TELLING.iter().any(|t| f.name.eq_ignore_ascii_case(t))
            || f.name.get(..8).is_some_and(|p| p.eq_ignore_ascii_case("content-"))
    };
    if !headers.fields.is_empty() && !headers.fields.iter().any(telling) {
        return (Headers::default(), raw);
    }
    if headers.fields.is_empty() && !raw.starts_with(b"\n") && !raw.starts_with(b"\r\n") {
        return (headers, raw);
    }
    (headers, raw.get(at..).unwrap_or_default())
}

fn first_line(rest: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', rest).map_or(rest, |end| rest.get(..=end).unwrap_or(rest))
}

/// `From user date` of an mbox, or the quoted kind.
fn is_from_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// The name of the field that a line opens: printable ASCII up to a colon.
fn field_name(line: &[u8]) -> Option<&str> {
    let colon = memchr::memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    let fine = !name.is_empty() && name.len() <= 80 && name.iter().all(|b| matches!(b, 33..=126));
    fine.then(|| std::str::from_utf8(name).ok()).flatten()
}

/// Bytes of a field, whose first line has so many, with the folded lines that belong to it.
fn folded_length(rest: &[u8], first: usize) -> usize {
    let mut length = first;
    while length <= BLOCK_BYTES && matches!(rest.get(length), Some(b' ' | b'\t')) {
        let line = first_line(rest.get(length..).unwrap_or_default());
        // A line of blanks only is taken for the end of the block that someone indented.
        if line.trim_ascii().is_empty() {
            break;
        }
        length += line.len();
    }
    length
}

/// Whether the next lines go on with fields, so that one odd line between is only an accident.
fn fields_follow(rest: Option<&[u8]>) -> bool {
    let mut lines = rest.unwrap_or_default().split_inclusive(|b| *b == b'\n').take(3);
    lines.find_map(|line| match line.trim_ascii_end() {
        [] => Some(false),
        _ => field_name(line)
            .map(|name| name.contains('-') || TELLING.iter().any(|t| name.eq_ignore_ascii_case(t))),
    }) == Some(true)
}

fn unfold(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if memchr::memchr3(b'\r', b'\n', 0, text.as_bytes()).is_some() {
        let mut out = String::with_capacity(text.len());
        let mut lines = text.split(['\r', '\n', '\0']).filter(|l| !l.is_empty());
        out.push_str(lines.next().unwrap_or_default());
        for line in lines {
            if !out.ends_with([' ', '\t']) && !line.starts_with([' ', '\t']) {
                out.push(' ');
            }
            out.push_str(line);
        }
        return Cow::Owned(without_tabs(&out).into_owned());
    }
    without_tabs(text)
}

/// Blanks for tabs.
fn without_tabs(text: &str) -> Cow<'_, str> {
    let tabs = memchr::memchr(b'\t', text.as_bytes()).is_some();
    if tabs { Cow::Owned(text.replace('\t', " ")) } else { Cow::Borrowed(text) }
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
fn find_word(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut marks = memchr::memchr_iter(b'?', bytes).filter_map(|at| at.checked_sub(1));
    marks.find(|at| bytes.get(*at) == Some(&b'=')).unwrap_or(bytes.len())
}

/// Decodes every encoded word. Neighbours of one charset are joined before decoding, because
/// many senders split in the middle of a character.
pub(super) fn decode_words(text: &str) -> String {
    if find_word(text) == text.len() {
        return text.trim().to_owned();
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
    out.trim().to_owned()
}

fn flush(out: &mut String, pending: Option<(String, Vec<u8>)>) {
    if let Some((charset, bytes)) = pending {
        out.push_str(&charset::decode(&bytes, Some(&charset)).text);
    }
}

/// A structured value: what stands before the first `;`, lower case, and its parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) value: String,
    pub(super) all: Vec<(String, String)>,
}

impl Parameters {
    /// The parameter of that lower-case name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Reads `value; name=value; name*0*=…` (RFC 2045, RFC 2231), forgiving missing quotes.
pub(super) fn parameters(text: &str) -> Parameters {
    let mut pieces = split_unquoted(text);
    let value = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut plain: Vec<(String, String)> = Vec::new();
    let mut extended: Vec<(String, u32, bool, String)> = Vec::new();
    for piece in pieces.take(2_000) {
        let Some((name, raw)) = piece.split_once('=') else { continue };
        let name = name.trim().to_ascii_lowercase();
        let raw = unquote(raw.trim());
        match name.split_once('*') {
            None if find_word(&raw) == raw.len() => plain.push((name, trimmed(raw))),
            None => plain.push((name, decode_words(&raw))),
            Some((base, tail)) => {
                let encoded = tail.ends_with('*') || tail.is_empty();
                let number = tail.trim_end_matches('*').parse().unwrap_or(0);
                extended.push((base.to_owned(), number, encoded, raw));
            }
        }
    }
    extended.sort_by(|a, b| (a.0.as_str(), a.1).cmp(&(b.0.as_str(), b.1)));
    let mut all: Vec<(String, String)> = Vec::new();
    for chunk in extended.chunk_by(|a, b| a.0 == b.0) {
        if let Some((name, ..)) = chunk.first() {
            all.push((name.clone(), join_extended(chunk)));
        }
    }
    if all.is_empty() {
        all = plain;
    } else {
        all.extend(plain);
    }
    Parameters { value, all }
}

/// The text without blanks around it; the same one where there are none.
fn trimmed(text: String) -> String {
    if text.trim().len() == text.len() { text } else { text.trim().to_owned() }
}

fn join_extended(chunk: &[(String, u32, bool, String)]) -> String {
    let mut label = None;
    let mut bytes = Vec::new();
    for (index, (_, _, encoded, raw)) in chunk.iter().enumerate() {
        let mut raw = raw.as_str();
        if index == 0 && *encoded {
            let mut parts = raw.splitn(3, '\'');
            if let (Some(charset), Some(_), Some(tail)) = (parts.next(), parts.next(), parts.next())
            {
                label = Some(charset);
                raw = tail;
            }
        }
        if *encoded {
            bytes.extend(percent_decode(raw));
        } else {
            bytes.extend_from_slice(raw.as_bytes());
        }
    }
    decode_words(&charset::decode(&bytes, label).text)
}

fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%'
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (transfer::hex(*high), transfer::hex(*low))
        {
            out.push(high << 4 | low);
            rest = after;
        } else {
            out.push(byte);
        }
    }
    out
}

/// What a percent-encoded text says, where that is UTF-8 without control characters.
pub(super) fn percent_text(text: &str) -> Option<String> {
    let decoded = String::from_utf8(percent_decode(text)).ok()?;
    (!decoded.contains(char::is_control)).then_some(decoded)
}

/// Splits at `;` outside quotes.
fn split_unquoted(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c: char| {
        if escaped {
            escaped = false;
        } else if c == '\\' && quoted {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        c == ';' && !quoted
    })
}

fn unquote(raw: &str) -> String {
    let Some(inner) = raw.strip_prefix('"') else { return raw.to_owned() };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            // RFC 5322 section 3.2.1: the character behind a backslash stands for itself.
            '\\' => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
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
    fn parameters_of_every_dialect_are_read() {
        let name = |text: &str| parameters(text).get("filename").unwrap_or_default().to_owned();
        assert_eq!(name("attachment; filename=\"a; b.pdf\""), "a; b.pdf");
        assert_eq!(name("attachment; filename=my report.pdf"), "my report.pdf");
        assert_eq!(name("attachment; filename*=utf-8''O'Brien%20%C3%A9.pdf"), "O'Brien é.pdf");
        assert_eq!(name("attachment; filename*1=\"b.pdf\"; filename*0*=utf-8''%C3%A9"), "éb.pdf");
        assert_eq!(name("attachment; filename=\"=?utf-8?Q?caf=C3=A9.pdf?=\""), "café.pdf");
        assert_eq!(name(r#"attachment; filename="a \"b\" \\c.txt""#), r#"a "b" \c.txt"#);
    }

    #[test]
    fn only_real_dates_count() {
        assert!(date("Mon, 2 Mar 2026 10:00:00 +0000").is_some());
        assert!(date("2026-03-02T10:00:00Z").is_some());
        assert!(date("Mon, 32 Nov 25:61:61 +9999").is_none());
        assert!(date("yesterday").is_none());
    }
}
