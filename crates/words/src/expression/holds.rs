//! What every match of an expression holds, and how it begins: read off the expression itself.

use super::common;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Literal, Seq};
use regex_syntax::hir::{Class, ClassBytesRange, ClassUnicodeRange, Hir, HirKind, Look};

/// Literals of one beginning at most.
const MOST_LITERALS: usize = 64;
/// Pieces that are read together for how they begin.
const TOGETHER: usize = 3;
/// Literals of one set at most.
const MOST_TOGETHER: usize = 400;
/// Where its literals stand so often among 10,000 words, an expression is as well tried everywhere.
const EVERYWHERE: u32 = 2_000;
/// What costs less needs nothing looked for beside it.
const RARE: u32 = 60;
/// What is looked for beside the first must be rarer than this among 10,000 words.
const SELDOM: u32 = 150;
/// How much more a literal costs behind which an expression does not begin: each place before it is tried.
const SOUGHT: u32 = 3;

/// What every match of an expression holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Needs {
    /// One of these.
    pub literals: Vec<String>,
    /// At the beginning of a word.
    pub at_word: bool,
    /// How far before its literal a match begins at most, in bytes. Nothing where there is no most.
    pub(super) before: Option<usize>,
}

impl Needs {
    /// Whether every match begins with its literal: a match begins nowhere else.
    pub(super) fn begins(&self) -> bool {
        self.before == Some(0)
    }
}

/// What must stand in a text before an expression can match, as far as that is worth asking: first the
/// literals near which it is tried, then what else must stand near those; and what it begins with, however
/// common, where that says at which places near them it is tried at all.
pub(super) fn needs(hir: &Hir) -> Vec<Needs> {
    // Most begin with words rare enough, and need not be looked at further.
    let beginning = beginning(hir).filter(|needs| cost(needs) < RARE);
    if let Some(needs) = beginning {
        return vec![needs];
    }
    let priced = held(hir).into_iter().map(|(at, needs)| (cost(&needs), at, needs));
    let mut sets: Vec<(u32, usize, Needs)> =
        priced.filter(|(cost, _, _)| *cost < EVERYWHERE).collect();
    sets.sort_by_key(|(cost, _, _)| *cost);
    let mut sets = sets.into_iter();
    let Some((_, place, first)) = sets.next() else { return Vec::new() };
    let sets: Vec<_> = sets.collect();
    // What stands close by is a part of the same words.
    let other = sets.iter().find(|(_, at, _)| at.abs_diff(place) > 1);
    let other = other.filter(|(_, _, needs)| rate(needs) < SELDOM);
    let mut needs: Vec<Needs> =
        std::iter::once(first).chain(other.map(|(_, _, other)| other.clone())).collect();
    if !needs.iter().any(Needs::begins) {
        needs.extend(sets.into_iter().map(|(_, _, needs)| needs).find(Needs::begins));
    }
    needs
}

/// The cheapest of what every match begins with, behind the boundary of a word at most.
fn beginning(hir: &Hir) -> Option<Needs> {
    let (begins, behind) = match hir.kind() {
        HirKind::Capture(capture) => return beginning(&capture.sub),
        HirKind::Concat(pieces) if matches!(pieces.first().map(Hir::kind), Some(HirKind::Look(look)) if is_word(*look)) =>
        {
            let next = pieces.get(1..pieces.len().min(TOGETHER + 1)).unwrap_or_default();
            (together(&next.iter().map(begins).collect::<Vec<_>>()), Behind::Boundary)
        }
        HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => (begins(hir), Behind::Anything),
    };
    let needs = |literals: Vec<String>| {
        let at_word = behind.at_word(&literals);
        Needs { literals, at_word, before: Some(0) }
    };
    prefixes(&begins).into_iter().map(needs).min_by_key(cost)
}

/// Every set of which each match holds one, with the number of its piece.
fn held(hir: &Hir) -> Vec<(usize, Needs)> {
    let here = |begins: &Seq| {
        let all = prefixes(begins).into_iter();
        all.map(|literals| (0, Needs { literals, at_word: false, before: Some(0) }))
    };
    match hir.kind() {
        HirKind::Capture(capture) => held(&capture.sub),
        // The first time of several, which every match has.
        HirKind::Repetition(again) if again.min > 0 => {
            held(&again.sub).into_iter().map(|(_, needs)| (0, needs)).collect()
        }
        HirKind::Concat(pieces) => {
            let begin: Vec<Seq> = pieces.iter().map(begins).collect();
            let mut before = Some(0);
            let mut found: Vec<(usize, Needs)> = here(&together(&begin)).collect();
            let mut number = 0;
            for (at, piece) in pieces.iter().enumerate() {
                let behind = Behind::of(pieces.get(..at).unwrap_or_default());
                if at > 0 && piece.properties().minimum_len() != Some(0) {
                    let next = begin.get(at..pieces.len().min(at + TOGETHER)).unwrap_or_default();
                    let literals = prefixes(&together(next)).into_iter();
                    found.extend(literals.map(|literals| {
                        let at_word = behind.at_word(&literals);
                        (number, Needs { literals, at_word, before })
                    }));
                }
                let mut last = number;
                for (inner_number, inner) in held(piece) {
                    let before = before.zip(inner.before).map(|(before, inner)| before + inner);
                    // What begins where the piece begins, begins where a word does.
                    let at_word =
                        inner.at_word || (inner.begins() && behind.at_word(&inner.literals));
                    found.push((number + inner_number, Needs { at_word, before, ..inner }));
                    last = last.max(number + inner_number);
                }
                let longest = piece.properties().maximum_len();
                before = before.zip(longest).map(|(before, longest)| before + longest);
                number = last + usize::from(longest != Some(0));
            }
            found
        }
        HirKind::Alternation(ways) => {
            let ways: Vec<Vec<(usize, Needs)>> = ways.iter().map(held).collect();
            let one_of_each = |beginning: bool| -> Option<Needs> {
                let each = ways.iter().map(|sets| {
                    let sets = sets.iter().map(|(_, needs)| needs);
                    sets.filter(|needs| !beginning || needs.begins()).min_by_key(|n| cost(n))
                });
                let each: Vec<&Needs> = each.collect::<Option<_>>()?;
                let mut befores = each.iter().map(|needs| needs.before);
                let together = Needs {
                    at_word: each.iter().all(|needs| needs.at_word),
                    before: befores
                        .try_fold(0, |most, before| before.map(|before| most.max(before))),
                    literals: each.iter().flat_map(|needs| needs.literals.clone()).collect(),
                };
                Some(together).filter(|needs| needs.literals.len() <= MOST_TOGETHER)
            };
            let together = [one_of_each(true), one_of_each(false)];
            here(&begins(hir))
                .chain(together.into_iter().flatten().map(|needs| (0, needs)))
                .collect()
        }
        HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_) => here(&begins(hir)).collect(),
    }
}

/// How surely what follows some pieces begins a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// Something of no word, or the beginning of a line: whatever follows.
    Mark,
    /// The boundary of a word: a letter or figure that follows.
    Boundary,
    /// Anything.
    Anything,
}

impl Behind {
    fn of(pieces: &[Hir]) -> Self {
        match (pieces.last().map(Hir::kind), end_apart(pieces)) {
            (_, (true, false)) => Self::Mark,
            (Some(HirKind::Look(look)), _) if is_word(*look) => Self::Boundary,
            _ => Self::Anything,
        }
    }

    /// Whether these stand at the beginning of a word there.
    fn at_word(self, literals: &[String]) -> bool {
        let of_word = |literal: &String| literal.starts_with(char::is_alphanumeric);
        self == Self::Mark || (self == Self::Boundary && literals.iter().all(of_word))
    }
}

/// Whether every match of an expression ends with what is of no word, or where a line begins; and whether it
/// may hold nothing at all.
fn ends_apart(hir: &Hir) -> (bool, bool) {
    let mark = |byte: u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    match hir.kind() {
        HirKind::Look(Look::Start | Look::StartLF) => (true, false),
        HirKind::Empty | HirKind::Look(_) => (true, true),
        HirKind::Literal(literal) => (literal.0.last().copied().is_some_and(mark), false),
        HirKind::Class(Class::Bytes(class)) => {
            let marks = |range: &ClassBytesRange| (range.start()..=range.end()).all(mark);
            (class.ranges().iter().all(marks), false)
        }
        HirKind::Class(Class::Unicode(class)) => {
            let marks = |range: &ClassUnicodeRange| {
                range.end().is_ascii()
                    && (range.start()..=range.end()).all(|letter| !letter.is_ascii_alphanumeric())
            };
            (class.ranges().iter().all(marks), false)
        }
        HirKind::Repetition(again) => {
            let (apart, nothing) = ends_apart(&again.sub);
            (apart, nothing || again.min == 0)
        }
        HirKind::Capture(capture) => ends_apart(&capture.sub),
        HirKind::Concat(pieces) => end_apart(pieces),
        HirKind::Alternation(ways) => {
            let ways = ways.iter().map(ends_apart);
            ways.fold((true, false), |(apart, nothing), way| (apart && way.0, nothing || way.1))
        }
    }
}

/// The same of pieces one behind the other: what may be nothing leaves it to what stands before it.
fn end_apart(pieces: &[Hir]) -> (bool, bool) {
    let mut ends = pieces.iter().rev().map(ends_apart);
    ends.find(|(apart, nothing)| !apart || !nothing).unwrap_or((true, true))
}

/// What it costs to try an expression at these literals, and to look for them.
fn cost(needs: &Needs) -> u32 {
    let tried = rate(needs).saturating_mul(if needs.begins() { 1 } else { SOUGHT });
    tried.saturating_add(u32::try_from(needs.literals.len()).unwrap_or(u32::MAX))
}

/// How often one of these literals stands among 10,000 words, as far as letters to a council tell.
fn rate(needs: &Needs) -> u32 {
    let rates = needs.literals.iter().map(|literal| common::rate(literal, needs.at_word));
    rates.fold(0, u32::saturating_add)
}

/// What every match begins with, where that says something: as far as it is known, and of that the first
/// word alone.
fn prefixes(begins: &Seq) -> Vec<Vec<String>> {
    let literals: Option<Vec<String>> = begins.literals().and_then(|literals| {
        let text = |literal: &Literal| String::from_utf8(literal.as_bytes().to_vec()).ok();
        literals.iter().map(text).collect()
    });
    let said = |literals: &Vec<String>| {
        !literals.is_empty() && literals.iter().all(|literal| !literal.is_empty())
    };
    let Some(literals) = literals.filter(said) else { return Vec::new() };
    let mut words: Vec<String> = literals.iter().map(|literal| first_word(literal)).collect();
    words.sort_unstable();
    words.dedup();
    if words.len() < literals.len() { vec![words, literals] } else { vec![literals] }
}

/// The first word of a literal, with the mark behind it.
fn first_word(literal: &str) -> String {
    let mut in_word = false;
    let end = literal.char_indices().find(|(_, c)| {
        let ends = in_word && !c.is_alphanumeric();
        in_word = c.is_alphanumeric();
        ends
    });
    let end = end.map_or(literal.len(), |(at, c)| at + c.len_utf8());
    literal.get(..end).unwrap_or(literal).to_owned()
}

/// What matches begin with, one of them each, where those are few.
fn begins(hir: &Hir) -> Seq {
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_total(MOST_LITERALS).limit_repeat(4);
    let mut found = extractor.extract(hir);
    found.dedup();
    found
}

/// What matches of pieces one behind the other begin with, of what those of each begin with.
fn together(pieces: &[Seq]) -> Seq {
    let mut all = Seq::singleton(Literal::exact(Vec::new()));
    for piece in pieces {
        if all.is_inexact() {
            break;
        }
        let mut next = piece.clone();
        if all.max_cross_len(&next).is_some_and(|many| many > MOST_LITERALS) {
            next.make_infinite();
        }
        all.cross_forward(&mut next);
    }
    all.dedup();
    all
}

/// A whole word of any kind that an expression begins with (`\b\w+ mum`): every word is one, so what follows
/// is looked for, with the word's last letter before it, and the word's beginning once that is found.
#[derive(Debug, Clone)]
pub(super) struct Lead {
    /// By byte: whether the word may be of it.
    letters: Box<[bool; 256]>,
}

impl Lead {
    /// Takes it off an expression, where that changes nothing but where matches begin.
    pub(super) fn split_off(hir: Hir) -> (Hir, Option<Self>) {
        let HirKind::Concat(pieces) = hir.kind() else { return (hir, None) };
        let [look, word, rest @ ..] = pieces.as_slice() else { return (hir, None) };
        let (HirKind::Look(look), HirKind::Repetition(word)) = (look.kind(), word.kind()) else {
            return (hir, None);
        };
        let one_or_more = word.min == 1 && word.max.is_none() && word.greedy;
        let (mut letters, mut next) = (Box::new([false; 256]), [false; 256]);
        let of_bytes = matches!(word.sub.kind(), HirKind::Class(Class::Bytes(_)));
        if !is_word(*look) || !one_or_more || !of_bytes || first_bytes(&word.sub, &mut letters) {
            return (hir, None);
        }
        // Where the word ends must be plain.
        let rest = Hir::concat(rest.to_vec());
        let may_end = first_bytes(&rest, &mut next);
        let word_only =
            letters.iter().zip(0..=u8::MAX).all(|(of, byte)| !of || of_word(byte) || byte > 0x7f);
        if may_end || !word_only || letters.iter().zip(&next).any(|(of, next)| *of && *next) {
            return (hir, None);
        }
        (Hir::concat(vec![(*word.sub).clone(), rest]), Some(Self { letters }))
    }

    /// Where the word begins of which a letter stands at a place; nothing where it is the end of another.
    pub(super) fn begins(&self, text: &[u8], at: usize) -> Option<usize> {
        let of = |byte: &u8| self.letters.get(usize::from(*byte)).copied().unwrap_or_default();
        let before = text.get(..at)?.iter().rev().take_while(|byte| of(byte)).count();
        let of_word_at = |at: usize| text.get(at).copied().is_some_and(of_word);
        // Letters beyond ASCII are of the word, but count as none where a word's beginning is sought.
        (at - before..=at)
            .find(|start| start.checked_sub(1).is_some_and(of_word_at) != of_word_at(*start))
    }
}

pub(super) const fn of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_word(look: Look) -> bool {
    matches!(look, Look::WordAscii | Look::WordUnicode)
}

/// The bytes that a match may begin with. Whether it may also hold none.
fn first_bytes(hir: &Hir, first: &mut [bool; 256]) -> bool {
    let mut set = |from: u8, to: u8| {
        (from..=to).for_each(|byte| {
            if let Some(slot) = first.get_mut(usize::from(byte)) {
                *slot = true;
            }
        });
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => literal.0.first().is_none_or(|byte| {
            set(*byte, *byte);
            false
        }),
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().for_each(|range| set(range.start(), range.end()));
            false
        }
        HirKind::Class(Class::Unicode(class)) => {
            for range in class.ranges() {
                let ascii = |letter: char| u8::try_from(letter).ok().filter(u8::is_ascii);
                if let Some(from) = ascii(range.start()) {
                    set(from, ascii(range.end()).unwrap_or(0x7f));
                }
                if ascii(range.end()).is_none() {
                    set(0x80, 0xff);
                }
            }
            false
        }
        HirKind::Repetition(again) => first_bytes(&again.sub, first) || again.min == 0,
        HirKind::Capture(capture) => first_bytes(&capture.sub, first),
        HirKind::Concat(pieces) => pieces.iter().all(|piece| first_bytes(piece, first)),
        HirKind::Alternation(ways) => {
            let mut none = false;
            for way in ways {
                none |= first_bytes(way, first);
            }
            none
        }
    }
}
