//! How hard a text is to read: sentence lengths and a school grade.

/// Sentences and grade of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// All words.
    pub words: usize,
    /// Mean words in a sentence.
    pub mean_sentence: f64,
    /// Words in the longest sentence.
    pub longest_sentence: usize,
    /// Flesch-Kincaid grade: about the reader's age less five.
    pub grade: f64,
}

/// Reads a plain text. Addresses, links, numbers and references count as words of one syllable:
/// people copy them, they do not read them; a telephone number is one word. A line's end closes a sentence, as a heading or a list
/// item does.
pub fn read(text: &str) -> Reading {
    let sentences: Vec<Vec<&str>> =
        text.lines().flat_map(sentences_of).filter(|sentence| !sentence.is_empty()).collect();
    let words: usize = sentences.iter().map(Vec::len).sum();
    let syllables: usize = sentences.iter().flatten().map(|word| syllables_in(word)).sum();
    let longest_sentence = sentences.iter().map(Vec::len).max().unwrap_or(0);
    let mean_sentence = ratio(words, sentences.len());
    let grade = 0.39 * mean_sentence + 11.8 * ratio(syllables, words) - 15.59;
    Reading { words, mean_sentence, longest_sentence, grade }
}

fn ratio(part: usize, whole: usize) -> f64 {
    let float = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

fn sentences_of(line: &str) -> Vec<Vec<&str>> {
    let mut sentences: Vec<Vec<&str>> = vec![Vec::new()];
    for word in line.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)) {
        if let Some(sentence) = sentences.last_mut() {
            let goes_on = is_number(word) && sentence.last().is_some_and(|last| is_number(last));
            if !goes_on {
                sentence.push(word);
            }
        }
        if word.trim_end_matches(['"', '\'', ')']).ends_with(['.', '?', '!']) {
            sentences.push(Vec::new());
        }
    }
    sentences
}

fn is_number(word: &str) -> bool {
    word.trim_matches(|c: char| c.is_ascii_punctuation()).bytes().all(|b| b.is_ascii_digit())
}

/// Groups of vowels, less a silent `e`: right for about nine words in ten.
fn syllables_in(word: &str) -> usize {
    if word.contains(|c: char| c.is_ascii_digit() || c == '@' || c == '/') {
        return 1;
    }
    let letters: String =
        word.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let mut groups = 0;
    let mut in_vowels = false;
    for letter in letters.chars() {
        let vowel = "aeiouy".contains(letter);
        groups += usize::from(vowel && !in_vowels);
        in_vowels = vowel;
    }
    let silent = (letters.ends_with('e') && !letters.ends_with("le"))
        || (letters.ends_with("ed") && !letters.ends_with("ted") && !letters.ends_with("ded"));
    if silent && groups > 1 { groups - 1 } else { groups.max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_counted_about_right() {
        for (word, syllables) in [
            ("the", 1),
            ("complaint", 2),
            ("Wednesday", 3),
            ("answer", 2),
            ("ombudsman", 3),
            ("NCC-2026-00431-5,", 1),
            ("logged", 1),
            ("little", 2),
            ("special", 2),
            ("needs", 1),
        ] {
            assert_eq!(syllables_in(word), syllables, "{word}");
        }
    }

    #[test]
    fn plain_words_are_easier_than_the_laws() {
        let plain = read("We have your message. We will answer by Friday.");
        assert_eq!((plain.words, plain.longest_sentence), (9, 5));
        assert!(plain.grade < 3.0, "{plain:?}");
        assert_eq!(read("Call us on 01632 960 118, or write.").words, 6);
        let law = read(
            "The representation will be considered pursuant to the statutory procedure, \
             notwithstanding any concurrent adjudication.",
        );
        assert!(law.grade > 12.0, "{law:?}");
    }

    #[test]
    fn an_empty_text_has_no_grade_to_fail() {
        assert_eq!(read("").words, 0);
        assert!(read("").grade < 0.0);
    }
}
