//! Which rung fits today for every open request, and what each person therefore gets. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde::Serialize;

use super::ombudsman::{DateDue, DateListed};
use crate::casework::calendar::WorkingCalendar;
use crate::casework::reminder::{RequestDates, Role, Rung, Via};
use crate::casework::vocabulary::ServiceId;
use crate::policy::Policy;
use crate::store::requests::{Chased, RungRow};

/// What goes out on a day.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// The day.
    pub day: Date,
    /// The rungs that fall due, one a request at most.
    pub rungs: Vec<RungDue>,
    /// The rungs of the Ombudsman's dates that fall due, one a date at most.
    pub dates: Vec<DateDue>,
    /// One mail a person.
    pub mails: Vec<Mail>,
    /// Requests that could not be reckoned, in words for a person.
    pub faults: Vec<String>,
}

/// A rung that is due today.
#[derive(Debug, Clone, Serialize)]
pub struct RungDue {
    /// Request row.
    pub request: i64,
    /// Case row.
    #[serde(skip)]
    pub case: i64,
    /// Reference.
    pub reference: String,
    /// Service.
    pub service: ServiceId,
    /// The rung.
    pub rung: Rung,
    /// Lower rungs that were missed and are never sent.
    #[serde(skip)]
    pub passed_over: Vec<Rung>,
}

/// One person's mail of the day.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// Address.
    pub recipient: String,
    /// Name.
    pub name: String,
    /// In which role each hears; the list goes by the lowest.
    pub roles: BTreeSet<Role>,
    /// Why: which rung of which request.
    pub because: Vec<(String, String)>,
    /// What the list shows, by request.
    pub rows: Vec<Listed>,
    /// The Ombudsman's dates that it shows.
    pub ombudsman: Vec<DateListed>,
}

/// A request as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Request row.
    pub request: i64,
    /// Case row.
    #[serde(skip)]
    pub case: i64,
    /// Reference.
    pub reference: String,
    /// Record type id.
    pub record_type: String,
    /// Procedure id.
    #[serde(skip)]
    pub procedure: String,
    /// Stage.
    #[serde(skip)]
    pub stage: i64,
    /// Service.
    pub service: ServiceId,
    /// By when we need the answer: the draft's day, or the customer's once that has passed.
    pub due_on: Date,
    /// Working days left; negative once late.
    pub days_left: i32,
    /// Times chased so far.
    pub times_chased: usize,
    /// Whether somebody there has accepted it.
    pub accepted: bool,
}

/// Works out a day.
pub(super) fn plan(policy: &Policy, chased: &[Chased], recorded: &[RungRow], today: Date) -> Plan {
    let mut plan = Plan { day: today, ..Plan::default() };
    let mut seen: HashMap<i64, BTreeSet<String>> = HashMap::new();
    let mut sent: HashMap<i64, usize> = HashMap::new();
    for row in recorded {
        seen.entry(row.request_id).or_default().insert(row.rung.clone());
        let chase = row.outcome == "sent" && row.rung != "allocate";
        *sent.entry(row.request_id).or_default() += usize::from(chase);
    }
    let none = BTreeSet::new();
    let weekly = is_first_working_day_of_week(&policy.calendar, today);
    let mut listed: Vec<Listed> = Vec::new();
    for request in chased {
        let already = seen.get(&request.id).unwrap_or(&none);
        match reckon(policy, request, already, today) {
            Ok((due, dates)) => {
                let times = sent.get(&request.id).copied().unwrap_or(0);
                listed.extend(list(policy, request, &dates, today, times));
                plan.rungs.extend(due.filter(|due| due.rung.via != Via::WeeklyDigest || weekly));
            }
            Err(fault) => plan.faults.push(format!("{}: {fault}", request.reference)),
        }
    }
    plan.mails = mails(policy, &plan.rungs, &listed);
    plan
}

/// The rung of one request that is due today, if any.
fn reckon(
    policy: &Policy,
    request: &Chased,
    already: &BTreeSet<String>,
    today: Date,
) -> Result<(Option<RungDue>, RequestDates), String> {
    let day = |text: &str| text.parse::<Date>().map_err(|_| "its dates cannot be read".to_owned());
    let dates = RequestDates {
        opened_on: day(&request.asked_on)?,
        accepted: request.state == "accepted",
        draft_due_on: request.draft_due_on.as_deref().map(day).transpose()?,
        due_on: day(&request.due_on)?,
        short: request.short,
    };
    let calendar = &policy.calendar;
    let due =
        policy.ladder.due_today(today, &dates, already, calendar).map_err(|e| e.to_string())?;
    let Some(rung) = due else { return Ok((None, dates)) };
    let passed_over = policy.ladder.passed_over(&rung, &dates, already, calendar);
    let due = RungDue {
        request: request.id,
        case: request.case_id,
        reference: request.reference.clone(),
        service: ServiceId(request.service.clone()),
        rung,
        passed_over: passed_over.map_err(|e| e.to_string())?,
    };
    Ok((Some(due), dates))
}

fn list(
    policy: &Policy,
    request: &Chased,
    dates: &RequestDates,
    today: Date,
    times_chased: usize,
) -> Option<Listed> {
    let due_on = dates.draft_due_on.filter(|draft| *draft >= today).unwrap_or(dates.due_on);
    let days_left = policy.calendar.working_days_between(today, due_on).ok()?;
    Some(Listed {
        request: request.id,
        case: request.case_id,
        reference: request.reference.clone(),
        record_type: request.record_type.clone(),
        procedure: request.procedure_id.clone(),
        stage: request.stage,
        service: ServiceId(request.service.clone()),
        due_on,
        days_left,
        times_chased,
        accepted: dates.accepted,
    })
}

/// Gathers everything for one person into one mail. Who hears of one request of a service sees all
/// that the service still owes: one list a day is easier to answer than one mail a case.
fn mails(policy: &Policy, rungs: &[RungDue], listed: &[Listed]) -> Vec<Mail> {
    let mut people: BTreeMap<String, (Mail, BTreeSet<ServiceId>)> = BTreeMap::new();
    let services = policy.rules.services();
    for due in rungs {
        for role in &due.rung.to {
            for contact in services.address_for(&due.service, role.id()) {
                let recipient = contact.address.to_lowercase();
                let (mail, whose) = people.entry(recipient.clone()).or_insert_with(|| {
                    let mail = Mail {
                        recipient,
                        name: contact.name.clone(),
                        roles: BTreeSet::new(),
                        because: Vec::new(),
                        rows: Vec::new(),
                        ombudsman: Vec::new(),
                    };
                    (mail, BTreeSet::new())
                });
                mail.roles.insert(*role);
                whose.insert(due.service.clone());
                let why = (due.reference.clone(), due.rung.id.clone());
                if !mail.because.contains(&why) {
                    mail.because.push(why);
                }
            }
        }
    }
    people
        .into_values()
        .map(|(mut mail, whose)| {
            mail.rows = listed.iter().filter(|row| whose.contains(&row.service)).cloned().collect();
            mail.rows.sort_by_key(|row| (row.days_left, row.request));
            mail
        })
        .collect()
}

/// Directors hear once a week: on its first working day.
fn is_first_working_day_of_week(calendar: &WorkingCalendar, today: Date) -> bool {
    let monday = today.weekday().to_monday_zero_offset();
    (1..=monday).all(|back| {
        let day = today.saturating_sub(jiff::Span::new().days(i64::from(back)));
        calendar.is_working_day(day).is_ok_and(|working| !working)
    })
}
