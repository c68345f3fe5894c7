//! Whether an expression matches from one place on.
//!
//! It is tried at few places, and nearly always fails within some letters. Then the plainest way through
//! its states is the quickest: nothing is remembered, neither between places nor between messages, so that
//! a thousand expressions need no memory but their own states.

use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input};

/// Steps at one place before the thorough way is taken, which never goes through a state twice at one place.
const MOST_STEPS: usize = 4_000;

/// Ways that are still open: a state, and how far the text is read.
pub(super) type Open = Vec<(StateID, usize)>;

/// Where the match ends that begins at `at` and reaches no further than `end`. The first way that an
/// expression names goes before the others, as everywhere with `regex`.
pub(super) fn match_at(
    nfa: &NFA,
    text: &[u8],
    at: usize,
    end: usize,
    open: &mut Open,
) -> Option<usize> {
    open.clear();
    open.push((nfa.start_anchored(), at));
    let mut steps = 0;
    while let Some((mut state, mut here)) = open.pop() {
        loop {
            steps += 1;
            if steps > MOST_STEPS {
                return thoroughly(nfa, text, at, end);
            }
            let byte = text.get(here).copied().filter(|_| here < end);
            let read = match nfa.state(state) {
                State::ByteRange { trans } => {
                    byte.filter(|byte| trans.matches_byte(*byte)).map(|_| trans.next)
                }
                State::Sparse(ways) => byte.and_then(|byte| ways.matches_byte(byte)),
                State::Dense(ways) => byte.and_then(|byte| ways.matches_byte(byte)),
                State::Look { look, next } => {
                    if !nfa.look_matcher().matches(*look, text, here) {
                        break;
                    }
                    state = *next;
                    continue;
                }
                State::Union { alternates } => {
                    let Some((first, others)) = alternates.split_first() else { break };
                    open.extend(others.iter().rev().map(|other| (*other, here)));
                    state = *first;
                    continue;
                }
                State::BinaryUnion { alt1, alt2 } => {
                    open.push((*alt2, here));
                    state = *alt1;
                    continue;
                }
                State::Capture { next, .. } => {
                    state = *next;
                    continue;
                }
                State::Fail => break,
                State::Match { .. } => return Some(here),
            };
            let Some(next) = read else { break };
            (state, here) = (next, here + 1);
        }
    }
    None
}

/// The same in time that grows only with the text.
fn thoroughly(nfa: &NFA, text: &[u8], at: usize, end: usize) -> Option<usize> {
    let machine = PikeVM::new_from_nfa(nfa.clone()).ok()?;
    let input = Input::new(text).span(at..end).anchored(Anchored::Yes);
    machine.find(&mut machine.create_cache(), input).map(|found| found.end())
}
