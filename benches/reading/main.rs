//! How fast messages are read, how much memory that takes, and whether anything makes it fail.
//!
//! `cargo bench --bench reading [-- speed [FOLDER] | memory [FOLDER] | fuzz INPUTS [SEED]]`. Without a
//! part: the speed. FOLDER is the shared mail corpus where this machine has it, else `tests/mail`.
//!
//! `speed` reads every message with this program and with the mail library alone, in turns;
//! `memory` reads each in a process of its own and says what it needed at its peak; `fuzz` changes
//! our samples without end, the same way for the same seed, and stops at the first fault.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

mod attacks;
mod fuzz;
mod memory;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use postern::email::{Limits, read};
use postern::mailfiles::messages_in;

/// Rounds: the times printed are the fastest, the ratio is the middle one of the rounds.
const ROUNDS: usize = 41;

/// Size of each attack whose memory is measured.
const ATTACK_BYTES: usize = 2_000_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |at: usize| words.get(at).and_then(|w| w.parse::<u64>().ok());
    match words.first().map(String::as_str) {
        Some("fuzz") => fuzz::run(number(1).unwrap_or(100_000), number(2).unwrap_or(1)),
        Some("memory") => memory::run(&messages(words.get(1)), &attacks::all(ATTACK_BYTES)),
        Some(memory::CHILD) => {
            let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
            memory::measure(words.get(1).map(Path::new), &in_folder(&samples));
        }
        _ => speed(&messages(words.get(1))),
    }
}

/// Every message of the folder that was named, or of the best there is, by name.
fn messages(folder: Option<&String>) -> Vec<(String, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = here.parent().map(|p| p.join("shared/corpus/mail")).filter(|p| p.is_dir());
    let folder = folder.map(PathBuf::from).or(shared).unwrap_or_else(|| here.join("tests/mail"));
    println!("messages of {}", folder.display());
    in_folder(&folder)
}

fn in_folder(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let all = messages_in(folder).map(|m| m.expect("messages can be read"));
    all.filter(|m| is_mail(&m.name)).map(|m| (m.name, m.bytes)).collect()
}

/// The corpus's own papers lie between its messages.
fn is_mail(name: &str) -> bool {
    let papers = ["manifest.jsonl", "NOTICE", "README.md", "score.py"];
    !papers.iter().any(|p| name.ends_with(p))
        && Path::new(name).extension().is_none_or(|e| e != "txt")
}

/// Reads with ours and with the mail library in turns, and compares the fastest round of each.
fn speed(messages: &[(String, Vec<u8>)]) {
    let bytes: usize = messages.iter().map(|(_, raw)| raw.len()).sum();
    let limits = Limits::default();
    let (mut ours, mut library, mut with_text) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(timed(messages, |raw| {
            black_box(read(raw, &limits));
        }));
        library.push(timed(messages, |raw| {
            black_box(MessageParser::default().parse(raw));
        }));
        with_text.push(timed(messages, |raw| {
            black_box(library_reads(raw));
        }));
    }
    println!("{} messages, {:.1} MB", messages.len(), bytes as f64 / 1e6);
    for (name, took) in [
        ("this program", &ours),
        ("library, parts only", &library),
        ("library, with text", &with_text),
    ] {
        let took = took.iter().min().expect("there are rounds");
        let rate = messages.len() as f64 / took.as_secs_f64();
        println!("{name:20} {:8.1} ms {rate:9.0} messages/s", took.as_secs_f64() * 1e3);
    }
    // Each round by itself: machines change their pace from one second to the next, and the fastest of one need not
    // have been read at the pace of the fastest of the other.
    let beside = |theirs: &[Duration]| {
        let rounds = theirs
            .iter()
            .zip(&ours)
            .map(|(theirs, ours)| theirs.as_secs_f64() / ours.as_secs_f64());
        let mut rounds: Vec<f64> = rounds.collect();
        rounds.sort_by(f64::total_cmp);
        rounds.get(ROUNDS / 2).copied().expect("there are rounds")
    };
    println!(
        "speed beside the library, the middle of {ROUNDS} rounds: {:.2} of parts only, {:.2} of reading with text",
        beside(&library),
        beside(&with_text)
    );
}

/// What somebody who needs the text and the attachments would ask the library for.
fn library_reads(raw: &[u8]) -> usize {
    let Some(message) = MessageParser::default().parse(raw) else { return 0 };
    let texts = (0..message.text_body_count()).filter_map(|n| message.body_text(n));
    let text: usize = texts.map(|t| t.len()).sum();
    let files: usize = message.attachments().map(|a| a.contents().len()).sum();
    text + files + message.subject().map_or(0, str::len)
}

fn timed(messages: &[(String, Vec<u8>)], reading: impl Fn(&[u8])) -> Duration {
    let start = Instant::now();
    for (_, raw) in messages {
        reading(raw);
    }
    start.elapsed()
}
