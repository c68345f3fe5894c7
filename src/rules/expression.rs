//! Regular expressions, and what must stand in a text before one of them is tried at all.
//!
//! A search for one expression costs about a microsecond for a hundred letters, and nearly every
//! expression is not in nearly every message. So each is read for literals of which every match
//! holds one. Those are looked for together with all rules' phrases, in one pass; the expression itself
//! runs only around a place where one of its literals stands.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Hir, HirKind, Look};

/// What one rule's pattern may compile to, in bytes.
const REGEX_BYTES: usize = 1 << 20;
/// What one expression may remember of a search, in bytes, on each thread: there are hundreds.
const CACHE_BYTES: usize = 1 << 18;
/// Hits counted of one expression in one message.
const MOST_HITS: usize = 20;
/// How far from its literal a match may reach that has no longest one, in bytes.
const REACH: usize = 120;
/// Literals of one expression at most; more would be found everywhere.
const MOST_LITERALS: usize = 400;
/// A single letter is everywhere.
const SHORTEST_LITERAL: usize = 2;
/// Longer literals than this are no rarer.
const LONG_ENOUGH: usize = 7;

/// An expression, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    regex: Regex,
    needs: Option<Needs>,
}

/// What every match of an expression holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needs {
    /// One of these.
    pub(crate) literals: Vec<String>,
    /// At the beginning of a word.
    pub(crate) at_word: bool,
    /// The longest match, in bytes. Nothing where there is no longest.
    reach: Option<usize>,
}

impl Expression {
    /// Compiles one expression of a rule. `^` and `$` are the beginning and end of a part of the
    /// message.
    ///
    /// # Errors
    /// The reader's own words, on one line.
    pub(crate) fn new(written: &str) -> Result<Self, String> {
        let last_line = |error: String| error.lines().last().unwrap_or_default().trim().to_owned();
        let plain = plain(written);
        let regex = RegexBuilder::new(&plain)
            .multi_line(true)
            .size_limit(REGEX_BYTES)
            .dfa_size_limit(CACHE_BYTES)
            .build()
            .map_err(|error| last_line(error.to_string()))?;
        let hir = ParserBuilder::new()
            .multi_line(true)
            .utf8(false)
            .build()
            .parse(&plain)
            .map_err(|error| last_line(error.to_string()))?;
        Ok(Self { regex, needs: needs(&hir) })
    }

    /// Whether it fits where nothing stands.
    pub(crate) fn fits_nothing(&self) -> bool {
        self.regex.is_match(b"")
    }

    /// What must stand in a text before the expression can match. Nothing: it is always tried.
    pub(crate) fn needs(&self) -> Option<&Needs> {
        self.needs.as_ref()
    }

    /// Its matches in a text, those that [`Expression::needs`] asks for standing at `literals`
    /// (ascending). The same as without them, sooner; but of an expression without a longest match
    /// only what lies within [`REACH`] of a literal.
    pub(crate) fn matches(&self, text: &str, literals: &[Range<usize>]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut from = 0;
        for window in self.windows(text, literals) {
            // What stands before the window is still looked back at; one letter after it is looked at.
            let bytes = text.as_bytes().get(..window.end).unwrap_or_default();
            from = from.max(window.start);
            while found.len() < MOST_HITS {
                let Some(one) = self.regex.find_at(bytes, from) else { break };
                from = if one.is_empty() { after_letter(text, one.end()) } else { one.end() };
                // Classes count bytes: what begins or ends within a letter takes it in whole.
                found.push(
                    text.floor_char_boundary(one.start())..text.ceil_char_boundary(one.end()),
                );
                if from > bytes.len() {
                    break;
                }
            }
        }
        found
    }

    /// Where matches can lie, ascending, none touching another.
    fn windows(&self, text: &str, literals: &[Range<usize>]) -> Vec<Range<usize>> {
        let whole = || std::iter::once(0..text.len()).collect();
        let Some(needs) = &self.needs else { return whole() };
        let reach = needs.reach.unwrap_or(REACH).min(text.len());
        let mut windows: Vec<Range<usize>> = Vec::new();
        for literal in literals {
            let start = text.floor_char_boundary(literal.start.saturating_sub(reach));
            let end = text.floor_char_boundary(literal.end.saturating_add(reach).min(text.len()));
            let end = after_letter(text, end).min(text.len());
            match windows.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                _ => windows.push(start..end),
            }
        }
        windows
    }
}

/// The place after the letter that begins at a place.
fn after_letter(text: &str, at: usize) -> usize {
    at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// The same expression by bytes instead of letters, wherever that is all one: for "any letter but a full
/// stop, sixty times" the machine is then a twentieth of the size. Letters beyond ASCII that an
/// expression names still count as such.
fn plain(expression: &str) -> String {
    let mut plain = String::with_capacity(expression.len() * 2);
    let mut rest = expression;
    while let Some(letter) = rest.chars().next() {
        let (taken, by_bytes) = match letter {
            '\\' => (1 + rest.chars().nth(1).map_or(0, char::len_utf8), true),
            '[' => {
                let class = class(rest);
                (class, rest.get(..class).is_some_and(str::is_ascii))
            }
            '.' => (1, true),
            _ => (letter.len_utf8(), false),
        };
        let piece = rest.get(..taken).unwrap_or(rest);
        match piece {
            r"\w" => plain.push_str(r"(?-u:[a-z0-9\x80-\xff])"),
            _ if by_bytes && (letter != '\\' || piece.ends_with(char::is_alphabetic)) => {
                plain.push_str("(?-u:");
                plain.push_str(&piece.replace(r"\w", r"a-z0-9\x80-\xff"));
                plain.push(')');
            }
            _ => plain.push_str(piece),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    plain
}

/// How long the class is that a text begins with, in bytes.
fn class(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            // One that stands first is a letter of the class.
            ']' if !matches!(text.get(..at), Some("[" | "[^")) => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn needs(hir: &Hir) -> Option<Needs> {
    let (literals, at_word) = best(hir)?;
    Some(Needs { literals, at_word, reach: hir.properties().maximum_len() })
}

/// The rarest literals of which every match holds one: at the beginning of the whole, or of what follows
/// any of its pieces, or within a piece.
fn best(hir: &Hir) -> Option<(Vec<String>, bool)> {
    let here = prefixes(hir).map(|literals| (literals, false));
    match hir.kind() {
        HirKind::Capture(capture) => best(&capture.sub),
        HirKind::Repetition(again) if again.min > 0 => best(&again.sub),
        HirKind::Concat(pieces) => {
            let rests = (1..pieces.len()).filter_map(|at| {
                let rest = Hir::concat(pieces.get(at..)?.to_vec());
                let before = pieces.get(at - 1).map(Hir::kind);
                let at_word =
                    matches!(before, Some(HirKind::Look(Look::WordAscii | Look::WordUnicode)));
                Some((prefixes(&rest)?, at_word))
            });
            let within = pieces.iter().filter_map(best);
            here.into_iter()
                .chain(rests)
                .chain(within)
                .max_by_key(|(literals, at_word)| (worth(literals), *at_word))
        }
        HirKind::Alternation(ways) => {
            let ways: Option<Vec<(Vec<String>, bool)>> = ways.iter().map(best).collect();
            let together = ways.map(|ways| {
                let at_word = ways.iter().all(|(_, at_word)| *at_word);
                (ways.into_iter().flat_map(|(literals, _)| literals).collect::<Vec<_>>(), at_word)
            });
            let together = together.filter(|(literals, _)| literals.len() <= MOST_LITERALS);
            here.into_iter().chain(together).max_by_key(|(literals, _)| worth(literals))
        }
        HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_) => here,
    }
}

/// How rare literals are: the shortest counts, then how few they are.
fn worth(literals: &[String]) -> (usize, std::cmp::Reverse<usize>) {
    let shortest = literals.iter().map(String::len).min().unwrap_or(0);
    (shortest.min(LONG_ENOUGH), std::cmp::Reverse(literals.len()))
}

/// What every match begins with, where that says something.
fn prefixes(hir: &Hir) -> Option<Vec<String>> {
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_total(MOST_LITERALS).limit_repeat(4);
    let mut found: Seq = extractor.extract(hir);
    found.dedup();
    let literals: Option<Vec<String>> = found
        .literals()?
        .iter()
        .map(|literal| String::from_utf8(literal.as_bytes().to_vec()).ok())
        .collect();
    let literals = literals.filter(|literals| !literals.is_empty())?;
    // Two figures are in every message, like one letter.
    let tells = |literal: &String| {
        literal.len() >= SHORTEST_LITERAL && !literal.bytes().all(|byte| byte.is_ascii_digit())
    };
    literals.iter().all(tells).then_some(literals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(written: &str) -> Option<(Vec<String>, bool)> {
        let expression = Expression::new(written).unwrap();
        expression.needs.map(|needs| (needs.literals, needs.at_word))
    }

    #[test]
    fn every_match_holds_one_of_the_literals_that_an_expression_is_tried_for() {
        let check = |written, literals: &[&str], at_word| {
            let literals: Vec<String> = literals.iter().map(ToString::to_string).collect();
            assert_eq!(needed(written), Some((literals, at_word)), "{written}");
        };
        check(r"\bsection 47\b", &["section 47"], true);
        check(r"\b(im|i am) (a|an) (\w+ ){0,4}governor", &["governor"], false);
        check(r"(mum|dad) of \w+", &["mum of ", "dad of "], false);
        check(r"\b(parent|foster carer) [a-z]+", &["parent ", "foster carer "], true);
        check(r"(annual )?review", &["review"], false);
        assert_eq!(needed(r"\d+"), None);
        assert_eq!(needed(r"(case )?\d{4}"), None, "one may hold no literal");
        assert_eq!(needed(r"(abc|[a-z]+)\d"), None);
    }

    #[test]
    fn letters_count_as_bytes_only_where_that_is_all_one() {
        for (written, text, found) in [
            (r"caf\w+", "the cafés here", "cafés"),
            (r"a[^.]{0,3}z", "aéz", "aéz"),
            (r"[.!?] so", "no. so", ". so"),
            (r"[]x]y", "]y", "]y"),
            ("£\\d+", "paid £40 for it", "£40"),
            (r"\bplan\.$", "a plan.\nb", "plan."),
            ("[éx]t", "été", "ét"),
            (r"don.t", "don’t no, dont, don-t", "don-t"),
        ] {
            let expression = Expression::new(written).unwrap();
            let matches = expression.matches(text, &literals(&expression, text));
            let first = matches.first().map(|range| &text[range.clone()]);
            assert_eq!(first, Some(found), "{written}");
        }
    }

    /// Where the literals of an expression stand, as the matcher finds them.
    fn literals(expression: &Expression, text: &str) -> Vec<Range<usize>> {
        let Some(needs) = expression.needs() else { return Vec::new() };
        let mut found: Vec<Range<usize>> = needs
            .literals
            .iter()
            .flat_map(|literal| text.match_indices(literal.as_str()))
            .map(|(at, literal)| at..at + literal.len())
            .collect();
        found.sort_by_key(|range| range.start);
        found
    }

    #[test]
    fn what_is_found_around_literals_is_what_is_found_without_them() {
        let expressions = [
            r"\bsection 47\b",
            r"\b(hearings?|trial) (is |on )?(the )?\d{1,2}(st|nd|rd|th)?\b",
            r"\b(my|our) (\w+ ){0,2}(sons?|daughters?)\b",
            r"whos? .{0,15}boss",
            r"\bto the (manager|head)\b[^.]{0,20}\b(council|trust)\b",
            r"^dear [a-z]+$",
            r"[.!?] \w+ (8|9|1[0-7])[. \n]*$",
            r"boss.{0,3}",
            r"a{2,5}b",
        ];
        let texts = [
            "",
            "section 47",
            "a section 47a and section 47. our two sons and my great big daughter. my sons",
            "who is the boss, who the boss or whos my bossy boss?\nthe trial is on the 9th",
            "hearings on 3rd £ trial 12. to the head of the é council to the manager at trust",
            "dear me\ndear you all\ndear sam",
            "thank you. sam 9.\nmy son. ab aab aaaaaaab baab bossboss boss",
        ];
        for written in expressions {
            let expression = Expression::new(written).unwrap();
            for text in texts {
                let all = expression.regex.find_iter(text.as_bytes());
                let all: Vec<_> = all.map(|one| one.range()).collect();
                let found = expression.matches(text, &literals(&expression, text));
                assert_eq!(found, all, "{written} in {text:?}");
            }
        }
    }
}
