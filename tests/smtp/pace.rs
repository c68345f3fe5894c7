//! What one domain gets at once and in a minute, through the outbox.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postern::clock::Clock;
use postern::config::Config;
use postern::gateway::Gateway;
use postern::letters::Written;
use postern::on;
use postern::outbox::{self, Automatic, Posting};

use crate::support::smtp_sink::{Letter, Script, SmtpSink};

const DAY: &str = "2026-03-16T09:00:00Z";

pub(crate) struct Post {
    gateway: Arc<Gateway>,
    clock: Clock,
    pub(crate) sink: SmtpSink,
    _folder: tempfile::TempDir,
}

impl Post {
    /// A gateway with a new store, these limits, and this server.
    pub(crate) async fn with(limits: &str, script: Script) -> Self {
        let sink = SmtpSink::start(script).await;
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[store]\nurl = \"sqlite:{}\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\n\
             security = \"plain\"\nfrom = \"complaints@northmere.example\"\n{limits}",
            folder.path().join("postern.db").display(),
            sink.port()
        );
        let (config, _) = Config::parse("postern.toml", &text, []).unwrap();
        let clock = Clock::fixed(DAY.parse().unwrap());
        let gateway = Gateway::open(config, clock.clone()).await.unwrap();
        Self { gateway, clock, sink, _folder: folder }
    }

    pub(crate) async fn queue(&self, domain: &str, letters: usize) {
        let now = self.clock.now();
        let written = Arc::new(Written {
            letter: "service-request",
            subject: "About your complaint".to_owned(),
            text: "We have your message.".to_owned().into(),
            attached: None,
            html: Some("<p>We have your message.</p>".to_owned().into()),
            language: "en-GB".to_owned(),
            by_hand: None,
        });
        let posting = |number: usize| Posting {
            purpose: "service_request",
            once_key: format!("{domain}/{number}"),
            case: None,
            request: None,
            message: None,
            recipient: format!("officer{number}@{domain}"),
            written: Arc::clone(&written),
            automatic: Automatic::Generated,
            in_reply_to: None,
            references: Vec::new(),
            due_at: now,
        };
        let postings: Vec<Posting> = (0..letters).map(posting).collect();
        let mut tx = self.gateway.db.begin().await.unwrap();
        self.gateway.sender.post(&mut tx, &postings, now).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Sends what is due so many seconds after the first moment.
    pub(crate) async fn send_at(&self, seconds: i64) {
        let first: Timestamp = DAY.parse().unwrap();
        self.clock.set(first + SignedDuration::from_secs(seconds));
        outbox::tick(&self.gateway, || true).await.unwrap();
    }

    pub(crate) fn arrived(&self, domain: &str) -> usize {
        of(&self.sink.letters(), domain)
    }

    /// Attempts and seconds to wait of every letter that has not left.
    async fn waiting(&self) -> Vec<(i64, i64)> {
        let now = self.clock.now().as_millisecond();
        let db = &self.gateway.db;
        let rows: Vec<(i64, i64)> = on!(db, "look", c => sqlx::query_as(
            "SELECT attempts, due_at FROM letter WHERE state = 'queued' AND leased_until = 0
             ORDER BY due_at, id")
            .fetch_all(c).await)
        .unwrap();
        rows.into_iter().map(|(attempts, due)| (attempts, (due - now) / 1000)).collect()
    }
}

fn of(letters: &[Letter], domain: &str) -> usize {
    let ending = format!("@{domain}>");
    letters.iter().flat_map(|letter| &letter.to).filter(|to| to.ends_with(&ending)).count()
}

#[tokio::test]
async fn letters_beyond_a_minutes_number_wait_and_others_pass_them() {
    let limits = "[[smtp.limit]]\ndomain = \"Slow.example\"\nletters_a_minute = 2\n";
    let post = Post::with(limits, Script::default()).await;
    // More than are ever in hand at once stand before the others.
    post.queue("slow.example", 100).await;
    post.queue("quick.example", 5).await;
    post.send_at(0).await;
    assert_eq!((post.arrived("slow.example"), post.arrived("quick.example")), (2, 5));
    let waiting = post.waiting().await;
    assert_eq!(waiting.len(), 98);
    assert!(waiting.iter().all(|(attempts, _)| *attempts == 0), "an attempt was counted");
    assert_eq!(waiting[..3], [(0, 60), (0, 90), (0, 120)]);
    post.send_at(59).await;
    assert_eq!(post.arrived("slow.example"), 2);
    for (seconds, arrived) in [(60, 3), (90, 4), (120, 5), (150, 6)] {
        post.send_at(seconds).await;
        assert_eq!(post.arrived("slow.example"), arrived, "after {seconds} s");
    }
}

#[tokio::test]
async fn without_a_limit_a_busy_domain_waits_for_nothing() {
    let post = Post::with("", Script::default()).await;
    post.queue("busy.example", 200).await;
    post.send_at(0).await;
    assert_eq!(post.arrived("busy.example"), 200);
}

#[tokio::test]
async fn a_slow_domain_keeps_its_sessions_and_leaves_the_others_to_the_rest() {
    let limits = "[[smtp.limit]]\ndomain = \"slow.example\"\nsessions = 1\n";
    let slowly = Script { delay_at_dot: vec![Duration::from_secs(1)], ..Script::default() };
    let post = Post::with(limits, slowly).await;
    post.queue("slow.example", 60).await;
    post.queue("quick.example", 3).await;
    post.send_at(0).await;
    let letters = post.sink.letters();
    // Four connections: had slow.example more than one, not all of these would be in the first four.
    assert_eq!((letters.len(), of(&letters[..4], "quick.example")), (5, 3));
    let waiting = post.waiting().await;
    assert_eq!(waiting.len(), 58);
    assert!(waiting.iter().all(|(attempts, seconds)| *attempts == 0 && *seconds >= 1));
    post.send_at(1).await;
    assert!(post.arrived("slow.example") > 2, "they leave when their turn has come");
}
