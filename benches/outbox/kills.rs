//! Killed at random while letters leave: which came, which came twice, and whether the store knew.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use postern::clock::Clock;
use postern::config::Config;
use postern::gateway::Gateway;
use postern::store::{Db, StoreError};

use crate::support::gateway::{Mailbox, Settings};
use crate::support::smtp_sink::{Letter, Script, SmtpSink};

/// How often the program is killed.
const KILLS: usize = 100;
/// It lives between these after its start, in milliseconds: the shortest do not reach the first letter.
const SHORTEST_LIFE: u64 = 100;
const LONGEST_LIFE: u64 = 900;
/// How long the rest may take to leave after the last kill.
const LONGEST_REST: Duration = Duration::from_mins(20);

/// In which of the program's lives each letter was taken by the server, by its Message-ID.
type Arrivals = Arc<Mutex<HashMap<String, Vec<usize>>>>;

/// Prints what came of it; panics where something is missing or came again although it was recorded.
pub(crate) fn run(number: usize, seed: u64) {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(killed(number, seed));
}

async fn killed(number: usize, seed: u64) {
    let (life, arrivals) = (Arc::new(AtomicUsize::new(0)), Arrivals::default());
    let sink = SmtpSink::start(counting(Arc::clone(&life), Arc::clone(&arrivals))).await;
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let mailbox = Mailbox::Maildir { name: "complaints".into(), path: folder.path().into() };
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir(folder.path().join(part)).expect("a Maildir");
    }
    let settings = Settings::write(&[mailbox], sink.port(), None, "[reminders]\nenabled = false\n");
    fill(&settings, number).await;
    println!("{number} letters wait; the program is killed {KILLS} times (seed {seed})");

    let db = Db::open(&settings.store).await.expect("the store opens");
    // In which life each letter was first seen to be recorded as sent.
    let mut recorded = HashMap::new();
    let mut dice = seed.max(1);
    for now in 0..KILLS {
        life.store(now, Ordering::SeqCst);
        let mut daemon = settings.serve(None);
        tokio::time::sleep(Duration::from_millis(thrown(&mut dice))).await;
        daemon.kill();
        note_recorded(&db, &mut recorded, now).await;
    }
    let before_rest = recorded.len();
    life.store(KILLS, Ordering::SeqCst);
    // On a fast machine nothing may be left: then the last kills met nobody on the way, and more letters tell more.
    if before_rest < number {
        let mut daemon = settings.serve(None);
        let end = Instant::now() + LONGEST_REST;
        while recorded.len() < number {
            assert!(Instant::now() < end, "{} of {number} were recorded as sent", recorded.len());
            tokio::time::sleep(Duration::from_millis(500)).await;
            note_recorded(&db, &mut recorded, KILLS).await;
        }
        daemon.stop();
    }
    db.close().await;
    println!("{before_rest} had left when it was killed for the last time");
    judge(&arrivals.lock().expect("no panic"), &recorded, number);
}

/// Whether every letter came, and only those again whose acceptance was not recorded.
fn judge(arrivals: &HashMap<String, Vec<usize>>, recorded: &HashMap<String, usize>, number: usize) {
    let again: Vec<_> = arrivals.iter().filter(|(_, lives)| lives.len() > 1).collect();
    let most = again.iter().map(|(_, lives)| lives.len()).max().unwrap_or(1);
    let missing = recorded.keys().filter(|id| !arrivals.contains_key(*id)).count();
    let known = again.iter().filter(|(id, lives)| {
        let known_in = recorded.get(*id).copied().unwrap_or(usize::MAX);
        lives.iter().any(|life| *life > known_in)
    });
    let known = known.count();
    println!(
        "{} letters came, {missing} are missing, {} came again with the same Message-ID (the same one {most} \
         times at most), {known} of them although they were recorded",
        arrivals.len(),
        again.len()
    );
    assert_eq!((arrivals.len(), missing, known), (number, 0, 0), "lost, or sent again");
}

/// A server that takes everything and counts it.
fn counting(life: Arc<AtomicUsize>, arrivals: Arrivals) -> Script {
    let hand_on = move |letter: &Letter| {
        let text = String::from_utf8_lossy(&letter.bytes);
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: "));
        let id = id.expect("every letter has a Message-ID").trim_matches(['<', '>']).to_owned();
        let now = life.load(Ordering::SeqCst);
        arrivals.lock().expect("no panic").entry(id).or_default().push(now);
    };
    Script { hand_on: Some(Arc::new(hand_on)), forget: true, ..Script::default() }
}

async fn fill(settings: &Settings, number: usize) {
    let text = std::fs::read_to_string(settings.path().join("postern.toml")).expect("settings");
    let (config, _) = Config::parse("postern.toml", &text, []).expect("right settings");
    let gateway = Gateway::open(config, Clock::System).await.expect("a gateway");
    let now = gateway.clock.now();
    crate::fill(&gateway, number, now).await.expect("the store can be filled");
    gateway.mailer.close().await;
    gateway.db.close().await;
}

async fn note_recorded(db: &Db, recorded: &mut HashMap<String, usize>, life: usize) {
    let rows: Result<Vec<(String,)>, StoreError> = postern::on!(db, "list sent letters", c => sqlx::query_as(
        "SELECT header_message_id FROM letter WHERE state = 'sent'").fetch_all(c).await);
    for (id,) in rows.expect("the store answers") {
        recorded.entry(id.trim_matches(['<', '>']).to_owned()).or_insert(life);
    }
}

/// How long the next life is: xorshift, so that a seed gives the same lives.
fn thrown(dice: &mut u64) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    SHORTEST_LIFE + *dice % (LONGEST_LIFE - SHORTEST_LIFE)
}
