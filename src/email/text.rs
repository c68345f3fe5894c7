//! The readable text of a message: which parts are its body, joined and cleaned.

use std::borrow::Cow;

use super::{Limits, charset, html, links, mime::Part, transfer};

/// The head of a text, at most `most_bytes` long, cut between characters.
pub(super) fn cut(text: &str, most_bytes: usize) -> &str {
    if text.len() <= most_bytes {
        return text;
    }
    let mut end = most_bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Whether a text is another one in lower case.
pub(super) fn is_lower(lower: &str, text: &str) -> bool {
    if text.is_ascii() { lower.eq_ignore_ascii_case(text) } else { *lower == text.to_lowercase() }
}

/// Whether a character turns the reading direction or cannot be seen at all.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A name or subject fit to be shown: no control or bidirectional characters, single blanks.
pub(super) fn one_line(text: &str, most_chars: usize) -> String {
    if text.len() <= most_chars
        && text.bytes().all(|b| matches!(b, b' '..=b'~'))
        && !text.as_bytes().array_windows().any(|two| two == b"  ")
    {
        return text.trim().to_owned();
    }
    let mut line = String::with_capacity(text.len().min(4 * most_chars));
    let (mut count, mut blank) = (0, false);
    for letter in text.chars().filter(|c| !is_unseen(*c)) {
        if letter.is_control() || letter.is_whitespace() {
            blank = !line.is_empty();
            continue;
        }
        if count + usize::from(blank) >= most_chars {
            // A blank that is the last to fit stays, as any other letter would.
            if blank && count < most_chars {
                line.push(' ');
            }
            break;
        }
        if blank {
            line.push(' ');
            count += 1;
            blank = false;
        }
        line.push(letter);
        count += 1;
    }
    line
}

/// A file name fit to be shown: its last path component, at most 120 characters.
pub(super) fn file_name(name: &str) -> Option<String> {
    let name = one_line(name, 10_000);
    let last = name.rsplit(['/', '\\']).find(|n| !n.trim().is_empty()).unwrap_or_default().trim();
    let shown: String = if last.chars().count() > 120 {
        // The extension says what it is: it survives the cut.
        let tail =
            last.rsplit_once('.').map(|(_, e)| e).filter(|e| e.len() <= 8).unwrap_or_default();
        let head: String = last.chars().take(119 - tail.chars().count()).collect();
        if tail.is_empty() { head } else { format!("{head}.{tail}") }
    } else {
        last.to_owned()
    };
    (!shown.is_empty() && shown != "." && shown != "..").then_some(shown)
}

/// Line ends, NULs and trailing blanks put right.
pub(super) fn tidy(text: &str) -> String {
    let left_out = |c: char| matches!(c, '\0' | '\u{feff}' | '\u{200b}' | '\u{c}');
    // Looked for as bytes: nearly no text has one of them, and most of the time here went into looking.
    let all_stays = memchr::memchr2(b'\0', b'\x0c', text.as_bytes()).is_none()
        && (text.is_ascii() || !text.contains(['\u{feff}', '\u{200b}']));
    let mut out = String::with_capacity(text.len() + 1);
    let mut blank_lines = 0;
    let mut add = |line: &str| {
        let line = trimmed_end(line);
        blank_lines = if line.is_empty() { blank_lines + 1 } else { 0 };
        if blank_lines > 2 {
            return;
        }
        if all_stays {
            out.push_str(line);
        } else {
            out.extend(line.chars().filter(|c| !left_out(*c)));
        }
        out.push('\n');
    };
    for line in lines(text) {
        if memchr::memchr(b'\r', line.as_bytes()).is_some() {
            line.split('\r').for_each(&mut add);
        } else {
            add(line);
        }
    }
    let around = ['\n', ' ', '\u{a0}'];
    out.truncate(out.trim_end_matches(around).len());
    let blank = out.len() - out.trim_start_matches(around).len();
    out.drain(..blank);
    out
}

/// The lines of a text, as [`str::lines`] gives them, many bytes at a time.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
    let last = (!text.is_empty() && !text.ends_with('\n')).then_some(text.len());
    ends.chain(last).scan(0, move |from, end| {
        let line = text.get(*from..end).unwrap_or_default();
        *from = end;
        let length = match line.as_bytes() {
            [.., b'\r', b'\n'] => line.len() - 2,
            [.., b'\n'] => line.len() - 1,
            _ => line.len(),
        };
        line.get(..length)
    })
}

/// A text's lines, and what several readers ask of each of them.
pub(super) struct Lines<'t> {
    pub(super) all: Vec<&'t str>,
    /// Which of them hold a colon.
    colons: Vec<bool>,
}

/// Bytes of a usual line.
const USUAL_LINE: usize = 30;

/// The first byte of `：`, the colon of Chinese and Japanese.
const WIDE_COLON: u8 = 0xef;

/// Where the first colon of a text stands, also one of Chinese or Japanese.
pub(super) fn find_colon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut marks = memchr::memchr2_iter(b':', WIDE_COLON, bytes);
    marks.find(|at| {
        let mark = bytes.get(*at..).unwrap_or_default();
        mark.starts_with(b":") || mark.starts_with("：".as_bytes())
    })
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let room = text.len() / USUAL_LINE + 1;
        let mut all = Vec::with_capacity(room);
        let mut colons = Vec::with_capacity(room);
        let mut marks = memchr::memchr2_iter(b':', WIDE_COLON, text.as_bytes()).peekable();
        let mut end = 0;
        for line in lines(text) {
            // The line end is one or two bytes; neither is a colon.
            end += line.len() + 1;
            let mut has_colon = false;
            while marks.next_if(|at| *at < end).is_some() {
                has_colon = true;
            }
            if text.as_bytes().get(end - 1) == Some(&b'\r') {
                end += 1;
            }
            all.push(line);
            colons.push(has_colon);
        }
        Self { all, colons }
    }

    /// Whether a line, and at least so many of `within` from it on, hold a colon.
    pub(super) fn have_colons(&self, at: usize, within: usize, least: usize) -> bool {
        let here = self.colons.get(at..(at + within).min(self.colons.len())).unwrap_or_default();
        here.first() == Some(&true) && here.iter().filter(|has| **has).count() >= least
    }
}

/// [`str::trim_end`], which most lines do not need.
fn trimmed_end(line: &str) -> &str {
    match line.as_bytes().last() {
        Some(b'!'..=b'~') | None => line,
        Some(_) => line.trim_end(),
    }
}

/// The body of a message and which of its leaves were read for it.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) text: String,
    /// Addresses of the leaves that are body, not attachment.
    pub(super) parts: Vec<*const ()>,
    pub(super) problems: Vec<String>,
}

#[derive(Debug)]
enum Chunk<'a> {
    Plain(Cow<'a, str>),
    Html(Cow<'a, str>),
}

impl Chunk<'_> {
    fn is_blank(&self) -> bool {
        match self {
            Self::Plain(text) | Self::Html(text) => text.trim().is_empty(),
        }
    }
}

struct Collector<'l> {
    limits: &'l Limits,
    body: Body,
}

/// The address of a part, by which it is known within one tree.
pub(super) fn identity(part: &Part<'_>) -> *const () {
    std::ptr::from_ref(part).cast()
}

/// The readable text of a message.
pub(super) fn body(root: &Part<'_>, limits: &Limits) -> Body {
    let mut collector = Collector { limits, body: Body::default() };
    let mut chunks = collector.collect(root, Place::default());
    if chunks.iter().all(Chunk::is_blank) {
        // Some programs send the letter itself as a text attachment, and nothing else.
        for leaf in root.leaves() {
            if leaf.media.starts_with("text/")
                && leaf.media != "text/calendar"
                && !collector.body.parts.contains(&identity(leaf))
            {
                chunks = vec![collector.chunk(leaf)];
                // It stays an attachment too: it may have a name.
                collector.body.parts.pop();
                if chunks.iter().any(|c| !c.is_blank()) {
                    break;
                }
            }
        }
    }
    let mut texts = collector.texts(chunks);
    let mut body = collector.body;
    let joined = if texts.len() > 1 { texts.join("\n\n") } else { texts.pop().unwrap_or_default() };
    let mut text = match links::unwrapped(&joined) {
        Cow::Owned(text) => text,
        Cow::Borrowed(_) => joined,
    };
    let kept = cut(&text, limits.text_bytes).len();
    if kept < text.len() {
        body.problem("the text is very long; only its beginning is shown here");
        text.truncate(kept);
    }
    body.text = text;
    body
}

impl Body {
    fn problem(&mut self, problem: &str) {
        if !self.problems.iter().any(|p| p == problem) {
            self.problems.push(problem.to_owned());
        }
    }
}

/// Bytes that one byte of text may take before it is decoded (quoted-printable takes three); what
/// stands behind so many can no longer be shown and is not copied.
const ENCODED: usize = 4;

/// Where a part stands: what it may be depends on it.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Inside a multipart, but not the first part of a `multipart/related`.
    hanger_on: bool,
    /// A direct child of `multipart/alternative`.
    alternative: bool,
    /// Has a parent at all.
    inner: bool,
}

fn is_text(part: &Part<'_>) -> bool {
    matches!(&*part.media, "text/plain" | "text/html")
}

fn is_body(part: &Part<'_>, place: Place) -> bool {
    if !is_text(part) || place.hanger_on {
        return false;
    }
    let attached = part.disposition.value == "attachment";
    let named = part.file_name().is_some();
    !(attached || named && place.inner && !place.alternative)
}

impl Collector<'_> {
    fn collect<'a>(&mut self, part: &Part<'a>, place: Place) -> Vec<Chunk<'a>> {
        if part.children.is_empty() {
            return if is_body(part, place) { vec![self.chunk(part)] } else { Vec::new() };
        }
        match &*part.media {
            "multipart/alternative" => self.alternative(part, place),
            "multipart/related" => {
                let start = start_of_related(part);
                let children = part.children.iter().enumerate();
                let chunks = children.flat_map(|(n, child)| {
                    let hanger_on = place.hanger_on || n != start;
                    self.collect(child, Place { hanger_on, inner: true, alternative: n == start })
                });
                chunks.collect()
            }
            _ => {
                let inner = Place { inner: true, alternative: false, ..place };
                part.children.iter().flat_map(|child| self.collect(child, inner)).collect()
            }
        }
    }

    /// The fullest form: plain text, unless it is empty or a mere excuse for the HTML beside it.
    fn alternative<'a>(&mut self, part: &Part<'a>, place: Place) -> Vec<Chunk<'a>> {
        let inner = Place { inner: true, alternative: true, ..place };
        let forms: Vec<Vec<Chunk<'_>>> =
            part.children.iter().map(|child| self.collect(child, inner)).collect();
        let size = |form: &Vec<Chunk<'_>>, want_plain: bool| -> usize {
            let sizes = form.iter().map(|c| match c {
                Chunk::Plain(t) if want_plain => t.trim().len(),
                Chunk::Html(t) if !want_plain => t.trim().len(),
                Chunk::Plain(_) | Chunk::Html(_) => 0,
            });
            sizes.sum()
        };
        let plain = forms.iter().map(|f| size(f, true)).max().unwrap_or_default();
        let html = forms.iter().map(|f| size(f, false)).max().unwrap_or_default();
        let excuse = plain < 200 && html > 1_000 && {
            let best = forms.iter().max_by_key(|f| size(f, false));
            let shown = best.and_then(|f| {
                f.iter().find_map(|c| match c {
                    Chunk::Html(t) => Some(html::to_text(t, self.limits.html_bytes, 4_000).text),
                    Chunk::Plain(_) => None,
                })
            });
            shown.is_some_and(|s| s.split_whitespace().count() > 3 * (10 + plain / 5))
        };
        let want_plain = plain > 0 && !excuse;
        // Of several plain forms the longest; `max_by_key` keeps the last of equals.
        forms.into_iter().max_by_key(|f| size(f, want_plain)).unwrap_or_default()
    }

    fn chunk<'a>(&mut self, part: &Part<'a>) -> Chunk<'a> {
        self.body.parts.push(identity(part));
        let most = self.limits.text_bytes.max(self.limits.html_bytes).saturating_mul(ENCODED);
        let head = part.body.get(..most).unwrap_or(part.body);
        if head.len() < part.body.len() {
            self.body.problem("the text is very long; only its beginning is shown here");
        }
        let decoded = transfer::decode(head, &part.encoding);
        if decoded.damaged {
            self.body.problem("the encoding of the text is damaged; what could be read is shown");
        }
        let (mut text, guessed) = match decoded.bytes {
            Cow::Borrowed(bytes) => {
                let text = charset::decode(bytes, part.charset());
                (text.text, text.guessed)
            }
            Cow::Owned(bytes) => {
                let text = charset::decode(&bytes, part.charset());
                (Cow::Owned(text.text.into_owned()), text.guessed)
            }
        };
        if guessed {
            self.body.problem("the character set of the text was guessed");
        }
        if !decoded.footer.trim_ascii().is_empty() {
            let text = text.to_mut();
            text.push_str("\n\n");
            text.push_str(&charset::decode(decoded.footer, None).text);
        }
        if memchr::memchr(0, text.as_bytes()).is_some() {
            self.body.problem("NUL characters were taken out of the text");
        }
        if part.media != "text/html"
            && part.media != "text/enriched"
            && !looks_like_html(&text, part)
        {
            Chunk::Plain(text)
        } else {
            Chunk::Html(text)
        }
    }

    fn texts(&mut self, chunks: Vec<Chunk<'_>>) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for chunk in chunks {
            let text = match chunk {
                Chunk::Plain(text) => tidy(&text),
                Chunk::Html(html) => {
                    let Limits { html_bytes, text_bytes, .. } = *self.limits;
                    let converted = html::to_text(&html, html_bytes, text_bytes);
                    if converted.cut {
                        self.body.problem("the HTML is very long; only its beginning was read");
                    }
                    tidy(&converted.text)
                }
            };
            // Some programs send the same words twice, as text and as HTML, in a mixed message.
            let same = |other: &String| words_equal(other, &text);
            if !text.is_empty() && !texts.iter().any(same) {
                texts.push(text);
            }
        }
        texts
    }
}

/// HTML sent under the name of plain text.
fn looks_like_html(text: &str, part: &Part<'_>) -> bool {
    let head = cut(text.trim_start(), 15).to_ascii_lowercase();
    part.children.is_empty() && (head.starts_with("<html") || head.starts_with("<!doctype html"))
}

fn words_equal(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}

/// Which child of a `multipart/related` is its document (RFC 2387 `start`, else the first).
fn start_of_related(part: &Part<'_>) -> usize {
    let start = part.content_type.get("start").map(|s| s.trim_matches(['<', '>', ' ']));
    let by_id = start.and_then(|start| {
        let matches = |c: &Part<'_>| {
            c.headers.text("content-id").is_some_and(|id| id.trim_matches(['<', '>', ' ']) == start)
        };
        part.children.iter().position(matches)
    });
    by_id.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe_to_show() {
        assert_eq!(file_name("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(file_name("C:\\tmp\\a.txt").as_deref(), Some("a.txt"));
        assert_eq!(file_name("a\u{202e}fdp.exe\n").as_deref(), Some("afdp.exe"));
        assert_eq!(file_name(".."), None);
        let long = file_name(&format!("{}.pdf", "x".repeat(4000))).unwrap();
        assert_eq!(long, format!("{}.pdf", "x".repeat(116)));
    }

    #[test]
    fn lines_are_those_of_the_library() {
        for text in ["", "a", "a\n", "\n", "\na\r\n\r\nb\r", "a\rb\n\r\nc\n\n", "\r\n"] {
            assert_eq!(
                lines(text).collect::<Vec<_>>(),
                text.lines().collect::<Vec<_>>(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn lines_with_colons_are_told_apart() {
        for (text, want) in [
            ("a: b\r\nc\nd：e\r\n:\n\n:", "yes no yes yes no yes"),
            ("a\r:\nb", "yes no"),
            ("\r\n\r\na:\r\nb", "no no yes no"),
            ("", ""),
        ] {
            let lines = Lines::of(text);
            let has = |at| if lines.have_colons(at, 1, 1) { "yes" } else { "no" };
            let got: Vec<&str> = (0..lines.all.len()).map(has).collect();
            assert_eq!(got.join(" "), want, "{text:?}");
            assert_eq!(lines.all, text.lines().collect::<Vec<_>>());
        }
        assert!(Lines::of("a:\nb\nc:").have_colons(0, 3, 2));
        assert!(!Lines::of("a:\nb\nc:").have_colons(0, 2, 2));
    }

    #[test]
    fn line_ends_and_blanks_are_put_right() {
        for (text, want) in [
            ("  a \r\nb\rc\t\n\n\n\n\nd\0e\u{200b}\n\n", "a\nb\nc\n\n\nd\u{65}"),
            ("\n\u{a0}\n x\u{a0}\n", "x"),
            ("a\r\r\nb", "a\n\nb"),
            ("", ""),
            (" \n ", ""),
        ] {
            assert_eq!(tidy(text), want, "{text:?}");
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
    }
}
