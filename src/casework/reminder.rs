//! The ladder by which services are chased (`rules/reminders.toml`), and which rung fits a day.
//!
//! Nothing is scheduled. Each day the ladder is worked out again from the dates of the request and
//! the rungs already sent, so that a daemon that was down for a week, ran twice or had its clock
//! moved sends the highest rung due, once. On their own day all rungs go out: each has its people.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::civil::{Date, Time};
use serde::Serialize;

use super::calendar::{NotCovered, WorkingCalendar};
use super::vocabulary::vocabulary;
use crate::fault::Fault;

mod file;

vocabulary! {
    /// Who has a part in answering. People and addresses for each stand in the services' file.
    Role {
        /// The service's shared mailbox.
        ServiceInbox = "service_inbox", "service mailbox";
        /// Who drafts the answer.
        ServiceResponder = "service_responder", "service responder";
        /// Who answers for the draft.
        RespondingManager = "responding_manager", "responding manager";
        /// Head of the service.
        HeadOfService = "head_of_service", "head of service";
        /// Director of the division.
        DivisionalDirector = "divisional_director", "divisional director";
        /// Director of the directorate.
        CorporateDirector = "corporate_director", "corporate director";
        /// Complaints officer: the customer's named contact.
        ComplaintsOfficer = "complaints_officer", "complaints officer";
        /// Complaints manager (SI 2006/1738 reg.10).
        ComplaintsManager = "complaints_manager", "complaints manager";
        /// The council's contact for the Ombudsman.
        LinkOfficer = "link_officer", "Ombudsman link officer";
        /// Investigates at stage 2.
        InvestigatingOfficer = "investigating_officer", "investigating officer";
        /// Oversees a stage 2 investigation.
        IndependentPerson = "independent_person", "independent person";
        /// Helps a child or young person to complain.
        Advocate = "advocate", "advocate";
        /// Looks after the review panel of stage 3.
        PanelClerk = "panel_clerk", "panel clerk";
        /// Whoever owns an action agreed from a complaint; they stand with the action.
        ActionOwner = "action_owner", "action's owner";
    }
}

vocabulary! {
    /// How a rung reaches its people.
    Via {
        /// In the one mail that a person gets a day.
        Digest = "digest", "daily digest";
        /// In a mail of its own.
        OwnMail = "own_mail", "own mail";
        /// In the week's digest only.
        WeeklyDigest = "weekly_digest", "weekly digest";
    }
}

/// From which day of a request a step counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Opened,
    DraftDue,
    Due,
}

/// A number of working days from an anchor: `draft_due - 8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offset {
    anchor: Anchor,
    working_days: i32,
}

/// What must hold of a request for a step to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnlyWhile {
    /// Nobody has accepted it.
    NotAccepted,
    /// At least so many working days lie between the day it was asked and the customer's.
    Long(u16),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    id: String,
    at: Offset,
    at_short: Option<Offset>,
    to: Vec<Role>,
    asks: Option<String>,
    repeat_every: Option<u16>,
    /// It is sent before this day only. Such a step makes way for what comes after it, and where the date moves
    /// away from it, it asks again: what was sent higher up for the earlier date does not bar it.
    until: Option<Offset>,
    only_while: Option<OnlyWhile>,
    via: Via,
}

/// The step that is the request itself.
pub const ALLOCATE: &str = "allocate";

/// The rungs by which services are chased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    send_at: Time,
    checking_margin: u16,
    short_up_to: u16,
    steps: Steps,
    actions: Steps,
    ombudsman: Steps,
    undated: Steps,
}

/// The rungs of one kind of thing that is chased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps(Vec<Step>);

/// The days of one request to a service, or of an action, from which its rungs are worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestDates {
    /// The day the service was asked.
    pub opened_on: Date,
    /// Whether somebody there has accepted it.
    pub accepted: bool,
    /// When the service's draft is due ([`Ladder::draft_due_on`]).
    pub draft_due_on: Option<Date>,
    /// When the customer's answer is due: the date the customer was told.
    pub due_on: Date,
    /// Whether the limit is a short one ([`Ladder::is_short`]).
    pub short: bool,
}

/// One chase of a request on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// The step's id, from its second repetition on with a number: `overdue_10#2`. Unique within a
    /// request: what was sent is remembered by it.
    pub id: String,
    /// The working day on which it falls.
    pub on: Date,
    /// Who is chased.
    pub to: Vec<Role>,
    /// What they are asked to do.
    pub asks: Option<String>,
    /// How it reaches them.
    pub via: Via,
    /// Its height on the ladder, from 0.
    pub rank: usize,
}

impl Ladder {
    /// Reads `rules/reminders.toml`.
    ///
    /// # Errors
    /// Every [`Fault`] in it, with line, column and cure; one only where the file is no TOML or has
    /// an unknown key.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        file::read(file, text)
    }

    /// The ladder of the Ombudsman's dates: what they ask by a day, and what was agreed by one.
    #[must_use]
    pub fn of_ombudsman(&self) -> &Steps {
        &self.ombudsman
    }

    /// The ladder of what was agreed with the Ombudsman without a date: it counts from the day of the decision.
    #[must_use]
    pub fn of_undated_remedies(&self) -> &Steps {
        &self.undated
    }

    /// Every role that some step writes to.
    pub fn roles(&self) -> BTreeSet<Role> {
        let steps = [&self.steps, &self.actions, &self.ombudsman, &self.undated];
        steps.into_iter().flat_map(|steps| &steps.0).flat_map(|step| step.to.clone()).collect()
    }

    /// Every role that hears by a step after the request itself, which is a letter of its own.
    pub fn chased_roles(&self) -> BTreeSet<Role> {
        let steps = self.steps.0.iter().filter(|step| step.id != ALLOCATE);
        steps.flat_map(|step| step.to.clone()).collect()
    }

    /// When the day's reminders leave, in London.
    pub fn send_at(&self) -> Time {
        self.send_at
    }

    /// Whether a limit of so many working days is a short one, with a ladder of its own.
    pub fn is_short(&self, working_days: u16) -> bool {
        working_days <= self.short_up_to
    }

    /// When the service's draft is due: the customer's due date less the checking margin, which is the
    /// service's own where it has one. None if that would not be after the day the service was asked.
    ///
    /// # Errors
    /// [`NotCovered`] if the calendar does not reach back so far.
    pub fn draft_due_on(
        &self,
        opened_on: Date,
        due_on: Date,
        own_margin: Option<u16>,
        calendar: &WorkingCalendar,
    ) -> Result<Option<Date>, NotCovered> {
        let margin = own_margin.unwrap_or(self.checking_margin);
        let draft_due_on = calendar.add_working_days(due_on, -i32::from(margin))?;
        Ok(Some(draft_due_on).filter(|day| *day > opened_on))
    }

    /// When a service's part is due to us, and the day that its ladder calls the customer's: the customer's own; for
    /// a part that is due earlier than the checking margin asks, as long after that part as the margin is.
    /// No draft where its day would not be after that on which the service was asked.
    ///
    /// # Errors
    /// [`NotCovered`] if the calendar does not reach so far.
    pub fn part_due_on(
        &self,
        opened_on: Date,
        due_on: Date,
        days_before: Option<u16>,
        own_margin: Option<u16>,
        calendar: &WorkingCalendar,
    ) -> Result<(Option<Date>, Date), NotCovered> {
        let Some(days_before) = days_before else {
            return Ok((self.draft_due_on(opened_on, due_on, own_margin, calendar)?, due_on));
        };
        let part = calendar.add_working_days(due_on, -i32::from(days_before))?;
        let margin = own_margin.unwrap_or(self.checking_margin);
        let checked = calendar.add_working_days(part, margin.into())?;
        Ok((Some(part).filter(|day| *day > opened_on), checked.min(due_on)))
    }

    /// The rungs by which services are chased for their answers.
    pub fn of_requests(&self) -> &Steps {
        &self.steps
    }

    /// The rungs by which the owners of actions are reminded.
    pub fn of_actions(&self) -> &Steps {
        &self.actions
    }
}

impl Step {
    /// Whether it is a courtesy that a service may do without: it comes before the draft is due, to those who write the
    /// draft, and tells nobody above them. What is overdue, what goes up, and the request itself are none.
    fn is_courtesy(&self) -> bool {
        let early = |at: &Offset| match at.anchor {
            Anchor::Opened => at.working_days > 0,
            Anchor::DraftDue => at.working_days < 0,
            Anchor::Due => false,
        };
        let drafts = |role: &Role| {
            matches!(role, Role::ServiceInbox | Role::ServiceResponder | Role::RespondingManager)
        };
        early(&self.at) && self.at_short.iter().all(early) && self.to.iter().all(drafts)
    }
}

impl Steps {
    /// The ids of the steps that a service may do without ([`Steps::without`]).
    pub fn courtesies(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|step| step.is_courtesy()).map(|step| step.id.as_str())
    }

    /// The steps without those that a service does not want. Only a courtesy can be left out, whatever is asked for.
    #[must_use]
    pub fn without(&self, skipped: &[String]) -> Cow<'_, Self> {
        let is_left = |step: &&Step| !(step.is_courtesy() && skipped.contains(&step.id));
        if self.0.iter().all(|step| is_left(&step)) {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self(self.0.iter().filter(is_left).cloned().collect()))
    }
}

/// What is sent of a request on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueToday {
    /// The rungs to send, lowest first.
    pub rungs: Vec<Rung>,
    /// Those below them that were neither sent nor will be: recorded too, so that the case's history
    /// says that they were missed.
    pub passed_over: Vec<Rung>,
}

impl DueToday {
    /// Adds what is due of some rungs, in the order of their days.
    fn climb(&mut self, today: Date, rungs: Vec<Possible>, already_sent: &BTreeSet<String>) {
        let highest_sent = highest_sent(&rungs, already_sent);
        let come: Vec<Possible> =
            rungs.into_iter().filter(|one| one.applies && one.rung.on <= today).collect();
        let latest = come.last().map(|one| one.rung.on);
        let mut open = come;
        open.retain(|one| !already_sent.contains(&one.rung.id));
        let above = |one: &Possible| {
            if one.makes_way {
                latest == Some(one.rung.on)
            } else {
                highest_sent.is_none_or(|sent| sent < one.rung.rank)
            }
        };
        let day = open.iter().filter(|one| above(one)).map(|one| one.rung.on).next_back();
        let Some(day) = day else { return };
        let highest = open.last().map(|one| one.rung.rank);
        for one in open {
            let goes = above(&one);
            let rung = one.rung;
            // Late, only the highest of its day.
            let goes = goes
                && rung.on == day
                && (day == today || highest.is_some_and(|highest| highest == rung.rank));
            if goes {
                self.rungs.push(rung);
            } else {
                self.passed_over.push(rung);
            }
        }
    }
}

/// A rung, and how it stands to the others.
struct Possible {
    rung: Rung,
    /// Whether it may be sent as things are.
    applies: bool,
    /// Whether it [gives way](Step::until) to what comes later.
    makes_way: bool,
}

/// The highest rung that was sent. One that no longer applies (the request was accepted since) still bars those
/// below it.
fn highest_sent(rungs: &[Possible], already_sent: &BTreeSet<String>) -> Option<usize> {
    let sent = rungs.iter().rfind(|one| already_sent.contains(&one.rung.id));
    sent.map(|one| one.rung.rank)
}

impl RequestDates {
    /// The days of an action: agreed on one, due on another.
    pub fn of_action(agreed_on: Date, due_on: Date) -> Self {
        Self { opened_on: agreed_on, accepted: true, draft_due_on: None, due_on, short: false }
    }
}

impl Steps {
    /// Whether nobody is ever reminded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every rung of a request in order of day, each on a working day. Rungs before the opening and
    /// those that do not apply are left out; repetitions go on to the end of the calendar.
    ///
    /// # Errors
    /// [`NotCovered`] if a day of the request is outside the calendar. Rungs past its end are no
    /// error: their day is not known yet, and it has not come.
    pub fn rungs(
        &self,
        dates: &RequestDates,
        calendar: &WorkingCalendar,
    ) -> Result<Vec<Rung>, NotCovered> {
        let mut rungs = self.all_rungs(dates, calendar, |_, _, _| false)?;
        rungs.retain(|one| one.applies);
        Ok(rungs.into_iter().map(|one| one.rung).collect())
    }

    /// The rung to send today, if any: the highest whose day has come, unless it or a higher one
    /// was sent. On a closed day none. A lower rung that was missed is never sent later.
    ///
    /// The caller records the rung before a word is sent, and with it what was
    /// [passed over](Self::passed_over).
    ///
    /// # Errors
    /// [`NotCovered`] if today or a day of the request is outside the calendar.
    pub fn due_today(
        &self,
        today: Date,
        dates: &RequestDates,
        already_sent: &BTreeSet<String>,
        calendar: &WorkingCalendar,
    ) -> Result<Option<Rung>, NotCovered> {
        if !calendar.is_working_day(today)? {
            return Ok(None);
        }
        // Repetitions to come matter only where one was sent already and the due date moved since.
        let rungs = self.all_rungs(dates, calendar, |step, on, times| {
            on > today && times >= step.times_sent(already_sent)
        })?;
        let highest_sent = highest_sent(&rungs, already_sent);
        Ok(rungs
            .into_iter()
            .rfind(|one| one.applies && one.rung.on <= today)
            .map(|one| one.rung)
            .filter(|rung| highest_sent.is_none_or(|sent| sent < rung.rank)))
    }

    /// Every rung of a request to send today, lowest first: each whose day it is, since each has its own
    /// people. Where it is the day of none, the highest whose day has come, unless it or a higher one
    /// was sent; a lower one that was missed is never sent later. On a closed day none.
    ///
    /// What waits for the list of the week is sent on its first working day (`weekly`) by the same rule,
    /// and neither bars what goes out daily nor is barred by it.
    ///
    /// # Errors
    /// [`NotCovered`] if today or a day of the request is outside the calendar.
    pub fn all_due_today(
        &self,
        today: Date,
        weekly: bool,
        dates: &RequestDates,
        already_sent: &BTreeSet<String>,
        calendar: &WorkingCalendar,
    ) -> Result<DueToday, NotCovered> {
        let mut found = DueToday::default();
        if !calendar.is_working_day(today)? {
            return Ok(found);
        }
        let rungs = self.all_rungs(dates, calendar, |step, on, times| {
            on > today && times >= step.times_sent(already_sent)
        })?;
        let (weeks, days): (Vec<_>, Vec<_>) =
            rungs.into_iter().partition(|one| one.rung.via == Via::WeeklyDigest);
        found.climb(today, days, already_sent);
        if weekly {
            found.climb(today, weeks, already_sent);
        }
        found.rungs.sort_by_key(|rung| rung.rank);
        Ok(found)
    }

    /// The rungs below `sent` that were neither sent nor will be: recorded with it, so that the
    /// case's history says that they were missed.
    ///
    /// # Errors
    /// [`NotCovered`] if a day of the request is outside the calendar.
    pub fn passed_over(
        &self,
        sent: &Rung,
        dates: &RequestDates,
        already_sent: &BTreeSet<String>,
        calendar: &WorkingCalendar,
    ) -> Result<Vec<Rung>, NotCovered> {
        let mut rungs = self.rungs(dates, calendar)?;
        rungs.retain(|rung| rung.rank < sent.rank && !already_sent.contains(&rung.id));
        Ok(rungs)
    }

    /// Every rung from the opening on, lowest first, with whether it applies now. Ranks count those
    /// that do not, so that accepting a request does not shift the others. A step repeats until its
    /// own last day, until `far_enough` says so of its last rung (step, day, number), or the calendar ends.
    fn all_rungs(
        &self,
        dates: &RequestDates,
        calendar: &WorkingCalendar,
        far_enough: impl Fn(&Step, Date, u32) -> bool,
    ) -> Result<Vec<Possible>, NotCovered> {
        let mut rungs = Vec::new();
        for step in &self.0 {
            let applies = step.applies(dates, calendar)?;
            let makes_way = step.until.is_some();
            let over = step.until.map(|until| until.day(dates, calendar)).transpose()?;
            // Without the day that it makes way for, it has none itself.
            let is_in_time = |on: &Date| over.is_none_or(|over| over.is_some_and(|day| *on < day));
            let mut day = step.first_day(dates, calendar)?.filter(is_in_time);
            let mut times: u32 = 1;
            while let Some(on) = day {
                if on >= dates.opened_on {
                    rungs.push(Possible { rung: step.rung(on, times), applies, makes_way });
                }
                let every = step.repeat_every.filter(|_| !far_enough(step, on, times));
                let next = every.and_then(|every| calendar.add_working_days(on, every.into()).ok());
                day = next.filter(is_in_time);
                times += 1;
            }
        }
        // Stable: on one day, a later step of the file is higher.
        rungs.sort_by_key(|one| one.rung.on);
        for (rank, one) in rungs.iter_mut().enumerate() {
            one.rung.rank = rank;
        }
        Ok(rungs)
    }
}

impl Offset {
    /// The working day that it means; none if the request lacks the day it counts from, or the
    /// calendar ends before it.
    fn day(
        self,
        dates: &RequestDates,
        calendar: &WorkingCalendar,
    ) -> Result<Option<Date>, NotCovered> {
        let from = match self.anchor {
            Anchor::Opened => Some(dates.opened_on),
            Anchor::DraftDue => dates.draft_due_on,
            Anchor::Due => Some(dates.due_on),
        };
        let Some(from) = from else { return Ok(None) };
        let works = calendar.is_working_day(from)?;
        let counted = match (self.working_days, self.anchor) {
            (0, _) if works => Ok(from),
            // Asked on a closed day: the first chase is the next working day's. Due on one: a
            // reminder must not come too late to help.
            (0, Anchor::Opened) => calendar.next_working_day(from),
            (0, Anchor::DraftDue | Anchor::Due) => calendar.previous_working_day(from),
            (n, _) => calendar.add_working_days(from, n),
        };
        match counted {
            Err(gap) if gap.day < gap.covered_from => Err(gap),
            counted => Ok(counted.ok()),
        }
    }
}

impl Step {
    /// Whether it is meant for a request as that stands.
    fn applies(
        &self,
        dates: &RequestDates,
        calendar: &WorkingCalendar,
    ) -> Result<bool, NotCovered> {
        Ok(match self.only_while {
            None => true,
            Some(OnlyWhile::NotAccepted) => !dates.accepted,
            Some(OnlyWhile::Long(from)) => {
                calendar.working_days_between(dates.opened_on, dates.due_on)? >= i32::from(from)
            }
        })
    }

    /// The working day of its first rung, as [`Offset::day`].
    fn first_day(
        &self,
        dates: &RequestDates,
        calendar: &WorkingCalendar,
    ) -> Result<Option<Date>, NotCovered> {
        self.at_short.filter(|_| dates.short).unwrap_or(self.at).day(dates, calendar)
    }

    /// The highest number of a repetition among what was sent.
    fn times_sent(&self, already_sent: &BTreeSet<String>) -> u32 {
        let number = |id: &String| id.strip_prefix(&self.id)?.strip_prefix('#')?.parse().ok();
        already_sent.iter().filter_map(number).max().unwrap_or(1)
    }

    fn rung(&self, on: Date, times: u32) -> Rung {
        let id = if times == 1 { self.id.clone() } else { format!("{}#{times}", self.id) };
        Rung { id, on, to: self.to.clone(), asks: self.asks.clone(), via: self.via, rank: 0 }
    }
}

#[cfg(test)]
mod tests;
