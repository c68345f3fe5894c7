//! Words without which a pattern cannot match: looked for first, in a hundredth of its time.

use aho_corasick::AhoCorasick;

/// Some words, as people write them: in small letters, with a capital, or all in capitals.
pub(super) struct Words(AhoCorasick);

impl Words {
    /// Words of ASCII in small letters, each of several letters.
    ///
    /// # Panics
    /// Where there are more than the library takes; they are constants of this program.
    pub(super) fn new(words: &[&str]) -> Self {
        // Without their first letter, so that its case does not matter: by fixed bytes the search takes many at a time,
        // by letters of any case one.
        let small = words.iter().filter_map(|word| word.get(1..)).map(str::to_owned);
        let capitals = small.clone().map(|word| word.to_ascii_uppercase());
        let all = small.chain(capitals);
        Self(AhoCorasick::new(all).expect("the words are constants"))
    }

    /// Whether any of them stands in a text, also inside another word.
    pub(super) fn any_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_as_people_write_them() {
        let words = Words::new(&["confidential", "virus"]);
        for text in ["confidential", "Confidential!", "THIS IS CONFIDENTIAL", "a virus", "Viruses"]
        {
            assert!(words.any_in(text), "{text}");
        }
        for text in ["", "confident", "viral"] {
            assert!(!words.any_in(text), "{text}");
        }
    }
}
