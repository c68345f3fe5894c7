//! Procedures, their stages and time limits, as dated values (`rules/procedures.toml`).
//!
//! A number is looked up by the day on which the clock started and copied into the case: a later
//! change of policy is a new dated line, and never moves a date already promised.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::calendar::{NotCovered, WorkingCalendar};
use super::deadline::{StartRule, due};
use super::vocabulary::{RecordType, vocabulary};
use crate::clock::{london, london_day};
use crate::fault::Fault;

mod file;
pub mod suspension;
mod temporary;

pub use suspension::Suspension;
pub use temporary::{Length, Temporary};

vocabulary! {
    /// The event from which a stage's days are counted.
    ClockStart {
        /// The council received the matter.
        Received = "received", "the day we received it";
        /// The customer asked for this stage.
        StageRequested = "stage_requested", "the day the stage was asked for";
        /// The customer agreed the written statement of complaint (some councils, stage 2).
        StatementAgreed = "statement_agreed", "the day the written statement was agreed";
        /// We acknowledged it (the Ombudsman's Complaint Handling Code, 6.3).
        Acknowledged = "acknowledged", "the day we acknowledged it";
    }
}

/// Every procedure of the council.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedures {
    all: Vec<Procedure>,
    suspensions: Vec<Suspension>,
    temporary: Vec<Temporary>,
}

/// One procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// Its id: `children_act`, `corporate`, …
    pub id: String,
    /// What people call it.
    pub label: String,
    /// The law or policy behind it.
    pub basis: String,
    /// What goes through it.
    pub record_types: Vec<RecordType>,
    /// The procedure whose place it takes, and for what is received from which day on; with no day it
    /// is offered and not in force.
    pub replaces: Option<(String, Option<Date>)>,
    /// When its clocks start.
    pub start_rule: StartRule,
    /// Its stages; the first is number 1.
    pub stages: Vec<Stage>,
}

/// One stage of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// From 1.
    pub number: u8,
    /// What people call it.
    pub label: String,
    /// What starts its clock.
    pub clock_starts: ClockStart,
    /// Its time limits, oldest first; at least one.
    pub limits: Vec<Limits>,
}

/// The time limits of a stage from a day on, in working days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The first day on which a clock may start by them.
    pub from: Date,
    /// For the acknowledgement.
    pub acknowledge: u16,
    /// The aim for the answer.
    pub target: Option<u16>,
    /// The outer limit for the answer.
    pub latest: Option<u16>,
    /// For the customer to ask for the next stage, after the answer.
    pub ask_next_within: Option<u16>,
    /// For the review panel's report, after it met.
    pub panel_report: Option<u16>,
    /// For the council's response, after the panel's report.
    pub council_response: Option<u16>,
    /// When their clocks start, where that is not as the procedure says: so a change of the rule, too, leaves the
    /// clocks alone that started before it (domain rules 4.2, 4.3).
    pub start_rule: Option<StartRule>,
    /// Where the numbers come from.
    pub because: String,
}

/// The dates of one stage of a case, and how they were found. Stored with the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageClock {
    /// The procedure's id.
    pub procedure: String,
    /// What people call it.
    pub procedure_label: String,
    /// The stage, from 1.
    pub stage: u8,
    /// What people call it.
    pub stage_label: String,
    /// How many stages the procedure has.
    pub steps_total: u8,
    /// The day in London on which the clock started: of receipt, or of the request for the stage.
    pub received_on: Date,
    /// The last day for the acknowledgement.
    pub ack_due_on: Date,
    /// The day aimed for; none if no answer is owed.
    pub target_on: Option<Date>,
    /// The outer limit, which the report measures; none if no answer is owed.
    pub standard_due_on: Option<Date>,
    /// How the days were counted.
    pub rule: StartRule,
    /// By which list of holidays ([`WorkingCalendar::version`]).
    pub calendar_version: String,
}

impl StageClock {
    /// The day by which the customer should have the answer: the target, or else the outer limit.
    /// None if no answer is owed.
    pub fn answer_due_on(&self) -> Option<Date> {
        self.target_on.or(self.standard_due_on)
    }
}

/// Why a stage has no dates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// Such messages open no case, or no procedure takes them.
    #[error("{0} goes through no procedure: file it, or register it as another type")]
    NoProcedure(RecordType),
    /// The procedure has no such stage.
    #[error("the {procedure} procedure has no stage {stage}: it has {stages}")]
    NoSuchStage {
        /// The procedure's id.
        procedure: String,
        /// The stage asked for.
        stage: u8,
        /// How many there are.
        stages: u8,
    },
    /// The clock started before the oldest time limits.
    #[error("{procedure} stage {stage} has no time limits for a clock that started on {on}")]
    NotYetInForce {
        /// The procedure's id.
        procedure: String,
        /// The stage.
        stage: u8,
        /// When the clock started.
        on: Date,
    },
    /// The count leaves the calendar.
    #[error(transparent)]
    NotCovered(#[from] NotCovered),
}

impl Procedures {
    /// Reads `rules/procedures.toml`.
    ///
    /// # Errors
    /// Every [`Fault`] in it, with line, column and cure; one only where the file is no TOML or has
    /// an unknown key.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        file::read(file, text)
    }

    /// Every procedure, in the file's order.
    pub fn all(&self) -> &[Procedure] {
        &self.all
    }

    /// The stages that the council suspends or suspended, in the file's order.
    pub fn suspensions(&self) -> &[Suspension] {
        &self.suspensions
    }

    /// The policies by which answers may take longer for a time, in the file's order.
    pub fn temporary(&self) -> &[Temporary] {
        &self.temporary
    }

    /// The procedure with an id.
    pub fn named(&self, id: &str) -> Option<&Procedure> {
        self.all.iter().find(|procedure| procedure.id == id)
    }

    /// The procedure that a type of record goes through which was received on a day.
    pub fn of(&self, record_type: RecordType, received_on: Date) -> Option<&Procedure> {
        let own =
            self.all.iter().find(|procedure| procedure.record_types.contains(&record_type))?;
        let since = |one: &Procedure| {
            let (replaced, from) = one.replaces.as_ref()?;
            from.filter(|from| *replaced == own.id && *from <= received_on)
        };
        let instead = self.all.iter().filter_map(|one| Some((since(one)?, one)));
        Some(instead.max_by_key(|(from, _)| *from).map_or(own, |(_, one)| one))
    }

    /// The dates of a stage whose clock started at a moment: receipt for the first, the request for
    /// a later one.
    ///
    /// # Errors
    /// [`ClockFault`] if there is no such procedure or stage, or the dates cannot be known yet.
    pub fn clock_for(
        &self,
        record_type: RecordType,
        stage: u8,
        received_at: Timestamp,
        calendar: &WorkingCalendar,
    ) -> Result<StageClock, ClockFault> {
        let procedure = self.of(record_type, london_day(received_at));
        let start = Start::at(received_at);
        procedure.ok_or(ClockFault::NoProcedure(record_type))?.clock(stage, start, calendar)
    }
}

/// What the clock of a stage can be counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// When the council received the matter, or the request for the stage.
    pub at: Timestamp,
    /// When it was acknowledged.
    pub acknowledged_at: Option<Timestamp>,
    /// When the written statement was agreed.
    pub agreed_at: Option<Timestamp>,
    /// The day whose time limits an officer applied, where those came into force later than the stage started.
    pub policy_of: Option<Date>,
}

impl Start {
    /// A stage of which nothing is known but when it started.
    pub fn at(at: Timestamp) -> Self {
        Self { at, acknowledged_at: None, agreed_at: None, policy_of: None }
    }

    /// The day whose time limits count.
    pub fn limits_of(&self) -> Date {
        london_day(self.at).max(self.policy_of.unwrap_or(Date::MIN))
    }
}

impl Procedure {
    /// How many stages it has.
    pub fn steps_total(&self) -> u8 {
        u8::try_from(self.stages.len()).unwrap_or(u8::MAX)
    }

    /// A stage by its number.
    ///
    /// # Errors
    /// [`ClockFault::NoSuchStage`].
    pub fn stage(&self, number: u8) -> Result<&Stage, ClockFault> {
        self.stages.iter().find(|stage| stage.number == number).ok_or_else(|| {
            ClockFault::NoSuchStage {
                procedure: self.id.clone(),
                stage: number,
                stages: self.steps_total(),
            }
        })
    }

    /// The time limits of a stage whose clock started on a day.
    ///
    /// # Errors
    /// [`ClockFault::NoSuchStage`], [`ClockFault::NotYetInForce`].
    pub fn limits(&self, stage: u8, started_on: Date) -> Result<&Limits, ClockFault> {
        self.stage(stage)?.limits.iter().rfind(|limits| limits.from <= started_on).ok_or_else(
            || ClockFault::NotYetInForce { procedure: self.id.clone(), stage, on: started_on },
        )
    }

    /// When clocks start that go by these time limits.
    pub fn rule_of(&self, limits: &Limits) -> StartRule {
        limits.start_rule.unwrap_or(self.start_rule)
    }

    /// The moment from which the days of a stage are counted. Until the statement is agreed, or the
    /// acknowledgement is out, that a stage may count from: its request for the first, as nobody waits
    /// longer for being slow to agree; for the second the last day on which it can go out.
    ///
    /// # Errors
    /// As [`Procedures::clock_for`].
    pub fn counted_from(
        &self,
        number: u8,
        start: Start,
        calendar: &WorkingCalendar,
    ) -> Result<Timestamp, ClockFault> {
        Ok(match self.stage(number)?.clock_starts {
            ClockStart::Received | ClockStart::StageRequested => start.at,
            ClockStart::StatementAgreed => start.agreed_at.unwrap_or(start.at),
            ClockStart::Acknowledged => {
                if let Some(at) = start.acknowledged_at {
                    return Ok(at);
                }
                let limits = self.limits(number, start.limits_of())?;
                let rule = self.rule_of(limits);
                let last = due(calendar, start.at, rule, limits.acknowledge)?;
                let noon = last.due_on.at(12, 0, 0, 0).to_zoned(london());
                noon.map_or(start.at, |noon| noon.timestamp())
            }
        })
    }

    /// The dates of a stage.
    ///
    /// # Errors
    /// As [`Procedures::clock_for`].
    pub fn clock(
        &self,
        number: u8,
        start: Start,
        calendar: &WorkingCalendar,
    ) -> Result<StageClock, ClockFault> {
        let stage = self.stage(number)?;
        let received_on = london_day(start.at);
        let limits = self.limits(number, start.limits_of())?;
        let counted_from = self.counted_from(number, start, calendar)?;
        let rule = self.rule_of(limits);
        let of = |from, n| due(calendar, from, rule, n).map(|sum| sum.due_on);
        let after = |n| of(counted_from, n);
        Ok(StageClock {
            procedure: self.id.clone(),
            procedure_label: self.label.clone(),
            stage: number,
            stage_label: stage.label.clone(),
            steps_total: self.steps_total(),
            received_on,
            ack_due_on: of(start.at, limits.acknowledge)?,
            target_on: limits.target.map(after).transpose()?,
            standard_due_on: limits.latest.map(after).transpose()?,
            rule,
            calendar_version: calendar.version().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
