//! The worked examples of the domain reference, and what holds of every history.

use jiff::civil::date;

use super::*;
use crate::casework::deadline::parse_received;
use crate::casework::procedure::{Length, Temporary};

fn england() -> WorkingCalendar {
    let text = include_str!("../../../rules/calendar/bank-holidays-england.json");
    WorkingCalendar::from_json("days.json", text).unwrap()
}

fn going<'a>(calendar: &'a WorkingCalendar, started: &str, target: u16, latest: u16) -> Going<'a> {
    let started = parse_received(started).unwrap();
    Going { calendar, started, rule: StartRule::DayAfter, target, latest }
}

fn turn(on: Date, what: What) -> Turn {
    Turn { on, what }
}

fn paused(from: Date, to: Date, why: PauseReason) -> Vec<Turn> {
    vec![turn(from, What::Paused { why }), turn(to, What::Resumed)]
}

#[test]
fn a_pause_of_five_working_days_moves_the_agreed_date_alone() {
    let calendar = england();
    let going = going(&calendar, "2021-06-01", 20, 20);
    let history = paused(date(2021, 6, 10), date(2021, 6, 17), PauseReason::AwaitingCustomer);
    let dates = going.dates(&history).unwrap();
    assert_eq!(dates.agreed_due_on, Some(date(2021, 7, 6)), "example P1");
    assert_eq!(dates.standard_due_on, Some(date(2021, 6, 29)));
    let steps = going.explain(&history).unwrap();
    let pause = steps.iter().find(|step| step.date == date(2021, 6, 10)).unwrap();
    assert_eq!(pause.why, "waiting for the customer until 2021-06-16: 5 working days left out");
    assert_eq!(steps.last().unwrap().counted, Some(20));
}

#[test]
fn a_suspended_procedure_keeps_its_standard_date() {
    let calendar = england();
    let going = going(&calendar, "2020-03-02", 65, 65);
    let history = paused(date(2020, 3, 23), date(2020, 7, 6), PauseReason::PolicySuspension);
    let dates = going.dates(&history).unwrap();
    assert_eq!(dates.standard_due_on, Some(date(2020, 6, 5)), "example P2");
    assert_eq!(dates.agreed_due_on, Some(date(2020, 9, 15)), "example P2");
    let court = paused(date(2020, 3, 23), date(2020, 7, 6), PauseReason::Proceedings);
    assert_eq!(going.dates(&court).unwrap().standard_due_on, Some(date(2020, 9, 15)));
}

fn plain(until: Date) -> Extension<'static> {
    Extension { until, promised: None, under: None, longer: &[] }
}

#[test]
fn three_months_instead_of_twenty_days_move_the_agreed_date_alone() {
    let calendar = england();
    let going = going(&calendar, "2020-03-24", 20, 20);
    let policy = Temporary {
        name: "longer_2020".to_owned(),
        procedure: "corporate".to_owned(),
        stage: 1,
        from: date(2020, 3, 20),
        to: date(2020, 9, 25),
        length: Length::Months(3),
        because: "services cannot answer".to_owned(),
    };
    let longer = [Longer { name: "longer_2020", days: policy.days(&going).unwrap() }];
    let today = date(2020, 3, 27);
    let wanted = |until, under| Extension { under, longer: &longer, ..plain(until) };
    let said =
        |until, under| going.extend(&[], today, &wanted(until, under)).unwrap_err().to_string();
    let until = date(2020, 6, 24);
    let turn = going.extend(&[], today, &wanted(until, Some("longer_2020"))).unwrap();
    let dates = going.dates(&[turn]).unwrap();
    assert_eq!(dates.agreed_due_on, Some(until), "example M1");
    assert_eq!(dates.standard_due_on, Some(date(2020, 4, 23)), "example M1");
    // Which policy it is, an officer says; and none gives more than it says itself.
    let unnamed = said(until, None);
    assert!(unnamed.starts_with("the procedure gives until 2020-04-23 at most"), "{unnamed}");
    assert!(unnamed.contains("policy `longer_2020`, which gives until 2020-06-24"), "{unnamed}");
    let more = said(date(2020, 6, 25), Some("longer_2020"));
    assert!(
        more.starts_with("the temporary policy `longer_2020` gives until 2020-06-24"),
        "{more}"
    );
    let other = said(until, Some("longer_2021"));
    assert!(other.contains("no temporary policy `longer_2021` holds"), "{other}");
    assert!(other.ends_with("name one of longer_2020, or none"), "{other}");
    // A pause comes on top, as it does to the procedure's own limit.
    let pause = paused(today, date(2020, 3, 31), PauseReason::AwaitingCustomer);
    let on = date(2020, 6, 26);
    let turn = going.extend(&pause, today, &wanted(on, Some("longer_2020"))).unwrap();
    let dates = going.dates(&[pause, vec![turn]].concat()).unwrap();
    assert_eq!(dates.agreed_due_on, Some(on), "two working days stood still");
}

#[test]
fn a_temporary_policy_is_for_what_was_open_or_came_while_it_held() {
    let policy = Temporary {
        name: "longer_2020".to_owned(),
        procedure: "corporate".to_owned(),
        stage: 1,
        from: date(2020, 3, 20),
        to: date(2020, 9, 25),
        length: Length::Days(64),
        because: "services cannot answer".to_owned(),
    };
    let is_for = |started, today| policy.is_for("corporate", 1, started, today);
    assert!(is_for(date(2020, 3, 2), date(2020, 3, 20)), "open when it began");
    assert!(is_for(date(2020, 9, 24), date(2020, 10, 1)), "came on its last day");
    assert!(!is_for(date(2020, 3, 2), date(2020, 3, 19)), "not yet in force");
    assert!(!is_for(date(2020, 9, 25), date(2020, 9, 25)), "came after it");
    assert!(!policy.is_for("corporate", 2, date(2020, 4, 1), date(2020, 4, 2)));
    assert!(!policy.is_for("children_act", 1, date(2020, 4, 1), date(2020, 4, 2)));
}

#[test]
fn an_extension_ends_at_the_limit_and_comes_before_the_date() {
    let calendar = england();
    let stage_1 = going(&calendar, "2021-06-01", 10, 20);
    let said = |today, until| stage_1.extend(&[], today, &plain(until)).unwrap_err().to_string();
    assert_eq!(stage_1.dates(&[]).unwrap().agreed_due_on, Some(date(2021, 6, 15)));
    let longer = stage_1.extend(&[], date(2021, 6, 15), &plain(date(2021, 6, 27))).unwrap();
    assert_eq!(longer.what, What::Extended { days: 19, under: None }, "a Sunday: until the Monday");
    let dates = stage_1.dates(&[longer]).unwrap();
    assert_eq!(dates.agreed_due_on, Some(date(2021, 6, 28)));
    assert_eq!(dates.standard_due_on, Some(date(2021, 6, 29)));
    let on_time = date(2021, 6, 15);
    assert!(
        said(on_time, date(2021, 6, 30)).contains("until 2021-06-29 at most: name a day up to")
    );
    assert!(said(on_time, date(2021, 6, 15)).contains("no later than 2021-06-15"));
    assert!(
        said(date(2021, 6, 16), date(2021, 6, 29)).contains("was due on 2021-06-15 and is late")
    );
}

#[test]
fn a_clock_stands_still_once_and_goes_on_once() {
    let calendar = england();
    let going = going(&calendar, "2021-06-01", 10, 20);
    let day = |day| date(2021, 6, day);
    let stop = going.pause(&[], day(8), PauseReason::AwaitingAuthority).unwrap();
    let history = vec![stop];
    let dates = going.dates(&history).unwrap();
    assert_eq!(dates.agreed_due_on, None, "no date is shown while nobody can know it");
    assert_eq!(dates.standard_due_on, Some(day(29)));
    assert_eq!(dates.paused().unwrap().from, day(8));
    let again = going.pause(&history, day(9), PauseReason::Statute).unwrap_err().to_string();
    assert!(again.contains("stands still since 2021-06-08 (waiting for authority)"), "{again}");
    assert!(going.extend(&history, day(9), &plain(day(20))).is_err());
    assert!(going.resume(&history, day(7)).is_err());
    let history = [history, vec![going.resume(&history_of(day(8)), day(10)).unwrap()]].concat();
    assert_eq!(going.dates(&history).unwrap().agreed_due_on, Some(day(17)));
    assert!(going.resume(&history, day(11)).is_err());
    assert!(going.pause(&[], date(2021, 5, 31), PauseReason::Statute).is_err());
}

fn history_of(from: Date) -> Vec<Turn> {
    vec![turn(from, What::Paused { why: PauseReason::AwaitingAuthority })]
}

#[test]
fn what_is_taken_back_gives_the_dates_from_before_it() {
    let calendar = england();
    let going = going(&calendar, "2021-06-01", 10, 20);
    let before = going.dates(&[]).unwrap();
    let mut history = paused(date(2021, 6, 8), date(2021, 6, 10), PauseReason::Adjustment);
    let with = going.dates(&history).unwrap();
    for number in [1, 0] {
        history.push(going.undo(&history, date(2021, 6, 11), number).unwrap());
    }
    assert_eq!(going.dates(&history).unwrap(), before);
    assert!(going.undo(&history, date(2021, 6, 11), 0).is_err(), "twice");
    assert!(going.undo(&history, date(2021, 6, 11), 2).is_err(), "restore it instead");
    for number in [0, 1] {
        history.push(going.redo(&history, date(2021, 6, 12), number).unwrap());
    }
    assert_eq!(going.dates(&history).unwrap(), with);
    assert!(going.redo(&history, date(2021, 6, 12), 1).is_err());
}

/// The same numbers on every machine (a linear congruence).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn day_after(&mut self, day: Date, most: usize) -> Date {
        let days = i64::try_from(self.below(most)).unwrap();
        day.checked_add(jiff::Span::new().days(days)).unwrap()
    }

    fn history(&mut self, started: Date) -> Vec<Turn> {
        let mut history = Vec::new();
        for _ in 0..self.below(9) {
            let what = match self.below(4) {
                0 => What::Extended {
                    days: u16::try_from(10 + self.below(60)).unwrap(),
                    under: None,
                },
                1 | 2 => What::Paused { why: PauseReason::ALL[self.below(PauseReason::ALL.len())] },
                _ => What::Resumed,
            };
            history.push(turn(self.day_after(started, 90), what));
        }
        history
    }

    /// Takes turns back and restores them, in any order, so that in the end those stand that `stand` says.
    fn taken_back(&mut self, history: &[Turn], stand: &[bool]) -> Vec<Turn> {
        let mut history = history.to_vec();
        let mut left: Vec<usize> = (0..stand.len()).collect();
        while !left.is_empty() {
            let turn_number = left.swap_remove(self.below(left.len()));
            for _ in 0..self.below(3) {
                history.push(turn(history[0].on, What::Undone { turn: turn_number }));
                history.push(turn(history[0].on, What::Redone { turn: turn_number }));
            }
            if !stand[turn_number] {
                history.push(turn(history[0].on, What::Undone { turn: turn_number }));
            }
        }
        history
    }
}

#[test]
fn a_promise_older_than_a_holiday_may_be_moved_to_where_the_count_is() {
    let more = england().with_more([(date(2021, 6, 14), "Proclaimed".to_owned())]);
    let going = going(&more, "2021-06-01", 20, 20);
    let (today, promised) = (date(2021, 6, 10), date(2021, 6, 29));
    assert_eq!(going.dates(&[]).unwrap().agreed_due_on, Some(date(2021, 6, 30)));
    let told = |until| Extension { promised: Some(promised), ..plain(until) };
    let to = |until| going.extend(&[], today, &told(until));
    let said = |until| to(until).unwrap_err().to_string();
    assert_eq!(said(promised), "2021-06-29 is no later than 2021-06-29: name a later day");
    assert!(said(date(2021, 7, 1)).starts_with("the procedure gives until 2021-06-30 at most"));
    let history = [to(date(2021, 6, 30)).unwrap()];
    assert_eq!(going.dates(&history).unwrap().agreed_due_on, Some(date(2021, 6, 30)));
    let late = going.extend(&[], date(2021, 6, 30), &told(date(2021, 7, 1)));
    assert!(late.unwrap_err().to_string().starts_with("the answer was due on 2021-06-29"));
}

fn no_earlier(later: Option<Date>, sooner: Option<Date>, why: &str, history: &[Turn]) {
    match (later, sooner) {
        (Some(later), Some(sooner)) => assert!(later >= sooner, "{why}: {history:?}"),
        (later, sooner) => assert_eq!(later.is_none(), sooner.is_none(), "{why}: {history:?}"),
    }
}

#[test]
fn of_a_hundred_thousand_histories_every_one_holds_what_holds() {
    let calendar = england();
    let mut chance = Chance(2_021);
    let mut with_more: Vec<WorkingCalendar> = Vec::new();
    for _ in 0..50 {
        let days = (0..60).map(|_| chance.day_after(date(2016, 1, 4), 3_300));
        with_more.push(calendar.with_more(days.map(|day| (day, "Proclaimed".to_owned()))));
    }
    for _ in 0..100_000 {
        let started = chance.day_after(date(2016, 1, 4), 3_000);
        let target = u16::try_from(10 + chance.below(20)).unwrap();
        let at = |day: Date| day.at(12, 0, 0, 0);
        let rule = StartRule::ALL[chance.below(StartRule::ALL.len())];
        let going = Going { calendar: &calendar, started: at(started), rule, target, latest: 65 };
        let history = chance.history(started);
        let dates = going.dates(&history).unwrap();
        for due in [dates.agreed_due_on, dates.standard_due_on].into_iter().flatten() {
            assert!(calendar.is_working_day(due).unwrap(), "{due}: {history:?}");
        }

        let next = Going { started: at(started.tomorrow().unwrap()), ..going };
        let later = next.dates(&history).unwrap();
        no_earlier(later.agreed_due_on, dates.agreed_due_on, "received later", &history);
        no_earlier(later.standard_due_on, dates.standard_due_on, "received later", &history);

        let more = &with_more[chance.below(with_more.len())];
        let moved = Going { calendar: more, ..going }.dates(&history).unwrap();
        no_earlier(moved.agreed_due_on, dates.agreed_due_on, "holidays more", &history);
        no_earlier(moved.standard_due_on, dates.standard_due_on, "holidays more", &history);

        if !history.is_empty() {
            let stand: Vec<bool> = history.iter().map(|_| chance.below(2) == 0).collect();
            let (one, other) =
                (chance.taken_back(&history, &stand), chance.taken_back(&history, &stand));
            let never: Vec<Turn> =
                history.iter().zip(&stand).filter(|(_, s)| **s).map(|(t, _)| t.clone()).collect();
            let expected = going.dates(&never).unwrap();
            assert_eq!(going.dates(&one).unwrap(), expected, "{one:?}");
            assert_eq!(going.dates(&other).unwrap(), expected, "{other:?}");
        }
    }
}
