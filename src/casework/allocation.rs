//! Who of the complaints team looks after a case: by rule, by who knows the customer, else by who has the least
//! work for their share (`rules/officers.toml`).
//!
//! Everything here is worked out from what it is given, and the same from the same: the reason is kept with the
//! case, and an officer can give it to somebody else.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::calendar::WorkingCalendar;
use super::case::OfficerId;
use super::vocabulary::{CustomerType, Flag, RecordType, ServiceId, vocabulary};
use crate::fault::Fault;

mod away;
mod balance;
mod file;
pub use away::{AwayEntry, AwayFault};
pub use balance::{Handover, Held};

vocabulary! {
    /// Why a case is with an officer.
    Ground {
        /// A rule of `officers.toml` names them.
        Rule = "rule", "a rule";
        /// They had an earlier case of the same customer, or one that this belongs to.
        Earlier = "earlier_case", "an earlier case";
        /// They had the least work for their share.
        LeastWork = "least_work", "least work";
        /// They stand in for whoever is away.
        Deputy = "deputy", "deputy";
        /// An officer said so.
        ByHand = "by_hand", "by hand";
        /// The work was evened out.
        EvenedOut = "evened_out", "evened out";
        /// Whoever had it is back.
        Back = "back", "back";
    }
}

vocabulary! {
    /// What becomes of the cases of somebody who goes away.
    OnAbsence {
        /// A task lists those that fall due meanwhile.
        List = "list", "listed";
        /// Those that fall due meanwhile go to others.
        HandOver = "hand_over", "handed over";
    }
}

vocabulary! {
    /// What becomes of cases that were handed over, when whoever had them is back.
    OnReturn {
        /// They stay where they are.
        Leave = "leave", "left";
        /// They go back.
        GiveBack = "give_back", "given back";
    }
}

/// Some days on which an officer is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// The first day away.
    pub from: Date,
    /// The last day away.
    pub until: Date,
}

impl Absence {
    /// Whether a day is one of them.
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }

    /// How many working days it takes. A day that the calendar does not reach counts as one.
    pub fn working_days(&self, calendar: &WorkingCalendar) -> usize {
        let days = self.from.series(jiff::Span::new().days(1)).take_while(|day| *day <= self.until);
        days.filter(|day| calendar.is_working_day(*day).unwrap_or(true)).count()
    }
}

/// An officer of the complaints team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// What cases, commands and reasons call them.
    pub id: OfficerId,
    /// How mail greets them.
    pub name: String,
    /// Where mail reaches them.
    pub address: String,
    /// Thousandths of a full share of the work.
    pub share: u32,
    /// The record types that they take; all, where none is named.
    record_types: Vec<RecordType>,
    /// The lead services whose cases they take; all, where none is named.
    services: Vec<ServiceId>,
    /// Flags with which they take no case.
    not_flags: Vec<Flag>,
    /// The most open cases that they may be given.
    pub most_open: Option<u32>,
    /// When they are away.
    pub away: Vec<Absence>,
    /// Who stands in for them.
    pub deputy: Option<OfficerId>,
    /// Whether they are given new cases.
    pub takes_new: bool,
}

impl Officer {
    /// The absence that a day is in.
    pub fn absence_on(&self, day: Date) -> Option<Absence> {
        self.away.iter().copied().find(|away| away.covers(day))
    }

    fn takes(&self, facts: &Facts) -> bool {
        let type_fits = self.record_types.is_empty()
            || facts.record_type.is_some_and(|one| self.record_types.contains(&one));
        let service_fits = self.services.is_empty() || self.services.contains(&facts.lead);
        type_fits && service_fits && !facts.flags.iter().any(|flag| self.not_flags.contains(flag))
    }

    /// Whether they could be given one more case today.
    fn is_free(&self, facts: &Facts, loads: &Loads, today: Date) -> bool {
        let cases = loads.of(&self.id).cases;
        self.absence_on(today).is_none()
            && self.takes(facts)
            && self.most_open.is_none_or(|most| cases < most)
    }
}

/// Whose the cases are that a rule fits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    record_types: Vec<RecordType>,
    services: Vec<ServiceId>,
    flags: Vec<Flag>,
    customers: Vec<CustomerType>,
    to: Vec<OfficerId>,
    why: String,
}

impl Rule {
    fn fits(&self, facts: &Facts) -> bool {
        let any = |empty: bool, holds: bool| empty || holds;
        any(
            self.record_types.is_empty(),
            facts.record_type.is_some_and(|one| self.record_types.contains(&one)),
        ) && any(self.services.is_empty(), self.services.contains(&facts.lead))
            && any(self.flags.is_empty(), facts.flags.iter().any(|one| self.flags.contains(one)))
            && any(self.customers.is_empty(), self.customers.contains(&facts.customer_type))
    }
}

/// What an open case weighs, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weights {
    /// Any case.
    case: u16,
    /// More, past its first stage.
    later_stage: u16,
    /// More, once its day has passed.
    overdue: u16,
    /// More, where a child may be at risk.
    safeguarding: u16,
}

impl Default for Weights {
    fn default() -> Self {
        Self { case: 10, later_stage: 5, overdue: 5, safeguarding: 10 }
    }
}

/// What of a case says whose it is and what it weighs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What it is registered as; none where only a later version knows it.
    pub record_type: Option<RecordType>,
    /// The service that leads the answer.
    pub lead: ServiceId,
    /// What to know or check.
    pub flags: Vec<Flag>,
    /// Who wrote.
    pub customer_type: CustomerType,
    /// Its stage, from 1.
    pub stage: u8,
    /// Whether its day has passed.
    pub late: bool,
    /// Who has, or had, an earlier case of this customer or one that this belongs to, and its reference.
    pub earlier: Option<(OfficerId, String)>,
}

impl Facts {
    /// Whether a child may be at risk.
    pub fn safeguarding(&self) -> bool {
        self.flags.contains(&Flag::Safeguarding)
    }
}

/// What one officer has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Open cases.
    pub cases: u32,
    /// What they weigh together.
    pub points: u32,
}

/// What every officer has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loads(BTreeMap<OfficerId, Load>);

impl Loads {
    /// What one has.
    pub fn of(&self, officer: &OfficerId) -> Load {
        self.0.get(officer).copied().unwrap_or_default()
    }

    /// One more case, or several, of so many points together.
    pub fn add(&mut self, officer: &OfficerId, more: Load) {
        let load = self.0.entry(officer.clone()).or_default();
        load.cases = load.cases.saturating_add(more.cases);
        load.points = load.points.saturating_add(more.points);
    }

    fn take(&mut self, officer: &OfficerId, points: u32) {
        let load = self.0.entry(officer.clone()).or_default();
        load.cases = load.cases.saturating_sub(1);
        load.points = load.points.saturating_sub(points);
    }
}

/// Whose a case is to be, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Who.
    pub officer: OfficerId,
    /// On what ground.
    pub ground: Ground,
    /// The same in words that name no customer.
    pub because: String,
}

/// `rules/officers.toml`: the complaints team, and how the work is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officers {
    all: Vec<Officer>,
    rules: Vec<Rule>,
    weights: Weights,
    /// An absence of more working days than this is acted upon.
    pub absence_days: u16,
    /// What becomes of the cases of somebody who goes away.
    pub on_absence: OnAbsence,
    /// What becomes of those cases when they are back.
    pub on_return: OnReturn,
}

impl Default for Officers {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            rules: Vec::new(),
            weights: Weights::default(),
            absence_days: 5,
            on_absence: OnAbsence::List,
            on_return: OnReturn::Leave,
        }
    }
}

impl Officers {
    /// Reads `rules/officers.toml`; `services` are the ids that `services.toml` has, where it could be read.
    ///
    /// # Errors
    /// Every [`Fault`] in it. One only where the file is no TOML or has an unknown key.
    pub fn from_toml(
        file: &str,
        text: &str,
        services: Option<&[&str]>,
    ) -> Result<Self, Vec<Fault>> {
        file::read(file, text, services)
    }

    /// Everybody, in the file's order. Nobody, and cases are nobody's.
    pub fn all(&self) -> &[Officer] {
        &self.all
    }

    /// The officer of this id.
    pub fn get(&self, id: &OfficerId) -> Option<&Officer> {
        self.all.iter().find(|officer| officer.id == *id)
    }

    /// Who reads the mail about a case on a day: whoever has it, or who stands in for them. None where nobody
    /// does.
    pub fn present(&self, owner: &OfficerId, today: Date) -> Option<&Officer> {
        let officer = self.get(owner)?;
        if officer.absence_on(today).is_none() {
            return Some(officer);
        }
        let deputy = self.get(officer.deputy.as_ref()?)?;
        deputy.absence_on(today).is_none().then_some(deputy)
    }

    /// What a case weighs.
    pub fn weight(&self, facts: &Facts) -> u32 {
        let Weights { case, later_stage, overdue, safeguarding } = self.weights;
        let more = |holds: bool, points: u16| if holds { u32::from(points) } else { 0 };
        u32::from(case)
            + more(facts.stage > 1, later_stage)
            + more(facts.late, overdue)
            + more(facts.safeguarding(), safeguarding)
    }

    /// What cases weigh of which only the numbers are known.
    pub fn points(&self, cases: u32, later_stage: u32, overdue: u32, safeguarding: u32) -> u32 {
        let Weights { case, later_stage: later, overdue: late, safeguarding: risk } = self.weights;
        [(cases, case), (later_stage, later), (overdue, late), (safeguarding, risk)]
            .into_iter()
            .fold(0, |sum: u32, (count, points)| {
                sum.saturating_add(count.saturating_mul(u32::from(points)))
            })
    }

    /// Whose a new case is. None where nobody who may take it is there and below their limit.
    ///
    /// The first rule that fits names those in question, or whoever stands in for them; without one, everybody.
    /// Among them goes first who knows the customer, then who has the least work for their share, then who comes
    /// first in the file.
    pub fn choose(&self, facts: &Facts, loads: &Loads, today: Date) -> Option<Choice> {
        self.choose_but(None, facts, loads, today)
    }

    fn choose_but(
        &self,
        but: Option<&OfficerId>,
        facts: &Facts,
        loads: &Loads,
        today: Date,
    ) -> Option<Choice> {
        let free: Vec<&Officer> = self
            .all
            .iter()
            .filter(|one| one.takes_new && Some(&one.id) != but && one.is_free(facts, loads, today))
            .collect();
        let rule = self.rules.iter().position(|rule| rule.fits(facts));
        let by_rule = rule.and_then(|at| self.by_rule(at, &free, facts, loads, today));
        let choice = by_rule.or_else(|| self.among(&free, facts, loads))?;
        let unheard =
            rule.filter(|_| choice.ground != Ground::Rule && choice.ground != Ground::Deputy);
        let because = match unheard {
            Some(at) => format!("{}; nobody of rule {} is free", choice.because, at + 1),
            None => choice.because,
        };
        Some(Choice { because, ..choice })
    }

    fn by_rule(
        &self,
        at: usize,
        free: &[&Officer],
        facts: &Facts,
        loads: &Loads,
        today: Date,
    ) -> Option<Choice> {
        let rule = self.rules.get(at)?;
        let of = |ids: &[OfficerId]| -> Vec<&Officer> {
            free.iter().copied().filter(|one| ids.contains(&one.id)).collect()
        };
        let named = of(&rule.to);
        if let Some(choice) = self.among(&named, facts, loads) {
            let earlier = if choice.ground == Ground::Earlier { &*choice.because } else { "" };
            let join = if earlier.is_empty() { "" } else { "; " };
            let because = format!("rule {}: {}{join}{earlier}", at + 1, rule.why);
            return Some(Choice { ground: Ground::Rule, because, ..choice });
        }
        let absent = rule.to.iter().filter_map(|id| self.get(id));
        let absent = absent.filter(|one| one.absence_on(today).is_some());
        let deputies: Vec<OfficerId> = absent.filter_map(|one| one.deputy.clone()).collect();
        let choice = self.among(&of(&deputies), facts, loads)?;
        let because = format!("stands in: rule {}: {}", at + 1, rule.why);
        Some(Choice { ground: Ground::Deputy, because, ..choice })
    }

    fn among(&self, some: &[&Officer], facts: &Facts, loads: &Loads) -> Option<Choice> {
        if let Some((id, reference)) = &facts.earlier
            && some.iter().any(|one| one.id == *id)
        {
            let because = format!("has {reference} of the same customer or matter");
            return Some(Choice { officer: id.clone(), ground: Ground::Earlier, because });
        }
        let best = least(some, self.weight(facts), loads)?;
        let load = loads.of(&best.id);
        let because = format!(
            "has the least work for a share of {}: {} open cases, {} points",
            share_words(best.share),
            load.cases,
            load.points
        );
        Some(Choice { officer: best.id.clone(), ground: Ground::LeastWork, because })
    }
}

/// Who would have the least for their share with one case more of this weight.
fn least<'a>(some: &[&'a Officer], weight: u32, loads: &Loads) -> Option<&'a Officer> {
    let mut best: Option<&Officer> = None;
    for one in some {
        let is_less = |than: &Officer| {
            per_share(loads.of(&one.id).points, weight, than.share)
                < per_share(loads.of(&than.id).points, weight, one.share)
        };
        if best.is_none_or(is_less) {
            best = Some(one);
        }
    }
    best
}

/// The work of one beside the share of the other: what is compared instead of two quotients.
fn per_share(points: u32, more: u32, others_share: u32) -> u64 {
    (u64::from(points) + u64::from(more)) * u64::from(others_share)
}

/// `1`, `0.6`.
fn share_words(thousandths: u32) -> String {
    let words = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    words.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
