//! The tree of parts: one linear cut along the boundaries, no copy of the bytes.
//!
//! Boundaries are matched as whole lines only, an outer boundary also ends what stands inside it,
//! and a missing last one ends with the message. An attached message is a leaf: nothing here goes
//! deeper than [`DEEPEST`], so that no nesting can exhaust the stack.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::header::{self, Headers};
use super::parameters::Parameters;

/// Deepest nesting of multiparts that is opened.
const DEEPEST: usize = 20;
/// Most parts of one message.
const MOST_PARTS: usize = 500;

/// A message or one part of it.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) headers: Headers<'a>,
    /// `type/subtype`, lower case.
    pub(super) media: Cow<'a, str>,
    pub(super) content_type: Parameters<'a>,
    pub(super) disposition: Parameters<'a>,
    /// Transfer encoding as its header says.
    pub(super) encoding: Cow<'a, str>,
    /// Undecoded.
    pub(super) body: &'a [u8],
    pub(super) children: Vec<Part<'a>>,
}

impl Part<'_> {
    /// Every leaf below, in order, this part itself where it has no children.
    pub(super) fn leaves(&self) -> Vec<&Self> {
        if self.children.is_empty() {
            return vec![self];
        }
        self.children.iter().flat_map(Self::leaves).collect()
    }

    /// The name that the sender gave to the file.
    pub(super) fn file_name(&self) -> Option<&str> {
        let name = self.disposition.get("filename").or_else(|| self.disposition.get("name"));
        let name = name.or_else(|| self.content_type.get("name"));
        name.or_else(|| self.content_type.get("filename")).filter(|n| !n.trim().is_empty())
    }

    pub(super) fn charset(&self) -> Option<&str> {
        self.content_type.get("charset")
    }
}

/// What was odd about the structure.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each a sentence later")]
#[derive(Debug, Default)]
pub(super) struct Oddities {
    pub(super) unterminated: bool,
    pub(super) no_boundary: bool,
    pub(super) too_deep: bool,
    pub(super) too_many: bool,
    count: usize,
}

/// Reads a whole message.
pub(super) fn message(raw: &[u8]) -> (Part<'_>, Oddities) {
    let mut odd = Oddities::default();
    let part = part(raw, "text/plain", 0, &mut odd);
    (part, odd)
}

fn part<'a>(raw: &'a [u8], default: &'static str, depth: usize, odd: &mut Oddities) -> Part<'a> {
    odd.count += 1;
    let (headers, body) = header::split(raw);
    let content_type = headers.parameters("content-type");
    let disposition = headers.parameters("content-disposition");
    let encoding = headers.text("content-transfer-encoding").unwrap_or_default();
    let encoding = up_to(encoding, |byte| matches!(byte, b' ' | b';' | b'('));
    let media = media_type(&content_type.value, default);
    let mut part =
        Part { headers, media, content_type, disposition, encoding, body, children: Vec::new() };
    if part.media.starts_with("multipart/") {
        part.children = children(&part, depth, odd);
        if part.children.is_empty() {
            // Nothing to divide it by: whatever stands there is for people to read.
            odd.no_boundary |= depth < DEEPEST;
            part.media = Cow::Borrowed("text/plain");
        }
    }
    part
}

fn media_type<'a>(value: &Cow<'a, str>, default: &'static str) -> Cow<'a, str> {
    match &**value {
        "" => Cow::Borrowed(default),
        "text" => Cow::Borrowed("text/plain"),
        "html" => Cow::Borrowed("text/html"),
        // `text/html charset=…` without the semicolon.
        _ => up_to(value.clone(), |byte| matches!(byte, b' ' | b',')),
    }
}

/// What stands before the first byte of ASCII of which something is so.
fn up_to(text: Cow<'_, str>, ends: impl Fn(u8) -> bool) -> Cow<'_, str> {
    let length = text.bytes().position(ends).unwrap_or(text.len());
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..length).unwrap_or_default()),
        Cow::Owned(mut text) => {
            text.truncate(length);
            Cow::Owned(text)
        }
    }
}

fn children<'a>(parent: &Part<'a>, depth: usize, odd: &mut Oddities) -> Vec<Part<'a>> {
    if depth >= DEEPEST {
        odd.too_deep = true;
        return Vec::new();
    }
    let declared = parent.content_type.get("boundary").map(str::trim).filter(|b| !b.is_empty());
    let boundary = declared.map(str::as_bytes).or_else(|| guess_boundary(parent.body));
    let Some(boundary) = boundary else { return Vec::new() };
    let (sections, closed) = sections(parent.body, boundary, odd);
    odd.unterminated |= !closed && !sections.is_empty();
    let default = if parent.media == "multipart/digest" { "message/rfc822" } else { "text/plain" };
    sections.into_iter().map(|section| part(section, default, depth + 1, odd)).collect()
}

/// The first line that looks like a delimiter, where the header forgot to name it.
fn guess_boundary(body: &[u8]) -> Option<&[u8]> {
    let mut lines = body.split(|b| *b == b'\n').take(50).map(<[u8]>::trim_ascii_end);
    lines.find_map(|l| l.strip_prefix(b"--").filter(|b| b.len() > 5 && !b.contains(&b' ')))
}

/// How every delimiter begins behind its line end.
static DASHES: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\n--"));

/// What stands between the delimiter lines, and whether the last one was there.
fn sections<'a>(body: &'a [u8], boundary: &[u8], odd: &mut Oddities) -> (Vec<&'a [u8]>, bool) {
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    let mut closed = false;
    let first = body.starts_with(b"--").then_some(0);
    // Nearly no line of a body may be a delimiter; this finds those that may many bytes at a time.
    let others = DASHES.find_iter(body).map(|at| at + 1);
    for start in first.into_iter().chain(others) {
        let line = body.get(start..).unwrap_or_default();
        if !line.get(2..).is_some_and(|l| l.starts_with(boundary)) {
            continue;
        }
        let length = line.iter().position(|b| *b == b'\n').map_or(line.len(), |n| n + 1);
        let line = line.get(..length).unwrap_or(line);
        let Some(closing) = delimiter(line, boundary) else { continue };
        if let Some(from) = open.take() {
            found.push(without_line_end(body.get(from..start).unwrap_or_default()));
        }
        if odd.count + found.len() >= MOST_PARTS {
            odd.too_many = true;
            return (found, true);
        }
        closed = closing;
        if !closing {
            open = Some(start + length);
        }
    }
    if let Some(from) = open {
        let rest = body.get(from..).unwrap_or_default();
        if !rest.trim_ascii().is_empty() || found.is_empty() {
            found.push(rest);
        }
    }
    (found, closed)
}

/// Whether a line is the delimiter of that boundary, and if so whether it is the closing one.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    match rest.strip_prefix(b"--") {
        Some(tail) if tail.trim_ascii().is_empty() => Some(true),
        _ => rest.trim_ascii().is_empty().then_some(false),
    }
}

/// The line end before a delimiter belongs to the delimiter.
fn without_line_end(section: &[u8]) -> &[u8] {
    let section = section.strip_suffix(b"\n").unwrap_or(section);
    section.strip_suffix(b"\r").unwrap_or(section)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn bodies(raw: &str) -> Vec<String> {
        let (root, _) = message(raw.as_bytes());
        root.leaves().iter().map(|p| String::from_utf8_lossy(p.body).into_owned()).collect()
    }

    const HEAD: &str = "Content-Type: multipart/mixed; boundary=b\n\n";

    #[test]
    fn only_whole_lines_divide() {
        let raw = format!("{HEAD}--b\n\nsee ref --b in a line\n--bXYZ\nend\n--b--\n");
        assert_eq!(bodies(&raw), ["see ref --b in a line\n--bXYZ\nend"]);
    }

    #[test]
    fn a_missing_end_ends_with_the_message() {
        assert_eq!(bodies(&format!("{HEAD}--b\n\none\n--b\n\ntwo")), ["one", "two"]);
        let (_, odd) = message(format!("{HEAD}--b\n\none").as_bytes());
        assert!(odd.unterminated);
    }

    #[test]
    fn an_outer_boundary_ends_an_inner_part() {
        let raw = format!(
            "{HEAD}--b\nContent-Type: multipart/alternative; boundary=bc\n\n--bc\n\nin\n--b\n\nout\n--b--"
        );
        assert_eq!(bodies(&raw), ["in", "out"]);
    }

    #[test]
    fn nesting_and_number_are_bounded() {
        let mut raw = String::new();
        for level in 0..10_000 {
            let _ = write!(raw, "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
        }
        let (_, odd) = message(raw.as_bytes());
        assert!(odd.too_deep);
        let raw = format!("{HEAD}{}", "--b\n\nx\n".repeat(10_000));
        let (root, odd) = message(raw.as_bytes());
        assert!(odd.too_many);
        assert_eq!(root.leaves().len(), MOST_PARTS - 1);
    }
}
