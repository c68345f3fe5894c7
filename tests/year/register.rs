//! The rows that the year left.

use std::collections::BTreeMap;
use std::path::Path;

use postern::on;
use postern::store::Db;
use serde_json::Value;

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Case {
    pub(crate) id: i64,
    pub(crate) reference: String,
    pub(crate) received_at: i64,
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Request {
    pub(crate) id: i64,
    pub(crate) case_id: i64,
    pub(crate) service: String,
    pub(crate) asked_at: i64,
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Rung {
    pub(crate) request_id: i64,
    #[sqlx(rename = "rung")]
    pub(crate) step: String,
    pub(crate) recorded_at: i64,
    pub(crate) outcome: String,
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Letter {
    pub(crate) purpose: String,
    pub(crate) template: String,
    pub(crate) recipient: String,
    pub(crate) case_id: Option<i64>,
    pub(crate) request_id: Option<i64>,
    pub(crate) sent_at: i64,
    pub(crate) subject: String,
    pub(crate) bytes: Vec<u8>,
}

/// Something that happened to a case.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) at: i64,
    pub(crate) what: Value,
}

pub(crate) struct Register {
    pub(crate) cases: BTreeMap<i64, Case>,
    pub(crate) events: BTreeMap<i64, Vec<Event>>,
    pub(crate) requests: Vec<Request>,
    pub(crate) rungs: Vec<Rung>,
    pub(crate) letters: Vec<Letter>,
}

impl Register {
    pub(crate) async fn open(file: &Path) -> Self {
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
            "SELECT purpose, template, recipient, case_id, request_id, sent_at, subject, bytes
             FROM letter JOIN letter_bytes ON letter_id = id WHERE state = 'sent' ORDER BY id").fetch_all(c).await)
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
