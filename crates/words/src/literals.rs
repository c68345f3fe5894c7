//! Which of many literals stand at a place of a text.
//!
//! They lie in order. Whatever literal a text begins with, no other lies between it and the text but such as
//! begin with it too: so the last that lies before the text, and those that it begins with itself, are
//! all that need be looked at.

use std::ops::Range;

/// Literals in their order, each once; a literal's number is its place among them.
pub struct Literals {
    /// End to end.
    text: String,
    /// Where each ends in `text`.
    ends: Vec<u32>,
    /// The first bytes of each: nearly always they tell all, and lie together.
    heads: Vec<u64>,
    /// The longest other that each begins with.
    shorter: Vec<Option<u32>>,
    /// By the two first bytes of a text: how many lie before all such texts.
    before: Vec<u32>,
}

/// Bytes of a head.
const HEAD: usize = 8;

/// Texts are told apart by as many pairs of first bytes.
const PAIRS: usize = 1 << 16;

impl Literals {
    /// Of literals in ascending order, each once and none empty.
    ///
    /// # Errors
    /// In words, if all together are too long.
    pub fn new(sorted: &[&str]) -> Result<Self, String> {
        let all: usize = sorted.iter().map(|literal| literal.len()).sum();
        if u32::try_from(all).is_err() {
            return Err("all words together are too long".to_owned());
        }
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let mut literals = Self {
            text: String::with_capacity(all),
            ends: Vec::with_capacity(sorted.len()),
            heads: sorted.iter().map(|literal| head(literal.as_bytes())).collect(),
            shorter: Vec::with_capacity(sorted.len()),
            before: vec![0; PAIRS + 1],
        };
        // Those that the latest begins with, the shortest first, and it itself.
        let mut open: Vec<usize> = Vec::new();
        for (at, literal) in sorted.iter().enumerate() {
            let begins =
                |other: &usize| sorted.get(*other).is_some_and(|other| literal.starts_with(*other));
            while open.last().is_some_and(|last| !begins(last)) {
                open.pop();
            }
            literals.shorter.push(open.last().copied().map(number));
            open.push(at);
            literals.text.push_str(literal);
            literals.ends.push(number(literals.text.len()));
            if let Some(later) = literals.before.get_mut(pair(literal.as_bytes()) + 1) {
                *later = number(at + 1);
            }
        }
        // Where no literal begins so, as many lie before as before the pair.
        let mut most = 0;
        for before in &mut literals.before {
            most = most.max(*before);
            *before = most;
        }
        Ok(literals)
    }

    /// The literals that a text begins with, the longest first: their numbers and lengths in bytes.
    pub fn beginning(&self, text: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
        let head = head(text);
        let mut next = self.last_before(text, head);
        // The first to match is found once; what it begins with, the text begins with as well.
        while let Some(number) = next.filter(|number| !self.is_begun_with(text, head, *number)) {
            next = self.shorter(number);
        }
        std::iter::from_fn(move || {
            let number = next?;
            next = self.shorter(number);
            Some((number, self.range(number).len()))
        })
    }

    /// The last literal that is not behind a text with that head.
    fn last_before(&self, text: &[u8], head: u64) -> Option<usize> {
        let pair = pair(text);
        let edge = |pair: usize| self.before.get(pair).map_or(0, |before| *before as usize);
        let from = edge(pair);
        let near = self.heads.get(from..edge(pair + 1)).unwrap_or_default();
        let less = near.partition_point(|other| *other < head);
        let same = near.get(less..).unwrap_or_default();
        let same = same.iter().take_while(|other| **other == head).count();
        let (mut from, mut to) = (from + less, from + less + same);
        while from < to {
            let middle = usize::midpoint(from, to);
            if self.literal(middle) <= text {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from.checked_sub(1)
    }

    /// Whether a text with that head begins with a literal.
    fn is_begun_with(&self, text: &[u8], head: u64, number: usize) -> bool {
        let differ = self.heads.get(number).map_or(0, |other| other ^ head).leading_zeros();
        let length = self.range(number).len();
        // Of a text or a literal with fewer bytes than a head, more may look the same than there are.
        length.min(HEAD) * 8 <= differ as usize && text.starts_with(self.literal(number))
    }

    fn shorter(&self, number: usize) -> Option<usize> {
        self.shorter.get(number).copied().flatten().map(|shorter| shorter as usize)
    }

    fn literal(&self, number: usize) -> &[u8] {
        self.text.as_bytes().get(self.range(number)).unwrap_or_default()
    }

    fn range(&self, number: usize) -> Range<usize> {
        let end = |number: usize| self.ends.get(number).map_or(0, |end| *end as usize);
        number.checked_sub(1).map_or(0, end)..end(number)
    }
}

/// A text's first bytes as a number, in the order of the texts; where it has fewer, nothing follows them.
fn head(text: &[u8]) -> u64 {
    let whole = text.first_chunk::<HEAD>().copied();
    u64::from_be_bytes(whole.unwrap_or_else(|| {
        let mut bytes = [0; HEAD];
        bytes.iter_mut().zip(text).for_each(|(slot, byte)| *slot = *byte);
        bytes
    }))
}

/// The number of a text's two first bytes, in the order of the texts.
fn pair(text: &[u8]) -> usize {
    let byte = |at: usize| text.get(at).copied().map_or(0, usize::from);
    byte(0) << 8 | byte(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_every_place_of_any_text_those_are_found_that_stand_there() {
        let sets: [&[&str]; 4] = [
            &["a"],
            &["a", "ab", "abc", "b", "bcd", "ca", "£1", "école", "zz"],
            &["plan", "plan b", "planner", "plane", "the plan", "the planner is", "t"],
            &[],
        ];
        let texts = [
            "",
            "a",
            "ab",
            "abcd abc ca £10 école zzz",
            "the planner is a plan b",
            "é",
            "\u{0}",
            "the planes",
            "planning",
            "~~~",
        ];
        for set in sets {
            let mut sorted = set.to_vec();
            sorted.sort_unstable();
            let literals = Literals::new(&sorted).unwrap();
            for text in texts {
                for at in 0..=text.len() {
                    let rest = &text.as_bytes()[at..];
                    let mut found: Vec<usize> =
                        literals.beginning(rest).map(|(number, _)| number).collect();
                    found.reverse();
                    let there: Vec<usize> = (0..sorted.len())
                        .filter(|number| rest.starts_with(sorted[*number].as_bytes()))
                        .collect();
                    assert_eq!(found, there, "{set:?} in {text:?} from {at}");
                }
            }
        }
    }
}
