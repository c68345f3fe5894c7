//! The finishing of rendered letters: tidy text, and HTML whose plain tags are given the inline
//! styles that mail programs keep. Templates stay plain, so that anybody can read them.

/// What each tag looks like. Only a template can write a tag: values are escaped. Contrast is at
/// least 4.5 to 1.
const STYLES: &[(&str, &str)] = &[
    ("<h1>", "font-size:24px;line-height:30px;margin:0 0 14px;color:#0b0c0c"),
    ("<h2>", "font-size:18px;line-height:24px;margin:18px 0 8px;color:#0b0c0c"),
    ("<p>", "font-size:16px;line-height:24px;margin:0 0 14px;color:#0b0c0c"),
    (
        "<p class=\"danger\">",
        "font-size:20px;line-height:28px;font-weight:bold;margin:0 0 18px;color:#0b0c0c",
    ),
    (
        "<p class=\"small\">",
        "font-size:14px;line-height:20px;margin:18px 0 0;padding-top:12px;border-top:1px solid #cecece;color:#484949",
    ),
    ("<ul>", "font-size:16px;line-height:24px;margin:0 0 14px;padding-left:20px;color:#0b0c0c"),
    ("<table>", "border-collapse:collapse;width:100%;margin:0 0 18px"),
    ("<caption>", "font-size:14px;text-align:left;color:#484949;padding:0 0 6px"),
    (
        "<th scope=\"col\">",
        "font-size:14px;text-align:left;padding:6px 12px 6px 0;border-bottom:2px solid #0b0c0c;color:#0b0c0c",
    ),
    (
        "<td>",
        "font-size:16px;line-height:22px;padding:10px 12px 10px 0;border-bottom:1px solid #cecece;vertical-align:top;color:#0b0c0c",
    ),
];

const FONT: &str = "font-family:Arial,Helvetica,sans-serif;";
const LINK: &str = "<a style=\"color:#1a65a6\" href=";
const BUTTON: &str = "<a style=\"display:inline-block;background:#0b4f54;color:#ffffff;padding:12px 18px;font-weight:bold;text-decoration:none\" href=";

/// Puts the styles on the tags of a rendered letter.
pub(super) fn style(html: &str) -> String {
    let mut styled = html.trim().to_owned();
    styled.push('\n');
    for (tag, look) in STYLES {
        let open = tag.trim_end_matches('>').split(" class=").next().unwrap_or(tag);
        styled = styled.replace(tag, &format!("{open} style=\"{FONT}{look}\">"));
    }
    styled.replace("<a class=\"button\" href=", BUTTON).replace("<a href=", LINK)
}

/// The same page in letters of half as much again: 24 px where 16 px were, as large print asks for (16 pt and more).
pub(super) fn enlarge(styled: &str) -> String {
    let mut large = String::with_capacity(styled.len());
    let mut rest = styled;
    while let Some(at) = ["font-size:", "line-height:"]
        .iter()
        .filter_map(|name| rest.find(name).map(|at| at + name.len()))
        .min()
    {
        let (before, after) = rest.split_at(at);
        large.push_str(before);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (size, after) = after.split_at(digits);
        match size.parse::<u32>() {
            Ok(size) if after.starts_with("px") => large.push_str(&(size * 3 / 2).to_string()),
            _ => large.push_str(size),
        }
        rest = after;
    }
    large.push_str(rest);
    large
}

/// One space where a template left several, no space at a line's end, one empty line between
/// paragraphs.
pub(super) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        tidied.push_str(line);
        tidied.push('\n');
    }
    tidied.truncate(tidied.trim_end().len());
    tidied.push('\n');
    tidied
}

/// The words of a text part, in order, without its links.
pub(super) fn words_of_text(text: &str) -> Vec<String> {
    text.split_whitespace()
        .filter(|word| !word.contains("://"))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

/// The words that an HTML part shows, without its head and the heads of its tables.
pub(super) fn words_of_html(html: &str) -> Vec<String> {
    let html = without(without(html.to_owned(), "<head", "</head>"), "<th ", "</th>");
    let mut shown = String::with_capacity(html.len());
    let mut rest = html.as_str();
    while let Some((before, tag)) = rest.split_once('<') {
        shown.push_str(before);
        shown.push(' ');
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    shown.push_str(rest);
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&amp;", "&"),
    ] {
        shown = shown.replace(entity, character);
    }
    words_of_text(&shown)
}

/// A text without its stretches from `open` to `close`.
fn without(mut text: String, open: &str, close: &str) -> String {
    while let Some(start) = text.find(open) {
        let Some(length) = text.get(start..).and_then(|rest| rest.find(close)) else { break };
        text.replace_range(start..start + length + close.len(), " ");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_get_their_styles_once_and_values_get_none() {
        let styled = style("<p>One</p><p class=\"danger\">999</p><p>&lt;p&gt;</p>");
        assert_eq!(styled.matches("<p style=\"font-family:Arial").count(), 3);
        assert_eq!(styled.matches("style=").count(), 3);
        assert!(!styled.contains("class="));
    }

    #[test]
    fn a_button_is_not_a_plain_link() {
        let styled = style("<a class=\"button\" href=\"x\">Open</a> <a href=\"y\">Ask</a>");
        assert_eq!(styled.matches("inline-block").count(), 1);
        assert_eq!(styled.matches("<a style=").count(), 2);
    }

    #[test]
    fn large_print_is_half_as_large_again() {
        let large = enlarge(&style("<h1>font-size</h1><p>16px, font-size: 3</p>"));
        assert!(large.contains("font-size:36px;line-height:45px"), "{large}");
        assert!(large.contains("font-size:24px;line-height:36px"), "{large}");
        assert!(large.ends_with("16px, font-size: 3</p>\n") && !large.contains("font-size:16px"));
    }

    #[test]
    fn text_keeps_one_empty_line_between_paragraphs() {
        assert_eq!(tidy("\n\nHello  \n\n\n  \nBye\n\n"), "Hello\n\nBye\n");
    }

    #[test]
    fn both_parts_show_the_same_words() {
        let html = "<html><head><title>No</title></head><table><tr><th scope=\"col\">No</th></tr></table>\
                    <p>It&#x27;s <a href=\"https:&#x2f;&#x2f;a.example\">our page</a>.</p></html>";
        assert_eq!(words_of_html(html), words_of_text("It's our page: https://a.example"));
    }
}
