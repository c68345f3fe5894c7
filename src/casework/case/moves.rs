//! What may happen to a case next. Each move answers with the event to record, or says what could be
//! done instead.

use jiff::Timestamp;
use jiff::civil::Date;

use super::advocacy::AdvocacyStep;
use super::event::{CaseField, Event, Issue, OfficerId};
use super::{Case, CaseStatus, Part, Refusal, joined, listed, services};
use crate::casework::allocation::Ground;
use crate::casework::dates::Turn;
use crate::casework::vocabulary::{
    CustomerType, Flag, Outcome, RecordType, RejectionReason, Theme, UnknownValue,
};
use crate::private::Private;

impl Case {
    /// The council's answer went out at the case's stage.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open.
    pub fn respond(&self, letter: Option<&str>) -> Result<Event, Refusal> {
        self.must_be_open("be answered")?;
        Ok(Event::Responded { stage: self.stage, letter: letter.map(str::to_owned) })
    }

    /// The matter is over. What owes an answer is answered first; a comment or a compliment is
    /// closed when it was passed on.
    ///
    /// # Errors
    /// [`Refusal`] if an answer is still owed, or there is nothing left to close.
    pub fn close(&self, because: Option<String>) -> Result<Event, Refusal> {
        match self.status {
            CaseStatus::Open if self.owes_answer() => Err(Refusal::new(
                "the case is not answered yet",
                "answer it, or record that it was withdrawn or rejected",
            )),
            CaseStatus::Open | CaseStatus::Answered => {
                Ok(Event::Closed { because: because.map(Private) })
            }
            CaseStatus::Closed | CaseStatus::Withdrawn | CaseStatus::Rejected => Err(Refusal::new(
                self.is_over(),
                "there is nothing to close; reopen it to act on it",
            )),
        }
    }

    /// It is taken up again from `at`: new evidence, the Ombudsman returned it, proceedings ended, a
    /// withdrawal or rejection is reconsidered. Reference and first receipt stay; the clock is new.
    ///
    /// # Errors
    /// [`Refusal`] if it is open, or no reason is given.
    pub fn reopen(&self, at: Timestamp, because: &str) -> Result<Event, Refusal> {
        if self.status == CaseStatus::Open {
            return Err(Refusal::new("the case is open already", "act on it as it is"));
        }
        if let Some((into, _)) = &self.merged {
            let why = format!("the case was merged into {into}");
            return Err(Refusal::new(why, "separate the two first"));
        }
        Ok(Event::Reopened { at, because: a_reason(because, "a reopening")? })
    }

    /// The customer asked for the next stage of a procedure that has `steps_total`, and the council
    /// received that at `at`. Possible before an answer too: a late stage must not keep anybody waiting.
    ///
    /// # Errors
    /// [`Refusal`] at the last stage, or if the case was withdrawn or rejected.
    pub fn request_stage(&self, steps_total: u8, at: Timestamp) -> Result<Event, Refusal> {
        if matches!(self.status, CaseStatus::Withdrawn | CaseStatus::Rejected) {
            return Err(Refusal::new(self.is_over(), "reopen it first"));
        }
        if self.stage >= steps_total {
            return Err(Refusal::new(
                format!("stage {} is the last of {steps_total}", self.stage),
                "tell the customer how to go to the Ombudsman",
            ));
        }
        Ok(Event::StageRequested { stage: self.stage + 1, at })
    }

    /// The customer takes it back, and an officer confirms that.
    ///
    /// # Errors
    /// [`Refusal`] if the case is over.
    pub fn withdraw(&self, confirmed_by: OfficerId) -> Result<Event, Refusal> {
        match self.status {
            CaseStatus::Open | CaseStatus::Answered => Ok(Event::Withdrawn { confirmed_by }),
            CaseStatus::Closed | CaseStatus::Withdrawn | CaseStatus::Rejected => {
                Err(Refusal::new(self.is_over(), "put the customer's message with it as a note"))
            }
        }
    }

    /// An officer does not take it on, for one of the reasons of table 3.
    ///
    /// # Errors
    /// [`Refusal`] once the case is answered, over or past its first stage, or if no words are given.
    pub fn reject(
        &self,
        decided_by: OfficerId,
        reason: RejectionReason,
        because: &str,
    ) -> Result<Event, Refusal> {
        self.must_be_open("be rejected")?;
        if self.stage > 1 {
            return Err(Refusal::new(
                "the case was taken on at stage 1",
                "answer it, or close it with a reason",
            ));
        }
        Ok(Event::Rejected { decided_by, reason, because: a_reason(because, "a rejection")? })
    }

    /// The customer was told by hand, at a moment, that we have it.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open, or if they were told before.
    pub fn acknowledge(&self, at: Timestamp) -> Result<Event, Refusal> {
        self.must_be_open("be acknowledged")?;
        if let Some(before) = self.acknowledged_at {
            let day = crate::clock::london_day(before);
            let why = format!("it was acknowledged on {day}");
            return Err(Refusal::new(why, "leave it as it is"));
        }
        Ok(Event::Acknowledged { letter: None, at: Some(at) })
    }

    /// Customer and council agreed the written statement of the complaint: what an investigation at
    /// this stage looks into.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open past its first stage, if it was agreed already, or before
    /// the stage was asked for.
    pub fn agree_statement(&self, at: Timestamp) -> Result<Event, Refusal> {
        self.must_be_open("have its statement agreed")?;
        if self.stage < 2 {
            let why = "a statement is agreed once a later stage is asked for";
            return Err(Refusal::new(why, "open the next stage first"));
        }
        if let Some(agreed) = self.statement_agreed_at {
            let why = format!("the statement was agreed on {}", crate::clock::london_day(agreed));
            return Err(Refusal::new(why, "leave it as it is"));
        }
        if at < self.clock_started_at {
            let asked = crate::clock::london_day(self.clock_started_at);
            let why = format!("the stage was asked for on {asked}");
            return Err(Refusal::new(why, "name a day from then on"));
        }
        Ok(Event::StatementAgreed { at })
    }

    /// What a service answers of the case, who there and by when. The customer is told a day, `agreed`, unless the
    /// clock stands still.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open, if the service does not answer it, nothing is new, or the day is
    /// not from today on and within what the customer was told.
    pub fn set_part(
        &self,
        part: Part,
        today: Date,
        agreed: Option<Date>,
    ) -> Result<Event, Refusal> {
        self.must_be_open("have its parts set")?;
        if !self.services.contains(&part.service) {
            let instead = format!("name one of {}", joined(&self.services));
            let why = format!("{} does not answer this case", part.service);
            return Err(Refusal::new(why, instead));
        }
        let before = self.part(&part.service);
        if before == part {
            let why = format!("that is the part of {} already", part.service);
            return Err(Refusal::new(why, "say what is new: points, a day, or who answers"));
        }
        if let Some(day) = part.due_on.filter(|day| before.due_on != Some(*day)) {
            let Some(agreed) = agreed else {
                let why = "the clock stands still, and no day can be counted on";
                return Err(Refusal::new(why, "let it go on first"));
            };
            if day < today || day > agreed {
                let why =
                    format!("{day} is not between today and the day of the customer's answer");
                return Err(Refusal::new(why, format!("name a day from {today} to {agreed}")));
            }
        }
        Ok(Event::PartSet { part })
    }

    /// What the council found of an issue. None takes an earlier finding back.
    ///
    /// # Errors
    /// [`Refusal`] if the case was withdrawn, rejected or merged, the part is of another theme, the
    /// service does not answer this case, or there is nothing to take back.
    pub fn decide_issue(&self, issue: Issue, outcome: Option<Outcome>) -> Result<Event, Refusal> {
        if matches!(self.status, CaseStatus::Withdrawn | CaseStatus::Rejected) {
            return Err(Refusal::new(self.is_over(), "reopen it first"));
        }
        if let Some((into, _)) = &self.merged {
            let why = format!("the case was merged into {into}");
            return Err(Refusal::new(why, format!("record it on {into}")));
        }
        if let Some(part) = issue.part.filter(|part| part.theme() != issue.theme) {
            let why = format!("`{part}` is no part of `{}`", issue.theme);
            return Err(Refusal::new(why, format!("it is part of `{}`", part.theme())));
        }
        if let Some(service) = issue.service.as_ref().filter(|one| !self.services.contains(one)) {
            let instead = format!("name one of {}", joined(&self.services));
            return Err(Refusal::new(format!("{service} does not answer this case"), instead));
        }
        if outcome.is_none() && !self.findings.iter().any(|(found, _)| *found == issue) {
            let why = format!("nothing was found of `{}` yet", issue.theme);
            return Err(Refusal::new(why, "give its outcome"));
        }
        Ok(Event::IssueDecided { issue, outcome })
    }

    /// An officer found that it is about the same matter as another case, which goes on for both.
    ///
    /// # Errors
    /// [`Refusal`] if either is over, both are one, or no reason is given.
    pub fn merge(&self, into: &Self, because: &str) -> Result<Event, Refusal> {
        if self.reference == into.reference {
            return Err(Refusal::new("a case cannot be merged into itself", "name the other case"));
        }
        if let Some((other, _)) = &into.merged {
            let instead = format!("merge into {other}");
            return Err(Refusal::new(format!("{} was merged itself", into.reference), instead));
        }
        for case in [self, into] {
            if !matches!(case.status, CaseStatus::Open | CaseStatus::Answered) {
                let why = format!("{}: {}", case.reference, case.is_over());
                return Err(Refusal::new(why, "reopen it first"));
            }
        }
        let because = a_reason(because, "a merger")?;
        Ok(Event::Merged { into: into.reference.to_string(), because })
    }

    /// An officer moved the clock of its stage from one date to another; none while it stands still.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open, or if no reason is given.
    pub fn turn(
        &self,
        turn: Turn,
        (before, after): (Option<Date>, Option<Date>),
        because: &str,
    ) -> Result<Event, Refusal> {
        self.must_be_open("have its date moved")?;
        let because = a_reason(because, "moving a date")?;
        Ok(Event::ClockTurned { turn, before, after, because })
    }

    /// An officer applies the time limits of another day than that on which its clock started; its dates come to
    /// others by them.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open, if the day is before its clock started, nothing changes, or no reason
    /// is given.
    pub fn apply_policy(
        &self,
        in_force_on: Date,
        (before, after): (Option<Date>, Option<Date>),
        changes: bool,
        because: &str,
    ) -> Result<Event, Refusal> {
        self.must_be_open("go by other time limits")?;
        let started = crate::clock::london_day(self.clock_started_at);
        if in_force_on < started {
            let why = format!("its clock started on {started}, by the time limits of that day");
            return Err(Refusal::new(why, "name a later day"));
        }
        if !changes {
            let why = format!("by the time limits of {in_force_on} its dates are the same");
            return Err(Refusal::new(why, "name the day on which the others came into force"));
        }
        let because = a_reason(because, "applying other time limits")?;
        Ok(Event::PolicyApplied { in_force_on, before, after, because })
    }

    /// A child or young person was offered an advocate, or said whether they want one.
    ///
    /// # Errors
    /// [`Refusal`] if the case is over, nobody young writes, nothing is new, or it is not said who works with them.
    pub fn record_advocacy(
        &self,
        step: AdvocacyStep,
        on: Date,
        advocate: Option<String>,
    ) -> Result<Event, Refusal> {
        if !matches!(self.status, CaseStatus::Open | CaseStatus::Answered) {
            return Err(Refusal::new(self.is_over(), "reopen it first"));
        }
        if !self.offers_advocate() {
            let why =
                format!("the customer is a {}, not a child or young person", self.customer_type);
            return Err(Refusal::new(why, "correct the customer type first"));
        }
        let advocate = advocate.filter(|name| !name.trim().is_empty()).map(Private);
        if (step == AdvocacyStep::Works) != advocate.is_some() {
            let why = "who works with them is named with `works`, and with nothing else";
            return Err(Refusal::new(why, "name the advocate, or leave the name out"));
        }
        if self.advocacy.stands.is_some_and(|(known, _)| known == step)
            && self.advocacy.advocate == advocate
        {
            let why = format!("that is recorded already ({})", step.label());
            return Err(Refusal::new(why, "leave it as it is"));
        }
        Ok(Event::AdvocacyRecorded { step, on, advocate })
    }

    /// A member's enquiry is answered by saying that their constituent's complaint is open.
    ///
    /// # Errors
    /// [`Refusal`] unless this is an open member enquiry and the other an open matter that will be answered.
    pub fn link_to_complaint(&self, complaint: &Self) -> Result<Event, Refusal> {
        self.must_be_open("be linked to a complaint")?;
        if self.record_type != RecordType::MemberEnquiry {
            let why = format!("{} is a {}", self.reference, self.record_type);
            return Err(Refusal::new(
                why,
                "register it as a member_enquiry first, or merge the two",
            ));
        }
        let answered = complaint.record_type.is_complaint()
            || matches!(complaint.record_type, RecordType::Representation | RecordType::Enquiry);
        if !answered || complaint.status != CaseStatus::Open {
            let why = format!(
                "{} is a {} that is {}, not an open complaint",
                complaint.reference,
                complaint.record_type,
                complaint.status.label().to_lowercase()
            );
            return Err(Refusal::new(why, "answer the enquiry by itself"));
        }
        Ok(Event::LinkedToComplaint { complaint: complaint.reference.to_string() })
    }

    /// An officer looks after it from now on; nobody, where none is named.
    ///
    /// # Errors
    /// [`Refusal`] if the case is over, or is theirs already.
    pub fn allocate(
        &self,
        to: Option<OfficerId>,
        ground: Ground,
        because: &str,
    ) -> Result<Event, Refusal> {
        if !matches!(self.status, CaseStatus::Open | CaseStatus::Answered) {
            return Err(Refusal::new(self.is_over(), "reopen it first"));
        }
        if self.owner == to {
            let whose = to.map_or("nobody's".to_owned(), |to| format!("with {}", to.0));
            return Err(Refusal::new(format!("the case is {whose} already"), "leave it as it is"));
        }
        let because = Private(because.trim().to_owned());
        Ok(Event::Allocated { officer: to, before: self.owner.clone(), ground, because })
    }

    /// A merger is undone.
    ///
    /// # Errors
    /// [`Refusal`] if it was not merged, or no reason is given.
    pub fn separate(&self, because: &str) -> Result<Event, Refusal> {
        if self.merged.is_none() {
            return Err(Refusal::new("the case was not merged", "act on it as it is"));
        }
        Ok(Event::Separated { because: a_reason(because, "undoing a merger")? })
    }

    /// An officer puts a field right. The value is one id, or several separated by commas.
    ///
    /// Correcting the record type moves no clock: the due dates are worked out again from the first
    /// receipt.
    ///
    /// # Errors
    /// [`Refusal`] if the case is over, the value is unknown or no change.
    pub fn correct(
        &self,
        field: CaseField,
        value: &str,
        because: Option<String>,
    ) -> Result<Event, Refusal> {
        if !matches!(self.status, CaseStatus::Open | CaseStatus::Answered) {
            return Err(Refusal::new(self.is_over(), "reopen it first"));
        }
        let after = canonical(field, value)?;
        let before = self.value(field);
        if before == after {
            return Err(Refusal::new(
                format!("the {} is `{after}` already", field.label()),
                "leave it as it is",
            ));
        }
        Ok(Event::Corrected { field, before, after, because: because.map(Private) })
    }

    fn owes_answer(&self) -> bool {
        !matches!(self.record_type, RecordType::Comment | RecordType::Compliment)
    }

    pub(super) fn must_be_open(&self, what: &str) -> Result<(), Refusal> {
        match self.status {
            CaseStatus::Open => Ok(()),
            CaseStatus::Answered => Err(Refusal::new(
                format!("stage {} is answered and cannot {what}", self.stage),
                "close the case, reopen it, or open the next stage",
            )),
            CaseStatus::Closed | CaseStatus::Withdrawn | CaseStatus::Rejected => {
                Err(Refusal::new(self.is_over(), "reopen it first"))
            }
        }
    }

    fn is_over(&self) -> String {
        format!("the case is {}", self.status.label().to_lowercase())
    }
}

pub(super) fn a_reason(because: &str, what: &str) -> Result<Private<String>, Refusal> {
    match because.trim() {
        "" => Err(Refusal::new(format!("{what} needs a reason"), "say why in a sentence")),
        because => Ok(Private(because.to_owned())),
    }
}

/// A value as events keep it, once it is known to be one. Which services exist is for the rules to
/// say; here at least one is asked for.
fn canonical(field: CaseField, value: &str) -> Result<String, Refusal> {
    let unknown = |error: UnknownValue| {
        Refusal::new(
            format!("`{}` is unknown ({})", error.got, field.label()),
            format!("choose from {}", error.expected),
        )
    };
    let value = value.trim();
    match field {
        CaseField::RecordType => match value.parse::<RecordType>().map_err(unknown)? {
            record_type if record_type.opens_case() => Ok(record_type.to_string()),
            record_type => Err(Refusal::new(
                format!("`{record_type}` is no case of its own"),
                "close the case with a reason, or choose a type that opens one",
            )),
        },
        CaseField::CustomerType => {
            value.parse::<CustomerType>().map(|known| known.to_string()).map_err(unknown)
        }
        CaseField::Themes => listed::<Theme>(value).map(|all| joined(&all)).map_err(unknown),
        CaseField::Flags => listed::<Flag>(value).map(|all| joined(&all)).map_err(unknown),
        CaseField::Services if services(value).is_empty() => {
            Err(Refusal::new("somebody must answer", "name at least one service"))
        }
        CaseField::Services => Ok(joined(&services(value))),
    }
}
