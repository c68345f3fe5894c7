//! Warnings that mail servers write into a letter: "this came from outside", "you seldom hear from".

use std::sync::LazyLock;

use regex::Regex;

use super::phrases;
use super::sieve::{May, in_text};

/// Longest warning, in bytes and in lines.
const LONGEST: usize = 700;
const MOST_LINES: usize = 6;
/// Warnings taken from the top and from the bottom.
const DEEPEST: usize = 3;

/// What opens a warning.
static OPENS: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)^[\W_]*(?:(?:caution|warning|attention|alert|important|notice|be\ careful|security)\b[\W_]*)*(?:external\b | \[?external | this\ (?:message|e-?mail|mail)\b | (?:e-?mail|message)\ (?:from|received\ from|originated|sent\ from)\b | you\ don['’]t\ often\ get\ e-?mail | some\ people\ who\ received\ this
            | (?:caution|warning|attention)\W | do\ not\ click\b | the\ sender\ of\ this | outside\ (?:e-?mail|sender) )",
    )
});

/// What a warning says.
pub(super) static WARNS: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?isx)\bfrom\ (?:an?\ )?(?:external|outside)\b | \boriginat\w+\ (?:from\ )?(?:outside|external)\b | \bexternal\ (?:sender|source|e-?mail|address|message)\b
        | \bdo\ not\ (?:click|open|follow)\b.{0,60}\b(?:links?|attachments?)\b.{0,60}\b(?:unless|until|if\ you)\b | \boften\ get\ e-?mail\ from\b",
    )
});

/// The letter without the warnings above and below it; as it was where it is nothing else.
pub(super) fn without_banners(letter: String, may: May) -> String {
    if !may.has(in_text::WARNING) || !WARNS.is_match(&letter) {
        return letter;
    }
    let mut rest = letter.trim();
    for _ in 0..DEEPEST {
        let Some(length) = banner(rest) else { break };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    for _ in 0..DEEPEST {
        let Some((above, last)) = rest.rsplit_once("\n\n") else { break };
        if banner(last) != Some(last.len()) {
            break;
        }
        rest = above.trim_end();
    }
    if rest.is_empty() || rest.len() == letter.len() { letter } else { rest.to_owned() }
}

/// The length of the warning with which a text begins: whole lines up to the end of a sentence, so
/// that a letter that goes on without a blank line keeps its own.
fn banner(text: &str) -> Option<usize> {
    let mut length = 0;
    for line in text.split_inclusive('\n').take(MOST_LINES) {
        length += line.len();
        let (line, so_far) = (line.trim_end(), text.get(..length)?.trim_end());
        if line.is_empty() || so_far.len() > LONGEST {
            return None;
        }
        let next_is_blank =
            text.get(length..).is_none_or(|t| t.trim().is_empty() || t.starts_with('\n'));
        let ends = next_is_blank || line.ends_with(['.', '!', ']', '*', '>', '-', '_', '=']);
        if ends && OPENS.is_match(so_far) && WARNS.is_match(so_far) {
            return Some(so_far.len());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::sieve;
    use super::*;

    #[track_caller]
    fn check(letter: &str, want: &str) {
        assert_eq!(without_banners(letter.to_owned(), sieve::TEXT.may(letter)), want);
    }

    #[test]
    fn warnings_above_and_below_go() {
        check(
            "CAUTION: This email originated from outside of the organisation. Do not click links or open \
             attachments unless you recognise the sender.\n\nMy bin is full.",
            "My bin is full.",
        );
        check(
            "[EXTERNAL EMAIL] Do not open attachments from strangers.\nMy bin is full.",
            "My bin is full.",
        );
        check(
            "You don't often get email from ann@example.org. Learn why this is important\n\nMy bin is full.",
            "My bin is full.",
        );
        check(
            "My bin is full.\n\nThis message was sent from outside your organisation. Do not click links.",
            "My bin is full.",
        );
    }

    #[test]
    fn a_persons_own_warning_stays() {
        for letter in [
            "Warning: the stairs outside the council office are broken.",
            "This email is about the external wall of my flat.\n\nIt leaks.",
            "External email. Do not click links.",
            "Attention: your website says do not click the link twice, but nothing happens.\n\nAnn",
        ] {
            check(letter, letter);
        }
    }
}
