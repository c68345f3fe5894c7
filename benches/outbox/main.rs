//! How fast queued letters leave, beside `smtp-source` with as many connections.
//!
//! `cargo bench --bench outbox [-- LETTERS]`: fills a new `SQLite` store with 100,000 letters, has the outbox
//! hand them to `smtp-sink`, then has `smtp-source` send as many of the same size to a fresh one. What it
//! needs and how to read it: `docs/benchmarks.md`.
//!
//! `cargo bench --bench outbox -- kills [LETTERS [SEED]]`: the program itself is killed at random 100 times
//! while they leave, and every letter that came is counted.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

mod kills;
mod postfix;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use postern::clock::Clock;
use postern::config::Config;
use postern::gateway::Gateway;
use postern::letters::Written;
use postern::outbox::{self, Automatic, Posting};
use postern::store::letters;
use postern::store::{Db, StoreError};
use postern::tick::Tick;

use postfix::Sink;

/// Letters in the store, unless another number is asked for.
const LETTERS: usize = 100_000;
/// Letters queued in one transaction.
const TOGETHER: usize = 500;
/// Connections of either side.
const CONNECTIONS: usize = 4;
/// What part of the yardstick's rate ours must reach.
const BAR: f64 = 0.2;

fn main() {
    let mut asked = std::env::args().skip(1).filter(|word| word != "--bench").peekable();
    let killed = asked.next_if(|word| word == "kills").is_some();
    let number = asked.next().map_or(LETTERS, |word| word.parse().expect("a number of letters"));
    if killed {
        let seed = asked.next().map_or(1, |word| word.parse().expect("a seed: a number"));
        return kills::run(number, seed);
    }
    println!("yardstick: {}", postfix::version());
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let (ours, octets) = runtime.block_on(outbox(folder.path(), number));
    let theirs = {
        let sink = Sink::start();
        postfix::send(sink.port, number, octets, CONNECTIONS)
    };
    let rate = |took: Duration| number as f64 / took.as_secs_f64();
    let ratio = rate(ours) / rate(theirs);
    println!("postern:     {:>7.0} letters/s, {:.1} s", rate(ours), ours.as_secs_f64());
    println!("smtp-source: {:>7.0} letters/s, {:.1} s", rate(theirs), theirs.as_secs_f64());
    println!("ratio {ratio:.2} (bar {BAR}): {}", if ratio >= BAR { "met" } else { "missed" });
}

/// How long the outbox takes for all letters, and how large one is.
async fn outbox(folder: &Path, number: usize) -> (Duration, usize) {
    let sink = Sink::start();
    let url = format!("sqlite:{}", folder.join("postern.db").display());
    let text = format!(
        "[store]\nurl = \"{url}\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"plain\"\n\
         from = \"complaints@northmere.example\"\nconnections = {CONNECTIONS}\n",
        sink.port
    );
    let (config, _) = Config::parse("postern.toml", &text, []).expect("right settings");
    let now: Timestamp = "2026-03-16T09:00:00Z".parse().expect("a moment");
    let gateway = Gateway::open(config, Clock::fixed(now)).await.expect("a gateway");
    let began = Instant::now();
    fill(&gateway, number, now).await.expect("the store can be filled");
    let octets = size(&gateway.db).await;
    println!(
        "{number} letters of {octets} octets queued in {:.1} s",
        began.elapsed().as_secs_f64()
    );

    let began = Instant::now();
    let tick = || outbox::tick(&gateway, || true);
    while tick().await.expect("the store works") == Tick::Busy {}
    let took = began.elapsed();
    let sent = letters::counts(&gateway.db).await.expect("the store works");
    let all = i64::try_from(number).expect("not so many");
    assert_eq!(sent, [("service_request".to_owned(), "sent".to_owned(), all)], "not all left");
    gateway.mailer.close().await;
    gateway.db.close().await;
    (took, octets)
}

async fn fill(gateway: &Arc<Gateway>, number: usize, now: Timestamp) -> Result<(), StoreError> {
    let written = Arc::new(letter());
    let numbers: Vec<usize> = (0..number).collect();
    for some in numbers.chunks(TOGETHER) {
        let postings: Vec<Posting> = some.iter().map(|n| posting(*n, &written, now)).collect();
        let mut tx = gateway.db.begin().await?;
        gateway.sender.post(&mut tx, &postings, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn posting(number: usize, written: &Arc<Written>, now: Timestamp) -> Posting {
    Posting {
        purpose: "service_request",
        once_key: format!("bench/{number}"),
        case: None,
        request: None,
        message: None,
        recipient: format!("officer{number}@services.example"),
        written: Arc::clone(written),
        automatic: Automatic::Generated,
        in_reply_to: None,
        references: Vec::new(),
        due_at: now,
    }
}

/// Of the length of our usual letters.
fn letter() -> Written {
    let words = "We have your complaint about the help that your child gets at school. A person reads it \
                 today, and we write to you again on the day that we named.";
    let paragraphs = || std::iter::repeat_n(words, 9);
    let html = paragraphs().collect::<Vec<_>>().join("</p>\n<p>");
    Written {
        letter: "service-request",
        subject: "A complaint for your service".to_owned(),
        text: paragraphs().collect::<Vec<_>>().join("\n\n").into(),
        attached: None,
        html: Some(format!("<html lang=\"en\"><body><p>{html}</p></body></html>").into()),
        language: "en-GB".to_owned(),
        by_hand: None,
    }
}

/// Octets of one letter, as it leaves.
async fn size(db: &Db) -> usize {
    let row: Result<(i64,), StoreError> = postern::on!(db, "measure a letter", c => sqlx::query_as(
        "SELECT CAST(MAX(LENGTH(bytes)) AS BIGINT) FROM letter_bytes").fetch_one(c).await);
    row.ok().and_then(|(octets,)| usize::try_from(octets).ok()).expect("a letter was queued")
}
