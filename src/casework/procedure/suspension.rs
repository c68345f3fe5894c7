//! Stages of a procedure that the council suspends from one day to another, as in 2020 (domain rules 4.3, 4.5). Only
//! what the customer was told waits; what the report measures does not.

use jiff::civil::Date;

use crate::casework::case::{Case, CaseStatus};
use crate::casework::dates::{Pause, PauseReason};
use crate::casework::vocabulary::Flag;
use crate::clock::london_day;

/// One stage suspended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// The procedure's id.
    pub procedure: String,
    /// The stage.
    pub stage: u8,
    /// The first day that does not count.
    pub from: Date,
    /// The first that counts again.
    pub to: Date,
    /// Why, as customers may be told.
    pub because: String,
}

/// What a suspension asks of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Its clock stands still from a day on.
    StandStill(Date),
    /// That day counts again.
    GoOn(Date),
    /// A child may be at risk: it goes on unless an officer stops it.
    Decide,
}

impl Suspension {
    /// What it asks of a case of that procedure and stage on a day, given the pauses of its clock. Whatever an officer
    /// let go on goes on.
    pub fn asks(&self, case: &Case, pauses: &[Pause], today: Date) -> Option<Asked> {
        if case.status != CaseStatus::Open || case.stage != self.stage {
            return None;
        }
        let covers = |pause: &&Pause| {
            pause.why == PauseReason::PolicySuspension
                && self.from <= pause.from
                && pause.from < self.to
        };
        let ours = pauses.iter().find(covers);
        let started = london_day(case.clock_started_at);
        match ours {
            Some(pause) if pause.to.is_none() && self.to <= today => Some(Asked::GoOn(self.to)),
            Some(_) => None,
            None if today < self.from || self.to <= today || started >= self.to => None,
            // It stands still for another reason.
            None if pauses.last().is_some_and(|pause| pause.to.is_none()) => None,
            None if case.flags.contains(&Flag::Safeguarding) => Some(Asked::Decide),
            None => Some(Asked::StandStill(self.from.max(started))),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::casework::case::{Actor, Event, Recorded};
    use crate::casework::reference::CaseReference;
    use crate::casework::vocabulary::{CustomerType, RecordType};

    fn suspension() -> Suspension {
        Suspension {
            procedure: "children_act".to_owned(),
            stage: 1,
            from: date(2020, 3, 23),
            to: date(2020, 7, 6),
            because: "the offices are closed".to_owned(),
        }
    }

    fn case(flags: Vec<Flag>, received: &str) -> Case {
        let event = Event::Received {
            message: None,
            at: received.parse().expect("a moment"),
            record_type: RecordType::ChildrenActComplaint,
            services: Vec::new(),
            customer_type: CustomerType::Parent,
            themes: Vec::new(),
            flags,
        };
        let recorded =
            Recorded { at: received.parse().expect("a moment"), by: Actor::Gateway, event };
        Case::replay(CaseReference::new("NCC", 2020, 1).expect("a reference"), [&recorded])
            .expect("a case")
    }

    fn pause(from: Date, to: Option<Date>) -> Pause {
        Pause { from, to, why: PauseReason::PolicySuspension }
    }

    #[test]
    fn a_stage_stands_still_from_the_first_day_to_before_the_last() {
        let (early, late) =
            (case(vec![], "2020-03-02T09:00:00Z"), case(vec![], "2020-04-01T09:00:00Z"));
        let suspension = suspension();
        assert_eq!(suspension.asks(&early, &[], date(2020, 3, 22)), None);
        let stands = |case, day| suspension.asks(case, &[], day);
        assert_eq!(stands(&early, date(2020, 3, 23)), Some(Asked::StandStill(date(2020, 3, 23))));
        // Found late, it stands still from the first day all the same; what came later, from its own.
        assert_eq!(stands(&early, date(2020, 3, 30)), Some(Asked::StandStill(date(2020, 3, 23))));
        assert_eq!(stands(&late, date(2020, 4, 2)), Some(Asked::StandStill(date(2020, 4, 1))));
        assert_eq!(stands(&early, date(2020, 7, 6)), None, "over before anybody looked");

        let still = [pause(date(2020, 3, 23), None)];
        assert_eq!(suspension.asks(&early, &still, date(2020, 7, 5)), None);
        for day in [date(2020, 7, 6), date(2020, 8, 1)] {
            assert_eq!(suspension.asks(&early, &still, day), Some(Asked::GoOn(date(2020, 7, 6))));
        }
    }

    #[test]
    fn what_an_officer_let_go_on_or_stopped_for_another_reason_is_left_alone() {
        let (case, suspension) = (case(vec![], "2020-03-02T09:00:00Z"), suspension());
        let let_go = [pause(date(2020, 3, 23), Some(date(2020, 4, 1)))];
        assert_eq!(suspension.asks(&case, &let_go, date(2020, 4, 2)), None);
        let court = [Pause { from: date(2020, 3, 10), to: None, why: PauseReason::Proceedings }];
        assert_eq!(suspension.asks(&case, &court, date(2020, 4, 2)), None);
        assert_eq!(suspension.asks(&case, &court, date(2020, 7, 6)), None);
        let by_hand = [pause(date(2020, 3, 10), None)];
        assert_eq!(suspension.asks(&case, &by_hand, date(2020, 8, 1)), None, "stopped before it");
        let mut second = case.clone();
        second.stage = 2;
        assert_eq!(suspension.asks(&second, &[], date(2020, 4, 2)), None);
    }

    #[test]
    fn a_child_at_risk_does_not_wait_for_a_policy() {
        let case = case(vec![Flag::Safeguarding], "2020-03-02T09:00:00Z");
        assert_eq!(suspension().asks(&case, &[], date(2020, 4, 2)), Some(Asked::Decide));
    }
}
