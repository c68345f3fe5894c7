//! Which reminder fits today for every action that is owed, and who hears of it. Pure.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use serde::Serialize;

use super::plan::{Mail, People, person};
use crate::casework::reminder::{RequestDates, Role, Rung};
use crate::casework::vocabulary::ServiceId;
use crate::policy::Policy;
use crate::store::actions::{ActionRow, ActionRung, task_about};

/// A reminder of an action that is due today.
#[derive(Debug, Clone, Serialize)]
pub struct ActionDue {
    /// Action row.
    pub action: i64,
    /// Case row.
    #[serde(skip)]
    pub case: i64,
    /// Which date of it.
    #[serde(skip)]
    pub round: i64,
    /// Reference.
    pub reference: String,
    /// Its number within the case.
    pub number: i64,
    /// The rung.
    pub rung: Rung,
    /// Lower rungs that were missed and are never sent.
    #[serde(skip)]
    pub passed_over: Vec<Rung>,
}

/// An action as a list shows it: not what it is, which may name people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedAction {
    /// Action row.
    pub action: i64,
    /// Case row.
    #[serde(skip)]
    pub case: i64,
    /// Reference.
    pub reference: String,
    /// Its number within the case.
    pub number: i64,
    /// The service that it is for.
    pub service: ServiceId,
    /// By when.
    pub due_on: Date,
    /// Working days left; negative once late.
    pub days_left: i32,
    /// The rung for which this person hears of it today; none where it is only listed with others.
    pub rung: Option<String>,
    /// What that rung asks.
    #[serde(skip)]
    pub asks: Option<String>,
    /// Whether this person owns it.
    pub is_own: bool,
}

/// What is due of all actions.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// The reminders, one an action at most.
    pub(super) due: Vec<ActionDue>,
    /// Whom nobody can remind: case row, and the words of an officer's task.
    pub(super) by_hand: Vec<(i64, String)>,
    /// Actions that could not be reckoned, in words for a person.
    pub(super) faults: Vec<String>,
    listed: Vec<(ListedAction, Option<(String, String)>)>,
}

/// Works out a day.
pub(super) fn owed(
    policy: &Policy,
    rows: &[ActionRow],
    recorded: &[ActionRung],
    today: Date,
) -> Owed {
    let mut seen: HashMap<i64, BTreeSet<String>> = HashMap::new();
    for row in recorded {
        seen.entry(row.action_id).or_default().insert(row.rung.clone());
    }
    let none = BTreeSet::new();
    let mut owed = Owed::default();
    for row in rows {
        let already = seen.get(&row.id).unwrap_or(&none);
        match reckon(policy, row, already, today) {
            Ok((listed, due)) => {
                let owner = owner(policy, row);
                owed.by_hand.extend(due.iter().filter_map(|due| by_hand(due, row, owner.as_ref())));
                owed.listed.push((listed, owner));
                owed.due.extend(due);
            }
            Err(fault) => {
                owed.faults.push(format!("{}{fault}", task_about(&row.reference, row.number)));
            }
        }
    }
    owed
}

/// The reminder of one action that is due today, if any.
fn reckon(
    policy: &Policy,
    row: &ActionRow,
    already: &BTreeSet<String>,
    today: Date,
) -> Result<(ListedAction, Option<ActionDue>), String> {
    let day = |text: &str| text.parse::<Date>().map_err(|_| "its dates cannot be read".to_owned());
    let due_on = day(&row.due_on)?;
    let dates = RequestDates::of_action(day(&row.agreed_on)?, due_on);
    let (calendar, steps) = (&policy.calendar, policy.ladder.of_actions());
    let gap = |gap: crate::casework::calendar::NotCovered| gap.to_string();
    let service = row.service.as_ref().or(row.owner_service.as_ref()).unwrap_or(&row.lead_service);
    let listed = ListedAction {
        action: row.id,
        case: row.case_id,
        reference: row.reference.clone(),
        number: row.number,
        service: ServiceId(service.clone()),
        due_on,
        days_left: calendar.working_days_between(today, due_on).map_err(gap)?,
        rung: None,
        asks: None,
        is_own: false,
    };
    let rung = steps.due_today(today, &dates, already, calendar).map_err(gap)?;
    let due = match rung {
        Some(rung) => Some(ActionDue {
            action: row.id,
            case: row.case_id,
            round: row.round,
            reference: row.reference.clone(),
            number: row.number,
            passed_over: steps.passed_over(&rung, &dates, already, calendar).map_err(gap)?,
            rung,
        }),
        None => None,
    };
    Ok((listed, due))
}

/// Name and address of whoever owns an action; none where mail does not reach them.
fn owner(policy: &Policy, row: &ActionRow) -> Option<(String, String)> {
    if let Some(service) = &row.owner_service {
        let role = Role::RespondingManager.id();
        let service = ServiceId(service.clone());
        let managers = policy.rules.services().address_for(&service, role);
        return managers.into_iter().next().map(|manager| (manager.name, manager.address));
    }
    row.owner_address.clone().map(|address| (row.owner_name.clone().unwrap_or_default(), address))
}

/// Asks an officer to remind an owner whom no mail reaches.
fn by_hand(
    due: &ActionDue,
    row: &ActionRow,
    owner: Option<&(String, String)>,
) -> Option<(i64, String)> {
    if owner.is_some() || !due.rung.to.contains(&Role::ActionOwner) {
        return None;
    }
    let about = task_about(&row.reference, row.number);
    let words = format!(
        "{about}due on {}, and no mail reaches its owner: remind them by hand, or say what became of it",
        row.due_on
    );
    Some((due.case, words))
}

/// Puts what is due into the mails of the day. An owner who is reminded of one sees all that they own.
pub(super) fn gather(policy: &Policy, owed: &Owed, people: &mut People) {
    for due in &owed.due {
        let Some((listed, owner)) = owed.listed.iter().find(|(one, _)| one.action == due.action)
        else {
            continue;
        };
        for role in &due.rung.to {
            if *role == Role::ActionOwner {
                if let Some((name, address)) = owner {
                    let mail = &mut person(people, name, address).0;
                    mail.action_roles.insert(*role);
                    put(mail, listed, Some(due), true);
                    own(mail, owed);
                }
                continue;
            }
            for contact in policy.rules.services().address_for(&listed.service, role.id()) {
                let mail = &mut person(people, &contact.name, &contact.address).0;
                mail.action_roles.insert(*role);
                let is_own = owner.as_ref().is_some_and(|(_, one)| is_of(mail, one));
                put(mail, listed, Some(due), is_own);
            }
        }
    }
    for (mail, _) in people.values_mut() {
        mail.actions.sort_by_key(|row| (row.due_on, row.action));
    }
}

fn is_of(mail: &Mail, address: &str) -> bool {
    address.to_lowercase() == mail.recipient
}

/// Adds everything that the reader owns.
fn own(mail: &mut Mail, owed: &Owed) {
    for (listed, owner) in &owed.listed {
        if owner.as_ref().is_some_and(|(_, address)| is_of(mail, address)) {
            put(mail, listed, None, true);
        }
    }
}

/// An action is in a mail once, with the reason for which it is there.
fn put(mail: &mut Mail, listed: &ListedAction, due: Option<&ActionDue>, is_own: bool) {
    let known = mail.actions.iter().position(|one| one.action == listed.action);
    let at = known.unwrap_or_else(|| {
        mail.actions.push(ListedAction { is_own, ..listed.clone() });
        mail.actions.len() - 1
    });
    if let (Some(row), Some(due)) = (mail.actions.get_mut(at), due) {
        row.rung = Some(due.rung.id.clone());
        row.asks.clone_from(&due.rung.asks);
    }
}
