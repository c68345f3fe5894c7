//! HTML to text: with layout where that is safe, else by a linear strip.

use html2text::config;
use mail_parser::decoders::html::add_html_token;

use super::text;

/// Deepest nesting that is laid out: the layout engine's parser is quadratic in open elements.
const DEEPEST: usize = 256;

/// Converted HTML.
#[derive(Debug)]
pub(super) struct Converted {
    pub(super) text: String,
    /// Whether layout was given up.
    pub(super) simplified: bool,
}

/// Converts one HTML body; `most_bytes` bounds what is read of it.
pub(super) fn to_text(html: &str, most_bytes: usize) -> Converted {
    let head = text::cut(html, most_bytes);
    if head.len() == html.len() && nesting(html) <= DEEPEST {
        let laid_out = config::plain_no_decorate()
            .raw_mode(true)
            .no_link_wrapping()
            .allow_width_overflow()
            .string_from_read(html.as_bytes(), 10_000);
        if let Ok(text) = laid_out {
            return Converted { text, simplified: false };
        }
    }
    Converted { text: strip(head), simplified: true }
}

/// Elements that have no end tag, or whose end the parser supplies before the next of them.
const NOT_NESTING: [&str; 25] = [
    "br", "img", "hr", "input", "meta", "link", "col", "area", "base", "embed", "source", "wbr",
    "param", "p", "li", "td", "th", "tr", "dd", "dt", "option", "tbody", "thead", "tfoot", "track",
];

/// An upper estimate of how deep elements stand inside each other, in one pass.
fn nesting(html: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0_usize);
    for piece in html.split('<').skip(1) {
        let (name, closing) = tag_name(piece);
        if name.is_empty() || NOT_NESTING.iter().any(|n| name.eq_ignore_ascii_case(n)) {
            continue;
        }
        open = if closing { open.saturating_sub(1) } else { open + 1 };
        deepest = deepest.max(open);
    }
    deepest
}

/// The element's name behind a `<`, and whether it is an end tag.
fn tag_name(piece: &str) -> (&str, bool) {
    let (piece, closing) = piece.strip_prefix('/').map_or((piece, false), |p| (p, true));
    let end = piece.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(piece.len());
    (piece.get(..end).unwrap_or_default(), closing)
}

/// Elements that stand inside a line: they join what is around them.
const INLINE: [&str; 26] = [
    "a", "abbr", "acronym", "b", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins",
    "kbd", "label", "mark", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "tt", "u",
];
/// Elements whose content is not for reading.
const UNREAD: [&str; 6] = ["script", "style", "head", "title", "template", "noscript"];

/// Tags out, words kept apart, entities decoded; linear in the length of the input.
pub(super) fn strip(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    // Elements found to have no end: looking for it again each time would be quadratic.
    let mut endless: Vec<String> = Vec::new();
    while let Some(open) = rest.find('<') {
        let (before, tagged) = rest.split_at(open);
        push_text(&mut out, before);
        let inner = tagged.get(1..).unwrap_or_default();
        let (name, closing) = tag_name(inner);
        if let Some(comment) = inner.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if name.is_empty() && !inner.starts_with(['!', '?', '/']) {
            out.push('<');
            rest = inner;
        } else {
            let after = inner.split_once('>').map_or("", |(_, after)| after);
            rest = after;
            if !closing && UNREAD.iter().any(|u| name.eq_ignore_ascii_case(u)) {
                let name = name.to_ascii_lowercase();
                if !endless.contains(&name) {
                    match behind_end(after, &name) {
                        Some(behind) => rest = behind,
                        None => endless.push(name),
                    }
                }
            }
            separate(&mut out, name, closing);
        }
    }
    push_text(&mut out, rest);
    out
}

fn separate(out: &mut String, name: &str, closing: bool) {
    if INLINE.iter().any(|i| name.eq_ignore_ascii_case(i)) || name.is_empty() {
        return;
    }
    let blank = matches!(name.to_ascii_lowercase().as_str(), "td" | "th" | "img" | "input");
    out.push(if blank { ' ' } else { '\n' });
    if !closing && name.eq_ignore_ascii_case("li") {
        out.push_str("* ");
    }
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

fn push_text(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        push_words(out, before);
        let end = entity.bytes().take(12).position(|b| b == b';');
        match end.and_then(|e| entity.split_at_checked(e + 1)) {
            Some((token, after))
                if token.bytes().all(|b| b.is_ascii_alphanumeric() || b"&#;".contains(&b)) =>
            {
                add_html_token(out, token.as_bytes(), false);
                rest = after;
            }
            _ => {
                out.push('&');
                rest = entity.get(1..).unwrap_or_default();
            }
        }
    }
    push_words(out, rest);
}

/// Source line ends mean nothing in HTML.
fn push_words(out: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_ascii_whitespace() {
            if !out.ends_with([' ', '\n']) {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_strip_keeps_words_apart() {
        let html = "<style>p{}</style><ul><li>one<li>two</ul><table><tr><td>a</td><td>b</td></table>\
                    x<br>y <b>bo</b>ld 1 < 2 &amp; &#163;5 &copy; &bogus; <!-- no --> end";
        assert_eq!(words(&strip(html)), "* one * two a b x y bold 1 < 2 & £5 © &bogus; end");
        assert_eq!(words(&strip("<p>one<p>two<script>x")), "one two x");
    }

    #[test]
    fn the_parser_of_the_mail_library_joins_words() {
        let theirs = mail_parser::decoders::html::html_to_text("<ul><li>one<li>two</ul>");
        assert!(theirs.contains("onetwo"), "mended upstream: {theirs:?}");
        assert_eq!(words(&to_text("<ul><li>one<li>two</ul>", 1000).text), "* one * two");
    }

    #[test]
    fn deep_nesting_is_stripped_not_laid_out() {
        let html = format!("{}help{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        let converted = to_text(&html, 2 << 20);
        assert!(converted.simplified);
        assert_eq!(converted.text.trim(), "help");
        assert!(!to_text(&"<p>a<br>".repeat(1000), 1 << 20).simplified);
    }

    #[test]
    fn unclosed_unread_elements_stay_linear() {
        let converted = strip(&"<style>".repeat(20_000));
        assert!(converted.trim().is_empty());
    }
}
