//! Learning, and judging by what was learned.

use serde::{Deserialize, Serialize};

use crate::Features;

/// What stands in fewer examples says nothing about another: words and pairs, pieces.
const OFTEN: [u32; 2] = [5, 20];
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

/// A feature that says something.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    feature: u32,
    /// The number of its row: the more examples it stands in, the lower. Texts are made of the frequent ones, whose rows
    /// then lie together, near the processor.
    row: u32,
    rare: f32,
}

/// Features of one kind, ascending.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Vocabulary {
    all: Vec<Known>,
    /// By the first bits of a feature: where those begin. Features are spread evenly.
    begins: Vec<u32>,
}

/// Features that share their first bits share a place in [`Vocabulary::begins`].
const FIRST_BITS: u32 = 14;

impl Vocabulary {
    fn of(all: Vec<Known>) -> Self {
        let before = |bits: u32| all.partition_point(|known| first_bits(known.feature) < bits);
        let begins = (0..=1 << FIRST_BITS)
            .map(|bits| u32::try_from(before(bits)).unwrap_or(u32::MAX))
            .collect();
        Self { all, begins }
    }

    fn get(&self, feature: u32) -> Option<&Known> {
        let bits = first_bits(feature) as usize;
        let (from, to) = (*self.begins.get(bits)?, *self.begins.get(bits + 1)?);
        let near = self.all.get(from as usize..to as usize)?;
        near.iter().find(|known| known.feature == feature)
    }
}

fn first_bits(feature: u32) -> u32 {
    feature >> (u32::BITS - FIRST_BITS)
}

/// One row of weights: what a feature says for each of several answers.
type Row = [f32; SIDE_BY_SIDE];

/// The same in whole steps of [`Machine::steps`]. A text is judged by a few thousand of a hundred thousand features: what
/// that takes is waiting for memory, and a byte tells as well as four what one of thousands says.
type Steps = [i8; SIDE_BY_SIDE];

/// An answer that a machine was learned for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Column {
    question: usize,
    answer: usize,
}

/// What was learned from examples.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Features of either kind.
    known: [Vocabulary; 2],
    /// How many answers each question has.
    answers: Vec<usize>,
    columns: Vec<Column>,
    /// Row by row what its feature says, for each group of columns.
    weights: Vec<Steps>,
    /// By row: what one step is.
    steps: Vec<f32>,
    /// What is said of every text, for each group of columns.
    always: Vec<Row>,
}

/// Rows that are fetched before any is counted, so that one does not wait for memory after the other.
const FETCHED: usize = 32;

/// What a machine makes of a text.
#[derive(Debug)]
pub struct Judgement {
    /// For each question and each of its answers how far the text lies on its side: above 0 inside, below 0 outside.
    /// None for answers without an example.
    pub margins: Vec<Vec<Option<f32>>>,
    /// How much of what speaks in the text stood in examples.
    pub known: usize,
}

/// A text as the machine sees it: rows with what each counts, each kind of the same length. It stands where its features
/// stood, which are of the same size: to learn takes no more memory than to read.
type Weighed = [Vec<(u32, f32)>; 2];

impl Machine {
    /// Learns from examples. `answers` is how many answers each question has; a question of two is one machine, any
    /// other has one for each answer that examples give.
    pub fn learn(examples: Vec<Example>, answers: &[usize]) -> Self {
        let known = vocabularies(&examples);
        let count = known.iter().map(|kind| kind.all.len()).sum();
        let mut machine = Self {
            known,
            answers: answers.to_vec(),
            columns: Vec::new(),
            weights: Vec::new(),
            steps: Vec::new(),
            always: Vec::new(),
        };
        machine.columns = columns(&examples, answers);
        let groups: Vec<Vec<[bool; SIDE_BY_SIDE]>> =
            machine.columns.chunks(SIDE_BY_SIDE).map(|group| wanted(&examples, group)).collect();
        // What was read is given up as it is weighed: both together are all that learning needs.
        let always = u32::try_from(count).unwrap_or(u32::MAX);
        let weigh = |example: Example| {
            let [words, mut pieces] = machine.weigh(example.features);
            pieces.push((always, 1.0));
            [words, pieces]
        };
        let weighed: Vec<Weighed> = examples.into_iter().map(weigh).collect();
        let learn = |group: &Vec<[bool; SIDE_BY_SIDE]>| learn_group(&weighed, group, count + 1);
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
        machine.keep(learned, count);
        machine
    }

    /// Keeps what each group of columns learned, row by row.
    fn keep(&mut self, learned: Vec<Vec<Row>>, count: usize) {
        let groups = learned.len();
        self.steps = vec![0.0_f32; count];
        for rows in &learned {
            for (step, row) in self.steps.iter_mut().zip(rows) {
                let largest = row.iter().fold(0.0_f32, |most, weight| most.max(weight.abs()));
                *step = step.max(largest / f32::from(i8::MAX));
            }
        }
        self.weights = vec![[0; SIDE_BY_SIDE]; count * groups];
        for (group, rows) in learned.into_iter().enumerate() {
            let slots = self.weights.iter_mut().skip(group).step_by(groups);
            for ((slot, row), step) in slots.zip(&rows).zip(&self.steps) {
                *slot = row.map(|weight| in_steps(weight, *step));
            }
            self.always.extend(rows.last());
        }
    }

    /// What was learned, for [`Machine::from_bytes`]: figures, no words.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        postcard::to_stdvec(self).ok()
    }

    /// What was learned before by the same program. Nothing where these are not its bytes, or other questions were asked.
    pub fn from_bytes(bytes: &[u8], answers: &[usize]) -> Option<Self> {
        let machine: Self = postcard::from_bytes(bytes).ok()?;
        (machine.answers == answers).then_some(machine)
    }

    /// What it makes of a text.
    pub fn judge(&self, features: Features) -> Judgement {
        let weighed = self.weigh(features);
        let mut sums = self.always.clone();
        let groups = sums.len().max(1);
        let mut fetched: Vec<Steps> = Vec::with_capacity(FETCHED * groups);
        for some in weighed.iter().flat_map(|kind| kind.chunks(FETCHED)) {
            fetched.clear();
            for (row, _) in some {
                let row = *row as usize * groups;
                fetched.extend_from_slice(self.weights.get(row..row + groups).unwrap_or_default());
            }
            for ((row, counts), says) in some.iter().zip(fetched.chunks_exact(groups)) {
                let counts = counts * self.steps.get(*row as usize).copied().unwrap_or_default();
                sums.iter_mut().zip(says).for_each(|(sums, says)| add_steps(sums, counts, says));
            }
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
        Judgement { margins, known: weighed.iter().map(Vec::len).sum() }
    }

    /// What is known of a text, rare features more than frequent ones, each kind together the same for a long text as
    /// for a short one.
    fn weigh(&self, features: Features) -> Weighed {
        let mut vocabularies = self.known.iter();
        features.kinds.map(|kind| {
            let known = vocabularies.next();
            let weighed = kind.into_iter().filter_map(|(one, times)| {
                let known = known?.get(one)?;
                Some((known.row, known.rare * (1.0 + float(times).ln())))
            });
            let mut weighed: Vec<(u32, f32)> = weighed.collect();
            let length = weighed.iter().map(|(_, counts)| counts * counts).sum::<f32>().sqrt();
            if length > 0.0 {
                for (_, counts) in &mut weighed {
                    *counts /= length;
                }
            }
            weighed
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of words and examples")]
fn float(number: u32) -> f32 {
    number as f32
}

#[expect(clippy::cast_possible_truncation, reason = "no more steps than a byte counts")]
fn in_steps(weight: f32, step: f32) -> i8 {
    if step > 0.0 { (weight / step).round() as i8 } else { 0 }
}

/// In how many parts features are counted.
const PARTS: u32 = 16;
/// As many numbers are in a part.
const PART: u32 = 1 << 28;

/// The features that stand in enough examples, each with a row of its own and how rare it is.
fn vocabularies(examples: &[Example]) -> [Vocabulary; 2] {
    let mut found: Vec<(u32, usize, u32)> = Vec::new();
    for (kind, often) in OFTEN.into_iter().enumerate() {
        // A part of all features at a time: they are millions.
        let mut some: Vec<u32> = Vec::new();
        for part in 0..PARTS {
            some.clear();
            for example in examples {
                let all = example.features.kinds.get(kind).map_or(&[][..], Vec::as_slice);
                let from = all.partition_point(|(one, _)| one / PART < part);
                let of_part = all.iter().skip(from).take_while(|(one, _)| one / PART == part);
                some.extend(of_part.map(|(one, _)| *one));
            }
            some.sort_unstable();
            for same in some.chunk_by(|one, next| one == next) {
                let times = u32::try_from(same.len()).unwrap_or(u32::MAX);
                let often = same.first().filter(|_| times >= often);
                found.extend(often.map(|one| (times, kind, *one)));
            }
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    let examples = float(u32::try_from(examples.len()).unwrap_or(u32::MAX));
    let mut known = OFTEN.map(|_| Vec::new());
    for ((times, kind, feature), row) in found.into_iter().zip(0..) {
        let rare = ((1.0 + examples) / (1.0 + float(times))).ln() + 1.0;
        if let Some(kind) = known.get_mut(kind) {
            kind.push(Known { feature, row, rare });
        }
    }
    known.map(|mut kind| {
        kind.sort_unstable_by_key(|known| known.feature);
        Vocabulary::of(kind)
    })
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

#[inline]
fn add(sums: &mut Row, times: f32, row: &Row) {
    sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += times * weight);
}

#[inline]
fn add_steps(sums: &mut Row, times: f32, row: &Steps) {
    sums.iter_mut().zip(row).for_each(|(sum, steps)| *sum += times * f32::from(*steps));
}

fn product(weighed: &Weighed, weights: &[Row]) -> Row {
    let mut sums = [0.0; SIDE_BY_SIDE];
    for (row, counts) in weighed.iter().flatten() {
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
        .map(|one| one.iter().flatten().map(|(_, counts)| counts * counts).sum::<f32>() + slack)
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
            for (row, counts) in example.iter().flatten() {
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
        machine.judge(features(&[text])).margins
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
            // Each row has its own steps, of the most that it says to any question.
            let away = alone[0][1].unwrap() - beside[1][1].unwrap();
            assert!(away.abs() < 0.02, "{text}: {away}");
            assert_eq!(alone[0][0], alone[0][1].map(|margin| -margin));
        }
    }

    #[test]
    fn what_is_unknown_says_nothing() {
        let machine = taught(&[2], |answer, _| vec![answer]);
        let unknown = machine.judge(features(&["guten tag"]));
        assert_eq!(unknown.known, 0);
        assert!(machine.judge(features(&["the taxi"])).known > 4);
        assert!(unknown.margins[0][1].unwrap().abs() < 0.2);
    }
}
