//! A second opinion: what a message resembles among messages whose answer is known.
//!
//! Rules say what somebody thought of; examples hold the rest. What is learned from them, and how, is
//! `postern_words`; here is what of a message it reads, and what its margins are worth as chances. What comes of it
//! is evidence like any rule's, shown as such: it fills in where rules say little, and where it contradicts
//! them an officer looks.

use postern_words::{Example, Features, Machine};

use super::text::{Haystack, Place};

/// Fewer examples than this teach nothing.
const FEWEST: usize = 100;
/// What a margin of 1 is worth among several answers, as log odds. Measured, as [`YES`], on letters by writers whom it
/// had not seen.
const SHARPNESS: f64 = 4.0;
/// What the margin of a question of yes and no is worth, as log odds: without any, and for each 1.
const YES: (f64, f64) = (0.5, 4.0);

/// What was learned from examples.
pub(crate) struct Opinion(Machine);

impl Opinion {
    /// Learns from examples. `answers` is how many answers each question has. Nothing where there
    /// are too few examples.
    pub(crate) fn learn(examples: Vec<Example>, answers: &[usize]) -> Option<Self> {
        if examples.len() < FEWEST {
            return None;
        }
        Some(Self(Machine::learn(examples, answers)))
    }

    /// What was learned, for [`Opinion::from_bytes`]: figures, no words.
    pub(crate) fn to_bytes(&self) -> Option<Vec<u8>> {
        self.0.to_bytes()
    }

    /// What was learned before. Nothing where these are not its bytes, or other questions were asked.
    pub(crate) fn from_bytes(bytes: &[u8], answers: &[usize]) -> Option<Self> {
        Machine::from_bytes(bytes, answers).map(Self)
    }

    /// For each question how likely each answer is: together 1, as far as examples go. And how much of what speaks in
    /// the message stood in examples.
    pub(crate) fn of(&self, features: Features) -> (Vec<Vec<f64>>, usize) {
        let judged = self.0.judge(features);
        (judged.margins.iter().map(|margins| chances(margins)).collect(), judged.known)
    }
}

/// What the margins of one question are worth.
fn chances(margins: &[Option<f32>]) -> Vec<f64> {
    if let [_, Some(yes)] = margins {
        let yes = 1.0 / (1.0 + (-(YES.0 + YES.1 * f64::from(*yes))).exp());
        return vec![1.0 - yes, yes];
    }
    let best = margins.iter().flatten().copied().fold(f32::MIN, f32::max);
    let worth: Vec<f64> = margins
        .iter()
        .map(|margin| margin.map_or(0.0, |margin| (SHARPNESS * f64::from(margin - best)).exp()))
        .collect();
    let all: f64 = worth.iter().sum();
    worth.iter().map(|worth| worth / all.max(1.0)).collect()
}

/// What speaks in a message: its sender's name, its subject, and what the sender wrote or handed on. Not the rules
/// that fire: to try them on every example would take seconds, and an opinion of its own is worth more. Not what others
/// wrote before, nor names of files and servers.
pub(crate) fn features(haystack: &Haystack) -> Features {
    let says = |place: &Place| {
        matches!(
            place,
            Place::From | Place::Subject | Place::Text | Place::Signature | Place::Forwarded
        )
    };
    let parts = haystack.folded_parts().filter(|(place, _)| says(place)).map(|(_, text)| text);
    postern_words::features(&parts.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(text: &str, answers: [usize; 2]) -> Example {
        let haystack = Haystack::of_example(Place::Text, text);
        Example { features: features(&haystack), answers: answers.to_vec() }
    }

    fn taught() -> Opinion {
        let mut examples = Vec::new();
        for number in 0..60 {
            let day = format!("on day {number}");
            examples.push(example(&format!("the taxi did not come {day}"), [0, 1]));
            examples.push(example(&format!("the plan for my son is late {day}"), [1, 0]));
        }
        Opinion::learn(examples, &[3, 2]).unwrap()
    }

    #[test]
    fn a_message_is_like_those_that_it_shares_words_with() {
        let opinion = taught();
        for (text, answer) in [("our taxi never came", 0), ("where is the plan for my girl", 1)] {
            let (chances, _) = opinion.of(example(text, [0, 0]).features);
            let service = &chances[0];
            assert!(service[answer] > 0.8, "{text}: {service:?}");
            assert!(service[2] < 1e-9, "there was no example of it");
            assert!((service.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let taxi = chances[1][1];
            assert!(if answer == 0 { taxi > 0.8 } else { taxi < 0.2 }, "{text}: {taxi}");
        }
    }

    #[test]
    fn unknown_words_tell_nothing() {
        let chances = taught().of(example("guten tag", [0, 0]).features).0.remove(0);
        assert!((chances[0] - chances[1]).abs() < 0.2, "{chances:?}");
    }

    #[test]
    fn what_was_learned_is_the_same_after_it_was_put_away() {
        let taught = taught();
        let bytes = taught.to_bytes().unwrap();
        let again = Opinion::from_bytes(&bytes, &[3, 2]).unwrap();
        let features = example("our taxi never came", [0, 0]).features;
        assert_eq!(again.of(features.clone()), taught.of(features));
        assert!(Opinion::from_bytes(&bytes, &[3]).is_none(), "other questions");
        assert!(Opinion::from_bytes(&bytes[..bytes.len() / 2], &[3, 2]).is_none(), "a part");
    }

    #[test]
    fn few_examples_teach_nothing() {
        assert!(Opinion::learn(vec![example("the taxi", [0, 0])], &[2, 2]).is_none());
    }
}
