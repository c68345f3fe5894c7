//! Words and phrases of a message, as a rule could name them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use postern_words::fold;

use crate::email::Email;
use crate::rules::text::{Haystack, Place};

/// Words in a phrase.
const LONGEST: usize = 3;
/// Letters of a word that stands alone.
const SHORTEST: usize = 3;

/// One word of a message's own text.
struct Word<'h> {
    text: &'h str,
    range: Range<usize>,
    sentence: usize,
    place: Place,
}

/// The words of subject, text and what was forwarded: not signatures, which are names.
fn words(haystack: &Haystack) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    haystack.folded.split(|c: char| !c.is_alphanumeric()).filter_map(move |text| {
        let range = at..at + text.len();
        // What splits words in the folded text is a mark of one to three bytes.
        let mark = haystack.folded.get(range.end..).and_then(|rest| rest.chars().next());
        at = range.end + mark.map_or(0, char::len_utf8);
        let place = haystack.place_at(range.start);
        let own = matches!(place, Place::Subject | Place::Text | Place::Forwarded);
        let sentence = haystack.sentence_at(range.start);
        (own && !text.is_empty()).then_some(Word { text, range, sentence, place })
    })
}

/// Every phrase of a message, or of some of its sentences: neighbouring words of one sentence, without
/// figures.
pub(super) fn phrases(haystack: &Haystack, within: Option<&HashSet<usize>>) -> HashSet<String> {
    let mut phrases = HashSet::new();
    let mut run: Vec<Word<'_>> = Vec::new();
    for word in words(haystack) {
        if within.is_some_and(|within| !within.contains(&word.sentence))
            || !word.text.chars().all(char::is_alphabetic)
        {
            run.clear();
            continue;
        }
        let follows = run.last().is_some_and(|last| {
            haystack.folded.get(last.range.end..word.range.start) == Some(" ")
                && last.sentence == word.sentence
        });
        if !follows {
            run.clear();
        } else if run.len() == LONGEST {
            run.remove(0);
        }
        run.push(word);
        for from in 0..run.len() {
            let texts: Vec<&str> = run.iter().skip(from).map(|word| word.text).collect();
            let alone = texts.len() == 1;
            if !alone || texts.iter().all(|text| text.chars().count() >= SHORTEST) {
                phrases.insert(texts.join(" "));
            }
        }
    }
    phrases
}

/// How words are written: with a capital where no sentence begins, or small. What is mostly written
/// with a capital is the name of somebody or something.
#[derive(Default)]
pub(super) struct Writing(HashMap<String, (usize, usize)>);

impl Writing {
    /// Takes note of a message.
    pub(super) fn add(&mut self, haystack: &Haystack) {
        let mut sentence = None;
        for word in words(haystack).filter(|word| word.place != Place::Subject) {
            let begins = sentence.replace(word.sentence) != Some(word.sentence);
            let mut letters = haystack.quote(&word.range).chars();
            let capital = letters.next().is_some_and(char::is_uppercase);
            // "EHCP" is no name.
            let shouted = capital && letters.next().is_some_and(char::is_uppercase);
            if shouted || (capital && begins) {
                continue;
            }
            let (capitals, small) = self.0.entry(word.text.to_owned()).or_default();
            *(if capital { capitals } else { small }) += 1;
        }
    }

    /// Whether one of a phrase's words seems to be a name.
    pub(super) fn has_a_name(&self, phrase: &str) -> bool {
        let is_name = |word| self.0.get(word).is_some_and(|(capitals, small)| capitals > small);
        phrase.split(' ').any(is_name)
    }
}

/// The words of a sender's name and address.
pub(super) fn names(email: &Email) -> HashSet<String> {
    let Some(from) = &email.from else { return HashSet::new() };
    let name = from.name.as_ref().map_or("", |name| name.as_str());
    let all = format!("{} {}", fold(name), from.address.to_lowercase());
    all.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> HashSet<String> {
        phrases(&Haystack::of_example(Place::Text, text), None)
    }

    #[test]
    fn a_phrase_is_up_to_three_neighbours_of_one_sentence() {
        let found = found("The mini-bus is late. Call 17 people");
        for phrase in ["the mini bus", "mini bus is", "bus", "is late", "people", "call"] {
            assert!(found.contains(phrase), "{phrase}: {found:?}");
        }
        for phrase in ["late call", "is", "17", "call people", "the mini bus is"] {
            assert!(!found.contains(phrase), "{phrase}");
        }
    }

    #[test]
    fn what_is_written_with_a_capital_is_a_name() {
        let mut writing = Writing::default();
        for text in ["My son Jack waits for the EHCP.", "Taxi late. The taxi left jack and Jack."] {
            writing.add(&Haystack::of_example(Place::Text, text));
        }
        assert!(writing.has_a_name("with jack"));
        for phrase in ["taxi", "ehcp", "my son", "unheard"] {
            assert!(!writing.has_a_name(phrase), "{phrase}");
        }
    }
}
