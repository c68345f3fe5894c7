//! Addresses of web pages as their author wrote them: out of the wrapping of mail filters.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;
use regex::{Captures, Regex};

use super::{parameters, phrases};

/// Marks of wrapped links, to pass a text without any at once.
const MARKS: [&str; 3] =
    ["safelinks.protection.outlook.com", "urldefense", "linkprotect.cudasvc.com"];

static WRAPPED: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r#"(?x) https?://[a-z0-9.-]+\.safelinks\.protection\.outlook\.com/(?:[a-z]{1,4}/)?\?url=(?<safe>[^&\s<>"\])]+)(?:&[^\s<>"\])]*)?
        | https?://urldefense\.(?:us|com)/v3/__(?<three>.+?)__;[^\s<>"\])]*
        | https?://urldefense\.proofpoint\.com/v[12]/url\?u=(?<two>[^&\s<>"\])]+)(?:&[^\s<>"\])]*)?
        | https?://linkprotect\.cudasvc\.com/url\?a=(?<cuda>[^&\s<>"\])]+)(?:&[^\s<>"\])]*)?"#,
    )
});

/// The text with every wrapped link as it was written. Filters wrap anew for each reader, so that
/// two copies of one letter differ by nothing else.
pub(super) fn unwrapped(text: &str) -> Cow<'_, str> {
    let has_links = memmem::find(text.as_bytes(), b"://").is_some();
    if !has_links || !MARKS.iter().any(|mark| text.contains(mark)) {
        return Cow::Borrowed(text);
    }
    WRAPPED.replace_all(text, |found: &Captures<'_>| {
        let original = if let Some(link) = found.name("safe").or_else(|| found.name("cuda")) {
            parameters::percent_text(link.as_str())
        } else if let Some(link) = found.name("two") {
            // Version 2 writes `%` as `-` and `/` as `_`.
            parameters::percent_text(&link.as_str().replace('-', "%").replace('_', "/"))
        } else {
            found.name("three").map(|link| link.as_str().to_owned())
        };
        match original {
            Some(link) if link.starts_with("http") || link.starts_with("mailto:") => link,
            _ => found.get(0).map_or_else(String::new, |whole| whole.as_str().to_owned()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_unwrapped() {
        for (wrapped, link) in [
            (
                "see <https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.example.org%2Fa%3Fb%3D1&data=05%7C02%7Cx&sdata=y%3D&reserved=0> now",
                "see <https://www.example.org/a?b=1> now",
            ),
            (
                "https://urldefense.com/v3/__https://example.org/a__;!!Abc!x$ ok",
                "https://example.org/a ok",
            ),
            (
                "https://urldefense.proofpoint.com/v2/url?u=https-3A__example.org_a&d=DwMF&c=x ok",
                "https://example.org/a ok",
            ),
            (
                "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fexample.org&c=E,1 ok",
                "https://example.org ok",
            ),
        ] {
            assert_eq!(unwrapped(wrapped), link);
        }
    }

    #[test]
    fn what_is_no_link_stays() {
        for text in [
            "My letter from safelinks.protection.outlook.com did not open.",
            "https://eur01.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)&data=x",
            "https://eur01.safelinks.protection.outlook.com/?url=",
        ] {
            assert_eq!(unwrapped(text), text);
        }
    }
}
