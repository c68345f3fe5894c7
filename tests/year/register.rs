//! The rows that the year left.

use std::collections::BTreeMap;
use std::path::Path;

use postern::on;
use postern::store::Db;
use serde_json::Value;

#[derive(Debug, sqlx::FromRow)]
pub struct Case {
    pub id: i64,
    pub reference: String,
    pub received_at: i64,
}

#[derive(Debug, sqlx::FromRow)]
pub struct Request {
    pub id: i64,
    pub case_id: i64,
    pub service: String,
    pub asked_at: i64,
}

#[derive(Debug, sqlx::FromRow)]
pub struct Rung {
    pub request_id: i64,
    pub rung: String,
    pub recorded_at: i64,
    pub outcome: String,
}

#[derive(Debug, sqlx::FromRow)]
pub struct Letter {
    pub purpose: String,
    pub recipient: String,
    pub case_id: Option<i64>,
    pub request_id: Option<i64>,
    pub sent_at: i64,
    pub subject: String,
    pub bytes: Vec<u8>,
}

/// Something that happened to a case.
#[derive(Debug)]
pub struct Event {
    pub at: i64,
    pub what: Value,
}

pub struct Register {
    pub cases: BTreeMap<i64, Case>,
    pub events: BTreeMap<i64, Vec<Event>>,
    pub requests: Vec<Request>,
    pub rungs: Vec<Rung>,
    pub letters: Vec<Letter>,
}

impl Register {
    pub async fn open(file: &Path) -> Self {
        let db = Db::open(&format!("sqlite:{}", file.display())).await.unwrap();
        let db = &db;
        let cases: Vec<Case> = on!(db, "look", c => sqlx::query_as(
            "SELECT id, reference, received_at FROM complaint_case ORDER BY id").fetch_all(c).await)
        .unwrap();
        let requests = on!(db, "look", c => sqlx::query_as(
            "SELECT id, case_id, service, asked_at FROM request ORDER BY id").fetch_all(c).await)
        .unwrap();
        let rungs = on!(db, "look", c => sqlx::query_as(
            "SELECT request_id, rung, recorded_at, outcome FROM rung").fetch_all(c).await)
        .unwrap();
        let letters: Vec<Letter> = on!(db, "look", c => sqlx::query_as(
            "SELECT purpose, recipient, case_id, request_id, sent_at, subject, bytes
             FROM letter JOIN letter_bytes ON letter_id = id ORDER BY id").fetch_all(c).await)
        .unwrap();
        let rows: Vec<(i64, i64, String)> = on!(db, "look", c => sqlx::query_as(
            "SELECT case_id, at, detail FROM case_event ORDER BY id").fetch_all(c).await)
        .unwrap();
        db.close().await;
        let mut events: BTreeMap<i64, Vec<Event>> = BTreeMap::new();
        for (case, at, detail) in rows {
            let what = serde_json::from_str(&detail).unwrap();
            events.entry(case).or_default().push(Event { at, what });
        }
        let cases = cases.into_iter().map(|case| (case.id, case)).collect();
        Self { cases, events, requests, rungs, letters }
    }
}
