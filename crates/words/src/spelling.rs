//! Slips of the pen: a long word of the rules, written with one letter wrong, missing, doubled or
//! changed about, is read as that word.
//!
//! Only long words, and only such slips: of eight letters and more, hardly two words of the language
//! are that near each other, and those that examples use themselves are left alone.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

/// Letters of the shortest word that is recognised in spite of a slip.
const SHORTEST: usize = 8;
/// A word in as many examples is a word, not a slip.
const NO_SLIP: usize = 3;

/// The words of the rules, to be found by what is nearly one of them.
#[derive(Debug)]
pub struct Spelling {
    words: HashSet<String>,
    /// Every word with one letter left out, and the words that it may come of.
    nearly: HashMap<String, Vec<String>>,
}

/// The words that examples use so often that they are words of their own.
#[derive(Debug)]
pub struct Used(HashSet<String>);

impl Used {
    /// By the folded texts of examples.
    pub fn by(examples: impl Iterator<Item = String>) -> Self {
        let mut used: HashMap<String, usize> = HashMap::new();
        for text in examples {
            for word in long_words(&text).map(|(_, word)| word).collect::<HashSet<_>>() {
                match used.get_mut(word) {
                    Some(examples) => *examples += 1,
                    None => drop(used.insert(word.to_owned(), 1)),
                }
            }
        }
        Self(used.into_iter().filter(|(_, n)| *n >= NO_SLIP).map(|(word, _)| word).collect())
    }

    fn holds(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}

impl Spelling {
    /// Of the folded phrases of rules.
    pub fn new(phrases: &[String]) -> Self {
        let phrases = phrases.iter().map(String::as_str);
        let words: HashSet<String> =
            phrases.flat_map(long_words).map(|(_, word)| word.to_owned()).collect();
        let mut nearly: HashMap<String, Vec<String>> = HashMap::new();
        for word in &words {
            for shorter in without_a_letter(word) {
                nearly.entry(shorter).or_default().push(word.clone());
            }
        }
        for likely in nearly.values_mut() {
            likely.sort_unstable();
            likely.dedup();
        }
        Self { words, nearly }
    }

    /// The slips of a folded text: where each stands, and the word that it is. What the examples use is learned only
    /// once a word is nearly another; where it is known already, less has to be looked at.
    pub fn slips(
        &self,
        text: &str,
        used: &OnceLock<Used>,
        learn: impl Fn() -> Used,
    ) -> Vec<(Range<usize>, &str)> {
        let of = |(at, word): (usize, &str)| {
            let known = used.get();
            if self.words.contains(word) || known.is_some_and(|used| used.holds(word)) {
                return None;
            }
            let meant = self.meant(word)?;
            let is_slip = known.is_some() || !used.get_or_init(&learn).holds(word);
            is_slip.then_some((at..at + word.len(), meant))
        };
        long_words(text).filter_map(of).collect()
    }

    /// The word of the rules that one may be a slip of, where exactly one can be.
    fn meant(&self, written: &str) -> Option<&str> {
        let mut near: Vec<&str> = Vec::new();
        let mut look = |nearly: &str, whole: bool| {
            let words = self.nearly.get(nearly).into_iter().flatten();
            let word = self.words.get(nearly).filter(|_| whole);
            let found = words.chain(word).filter(|word| is_slip(written, word));
            near.extend(found.map(String::as_str));
        };
        look(written, false);
        for shorter in without_a_letter(written) {
            look(&shorter, true);
        }
        near.sort_unstable();
        near.dedup();
        match near.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// Whether one slip lies between two words that begin alike and do not only end differently: an
/// ending makes another form, which is not what the rule wrote.
fn is_slip(written: &str, word: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (written.chars().collect(), word.chars().collect());
    let same_start = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let same_end = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    if same_start == 0 || same_end == 0 || other.len() < SHORTEST {
        return false;
    }
    let (short, long) = (one.len().min(other.len()), one.len().max(other.len()));
    let covered = same_start + same_end;
    let changed_about = short == long
        && covered + 2 == long
        && one.get(same_start) == other.get(same_start + 1)
        && one.get(same_start + 1) == other.get(same_start);
    let one_wrong = short == long && covered + 1 >= long;
    let one_more_or_less = short + 1 == long && covered >= short;
    one_wrong || one_more_or_less || changed_about
}

fn without_a_letter(word: &str) -> impl Iterator<Item = String> + '_ {
    word.char_indices().map(|(at, letter)| {
        let mut shorter = String::with_capacity(word.len());
        shorter.push_str(word.get(..at).unwrap_or_default());
        shorter.push_str(word.get(at + letter.len_utf8()..).unwrap_or_default());
        shorter
    })
}

/// The words of letters that may be recognised, with where they begin.
fn long_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = text.split(|c: char| !c.is_alphabetic());
    let start = move |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    words.filter(|word| word.len() + 1 >= SHORTEST).map(move |word| (start(word), word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let phrases =
            ["safeguarding lead", "needs assessment", "home to school transport", "complaint"];
        let examples = ["a placeholder", "my compliant son", "compliant", "compliant again"];
        let spelling = Spelling::new(&phrases.map(str::to_owned));
        let learn = || Used::by(examples.map(str::to_owned).into_iter());
        let used = OnceLock::new();
        let read = || {
            let slips = spelling.slips(text, &used, learn).into_iter();
            slips.map(|(at, word)| format!("{}={word}", &text[at])).collect::<Vec<_>>()
        };
        let before = read();
        used.get_or_init(learn);
        assert_eq!(read(), before, "whether the examples are known already or not");
        before
    }

    #[test]
    fn one_slip_in_a_long_word_is_read_over() {
        assert_eq!(
            read("an assesment of safegaurding"),
            ["assesment=assessment", "safegaurding=safeguarding"]
        );
        assert_eq!(
            read("the transsport and the trensport"),
            ["transsport=transport", "trensport=transport"]
        );
    }

    #[test]
    fn other_words_and_other_forms_stay_what_they_are() {
        for text in ["assessments", "transports", "a passport", "compliant", "transport", "sport"] {
            assert!(read(text).is_empty(), "{text}: {:?}", read(text));
        }
        assert!(read("asesmnet").is_empty(), "two slips");
    }
}
