//! What became of a service's wish for more time: its case's history says.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::casework::case::{Event, Recorded};
use crate::casework::reply::Says;
use crate::casework::vocabulary::ServiceId;
use crate::private::Private;

/// A service asked for more time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoreTime {
    /// When.
    pub asked_at: Timestamp,
    /// Until when, where it said that on the answer page.
    pub until: Option<Date>,
    /// What it wrote there.
    pub words: Option<Private<String>>,
    /// What an officer decided; none while they have not.
    pub decided: Option<TimeDecided>,
}

/// What an officer decided of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeDecided {
    /// Its day was moved.
    Granted {
        /// When.
        at: Timestamp,
    },
    /// Its day stays.
    Refused {
        /// When.
        at: Timestamp,
        /// Why, in words for the service.
        because: Private<String>,
    },
}

/// A service's last wish for more time, with what was decided of it since; none where it had none.
pub fn more_time(events: &[Recorded], service: &ServiceId) -> Option<MoreTime> {
    let (mut asked, mut own_day): (Option<MoreTime>, Option<Date>) = (None, None);
    for Recorded { at, event, .. } in events {
        if let Event::ServiceReplied { service: who, says: Says::MoreTime, until, words, .. } =
            event
            && who == service
        {
            let words = words.clone();
            asked = Some(MoreTime { asked_at: *at, until: *until, words, decided: None });
        }
        let decided = decided(*at, event, service, own_day);
        if let Event::PartSet { part } = event
            && part.service == *service
        {
            own_day = part.due_on;
        }
        if let (Some(asked), Some(decided)) = (&mut asked, decided) {
            asked.decided = Some(decided);
        }
    }
    asked
}

/// What an event decides of a service's day; `own_day` is what an officer had set for its part until then.
fn decided(
    at: Timestamp,
    event: &Event,
    service: &ServiceId,
    own_day: Option<Date>,
) -> Option<TimeDecided> {
    if let Event::MoreTimeRefused { service: who, because } = event {
        let because = because.clone();
        return (who == service).then_some(TimeDecided::Refused { at, because });
    }
    let is_moved = if let Event::PartSet { part } = event {
        part.service == *service && part.due_on != own_day
    } else if let Event::ClockTurned { before, after, .. }
    | Event::PolicyApplied { before, after, .. } = event
    {
        before.zip(*after).is_some_and(|(before, after)| after > before)
    } else {
        false
    };
    is_moved.then_some(TimeDecided::Granted { at })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::casework::case::{Actor, Part};
    use crate::casework::dates::{Turn, What};

    fn sen() -> ServiceId {
        ServiceId("sen".to_owned())
    }

    /// Whether it asked, and what was decided.
    fn told(events: &[Event]) -> (bool, Option<TimeDecided>) {
        let events: Vec<Recorded> = (1_i64..)
            .zip(events)
            .map(|(second, event)| Recorded {
                at: Timestamp::from_second(second).unwrap(),
                by: Actor::Gateway,
                event: event.clone(),
            })
            .collect();
        let wish = more_time(&events, &sen());
        (wish.is_some(), wish.and_then(|wish| wish.decided))
    }

    fn asked(service: &str) -> Event {
        Event::ServiceReplied {
            service: ServiceId(service.to_owned()),
            says: Says::MoreTime,
            message: None,
            by: None,
            words: None,
            until: Some(date(2026, 12, 4)),
        }
    }

    fn part(due_on: Option<Date>) -> Event {
        Event::PartSet {
            part: Part { service: sen(), points: Vec::new(), due_on, responder: None },
        }
    }

    fn turned(before: Date, after: Date) -> Event {
        Event::ClockTurned {
            turn: Turn { on: before, what: What::Resumed },
            before: Some(before),
            after: Some(after),
            because: "x".to_owned().into(),
        }
    }

    #[test]
    fn a_wish_waits_until_its_day_is_moved_or_it_is_refused() {
        let (one, two) = (date(2026, 12, 1), date(2026, 12, 9));
        let refused = Event::MoreTimeRefused { service: sen(), because: "no".to_owned().into() };
        let at = |second| Timestamp::from_second(second).unwrap();
        let granted = |second| (true, Some(TimeDecided::Granted { at: at(second) }));
        assert_eq!(told(&[part(Some(one)), turned(one, two)]), (false, None), "nobody asked");
        assert_eq!(told(&[asked("fostering")]), (false, None), "another service asked");
        assert_eq!(told(&[asked("sen")]), (true, None));
        assert_eq!(told(&[asked("sen"), turned(one, two)]), granted(2));
        assert_eq!(told(&[asked("sen"), turned(two, one)]), (true, None), "it was made shorter");
        assert_eq!(told(&[asked("sen"), part(Some(two))]), granted(2));
        let same = [part(Some(one)), asked("sen"), part(Some(one))];
        assert_eq!(told(&same), (true, None), "its points were named, and its day stayed");
        let because = Private("no".to_owned());
        let no = (true, Some(TimeDecided::Refused { at: at(2), because }));
        assert_eq!(told(&[asked("sen"), refused.clone()]), no);
        assert_eq!(told(&[asked("sen"), refused, asked("sen")]), (true, None), "it asks again");
    }
}
