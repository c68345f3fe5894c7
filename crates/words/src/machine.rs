//! Learning, and judging by what was learned.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::Features;

/// What stands in fewer examples says nothing about another: words and pairs, pieces.
const OFTEN: [u32; 2] = [3, 8];
/// Answers learned side by side: as many as one row of weights holds.
const SIDE_BY_SIDE: usize = 16;
/// Walks over all examples. Each halves what is still to be moved: thirty of them change the answers of three letters
/// of 220, and none for the better.
const WALKS: usize = 8;
/// How much a mistake on an example counts against a machine that is simple.
const STRICT: f32 = 1.0;

/// A text whose answer to each question is known.
#[derive(Debug, Clone)]
pub struct Example {
    /// What speaks in it.
    pub features: Features,
    /// By question the number of its answer.
    pub answers: Vec<usize>,
}

/// Features by their numbers, which are spread already: hashing them again takes longer than all else.
type ByFeature<T> = HashMap<u32, T, BuildHasherDefault<Spread>>;

/// See [`ByFeature`].
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        // The map looks at the lowest and at the highest bits.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// One row of weights: what a feature says for each of several answers.
type Row = [f32; SIDE_BY_SIDE];

/// An answer that a machine was learned for.
#[derive(Debug, Clone, Copy)]
struct Column {
    question: usize,
    answer: usize,
}

/// What was learned from examples.
#[derive(Debug)]
pub struct Machine {
    /// By feature of either kind: its row, and how rare it is.
    rows: [ByFeature<(u32, f32)>; 2],
    /// How many answers each question has.
    answers: Vec<usize>,
    columns: Vec<Column>,
    /// Feature by feature what it says, a row for each group of columns; at last what is said without any. A
    /// text is judged by a few thousand of many features: what each says lies together.
    weights: Vec<Row>,
}

/// What a machine makes of a text.
#[derive(Debug)]
pub struct Judgement {
    /// For each question and each of its answers how far the text lies on its side: above 0 inside, below 0 outside.
    /// None for answers without an example.
    pub margins: Vec<Vec<Option<f32>>>,
    /// How much of what speaks in the text stood in examples.
    pub known: usize,
}

/// A text as the machine sees it: rows with what each counts, each kind of the same length.
type Weighed = Vec<(u32, f32)>;

impl Machine {
    /// Learns from examples. `answers` is how many answers each question has; a question of two is one machine, any
    /// other has one for each answer that examples give.
    pub fn learn(examples: Vec<Example>, answers: &[usize]) -> Self {
        let mut rows = [ByFeature::default(), ByFeature::default()];
        let mut count = 0;
        for (kind, rows) in rows.iter_mut().enumerate() {
            let often = OFTEN.get(kind).copied().unwrap_or_default();
            *rows = rarity(&examples, kind, often, &mut count);
        }
        let mut machine =
            Self { rows, answers: answers.to_vec(), columns: Vec::new(), weights: Vec::new() };
        machine.columns = columns(&examples, answers);
        let groups: Vec<Vec<[bool; SIDE_BY_SIDE]>> =
            machine.columns.chunks(SIDE_BY_SIDE).map(|group| wanted(&examples, group)).collect();
        // What was read is given up as it is weighed: both together are all that learning needs.
        let weighed: Vec<Weighed> =
            examples.into_iter().map(|example| machine.weigh(&example.features, count)).collect();
        let length = count as usize + 1;
        let learn = |group: &Vec<[bool; SIDE_BY_SIDE]>| learn_group(&weighed, group, length);
        let learned: Vec<Vec<Row>> = std::thread::scope(|scope| {
            let running: Vec<_> =
                groups.iter().map(|group| scope.spawn(move || learn(group))).collect();
            running
                .into_iter()
                .zip(&groups)
                .map(|(one, group)| one.join().unwrap_or_else(|_| learn(group)))
                .collect()
        });
        drop(weighed);
        machine.weights = side_by_side(learned, length);
        machine
    }

    /// How many rows each feature has.
    fn groups(&self) -> usize {
        self.columns.len().div_ceil(SIDE_BY_SIDE)
    }

    /// What it makes of a text.
    pub fn judge(&self, features: &Features) -> Judgement {
        let groups = self.groups().max(1);
        let nothing = (self.weights.len() / groups).saturating_sub(1);
        let weighed = self.weigh(features, u32::try_from(nothing).unwrap_or(u32::MAX));
        let mut sums = vec![[0.0; SIDE_BY_SIDE]; groups];
        for (feature, counts) in &weighed {
            let rows = self.weights.iter().skip(*feature as usize * groups);
            sums.iter_mut().zip(rows).for_each(|(sums, row)| add(sums, *counts, row));
        }
        let mut margins: Vec<Vec<Option<f32>>> =
            self.answers.iter().map(|answers| vec![None; *answers]).collect();
        for (columns, sums) in self.columns.chunks(SIDE_BY_SIDE).zip(sums) {
            for (column, margin) in columns.iter().zip(sums) {
                let Some(answers) = margins.get_mut(column.question) else { continue };
                if let [no, yes] = answers.as_mut_slice() {
                    (*no, *yes) = (Some(-margin), Some(margin));
                } else if let Some(place) = answers.get_mut(column.answer) {
                    *place = Some(margin);
                }
            }
        }
        Judgement { margins, known: weighed.len() - 1 }
    }

    /// What is known of a text, rare features more than frequent ones, each kind together the same for a long text as
    /// for a short one; and at last, at `nothing`, what is said of every text.
    fn weigh(&self, features: &Features, nothing: u32) -> Weighed {
        let mut weighed = Weighed::new();
        for (kind, rows) in features.kinds.iter().zip(&self.rows) {
            let from = weighed.len();
            weighed.extend(kind.iter().filter_map(|(one, times)| {
                let (row, rare) = rows.get(one)?;
                Some((*row, rare * (1.0 + float(*times).ln())))
            }));
            let part = weighed.get_mut(from..).unwrap_or_default();
            let length = part.iter().map(|(_, counts)| counts * counts).sum::<f32>().sqrt();
            if length > 0.0 {
                for (_, counts) in part {
                    *counts /= length;
                }
            }
        }
        weighed.push((nothing, 1.0));
        weighed
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of words and examples")]
fn float(number: u32) -> f32 {
    number as f32
}

/// The features of one kind that stand in enough examples, each with a row of its own and how rare it is.
fn rarity(examples: &[Example], kind: usize, often: u32, count: &mut u32) -> ByFeature<(u32, f32)> {
    let of = |example: &Example| example.features.kinds.get(kind).map_or(0, Vec::len);
    let mut all: Vec<u32> = Vec::with_capacity(examples.iter().map(of).sum());
    for example in examples {
        all.extend(example.features.kinds.get(kind).into_iter().flatten().map(|(one, _)| *one));
    }
    all.sort_unstable();
    let examples = float(u32::try_from(examples.len()).unwrap_or(u32::MAX));
    let mut rows = ByFeature::default();
    for same in all.chunk_by(|one, next| one == next) {
        let times = u32::try_from(same.len()).unwrap_or(u32::MAX);
        if let Some(one) = same.first().filter(|_| times >= often) {
            let rare = ((1.0 + examples) / (1.0 + float(times))).ln() + 1.0;
            rows.insert(*one, (*count, rare));
            *count += 1;
        }
    }
    rows
}

fn columns(examples: &[Example], answers: &[usize]) -> Vec<Column> {
    let mut columns = Vec::new();
    for (question, answers) in answers.iter().enumerate() {
        let given = |answer: usize| {
            examples.iter().any(|example| example.answers.get(question) == Some(&answer))
        };
        let learned = if *answers == 2 { 1..2 } else { 0..*answers };
        columns.extend(
            learned.filter(|answer| given(*answer)).map(|answer| Column { question, answer }),
        );
    }
    columns
}

/// By example which answers of a group of columns it gives.
fn wanted(examples: &[Example], group: &[Column]) -> Vec<[bool; SIDE_BY_SIDE]> {
    let of = |example: &Example| {
        let mut gives = [false; SIDE_BY_SIDE];
        for (gives, column) in gives.iter_mut().zip(group) {
            *gives = example.answers.get(column.question) == Some(&column.answer);
        }
        gives
    };
    examples.iter().map(of).collect()
}

/// What each group of columns learned, feature by feature.
fn side_by_side(learned: Vec<Vec<Row>>, length: usize) -> Vec<Row> {
    let groups = learned.len();
    let mut all = vec![[0.0; SIDE_BY_SIDE]; length * groups];
    for (group, rows) in learned.into_iter().enumerate() {
        all.iter_mut().skip(group).step_by(groups).zip(rows).for_each(|(slot, row)| *slot = row);
    }
    all
}

fn add(sums: &mut Row, times: f32, row: &Row) {
    sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += times * weight);
}

fn product(weighed: &Weighed, weights: &[Row]) -> Row {
    let mut sums = [0.0; SIDE_BY_SIDE];
    for (row, counts) in weighed {
        if let Some(row) = weights.get(*row as usize) {
            add(&mut sums, *counts, row);
        }
    }
    sums
}

/// Dual coordinate descent for the answers of one group at once: each walk takes the examples in another order, and
/// moves for each answer what that example says to where it is best while all others stay.
fn learn_group(weighed: &[Weighed], wanted: &[[bool; SIDE_BY_SIDE]], length: usize) -> Vec<Row> {
    let slack = 0.5 / STRICT;
    let mut weights = vec![[0.0_f32; SIDE_BY_SIDE]; length];
    let mut says = vec![[0.0_f32; SIDE_BY_SIDE]; weighed.len()];
    let sizes: Vec<f32> = weighed
        .iter()
        .map(|one| one.iter().map(|(_, counts)| counts * counts).sum::<f32>() + slack)
        .collect();
    let mut order: Vec<usize> = (0..weighed.len()).collect();
    let mut chance = 1_u64;
    for _ in 0..WALKS {
        shuffle(&mut order, &mut chance);
        for number in &order {
            let (Some(example), Some(gives), Some(says), Some(whole)) = (
                weighed.get(*number),
                wanted.get(*number),
                says.get_mut(*number),
                sizes.get(*number),
            ) else {
                continue;
            };
            let mut moves = product(example, &weights);
            for ((moves, says), gives) in moves.iter_mut().zip(says).zip(gives) {
                let side = if *gives { 1.0 } else { -1.0 };
                let now = (*says - (side * *moves - 1.0 + slack * *says) / whole).max(0.0);
                *moves = side * (now - *says);
                *says = now;
            }
            if moves.iter().all(|moves| *moves == 0.0) {
                continue;
            }
            for (row, counts) in example {
                if let Some(row) = weights.get_mut(*row as usize) {
                    add(row, *counts, &moves);
                }
            }
        }
    }
    weights
}

/// Another order, the same in every run (Fisher and Yates, with a linear congruential generator).
fn shuffle(order: &mut [usize], chance: &mut u64) {
    for last in (1..order.len()).rev() {
        *chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from((*chance >> 33) % (last as u64 + 1)).unwrap_or(0);
        order.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features;

    fn taught(answers: &[usize], of: impl Fn(usize, &str) -> Vec<usize>) -> Machine {
        let mut texts = Vec::new();
        for number in 0..60 {
            texts.push((0, format!("the taxi did not come on day {number}")));
            texts.push((1, format!("the plan for my son is late on day {number}")));
        }
        let read = texts.iter().map(|(answer, text)| Example {
            features: features(&[text.as_str()]),
            answers: of(*answer, text),
        });
        Machine::learn(read.collect(), answers)
    }

    fn margins(machine: &Machine, text: &str) -> Vec<Vec<Option<f32>>> {
        machine.judge(&features(&[text])).margins
    }

    #[test]
    fn a_text_is_like_those_that_it_shares_words_with() {
        let machine = taught(&[3], |answer, _| vec![answer]);
        for (text, answer) in [("our taxis never came", 0), ("where are the plans for my girl", 1)]
        {
            let of = margins(&machine, text).remove(0);
            assert!(of[answer] > Some(0.2) && of[1 - answer] < Some(-0.2), "{text}: {of:?}");
            assert_eq!(of[2], None, "there was no example of it");
        }
    }

    #[test]
    fn several_questions_are_learned_side_by_side() {
        let alone = taught(&[2], |answer, _| vec![answer]);
        let beside = taught(&[20, 2], |answer, text| vec![text.len() % 20, answer]);
        for text in ["the taxi is late", "a plan"] {
            let (alone, beside) = (margins(&alone, text), margins(&beside, text));
            assert_eq!(alone[0], beside[1], "{text}");
            assert_eq!(alone[0][0], alone[0][1].map(|margin| -margin));
        }
    }

    #[test]
    fn what_is_unknown_says_nothing() {
        let machine = taught(&[2], |answer, _| vec![answer]);
        let unknown = machine.judge(&features(&["guten tag"]));
        assert_eq!(unknown.known, 0);
        assert!(machine.judge(&features(&["the taxi"])).known > 4);
        assert!(unknown.margins[0][1].unwrap().abs() < 0.2);
    }
}
