//! How alike two texts are: the same complaint sent twice, or by another way, is found by its words.
//!
//! A text is its set of shingles (runs of three words); likeness is the share of shingles that two
//! texts have in common. A sketch of a text is its smallest shingle under each of 32 hashes: two
//! sketches agree in about the share that the texts have in common, so a few numbers a message are
//! enough to find its like among all that came before (A. Broder, 1997).

/// Words in a shingle.
const SHINGLE: usize = 3;
/// Fewer words than this say too little: "please ring me back" is nobody's complaint.
const FEWEST_WORDS: usize = 25;
/// Words of a text that are looked at.
const MOST_WORDS: usize = 5_000;
/// Bands of a sketch; texts that agree in a whole band are compared. With four rows each, texts
/// that have 7 in 10 shingles in common are compared in 9 of 10 cases, those with 3 in 10 in 1 of 16.
pub const BANDS: usize = 8;
const ROWS: usize = 4;

/// The shingles of one text, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shingles(Vec<u64>);

impl Shingles {
    /// The shingles of a text. None for one of few words.
    pub fn of(text: &str) -> Option<Self> {
        let words: Vec<u64> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(MOST_WORDS)
            .map(hash_word)
            .collect();
        (words.len() >= FEWEST_WORDS).then(|| {
            let mut shingles: Vec<u64> = words
                .windows(SHINGLE)
                .map(|run| run.iter().fold(0, |hash, word| spread(hash ^ word)))
                .collect();
            shingles.sort_unstable();
            shingles.dedup();
            Self(shingles)
        })
    }

    /// The bands of the text, in order.
    pub fn bands(&self) -> [i64; BANDS] {
        let mut bands = [0; BANDS];
        for (number, band) in (0_u64..).zip(&mut bands) {
            let mut hash = FNV_OFFSET;
            for row in 0..ROWS as u64 {
                let seed = spread(number * ROWS as u64 + row + 1);
                let least = self.0.iter().map(|shingle| spread(shingle ^ seed)).min().unwrap_or(0);
                hash = fnv(hash, &least.to_be_bytes());
            }
            // The number stands in the band, so that equal bands are equal places too.
            *band = fnv(hash, &number.to_be_bytes()).cast_signed();
        }
        bands
    }

    /// The share of shingles that two texts have in common: 1 for the same words in the same order.
    pub fn likeness(&self, other: &Self) -> f64 {
        let (mut one, mut other) = (self.0.iter().peekable(), other.0.iter().peekable());
        let (mut common, mut all) = (0_u32, 0_u32);
        while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
            let order = a.cmp(b);
            common += u32::from(order.is_eq());
            all += 1;
            if order.is_le() {
                one.next();
            }
            if order.is_ge() {
                other.next();
            }
        }
        let rest = u32::try_from(one.count() + other.count()).unwrap_or(u32::MAX);
        f64::from(common) / f64::from(all.saturating_add(rest).max(1))
    }
}

/// A word as a number, whatever its case.
fn hash_word(word: &str) -> u64 {
    if word.is_ascii() {
        return word.bytes().fold(FNV_OFFSET, |hash, byte| fnv(hash, &[byte.to_ascii_lowercase()]));
    }
    let mut buffer = [0; 4];
    word.chars()
        .flat_map(char::to_lowercase)
        .fold(FNV_OFFSET, |hash, letter| fnv(hash, letter.encode_utf8(&mut buffer).as_bytes()))
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: kept in the store, so it must be the same in every build.
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Spreads a number over all 64 bits (the finalizer of `SplitMix64`).
fn spread(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "My son has waited since March for his education, health and care plan. The \
        draft was promised for May and again for June. Nobody answers the telephone, and the school \
        says that it cannot begin without it. I want to know when the plan will come and who is \
        responsible for the delay.";

    fn bands(text: &str) -> Option<[i64; BANDS]> {
        Shingles::of(text).map(|shingles| shingles.bands())
    }

    fn likeness(one: &str, other: &str) -> Option<f64> {
        Some(Shingles::of(one)?.likeness(&Shingles::of(other)?))
    }

    fn meets(one: &str, other: &str) -> bool {
        let (one, other) = (bands(one).unwrap(), bands(other).unwrap());
        one.iter().any(|band| other.contains(band))
    }

    #[test]
    fn the_same_letter_is_known_again_however_it_is_wrapped() {
        let again = LETTER.to_uppercase().replace(' ', "\r\n> ");
        assert_eq!(likeness(LETTER, &again), Some(1.0));
        assert_eq!(bands(LETTER), bands(&again));
    }

    #[test]
    fn a_letter_with_another_greeting_and_ending_is_still_like_it() {
        let again = format!("Dear Sir or Madam, I wrote last week. {LETTER} Yours, Ann");
        let like = likeness(LETTER, &again).unwrap();
        assert!((0.7..1.0).contains(&like), "{like}");
        assert!(meets(LETTER, &again));
    }

    #[test]
    fn another_letter_on_the_same_matter_is_not_like_it() {
        let other = "I am writing about my daughter's education, health and care plan. We applied in \
            January, had the meeting in April and were told that a draft would be with us by the end \
            of term. It is now October. Please tell me what is happening and when we will hear.";
        let like = likeness(LETTER, other).unwrap();
        assert!(like < 0.2, "{like}");
        assert!(!meets(LETTER, other));
    }

    #[test]
    fn few_words_are_like_nothing() {
        assert_eq!(bands("Please ring me back. Thank you."), None);
        assert_eq!(likeness("Please ring me back.", LETTER), None);
        assert_eq!(bands(""), None);
    }

    #[test]
    fn what_the_store_keeps_stays_what_it_is() {
        // A change here makes every kept band worthless.
        assert_eq!(fnv(FNV_OFFSET, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(spread(1), 0x5692_161d_100b_05e5);
        assert_eq!(hash_word("Ärger"), hash_word("ärger"));
        assert_eq!(bands(LETTER).unwrap()[0], 0x2bb5_1099_c417_d50c);
    }
}
