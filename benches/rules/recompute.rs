//! How long it takes to count open cases again after a holiday was proclaimed.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use postern::casework::case::{Actor, Event, OfficerId};
use postern::casework::dates::{Turn, What};
use postern::casework::vocabulary::{CustomerType, RecordType, ServiceId};
use postern::clock::Clock;
use postern::config::Config;
use postern::gateway::Gateway;
use postern::policy::Policy;
use postern::recount::{self, Seen};
use postern::store::cases::{self, Clocked, NewCase};
use postern::store::{StoreError, calendars};
use postern::tick::Tick;

use crate::support::postgres::{Durability, Postgres};

/// What counting 10,000 open cases again may take.
const BAR: Duration = Duration::from_secs(5);
/// Cases opened in one transaction.
const BATCH: usize = 500;
/// The day that is proclaimed: within the time of every case.
const PROCLAIMED: Date = date(2026, 3, 27);

/// On `SQLite`, then on `PostgreSQL` with its durable defaults.
pub(crate) async fn run(number: usize) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let lite = format!("sqlite:{}", folder.path().join("postern.db").display());
    measure("SQLite", &folder.path().join("lite"), &lite, number).await;
    let postgres = Postgres::start(Durability::Full);
    measure("PostgreSQL", &folder.path().join("pg"), &postgres.fresh(), number).await;
}

async fn measure(name: &str, folder: &Path, url: &str, number: usize) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), &folder.join("rules"));
    let settings = folder.join("postern.toml");
    let text =
        format!("rules = \"rules\"\n[store]\nurl = \"{url}\"\n[outgoing]\nfolder = \"outbox\"\n");
    std::fs::write(&settings, text).expect("settings");
    let (config, _) = Config::load(&settings, []).expect("right settings");
    let now = "2026-03-16T09:00:00Z".parse().expect("a moment");
    let gateway = Gateway::open(config, Clock::fixed(now)).await.expect("a gateway");
    fill(&gateway, number, now).await.expect("the store can be filled");
    let seen = Seen::default();
    while recount::tick(&gateway, &seen).await.expect("the store works") == Tick::Busy {}

    let file = folder.join("rules/calendar/bank-holidays-england.json");
    let list = std::fs::read_to_string(&file).expect("the calendar");
    let line = format!("\"events\": [\n{{\"title\": \"A day off\", \"date\": \"{PROCLAIMED}\"}},");
    std::fs::write(&file, list.replacen("\"events\": [", &line, 1)).expect("the calendar");
    gateway.adopt(Arc::new(Policy::load(&gateway.config).expect("a valid set")));
    let began = Instant::now();
    while recount::tick(&gateway, &seen).await.expect("the store works") == Tick::Busy {}
    let took = began.elapsed();
    let change = calendars::last_that_moved(&gateway.db).await.expect("the store works");
    let moved = change.map_or(0, |change| change.moves);
    println!(
        "{name:<10} {number} open cases, {moved} moved: {:.2} s (bar {} s)",
        took.as_secs_f64(),
        BAR.as_secs()
    );
    gateway.db.close().await;
}

/// Open cases of the last two weeks with what usually happens to them; every fifth got more time.
async fn fill(gateway: &Gateway, number: usize, now: Timestamp) -> Result<(), StoreError> {
    let policy = gateway.policy();
    let numbers: Vec<usize> = (0..number).collect();
    for batch in numbers.chunks(BATCH) {
        let (mut new, mut happened) = (Vec::new(), Vec::new());
        for &number in batch {
            let hours = i64::try_from(number % 300).unwrap_or(0);
            let at = now - SignedDuration::from_hours(24 + hours);
            let record_type = if number % 5 == 0 {
                RecordType::ChildrenActComplaint
            } else {
                RecordType::CorporateComplaint
            };
            let mut case = opened(&policy, record_type, number, at);
            happened.push(history(number, record_type, at, &mut case.1.clock, &policy));
            new.push(case);
        }
        let mut tx = gateway.db.begin().await?;
        let ids = cases::open(&mut tx, &new).await?;
        let events: Vec<(i64, Event)> = ids
            .into_iter()
            .zip(happened)
            .flat_map(|(id, events)| events.into_iter().map(move |event| (id, event)))
            .collect();
        cases::record_all(&mut tx, &Actor::Officer(OfficerId("pat".to_owned())), &events, now)
            .await?;
        tx.commit().await?;
    }
    Ok(())
}

fn opened(
    policy: &Policy,
    record_type: RecordType,
    number: usize,
    at: Timestamp,
) -> (String, NewCase<'static>) {
    let clock = policy.procedures.clock_for(record_type, 1, at, &policy.calendar);
    let clock = clock.expect("a date");
    let clocked = Clocked {
        procedure: clock.procedure.clone(),
        stage: 1,
        start_rule: clock.rule.to_string(),
        calendar_version: clock.calendar_version.clone(),
        received_on: clock.received_on,
        acknowledge_by_on: clock.ack_due_on,
        target_on: clock.target_on,
        standard_due_on: clock.standard_due_on,
        agreed_due_on: clock.answer_due_on(),
    };
    let number = u32::try_from(number + 1).expect("not so many");
    let reference = postern::casework::reference::CaseReference::new("NCC", 2026, number);
    let case = NewCase {
        opened_by: i64::from(number),
        record_type: record_type.id(),
        lead_service: "sen",
        customer_type: "parent",
        themes: "[]".to_owned(),
        flags: "[]".to_owned(),
        confidence: 900,
        needs_officer: false,
        customer_address: Some("ann@example.org"),
        customer_name: Some("Ann"),
        subject: Some("Complaint"),
        clock: clocked,
        rules_version: "bench",
        received_at: at,
        owner: None,
    };
    (reference.expect("a reference").to_string(), case)
}

fn history(
    number: usize,
    record_type: RecordType,
    at: Timestamp,
    clock: &mut Clocked,
    policy: &Policy,
) -> Vec<Event> {
    let service = ServiceId("sen".to_owned());
    let mut events = vec![
        Event::Received {
            message: Some(number.to_string()),
            at,
            record_type,
            services: vec![service.clone()],
            customer_type: CustomerType::Parent,
            themes: Vec::new(),
            flags: Vec::new(),
        },
        Event::Acknowledged { letter: Some(number.to_string()), at: None },
        Event::ServiceAsked {
            service: service.clone(),
            due_on: clock.agreed_due_on,
            message_attached: false,
        },
        Event::Reminded { service: service.clone(), rung: "not_accepted".to_owned() },
        Event::MessageAttached { message: number.to_string() },
        Event::Reminded { service, rung: "halfway".to_owned() },
    ];
    if record_type == RecordType::ChildrenActComplaint {
        let days = 15;
        let on = clock.received_on;
        let after = policy.calendar.add_working_days(on, i32::from(days)).expect("a date");
        events.push(Event::ClockTurned {
            turn: Turn { on, what: What::Extended { days, under: None } },
            before: clock.agreed_due_on,
            after: Some(after),
            because: "two services must answer".to_owned().into(),
        });
        clock.agreed_due_on = Some(after);
    }
    events
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file");
        }
    }
}
