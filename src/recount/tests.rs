//! What holds of every case that is counted again.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::*;
use crate::casework::calendar::WorkingCalendar;
use crate::casework::case::OfficerId;
use crate::casework::dates::{PauseReason, Turn, What};
use crate::casework::vocabulary::{CustomerType, RecordType, ServiceId};

const TYPES: [RecordType; 4] = [
    RecordType::CorporateComplaint,
    RecordType::ChildrenActComplaint,
    RecordType::Enquiry,
    RecordType::Compliment,
];

/// Numbers that look random and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn day_after(&mut self, day: Date, within: u64) -> Date {
        day.saturating_add(jiff::Span::new().days(i64::try_from(self.below(within)).unwrap()))
    }
}

fn at(day: Date) -> Timestamp {
    format!("{day}T10:00:00Z").parse().unwrap()
}

fn recorded(on: Date, event: Event) -> Recorded {
    Recorded { at: at(on), by: Actor::Officer(OfficerId("pat".to_owned())), event }
}

fn received(on: Date, record_type: RecordType) -> Recorded {
    let event = Event::Received {
        message: None,
        at: at(on),
        record_type,
        services: vec![ServiceId("sen".to_owned())],
        customer_type: CustomerType::Parent,
        themes: Vec::new(),
        flags: Vec::new(),
    };
    recorded(on, event)
}

fn turned(on: Date, what: What) -> Recorded {
    let because = "because".to_owned().into();
    recorded(on, Event::ClockTurned { turn: Turn { on, what }, before: None, after: None, because })
}

/// A history: receipt, and at most a longer limit and a pause.
fn history(chance: &mut Chance) -> Vec<Recorded> {
    let start = chance.day_after(date(2016, 1, 4), 3_000);
    let record_type = TYPES[usize::try_from(chance.below(4)).unwrap()];
    let mut events = vec![received(start, record_type)];
    let mut day = start;
    if chance.below(3) == 0 {
        day = chance.day_after(day, 5);
        events.push(turned(day, What::Extended { days: 15, under: None }));
    }
    if chance.below(2) == 0 {
        day = chance.day_after(day, 10);
        let why = PauseReason::ALL[usize::try_from(chance.below(6)).unwrap()];
        events.push(turned(day, What::Paused { why }));
        if chance.below(4) > 0 {
            events.push(turned(chance.day_after(day, 30), What::Resumed));
        }
    }
    events
}

fn row(clocked: &Clocked) -> CaseRow {
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    CaseRow {
        id: 1,
        reference: "NCC-2026-00412-7".to_owned(),
        status: "open".to_owned(),
        record_type: String::new(),
        lead_service: String::new(),
        customer_type: String::new(),
        themes: String::new(),
        flags: String::new(),
        confidence: 0,
        needs_officer: false,
        customer_address: None,
        edition: None,
        letter_format: None,
        customer_name: None,
        subject: None,
        procedure_id: clocked.procedure.clone(),
        stage: 1,
        start_rule: clocked.start_rule.clone(),
        calendar_version: clocked.calendar_version.clone(),
        received_at: 0,
        received_on: clocked.received_on.to_string(),
        acknowledge_by_on: clocked.acknowledge_by_on.to_string(),
        target_on: day(clocked.target_on),
        standard_due_on: day(clocked.standard_due_on),
        agreed_due_on: day(clocked.agreed_due_on),
        acknowledged_at: None,
        answered_at: None,
        opened_by: 1,
        merged_into: None,
        version: 1,
        owner: None,
    }
}

/// The dates as they were worked out when the clock was last moved.
fn before(policy: &Policy, events: &[Recorded]) -> CaseRow {
    let case = Case::replay("NCC-2026-00412-7".parse().unwrap(), events).unwrap();
    row(&officer::started(policy, &case).unwrap())
}

#[test]
fn holidays_proclaimed_move_no_standard_date_forward_and_no_promise_at_all() {
    let mut policy = Policy::shipped().unwrap();
    let shipped = policy.calendar.clone();
    let mut chance = Chance(2_027);
    let fuller: Vec<WorkingCalendar> = (0..20)
        .map(|_| {
            let days = (0..60).map(|_| chance.day_after(date(2016, 1, 4), 3_300));
            shipped.with_more(days.map(|day| (day, "Proclaimed".to_owned())).collect::<Vec<_>>())
        })
        .collect();
    let (mut count, mut still) = (0, 0);
    for _ in 0..5_000 {
        let mut events = history(&mut chance);
        policy.calendar = shipped.clone();
        let old = before(&policy, &events);
        assert!(
            counted(&policy, &old, &events).unwrap().1.is_none(),
            "the same list moves nothing"
        );

        policy.calendar = fuller[usize::try_from(chance.below(20)).unwrap()].clone();
        let (clocked, moved) = counted(&policy, &old, &events).unwrap();
        let new = row(&clocked);
        assert_eq!(new.agreed_due_on, old.agreed_due_on, "{events:?}");
        assert!(new.standard_due_on >= old.standard_due_on, "{events:?}");
        assert_eq!(new.standard_due_on.is_none(), old.standard_due_on.is_none(), "{events:?}");
        assert!(new.acknowledge_by_on >= old.acknowledge_by_on && new.target_on >= old.target_on);
        still += usize::from(old.agreed_due_on.is_none());
        let Some((_, event)) = moved else {
            assert_eq!(new.standard_due_on, old.standard_due_on);
            continue;
        };
        count += 1;
        events.push(Recorded { at: at(date(2026, 1, 5)), by: Actor::Gateway, event });
        assert!(counted(&policy, &new, &events).unwrap().1.is_none(), "once: {events:?}");
        // It was no holiday after all.
        policy.calendar = shipped.clone();
        assert_eq!(
            row(&counted(&policy, &new, &events).unwrap().0).standard_due_on,
            old.standard_due_on
        );
    }
    assert!(count > 1_000 && still > 200, "{count} moved, {still} stood still");
}

#[test]
fn a_calendar_that_does_not_reach_says_so() {
    let mut policy = Policy::shipped().unwrap();
    let events = [received(date(2027, 6, 1), RecordType::CorporateComplaint)];
    let old = before(&policy, &events);
    policy.calendar =
        WorkingCalendar::new(Vec::new(), policy.calendar.covered_from(), date(2027, 6, 10));
    let said = counted(&policy, &old, &events).unwrap_err();
    assert!(said.starts_with("2027-06-11 is outside the bank holiday calendar"), "{said}");
}
