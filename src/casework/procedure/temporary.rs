//! Answers that may take longer for a time, as in 2020: three months instead of 20 working days (domain rules 4.3).
//! An officer decides it case by case, with a reason; what the report measures stays as it is.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::casework::calendar::NotCovered;
use crate::casework::dates::Going;

/// One such policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    /// What an officer calls it by.
    pub name: String,
    /// The procedure's id.
    pub procedure: String,
    /// The stage.
    pub stage: u8,
    /// The first day on which an officer may go by it.
    pub from: Date,
    /// The first day on which a clock may start that it is not for.
    pub to: Date,
    /// How long an answer may take by it.
    pub length: Length,
    /// Why, as customers may be told.
    pub because: String,
}

/// How long an answer may take, from the start of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Working days.
    Days(u16),
    /// Months: until the same day of the month, or the working day after it.
    Months(u8),
}

impl Temporary {
    /// Whether an officer may go by it on a day, for a stage of a procedure whose clock started on another: what was
    /// open when it began, and what came while it held.
    pub fn is_for(&self, procedure: &str, stage: u8, started: Date, today: Date) -> bool {
        self.procedure == procedure
            && self.stage == stage
            && self.from <= today
            && started < self.to
    }

    /// The working days that it gives a clock, pauses left out.
    ///
    /// # Errors
    /// [`NotCovered`] if the count leaves the calendar.
    pub fn days(&self, going: &Going<'_>) -> Result<u16, NotCovered> {
        match self.length {
            Length::Days(days) => Ok(days),
            Length::Months(months) => {
                let last = going.started.date().saturating_add(i32::from(months).months());
                going.days_until(&[], last)
            }
        }
    }
}
