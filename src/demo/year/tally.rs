//! What a year came to: what was sent to whom, how soon customers were answered, and what must be nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::Case;
use super::matter::Matter;
use super::mix::{Division, IN_TIME, Method, TYPES};
use crate::casework::vocabulary::RecordType;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::policy::Policy;
use crate::store::holding::PURPOSE;
use crate::store::survey::{self, Opened, Sent};
use crate::store::{cases, moment};

/// What is counted while the year goes by.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) messages: usize,
    pub(super) strays: usize,
    pub(super) files: usize,
    pub(super) acts: usize,
    pub(super) not_ours: usize,
    pub(super) more_time: usize,
    pub(super) stage_2: usize,
    pub(super) extended: usize,
    pub(super) answered: Vec<Answered>,
    read: Read,
    refusals: BTreeMap<String, usize>,
}

impl Tally {
    /// What the rules made of a matter, beside what was meant.
    pub(super) fn read(&mut self, opened: &Opened, matter: &Matter) {
        let record_type = opened.record_type == matter.record_type.id();
        let service = opened.lead_service == matter.service;
        let customer = opened.customer_type == matter.customer_type.id();
        self.read.cases += 1;
        self.read.record_type += usize::from(record_type);
        self.read.service += usize::from(service);
        self.read.customer += usize::from(customer);
        self.read.all += usize::from(record_type && service && customer);
    }

    /// An act that a case did not allow, in words without its reference.
    pub(super) fn refused(&mut self, words: &str, reference: &str) {
        *self.refusals.entry(words.replace(reference, "the case")).or_default() += 1;
    }
}

/// How many cases the rules read as they were meant.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Read {
    /// Cases that officers read.
    pub cases: usize,
    /// Whose type was as meant.
    pub record_type: usize,
    /// Whose lead service was.
    pub service: usize,
    /// Whose customer was.
    pub customer: usize,
    /// Where all three were.
    pub all: usize,
}

/// An answer to a customer.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Division.
    pub division: Division,
    /// Type.
    pub record_type: RecordType,
    /// Stage.
    pub stage: u8,
    /// By the last day of its procedure.
    pub in_time: bool,
    /// By the day aimed for.
    pub in_target: bool,
}

/// A share beside the report's.
#[derive(Debug, Clone, Serialize)]
pub struct Share {
    /// Division.
    pub division: &'static str,
    /// Record type id.
    pub record_type: &'static str,
    /// Stage.
    pub stage: u8,
    /// Answers.
    pub answered: usize,
    /// In time.
    pub in_time: usize,
    /// Of a hundred.
    pub percent: Option<usize>,
    /// The report's.
    pub report_percent: u32,
}

/// How many mails somebody at the council got a week.
#[derive(Debug, Clone, Serialize)]
pub struct Weekly {
    /// In which role, the lowest where they have several.
    pub role: &'static str,
    /// Who.
    pub address: String,
    /// All mails.
    pub mails: usize,
    /// A week, in tenths.
    pub mean_tenths: usize,
    /// In the fullest week.
    pub highest: usize,
}

/// How many of a record type there were.
#[derive(Debug, Clone, Serialize)]
pub struct OfType {
    /// Record type id.
    pub record_type: &'static str,
    /// As meant.
    pub meant: usize,
    /// As registered at the end.
    pub registered: usize,
    /// In the report's whole year.
    pub report: usize,
}

/// A year in numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// Matters that were raised.
    pub matters: usize,
    /// How, with how many.
    pub methods: Vec<(&'static str, usize)>,
    /// Messages that arrived, services' and machines' too.
    pub messages: usize,
    /// Cases in the register.
    pub cases: usize,
    /// Cases that a message opened which belonged to another.
    pub strays: usize,
    /// By type.
    pub types: Vec<OfType>,
    /// How the rules read them.
    pub read: Read,
    /// Acts of officers.
    pub acts: usize,
    /// Acts that a case did not allow, with how often.
    pub refusals: BTreeMap<String, usize>,
    /// Requests that a service said were not theirs.
    pub not_ours: usize,
    /// Requests for more time, and answers that got it.
    pub more_time: (usize, usize),
    /// Cases that went to stage 2.
    pub stage_2: usize,
    /// Letters by purpose.
    pub letters: BTreeMap<String, usize>,
    /// Letters that have not left.
    pub not_sent: usize,
    /// Mails to people of the council, a week.
    pub weekly: Vec<Weekly>,
    /// Answers in time.
    pub in_time: Vec<Share>,
    /// Open cases at the end, and those past the day that the customer was told.
    pub open: usize,
    /// Of those, how many are late.
    pub late: usize,
    /// Holding letters, and the cases that had three or more.
    pub holding: (usize, usize),
    /// Rungs sent, and those passed over because their day was gone when the service was asked or its day moved.
    pub rungs: (usize, usize),
    /// What left on days when the council is closed, by purpose.
    pub closed_days: BTreeMap<String, usize>,
    /// Chasing mails and requests among them: none may.
    pub chases_on_closed_days: usize,
    /// People who got two lists on one day: none may.
    pub digests_doubled: usize,
    /// Rungs of a request that were sent twice: none may.
    pub rungs_doubled: usize,
    /// Rungs that were sent on another day than their own, lists of the week apart: none may.
    pub rungs_off_their_day: usize,
}

/// The letters that ask services or chase somebody.
pub(super) const CHASES: [&str; 5] =
    ["service-request", "reminder", "digest", "overdue-digest", "officer-notice"];
const LISTS: [&str; 2] = ["digest", "overdue-digest"];

/// Counts the year.
pub(super) async fn report<'a>(
    gateway: &Gateway,
    tally: &Tally,
    matters: &[Matter],
    followed: impl Iterator<Item = &'a Case>,
    first: Date,
    last: Date,
) -> anyhow::Result<Report> {
    let policy = gateway.policy();
    let letters = survey::letters(&gateway.db).await?;
    let rows = cases::list(&gateway.db, true).await?;
    let held: Vec<u32> = followed.map(|case| case.held).collect();
    let of_type = |record_type: RecordType, counts: [usize; 5]| OfType {
        record_type: record_type.id(),
        meant: matters.iter().filter(|one| one.record_type == record_type).count(),
        registered: rows.iter().filter(|row| row.record_type == record_type.id()).count(),
        report: counts.into_iter().sum(),
    };
    let method = |method: Method| {
        (method.label(), matters.iter().filter(|one| one.method == method).count())
    };
    let open: Vec<_> = rows.iter().filter(|row| row.status == "open").collect();
    let last_day = last.to_string();
    let late =
        open.iter().filter(|row| row.agreed_due_on.as_ref().is_some_and(|day| *day < last_day));
    let mut by_purpose = BTreeMap::new();
    for letter in letters.iter().filter(|letter| letter.state == "sent") {
        *by_purpose.entry(letter.purpose.clone()).or_default() += 1;
    }
    let closed = closed_days(&policy, &letters)?;
    let rungs = survey::rungs(&gateway.db).await?;
    let sent: Vec<_> = rungs.iter().filter(|one| one.outcome == "sent").collect();
    let keys: BTreeSet<_> = sent.iter().map(|one| (one.request_id, &one.rung)).collect();
    let off = sent.iter().filter(|one| {
        one.rung != "allocate"
            && one.rung != "overdue_20"
            && london_day(moment(one.recorded_at)).to_string() != one.fell_on
    });
    Ok(Report {
        first,
        last,
        matters: matters.len(),
        methods: Method::ALL.into_iter().map(method).collect(),
        messages: tally.messages,
        cases: rows.len(),
        strays: tally.strays,
        types: TYPES.into_iter().map(|(one, counts)| of_type(one, counts)).collect(),
        read: tally.read.clone(),
        acts: tally.acts,
        refusals: tally.refusals.clone(),
        not_ours: tally.not_ours,
        more_time: (tally.more_time, tally.extended),
        stage_2: tally.stage_2,
        letters: by_purpose,
        not_sent: letters.iter().filter(|letter| is_stuck(letter)).count(),
        weekly: weekly(&policy, &letters, first, last),
        in_time: shares(&tally.answered),
        open: open.len(),
        late: late.count(),
        holding: (
            held.iter().map(|n| usize::try_from(*n).unwrap_or(0)).sum(),
            held.iter().filter(|n| **n >= 3).count(),
        ),
        rungs: (sent.len(), rungs.len() - sent.len()),
        chases_on_closed_days: closed
            .iter()
            .filter(|(purpose, _)| CHASES.contains(&purpose.as_str()))
            .map(|(_, count)| count)
            .sum(),
        closed_days: closed,
        digests_doubled: doubled(&letters),
        rungs_doubled: sent.len() - keys.len(),
        rungs_off_their_day: off.count(),
    })
}

/// Whether a letter should have left: what an officer took back or has not released, and an acknowledgement that
/// waits for the end of a day, should not.
fn is_stuck(letter: &Sent) -> bool {
    let waits = letter.purpose == PURPOSE || letter.purpose == "acknowledgement";
    !(letter.state == "sent" || letter.state == "cancelled" || (waits && letter.state != "failed"))
}

fn left_on(letter: &Sent) -> Option<Date> {
    letter.sent_at.map(|at| london_day(moment(at)))
}

fn closed_days(policy: &Policy, letters: &[Sent]) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut closed = BTreeMap::new();
    for letter in letters {
        let Some(day) = left_on(letter) else { continue };
        if !policy.calendar.is_working_day(day)? {
            *closed.entry(letter.purpose.clone()).or_default() += 1;
        }
    }
    Ok(closed)
}

fn doubled(letters: &[Sent]) -> usize {
    let mut seen = BTreeSet::new();
    let lists = letters.iter().filter(|letter| LISTS.contains(&letter.purpose.as_str()));
    lists.filter(|letter| !seen.insert((letter.recipient.as_str(), left_on(letter)))).count()
}

fn shares(answered: &[Answered]) -> Vec<Share> {
    let share =
        |(division, record_type, stage, report_percent): (Division, RecordType, u8, u32)| {
            let mut of = answered.iter().filter(|one| {
                (one.division, one.record_type, one.stage) == (division, record_type, stage)
            });
            let all: Vec<_> = of.by_ref().collect();
            let in_time = all.iter().filter(|one| one.in_time).count();
            Share {
                division: division.label(),
                record_type: record_type.id(),
                stage,
                answered: all.len(),
                in_time,
                percent: (in_time * 100 + all.len() / 2).checked_div(all.len()),
                report_percent,
            }
        };
    IN_TIME.into_iter().map(share).collect()
}

/// The roles, the lowest first, with who has each.
fn people(policy: &Policy) -> Vec<(&'static str, String)> {
    let services = policy.rules.services();
    let (all, team) = (services.each().collect::<Vec<_>>(), &services.team);
    let mut people = Vec::new();
    people.extend(all.iter().map(|one| ("service mailbox", &one.inbox)));
    people.extend(all.iter().map(|one| ("responding manager", &one.responding_manager)));
    people.extend(all.iter().flat_map(|one| &one.deputies).map(|one| ("deputy", one)));
    people.extend(all.iter().map(|one| ("head of service", &one.head_of_service)));
    people.extend(all.iter().map(|one| ("divisional director", &one.divisional_director)));
    people.extend(all.iter().map(|one| ("corporate director", &one.corporate_director)));
    people.push(("complaints officer", &team.complaints_officer));
    people.push(("complaints manager", &team.complaints_manager));
    people.push(("safeguarding duty officer", &team.safeguarding_duty));
    people.into_iter().map(|(role, contact)| (role, contact.address.to_lowercase())).collect()
}

fn weekly(policy: &Policy, letters: &[Sent], first: Date, last: Date) -> Vec<Weekly> {
    let days =
        usize::try_from(first.until(last).map_or(364, |span| span.get_days())).unwrap_or(364);
    let weeks = (days + 1).div_ceil(7).max(1);
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (role, address) in people(policy) {
        if !seen.insert(address.clone()) {
            continue;
        }
        let mut by_week: BTreeMap<(i16, i8), usize> = BTreeMap::new();
        for day in letters.iter().filter(|one| one.recipient == address).filter_map(left_on) {
            let week = day.iso_week_date();
            *by_week.entry((week.year(), week.week())).or_default() += 1;
        }
        let mails: usize = by_week.values().sum();
        if mails > 0 {
            let highest = by_week.into_values().max().unwrap_or(0);
            let mean_tenths = (mails * 10 + weeks / 2) / weeks;
            all.push(Weekly { role, address, mails, mean_tenths, highest });
        }
    }
    all
}
