//! `cargo bench --bench rules -- history`: a case of 1,000 events replayed, with its two dates.

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};
use postern::casework::calendar::WorkingCalendar;
use postern::casework::case::{Actor, Case, CaseField, Event, OfficerId, Recorded};
use postern::casework::dates::{Going, PauseReason, Turn, What};
use postern::casework::deadline::StartRule;
use postern::casework::reference::CaseReference;
use postern::casework::vocabulary::{CustomerType, RecordType, ServiceId, Theme};

/// Events of the case.
const EVENTS: usize = 1_000;
/// What a replay may take.
const BAR: Duration = Duration::from_millis(5);
/// How often it is measured; the median counts.
const TIMES: usize = 201;

const CALENDAR: &str = "rules/calendar/bank-holidays-england.json";

pub(crate) fn run() {
    let text = std::fs::read_to_string(CALENDAR).expect("the calendar of the project");
    let calendar = WorkingCalendar::from_json(CALENDAR, &text).expect("a calendar");
    let events = events();
    let going = Going {
        calendar: &calendar,
        started: date(2021, 6, 1).at(10, 0, 0, 0),
        rule: StartRule::DayAfter,
        target: 20,
        latest: 20,
    };
    let mut took: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let reference = CaseReference::new("NCC", 2021, 1).expect("a reference");
            let began = Instant::now();
            let case = Case::replay(reference, black_box(&events)).expect("a case");
            let dates = going.dates(&case.turns).expect("dates within the calendar");
            let took = began.elapsed();
            black_box((case, dates));
            took
        })
        .collect();
    took.sort();
    let (median, worst) = (took[TIMES / 2], took[TIMES - 1]);
    println!("{EVENTS} events: median {median:?}, worst of {TIMES} {worst:?} (bar {BAR:?})");
}

/// A case that is moved, corrected, chased and moved back all the time.
fn events() -> Vec<Recorded> {
    let at: Timestamp = "2021-06-01T09:00:00Z".parse().expect("a moment");
    let received = Event::Received {
        message: None,
        at,
        record_type: RecordType::CorporateComplaint,
        services: vec![ServiceId("sen".to_owned())],
        customer_type: CustomerType::Parent,
        themes: vec![Theme::ServiceIssue],
        flags: Vec::new(),
    };
    let mut events = vec![received];
    let mut turns = 0;
    for number in 1..EVENTS {
        let day = date(2021, 6, 1) + Span::new().days(i64::try_from(number % 300).unwrap_or(0));
        events.push(event(number, day, &mut turns));
    }
    let by = Actor::Officer(OfficerId("officer".to_owned()));
    events.into_iter().map(|event| Recorded { at, by: by.clone(), event }).collect()
}

fn event(number: usize, on: Date, turns: &mut usize) -> Event {
    let what = match number % 6 {
        0 => What::Paused { why: PauseReason::AwaitingCustomer },
        1 => What::Resumed,
        2 => What::Undone { turn: *turns / 2 },
        3 => What::Redone { turn: *turns / 2 },
        4 => {
            let service = ServiceId("sen".to_owned());
            return Event::Reminded { service, rung: format!("overdue_10#{number}") };
        }
        _ => {
            return Event::Corrected {
                field: CaseField::Themes,
                before: "communication".to_owned(),
                after: "service_issue".to_owned(),
                because: None,
            };
        }
    };
    *turns += 1;
    let because = "moved".to_owned().into();
    Event::ClockTurned { turn: Turn { on, what }, before: None, after: None, because }
}
