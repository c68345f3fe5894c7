//! Regular expressions, and what must stand in a text before one of them is tried at all.
//!
//! Nearly every expression is not in nearly every message. So each is read for sets of literals of which every
//! match holds one ([`holds`]). Those are looked for together with all rules' phrases, in one pass; the
//! expression itself is tried only where one of each set stands near the others ([`walk`]), and its states
//! are built only when it is tried first.

mod common;
mod gap;
mod holds;
mod starts;
mod walk;

use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::nfa::thompson::{Compiler, NFA, WhichCaptures};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use holds::Lead;
pub use holds::Needs;
use starts::Starts;
use walk::States;

/// States of one expression at most.
const MOST_STATES: usize = 40_000;
/// Hits counted of one expression in one message.
const MOST_HITS: usize = 20;
/// How far from its literal a match may reach that has no longest one, in bytes.
const REACH: usize = 120;

/// An expression, ready to be tried.
#[derive(Debug, Clone)]
pub struct Expression {
    hir: Hir,
    /// What it begins with besides.
    lead: Option<Lead>,
    needs: Vec<Needs>,
    /// Which of these every match begins with.
    begins: Option<usize>,
    states: OnceLock<(States, Starts)>,
}

/// Where matches can begin, and how far each can reach.
type Window = (Range<usize>, usize);

/// What trying an expression needs to note down: kept for the next, since nearly all are tried at few places.
#[derive(Debug, Default)]
pub struct Room {
    windows: Vec<Window>,
    /// By further set: how many of its places are passed.
    passed: Vec<usize>,
    open: walk::Open,
}

impl Expression {
    /// Reads one expression of a rule. `^` and `$` are the beginning and end of a part of the
    /// message.
    ///
    /// # Errors
    /// The reader's own words, on one line.
    pub fn new(written: &str) -> Result<Self, String> {
        let last_line = |error: String| error.lines().last().unwrap_or_default().trim().to_owned();
        let hir = ParserBuilder::new()
            .multi_line(true)
            .utf8(false)
            .build()
            .parse(&plain(written))
            .map_err(|error| last_line(error.to_string()))?;
        if size(&hir) > MOST_STATES {
            return Err("it is too large: what is repeated, is repeated too often".to_owned());
        }
        let (hir, lead) = Lead::split_off(hir);
        let needs = holds::needs(&hir);
        let begins = needs.iter().position(Needs::begins);
        Ok(Self { hir, lead, needs, begins, states: OnceLock::new() })
    }

    /// Whether it fits where nothing stands.
    pub fn fits_nothing(&self) -> bool {
        self.hir.properties().minimum_len().is_none_or(|shortest| shortest == 0)
    }

    /// What must stand in a text before the expression can match: one of each. Nothing: it is always tried.
    pub fn needs(&self) -> &[Needs] {
        &self.needs
    }

    fn states(&self) -> &(States, Starts) {
        self.states.get_or_init(|| {
            let config = NFA::config().which_captures(WhichCaptures::Implicit).utf8(false);
            let built = Compiler::new().configure(config).build_from_hir(&self.hir);
            let built = built.unwrap_or_else(|fault| {
                // It has been counted, and asks for nothing that needs to be switched on.
                tracing::error!(%fault, "an expression of a rule cannot be tried");
                NFA::never_match()
            });
            let states = States::of(&built);
            let starts = Starts::of(&states);
            (states, starts)
        })
    }

    /// Its matches in a text in which the literals of each of [`Expression::needs`] begin at `places`
    /// (ascending). The same as without them, sooner; but of an expression without a longest match only
    /// what lies within 120 bytes of a literal. Only where it `looks`: a place of the first set's.
    pub fn matches(
        &self,
        text: &str,
        places: &[&[u32]],
        looks: impl Fn(usize) -> bool,
        room: &mut Room,
    ) -> Vec<Range<usize>> {
        let bytes = text.as_bytes();
        let (mut found, mut from) = (Vec::new(), 0);
        let Room { windows, passed, open } = room;
        windows.clear();
        let begins = self.begins.and_then(|number| places.get(number));
        let mut begins = begins.map(|places| places.iter().map(|at| *at as usize).peekable());
        self.windows(text.len(), places, looks, (passed, windows));
        if windows.is_empty() {
            return found;
        }
        let (states, starts) = self.states();
        for (places, end) in windows.drain(..) {
            from = from.max(places.start);
            while found.len() < MOST_HITS
                && let Some(at) = match &mut begins {
                    Some(begins) => next_of(begins, from..places.end),
                    None => starts.next(bytes, from..places.end),
                }
            {
                from = at + 1;
                if let Some(end) = states.match_at(bytes, at, end, open) {
                    let lead = self.lead.as_ref();
                    let Some(at) = lead.map_or(Some(at), |lead| lead.begins(bytes, at)) else {
                        continue;
                    };
                    from = end.max(from);
                    // Classes count bytes: what begins or ends within a letter takes it in whole.
                    found.push(text.floor_char_boundary(at)..text.ceil_char_boundary(end));
                }
            }
        }
        found
    }

    /// Where matches can begin, ascending, none touching another, and how far each can reach.
    fn windows(
        &self,
        length: usize,
        places: &[&[u32]],
        looks: impl Fn(usize) -> bool,
        (passed, windows): (&mut Vec<usize>, &mut Vec<Window>),
    ) {
        let Some((first, others)) = self.needs.split_first() else {
            windows.push((0..length, length));
            return;
        };
        let Some((places, near)) = places.split_first() else { return };
        let reach = self.hir.properties().maximum_len().unwrap_or(REACH);
        let before = first.before.unwrap_or(REACH).min(reach);
        passed.clear();
        passed.resize(others.len(), 0);
        for place in *places {
            let place = *place as usize;
            let starts = place.saturating_sub(before)..place + 1;
            let end = place.saturating_add(reach).min(length);
            let earliest = starts.start;
            let near = near.iter().zip(passed.iter_mut()).all(|(places, passed)| {
                while places.get(*passed).is_some_and(|place| (*place as usize) < earliest) {
                    *passed += 1;
                }
                places.get(*passed).is_some_and(|place| (*place as usize) < end)
            });
            if !near || !looks(place) {
                continue;
            }
            match windows.last_mut() {
                Some((last, furthest)) if starts.start < last.end => {
                    last.end = last.end.max(starts.end);
                    *furthest = end.max(*furthest);
                }
                _ => windows.push((starts, end)),
            }
        }
    }
}

/// The first of some places, ascending, that lies within a range. Those before it are left behind.
fn next_of(
    places: &mut std::iter::Peekable<impl Iterator<Item = usize>>,
    within: Range<usize>,
) -> Option<usize> {
    while places.next_if(|at| *at < within.start).is_some() {}
    places.next_if(|at| *at < within.end)
}

/// How many states an expression may have, counted generously.
fn size(hir: &Hir) -> usize {
    let sum = |pieces: &[Hir]| pieces.iter().map(size).fold(1, usize::saturating_add);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => class.ranges().len().saturating_mul(4),
        HirKind::Repetition(again) => {
            let times = again.max.unwrap_or(again.min.saturating_add(1)).max(1);
            let times = usize::try_from(times).unwrap_or(usize::MAX);
            size(&again.sub).saturating_add(1).saturating_mul(times)
        }
        HirKind::Capture(capture) => size(&capture.sub),
        HirKind::Concat(pieces) | HirKind::Alternation(pieces) => sum(pieces),
    }
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

#[cfg(test)]
mod tests {
    use regex::bytes::RegexBuilder;

    use super::*;

    fn needed(written: &str) -> Vec<(Vec<String>, bool)> {
        let expression = Expression::new(written).unwrap();
        expression.needs.into_iter().map(|needs| (needs.literals, needs.at_word)).collect()
    }

    #[test]
    fn every_match_holds_one_of_each_of_the_sets_that_an_expression_is_tried_for() {
        let check = |written, sets: &[(&[&str], bool)]| {
            let owned = |literals: &[&str]| literals.iter().map(ToString::to_string).collect();
            let sets: Vec<(Vec<String>, bool)> =
                sets.iter().map(|(literals, at_word)| (owned(literals), *at_word)).collect();
            assert_eq!(needed(written), sets, "{written}");
        };
        check(r"\bsection 47\b", &[(&["section 47"], true)]);
        check(
            r"\b(my|our) (\w+ ){0,4}(sons|daughters)\b",
            &[(&["sons", "daughters"], true), (&["my ", "our "], true)],
        );
        check(r"\w+[a-z !]governor", &[(&["governor"], false)]);
        check(r"\w+[.!?] (\w+ )?panel", &[(&["panel"], true)]);
        check(r"[a-z]+\b governor", &[(&[" governor"], false)]);
        check(r"[a-z]+\b(!|,)governor", &[(&["governor"], true)]);
        check(r"[a-z]+ (\w+ ){0,4}governor", &[(&["governor"], true)]);
        check(r"(mum|dad) of \w+", &[(&["mum of ", "dad of "], false)]);
        check(r"\b(parent|foster carer) [a-z]+", &[(&["parent ", "foster carer "], true)]);
        check(r"\b(the|a) \w+", &[(&["the ", "a "], true)]);
        check(r"\d+", &[(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], false)]);
        check(r"\w+", &[]);
        check(r"(case )?\w{4}", &[]);
        check(r"(abc|[a-z]+)[a-z]", &[]);
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
            let matches = tried(&expression, text);
            let first = matches.first().map(|range| &text[range.clone()]);
            assert_eq!(first, Some(found), "{written}");
        }
    }

    /// Where the literals of an expression begin, as the matcher finds them.
    fn literals(expression: &Expression, text: &str) -> Vec<Vec<u32>> {
        let of = |needs: &Needs| {
            let every = needs.literals.iter().flat_map(|literal| {
                (0..text.len()).filter(|at| text.as_bytes()[*at..].starts_with(literal.as_bytes()))
            });
            let mut places: Vec<u32> = every.map(|at| u32::try_from(at).unwrap()).collect();
            places.sort_unstable();
            places
        };
        expression.needs().iter().map(of).collect()
    }

    fn tried(expression: &Expression, text: &str) -> Vec<Range<usize>> {
        let literals = literals(expression, text);
        expression.matches(
            text,
            &literals.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            |_| true,
            &mut Room::default(),
        )
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
            r"(a|ab)(c|bcd)?",
            r"\b\w*(daughter|trust)s?\b",
            r"(^|[.!?] )(my|our) \w+",
            r"\d+(st|nd|rd|th)?",
            r"[^a-z ]+",
            r"(is |the )+boss",
            r"(\bmy|\bthe) (son|boss)",
            r"[a-z]+\b boss",
            r"(^|[.!?] )(\w+ )?(sam|sons?)\b",
            r"\b\w+ (boss|sons?|trial)\b",
            r"\b[a-z]+( is)? (the|is)\b",
            r"\b[a-z]+[a-z] (the|is)",
            r"\bmy [^.?!]{0,12}\b(sons?|great|daughters?)\b",
            r"[a-z ]*(boss|is)",
            r"[a-z ]{2,9}(boss|the)?",
            r"(\w+[ ,]*)*boss",
            r"(s*)*[ey]",
            r"a[a-c]{0,3}(b|c)?[a-c]{2,4}",
            r"(the|of) [^.]*(\b|é)(on|trusts?)\b",
            r"\w{0,3}?(a|the)",
            r"o.*?(s|é)",
            r".{0,9}\bis .*t",
        ];
        let texts = [
            "",
            "section 47",
            "a section 47a and section 47. our two sons and my great big daughter. my sons",
            "who is the boss, who the boss or whos my bossy boss?\nthe trial is on the 9th",
            "hearings on 3rd £ trial 12. to the head of the é council to the manager at trust",
            "dear me\ndear you all\ndear sam",
            "thank you. sam 9.\nmy son. ab aab aaaaaaab baab bossboss boss",
            "boss é9th boss 9th boss 1the the sam",
            "abcd abbcd ac a. is the is boss, the granddaughter of é and trusts. our é, é",
        ];
        for written in expressions {
            let expression = Expression::new(written).unwrap();
            let plainly = RegexBuilder::new(&plain(written)).multi_line(true).build().unwrap();
            for text in texts {
                let all = plainly.find_iter(text.as_bytes());
                let all: Vec<_> = all.map(|one| one.range()).collect();
                let found = tried(&expression, text);
                assert_eq!(found, all, "{written} in {text:?}");
            }
        }
    }

    #[test]
    fn an_expression_that_leads_nowhere_in_many_ways_ends_soon() {
        let expression = Expression::new(r"x(a*)*(a|b|ab)*(\w+ ?)*y").unwrap();
        let text = format!("x{}", "ab".repeat(2_000));
        let began = std::time::Instant::now();
        assert!(tried(&expression, &text).is_empty());
        assert!(began.elapsed().as_secs() < 5);
        let lines = Expression::new(r"x(\w* )*(\w+ [a-z ]*)*[a-z ]{0,90}y").unwrap();
        assert!(tried(&lines, &format!("x{}", "ab ".repeat(3_000))).is_empty());
        assert!(began.elapsed().as_secs() < 5);
        let text = format!("x{}y", "ab".repeat(40));
        assert_eq!(tried(&expression, &text), vec![Range { start: 0, end: text.len() }]);
    }

    #[test]
    fn what_is_repeated_too_often_is_refused() {
        assert!(Expression::new(r"(\w{200} ){300}").unwrap_err().contains("too large"));
        assert!(Expression::new(r"(ab|c){0,900}").is_ok());
    }
}
