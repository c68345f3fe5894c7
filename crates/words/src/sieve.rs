//! One search over a text for what many patterns cannot match without.
//!
//! Nearly no pattern matches nearly any text, and to find that out one pattern at a time costs more than all the rest.
//! So each is read for literals of which every match holds one, and one pass looks for those of all of them. What it
//! lets through is tried as ever; nothing that matches is held back.

use std::ops::Range;

use memchr::memmem::Finder;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// Which of a sieve's patterns may match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct May(u64);

impl May {
    /// Whether the pattern of that number may match.
    pub fn has(self, number: usize) -> bool {
        self.0 & bit(number) != 0
    }

    /// How many of the patterns of these numbers may.
    pub fn count(self, numbers: Range<usize>) -> usize {
        numbers.filter(|number| self.has(*number)).count()
    }

    /// What may match one text or another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

fn bit(number: usize) -> u64 {
    u32::try_from(number).ok().and_then(|number| 1_u64.checked_shl(number)).unwrap_or_default()
}

/// A search for what patterns cannot match without.
///
/// An automaton would wait at every byte for its next state to come out of a table that no cache near the processor
/// holds. So the rarest four letters of each needle are taken for it: a small table tells of any four in a text whether
/// they may be some needle's, none of these questions waits for another, and few are answered yes.
pub struct Sieve {
    /// By the hash of four letters, a bit: whether they may be some needle's.
    may: Box<[u64; HASHES / 64]>,
    /// By a shorter hash: the first needle with it, counted from 1.
    first: Vec<u16>,
    /// By the same hash, a bit: whether some needle has no more than those three letters.
    threes: [u64; SHORT_HASHES / 64],
    needles: Vec<Needle>,
    /// Needles of one or two bytes that are no letters of ASCII.
    short: Vec<(Finder<'static>, u64)>,
    /// Patterns that nothing can be told of.
    always: u64,
}

/// What is looked for.
struct Needle {
    /// In small letters.
    text: String,
    /// Its rarest four letters, and where they begin; three where it has no more.
    key: u32,
    at: usize,
    /// The patterns that it speaks for.
    of: u64,
    /// The next with the same short hash, counted from 1.
    next: u16,
}

/// Hashes of four letters, and short ones.
const HASHES: usize = 1 << 16;
const SHORT_HASHES: usize = 1 << 10;

/// Makes small letters of capitals, and other marks of marks: needles are compared in full where this agrees.
const SMALL: u8 = 0x20;
/// The same for four at once.
const EACH_SMALL: u32 = u32::from_ne_bytes([SMALL; 4]);
/// A key of three letters lacks the last.
const THREE: u32 = 0x00ff_ffff;

fn hash(key: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B1) >> 16) as usize
}

fn short_hash(key: u32) -> usize {
    (key.wrapping_mul(0x85EB_CA6B) >> 22) as usize
}

impl Sieve {
    /// Of patterns, as the library for regular expressions takes them, with the numbers by which they are asked for,
    /// each below 64. They may begin with flags, and are searched in any case.
    ///
    /// # Panics
    /// Where a pattern is none: those of a program are constants, and its tests show it.
    pub fn of(patterns: &[(usize, &str)]) -> Self {
        let mut needles: Vec<(String, u64)> = Vec::new();
        let (mut always, mut all) = (0, 0);
        for (number, pattern) in patterns {
            all |= bit(*number);
            match needed(&small(pattern)).map(fewest) {
                Some(of_it) => needles.extend(of_it.into_iter().map(|one| (one, bit(*number)))),
                None => always |= bit(*number),
            }
        }
        // Letters that a pattern takes for an s or a k, and a search by bytes does not.
        needles.extend(["\u{17f}", "\u{212a}"].map(|letter| (letter.to_owned(), all)));
        let mut sieve = Self {
            may: Box::new([0; HASHES / 64]),
            first: vec![0; SHORT_HASHES],
            threes: [0; SHORT_HASHES / 64],
            needles: Vec::new(),
            short: Vec::new(),
            always,
        };
        for (text, of) in needles {
            sieve.add(text, of);
        }
        sieve
    }

    fn add(&mut self, text: String, of: u64) {
        if text.len() < 3 && !text.contains(|letter: char| letter.is_ascii_alphabetic()) {
            self.short.push((Finder::new(&text).into_owned(), of));
            return;
        }
        let Some((at, key, whole)) = rarest(text.as_bytes()) else {
            self.always |= of;
            return;
        };
        let fourth = if whole { 0..=0 } else { 0..=u32::from(u8::MAX) };
        for key in fourth.map(|fourth| key | fourth << 24) {
            let hash = hash(key | u32::from(SMALL) << 24);
            if let Some(word) = self.may.get_mut(hash / 64) {
                *word |= 1 << (hash % 64);
            }
        }
        let short = short_hash(key);
        if let Some(word) = self.threes.get_mut(short / 64).filter(|_| !whole) {
            *word |= 1 << (short % 64);
        }
        let first = self.first.get_mut(short);
        let number = u16::try_from(self.needles.len() + 1).ok();
        if let (Some(first), Some(number)) = (first, number) {
            self.needles.push(Needle { text, key, at, of, next: std::mem::replace(first, number) });
        } else {
            self.always |= of;
        }
    }

    /// Those that nothing can be told of: they may match any text.
    pub fn blind_to(&self) -> May {
        May(self.always)
    }

    /// Which of the patterns may match a text, or anything in it.
    pub fn may(&self, text: &str) -> May {
        let text = text.as_bytes();
        let mut may = self.always;
        let is_ascii = text.is_ascii();
        for (needle, of) in &self.short {
            if is_ascii && !needle.needle().is_ascii() {
                continue;
            }
            if needle.find(text).is_some() {
                may |= of;
            }
        }
        let mut look = |start: usize, letters: [u8; 4]| {
            let key = u32::from_le_bytes(letters) | EACH_SMALL;
            let hash = hash(key);
            let word = self.may.get(hash / 64).copied().unwrap_or_default();
            if word >> (hash % 64) & 1 != 0 {
                may = self.found(text, start, key, may);
            }
        };
        for (start, letters) in text.array_windows::<4>().enumerate() {
            look(start, *letters);
        }
        // What stands at the end may have no fourth letter.
        if let Some([first, second, third]) = text.last_chunk() {
            look(text.len() - 3, [*first, *second, *third, 0]);
        }
        May(may)
    }

    /// With the patterns of the needles whose four or three letters begin here: only those that are not among what
    /// may match already are compared.
    #[cold]
    fn found(&self, text: &[u8], start: usize, key: u32, mut may: u64) -> u64 {
        let three = short_hash(key & THREE);
        let is_three =
            self.threes.get(three / 64).is_some_and(|word| word >> (three % 64) & 1 != 0);
        for key in std::iter::once(key).chain(is_three.then_some(key & THREE)) {
            let mut next = self.first.get(short_hash(key)).copied().unwrap_or_default();
            while let Some(needle) =
                usize::from(next).checked_sub(1).and_then(|n| self.needles.get(n))
            {
                let is_new = needle.key == key && may & needle.of != needle.of;
                let begins = start.checked_sub(needle.at).filter(|_| is_new);
                let there = begins.and_then(|from| text.get(from..from + needle.text.len()));
                if there.is_some_and(|there| there.eq_ignore_ascii_case(needle.text.as_bytes())) {
                    may |= needle.of;
                }
                next = needle.next;
            }
        }
        may
    }
}

/// The rarest four letters that stand together, where they begin and their key; of a text of three, these.
/// Whether there are four. None where there are fewer than three.
fn rarest(text: &[u8]) -> Option<(usize, u32, bool)> {
    let key = |letters: &[u8]| {
        let all = letters.iter().zip([0, 8, 16, 24]);
        all.fold(0, |key, (byte, shift)| key | u32::from(byte | SMALL) << shift)
    };
    let rate = |letters: &[u8]| letters.iter().map(|letter| often(*letter)).product::<u32>();
    let windows = text.windows(4).enumerate();
    match windows.min_by_key(|(_, letters)| rate(letters)) {
        Some((at, letters)) => Some((at, key(letters), true)),
        None => (text.len() == 3).then(|| (0, key(text), false)),
    }
}

/// How often a letter stands among a hundred of a letter in English, roughly.
fn often(letter: u8) -> u32 {
    match letter.to_ascii_lowercase() {
        b' ' => 18,
        b'e' => 10,
        b't' | b'a' | b'o' | b'i' | b'n' | b's' => 7,
        b'r' | b'h' | b'l' | b'd' => 5,
        b'u' | b'c' | b'm' | b'f' | b'y' | b'w' | b'g' | b'p' => 3,
        b'b' | b'v' | b'-' => 2,
        _ => 1,
    }
}

/// A pattern for small letters alone: the search takes those of ASCII for either, and one literal does for all its
/// spellings.
fn small(pattern: &str) -> Hir {
    let flags = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    let cased = match flags {
        Some((flags, rest)) if flags.chars().all(char::is_alphabetic) => {
            let others = flags.replace('i', "");
            if others.is_empty() { rest.to_owned() } else { format!("(?{others}){rest}") }
        }
        _ => pattern.to_owned(),
    };
    regex_syntax::parse(&cased).expect("patterns are constants of a program")
}

/// Pieces that are read together for how they begin.
const TOGETHER: usize = 8;
/// Literals of one beginning, and of one pattern, at most.
const MOST_BEGINNINGS: usize = 200;
const MOST_LITERALS: usize = 1_000;

/// Literals of which every match holds one: the rarest, as far as their lengths tell. None where there are none.
fn needed(hir: &Hir) -> Option<Vec<String>> {
    let inner: Vec<Vec<String>> = match hir.kind() {
        HirKind::Capture(capture) => needed(&capture.sub).into_iter().collect(),
        HirKind::Repetition(again) if again.min > 0 => needed(&again.sub).into_iter().collect(),
        HirKind::Alternation(ways) => {
            let each: Option<Vec<Vec<String>>> = ways.iter().map(needed).collect();
            each.map(|each| each.concat()).into_iter().collect()
        }
        HirKind::Concat(pieces) => {
            let from = |at: usize| {
                let next = pieces.get(at..pieces.len().min(at + TOGETHER)).unwrap_or_default();
                beginnings(&Hir::concat(next.to_vec()))
            };
            (0..pieces.len()).filter_map(from).chain(pieces.iter().filter_map(needed)).collect()
        }
        HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_) => Vec::new(),
    };
    let all = inner.into_iter().chain(beginnings(hir));
    all.filter(|literals| literals.len() <= MOST_LITERALS)
        .min_by(|one, other| cost(one).total_cmp(&cost(other)))
}

/// What every match begins with, where that says something.
fn beginnings(hir: &Hir) -> Option<Vec<String>> {
    let found = Extractor::new().limit_total(MOST_BEGINNINGS).extract(hir);
    let literals = found.literals()?.iter();
    let needles: Option<Vec<Vec<String>>> =
        literals.map(|literal| needles(std::str::from_utf8(literal.as_bytes()).ok()?)).collect();
    let mut needles = needles?.concat();
    needles.sort_unstable();
    needles.dedup();
    (!needles.is_empty()).then_some(needles)
}

/// How often one of these may stand in a text, as far as their letters tell: blanks and the marks that lines are drawn
/// with stand anywhere.
fn cost(literals: &[String]) -> f64 {
    let telling = |letter: char| match letter {
        ' ' | '-' | '_' | '=' | '*' | '#' | '.' => 0.4,
        '$' | '%' | '@' => 1.5,
        _ => 1.0,
    };
    let all = |literal: &String| literal.chars().map(telling).sum::<f64>();
    literals.iter().map(|literal| 0.125_f64.powf(all(literal))).sum()
}

/// Letters of one literal at most: more make the search larger and tell no more.
const MOST_LETTERS: usize = 20;

fn cut(mut literal: String) -> String {
    literal.truncate(literal.floor_char_boundary(MOST_LETTERS));
    literal
}

/// The same with less to look for: no more letters than tell, and none that holds another.
fn fewest(literals: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = literals.into_iter().map(cut).collect();
    all.sort_by_key(String::len);
    let mut kept: Vec<String> = Vec::new();
    for literal in all {
        if !kept.iter().any(|shorter| literal.contains(shorter.as_str())) {
            kept.push(literal);
        }
    }
    kept.sort_unstable();
    kept
}

/// Spellings of one literal at most.
const MOST_SPELLINGS: usize = 16;

/// What is looked for where a literal stands: its beginning in every spelling, as far as those are few, or a part of it
/// that has one, whichever tells more. None where nothing is left.
fn needles(literal: &str) -> Option<Vec<String>> {
    let plain = |letter: char| letter.is_ascii() && letter != '\'';
    // Nearly all: there is one spelling, and no part tells more than the whole.
    if literal.chars().all(plain) {
        return (!literal.trim().is_empty()).then(|| vec![literal.to_ascii_lowercase()]);
    }
    let mut all = vec![String::new()];
    for letter in literal.chars().take(MOST_LETTERS) {
        let spelt = spellings(letter);
        if all.len() * spelt.len() > MOST_SPELLINGS {
            break;
        }
        let with = |begun: &String| spelt.iter().map(|l| format!("{begun}{l}")).collect::<Vec<_>>();
        all = all.iter().flat_map(with).collect();
    }
    // Where there are too many spellings, what stands between the letters that have several may tell more.
    let parts = literal.split(|letter| !plain(letter)).map(|part| vec![part.to_ascii_lowercase()]);
    let tells = |needles: &Vec<String>| needles.iter().all(|needle| !needle.trim().is_empty());
    let all = parts.filter(|part| part.iter().all(|part| part.len() >= 3)).chain([all]);
    all.filter(tells).min_by(|one, other| cost(one).total_cmp(&cost(other)))
}

/// A letter as the search has to be told of it: those of ASCII it takes in either case by itself, others have two or more,
/// an apostrophe two forms.
fn spellings(letter: char) -> Vec<char> {
    if letter.is_ascii() && letter != '\'' {
        return vec![letter.to_ascii_lowercase()];
    }
    if letter == '\'' {
        return vec!['\'', '\u{2019}'];
    }
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(letter, letter)]);
    class.case_fold_simple();
    class.iter().flat_map(|range| range.start()..=range.end()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[track_caller]
    fn check(pattern: &str, want: &[&str]) {
        let found = needed(&small(pattern)).map(fewest);
        assert_eq!(found.unwrap_or_default(), want, "{pattern}");
    }

    #[test]
    fn the_rarest_literals_that_no_match_is_without() {
        check(r"(?i)\bconfidential\b", &["confidential"]);
        check(r"(?ix)\bintended\s+(?:solely\s+|only\s+)?for\b", &["intended"]);
        check(
            r"(?i)\bd[ée]s(?:abonner|inscri)",
            &["desabonner", "desinscri", "dÉsabonner", "dÉsinscri", "désabonner", "désinscri"],
        );
        check(r"(?i)my (?:son|flat)|(?:a|the) bin", &["a bin", "my flat", "my son", "the bin"]);
        check(
            r"(?i)unsubscribe (?:here|now)|unsubscribe:",
            &["unsubscribe here", "unsubscribe now", "unsubscribe:"],
        );
        check(r"(?i)\bviruses\b|virus (?:free|checked)|virus", &["virus"]);
        check(r"\$ ?\d+ ?m\b", &["$"]);
        check(r"don't", &["don't", "don\u{2019}t"]);
        check(r"(?i)\bщи\b", &["ЩИ", "Щи", "щИ", "щи"]);
        check(r"a*|b", &[]);
        check(r"\w+\s", &[]);
    }

    #[test]
    fn whatever_matches_is_let_through_wherever_it_stands() {
        let patterns = [
            r"(?i)\bvirus free\b",
            r"(?i)\bhgh\b",
            r"\$ ?\d",
            r"(?ix) \bin\ error | відписатися | \bdon't\ delay",
            r"(?i)(?:un)?subscribe:?\s+https?://",
            r"\d+",
        ];
        let numbered: Vec<(usize, &str)> = patterns.iter().copied().enumerate().collect();
        let sieve = Sieve::of(&numbered);
        assert_eq!(sieve.blind_to(), May(1 << 5), "of digits nothing can be told");
        let texts = [
            "viru\u{17f} Free",
            "VIRUS FREE",
            "virus  free",
            "HGH",
            "hg h",
            "$ 5",
            "In Error",
            "ВІДПИСАТИСЯ",
            "Don't delay",
            "SUBSCRIBE http://x",
            "",
            "é",
            "vi",
        ];
        for text in texts {
            for text in
                [text.to_owned(), format!("{text}."), format!("a {text} b"), format!("xyz {text}")]
            {
                for (number, pattern) in &numbered {
                    let matches = Regex::new(pattern).unwrap().is_match(&text);
                    assert!(!matches || sieve.may(&text).has(*number), "{pattern} in {text}");
                }
            }
        }
        let nothing = sieve.may("The bus came at nine.");
        assert_eq!(nothing, sieve.blind_to());
        assert_eq!(nothing.or(May(3)).count(0..64), 3);
        assert!(!nothing.has(64));
    }
}
