//! Which rung fits today for every open request, and what each person therefore gets. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde::Serialize;

use super::actions::{self, ActionDue, ListedAction};
use super::ombudsman::{DateDue, DateListed};
use crate::casework::calendar::WorkingCalendar;
use crate::casework::case::OfficerId;
use crate::casework::reminder::{RequestDates, Role, Rung};
use crate::casework::vocabulary::ServiceId;
use crate::policy::Policy;
use crate::store::actions::{ActionRow, ActionRung};
use crate::store::requests::{Chased, RungRow};

/// What the store knows of everything that is chased.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The open requests.
    pub(super) requests: Vec<Chased>,
    /// Their rungs so far.
    pub(super) rungs: Vec<RungRow>,
    /// The open actions.
    pub(super) actions: Vec<ActionRow>,
    /// Their reminders so far.
    pub(super) action_rungs: Vec<ActionRung>,
}

/// The mails of a day by address, each with the services whose requests it lists.
pub(super) type People = BTreeMap<String, (Mail, BTreeSet<Whose>)>;

/// What goes out on a day.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// The day.
    pub day: Date,
    /// The rungs that fall due; of a request several, where their day is the same.
    pub rungs: Vec<RungDue>,
    /// The reminders of actions that fall due, one an action at most.
    pub actions: Vec<ActionDue>,
    /// Owners of actions whom no mail reaches: case row, and what an officer is asked to do.
    #[serde(skip)]
    pub by_hand: Vec<(i64, String)>,
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
    /// The area of the service that answers.
    pub area: Option<String>,
    /// Who answers there, name and address, where an officer named somebody.
    #[serde(skip)]
    pub responder: Option<(String, String)>,
    /// Who looks after the case.
    #[serde(skip)]
    pub owner: Option<OfficerId>,
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
    /// In which role each hears of actions.
    pub action_roles: BTreeSet<Role>,
    /// The actions that it shows, those due first first.
    pub actions: Vec<ListedAction>,
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
    /// The area of the service that answers.
    pub area: Option<String>,
    /// By when we need the answer: the draft's day, or the customer's once that has passed.
    pub due_on: Date,
    /// Working days left; negative once late.
    pub days_left: i32,
    /// Times chased so far.
    pub times_chased: usize,
    /// Whether somebody there has accepted it.
    pub accepted: bool,
    /// Who looks after the case.
    #[serde(skip)]
    pub owner: Option<OfficerId>,
}

/// Works out a day.
pub(super) fn plan(policy: &Policy, known: &Known, today: Date) -> Plan {
    let mut plan = Plan { day: today, ..Plan::default() };
    let mut seen: HashMap<i64, BTreeSet<String>> = HashMap::new();
    let mut sent: HashMap<i64, usize> = HashMap::new();
    for row in &known.rungs {
        seen.entry(row.request_id).or_default().insert(row.rung.clone());
        let chase = row.outcome == "sent" && row.rung != "allocate";
        *sent.entry(row.request_id).or_default() += usize::from(chase);
    }
    let none = BTreeSet::new();
    let weekly = is_first_working_day_of_week(&policy.calendar, today);
    let mut listed: Vec<Listed> = Vec::new();
    for request in &known.requests {
        let already = seen.get(&request.id).unwrap_or(&none);
        match reckon(policy, request, already, (today, weekly)) {
            Ok((due, dates)) => {
                let times = sent.get(&request.id).copied().unwrap_or(0);
                listed.extend(list(policy, request, &dates, today, times));
                plan.rungs.extend(due);
            }
            Err(fault) => plan.faults.push(format!("{}: {fault}", request.reference)),
        }
    }
    let owed = actions::owed(policy, &known.actions, &known.action_rungs, today);
    let mut people = People::new();
    gather(policy, &plan.rungs, today, &mut people);
    actions::gather(policy, &owed, today, &mut people);
    plan.mails = mails(policy, people, &listed);
    plan.faults.extend(owed.faults);
    (plan.actions, plan.by_hand) = (owed.due, owed.by_hand);
    plan
}

/// The rungs of one request that are due today. `weekly`: directors hear on that day.
fn reckon(
    policy: &Policy,
    request: &Chased,
    already: &BTreeSet<String>,
    (today, weekly): (Date, bool),
) -> Result<(Vec<RungDue>, RequestDates), String> {
    let day = |text: &str| text.parse::<Date>().map_err(|_| "its dates cannot be read".to_owned());
    let dates = RequestDates {
        opened_on: day(&request.asked_on)?,
        accepted: request.state == "accepted",
        draft_due_on: request.draft_due_on.as_deref().map(day).transpose()?,
        due_on: day(&request.due_on)?,
        short: request.short,
    };
    let service = ServiceId(request.service.clone());
    let asked = policy.rules.services().in_area(&service, request.area.as_deref());
    let skipped = asked.map(|asked| asked.skip.as_slice()).unwrap_or_default();
    let due = policy
        .ladder
        .of_requests()
        .without(skipped)
        .all_due_today(today, weekly, &dates, already, &policy.calendar)
        .map_err(|e| e.to_string())?;
    let mut passed_over = due.passed_over;
    let due = due.rungs.into_iter().map(|rung| RungDue {
        request: request.id,
        case: request.case_id,
        reference: request.reference.clone(),
        service: service.clone(),
        area: request.area.clone(),
        responder: request.responder_name.clone().zip(request.responder_address.clone()),
        owner: request.owner.clone().map(OfficerId),
        rung,
        // Once, with the first.
        passed_over: std::mem::take(&mut passed_over),
    });
    Ok((due.collect(), dates))
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
        area: request.area.clone(),
        due_on,
        days_left,
        times_chased,
        accepted: dates.accepted,
        owner: request.owner.clone().map(OfficerId),
    })
}

/// The mail of a person, who gets one a day at most.
pub(super) fn person<'p>(
    people: &'p mut People,
    name: &str,
    address: &str,
) -> &'p mut (Mail, BTreeSet<Whose>) {
    let recipient = address.to_lowercase();
    people.entry(recipient.clone()).or_insert_with(|| {
        let mail = Mail {
            recipient,
            name: name.to_owned(),
            roles: BTreeSet::new(),
            because: Vec::new(),
            rows: Vec::new(),
            action_roles: BTreeSet::new(),
            actions: Vec::new(),
            ombudsman: Vec::new(),
        };
        (mail, BTreeSet::new())
    })
}

/// Of which requests somebody hears.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whose {
    service: ServiceId,
    areas: Areas,
    /// Of this officer's cases alone.
    own: Option<OfficerId>,
}

/// Of which areas of a service somebody hears.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Areas {
    /// Of all: the complaints team.
    All,
    /// Of one, or of what the service's own contacts answer.
    One(Option<String>),
}

/// Puts the rungs that are due into the mails of the day.
fn gather(policy: &Policy, rungs: &[RungDue], today: Date, people: &mut People) {
    for due in rungs {
        for role in &due.rung.to {
            let (contacts, own) = contacts(policy, due, *role, today);
            for (name, address) in contacts {
                let (mail, whose) = person(people, &name, &address);
                mail.roles.insert(*role);
                let areas =
                    if is_of_team(*role) { Areas::All } else { Areas::One(due.area.clone()) };
                whose.insert(Whose { service: due.service.clone(), areas, own: own.clone() });
                let why = (due.reference.clone(), due.rung.id.clone());
                if !mail.because.contains(&why) {
                    mail.because.push(why);
                }
            }
        }
    }
}

/// Whether a role is of the complaints team, which answers for no service.
fn is_of_team(role: Role) -> bool {
    matches!(role, Role::ComplaintsOfficer | Role::ComplaintsManager | Role::LinkOfficer)
}

/// One mail a person. Who hears of one request of a service sees all that the service still owes: one
/// list a day is easier to answer than one mail a case. Of a service's areas each sees their own.
fn mails(policy: &Policy, people: People, listed: &[Listed]) -> Vec<Mail> {
    let services = policy.rules.services();
    people
        .into_values()
        .map(|(mut mail, whose)| {
            let is_theirs = |row: &&Listed| {
                let whose_is = (&row.service, row.area.as_deref());
                whose.iter().any(|one| {
                    let is_area = match &one.areas {
                        Areas::All => true,
                        Areas::One(area) => *area == row.area,
                    };
                    one.service == row.service
                        && (one.own.is_none() || one.own == row.owner)
                        && (is_area || services.is_on_file(&mail.recipient, whose_is, None))
                })
            };
            mail.rows = listed.iter().filter(is_theirs).cloned().collect();
            mail.rows.sort_by_key(|row| (row.days_left, row.request));
            mail
        })
        .collect()
}

/// Who hears of a rung in a role, by name and address: by the services' file, or whom an officer named to answer; and
/// whose cases alone they see. What the complaints officer is told goes to whoever looks after the case, or stands in
/// for them: else to the team's own, who sees all.
fn contacts(
    policy: &Policy,
    due: &RungDue,
    role: Role,
    today: Date,
) -> (Vec<(String, String)>, Option<OfficerId>) {
    let owner = due.owner.as_ref().filter(|_| role == Role::ComplaintsOfficer);
    let present = owner.and_then(|owner| policy.officers.present(owner, today));
    if let Some(officer) = present {
        return (vec![(officer.name.clone(), officer.address.clone())], owner.cloned());
    }
    if let Some(named) = due.responder.as_ref().filter(|_| role == Role::RespondingManager) {
        return (vec![policy.rules.services().present(named.clone(), today)], None);
    }
    let area = due.area.as_deref();
    let all = policy.rules.services().address_for(&due.service, area, role.id(), today);
    (all.into_iter().map(|one| (one.name, one.address)).collect(), None)
}

/// Directors hear once a week: on its first working day.
fn is_first_working_day_of_week(calendar: &WorkingCalendar, today: Date) -> bool {
    let monday = today.weekday().to_monday_zero_offset();
    (1..=monday).all(|back| {
        let day = today.saturating_sub(jiff::Span::new().days(i64::from(back)));
        calendar.is_working_day(day).is_ok_and(|working| !working)
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn request(id: i64, area: Option<&str>) -> Chased {
        Chased {
            id,
            case_id: id,
            reference: format!("NCC-2026-0041{id}-7"),
            record_type: "corporate_complaint".to_owned(),
            procedure_id: "corporate".to_owned(),
            stage: 1,
            service: "sen".to_owned(),
            state: "accepted".to_owned(),
            asked_on: "2026-11-02".to_owned(),
            draft_due_on: Some("2026-11-25".to_owned()),
            due_on: "2026-11-30".to_owned(),
            short: false,
            responder_name: None,
            responder_address: None,
            area: area.map(str::to_owned),
            owner: None,
        }
    }

    #[test]
    fn each_area_hears_of_its_own_in_one_mail_and_who_is_above_of_all() {
        let policy = Policy::shipped().unwrap();
        let requests = vec![
            request(1, None),
            request(2, Some("north")),
            request(3, Some("south")),
            request(4, Some("south")),
        ];
        let known = Known { requests, ..Known::default() };
        let plan = plan(&policy, &known, date(2026, 11, 25));
        let rows = |who: &str| {
            let address = format!("{who}@northmere.example");
            let mut theirs = plan.mails.iter().filter(|mail| mail.recipient == address);
            let mail = theirs.next().map(|mail| mail.rows.iter().map(|row| row.request).collect());
            assert!(theirs.next().is_none(), "{who} has one mail");
            let mut rows: Vec<i64> = mail.unwrap_or_default();
            rows.sort_unstable();
            rows
        };
        assert_eq!(rows("theodora.lyle"), [1]);
        assert_eq!(rows("lena.brandt"), [2]);
        assert_eq!(rows("joel.amberley"), [3, 4]);
        assert_eq!(rows("magnus.orchard"), [1, 2, 3, 4], "the head of all of them");
        // The draft is late tomorrow, and the complaints team hears of each.
        let plan = super::plan(&policy, &known, date(2026, 11, 26));
        let officer = plan.mails.iter().find(|mail| mail.roles.contains(&Role::ComplaintsOfficer));
        assert_eq!(officer.unwrap().rows.len(), 4);
    }
}
