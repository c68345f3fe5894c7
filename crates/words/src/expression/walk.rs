//! Whether an expression matches from one place on.
//!
//! It is tried at few places, and nearly always fails within some letters. Then the plainest way through
//! its states is the quickest: nothing is remembered between places or messages, so that a thousand
//! expressions need no memory but their own states. Where an expression may go on in several ways, each says
//! with which letters it can: of fifty words that may follow, most are not even begun.

use std::collections::{HashMap, HashSet};

use super::gap::{self, Covered, Gap};

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::look::{Look, LookMatcher};
use regex_automata::util::primitives::StateID;

/// Steps at one place before it is remembered where each way has been, so that none is gone twice.
const MOST_STEPS: usize = 2_000;

/// Ways that are still open: a state, and how far the text is read.
pub(super) type Open = Vec<(u32, usize)>;

/// Which bytes may come next, several of the rarer ones sharing a bit; and whether the text may end.
pub(super) type Letters = u64;
/// The text may end.
const END: Letters = 1 << 63;
/// Anything may come, or nothing.
const ANY: Letters = Letters::MAX;

/// By byte: its bit.
#[expect(clippy::indexing_slicing, reason = "a byte is the number of one of 256")]
const BITS: [Letters; 256] = {
    let mut bits = [0; 256];
    let mut byte = 0_u8;
    loop {
        let bit = match byte {
            b'a'..=b'z' => byte - b'a',
            b'0'..=b'9' => 26 + byte - b'0',
            b' ' => 36,
            b'.' => 37,
            b'!' => 38,
            b'?' => 39,
            b'\n' => 40,
            0..=0x7f => 41,
            _ => 42 + (byte & 15),
        };
        bits[byte as usize] = 1 << bit;
        if byte == u8::MAX {
            break bits;
        }
        byte += 1;
    }
};

/// The states of an expression, in the order in which they are come to.
#[derive(Debug, Clone)]
pub(super) struct States {
    all: Vec<Step>,
    ways: Vec<Way>,
    ranges: Vec<Range>,
    gaps: Vec<Gap>,
    looks: LookMatcher,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A byte of a range.
    Byte(Range),
    /// A byte of one of several ranges: where they stand, and how many they are.
    OneOf(u32, u32),
    /// What must be so here, such as that a word begins.
    Look(Look, u32),
    /// One of several ways, the earlier before the later: where they stand, and how many they are.
    Ways(u32, u32),
    /// Letters of one class, and then what follows: the number of the gap.
    Gap(u32),
    Match,
    Fail,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) from: u8,
    pub(super) to: u8,
    pub(super) next: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    letters: Letters,
    pub(super) next: u32,
}

impl States {
    /// The states of an expression's machine.
    pub(super) fn of(nfa: &NFA) -> Self {
        let mut made = Making { nfa, numbers: HashMap::new(), todo: Vec::new() };
        let mut states = Self {
            all: Vec::new(),
            ways: Vec::new(),
            ranges: Vec::new(),
            gaps: Vec::new(),
            looks: LookMatcher::new(),
        };
        made.number(nfa.start_anchored());
        let mut next = 0;
        while let Some(state) = made.todo.get(next).copied() {
            next += 1;
            let step = states.step(&mut made, state);
            states.all.push(step);
        }
        states
    }

    /// What is to be done in a state; the first is 0.
    pub(super) fn step_of(&self, state: u32) -> Step {
        self.all.get(state as usize).copied().unwrap_or(Step::Fail)
    }

    /// The ranges of [`Step::OneOf`].
    pub(super) fn ranges(&self, first: u32, many: u32) -> &[Range] {
        let first = first as usize;
        self.ranges.get(first..first + many as usize).unwrap_or_default()
    }

    /// The ways of [`Step::Ways`].
    pub(super) fn ways(&self, first: u32, many: u32) -> &[Way] {
        let first = first as usize;
        self.ways.get(first..first + many as usize).unwrap_or_default()
    }

    /// The gap of [`Step::Gap`].
    pub(super) fn gap(&self, number: u32) -> Option<&Gap> {
        self.gaps.get(number as usize)
    }

    fn step(&mut self, made: &mut Making<'_>, state: StateID) -> Step {
        if let Some(found) = gap::Found::at(made.nfa, state) {
            let (letters, next) =
                (made.letters(found.end, &mut HashSet::new()), made.number(found.end));
            self.gaps.push(found.before(made.nfa, letters, next));
            return Step::Gap(count(self.gaps.len() - 1));
        }
        match made.nfa.state(state) {
            State::ByteRange { trans } => Step::Byte(Range {
                from: trans.start,
                to: trans.end,
                next: made.number(trans.next),
            }),
            State::Sparse(several) => {
                let first = count(self.ranges.len());
                for trans in &*several.transitions {
                    let next = made.number(trans.next);
                    self.ranges.push(Range { from: trans.start, to: trans.end, next });
                }
                Step::OneOf(first, count(several.transitions.len()))
            }
            State::Dense(all) => {
                let first = count(self.ranges.len());
                for (byte, next) in (0..=u8::MAX).zip(all.transitions.iter()) {
                    if *next != StateID::ZERO {
                        let next = made.number(*next);
                        self.ranges.push(Range { from: byte, to: byte, next });
                    }
                }
                Step::OneOf(first, count(self.ranges.len()) - first)
            }
            State::Look { look, next } => Step::Look(*look, made.number(*next)),
            State::Union { .. } | State::BinaryUnion { .. } => {
                let mut ways = Vec::new();
                made.flatten(state, &mut ways, &mut HashSet::new());
                let first = count(self.ways.len());
                for way in &ways {
                    let letters = made.letters(*way, &mut HashSet::new());
                    self.ways.push(Way { letters, next: made.number(*way) });
                }
                Step::Ways(first, count(ways.len()))
            }
            // Passed over by whatever leads here.
            State::Capture { next, .. } => {
                let letters = ANY;
                let first = count(self.ways.len());
                self.ways.push(Way { letters, next: made.number(*next) });
                Step::Ways(first, 1)
            }
            State::Fail => Step::Fail,
            State::Match { .. } => Step::Match,
        }
    }

    /// Where the match ends that begins at `at` and reaches no further than `end`. The first way that an
    /// expression names goes before the others, as everywhere with `regex`.
    pub(super) fn match_at(
        &self,
        text: &[u8],
        at: usize,
        end: usize,
        open: &mut Open,
    ) -> Option<usize> {
        let mut steps = 0;
        let bounded = |_: u32, _: usize| {
            steps += 1;
            if steps > MOST_STEPS { Fork::Stop } else { Fork::Go }
        };
        match self.walk(text, (at, end), open, bounded, None) {
            Walked::Stopped => {
                let (mut been, mut covered) = (HashSet::new(), Covered::default());
                // The first to come somewhere goes before all who come there later.
                let once = |state, here| {
                    if been.insert((state, here)) { Fork::Go } else { Fork::Leave }
                };
                match self.walk(text, (at, end), open, once, Some(&mut covered)) {
                    Walked::To(end) => Some(end),
                    Walked::Nowhere | Walked::Stopped => None,
                }
            }
            Walked::To(end) => Some(end),
            Walked::Nowhere => None,
        }
    }

    /// Walks on, where there are several ways as `at_fork` says of the state and the place; what endless gaps have
    /// `covered` is not tried again.
    fn walk(
        &self,
        text: &[u8],
        (at, end): (usize, usize),
        open: &mut Open,
        mut at_fork: impl FnMut(u32, usize) -> Fork,
        mut covered: Option<&mut Covered>,
    ) -> Walked {
        open.clear();
        open.push((0, at));
        while let Some((state, here)) = open.pop() {
            let Some((step, here, state)) = self.straight(text, state, here, end) else { continue };
            let before = open.len();
            match step {
                Step::Match => return Walked::To(here),
                Step::Ways(first, many) => {
                    self.open((first, many), letter(text, here, end), here, open);
                }
                Step::Gap(number) => {
                    let Some(gap) = self.gap(number) else { continue };
                    let known = covered.as_deref_mut().filter(|_| gap.is_endless());
                    gap.open(text, (here, end), known.map(|known| (known, number)), open);
                    // One way that leads on needs no thought.
                    if open.get(before..).is_some_and(|new| matches!(new, [(_, at)] if *at > here))
                    {
                        continue;
                    }
                }
                Step::Byte(_) | Step::OneOf(..) | Step::Look(..) | Step::Fail => {}
            }
            match at_fork(state, here) {
                Fork::Go => {}
                Fork::Leave => open.truncate(before),
                Fork::Stop => return Walked::Stopped,
            }
        }
        Walked::Nowhere
    }

    /// Opens the ways that the next letter allows; the first of them goes first.
    fn open(&self, (first, many): (u32, u32), letter: Letters, here: usize, open: &mut Open) {
        let allowed = self.ways(first, many).iter().rev().filter(|way| way.letters & letter != 0);
        open.extend(allowed.map(|way| (way.next, here)));
    }

    /// Goes from a state for as long as the letters leave one way: to a place with several, a gap, or a match.
    fn straight(
        &self,
        text: &[u8],
        mut state: u32,
        mut here: usize,
        end: usize,
    ) -> Option<(Step, usize, u32)> {
        // Where ways lay last: what reads nothing between two of them may lead about in a ring.
        let mut forked = None;
        loop {
            let step = *self.all.get(state as usize)?;
            state = match step {
                Step::Byte(range) => {
                    let byte = *text.get(here).filter(|_| here < end)?;
                    if byte < range.from || byte > range.to {
                        return None;
                    }
                    here += 1;
                    range.next
                }
                Step::OneOf(first, many) => {
                    let byte = *text.get(here).filter(|_| here < end)?;
                    let range = self.ranges(first, many).iter().find(|range| byte <= range.to)?;
                    if byte < range.from {
                        return None;
                    }
                    here += 1;
                    range.next
                }
                Step::Look(look, next) => {
                    if !self.looks.matches(look, text, here) {
                        return None;
                    }
                    next
                }
                Step::Ways(first, many) => {
                    let letter = letter(text, here, end);
                    let mut ways = self.ways(first, many).iter();
                    let only = ways.find(|way| way.letters & letter != 0)?;
                    let mut others = || ways.any(|way| way.letters & letter != 0);
                    if forked.replace(here) == Some(here) || others() {
                        return Some((step, here, state));
                    }
                    only.next
                }
                Step::Match | Step::Gap(_) => return Some((step, here, state)),
                Step::Fail => return None,
            };
        }
    }
}

/// What stands at a place, of a text that ends at `end`.
pub(super) fn letter(text: &[u8], here: usize, end: usize) -> Letters {
    let byte = text.get(here).filter(|_| here < end);
    byte.and_then(|byte| BITS.get(usize::from(*byte))).copied().unwrap_or(END)
}

/// What becomes of a walk where there are several ways.
enum Fork {
    /// They are gone, one after the other.
    Go,
    /// None is gone.
    Leave,
    /// The walk ends.
    Stop,
}

/// How a walk ended.
enum Walked {
    To(usize),
    Nowhere,
    Stopped,
}

fn count(many: usize) -> u32 {
    // An expression of as many states was refused when it was read.
    u32::try_from(many).unwrap_or(u32::MAX)
}

/// States on the way from the library's machine to ours.
struct Making<'n> {
    nfa: &'n NFA,
    numbers: HashMap<StateID, u32>,
    todo: Vec<StateID>,
}

impl Making<'_> {
    fn number(&mut self, state: StateID) -> u32 {
        let state = gap::behind(self.nfa, state);
        let new = count(self.todo.len());
        let number = *self.numbers.entry(state).or_insert(new);
        if number == new {
            self.todo.push(state);
        }
        number
    }

    /// Ways of ways, as one list in their order.
    fn flatten(&self, state: StateID, into: &mut Vec<StateID>, seen: &mut HashSet<StateID>) {
        let state = gap::behind(self.nfa, state);
        if !seen.insert(state) {
            return;
        }
        match self.nfa.state(state) {
            State::Union { alternates } => {
                alternates.iter().for_each(|way| self.flatten(*way, into, seen));
            }
            State::BinaryUnion { alt1, alt2 } => {
                self.flatten(*alt1, into, seen);
                self.flatten(*alt2, into, seen);
            }
            State::ByteRange { .. }
            | State::Sparse(_)
            | State::Dense(_)
            | State::Look { .. }
            | State::Capture { .. }
            | State::Fail
            | State::Match { .. } => into.push(state),
        }
    }

    /// With which letters a state can go on.
    fn letters(&self, state: StateID, seen: &mut HashSet<StateID>) -> Letters {
        let state = gap::behind(self.nfa, state);
        if !seen.insert(state) {
            return 0;
        }
        let of = |from: u8, to: u8| {
            let bits = (from..=to).map(|byte| BITS.get(usize::from(byte)).copied().unwrap_or(ANY));
            bits.fold(0, |all, bit| all | bit)
        };
        match self.nfa.state(state) {
            State::ByteRange { trans } => of(trans.start, trans.end),
            State::Sparse(several) => {
                let ranges = several.transitions.iter().map(|trans| of(trans.start, trans.end));
                ranges.fold(0, |all, one| all | one)
            }
            State::Dense(_) | State::Match { .. } | State::Capture { .. } => ANY,
            State::Look { next, .. } => self.letters(*next, seen),
            State::Union { alternates } => {
                alternates.iter().fold(0, |all, way| all | self.letters(*way, seen))
            }
            State::BinaryUnion { alt1, alt2 } => {
                self.letters(*alt1, seen) | self.letters(*alt2, seen)
            }
            State::Fail => 0,
        }
    }
}
