//! Structured header values: `value; name=value`, as media types and dispositions have them.

use std::borrow::Cow;

use super::header::{decode_words, find_word, trim, trimmed, unfold};
use super::{charset, transfer};

/// A structured value: what stands before the first `;`, lower case, and its parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parameters<'a> {
    pub(super) value: Cow<'a, str>,
    /// By their names in any case.
    all: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Parameters<'_> {
    /// The parameter of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| &**v)
    }

    pub(super) fn into_owned<'b>(self) -> Parameters<'b> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let all = self.all.into_iter().map(|(name, value)| (owned(name), owned(value)));
        Parameters { value: owned(self.value), all: all.collect() }
    }
}

/// A part of a longer parameter (RFC 2231 section 3): whose, which one, whether it is percent-encoded, and what it is.
type Extended<'a> = (String, u32, bool, Cow<'a, str>);

/// Reads `value; name=value; name*0*=…` (RFC 2045, RFC 2231) as it stands, folded or not, forgiving missing quotes.
pub(super) fn parameters(text: &str) -> Parameters<'_> {
    // Most are folded between parameters: what stands between two folds is then taken as it is.
    let mut pieces = split_unquoted(text).map(unfold);
    let value = pieces.next().unwrap_or_default();
    let mut all: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    let mut extended: Vec<Extended<'_>> = Vec::new();
    for piece in pieces.take(2_000) {
        let Some((name, raw)) = name_and_value(piece) else { continue };
        match name.split_once('*') {
            None if find_word(&raw) == raw.len() => all.push((name, trimmed(raw))),
            None => all.push((name, Cow::Owned(decode_words(&raw).into_owned()))),
            Some((base, tail)) => {
                let encoded = tail.ends_with('*') || tail.is_empty();
                let number = tail.trim_end_matches('*').parse().unwrap_or(0);
                extended.push((base.to_ascii_lowercase(), number, encoded, raw));
            }
        }
    }
    extended.sort_by(|a, b| (a.0.as_str(), a.1).cmp(&(b.0.as_str(), b.1)));
    let joined = extended.chunk_by(|a, b| a.0 == b.0).filter_map(|chunk| {
        let (name, ..) = chunk.first()?;
        Some((Cow::Owned(name.clone()), Cow::Owned(join_extended(chunk))))
    });
    // What is put together from parts counts before what is whole.
    all.splice(..0, joined);
    Parameters { value: lower(value), all }
}

/// What stands before and behind the first `=`, the value without its quotes.
fn name_and_value(piece: Cow<'_, str>) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    match piece {
        Cow::Borrowed(piece) => {
            let at = memchr::memchr(b'=', piece.as_bytes())?;
            let (name, raw) = (piece.get(..at)?, piece.get(at + 1..)?);
            Some((Cow::Borrowed(trim(name)), unquote(trim(raw))))
        }
        Cow::Owned(piece) => {
            let (name, raw) = piece.split_once('=')?;
            let raw = unquote(trim(raw)).into_owned();
            Some((Cow::Owned(trim(name).to_owned()), Cow::Owned(raw)))
        }
    }
}

/// In lower case and without blanks around it.
fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut text = trimmed(text);
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_mut().make_ascii_lowercase();
    }
    text
}

fn join_extended(chunk: &[Extended<'_>]) -> String {
    let mut label = None;
    let mut bytes = Vec::new();
    for (index, (_, _, encoded, raw)) in chunk.iter().enumerate() {
        let mut raw = &**raw;
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
    decode_words(&charset::decode(&bytes, label).text).into_owned()
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
    let (mut quoted, mut from) = (false, Some(0));
    std::iter::from_fn(move || {
        let start = from?;
        let mut at = start;
        loop {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            // A backslash means something only within quotes.
            let next = memchr::memchr3(b'"', if quoted { b'\\' } else { b';' }, b';', rest);
            let Some(next) = next else { break };
            at += next + 1;
            match rest.get(next) {
                Some(b'"') => quoted = !quoted,
                Some(b'\\') => {
                    at += text.get(at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
                }
                _ if !quoted => {
                    from = Some(at);
                    return text.get(start..at - 1);
                }
                _ => {}
            }
        }
        from = None;
        text.get(start..)
    })
}

fn unquote(raw: &str) -> Cow<'_, str> {
    let Some(inner) = raw.strip_prefix('"') else { return Cow::Borrowed(raw) };
    let mark = memchr::memchr2(b'"', b'\\', inner.as_bytes());
    let plain = mark.map_or(inner, |at| inner.get(..at).unwrap_or_default());
    if inner.as_bytes().get(plain.len()) != Some(&b'\\') {
        return Cow::Borrowed(plain);
    }
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
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_value_is_read_as_it_stands_folded_or_not() {
        let read = |text: &str| {
            let read = parameters(text);
            let all = ["charset", "NAME", "x"].map(|name| read.get(name).unwrap_or("-").to_owned());
            format!("{} {}", read.value, all.join(" "))
        };
        let want = "text/plain utf-8 a; b -";
        assert_eq!(read("Text/Plain; Charset=utf-8; name=\"a; b\""), want);
        assert_eq!(read(" text/plain;\r\n\tcharset = utf-8 ;\r\n name=\"a;\r\n b\"\r\n"), want);
        assert_eq!(read("text/plain\0;charset=\tutf-8;name=\"a;\tb\""), want);
        // A backslash counts within quotes alone.
        assert_eq!(read(r#"a\;x=1;name="b\";c""#), r#"a\ - b";c 1"#);
        assert_eq!(read("; x=ü"), " - - ü");
        assert_eq!(parameters("a; x=1").into_owned(), parameters("A ;x= 1"));
    }
}
