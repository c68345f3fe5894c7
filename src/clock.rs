//! The only place that knows what time it is.

use std::sync::{Arc, Mutex};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Where "now" comes from. Everything that needs the time is given one of these, so that a
/// test or `--at` can say what day it is.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved.
    Fixed(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// A clock that stands at `now`.
    pub fn fixed(now: Timestamp) -> Self {
        Self::Fixed(Arc::new(Mutex::new(now)))
    }

    /// The present moment, to the millisecond (what the store keeps).
    pub fn now(&self) -> Timestamp {
        let now = match self {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            Self::System => Timestamp::now(),
            Self::Fixed(at) => *at.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Moves a fixed clock; the machine's clock cannot be moved.
    pub fn set(&self, now: Timestamp) {
        if let Self::Fixed(at) = self {
            *at.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
        }
    }
}

/// The council's time zone. A moment becomes a day once, here, and never by UTC: a message
/// at 23:30 UTC on a summer Sunday is received on Monday.
///
/// # Panics
/// Never: the zone is compiled into the program.
pub fn london() -> TimeZone {
    TimeZone::get("Europe/London").expect("the time zone database is compiled in")
}

/// The council's calendar day on which a moment falls.
pub fn london_day(at: Timestamp) -> Date {
    at.to_zoned(london()).date()
}
