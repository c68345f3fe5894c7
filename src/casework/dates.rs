//! The two dates of a stage, replayed from what happened to its clock.
//!
//! The standard date is the procedure's own and what the annual report measures. The agreed date is what the
//! customer was told and what reminders use (domain rules 4.3 to 4.5). Nothing is stored as a sum: pauses are
//! intervals, an extension is a number of working days, and taking any of it back gives the dates as if
//! it had never been. In whatever order things are taken back and restored, what stands decides.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use super::calendar::{NotCovered, WorkingCalendar};
use super::case::Refusal;
use super::deadline::{self, StartRule, Step};
use super::vocabulary::vocabulary;

vocabulary! {
    /// Why a clock stands still. Nothing in the Regulations lets a council stop the standard date but
    /// court proceedings and a law that says so (domain 4.5).
    PauseReason {
        /// The representative's authority is awaited.
        AwaitingAuthority = "awaiting_authority", "waiting for authority";
        /// The customer was asked for something.
        AwaitingCustomer = "awaiting_customer", "waiting for the customer";
        /// A court or the police look at the same matter.
        Proceedings = "proceedings", "proceedings about the same matter";
        /// The council suspended the procedure.
        PolicySuspension = "policy_suspension", "the procedure is suspended";
        /// The customer needs an adjustment before it can go on.
        Adjustment = "adjustment", "an adjustment for the customer";
        /// A law stops the clock.
        Statute = "statute", "a law stops the clock";
    }
}

impl PauseReason {
    /// Whether the standard date waits as well.
    pub fn moves_standard(self) -> bool {
        match self {
            Self::Proceedings | Self::Statute => true,
            Self::AwaitingAuthority
            | Self::AwaitingCustomer
            | Self::PolicySuspension
            | Self::Adjustment => false,
        }
    }
}

/// One thing that happened to the clock of a stage. It is known by its place in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Turn {
    /// The day in London from which it counts.
    pub on: Date,
    /// What.
    pub what: What,
}

/// What can happen to a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = WhatTurned)]
pub enum What {
    /// The answer may take so many working days in all, instead of the days before.
    Extended {
        /// Working days from the start of the clock, pauses left out.
        days: u16,
        /// The temporary policy that an officer went by, where the procedure itself gives less.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<String>,
    },
    /// The days from this one on do not count.
    Paused {
        /// Why.
        why: PauseReason,
    },
    /// This day counts again.
    Resumed,
    /// An earlier turn is taken back.
    Undone {
        /// Its place in the history, from 0.
        turn: usize,
    },
    /// A turn that was taken back stands again.
    Redone {
        /// Its place in the history, from 0.
        turn: usize,
    },
}

/// Days that do not count: from the first to before the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Pause {
    /// The first that does not count.
    pub from: Date,
    /// The first that counts again; none while the clock stands still.
    pub to: Option<Date>,
    /// Why.
    pub why: PauseReason,
}

/// How a stage's clock was set going.
#[derive(Debug, Clone, Copy)]
pub struct Going<'a> {
    /// The days that the council works.
    pub calendar: &'a WorkingCalendar,
    /// The moment from which it is counted, as London's clocks showed it.
    pub started: DateTime,
    /// How counting starts.
    pub rule: StartRule,
    /// Working days aimed for.
    pub target: u16,
    /// Working days at most.
    pub latest: u16,
}

/// The dates of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageDates {
    /// What the report measures; none while it stands still.
    pub standard_due_on: Option<Date>,
    /// What the customer was told; none while it stands still.
    pub agreed_due_on: Option<Date>,
    /// Working days that the answer may take.
    pub days: u16,
    /// When the clock stood still.
    pub pauses: Vec<Pause>,
}

impl StageDates {
    /// Whether the clock stands still, and why.
    pub fn paused(&self) -> Option<&Pause> {
        self.pauses.last().filter(|pause| pause.to.is_none())
    }
}

impl Going<'_> {
    /// The dates that a history comes to.
    ///
    /// # Errors
    /// [`NotCovered`] if the count leaves the calendar.
    pub fn dates(&self, turns: &[Turn]) -> Result<StageDates, NotCovered> {
        let (pauses, days) = self.standing(turns);
        let standing_still = pauses.last().filter(|pause| pause.to.is_none());
        let hers = pauses.iter().filter(|pause| pause.why.moves_standard());
        let standard: Vec<Pause> = hers.cloned().collect();
        let due = |still: bool, pauses: &[Pause], days| {
            if still { Ok(None) } else { self.count(pauses, days, None).map(Some) }
        };
        let standard_still = standing_still.is_some_and(|pause| pause.why.moves_standard());
        Ok(StageDates {
            standard_due_on: due(standard_still, &standard, self.latest)?,
            agreed_due_on: due(standing_still.is_some(), &pauses, days)?,
            days,
            pauses,
        })
    }

    /// The sum behind the agreed date, day by day; a pause is one step. While the clock stands still, up
    /// to where it stopped.
    ///
    /// # Errors
    /// [`NotCovered`] if the count leaves the calendar.
    pub fn explain(&self, turns: &[Turn]) -> Result<Vec<Step>, NotCovered> {
        let (pauses, days) = self.standing(turns);
        let mut steps = Vec::new();
        self.count(&pauses, days, Some(&mut steps))?;
        Ok(steps)
    }

    /// How many working days an answer takes that is due on a day: on the first at or after it that counts.
    ///
    /// # Errors
    /// [`NotCovered`] if the count leaves the calendar.
    pub fn days_until(&self, turns: &[Turn], day: Date) -> Result<u16, NotCovered> {
        let (pauses, _) = self.standing(turns);
        let closed: Vec<Pause> = pauses.into_iter().filter(|pause| pause.to.is_some()).collect();
        let mut days = 0;
        loop {
            let due_on = self.count(&closed, days, None)?;
            if due_on >= day || days == u16::MAX {
                return Ok(days);
            }
            let further = self.calendar.working_days_between(due_on, day)?;
            let left_out: i32 = closed
                .iter()
                .map(|pause| self.paused_between(pause, due_on, day))
                .sum::<Result<i32, NotCovered>>()?;
            // At least one more; never more than are missing.
            days = days.saturating_add(u16::try_from((further - left_out).max(1)).unwrap_or(1));
        }
    }

    fn paused_between(&self, pause: &Pause, after: Date, until: Date) -> Result<i32, NotCovered> {
        let before = |day: Date| day.yesterday().unwrap_or(day);
        let from = before(pause.from).max(after);
        let to = pause.to.map_or(until, |to| before(to).min(until));
        if from < to { self.calendar.working_days_between(from, to) } else { Ok(0) }
    }

    /// What stands of a history: the pauses, ascending, and the working days.
    fn standing(&self, turns: &[Turn]) -> (Vec<Pause>, u16) {
        standing(turns, self.target)
    }

    /// The day on which so many working days are over; or on which the clock stopped. The steps to it are
    /// told, where somebody asks.
    fn count(
        &self,
        pauses: &[Pause],
        days: u16,
        mut told: Option<&mut Vec<Step>>,
    ) -> Result<Date, NotCovered> {
        let mut tell = |date, counted, why: &dyn Fn() -> String| {
            if let Some(told) = told.as_mut() {
                told.push(Step { date, counted, why: why() });
            }
        };
        let steps = deadline::start(self.calendar, self.started, self.rule)?;
        let (mut day, mut counted) = (self.started.date(), 0);
        for step in steps {
            // Where the day of receipt counts, it does not in a pause.
            let within = |pause: &&Pause| {
                pause.from <= step.date && pause.to.is_none_or(|to| to > step.date)
            };
            let pause = pauses.iter().find(within).filter(|_| step.counted == Some(1));
            day = step.date;
            counted = step.counted.filter(|_| pause.is_none()).unwrap_or(0);
            tell(day, step.counted.filter(|_| pause.is_none()), &|| {
                pause.map_or_else(|| step.why.clone(), |pause| pause.why.label().to_owned())
            });
        }
        let mut pauses = pauses.iter().peekable();
        while counted < days {
            // Past the last day of all, the calendar refuses it.
            day = day.tomorrow().unwrap_or(day);
            while pauses.next_if(|pause| pause.to.is_some_and(|to| to <= day)).is_some() {}
            let works = self.calendar.is_working_day(day)?;
            let Some(pause) = pauses.peek().filter(|pause| pause.from <= day) else {
                counted += u16::from(works);
                let kind = || {
                    self.calendar
                        .day_kind(day)
                        .map_or_else(|gap| gap.to_string(), |k| k.to_string())
                };
                tell(day, works.then_some(counted), &kind);
                continue;
            };
            let why = pause.why.label();
            let Some(to) = pause.to else {
                tell(day, None, &|| format!("{why}: the clock stands still"));
                break;
            };
            let (first, last) = (day.yesterday().unwrap_or(day), to.yesterday().unwrap_or(to));
            let left_out = self.calendar.working_days_between(first, last)?;
            tell(day, None, &|| format!("{why} until {last}: {left_out} working days left out"));
            day = last;
        }
        Ok(day)
    }
}

/// More time that is wanted for an answer.
#[derive(Debug, Clone, Copy)]
pub struct Extension<'a> {
    /// The last day.
    pub until: Date,
    /// What the customer was told, where that is another day than the count comes to now: before the bank holidays
    /// changed.
    pub promised: Option<Date>,
    /// The temporary policy that an officer goes by.
    pub under: Option<&'a str>,
    /// Those that they may go by.
    pub longer: &'a [Longer<'a>],
}

/// What a temporary policy gives the clock of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Longer<'a> {
    /// Its name.
    pub name: &'a str,
    /// Working days from the start of the clock, pauses left out.
    pub days: u16,
}

/// Why a move on the clock was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockRefused {
    /// The clock does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A date cannot be known.
    #[error(transparent)]
    NotCovered(#[from] NotCovered),
}

/// The moves. Each answers with the turn to record, or says what could be done instead.
impl Going<'_> {
    /// The answer may take until a day, decided on `today`.
    ///
    /// # Errors
    /// [`Refusal`] while the clock stands still, after the agreed date, if the day is no later, or past
    /// the limit of the procedure or of the temporary policy that is named: what is answered after that is late,
    /// and says so.
    pub fn extend(
        &self,
        turns: &[Turn],
        today: Date,
        wanted: &Extension<'_>,
    ) -> Result<Turn, ClockRefused> {
        let until = wanted.until;
        let now = self.dates(turns)?;
        let Some(due_on) = now.agreed_due_on else {
            return refused("the clock stands still", "let it go on first");
        };
        let due_on = wanted.promised.unwrap_or(due_on);
        if today > due_on {
            let late = format!("the answer was due on {due_on} and is late");
            return refused(late, "tell the customer why, and when it comes");
        }
        if until <= due_on {
            return refused(format!("{until} is no later than {due_on}"), "name a later day");
        }
        let (days, most) = (self.days_until(turns, until)?, self.most(wanted)?);
        if days > most {
            return self.too_long(&now.pauses, most, wanted);
        }
        let under = wanted.under.map(str::to_owned);
        Ok(Turn { on: today, what: What::Extended { days, under } })
    }

    /// The working days that an extension may come to: the procedure's limit, or what the policy gives that is named.
    fn most(&self, wanted: &Extension<'_>) -> Result<u16, ClockRefused> {
        let Some(name) = wanted.under else { return Ok(self.latest) };
        if let Some(named) = wanted.longer.iter().find(|one| one.name == name) {
            return Ok(named.days.max(self.latest));
        }
        let why = format!("no temporary policy `{name}` holds for this stage today");
        let names: Vec<&str> = wanted.longer.iter().map(|one| one.name).collect();
        if names.is_empty() {
            return refused(why, "leave it out: none does");
        }
        refused(why, format!("name one of {}, or none", names.join(", ")))
    }

    fn too_long<T>(
        &self,
        pauses: &[Pause],
        most: u16,
        wanted: &Extension<'_>,
    ) -> Result<T, ClockRefused> {
        let limit = self.count(pauses, most, None)?;
        let mut instead = format!("name a day up to {limit}, ");
        let whose = match wanted.under {
            Some(name) => format!("the temporary policy `{name}`"),
            None => "the procedure".to_owned(),
        };
        for longer in wanted.longer.iter().filter(|one| wanted.under.is_none() && one.days > most) {
            let until = self.count(pauses, longer.days, None)?;
            let name = longer.name;
            let other = ["or go by the temporary policy `", name, "`, which gives until "];
            instead.extend(other);
            instead.extend([&until.to_string(), ", "]);
        }
        let why = format!("{whose} gives until {limit} at most");
        refused(why, instead + "or keep the customer informed: past it the case is late")
    }

    /// The clock stands still from a day on.
    ///
    /// # Errors
    /// [`Refusal`] if it does so already, or the day is before it was set going.
    pub fn pause(&self, turns: &[Turn], on: Date, why: PauseReason) -> Result<Turn, ClockRefused> {
        if let Some(pause) = self.dates(turns)?.paused() {
            let why =
                format!("the clock stands still since {} ({})", pause.from, pause.why.label());
            return refused(why, "let it go on first");
        }
        if on < self.started.date() {
            let why = format!("the clock was set going on {}", self.started.date());
            return refused(why, "name a day from then on");
        }
        Ok(Turn { on, what: What::Paused { why } })
    }

    /// The clock goes on: that day counts again.
    ///
    /// # Errors
    /// [`Refusal`] if it goes already, or the day is before it stood still.
    pub fn resume(&self, turns: &[Turn], on: Date) -> Result<Turn, ClockRefused> {
        let now = self.dates(turns)?;
        let Some(pause) = now.paused() else {
            return refused("the clock goes on already", "there is nothing to do");
        };
        if on < pause.from {
            let why = format!("it stands still only from {} on", pause.from);
            return refused(why, "take the pause back, if it was a mistake");
        }
        Ok(Turn { on, what: What::Resumed })
    }

    /// A turn is taken back.
    ///
    /// # Errors
    /// [`Refusal`] if there is none at that place, it was taken back already, or it takes back itself.
    pub fn undo(&self, turns: &[Turn], today: Date, turn: usize) -> Result<Turn, ClockRefused> {
        match turns.get(turn).map(|turn| &turn.what) {
            None => refused("there is no such turn", "choose one of the clock's history"),
            Some(What::Undone { .. } | What::Redone { .. }) => {
                refused("only what moved the clock can be taken back", "restore the turn itself")
            }
            Some(_) if !stands(turns, turn) => refused("it was taken back already", "restore it"),
            Some(_) => Ok(Turn { on: today, what: What::Undone { turn } }),
        }
    }

    /// A turn that was taken back stands again.
    ///
    /// # Errors
    /// [`Refusal`] if it was not taken back.
    pub fn redo(&self, turns: &[Turn], today: Date, turn: usize) -> Result<Turn, ClockRefused> {
        if turn >= turns.len() || stands(turns, turn) {
            return refused("it was not taken back", "leave it as it is");
        }
        Ok(Turn { on: today, what: What::Redone { turn } })
    }
}

/// What stands of a history: the pauses, ascending, and the working days.
fn standing(turns: &[Turn], target: u16) -> (Vec<Pause>, u16) {
    let mut stands = vec![true; turns.len()];
    for turn in turns {
        match turn.what {
            What::Undone { turn } => set(&mut stands, turn, false),
            What::Redone { turn } => set(&mut stands, turn, true),
            What::Extended { .. } | What::Paused { .. } | What::Resumed => {}
        }
    }
    let mut standing: Vec<&Turn> =
        turns.iter().zip(stands).filter(|(_, stands)| *stands).map(|(turn, _)| turn).collect();
    // What counts from the same day, in the order in which it was recorded.
    standing.sort_by_key(|turn| turn.on);
    let (mut pauses, mut days): (Vec<Pause>, u16) = (Vec::new(), target);
    for turn in standing {
        let open = pauses.last_mut().filter(|pause| pause.to.is_none());
        match turn.what {
            What::Extended { days: to, .. } => days = to,
            What::Paused { why } => {
                // One that was never ended because that was taken back ends here.
                if let Some(open) = open {
                    open.to = Some(turn.on);
                }
                pauses.push(Pause { from: turn.on, to: None, why });
            }
            What::Resumed => {
                if let Some(open) = open {
                    open.to = Some(turn.on);
                }
            }
            What::Undone { .. } | What::Redone { .. } => {}
        }
    }
    pauses.retain(|pause| pause.to != Some(pause.from));
    (pauses, days)
}

/// The day from which a clock stands still. None while it goes.
pub fn paused_since(turns: &[Turn]) -> Option<Date> {
    let (pauses, _) = standing(turns, 0);
    pauses.last().filter(|pause| pause.to.is_none()).map(|pause| pause.from)
}

fn refused<T>(because: impl Into<String>, instead: impl Into<String>) -> Result<T, ClockRefused> {
    Err(Refusal::new(because, instead).into())
}

fn stands(turns: &[Turn], number: usize) -> bool {
    let last = turns.iter().rev().find_map(|turn| match turn.what {
        What::Undone { turn } if turn == number => Some(false),
        What::Redone { turn } if turn == number => Some(true),
        What::Undone { .. }
        | What::Redone { .. }
        | What::Extended { .. }
        | What::Paused { .. }
        | What::Resumed => None,
    });
    last.unwrap_or(true)
}

fn set(stands: &mut [bool], turn: usize, to: bool) {
    if let Some(stands) = stands.get_mut(turn) {
        *stands = to;
    }
}

#[cfg(test)]
mod tests;
