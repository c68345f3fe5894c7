//! Never lost, never twice: the program killed at every step, and what it has afterwards.
#![expect(clippy::unwrap_used, clippy::print_stderr, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use postern::clock::Clock;
use postern::config::Config;
use postern::gateway::Gateway;
use postern::{daemon, on};
use sqlx::AssertSqlSafe;
use support::dovecot::Dovecot;
use support::gateway::{Mailbox, Settings};
use support::postgres::Postgres;
use support::register::{Post, Register, message_id_of, sha256};
use support::smtp_sink::{Script, SmtpSink};

/// Every place at which a daemon that reads a mailbox over IMAP can be held.
const STEPS: [&str; 14] = [
    "fetched",
    "stored",
    "piece",
    "pieces",
    "claimed",
    "reading:1",
    "understood",
    "settling",
    "settled",
    "sending",
    "sent",
    "recording",
    "moving",
    "moved",
];

const LONG: Duration = Duration::from_secs(30);

/// A complaint, with any line of the header that the test wants.
fn complaint(who: &str, message_id: Option<&str>, header: &str, rest: &str) -> Vec<u8> {
    let id = message_id.map_or(String::new(), |id| format!("Message-ID: <{id}>\r\n"));
    format!(
        "{header}From: {who} <{who}@example.org>\r\nTo: complaints@northmere.example\r\n\
         Subject: Complaint about my daughter's social worker\r\n{id}\
         Date: Mon, 16 Nov 2026 09:30:00 +0000\r\nMIME-Version: 1.0\r\n{rest}"
    )
    .into_bytes()
}

fn text(who: &str) -> String {
    format!(
        "Content-Type: text/plain; charset=utf-8\r\n\r\nI want to make a formal complaint. The social \
         worker of my daughter has missed four visits since September and nobody rings me back. I am \
         her mother and I want somebody to look at this.\r\n\r\nYours, {who}\r\n"
    )
}

/// A complaint with an attachment of so many kilobytes.
fn large(who: &str, kilobytes: usize) -> Vec<u8> {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let attachment = line.repeat(kilobytes * 1024 / line.len());
    let rest = format!(
        "Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n{}\r\n--cut\r\n\
         Content-Type: application/pdf; name=notes.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         {attachment}--cut--\r\n",
        text(who)
    );
    complaint(who, Some(&format!("{who}-large@example.org")), "", &rest)
}

fn post(mailbox: usize, bytes: Vec<u8>, message_id: Option<&str>, opens_for: Option<&str>) -> Post {
    let opens_for = opens_for.map(|who| format!("{who}@example.org"));
    Post { mailbox, bytes, message_id: message_id.map(str::to_owned), opens_for }
}

/// What two mailboxes hold: a complaint and its copy with other transport lines, a complaint whose
/// very bytes lie in both, one without a Message-ID, one that comes in pieces, an absence notice.
fn posts() -> Vec<Post> {
    let ann = complaint("ann", Some("ann-1@example.org"), "", &text("ann"));
    let again = complaint(
        "ann",
        Some("ann-1@example.org"),
        "Received: from a by b; Mon, 16 Nov 2026 09:31:00 +0000\r\n",
        &text("ann"),
    );
    let bob = complaint("bob", Some("bob-1@example.org"), "", &text("bob"));
    let away = b"From: zoe@example.org\r\nTo: complaints@northmere.example\r\n\
        Subject: Automatic reply: your letter\r\nAuto-Submitted: auto-replied\r\n\
        Message-ID: <zoe-1@example.org>\r\n\r\nI am out of the office until Monday.\r\n";
    vec![
        post(0, ann, Some("ann-1@example.org"), Some("ann")),
        post(0, bob.clone(), Some("bob-1@example.org"), Some("bob")),
        post(0, away.to_vec(), Some("zoe-1@example.org"), None),
        post(0, complaint("cat", None, "", &text("cat")), None, Some("cat")),
        post(0, large("dan", 2500), Some("dan-large@example.org"), Some("dan")),
        // Which of ann's two is first is the mailboxes' race: the copies share one address.
        post(1, again, Some("ann-1@example.org"), Some("ann")),
        post(1, bob, Some("bob-1@example.org"), Some("bob")),
    ]
}

/// The mailboxes of one gateway.
enum Server<'a> {
    Imap(&'a Dovecot),
    Maildir(tempfile::TempDir),
}

/// A gateway with two mailboxes, and what lies in them.
struct World<'a> {
    server: Server<'a>,
    users: Vec<String>,
    names: Vec<String>,
    settings: Settings,
    sink: SmtpSink,
    posts: Vec<Post>,
}

impl<'a> World<'a> {
    async fn imap(dovecot: &'a Dovecot, name: &str, store: Option<&str>, posts: Vec<Post>) -> Self {
        let user = name.replace(':', "-");
        let users = vec![format!("{user}-a"), format!("{user}-b")];
        for post in &posts {
            dovecot.deliver(&users[post.mailbox], &post.bytes);
        }
        Self::new(Server::Imap(dovecot), users, store, posts).await
    }

    async fn maildir(posts: Vec<Post>) -> Self {
        Self::maildir_on(posts, None).await
    }

    async fn maildir_on(posts: Vec<Post>, store: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = vec!["a".to_owned(), "b".to_owned()];
        for user in &users {
            for part in ["tmp", "new", "cur"] {
                std::fs::create_dir_all(folder.path().join(user).join(part)).unwrap();
            }
        }
        for (number, post) in posts.iter().enumerate() {
            let new = folder.path().join(&users[post.mailbox]).join("new");
            std::fs::write(new.join(format!("1794825000.M{number:06}.here")), &post.bytes).unwrap();
        }
        Self::new(Server::Maildir(folder), users, store, posts).await
    }

    async fn new(
        server: Server<'a>,
        users: Vec<String>,
        store: Option<&str>,
        posts: Vec<Post>,
    ) -> Self {
        let names = vec!["complaints".to_owned(), "senco".to_owned()];
        let mailboxes: Vec<Mailbox> = names
            .iter()
            .zip(&users)
            .map(|(name, user)| match &server {
                Server::Imap(dovecot) => Mailbox::Imap {
                    name: name.clone(),
                    user: user.clone(),
                    port: dovecot.imap_port,
                },
                Server::Maildir(folder) => {
                    Mailbox::Maildir { name: name.clone(), path: folder.path().join(user) }
                }
            })
            .collect();
        let sink = SmtpSink::start(Script::default()).await;
        let more = "[intake]\nlarge_megabytes = 1\nlease_seconds = 3\n[reminders]\nenabled = false";
        let settings = Settings::write(&mailboxes, sink.port(), store, more);
        Self { server, users, names, settings, sink, posts }
    }

    fn lying_in(&self, mailbox: usize, folder: &str) -> Vec<Vec<u8>> {
        let user = &self.users[mailbox];
        match &self.server {
            Server::Imap(dovecot) => dovecot.messages(user, folder),
            Server::Maildir(root) => {
                let dot = if folder == "INBOX" { String::new() } else { format!(".{folder}") };
                let parts = ["new", "cur"].map(|part| root.path().join(user).join(&dot).join(part));
                let files = parts.iter().filter_map(|part| std::fs::read_dir(part).ok()).flatten();
                files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
            }
        }
    }

    /// After a kill, at any moment: nothing is gone from the mailbox, and what was moved is in the
    /// store. Gives the letters that were being sent.
    async fn nothing_moved_that_is_not_kept(&self) -> Vec<String> {
        let register = Register::open(&self.settings.store).await;
        for mailbox in 0..self.users.len() {
            let moved = self.lying_in(mailbox, "Processed");
            for bytes in &moved {
                assert!(register.has(bytes).await, "moved and not kept");
            }
            let all = moved.into_iter().chain(self.lying_in(mailbox, "INBOX"));
            assert_eq!(hashes(all), self.delivered_to(mailbox), "gone from the server");
        }
        let in_hand = register.in_hand().await;
        register.0.close().await;
        in_hand
    }

    fn delivered_to(&self, mailbox: usize) -> Vec<String> {
        let own = self.posts.iter().filter(|post| post.mailbox == mailbox);
        hashes(own.map(|post| post.bytes.clone()))
    }

    /// At the end: everything once, and moved.
    async fn is_as_it_should_be(&self, in_hand: &[String]) {
        let register = Register::open(&self.settings.store).await;
        let sent = self.sink.letters();
        register.holds_exactly(&self.names, &self.posts, &sent, in_hand).await;
        register.0.close().await;
        for mailbox in 0..self.users.len() {
            assert_eq!(self.lying_in(mailbox, "INBOX").len(), 0, "left in the inbox");
            let moved = hashes(self.lying_in(mailbox, "Processed"));
            assert_eq!(moved, self.delivered_to(mailbox), "not in Processed");
        }
    }

    /// Killed at a step and started again: everything once. Started once more: no change.
    async fn survives_a_kill_at(&self, step: &str) {
        eprintln!("killed at {step}");
        let mut daemon = self.settings.serve(Some(step));
        daemon.wait_for(&format!("holding at {step}"), LONG);
        daemon.kill();
        let in_hand = self.nothing_moved_that_is_not_kept().await;
        assert!(!in_hand.is_empty() || !step.starts_with("sen"), "nothing was being sent");
        self.settle().await;
        self.is_as_it_should_be(&in_hand).await;
        let letters = self.sink.letters().len();
        self.settings.serve_once();
        self.is_as_it_should_be(&in_hand).await;
        assert_eq!(self.sink.letters().len(), letters, "sent again at the second start");
    }

    /// What the server does by itself after a minute.
    async fn end_what_sleeps_in_a_transaction(&self) {
        let register = Register::open(&self.settings.store).await;
        let ended = "SELECT CAST(COUNT(pg_terminate_backend(pid)) AS BIGINT) FROM pg_stat_activity
            WHERE state LIKE 'idle in transaction%' AND datname = current_database()";
        let ended = register.count(ended).await;
        eprintln!("{ended} transactions slept");
        register.0.close().await;
    }

    /// Runs until nothing waits. On `PostgreSQL` a dead gateway's claims first run out.
    async fn settle(&self) {
        if self.settings.store.starts_with("sqlite:") {
            self.settings.serve_once();
            return;
        }
        let mut daemon = self.settings.serve(None);
        daemon.wait_for("ready", LONG);
        let register = Register::open(&self.settings.store).await;
        for _ in 0..600 {
            let ledger = register.deliveries().await;
            let moved = ledger.iter().filter(|line| line.moved_at.is_some()).count();
            let letters = register.letters().await;
            let left = letters.iter().all(|letter| letter.state == "sent");
            if moved == self.posts.len() && left {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        register.0.close().await;
        daemon.stop();
    }
}

fn hashes(messages: impl IntoIterator<Item = Vec<u8>>) -> Vec<String> {
    let mut hashes: Vec<String> = messages.into_iter().map(|bytes| sha256(&bytes)).collect();
    hashes.sort();
    hashes
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_each_message_is_there_once() {
    let dovecot = Dovecot::start();
    for step in STEPS {
        World::imap(&dovecot, step, None, posts()).await.survives_a_kill_at(step).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maildir_loses_and_repeats_nothing_either() {
    for step in ["fetched", "stored", "settling", "sent", "moving", "moved"] {
        World::maildir(posts()).await.survives_a_kill_at(step).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_the_next_gateway_takes_over() {
    let dovecot = Dovecot::start();
    for step in ["piece", "claimed", "settling", "sent", "moved"] {
        let (name, store) = (format!("pg-{step}"), Postgres::database());
        World::imap(&dovecot, &name, Some(&store), posts()).await.survives_a_kill_at(step).await;
    }
}

/// Numbers that look random and are the same for one seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_twenty_times_while_sixty_come_in() {
    let seed = std::env::var("POSTERN_SEED").map_or(20_261_122, |seed| seed.parse().unwrap());
    eprintln!("POSTERN_SEED={seed}");
    let mut dice = Dice(seed);
    let dovecot = Dovecot::start();
    let mut world = World::imap(&dovecot, "random", None, Vec::new()).await;
    let mut in_hand = Vec::new();
    for kill in 0..20 {
        for number in 0..3 {
            let who = format!("p{kill}-{number}");
            let id = format!("{who}@example.org");
            let bytes = match dice.below(4) {
                0 => large(&who, 1100 + usize::try_from(dice.below(2000)).unwrap()),
                _ => complaint(&who, Some(&id), "", &text(&who)),
            };
            let id = if bytes.len() > 1 << 20 { format!("{who}-large@example.org") } else { id };
            let mailbox = usize::try_from(dice.below(2)).unwrap();
            dovecot.deliver(&world.users[mailbox], &bytes);
            world.posts.push(post(mailbox, bytes, Some(&id), Some(&who)));
        }
        let mut daemon = world.settings.serve(None);
        tokio::time::sleep(Duration::from_millis(150 + dice.below(550))).await;
        daemon.kill();
        in_hand.extend(world.nothing_moved_that_is_not_kept().await);
    }
    world.settings.serve_once();
    world.is_as_it_should_be(&in_hand).await;
    let letters = world.sink.letters().len();
    world.settings.serve_once();
    assert_eq!(world.sink.letters().len(), letters);
}

/// What makes the parser kill the process is found out by its count, and read without the parser.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_kills_its_reader_stops_nobody_behind_it() {
    let dovecot = Dovecot::start();
    let people = ["eve", "fay", "gus", "hal"];
    let letter = |who: &&str| {
        let id = format!("{who}-1@example.org");
        post(0, complaint(who, Some(&id), "", &text(who)), Some(&id), Some(who))
    };
    let posts: Vec<Post> = people.iter().map(letter).collect();
    let world = World::imap(&dovecot, "poison", None, posts).await;
    for _ in 0..2 {
        let mut daemon = world.settings.serve(Some("reading:1"));
        daemon.wait_for("holding at reading:1", LONG);
        daemon.kill();
    }
    // Whoever gave it to the parser a third time would stand still here too.
    let mut daemon = world.settings.serve(Some("reading:1"));
    daemon.wait_for("letter 4 left", LONG);
    assert!(!daemon.said().contains("holding"), "{}", daemon.said());
    daemon.stop();
    world.settings.serve_once();
    let register = Register::open(&world.settings.store).await;
    let careful = "SELECT CAST(COUNT(*) AS BIGINT) FROM reading
        WHERE email LIKE '%stopped the gateway before%'";
    assert_eq!(register.count(careful).await, 1, "the others were read in full");
    register.0.close().await;
    world.is_as_it_should_be(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_reminders_each_rung_falls_once() {
    let world = World::maildir(posts()).await;
    let file = world.settings.path().join("postern.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("[reminders]\nenabled = false", "[reminders]\nask_on_closed_days = true"),
    )
    .unwrap();
    world.settings.serve_once();
    let said = |arguments: &[&str]| {
        let done = world.settings.run(arguments);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    // The first working day from a fortnight on.
    let day = (14..25)
        .map(|days| Clock::System.now() + jiff::SignedDuration::from_hours(24 * days))
        .map(|at| at.strftime("%Y-%m-%dT11:00:00Z").to_string())
        .find(|at| said(&["remind", "--at", at, "--dry-run"]).contains("mails for"))
        .unwrap();
    let before = world.sink.letters().len();
    let mut held = world.settings.held(&["remind", "--at", &day], "reminding");
    held.wait_for("holding at reminding", LONG);
    held.kill();
    assert_eq!(world.sink.letters().len(), before, "a reminder that is not recorded has left");

    let expected = said(&["remind", "--at", &day, "--dry-run"]);
    assert_eq!(said(&["remind", "--at", &day]), expected, "killed before, and nothing was done");
    let reminded = world.sink.letters().len();
    assert!(reminded > before, "{expected}");
    assert!(said(&["remind", "--at", &day]).contains("have run"));
    let sent = world.sink.letters();
    assert_eq!(sent.len(), reminded, "reminded twice");
    let mut ids: Vec<String> = sent.iter().map(|letter| message_id_of(&letter.bytes)).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), sent.len(), "a letter twice");
}

/// A gateway that stands still for longer than its claims (a machine put to sleep) wakes up when
/// another has done its work.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_slept_repeats_nothing_of_what_another_did() {
    let seed = std::env::var("POSTERN_SEED").map_or(7, |seed| seed.parse().unwrap());
    eprintln!("POSTERN_SEED={seed}");
    let mut dice = Dice(seed);
    let dovecot = Dovecot::start();
    let store = Postgres::database();
    let mut world = World::imap(&dovecot, "sleep", Some(&store), Vec::new()).await;
    let mut in_hand = Vec::new();
    for sleep in 0..5 {
        for number in 0..12 {
            let who = format!("s{sleep}-{number}");
            let id = format!("{who}@example.org");
            let bytes = complaint(&who, Some(&id), "", &text(&who));
            dovecot.deliver(&world.users[0], &bytes);
            world.posts.push(post(0, bytes, Some(&id), Some(&who)));
        }
        let mut sleeper = world.settings.serve(None);
        sleeper.wait_for("mailbox complaints: connected", LONG);
        tokio::time::sleep(Duration::from_millis(dice.below(350))).await;
        sleeper.signal("STOP");
        in_hand.extend(world.nothing_moved_that_is_not_kept().await);
        world.end_what_sleeps_in_a_transaction().await;
        world.settle().await;
        sleeper.signal("CONT");
        tokio::time::sleep(Duration::from_millis(800)).await;
        sleeper.stop();
        world.is_as_it_should_be(&in_hand).await;
    }
}

/// Breaks one table, lets everything run against that, mends it, and looks.
async fn broken_and_mended(table: &str, store: Option<&str>) {
    eprintln!("without {table}");
    let posts = posts();
    let world = World::maildir_on(posts, store).await;
    let file = world.settings.path().join("postern.toml");
    let (config, _) = Config::load(&file, []).unwrap();
    let clock = Clock::fixed(Clock::System.now());
    let gateway = Gateway::open(config, clock.clone()).await.unwrap();
    let rename = async |from: String, to: String| {
        let mut tx = gateway.db.begin().await.unwrap();
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        on!(tx, "rename", c => sqlx::query(AssertSqlSafe(sql)).execute(c).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    };
    let away = format!("{table}_away");
    rename(table.to_owned(), away.clone()).await;
    for _ in 0..6 {
        // Longer than any claim: as an evening with a broken store.
        clock.set(clock.now() + jiff::SignedDuration::from_mins(30));
        assert!(daemon::once(&gateway).await.is_err(), "it went well without {table}");
    }
    rename(away, table.to_owned()).await;
    world.nothing_moved_that_is_not_kept().await;
    clock.set(clock.now() + jiff::SignedDuration::from_mins(30));
    daemon::once(&gateway).await.unwrap();
    gateway.db.close().await;
    world.is_as_it_should_be(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_half_way_loses_nothing() {
    let tables =
        ["message_bytes", "delivery", "step", "content", "complaint_case", "decision", "letter"];
    for table in tables {
        broken_and_mended(table, None).await;
    }
    for table in ["delivery", "step", "decision"] {
        broken_and_mended(table, Some(&Postgres::database())).await;
    }
}

/// One settings file a gateway, on one store: the first reads the one mailbox, the second the other.
fn side_by_side(dovecot: &Dovecot, users: [&str; 2], port: u16, store: &str) -> [Settings; 2] {
    let more = "[intake]\nlease_seconds = 3\n[reminders]\nenabled = false";
    [("complaints", users[0]), ("senco", users[1])].map(|(name, user)| {
        let (name, user) = (name.to_owned(), user.to_owned());
        let mailbox = Mailbox::Imap { name, user, port: dovecot.imap_port };
        Settings::write(&[mailbox], port, Some(store), more)
    })
}

async fn cases(store: &str) -> (i64, Vec<String>) {
    let register = Register::open(store).await;
    let cases = register.count("SELECT CAST(COUNT(*) AS BIGINT) FROM complaint_case").await;
    let rows = register.messages().await;
    register.0.close().await;
    (cases, rows.into_iter().filter_map(|row| row.action).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_settled_at_once_by_two_gateways_are_one_case() {
    let dovecot = Dovecot::start();
    let sink = SmtpSink::start(Script::default()).await;
    let copies = |who: &str| {
        let id = format!("{who}@example.org");
        ["Received: by one\r\n", "Received: by two\r\n"]
            .map(|way| complaint(who, Some(&id), way, &text(who)))
    };

    // The first stands in its open transaction, with the case written and not committed.
    let store = Postgres::database();
    let [one, two] = side_by_side(&dovecot, ["h1", "h2"], sink.port(), &store);
    for (user, bytes) in ["h1", "h2"].into_iter().zip(copies("ida")) {
        dovecot.deliver(user, &bytes);
    }
    let mut first = one.serve(Some("settling"));
    first.wait_for("holding at settling", LONG);
    let mut second = two.serve(None);
    second.wait_for("1 messages kept", LONG);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(cases(&store).await, (0, vec![]), "the second did not wait for the first");
    first.kill();
    second.wait_for("left (acknowledgement)", LONG);
    let mut again = one.serve(None);
    // Before that a signal just ends it.
    again.wait_for("ready", LONG);
    for _ in 0..200 {
        if cases(&store).await.1.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    again.stop();
    second.stop();
    let (count, mut actions) = cases(&store).await;
    actions.sort();
    assert_eq!((count, actions), (1, vec!["duplicate".to_owned(), "opened".to_owned()]));
    assert_eq!(sink.letters().len(), 1);

    // And as fast as both can, many times.
    let store = Postgres::database();
    let [one, two] = side_by_side(&dovecot, ["r1", "r2"], sink.port(), &store);
    for number in 0..30 {
        let [left, right] = copies(&format!("r{number}"));
        // In opposite order on the two sides, so that they also wait for each other.
        let sides = if number % 2 == 0 { [&left, &right] } else { [&right, &left] };
        dovecot.deliver("r1", sides[0]);
        dovecot.deliver("r2", sides[1]);
    }
    let mut both = [one.serve(None), two.serve(None)];
    for _ in 0..400 {
        if cases(&store).await.1.len() == 60 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for daemon in &mut both {
        daemon.stop();
    }
    let (count, actions) = cases(&store).await;
    let duplicates = actions.iter().filter(|action| *action == "duplicate").count();
    assert_eq!((count, actions.len(), duplicates), (30, 60, 30));
    one.serve_once();
    assert_eq!(sink.letters().len(), 31, "one acknowledgement a complaint");
}

/// The steps that a test above is held at (`scanning`: in `scan.rs`) are all that the program has.
#[test]
fn every_hold_point_is_driven() {
    let mut found = BTreeMap::new();
    let mut folders = vec![std::path::PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            for call in ["hold_point(\"", "hold_point_of(\""] {
                for rest in source.split(call).skip(1) {
                    found.insert(rest.split('"').next().unwrap().to_owned(), path.clone());
                }
            }
        }
    }
    let others = ["reminding", "scanning"];
    let driven = STEPS.iter().chain(&others).map(|step| step.split(':').next().unwrap());
    let mut driven: Vec<&str> = driven.collect();
    driven.sort_unstable();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), driven, "{found:#?}");
}
