//! Never lost, never twice: the program killed at every step, and what it has afterwards.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::dovecot::Dovecot;
use support::gateway::{Mailbox, Settings};
use support::postgres::Postgres;
use support::register::{Post, Register, sha256};
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
        Self::new(Server::Maildir(folder), users, None, posts).await
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

    /// At any moment: nothing is gone from the mailbox, and what was moved is in the store.
    async fn nothing_moved_that_is_not_kept(&self) {
        let register = Register::open(&self.settings.store).await;
        for mailbox in 0..self.users.len() {
            let moved = self.lying_in(mailbox, "Processed");
            for bytes in &moved {
                assert!(register.has(bytes).await, "moved and not kept");
            }
            let all = moved.into_iter().chain(self.lying_in(mailbox, "INBOX"));
            assert_eq!(hashes(all), self.delivered_to(mailbox), "gone from the server");
        }
        register.0.close().await;
    }

    fn delivered_to(&self, mailbox: usize) -> Vec<String> {
        let own = self.posts.iter().filter(|post| post.mailbox == mailbox);
        hashes(own.map(|post| post.bytes.clone()))
    }

    /// At the end: everything once, and moved.
    async fn is_as_it_should_be(&self, copies: usize) {
        let register = Register::open(&self.settings.store).await;
        let sent = self.sink.letters();
        register.holds_exactly(&self.names, &self.posts, &sent, copies).await;
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
        self.nothing_moved_that_is_not_kept().await;
        self.settle().await;
        // Between a server's yes and our record of it no protocol can tell: once more is allowed.
        let copies = if matches!(step, "sent" | "recording") { 2 } else { 1 };
        self.is_as_it_should_be(copies).await;
        let letters = self.sink.letters().len();
        self.settings.serve_once();
        self.is_as_it_should_be(copies).await;
        assert_eq!(self.sink.letters().len(), letters, "sent again at the second start");
    }

    /// Runs until nothing waits. On `PostgreSQL` a dead gateway's claims first run out.
    async fn settle(&self) {
        if self.settings.store.starts_with("sqlite:") {
            self.settings.serve_once();
            return;
        }
        let daemon = self.settings.serve(None);
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
        let mut daemon = daemon;
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

/// The steps that a test above is held at are all that the program has.
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
    let driven = STEPS.iter().chain(&["reminding"]).map(|step| step.split(':').next().unwrap());
    let mut driven: Vec<&str> = driven.collect();
    driven.sort_unstable();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), driven, "{found:#?}");
}
