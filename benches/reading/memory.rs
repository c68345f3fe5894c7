//! What one message needs at its peak, each measured in a process of its own.

use std::path::Path;
use std::process::Command;

use postern::email::{Limits, read};

/// The word by which this program is called to measure one message.
pub(crate) const CHILD: &str = "one-message";
/// What reading may need in any case, in bytes: the automata of its patterns, and the heap's own.
const CONSTANT: u64 = 16 * 1024 * 1024;
/// What it may need for each byte of the message.
const TIMES: u64 = 6;

/// Measures every message and says which needed the most.
pub(crate) fn run(messages: &[(String, Vec<u8>)], attacks: &[(String, Vec<u8>)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("message.eml");
    let (mut worst, mut over, mut slowest) = ((0.0, String::new()), 0, (0, String::new()));
    for (name, raw) in messages.iter().chain(attacks) {
        std::fs::write(&file, raw).expect("the message is written");
        let (peak, milliseconds) = child(&file);
        let bytes = raw.len() as u64;
        if peak > TIMES * bytes + CONSTANT {
            over += 1;
            println!("OVER {name}: {peak} bytes for a message of {bytes}");
        }
        let times = peak.saturating_sub(CONSTANT) as f64 / bytes as f64;
        if times > worst.0 {
            worst = (times, name.clone());
        }
        if milliseconds > slowest.0 {
            slowest = (milliseconds, name.clone());
        }
    }
    println!(
        "{} messages measured, {over} over {TIMES} times their size and {CONSTANT} bytes",
        messages.len() + attacks.len()
    );
    println!("most memory beyond the constant: {:.2} times the size ({})", worst.0, worst.1);
    println!("slowest: {} ms ({})", slowest.0, slowest.1);
}

fn child(file: &Path) -> (u64, u64) {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program).arg(CHILD).arg(file).output().expect("it can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = words.split_whitespace().filter_map(|w| w.parse().ok());
    (numbers.next().expect("a peak"), numbers.next().expect("a time"))
}

/// Reads the one message and prints how far memory rose above what it was, and the time.
pub(crate) fn measure(file: Option<&Path>, samples: &[(String, Vec<u8>)]) {
    let raw = std::fs::read(file.expect("a message to measure")).expect("the message is there");
    // What is compiled once for all messages belongs to none of them.
    for (_, sample) in samples {
        std::hint::black_box(read(sample, &Limits::default()));
    }
    let before = peak();
    let start = std::time::Instant::now();
    std::hint::black_box(read(&raw, &Limits::default()));
    println!("{} {}", peak() - before, start.elapsed().as_millis());
}

/// The most memory that this process has had, in bytes (Linux).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells of memory");
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes =
        line.and_then(|l| l.split_whitespace().next()).and_then(|w| w.parse::<u64>().ok());
    kilobytes.expect("a peak in kilobytes") * 1024
}
