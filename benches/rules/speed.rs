//! What one message costs with many rules, and what the rules themselves cost.
//!
//! Each size is measured in a process of its own, on one thread: 1,000 and 10,000 rules are the shipped
//! ones and invented ones beside them, of two or three words out of the messages themselves, so that
//! their words do stand in what is read.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use postern::email::Email;
use postern::rules::trial::Labelled;
use postern::rules::{Known, RuleSet};

use crate::{corpus, shipped};

/// The word by which this program is called to measure one number of rules.
pub(crate) const CHILD: &str = "so-many-rules";
/// The word after which the rules measured are all invented.
pub(crate) const ALONE: &str = "alone";
/// A message's own words, in bytes.
const MESSAGE: usize = 8_000;
/// Messages measured.
const MESSAGES: usize = 200;
/// What one message may cost with 1,000 rules.
const BAR: Duration = Duration::from_millis(1);
/// How much more with 10,000.
const TIMES: f64 = 5.0;

/// What one number of rules costs.
struct Cost {
    load: Duration,
    first: Duration,
    later: Duration,
    peak: u64,
    hits: u64,
}

/// Measures the shipped rules, 1,000 and 10,000, and as many invented ones alone, and says what each costs.
pub(crate) fn run() {
    println!("{:>14} {:>10} {:>14} {:>14} {:>10}", "rules", "load", "first time", "median", "peak");
    let cost = |number: usize, alone: bool| {
        let cost = child(number, alone);
        let name = match (number, alone) {
            (0, _) => "shipped".to_owned(),
            (number, true) => format!("{number} {ALONE}"),
            (number, false) => number.to_string(),
        };
        println!(
            "{name:>14} {:>7} ms {:>11} us {:>11} us {:>7} MB   {} words of rules found",
            cost.load.as_millis(),
            cost.first.as_micros(),
            cost.later.as_micros(),
            cost.peak / 1_000_000,
            cost.hits,
        );
        cost
    };
    cost(0, false);
    for alone in [false, true] {
        let (thousand, many) = (cost(1_000, alone), cost(10_000, alone));
        let which = if alone { "invented ones alone" } else { "with the shipped ones" };
        println!("1,000 rules, {which}: {:?} a message (bar {BAR:?})", thousand.later);
        let times = many.later.as_secs_f64() / thousand.later.as_secs_f64();
        println!("10,000 rules cost {times:.2} times as much (bar {TIMES})");
    }
}

fn child(number: usize, alone: bool) -> Cost {
    let program = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(program);
    child.args([CHILD, &number.to_string()]).args(alone.then_some(ALONE));
    let output = child.output().expect("it can start");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<u64> = words.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    let [load, first, later, peak, hits] = numbers[..] else { panic!("{words}") };
    let [load, first, later] = [load, first, later].map(Duration::from_nanos);
    Cost { load, first, later, peak, hits }
}

/// Measures one number of rules: none but the shipped ones for 0. `alone`: all of them are invented, and
/// there are no examples.
pub(crate) fn measure(number: usize, alone: bool) {
    let letters = corpus();
    let mut files = shipped();
    let mut there = 0;
    let began = Instant::now();
    if alone {
        files.retain(|(name, _)| name.ends_with("services.toml"));
    } else {
        let classification = postern::policy::classification_of(files.clone());
        there = RuleSet::load(&classification).expect("valid").len();
    }
    let mut load = began.elapsed();
    if number > 0 {
        let missing = number.saturating_sub(there);
        files.push(("90-invented.toml".to_owned(), invented(missing, &letters)));
        load = Duration::ZERO;
    }
    let began = Instant::now();
    let rules = postern::policy::rule_set(&files).expect("the rules are valid");
    rules.teach(Vec::new());
    load = load.max(began.elapsed());
    let messages = messages(&letters);
    let known = Known::default();
    let mut hits = 0;
    let mut round = || {
        let mut times: Vec<Duration> = messages
            .iter()
            .map(|message| {
                let began = Instant::now();
                hits += rules.classify(message, &known).evidence.len();
                began.elapsed()
            })
            .collect();
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let first = round();
    let later = (0..5).map(|_| round()).min().unwrap_or(first);
    let [load, first, later] = [load, first, later].map(|time| time.as_nanos());
    println!("{load} {first} {later} {} {hits}", crate::peak());
}

/// Messages of [`MESSAGE`] bytes, each of several complaints.
fn messages(letters: &[Labelled]) -> Vec<Email> {
    let whole = |number: usize| {
        let mut email = letters[number % letters.len()].email.clone();
        let mut next = number;
        while email.reply_text.len() < MESSAGE {
            next += 7;
            email.reply_text.0.push('\n');
            email.reply_text.0.push_str(&letters[next % letters.len()].email.reply_text);
        }
        let end = email.reply_text.floor_char_boundary(MESSAGE);
        email.reply_text.0.truncate(end);
        email
    };
    (0..MESSAGES).map(whole).collect()
}

/// So many rules out of the words of the messages, the same ones every time.
fn invented(number: usize, letters: &[Labelled]) -> String {
    let mut words: Vec<String> = letters
        .iter()
        .flat_map(|letter| letter.email.reply_text.split(|c: char| !c.is_ascii_alphabetic()))
        .filter(|word| word.len() > 2)
        .map(str::to_lowercase)
        .collect();
    words.sort();
    words.dedup();
    let mut state = 1_u64;
    let mut word = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(state >> 33).unwrap_or(0) % words.len();
        words[at].clone()
    };
    let mut text = String::new();
    for rule in 0..number {
        let looks = match rule % 5 {
            0 | 1 => format!(
                "regex = ['\\b({}|{}) (\\w+ ){{0,3}}({}|{})s?\\b', '\\b{} {}\\w*']",
                word(),
                word(),
                word(),
                word(),
                word(),
                word()
            ),
            _ => format!(
                "words = [\"{} {}\", \"{} {} {}*\", \"{} {}\"]",
                word(),
                word(),
                word(),
                word(),
                word(),
                word(),
                word()
            ),
        };
        let _ = write!(
            text,
            "[[rule]]\nid = \"invented-{rule}\"\nwhy = \"A benchmark.\"\nlabel = \"theme:communication\"\n\
             weight = 0.1\n{looks}\n\n"
        );
    }
    text
}
