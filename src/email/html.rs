//! HTML to text in one linear pass, with no tree.
//!
//! A tree of elements is what makes hostile HTML expensive: parsers are quadratic in open elements
//! and need a hundred times the input in memory. For reading, lines and quotation are enough.

use mail_parser::decoders::html::add_html_token;

use super::text;

/// Deepest quotation that is marked; what stands deeper is marked as this deep.
const DEEPEST_QUOTE: usize = 3;
/// Deepest lists and quotations that are told apart.
const DEEPEST_LIST: usize = 20;
/// Longest tag in which a `>` inside quotation marks is looked past.
const LONGEST_TAG: usize = 1024;
/// Longest `alt` shown for a picture.
const LONGEST_ALT: usize = 100;

/// Converted HTML.
#[derive(Debug)]
pub(super) struct Converted {
    pub(super) text: String,
    /// Whether only its beginning was read.
    pub(super) cut: bool,
}

/// Converts one HTML body: at most `html_bytes` are read and little more than `text_bytes` given.
pub(super) fn to_text(html: &str, html_bytes: usize, text_bytes: usize) -> Converted {
    let head = text::cut(html, html_bytes);
    let mut page = Page::default();
    let read_all = page.read(head, text_bytes);
    Converted { text: page.out, cut: !read_all || head.len() < html.len() }
}

/// How an element breaks the line it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// Not at all.
    Inline,
    /// It begins a line and ends one.
    Line,
    /// Blank lines stand around it.
    Paragraph,
}

/// Whatever is not listed stands inside a line: mail programs invent elements (`o:p`, `st1:place`).
fn line_break(name: &str) -> Break {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "pre"
        | "blockquote" | "hr" => Break::Paragraph,
        "div" | "tr" | "li" | "table" | "tbody" | "thead" | "tfoot" | "section" | "article"
        | "header" | "footer" | "nav" | "aside" | "main" | "center" | "form" | "fieldset"
        | "address" | "dt" | "dd" | "caption" | "body" | "html" | "option" | "select"
        | "figure" | "figcaption" | "legend" | "marquee" => Break::Line,
        _ => Break::Inline,
    }
}

/// Elements whose content is not for reading.
const UNREAD: [&str; 6] = ["script", "style", "head", "title", "template", "noscript"];

/// The page as it is written down.
#[derive(Debug, Default)]
struct Page {
    out: String,
    /// Line ends owed before the next word.
    line_ends: usize,
    /// A blank is owed before the next word.
    blank: bool,
    /// `* ` or `1. `, owed before the next word.
    bullet: Option<String>,
    /// Whether each open `blockquote` is a quotation or only moved in.
    quotes: Vec<bool>,
    /// The next number of each open list; none where it has bullets.
    lists: Vec<Option<u32>>,
    preformatted: usize,
    /// Elements (and `--` for comments) found to have no end: looking again would be quadratic.
    endless: Vec<&'static str>,
}

impl Page {
    /// Reads until the end (true) or until more than enough was written (false).
    fn read(&mut self, html: &str, text_bytes: usize) -> bool {
        let mut rest = html;
        while let Some(open) = memchr::memchr(b'<', rest.as_bytes()) {
            let (before, tagged) = rest.split_at(open);
            if !self.text_within(before, text_bytes) {
                return false;
            }
            rest = self.markup(tagged.get(1..).unwrap_or_default());
        }
        self.text_within(rest, text_bytes)
    }

    /// Writes text while there is room, with blanks for as much again.
    fn text_within(&mut self, text: &str, text_bytes: usize) -> bool {
        let room = text_bytes.saturating_mul(2).saturating_sub(self.out.len());
        self.text(text::cut(text, room));
        text.len() <= room
    }

    /// What stands behind a `<`; gives what follows it.
    fn markup<'h>(&mut self, inner: &'h str) -> &'h str {
        if let Some(comment) = inner.strip_prefix("!--") {
            return self.behind_comment(comment);
        }
        let (name, closing) = tag_name(inner);
        if name.is_empty() && !inner.starts_with(['!', '?', '/']) {
            self.text("<");
            return inner;
        }
        let (tag, after) = split_tag(inner);
        let name = name.to_ascii_lowercase();
        if !closing && let Some(unread) = UNREAD.iter().find(|u| **u == name) {
            return self.behind_element(after, unread);
        }
        if closing {
            self.close(&name);
        } else {
            self.open(&name, tag);
        }
        after
    }

    /// An unclosed comment ends with its tag, so that no text is lost in it.
    fn behind_comment<'h>(&mut self, comment: &'h str) -> &'h str {
        if !self.endless.contains(&"--") {
            if let Some((_, after)) = comment.split_once("-->") {
                return after;
            }
            self.endless.push("--");
        }
        comment.split_once('>').map_or("", |(_, after)| after)
    }

    fn behind_element<'h>(&mut self, after: &'h str, name: &'static str) -> &'h str {
        if self.endless.contains(&name) {
            return after;
        }
        if let Some(behind) = behind_end(after, name) {
            return behind;
        }
        self.endless.push(name);
        after
    }

    fn open(&mut self, name: &str, tag: &str) {
        self.break_line(name);
        match name {
            "br" => self.line_ends += 1,
            "td" | "th" => self.blank = true,
            "hr" => {
                self.word("________________________________");
                self.break_line(name);
            }
            "img" => {
                if let Some(alt) = attribute(tag, "alt").filter(|a| a.len() <= LONGEST_ALT) {
                    self.text(alt);
                }
            }
            "blockquote" if self.quotes.len() < DEEPEST_LIST => self.quotes.push(!is_indent(tag)),
            "pre" => self.preformatted += 1,
            "ul" if self.lists.len() < DEEPEST_LIST => self.lists.push(None),
            "ol" if self.lists.len() < DEEPEST_LIST => self.lists.push(Some(1)),
            "li" => self.bullet = Some(self.next_bullet()),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "blockquote" => {
                self.quotes.pop();
            }
            "pre" => self.preformatted = self.preformatted.saturating_sub(1),
            "ul" | "ol" => {
                self.lists.pop();
            }
            "li" => self.bullet = None,
            _ => {}
        }
        self.break_line(name);
    }

    fn break_line(&mut self, name: &str) {
        let wanted = match line_break(name) {
            Break::Inline => return,
            Break::Line => 1,
            Break::Paragraph if matches!(name, "ul" | "ol") && self.lists.len() > 1 => 1,
            Break::Paragraph => 2,
        };
        self.line_ends = self.line_ends.max(wanted);
        self.blank = false;
    }

    fn next_bullet(&mut self) -> String {
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let bullet = format!("{number}. ");
                *number = number.saturating_add(1);
                bullet
            }
            Some(None) | None => "* ".to_owned(),
        }
    }

    /// Text between tags: entities decoded, blanks as HTML has them.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            let (before, entity) = rest.split_at(at);
            self.words(before);
            let end = entity.bytes().take(12).position(|b| b == b';');
            match end.and_then(|e| entity.split_at_checked(e + 1)) {
                Some((token, after)) if is_entity(token) => {
                    let mut decoded = String::new();
                    add_html_token(&mut decoded, token.as_bytes(), false);
                    self.words(&decoded);
                    rest = after;
                }
                _ => {
                    self.words("&");
                    rest = entity.get(1..).unwrap_or_default();
                }
            }
        }
        self.words(rest);
    }

    fn words(&mut self, text: &str) {
        if self.preformatted > 0 {
            return self.lines(text);
        }
        let mut pieces = text.split(is_blank);
        if let Some(first) = pieces.next() {
            self.word(first);
        }
        for piece in pieces {
            self.blank = true;
            self.word(piece);
        }
    }

    fn lines(&mut self, text: &str) {
        for (number, line) in text.split('\n').enumerate() {
            self.line_ends += usize::from(number > 0);
            self.word(line.trim_end_matches('\r'));
        }
    }

    /// Writes what holds no blanks, with what is owed before it.
    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        let begins = self.line_ends > 0 || self.out.is_empty();
        if begins {
            let line_ends = if self.out.is_empty() { 0 } else { self.line_ends.min(3) };
            for _ in 0..line_ends {
                self.out.push('\n');
            }
            self.line_ends = 0;
            let deep = self.quotes.iter().filter(|q| **q).count().min(DEEPEST_QUOTE);
            for _ in 0..deep {
                self.out.push_str("> ");
            }
        } else if self.blank {
            self.out.push(' ');
        }
        if let Some(bullet) = self.bullet.take() {
            self.out.push_str(&bullet);
        }
        self.blank = false;
        self.out.push_str(word);
    }
}

/// Blanks of HTML, and the no-break space with which editors fill lines.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{a0}'
}

fn is_entity(token: &str) -> bool {
    token.len() > 2 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"&#;".contains(&b))
}

/// The element's name behind a `<`, and whether it is an end tag.
fn tag_name(inner: &str) -> (&str, bool) {
    let (inner, closing) = inner.strip_prefix('/').map_or((inner, false), |p| (p, true));
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == ':';
    let starts = inner.starts_with(|c: char| c.is_ascii_alphabetic());
    let end = inner.find(|c: char| !in_name(c)).unwrap_or(inner.len());
    (inner.get(..end).filter(|_| starts).unwrap_or_default(), closing)
}

/// A tag and what follows it. A `>` inside quotation marks does not end it, where they are closed.
fn split_tag(inner: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, byte) in inner.bytes().enumerate().take(LONGEST_TAG) {
        match (quote, byte) {
            (None, b'>') => return (cut_at(inner, at).0, cut_at(inner, at + 1).1),
            (None, b'"' | b'\'') if inner.as_bytes().get(at.wrapping_sub(1)) == Some(&b'=') => {
                quote = Some(byte);
            }
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    inner.split_once('>').unwrap_or((inner, ""))
}

fn cut_at(inner: &str, at: usize) -> (&str, &str) {
    inner.split_at_checked(at).unwrap_or((inner, ""))
}

/// The value of an attribute, where it is in quotation marks.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let tag = text::cut(tag, LONGEST_TAG);
    let mut from = 0;
    while let Some(at) = tag.get(from..).and_then(|t| t.find('=')).map(|n| n + from) {
        let (before, value) = (tag.get(..at)?, tag.get(at + 1..)?);
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inside = quote.and_then(|q| value.get(1..)?.split_once(q)).map(|(inside, _)| inside);
        let word = before.trim_end().rsplit(|c: char| c.is_ascii_whitespace()).next();
        if word.is_some_and(|w| w.eq_ignore_ascii_case(name)) {
            return inside;
        }
        from = at + 1 + inside.map_or(0, |i| i.len() + 2);
    }
    None
}

/// A `blockquote` by which an editor only moves text in.
fn is_indent(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    ["border:none", "border: none", "border-width:0", "indent-blockquote"]
        .iter()
        .any(|mark| tag.contains(mark))
}

/// What follows the end tag of `name`, where there is one.
fn behind_end<'a>(after: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(at) = after.get(from..).and_then(|r| r.find("</")) {
        let tail = after.get(from + at + 2..).unwrap_or_default();
        if tag_name(tail).0.eq_ignore_ascii_case(name) {
            return Some(tail.split_once('>').map_or("", |(_, t)| t));
        }
        from += at + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, want: &str) {
        assert_eq!(to_text(html, 1 << 20, 1 << 20).text, want, "{html}");
    }

    #[test]
    fn words_keep_apart_and_lines_stay_lines() {
        check(
            "<style>p{}</style><ul><li>one<li>two</ul><table><tr><td>a</td><td>b</td></table>x<br>y",
            "* one\n* two\n\na b\nx\ny",
        );
        check("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b");
        check(
            "<div>one</div><div><br></div><div>two<br></div><div>three</div>",
            "one\n\ntwo\nthree",
        );
        check("<p>one<p>two<script>x", "one\n\ntwox");
        check("<pre>a\n  b\n</pre>c", "a\n  b\n\nc");
    }

    #[test]
    fn elements_of_mail_programs_stand_inside_the_line() {
        check(
            "<p class=MsoNormal>My bin<o:p></o:p></p><p>is <b>fu</b>ll<o:p>&nbsp;</o:p></p>",
            "My bin\n\nis full",
        );
        check("Hello <![if !x]>there<![endif]> Ann<!--[if mso]>no<![endif]-->", "Hello there Ann");
    }

    #[test]
    fn entities_and_odd_signs_are_text() {
        check("1 < 2 &amp; &#163;5 &copy; &bogus; &; AT&T", "1 < 2 & £5 © &bogus; &; AT&T");
        check("a<3 b", "a<3 b");
        check("<a title=\"x > y\">link</a> it's > that", "link it's > that");
        check("<img src=x alt=\"smile\"> <img alt=''>ok", "smile ok");
    }

    #[test]
    fn quotation_is_marked_and_indenting_is_not() {
        check(
            "new<blockquote type=cite><div>old</div><div>older</div></blockquote>mine",
            "new\n\n> old\n> older\n\nmine",
        );
        check(
            "a<blockquote style=\"margin:0 0 0 40px;border:none;padding:0px\">b</blockquote>",
            "a\n\nb",
        );
    }

    #[test]
    fn the_parser_of_the_mail_library_joins_words() {
        let theirs = mail_parser::decoders::html::html_to_text("<ul><li>one<li>two</ul>");
        assert!(theirs.contains("onetwo"), "mended upstream: {theirs:?}");
    }

    #[test]
    fn what_has_no_end_loses_no_text_and_stays_linear() {
        check("a<!-- b --c>d", "ad");
        for part in ["<div>", "<style>", "<!--", "<a b=\"", "<blockquote>", "&", "<", "<ol><li>"] {
            let html = format!("{}help", part.repeat((1 << 20) / part.len() - 1));
            let converted = to_text(&html, 1 << 20, 1 << 18);
            assert!(converted.text.len() < 1 << 20, "{part}");
        }
        check(&"<div>".repeat(100_000), "");
        check(&format!("{}help", "<div>".repeat(100_000)), "help");
    }

    #[test]
    fn only_so_much_is_read_and_written() {
        let converted = to_text(&"<p>word".repeat(1000), 1 << 20, 300);
        assert!(converted.cut && converted.text.len() < 700);
        assert!(to_text("<p>word</p>", 5, 100).cut);
        assert!(!to_text("<p>word</p>", 100, 100).cut);
    }
}
