//! What may stand between two words of an expression: letters of one class, as many as there are or up to so many.
//!
//! As states, "up to sixty letters but no full stop" is a hundred and twenty of them, gone through letter by letter.
//! Here it is one, which says at once from which of those letters on the rest may match at all.

use std::collections::BTreeMap;

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::look::{Look, LookMatcher};
use regex_automata::util::primitives::StateID;

use super::walk::{Letters, letter};

/// More letters than this are left to states of their own.
const MOST: usize = 255;

/// Bytes, a bit for each.
type Class = [u64; 4];

/// A gap, and what follows it.
#[derive(Debug, Clone)]
pub(super) struct Gap {
    class: Class,
    /// None: without end.
    most: Option<usize>,
    /// With which letters the rest may begin.
    letters: Letters,
    /// Whether a word must begin or end where the rest begins.
    at_edge: bool,
    /// The state in which the rest begins.
    pub(super) next: u32,
}

/// A gap as the library's machine has it, and the state behind it.
pub(super) struct Found {
    class: Class,
    most: Option<usize>,
    pub(super) end: StateID,
}

impl Found {
    /// The gap that begins with a state, where it is one: of two ways the first takes a letter of a class, and comes
    /// back here or to another such state with the same second way.
    pub(super) fn at(nfa: &NFA, state: StateID) -> Option<Self> {
        let (first, end) = two_ways(nfa, state)?;
        let (class, mut next) = class_of(nfa, first)?;
        if next == state {
            return Some(Self { class, most: None, end });
        }
        let mut most = 1;
        while next != end && most < MOST {
            let (first, other) = two_ways(nfa, next)?;
            let (again, behind) = class_of(nfa, first)?;
            if other != end || again != class {
                return None;
            }
            (most, next) = (most + 1, behind);
        }
        (next == end && most > 1).then_some(Self { class, most: Some(most), end })
    }

    /// With what is known of the rest.
    pub(super) fn before(self, nfa: &NFA, letters: Letters, next: u32) -> Gap {
        let Self { class, most, end } = self;
        Gap { class, most, letters, at_edge: is_edge_asked(nfa, end), next }
    }
}

/// The state behind marks that only groups need.
pub(super) fn behind(nfa: &NFA, mut state: StateID) -> StateID {
    while let State::Capture { next, .. } = nfa.state(state) {
        state = *next;
    }
    state
}

fn two_ways(nfa: &NFA, state: StateID) -> Option<(StateID, StateID)> {
    let (one, other) = match nfa.state(state) {
        State::BinaryUnion { alt1, alt2 } => (*alt1, *alt2),
        State::Union { alternates } => match **alternates {
            [one, other] => (one, other),
            _ => return None,
        },
        State::ByteRange { .. }
        | State::Sparse(_)
        | State::Dense(_)
        | State::Look { .. }
        | State::Capture { .. }
        | State::Fail
        | State::Match { .. } => return None,
    };
    Some((behind(nfa, one), behind(nfa, other)))
}

/// The class of a state that takes one byte and leads to one other, and that other.
fn class_of(nfa: &NFA, state: StateID) -> Option<(Class, StateID)> {
    let of = |ranges: &[(u8, u8, StateID)]| {
        let (_, _, next) = *ranges.first()?;
        let mut class = Class::default();
        for byte in ranges.iter().flat_map(|(from, to, _)| *from..=*to) {
            let word = class.get_mut(usize::from(byte / 64))?;
            *word |= 1 << (byte % 64);
        }
        let is_one = ranges.iter().all(|(_, _, other)| *other == next);
        is_one.then(|| (class, behind(nfa, next)))
    };
    match nfa.state(state) {
        State::ByteRange { trans } => of(&[(trans.start, trans.end, trans.next)]),
        State::Sparse(several) => {
            let ranges = several.transitions.iter().map(|one| (one.start, one.end, one.next));
            of(&ranges.collect::<Vec<_>>())
        }
        State::Dense(_)
        | State::Union { .. }
        | State::BinaryUnion { .. }
        | State::Look { .. }
        | State::Capture { .. }
        | State::Fail
        | State::Match { .. } => None,
    }
}

/// Whether a word must begin or end where a state is come to.
fn is_edge_asked(nfa: &NFA, state: StateID) -> bool {
    matches!(nfa.state(behind(nfa, state)), State::Look { look: Look::WordAscii, .. })
}

impl Gap {
    fn has(&self, byte: u8) -> bool {
        self.class.get(usize::from(byte / 64)).is_some_and(|word| word >> (byte % 64) & 1 != 0)
    }

    /// Every byte that it may hold.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|byte| self.has(*byte))
    }

    /// Opens the places at which the rest may begin, of a gap that begins at `here`: the widest gap goes first. Where
    /// what is `known` of it from before covers some, only the others.
    pub(super) fn open(
        &self,
        text: &[u8],
        (here, end): (usize, usize),
        known: Option<(&mut Covered, u32)>,
        open: &mut Vec<(u32, usize)>,
    ) {
        let furthest = self.most.map_or(end, |most| end.min(here.saturating_add(most)));
        let until = known.as_ref().and_then(|(covered, gap)| covered.next(*gap, here));
        let looks = LookMatcher::new();
        let mut at = here;
        while until.is_none_or(|until| at < until) {
            let fits = self.letters & letter(text, at, end) != 0;
            if fits && (!self.at_edge || looks.is_word_ascii(text, at)) {
                open.push((self.next, at));
            }
            if at >= furthest || !text.get(at).is_some_and(|byte| self.has(*byte)) {
                break;
            }
            at += 1;
        }
        if let Some((covered, gap)) = known {
            covered.add(gap, here..at + 1);
        }
    }

    /// Whether it is as wide as its letters go.
    pub(super) fn is_endless(&self) -> bool {
        self.most.is_none()
    }
}

/// Which places endless gaps have come to already: of those the rest need not be tried again, since the widest gap
/// goes first and whatever comes later in the text has then been tried.
#[derive(Debug, Default)]
pub(super) struct Covered(BTreeMap<(u32, usize), usize>);

impl Covered {
    /// Where the next place of a gap lies, from a place on, that is covered.
    fn next(&self, gap: u32, from: usize) -> Option<usize> {
        let before = self.0.range((gap, 0)..=(gap, from)).next_back();
        if before.is_some_and(|(_, end)| *end > from) {
            return Some(from);
        }
        self.0.range((gap, from)..(gap, usize::MAX)).next().map(|((_, start), _)| *start)
    }

    fn add(&mut self, gap: u32, places: std::ops::Range<usize>) {
        self.0.insert((gap, places.start), places.end);
    }
}
