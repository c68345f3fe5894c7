//! A case: what happened to it, and what may happen next.
//!
//! A case is its events. Its state is never stored apart from them but replayed, so that the
//! history an officer reads is the whole truth. The moves ([`Case::respond`], [`Case::close`], …)
//! change nothing: each answers with the event to record, or says what could be done instead.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::dates::Turn;
use super::ombudsman::{Decided, OmbudsmanStep};
use super::reference::CaseReference;
use super::vocabulary::{
    CustomerType, Flag, Outcome, RecordType, RejectionReason, ServiceId, Theme, vocabulary,
};

mod action;
mod advocacy;
mod alarm;
mod area;
mod constituent;
mod event;
mod interest;
mod moves;
mod part;
pub use action::{Action, ActionState, ActionStep, Owner, Purpose};
pub use advocacy::{Advocacy, AdvocacyStep};
pub use alarm::Alarm;
pub use area::{AreaFrom, AreaOf, AreaWords};
pub use constituent::Constituent;
pub use event::{Actor, CaseField, Event, Issue, OfficerId, Recorded};
pub use interest::Interest;
pub use part::{Part, Point, Responder, together};

vocabulary! {
    /// Where a case stands.
    CaseStatus {
        /// The council owes something.
        Open = "open", "Open";
        /// Answered at its stage; the customer may ask for the next.
        Answered = "answered", "Answered";
        /// Over.
        Closed = "closed", "Closed";
        /// The customer took it back.
        Withdrawn = "withdrawn", "Withdrawn";
        /// An officer did not take it on, for one of the reasons of table 3.
        Rejected = "rejected", "Rejected";
    }
}

/// A move that a case does not allow, and what it allows instead. The console and the terminal
/// refuse in the same words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{because}: {instead}")]
pub struct Refusal {
    /// Why not.
    pub because: String,
    /// What could be done.
    pub instead: String,
}

impl Refusal {
    pub(super) fn new(because: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { because: because.into(), instead: instead.into() }
    }
}

/// A case as its events leave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// What it is called.
    pub reference: CaseReference,
    /// Where it stands.
    pub status: CaseStatus,
    /// Its stage, from 1.
    pub stage: u8,
    /// What it is registered as.
    pub record_type: RecordType,
    /// Who answers, lead first.
    pub services: Vec<ServiceId>,
    /// Who wrote.
    pub customer_type: CustomerType,
    /// What is alleged.
    pub themes: Vec<Theme>,
    /// What to know or check.
    pub flags: Vec<Flag>,
    /// What each service answers, where an officer said.
    pub parts: Vec<Part>,
    /// For which area each service answers, where something named one.
    pub areas: Vec<AreaOf>,
    /// When the council received it; no correction moves it. Of cases that were merged the earliest counts for
    /// that which goes on.
    pub received_at: Timestamp,
    /// The cases that go on in this one, with when each was received, and when this one was itself.
    pub joined: Joined,
    /// When the clock of its stage started: receipt, the request for the stage, or the reopening.
    pub clock_started_at: Timestamp,
    /// What happened to that clock since it started.
    pub turns: Vec<Turn>,
    /// What the customer was told before the calendar changed; it holds until an officer moves it.
    pub promised: Option<Promise>,
    /// The day whose time limits an officer applied to it, where those are not of the day its clock started.
    pub policy_of: Option<Date>,
    /// Whether an advocate was offered to a child or young person, and what they said.
    pub advocacy: Advocacy,
    /// What was decided of its writer's interest in the child's welfare.
    pub interest: Option<Interest>,
    /// Whether the constituent agrees, where what a member wrote is handled as their complaint (decision table, D5b).
    pub constituent: Option<Constituent>,
    /// The constituent's complaint whose answer the member gets a copy of (decision table, D5a).
    pub complaint: Option<String>,
    /// The member enquiries that wait for a copy of its answer.
    pub members: Vec<String>,
    /// When the matter, or the request for its present stage, was acknowledged.
    pub acknowledged_at: Option<Timestamp>,
    /// When the written statement of the complaint was agreed, at its present stage.
    pub statement_agreed_at: Option<Timestamp>,
    /// When its stage was answered.
    pub responded_at: Option<Timestamp>,
    /// What the council found, issue by issue, in the order in which it was found.
    pub findings: Vec<(Issue, Outcome)>,
    /// Why it was not taken on.
    pub rejected: Option<RejectionReason>,
    /// The case that it was merged into, and where it stood before.
    pub merged: Option<(String, CaseStatus)>,
    /// What was agreed because of it, in the order in which it was agreed.
    pub actions: Vec<Action>,
    /// Who looks after it.
    pub owner: Option<OfficerId>,
    /// What the Ombudsman decided of it last, and on which day.
    pub ombudsman: Option<(Decided, Date)>,
}

/// Cases that go on in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Joined {
    /// When the council received what the case itself was opened for.
    pub own_received_at: Timestamp,
    /// The references of the others, with when the council received each.
    pub others: Vec<(String, Timestamp)>,
}

/// A day that the customer was told and that a change of the calendar did not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// The day.
    pub on: Date,
    /// Where the calendar has it since.
    pub counted_on: Option<Date>,
}

/// Why events are no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the history of {0} does not begin with its receipt")]
pub struct NoReceipt(pub CaseReference);

impl Case {
    /// The case that its events tell, oldest first.
    ///
    /// # Errors
    /// [`NoReceipt`] if the first is not [`Event::Received`].
    pub fn replay<'a>(
        reference: CaseReference,
        events: impl IntoIterator<Item = &'a Recorded>,
    ) -> Result<Self, NoReceipt> {
        let mut events = events.into_iter();
        let Some(Event::Received {
            at, record_type, services, customer_type, themes, flags, ..
        }) = events.next().map(|recorded| &recorded.event)
        else {
            return Err(NoReceipt(reference));
        };
        let mut case = Self {
            reference,
            status: CaseStatus::Open,
            stage: 1,
            record_type: *record_type,
            services: services.clone(),
            customer_type: *customer_type,
            themes: themes.clone(),
            flags: flags.clone(),
            parts: Vec::new(),
            areas: Vec::new(),
            received_at: *at,
            joined: Joined { own_received_at: *at, others: Vec::new() },
            clock_started_at: *at,
            turns: Vec::new(),
            promised: None,
            policy_of: None,
            advocacy: Advocacy::default(),
            interest: None,
            constituent: None,
            complaint: None,
            members: Vec::new(),
            acknowledged_at: None,
            statement_agreed_at: None,
            responded_at: None,
            findings: Vec::new(),
            rejected: None,
            merged: None,
            actions: Vec::new(),
            owner: None,
            ombudsman: None,
        };
        for recorded in events {
            case.apply(recorded);
        }
        Ok(case)
    }

    /// What one more event makes of the case.
    pub fn apply(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Acknowledged { letter, at } => {
                let at = at.unwrap_or(recorded.at);
                self.acknowledged_at = self.acknowledged_at.or(Some(at));
                // Each letter that tells a child or young person that we have it makes the offer.
                if letter.is_some() && self.offers_advocate() && self.advocacy.stands.is_none() {
                    let on = crate::clock::london_day(at);
                    self.advocacy.take(AdvocacyStep::Offered, on, None);
                }
            }
            Event::AdvocacyRecorded { step, on, advocate } => {
                self.advocacy.take(*step, *on, advocate.as_ref());
            }
            Event::TakenForConstituent { .. } => self.constituent = Some(Constituent::Asked),
            Event::ConstituentSaid { agrees, .. } => {
                self.constituent = agrees.then_some(Constituent::Agreed);
            }
            Event::InterestDecided { decision, .. } => self.interest = Some(*decision),
            Event::PolicyApplied { in_force_on, .. } => {
                self.policy_of = Some(*in_force_on);
                self.promised = None;
            }
            Event::LinkedToComplaint { complaint } => self.complaint = Some(complaint.clone()),
            Event::MemberWaits { member } => self.members.push(member.clone()),
            Event::MemberWaitsNoLonger { member } => self.members.retain(|known| known != member),
            Event::Corrected { field, after, .. } => self.set(*field, after),
            Event::StageRequested { stage, at } => self.start(*stage, *at),
            Event::Reopened { at, .. } => {
                // What was refused is looked at anew; who was found to have it has it.
                self.interest = self.interest.filter(|one| *one == Interest::Granted);
                self.start(self.stage, *at);
            }
            Event::ClockTurned { turn, .. } => {
                self.turns.push(turn.clone());
                self.promised = None;
            }
            Event::CalendarChanged { promised, counted, .. } => {
                let kept = |on| Promise { on, counted_on: *counted };
                self.promised = promised.map(kept);
            }
            Event::Responded { .. } => {
                self.status = CaseStatus::Answered;
                self.responded_at = Some(recorded.at);
            }
            Event::Closed { .. } => self.status = CaseStatus::Closed,
            Event::Withdrawn { .. } => self.status = CaseStatus::Withdrawn,
            Event::Rejected { reason, .. } => {
                self.status = CaseStatus::Rejected;
                self.rejected = Some(*reason);
            }
            Event::StatementAgreed { at } => {
                self.statement_agreed_at = Some(*at);
                self.promised = None;
            }
            Event::IssueDecided { issue, outcome } => {
                self.findings.retain(|(found, _)| found != issue);
                self.findings.extend(outcome.map(|outcome| (issue.clone(), outcome)));
            }
            Event::Merged { into, .. } => {
                self.merged = Some((into.clone(), self.status));
                self.status = CaseStatus::Closed;
            }
            Event::Separated { .. } => {
                if let Some((_, before)) = self.merged.take() {
                    self.status = before;
                }
            }
            Event::PartSet { part } => {
                self.parts.retain(|known| known.service != part.service);
                self.parts.push(part.clone());
            }
            Event::AreaSet { .. } => self.take_area(&recorded.event),
            Event::Joined { other, received_at } => {
                self.joined.others.push((other.clone(), *received_at));
                self.receive();
            }
            Event::Parted { other } => {
                self.joined.others.retain(|(known, _)| known != other);
                self.receive();
            }
            Event::Action { number, step } => self.take(*number, step),
            Event::Allocated { officer, .. } => self.owner.clone_from(officer),
            Event::Ombudsman { step: OmbudsmanStep::Decided { outcome, on, .. }, .. } => {
                self.ombudsman = Some((*outcome, *on));
            }
            Event::Received { .. }
            | Event::Ombudsman { .. }
            | Event::ServiceAsked { .. }
            | Event::ServiceAccepted { .. }
            | Event::ServiceReplied { .. }
            | Event::ServiceAnswered { .. }
            | Event::AnswerConfirmed { .. }
            | Event::AnswerSentBack { .. }
            | Event::MoreTimeRefused { .. }
            | Event::Reminded { .. }
            | Event::MessageAttached { .. }
            | Event::Note { .. } => {}
        }
    }

    /// The day in London on which the council received it.
    pub fn received_on(&self) -> Date {
        crate::clock::london_day(self.received_at)
    }

    /// The earliest receipt counts; a clock that ran from the receipt runs from there.
    fn receive(&mut self) {
        let others = self.joined.others.iter().map(|(_, at)| *at);
        let earliest = others.fold(self.joined.own_received_at, Timestamp::min);
        if self.clock_started_at == self.received_at {
            self.clock_started_at = earliest;
        }
        self.received_at = earliest;
    }

    fn start(&mut self, stage: u8, at: Timestamp) {
        for part in &mut self.parts {
            part.due_on = None;
        }
        self.status = CaseStatus::Open;
        self.stage = stage;
        self.clock_started_at = at;
        self.turns.clear();
        self.promised = None;
        self.acknowledged_at = None;
        self.statement_agreed_at = None;
        self.responded_at = None;
        self.rejected = None;
        self.complaint = None;
    }

    /// The day whose procedures it goes by: of its receipt, or of what an officer applied later.
    pub fn procedure_day(&self) -> Date {
        self.received_on().max(self.policy_of.unwrap_or(Date::MIN))
    }

    fn set(&mut self, field: CaseField, value: &str) {
        // A value that was refused never became an event; one written by a later version than
        // this is left as it was.
        match field {
            CaseField::RecordType => {
                keep(&mut self.record_type, value.parse());
                self.promised = None;
            }
            CaseField::CustomerType => keep(&mut self.customer_type, value.parse()),
            CaseField::Services => {
                self.services = services(value);
                self.parts.retain(|part| self.services.contains(&part.service));
            }
            CaseField::Themes => keep(&mut self.themes, listed(value)),
            CaseField::Flags => keep(&mut self.flags, listed(value)),
        }
    }

    /// The present value of a field, as ids separated by commas.
    pub fn value(&self, field: CaseField) -> String {
        match field {
            CaseField::RecordType => self.record_type.to_string(),
            CaseField::CustomerType => self.customer_type.to_string(),
            CaseField::Services => joined(&self.services),
            CaseField::Themes => joined(&self.themes),
            CaseField::Flags => joined(&self.flags),
        }
    }

    /// The themes of which nothing was found yet.
    pub fn undecided(&self) -> Vec<Theme> {
        let found = |theme: &Theme| self.findings.iter().any(|(issue, _)| issue.theme == *theme);
        self.themes.iter().copied().filter(|theme| !found(theme)).collect()
    }
}

fn keep<T, E>(field: &mut T, read: Result<T, E>) {
    if let Ok(value) = read {
        *field = value;
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn listed<T: FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    words(text).map(str::parse).collect()
}

fn services(text: &str) -> Vec<ServiceId> {
    words(text).map(|word| ServiceId(word.to_owned())).collect()
}

fn joined<T: fmt::Display>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
