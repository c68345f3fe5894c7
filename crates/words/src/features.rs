//! What speaks in a text, as numbers that say nothing of its words.

/// Longest text that is looked at, in words.
const MOST_WORDS: usize = 5_000;
/// Letters of the pieces that words are cut into.
const PIECE: usize = 4;
/// Keeps words, pairs and pieces apart.
const WORD: u64 = 0x576f_7264;
/// See [`WORD`].
const PAIR: u64 = 0x5061_6972;
/// See [`WORD`].
const PIECE_OF: u64 = 0x5069_6563;

/// What speaks in a text, with how often, ascending: its words and pairs of neighbours, and the pieces of four letters
/// that its words are made of, by which other forms of a word are still like it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// Words and pairs, then pieces.
    pub(crate) kinds: [Vec<(u32, u32)>; 2],
}

/// Reads the parts of a text, given in small letters. No pair reaches from one part into another.
pub fn features(parts: &[&str]) -> Features {
    let (mut words, mut pieces) = (Vec::new(), Vec::new());
    for part in parts {
        let mut before = None;
        let tokens = part.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        for word in tokens.take(MOST_WORDS) {
            let number = word.bytes().fold(WORD, |number, byte| mixed(number, byte.into()));
            words.push(short(number));
            words.extend(before.map(|before| short(mixed(PAIR ^ before, number))));
            before = Some(number);
            pieces_of(word, &mut pieces);
        }
    }
    Features { kinds: [counted(words), counted(pieces)] }
}

/// The pieces of a word with a blank on either side, so that a beginning and an end are pieces of their own.
fn pieces_of(word: &str, pieces: &mut Vec<u32>) {
    let [mut one, mut two, mut three, mut four] = [0_u64; PIECE];
    let mut add = |one, two, three, four| {
        // A letter takes 21 bits at most.
        let number = mixed(PIECE_OF ^ one, two | three << 21 | four << 42);
        pieces.push(short(number));
    };
    let mut letters = 0;
    for letter in std::iter::once(' ').chain(word.chars()).chain([' ']) {
        (one, two, three, four) = (two, three, four, u64::from(u32::from(letter)));
        letters += 1;
        if letters >= PIECE {
            add(one, two, three, four);
        }
    }
    if letters < PIECE {
        add(one, two, three, four);
    }
}

fn counted(mut numbers: Vec<u32>) -> Vec<(u32, u32)> {
    numbers.sort_unstable();
    let same = numbers.chunk_by(|one, next| one == next);
    same.filter_map(|run| Some((*run.first()?, u32::try_from(run.len()).ok()?))).collect()
}

/// A number made of two in their order, the same on every machine: near numbers come far apart.
const fn mixed(seed: u64, number: u64) -> u64 {
    let mixed = (seed.rotate_left(29) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves together are the number that is kept"
)]
fn short(number: u64) -> u32 {
    (number ^ (number >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Features {
        features(&[text])
    }

    #[test]
    fn words_pairs_and_pieces_are_counted() {
        let [words, pieces] = of("the bus, the bus").kinds;
        // the, bus, the bus (twice), bus the.
        assert_eq!(words.iter().map(|(_, times)| times).sum::<u32>(), 7);
        assert_eq!(words.len(), 4);
        // " the", "the ", " bus", "bus ", twice each.
        assert_eq!(pieces.iter().map(|(_, times)| *times).collect::<Vec<_>>(), [2; 4]);
        assert!(of("").kinds.iter().all(Vec::is_empty));
    }

    #[test]
    fn parts_stand_apart_and_order_counts() {
        let two = features(&["the", "bus"]);
        assert_eq!(two.kinds[0].len(), 2);
        assert_ne!(of("bus the"), of("the bus"));
        assert_eq!(
            of("waiting").kinds[1].iter().filter(|p| of("waited").kinds[1].contains(p)).count(),
            2
        );
    }
}
