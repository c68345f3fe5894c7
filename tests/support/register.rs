//! What a store holds, and whether it is whole: the oracle of the tests that break things.

use std::collections::{BTreeMap, BTreeSet};

use postern::on;
use postern::store::Db;
use sha2::{Digest, Sha256};

use super::smtp_sink::Letter;

/// A message that was put into a mailbox, and what must become of it.
#[derive(Debug, Clone)]
pub struct Post {
    /// Number of the mailbox.
    pub mailbox: usize,
    /// The bytes as a reader of the mailbox gets them.
    pub bytes: Vec<u8>,
    /// The Message-ID in its header.
    pub message_id: Option<String>,
    /// Whom a new case is acknowledged to.
    pub opens_for: Option<String>,
}

impl Post {
    /// SHA-256, as the ledger writes it.
    pub fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

/// SHA-256, as the ledger writes it.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"))
}

/// A message of the register.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    pub id: i64,
    pub sha256: String,
    pub size_bytes: i64,
    pub state: String,
    pub attempts: i64,
    pub action: Option<String>,
    pub trouble: Option<String>,
    pub kind: Option<String>,
    pub case_id: Option<i64>,
}

/// A line of the ledger.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Delivery {
    pub mailbox: String,
    pub uid_validity: i64,
    pub uid: i64,
    pub file_key: String,
    pub sha256: String,
    pub header_message_id: Option<String>,
    pub message_id: i64,
    pub moved_at: Option<i64>,
}

/// A letter of the outbox.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Queued {
    pub purpose: String,
    pub recipient: String,
    pub header_message_id: String,
    pub bytes: Vec<u8>,
    pub state: String,
}

/// A store, looked into.
pub struct Register(pub Db);

impl Register {
    /// Opens it, beside whatever else uses it.
    pub async fn open(url: &str) -> Self {
        Self(Db::open(url).await.unwrap())
    }

    /// Every message.
    pub async fn messages(&self) -> Vec<Row> {
        let db = &self.0;
        on!(db, "look", c => sqlx::query_as(
            "SELECT id, sha256, size_bytes, state, attempts, action, trouble, kind, case_id
             FROM message ORDER BY id").fetch_all(c).await)
        .unwrap()
    }

    /// Its bytes.
    pub async fn bytes(&self, message: i64) -> Vec<u8> {
        let db = &self.0;
        let pieces: Vec<(Vec<u8>,)> = on!(db, "look", c => sqlx::query_as(
            "SELECT bytes FROM message_bytes WHERE message_id = $1 ORDER BY piece")
            .bind(message).fetch_all(c).await)
        .unwrap();
        pieces.into_iter().flat_map(|(piece,)| piece).collect()
    }

    /// The ledger.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        let db = &self.0;
        on!(db, "look", c => sqlx::query_as(
            "SELECT mailbox, uid_validity, uid, file_key, sha256, header_message_id, message_id, moved_at
             FROM delivery ORDER BY id").fetch_all(c).await)
        .unwrap()
    }

    /// The outbox.
    pub async fn letters(&self) -> Vec<Queued> {
        let db = &self.0;
        on!(db, "look", c => sqlx::query_as(
            "SELECT purpose, recipient, header_message_id, bytes, state
             FROM letter JOIN letter_bytes ON letter_id = id ORDER BY id")
            .fetch_all(c).await)
        .unwrap()
    }

    /// Message-IDs of the letters that some gateway had begun to send and has not recorded.
    pub async fn in_hand(&self) -> Vec<String> {
        let db = &self.0;
        let rows: Vec<(String,)> = on!(db, "look", c => sqlx::query_as(
            "SELECT header_message_id FROM letter WHERE state = 'queued' AND leased_until > 0")
            .fetch_all(c).await)
        .unwrap();
        rows.into_iter().map(|(id,)| id.trim_matches(['<', '>']).to_owned()).collect()
    }

    /// A number that a query counts.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let db = &self.0;
        let (count,): (i64,) =
            on!(db, "look", c => sqlx::query_as(sql).fetch_one(c).await).unwrap();
        count
    }

    /// The steps of every message.
    pub async fn steps(&self) -> BTreeMap<i64, BTreeSet<String>> {
        let db = &self.0;
        let rows: Vec<(i64, String)> = on!(db, "look", c => sqlx::query_as(
            "SELECT message_id, step FROM step").fetch_all(c).await)
        .unwrap();
        let mut steps: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for (message, step) in rows {
            steps.entry(message).or_default().insert(step);
        }
        steps
    }

    /// Whether a message is kept with exactly these bytes and a line of the ledger.
    pub async fn has(&self, bytes: &[u8]) -> bool {
        let sha256 = sha256(bytes);
        let Some(row) = self.messages().await.into_iter().find(|row| row.sha256 == sha256) else {
            return false;
        };
        let ledger = self.deliveries().await;
        ledger.iter().any(|line| line.message_id == row.id && line.sha256 == sha256)
            && self.bytes(row.id).await == bytes
    }

    /// Everything delivered is here exactly once, whole, settled and answered once.
    ///
    /// `in_hand` are the letters that were being sent when the program was killed, once for each time:
    /// between a server's yes and our record of it no protocol can tell, and so they may have come
    /// once more, with the same bytes. Nothing else may.
    pub async fn holds_exactly(
        &self,
        mailboxes: &[String],
        posts: &[Post],
        sent: &[Letter],
        in_hand: &[String],
    ) {
        let rows = self.messages().await;
        let kept: BTreeSet<&str> = rows.iter().map(|row| row.sha256.as_str()).collect();
        let given: BTreeMap<String, &Post> =
            posts.iter().map(|post| (post.sha256(), post)).collect();
        assert_eq!(kept, given.keys().map(String::as_str).collect(), "not the messages delivered");
        assert_eq!(rows.len(), given.len(), "a message twice");
        for row in &rows {
            assert_eq!(row.state, "done", "{row:?}");
            let delivered = &given[&row.sha256].bytes;
            assert_eq!(row.size_bytes, i64::try_from(delivered.len()).unwrap(), "{row:?}");
            assert!(self.bytes(row.id).await == *delivered, "other bytes: {row:?}");
        }
        let orphans = "SELECT CAST(COUNT(*) AS BIGINT) FROM message_bytes b
            WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = b.message_id)";
        assert_eq!(self.count(orphans).await, 0, "bytes of nobody");

        self.ledger_is_whole(mailboxes, posts).await;
        let steps = self.steps().await;
        for row in &rows {
            for step in ["stored", "understood", "decided", "settled", "answered", "moved"] {
                assert!(steps[&row.id].contains(step), "no step {step}: {row:?}");
            }
        }
        self.answers_are_right(posts, &rows, sent, in_hand).await;
    }

    async fn ledger_is_whole(&self, mailboxes: &[String], posts: &[Post]) {
        let ledger = self.deliveries().await;
        let line =
            |mailbox: &str, sha256: String, id: Option<String>| (mailbox.to_owned(), sha256, id);
        let mut written: Vec<_> = ledger
            .iter()
            .map(|one| line(&one.mailbox, one.sha256.clone(), one.header_message_id.clone()))
            .collect();
        let mut expected: Vec<_> = posts
            .iter()
            .map(|post| line(&mailboxes[post.mailbox], post.sha256(), post.message_id.clone()))
            .collect();
        written.sort();
        expected.sort();
        assert_eq!(written, expected, "the ledger is not what was delivered");
        assert!(ledger.iter().all(|line| line.moved_at.is_some()), "not moved: {ledger:#?}");
        let places: BTreeSet<_> = ledger
            .iter()
            .map(|line| (&line.mailbox, line.uid_validity, line.uid, &line.file_key))
            .collect();
        assert_eq!(places.len(), ledger.len());
        let named =
            |line: &Delivery| line.uid_validity > 0 && line.uid > 0 || !line.file_key.is_empty();
        assert!(ledger.iter().all(named), "{ledger:#?}");
    }

    async fn answers_are_right(
        &self,
        posts: &[Post],
        rows: &[Row],
        sent: &[Letter],
        in_hand: &[String],
    ) {
        let openers: BTreeMap<String, &str> = posts
            .iter()
            .filter_map(|post| Some((post.sha256(), post.opens_for.as_deref()?)))
            .collect();
        let people: BTreeSet<&str> = openers.values().copied().collect();
        let cases = self.count("SELECT CAST(COUNT(*) AS BIGINT) FROM complaint_case").await;
        assert_eq!(cases, i64::try_from(people.len()).unwrap(), "a case a complaint: {rows:#?}");
        let opened = rows.iter().filter(|row| row.action.as_deref() == Some("opened"));
        assert_eq!(opened.count(), people.len(), "{rows:#?}");

        let letters = self.letters().await;
        for letter in &letters {
            assert_eq!(letter.state, "sent", "to {}: {}", letter.recipient, letter.purpose);
        }
        for person in people {
            let own = letters.iter().filter(|letter| letter.recipient == person);
            let purposes: Vec<&str> = own.map(|letter| letter.purpose.as_str()).collect();
            assert_eq!(purposes, ["acknowledgement"], "to {person}");
        }
        let mut arrived: BTreeMap<String, Vec<&Letter>> = BTreeMap::new();
        for letter in sent {
            arrived.entry(message_id_of(&letter.bytes)).or_default().push(letter);
        }
        let ours: BTreeSet<&str> =
            letters.iter().map(|l| l.header_message_id.trim_matches(['<', '>'])).collect();
        assert_eq!(ours.len(), letters.len(), "two letters with one Message-ID");
        assert_eq!(arrived.keys().map(String::as_str).collect::<BTreeSet<_>>(), ours);
        for (id, copies_of) in &arrived {
            let most = 1 + in_hand.iter().filter(|one| *one == id).count();
            assert!(copies_of.len() <= most, "{} copies of {id}", copies_of.len());
            assert!(copies_of.windows(2).all(|two| two[0] == two[1]), "copies differ: {id}");
        }
    }
}

/// The Message-ID of a letter.
pub fn message_id_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
    let line = lines.lines().find(|line| line.to_lowercase().starts_with("message-id:"));
    let value = line.expect("a letter with a Message-ID").split_once(':').unwrap().1;
    value.trim().trim_matches(['<', '>']).to_owned()
}
