//! How fast rules are, and how fast a draft is replayed over past messages.
//!
//! `cargo bench --bench rules -- speed`: what one message of 8 kB costs with the shipped rules, with 1,000 and
//! with 10,000; and what so many cost that are all invented, without the shipped ones and the second opinion.
//!
//! `cargo bench --bench rules -- backtest [MESSAGES]`: fills a new `SQLite` store with 10,000 settled
//! messages made from the classification tests, and judges them again by a draft that differs in one
//! weight, on every core and on one. Both must come to the same.
//!
//! `cargo bench --bench rules -- recompute [CASES]`: 10,000 open cases counted again after a holiday was
//! proclaimed, on `SQLite` and on `PostgreSQL`.
//!
//! `cargo bench --bench rules -- history`: a case of 1,000 events replayed, with its two dates.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

mod history;
mod recompute;
mod speed;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use postern::backtest::{self, Asked, Backtest};
use postern::email::Email;
use postern::policy::{self, Texts};
use postern::rules::trial::Labelled;
use postern::rules::{Known, RuleSet};
use postern::store::messages::{self, Arrival, Settled};
use postern::store::{Db, StoreError};

/// Messages in the store, unless another number is asked for.
const MESSAGES: usize = 10_000;
/// Messages kept in one transaction.
const BATCH: usize = 500;
/// What a replay of [`MESSAGES`] may take on two cores.
const BAR: Duration = Duration::from_secs(20);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = words.get(1).and_then(|word| word.parse().ok());
    if let (Some(speed::CHILD), Some(number)) = (words.first().map(String::as_str), number) {
        return speed::measure(number, words.get(2).is_some_and(|word| word == speed::ALONE));
    }
    let number = number.unwrap_or(MESSAGES);
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    match words.first().map(String::as_str) {
        Some("speed") => speed::run(),
        Some("history") => history::run(),
        None | Some("backtest") => runtime.block_on(run(number)),
        Some("recompute") => runtime.block_on(recompute::run(number)),
        Some(other) => println!("`{other}` is no part: speed, backtest, recompute, history"),
    }
}

async fn run(number: usize) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let url = format!("sqlite:{}", folder.path().join("postern.db").display());
    let db = Db::open(&url).await.expect("a new store");
    let began = Instant::now();
    let rules = compiled(&shipped());
    fill(&db, &rules, number).await.expect("the store can be filled");
    println!("{number} messages kept in {:.1} s", began.elapsed().as_secs_f64());

    let draft = compiled(&draft());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (all, took) = replay(&db, &draft, cores).await;
    let (one, alone) = replay(&db, &draft, 1).await;
    assert!(all == one, "the result depends on the number of threads");
    let (same, _) = replay(&db, &rules, cores).await;
    assert!(same.changed.is_empty(), "the same rules come to something else");
    println!("{} change, of them {:?}", all.tally.changed, all.tally.moves);
    println!("{cores} threads {:>6.2} s (bar {} s)", took.as_secs_f64(), BAR.as_secs());
    println!("1 thread  {:>6.2} s", alone.as_secs_f64());
    db.close().await;
}

async fn replay(db: &Db, rules: &Arc<RuleSet>, threads: usize) -> (Backtest, Duration) {
    let began = Instant::now();
    let asked = Asked { since: None, most: None, threads };
    let done = backtest::run(db, std::slice::from_ref(rules), asked, |_, _| {})
        .await
        .expect("the store can be read");
    (done, began.elapsed())
}

fn shipped() -> Texts {
    policy::rule_files(None).expect("the shipped rules")
}

fn compiled(files: &Texts) -> Arc<RuleSet> {
    Arc::new(policy::rule_set(files).expect("the rules are valid"))
}

/// The shipped rules, but a plan by its name says little about its service.
fn draft() -> Texts {
    let mut files = shipped();
    for (_, text) in files.iter_mut().filter(|(name, _)| name.ends_with("30-service.toml")) {
        *text = text.replacen("weight = 5.0", "weight = 1.0", 1);
    }
    files
}

/// All messages of the classification tests.
fn corpus() -> Vec<Labelled> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/complaints");
    let mut letters = Vec::new();
    for file in ["dev.jsonl", "dev-b.jsonl"] {
        let text = std::fs::read_to_string(folder.join(file)).expect("the labelled messages");
        letters.extend(text.lines().map(|line| Labelled::from_json(line).expect("a message")));
    }
    letters
}

/// The most memory that this process has had, in bytes (Linux).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells of memory");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|word| word.parse::<u64>().ok());
    kilobytes.expect("a peak in kilobytes") * 1024
}

/// Every message of the classification tests, again and again, each time by another sender.
async fn fill(db: &Db, rules: &RuleSet, number: usize) -> Result<(), StoreError> {
    let corpus: Vec<Email> = corpus().into_iter().map(|letter| letter.email).collect();
    let now: Timestamp = "2026-03-16T09:00:00Z".parse().expect("a moment");
    let judged: Vec<String> = corpus
        .iter()
        .map(|email| {
            serde_json::to_string(&rules.classify(email, &rules.services().known_of(email)))
        })
        .collect::<Result<_, _>>()
        .expect("our own types");
    let known = serde_json::to_string(&Known::default()).expect("our own types");
    let numbers: Vec<usize> = (0..number).collect();
    for batch in numbers.chunks(BATCH) {
        let mut tx = db.begin().await?;
        let bytes: Vec<String> = batch.iter().map(|number| format!("message {number}")).collect();
        let arrivals: Vec<(Arrival<'_>, &[u8])> = batch
            .iter()
            .zip(&bytes)
            .map(|(number, bytes)| (arrival(*number, now), bytes.as_bytes()))
            .collect();
        let ids = messages::keep_all(&mut tx, &arrivals, now).await?;
        let mut read: Vec<(i64, Email, String)> = Vec::new();
        let mut settled = Vec::new();
        for (number, id) in batch.iter().zip(ids) {
            let which = number % corpus.len();
            let (Some(email), Some(judged)) = (corpus.get(which), judged.get(which)) else {
                continue;
            };
            read.push((id, email.clone(), format!("{number}")));
            settled.push(Settled {
                id,
                action: "filed",
                reason: "a benchmark".to_owned(),
                case_id: None,
                duplicate_of: None,
                acknowledge: false,
                acknowledge_reason: "a benchmark".to_owned(),
                classification: judged.clone(),
                known: Some(known.clone()),
            });
        }
        messages::understood(&mut tx, &read, now).await?;
        messages::settle(&mut tx, &settled, rules.version(), now).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn arrival(number: usize, now: Timestamp) -> Arrival<'static> {
    let seconds = i64::try_from(number).unwrap_or(0);
    Arrival {
        mailbox: "main",
        uid_validity: 1,
        uid: seconds + 1,
        file_key: "",
        received_at: now + SignedDuration::from_secs(seconds),
        sha256: format!("{number:064x}"),
        header_message_id: None,
        silent: true,
    }
}
