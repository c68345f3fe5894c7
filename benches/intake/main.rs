//! Takes in a mailbox of 1,000 messages with the released program, from a real IMAP server to
//! acknowledgements at a mail server, beside `mbsync` with fsync pulling the same mailbox.
//!
//! `cargo bench --bench intake [-- PART… [--runs N]]`, where a part is `sqlite`, `huge`, `postgres`,
//! `start` or `idle`; all of them without one. What it needs and how to read it: `docs/benchmarks.md`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

mod letters;
mod mbsync;
mod process;
mod sink;
mod spool;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use letters::MESSAGES;
use process::{Gateway, Setup};
use sink::Sink;
use spool::Spool;
use support::dovecot::Dovecot;
use support::postgres::{Durability, Postgres};

/// What one intake may cost at most before it counts as stuck.
const LONGEST: Duration = Duration::from_mins(2);
/// Size of the one huge message.
const HUGE_BYTES: usize = 100_000_000;
/// How long the idle gateway is watched.
const IDLE: Duration = Duration::from_secs(20);

fn main() {
    let asked = Asked::read();
    println!("yardstick: {}", mbsync::version());
    let bench = Bench::new();
    bench.describe();
    if asked.part("sqlite") {
        bench.against_mbsync("SQLite", asked.runs, |folder| {
            format!("sqlite:{}", folder.join("postern.db").display())
        });
    }
    if asked.part("huge") {
        bench.huge();
    }
    if asked.part("postgres") {
        let postgres = Postgres::start(Durability::Full);
        bench.against_mbsync("PostgreSQL", asked.runs, |_| postgres.fresh());
    }
    if asked.part("start") {
        bench.start(asked.runs);
    }
    if asked.part("idle") {
        bench.idle();
    }
}

struct Asked {
    parts: Vec<String>,
    runs: usize,
}

impl Asked {
    fn read() -> Self {
        let (mut parts, mut runs) = (Vec::new(), 3);
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--runs" => {
                    runs = arguments.next().and_then(|n| n.parse().ok()).expect("--runs N");
                }
                // Cargo's own.
                "--bench" => {}
                part => parts.push(part.to_owned()),
            }
        }
        Self { parts, runs }
    }

    fn part(&self, name: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|part| part == name)
    }
}

/// What one intake came to.
struct Intake {
    took: Duration,
    peak_megabytes: f64,
    processor: Duration,
    others: usize,
}

struct Bench {
    server: Dovecot,
    spool: Spool,
    folder: tempfile::TempDir,
    users: std::cell::Cell<usize>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("postern-bench-").tempdir();
        let folder = folder.expect("a folder for temporary files");
        let spool = Spool::write(&folder.path().join("spool"));
        Self { server: Dovecot::start(), spool, folder, users: std::cell::Cell::new(0) }
    }

    fn describe(&self) {
        let sizes = &self.spool.sizes;
        println!(
            "mailbox: {} messages, median {:.1} kB, {} above 1 MB, {:.1} MB in all",
            sizes.len(),
            sizes[sizes.len() / 2] as f64 / 1e3,
            sizes.iter().filter(|size| **size > 1_000_000).count(),
            sizes.iter().sum::<usize>() as f64 / 1e6,
        );
        println!(
            "this disk: one fdatasync of 16 kB takes {:.2} ms",
            sync_milliseconds(self.folder.path())
        );
    }

    /// A new user, and a folder of the same name.
    fn user(&self) -> (String, PathBuf) {
        self.users.set(self.users.get() + 1);
        let user = format!("run{}", self.users.get());
        let folder = self.folder.path().join(&user);
        std::fs::create_dir(&folder).expect("the folder can be written to");
        (user, folder)
    }

    /// Runs both in turn, each first as often as second.
    fn against_mbsync(&self, engine: &str, runs: usize, store: impl Fn(&Path) -> String) {
        println!("\n{engine}");
        let (mut ours, mut theirs, mut ratios, mut peak) = (vec![], vec![], vec![], 0_f64);
        for run in 0..runs {
            let before = (run % 2 == 0).then(|| self.mbsync());
            let intake = self.intake(&store, None);
            let yardstick = before.unwrap_or_else(|| self.mbsync());
            let (us, them) = (intake.took.as_secs_f64(), yardstick.as_secs_f64());
            println!(
                "  run {}: postern {us:.2} s ({:.2} s of processor time), mbsync {them:.2} s, ratio {:.2}; \
                 peak {:.0} MB; {} letters to services besides",
                run + 1,
                intake.processor.as_secs_f64(),
                us / them,
                intake.peak_megabytes,
                intake.others,
            );
            ours.push(us);
            theirs.push(them);
            ratios.push(us / them);
            peak = peak.max(intake.peak_megabytes);
        }
        let us = median(ours);
        println!(
            "  median: {:.0} messages/s, {us:.2} s; mbsync {:.2} s; ratio {:.2}; peak memory {peak:.0} MB",
            MESSAGES as f64 / us,
            median(theirs),
            median(ratios),
        );
    }

    fn mbsync(&self) -> Duration {
        let (user, folder) = self.user();
        self.spool.deliver(&self.server, &user);
        settle_disk();
        mbsync::pull(&folder, self.server.imap_port, &user, MESSAGES)
    }

    /// From the start of the process until everybody is answered and everything is moved.
    fn intake(&self, store: &impl Fn(&Path) -> String, huge: Option<usize>) -> Intake {
        let (user, folder) = self.user();
        self.spool.deliver(&self.server, &user);
        if let Some(bytes) = huge {
            self.spool.deliver_huge(&self.server, &user, bytes);
        }
        let messages = MESSAGES + usize::from(huge.is_some());
        let (sink, store) = (Sink::start(), store(&folder));
        settle_disk();
        let gateway = Gateway::start(&Setup {
            folder: &folder,
            store: &store,
            imap_port: self.server.imap_port,
            user: &user,
            smtp_port: sink.port,
        });
        let answered = sink.wait_for(messages, LONGEST);
        while answered == messages && spool::processed(&self.server, &user) < messages {
            assert!(gateway.elapsed() < LONGEST, "not everything is moved:\n{}", gateway.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        let took = gateway.elapsed();
        assert_eq!(answered, messages, "not everybody is answered:\n{}", tail(&gateway.log()));
        let (peak_megabytes, processor) = (gateway.peak_megabytes(), gateway.processor_time());
        // What is due to services goes on for a moment; each customer still has one letter only.
        gateway.stop();
        assert_eq!(sink.acknowledgements(), messages, "somebody was answered twice");
        Intake { took, peak_megabytes, processor, others: sink.others() }
    }

    fn huge(&self) {
        let store = |folder: &Path| format!("sqlite:{}", folder.join("postern.db").display());
        let intake = self.intake(&store, Some(HUGE_BYTES));
        println!(
            "\none message of {} MB more (SQLite): {:.2} s, peak memory {:.0} MB",
            HUGE_BYTES / 1_000_000,
            intake.took.as_secs_f64(),
            intake.peak_megabytes,
        );
    }

    /// From the start of the process until it is ready, with an empty mailbox.
    fn start(&self, runs: usize) {
        let (mut new, mut existing) = (vec![], vec![]);
        for _ in 0..runs.max(3) {
            let (user, folder) = self.user();
            for times in [&mut new, &mut existing] {
                let gateway = self.quiet(&user, &folder);
                times.push(gateway.ready().as_secs_f64() * 1e3);
                gateway.stop();
            }
        }
        println!(
            "\nstart to ready: {:.0} ms with a new SQLite store, {:.0} ms with an existing one",
            median(new),
            median(existing)
        );
    }

    /// Waiting by IDLE for mail that does not come.
    fn idle(&self) {
        let (user, folder) = self.user();
        let gateway = self.quiet(&user, &folder);
        gateway.ready();
        std::thread::sleep(Duration::from_secs(3));
        let before = gateway.processor_time();
        std::thread::sleep(IDLE);
        let spent = gateway.processor_time().saturating_sub(before);
        println!(
            "\nidle: {:.1} ms of processor time in {} s ({:.3} %); resident peak {:.0} MB",
            spent.as_secs_f64() * 1e3,
            IDLE.as_secs(),
            100.0 * spent.as_secs_f64() / IDLE.as_secs_f64(),
            gateway.peak_megabytes(),
        );
        gateway.stop();
    }

    fn quiet(&self, user: &str, folder: &Path) -> Gateway {
        let store = format!("sqlite:{}", folder.join("postern.db").display());
        Gateway::start(&Setup {
            folder,
            store: &store,
            imap_port: self.server.imap_port,
            user,
            // Nothing is sent.
            smtp_port: 9,
        })
    }
}

/// What earlier runs left to be written must not be waited for in the next.
fn settle_disk() {
    let _ = std::process::Command::new("sync").status();
}

fn sync_milliseconds(folder: &Path) -> f64 {
    use std::io::Write as _;
    let mut file =
        std::fs::File::create(folder.join("sync")).expect("the folder can be written to");
    let times = (0..50).map(|_| {
        file.write_all(&[7; 16_384]).expect("the disk has room");
        let started = std::time::Instant::now();
        file.sync_data().expect("the disk works");
        started.elapsed().as_secs_f64() * 1e3
    });
    median(times.collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn tail(log: &str) -> &str {
    &log[log.len().saturating_sub(4_000)..]
}
