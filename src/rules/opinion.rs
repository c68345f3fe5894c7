//! A second opinion: what a message resembles among messages whose answer is known.
//!
//! Rules say what somebody thought of; examples hold the rest. Each word and pair of
//! words speaks for the answers that it came with (complement naive Bayes after Rennie and others,
//! 2003: right for few examples, unequal numbers of them, and long texts). What comes of it is evidence
//! like any rule's, shown as such: it fills in where rules say little, and where it contradicts
//! them an officer looks.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use super::text::{Haystack, Place};

/// Fewer examples than this teach nothing.
const FEWEST: usize = 100;
/// What stands in fewer examples says nothing about another.
const OFTEN: u32 = 3;
/// How much an answer is expected to come with what it never came with (additive smoothing).
const SMOOTHING: f64 = 0.1;
/// Turns scores into chances: the value at which the answers were most often right on messages that
/// nobody had seen (20 and 30 were tried).
const SHARPNESS: f64 = 30.0;
/// Words of a message that are looked at.
const MOST_WORDS: usize = 5_000;

/// Keeps the words of a subject apart from the same words in a text.
const SUBJECT: u64 = 0x5375_626a_6563_7431;
/// Keeps the words of a sender's name apart.
const FROM: u64 = 0x4672_6f6d_4672_6f6d;

/// Keeps pairs with a word between apart from words that stand side by side.
const BETWEEN: u64 = 0x4265_7477_6565_6e21;
/// Endings that say nothing of what a word is about.
const ENDINGS: [&str; 5] = ["ing", "ed", "es", "s", "ly"];
/// What is left of a word without its ending has more letters.
const SHORTEST: usize = 3;

/// What speaks in a message, as numbers: ascending, each once.
pub(crate) type Features = Vec<u64>;

/// What is a number by chance already needs no other to be found by.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// By feature: its row, and how rare it is.
type Rows = HashMap<u64, (usize, f64), BuildHasherDefault<AsItIs>>;

/// An example: what speaks in it, and its answer for each question.
#[derive(Clone)]
pub(crate) struct Example {
    pub(crate) features: Features,
    pub(crate) answers: Vec<usize>,
}

/// What was learned from examples: for each question, how much a feature speaks for an answer.
pub(crate) struct Opinion {
    /// By feature: its row, and how rare it is.
    rows: Rows,
    /// By question: which answers there were examples of.
    questions: Vec<Vec<bool>>,
    /// Row by row, what each feature says for each answer of each question.
    says: Vec<f32>,
}

impl Opinion {
    /// Learns from examples. `answers` is how many answers each question has. Nothing where there
    /// are too few examples.
    pub(crate) fn learn(examples: &[Example], answers: &[usize]) -> Option<Self> {
        if examples.len() < FEWEST {
            return None;
        }
        let kept = often(examples);
        let all = count(examples.len());
        let rows: Rows = kept
            .iter()
            .enumerate()
            .map(|(row, (feature, times))| (*feature, (row, (all / f64::from(*times)).ln())))
            .collect();
        let weighed: Vec<Vec<(usize, f64)>> =
            examples.iter().map(|example| weigh(&rows, &example.features)).collect();
        let width: usize = answers.iter().sum();
        let mut says = vec![0.0_f32; rows.len() * width];
        let (mut questions, mut column) = (Vec::with_capacity(answers.len()), 0);
        for (number, answers) in answers.iter().enumerate() {
            let answered = examples.iter().filter_map(|example| example.answers.get(number));
            let (seen, said) = learn_one(answered.copied().zip(&weighed), rows.len(), *answers);
            for (row, said) in says.chunks_mut(width.max(1)).zip(said.chunks((*answers).max(1))) {
                let to = row.get_mut(column..column + answers).unwrap_or_default();
                to.iter_mut().zip(said).for_each(|(to, said)| *to = *said);
            }
            questions.push(seen);
            column += answers;
        }
        Some(Self { rows, questions, says })
    }

    /// How much of what speaks in a message stood in examples.
    pub(crate) fn known(&self, features: &Features) -> usize {
        features.iter().filter(|feature| self.rows.contains_key(feature)).count()
    }

    /// For each question how likely each answer is: together 1, as far as examples go.
    pub(crate) fn of(&self, features: &Features) -> Vec<Vec<f64>> {
        let width: usize = self.questions.iter().map(Vec::len).sum();
        let mut scores = vec![0.0_f32; width];
        for (row, weight) in weigh(&self.rows, features) {
            let said = self.says.get(row * width..(row + 1) * width).unwrap_or_default();
            #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough")]
            let weight = weight as f32;
            scores.iter_mut().zip(said).for_each(|(score, said)| *score += weight * said);
        }
        let mut scores = scores.into_iter();
        let question = |seen: &Vec<bool>| {
            let scores: Vec<f64> = scores.by_ref().take(seen.len()).map(f64::from).collect();
            chances(&scores, seen)
        };
        self.questions.iter().map(question).collect()
    }
}

/// The features that stand in enough examples, ascending, each with how many: the same order on every machine, so
/// that sums round the same way. Sorted rather than counted by a table, which would take several times the memory of
/// all examples while they are learned.
fn often(examples: &[Example]) -> Vec<(u64, u32)> {
    let mut all: Vec<u64> =
        Vec::with_capacity(examples.iter().map(|example| example.features.len()).sum());
    all.extend(examples.iter().flat_map(|example| &example.features));
    all.sort_unstable();
    let same = all.chunk_by(|one, next| one == next);
    let times = same.filter_map(|run| Some((*run.first()?, u32::try_from(run.len()).ok()?)));
    times.filter(|(_, times)| *times >= OFTEN).collect()
}

/// The known features of a message, by row, with what each counts: rare ones more, and all
/// together the same for a long message as for a short one.
fn weigh(rows: &Rows, features: &Features) -> Vec<(usize, f64)> {
    let mut weighed: Vec<(usize, f64)> =
        features.iter().filter_map(|feature| rows.get(feature).copied()).collect();
    let length = weighed.iter().map(|(_, rare)| rare * rare).sum::<f64>().sqrt();
    if length > 0.0 {
        for (_, rare) in &mut weighed {
            *rare /= length;
        }
    }
    weighed
}

/// Which answers of one question there are examples of, and row by row what each feature says for each.
fn learn_one<'e>(
    examples: impl Iterator<Item = (usize, &'e Vec<(usize, f64)>)>,
    rows: usize,
    answers: usize,
) -> (Vec<bool>, Vec<f32>) {
    let mut sums = vec![0.0_f64; rows * answers];
    let mut of_row = vec![0.0_f64; rows];
    let mut of_answer = vec![0.0_f64; answers];
    let mut seen = vec![false; answers];
    for (answer, weighed) in examples.filter(|(answer, _)| *answer < answers) {
        set(&mut seen, answer);
        for (row, weight) in weighed {
            add(&mut sums, row * answers + answer, *weight);
            add(&mut of_row, *row, *weight);
            add(&mut of_answer, answer, *weight);
        }
    }
    let all: f64 = of_row.iter().sum();
    let expected = SMOOTHING * count(rows);
    // How a feature stands among the examples of all other answers: rare there, it speaks for this one.
    let mut says: Vec<f64> = Vec::with_capacity(sums.len());
    for (sums, of_row) in sums.chunks(answers.max(1)).zip(&of_row) {
        says.extend(sums.iter().zip(&of_answer).map(|(sum, of_answer)| {
            -((of_row - sum + SMOOTHING) / (all - of_answer + expected)).ln()
        }));
    }
    // An answer with few examples would otherwise win by the size of its numbers.
    let mut sizes = vec![0.0_f64; answers];
    for row in says.chunks(answers.max(1)) {
        row.iter().zip(&mut sizes).for_each(|(said, size)| *size += said.abs());
    }
    let rows = count(rows);
    let even = |says: &[f64]| -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough")]
        says.iter().zip(&sizes).map(|(said, size)| (said * rows / size.max(1e-9)) as f32).collect()
    };
    let says = says.chunks(answers.max(1)).flat_map(even).collect();
    (seen, says)
}

/// What scores are worth, the best answer being 1 to begin with.
fn chances(scores: &[f64], seen: &[bool]) -> Vec<f64> {
    let known = || scores.iter().zip(seen).filter(|(_, seen)| **seen);
    let best = known().map(|(score, _)| *score).fold(f64::MIN, f64::max);
    let chance =
        |score: f64, seen: bool| if seen { (SHARPNESS * (score - best)).exp() } else { 0.0 };
    let all: f64 = known().map(|(score, seen)| chance(*score, *seen)).sum();
    let each = scores.iter().zip(seen);
    each.map(|(score, seen)| chance(*score, *seen) / all.max(1.0)).collect()
}

fn add(sums: &mut [f64], at: usize, what: f64) {
    if let Some(sum) = sums.get_mut(at) {
        *sum += what;
    }
}

fn set(flags: &mut [bool], at: usize) {
    if let Some(flag) = flags.get_mut(at) {
        *flag = true;
    }
}

#[expect(clippy::cast_precision_loss, reason = "thousands at most")]
fn count(number: usize) -> f64 {
    number as f64
}

/// What speaks in a message: its words without their endings, pairs of words, and pairs with one word
/// between; those of its subject and of its sender's name once more by themselves. Not the rules that fire: to try them on every example would take
/// seconds, and an opinion of its own is worth more.
pub(crate) fn features(haystack: &Haystack) -> Features {
    let mut features = Features::new();
    for (place, text) in haystack.folded_parts() {
        match place {
            Place::Subject => {
                features.extend(words(text).map(|word| mixed(SUBJECT, hash(stem(word)))));
                pairs(text, &mut features);
            }
            Place::Text | Place::Signature | Place::Forwarded => pairs(text, &mut features),
            Place::From => features.extend(words(text).map(|word| mixed(FROM, hash(word)))),
            // What others wrote before, and names of files and servers.
            Place::Quoted | Place::Attachment | Place::FromDomain | Place::Form(_) => {}
        }
    }
    features.sort_unstable();
    features.dedup();
    features
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(MOST_WORDS)
}

fn pairs(text: &str, features: &mut Features) {
    let (mut before, mut last) = (None, None);
    for word in words(text).map(|word| hash(stem(word))) {
        features.push(word);
        features.extend(last.map(|last| mixed(last, word)));
        features.extend(before.map(|before| mixed(mixed(BETWEEN, before), word)));
        (before, last) = (last, Some(word));
    }
}

/// A word without its ending: of "waiting" and "waited" what was learned of one counts for the other.
fn stem(word: &str) -> &str {
    let without = |ending: &&str| word.strip_suffix(*ending).filter(|rest| rest.len() > SHORTEST);
    ENDINGS.iter().find_map(without).unwrap_or(word)
}

/// A word as a number. It is kept nowhere.
fn hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

/// Two numbers as one: another for every pair, and for every order.
fn mixed(first: u64, second: u64) -> u64 {
    (first.rotate_left(23) ^ second).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(text: &str, answer: usize) -> Example {
        let haystack = Haystack::of_example(Place::Text, text);
        Example { features: features(&haystack), answers: vec![answer] }
    }

    fn taught() -> Opinion {
        let mut examples = Vec::new();
        for number in 0..60 {
            let day = format!("on day {number}");
            examples.push(example(&format!("the taxi did not come {day}"), 0));
            examples.push(example(&format!("the plan for my son is late {day}"), 1));
        }
        Opinion::learn(&examples, &[3]).unwrap()
    }

    #[test]
    fn a_message_is_like_those_that_it_shares_words_with() {
        let opinion = taught();
        for (text, answer) in [("our taxi never came", 0), ("where is the plan for my girl", 1)] {
            let chances = opinion.of(&example(text, 0).features).remove(0);
            assert!(chances[answer] > 0.6, "{text}: {chances:?}");
            assert!(chances[2] < 1e-9, "there was no example of it");
            assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn unknown_words_tell_nothing() {
        let chances = taught().of(&example("guten tag", 0).features).remove(0);
        assert!((chances[0] - chances[1]).abs() < 0.01, "{chances:?}");
    }

    #[test]
    fn few_examples_teach_nothing() {
        assert!(Opinion::learn(&[example("the taxi", 0)], &[2]).is_none());
    }
}
