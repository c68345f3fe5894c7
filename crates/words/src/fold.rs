//! Texts as they are compared.
//!
//! Folding makes "EHC-plan", "EHC plan" and "ehc  Plan" one: lower case, hyphens and other marks
//! to blanks, apostrophes dropped ("isn't" is "isnt", as children and hurried people write it),
//! `&` to "and". Marks that end a sentence stay, so that no phrase reaches across one.

/// A phrase as it would stand in a folded text.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut |piece, _, _| folded.push_str(piece));
    folded.trim_matches([' ', '.', '!', '?']).to_owned()
}

/// Folds a text onto the end of another. `origin` gets for every byte of it the byte of `text` that it came from,
/// counted from `base`; `ends` where in `folded` its sentences end.
pub fn fold_onto(
    text: &str,
    base: usize,
    folded: &mut String,
    origin: &mut Vec<u32>,
    ends: &mut Vec<usize>,
) {
    fold_into(text, &mut |piece, at, ends_sentence| {
        if ends_sentence {
            ends.push(folded.len());
        }
        folded.push_str(piece);
        let at = u32::try_from(base + at).unwrap_or(u32::MAX);
        origin.extend(std::iter::repeat_n(at, piece.len()));
    });
}

/// Calls `push(piece, offset in text, whether the piece ends a sentence)` for the folded text.
fn fold_into(text: &str, push: &mut impl FnMut(&str, usize, bool)) {
    let mut blank = true;
    let mut line_starts_at = 0;
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    let mut buffer = [0; 4];
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map_or(' ', |&(_, next)| next);
        match c {
            '\'' | '\u{2019}' | '\u{2018}' | '\u{2bc}' | '`'
                if before.is_alphanumeric() && next.is_alphanumeric() => {}
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}' => continue,
            '.' | '!' | '?' | ';' if !next.is_alphanumeric() => {
                push(if c == ';' { "." } else { c.encode_utf8(&mut buffer) }, at, true);
                blank = false;
            }
            '.' | '@' | '%' => {
                push(c.encode_utf8(&mut buffer), at, false);
                blank = false;
            }
            '£' => {
                push("£", at, false);
                blank = false;
            }
            '&' => {
                push(if blank { "and " } else { " and " }, at, false);
                blank = true;
            }
            '\n' => {
                // A wrapped line goes on; a short one, or one before a gap or a list, is an end.
                let ends = at - line_starts_at < 60 || matches!(next, '\n' | '\r' | '-' | '*');
                line_starts_at = at + 1;
                if ends && !matches!(before, '\n' | '.' | '!' | '?') {
                    push(".", at, true);
                    blank = false;
                }
                if !blank {
                    push(" ", at, false);
                    blank = true;
                }
            }
            c if c.is_alphanumeric() => {
                for lower in c.to_lowercase() {
                    push(lower.encode_utf8(&mut buffer), at, false);
                }
                blank = false;
            }
            _ if !blank => {
                push(" ", at, false);
                blank = true;
            }
            _ => {}
        }
        if c != '\r' {
            before = c;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_of_one_phrase_folds_to_one() {
        for written in ["EHC-plan", "ehc  Plan", "\"EHC plan\",", "EHC\u{a0}plan"] {
            assert_eq!(fold(written), "ehc plan", "{written}");
        }
        assert_eq!(fold("isn\u{2019}t"), "isnt");
        assert_eq!(fold("Children & Families"), "children and families");
        assert_eq!(fold("soft\u{ad}hyphen"), "softhyphen");
    }
}
