//! Where in a text a match may begin, as far as the letters before and after the place tell.

use std::ops::Range;

use regex_automata::util::look::Look;

use super::holds::of_word;
use super::walk::{States, Step};

/// By what stands before a place, which two bytes may stand behind it.
#[derive(Debug, Clone)]
pub(super) struct Starts {
    /// Pairs of bytes, one bit each; several pairs may share one.
    pairs: [Pairs; BEFORE],
}

/// See [`Starts`].
type Pairs = [u64; 16];

/// What may stand before a place: nothing or a line's end; a mark; a letter or figure; a part of a letter beyond
/// ASCII, of which the expression itself finds out whether it belongs to a word.
const BEFORE: usize = 4;
/// See [`BEFORE`].
const LINE: usize = 0;
/// The same as bits: any of them.
const ANYTHING: u8 = (1 << BEFORE) - 1;
/// See [`BEFORE`].
const MARK: usize = 1;
/// See [`BEFORE`].
const LETTER: usize = 2;

impl Starts {
    /// Reads off the states of an expression how its matches begin.
    pub(super) fn of(states: &States) -> Self {
        let mut starts = Self { pairs: [[0; 16]; BEFORE] };
        let everywhere = Open { state: 0, before: ANYTHING, at_word: false };
        for (from, to, next, open) in firsts(states, everywhere, &mut starts) {
            let second = seconds(states, next);
            for byte in from..=to {
                for before in 0..BEFORE {
                    let may = open.before & 1 << before != 0;
                    if may && (!open.at_word || word_changes(before, byte)) {
                        starts.add(before, byte, &second);
                    }
                }
            }
        }
        starts
    }

    fn add(&mut self, before: usize, first: u8, second: &[bool; 256]) {
        let Some(pairs) = self.pairs.get_mut(before) else { return };
        for (second, _) in (0..=u8::MAX).zip(second).filter(|(_, may)| **may) {
            let (word, bit) = place(first, second);
            if let Some(word) = pairs.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// A match may begin anywhere, as far as can be told.
    fn add_all(&mut self) {
        self.pairs = [[u64::MAX; 16]; BEFORE];
    }

    /// The first of some places at which a match may begin.
    pub(super) fn next(&self, text: &[u8], places: Range<usize>) -> Option<usize> {
        let mut before = match places.start.checked_sub(1) {
            Some(at) => before(*text.get(at)?),
            None => LINE,
        };
        let mut bytes = text.get(places.start..)?.iter().copied();
        let mut first = bytes.next()?;
        for at in places {
            // What ends the text is told by the byte that no text holds.
            let second = bytes.next();
            let (word, bit) = place(first, second.unwrap_or_default());
            if self.pairs.get(before)?.get(word)? & bit != 0 {
                return Some(at);
            }
            before = self::before(first);
            first = second?;
        }
        None
    }
}

/// A way that is open before anything is read.
#[derive(Clone, Copy)]
struct Open {
    state: u32,
    /// What may stand before, as bits.
    before: u8,
    /// A word begins or ends here.
    at_word: bool,
}

/// The bytes that a match may begin with, from and to, with the state behind them. Where it may hold nothing, it
/// begins anywhere.
fn firsts(states: &States, open: Open, starts: &mut Starts) -> Vec<(u8, u8, u32, Open)> {
    let (mut found, mut todo, mut been) = (Vec::new(), vec![open], Vec::new());
    while let Some(open) = todo.pop() {
        let this = (open.state, open.before, open.at_word);
        if been.contains(&this) {
            continue;
        }
        been.push(this);
        match states.step_of(open.state) {
            Step::Byte(range) => found.push((range.from, range.to, range.next, open)),
            Step::OneOf(first, many) => {
                let ranges = states.ranges(first, many).iter();
                found.extend(ranges.map(|range| (range.from, range.to, range.next, open)));
            }
            Step::Ways(first, many) => {
                let ways = states.ways(first, many).iter();
                todo.extend(ways.map(|way| Open { state: way.next, ..open }));
            }
            Step::Gap(number) => {
                let Some(gap) = states.gap(number) else { continue };
                found.extend(gap.bytes().map(|byte| (byte, byte, open.state, open)));
                todo.push(Open { state: gap.next, ..open });
            }
            Step::Look(look, next) => {
                let mut open = Open { state: next, ..open };
                // What else must be so, the expression itself finds out.
                if matches!(look, Look::Start | Look::StartLF) {
                    open.before &= 1 << LINE;
                } else if matches!(look, Look::WordAscii | Look::WordUnicode) {
                    open.at_word = true;
                }
                todo.push(open);
            }
            Step::Match => starts.add_all(),
            Step::Fail => {}
        }
    }
    found
}

/// The bytes that may stand behind the first.
fn seconds(states: &States, state: u32) -> [bool; 256] {
    let mut nothing = Starts { pairs: [[0; 16]; BEFORE] };
    let open = Open { state, before: ANYTHING, at_word: false };
    let mut may = [false; 256];
    for (from, to, _, _) in firsts(states, open, &mut nothing) {
        (from..=to).for_each(|byte| {
            if let Some(slot) = may.get_mut(usize::from(byte)) {
                *slot = true;
            }
        });
    }
    // The match may end, or the text.
    if nothing.pairs.iter().flatten().any(|bits| *bits != 0) { [true; 256] } else { may }
}

/// Where a pair stands. Letters differ in their last five bits.
fn place(first: u8, second: u8) -> (usize, u64) {
    let number = (usize::from(first) << 5 ^ usize::from(second)) & 1023;
    (number / 64, 1 << (number % 64))
}

/// What a byte is to the place behind it.
fn before(byte: u8) -> usize {
    match byte {
        b'\n' => LINE,
        _ if of_word(byte) => LETTER,
        _ if byte.is_ascii() => MARK,
        _ => BEFORE - 1,
    }
}

/// Whether a word may begin or end between what stands before and a byte.
fn word_changes(before: usize, first: u8) -> bool {
    match before {
        LINE | MARK => !first.is_ascii() || of_word(first),
        LETTER => !of_word(first),
        _ => true,
    }
}
