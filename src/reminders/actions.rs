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
    /// The area of the service that was asked about its case.
    pub area: Option<String>,
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
                let owner = owner(policy, row, today);
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
        area: row.area.clone(),
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

/// Name and address of whoever owns an action, or stands in for them; none where mail does not reach them.
fn owner(policy: &Policy, row: &ActionRow, today: Date) -> Option<(String, String)> {
    let services = policy.rules.services();
    if let Some(service) = &row.owner_service {
        let role = Role::RespondingManager.id();
        let id = ServiceId(service.clone());
        let managers = services.address_for(&id, row.area.as_deref(), role, today);
        return managers.into_iter().next().map(|manager| (manager.name, manager.address));
    }
    let address = row.owner_address.clone()?;
    let name = row.owner_name.clone().unwrap_or_default();
    Some(services.present((name, address), today))
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
pub(super) fn gather(policy: &Policy, owed: &Owed, today: Date, people: &mut People) {
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
            let (service, area) = (&listed.service, listed.area.as_deref());
            for contact in policy.rules.services().address_for(service, area, role.id(), today) {
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::plan::{Known, Plan, plan};
    use super::*;
    use crate::store::requests::Chased;

    const MANAGER: &str = "theodora.lyle@northmere.example";

    fn row(id: i64, due_on: &str) -> ActionRow {
        ActionRow {
            id,
            case_id: 7,
            reference: "NCC-2026-00412-7".to_owned(),
            number: id,
            what: "speak to Helen Marsh".to_owned(),
            theme: None,
            part: None,
            service: None,
            owner_service: Some("sen".to_owned()),
            owner_name: None,
            owner_address: None,
            state: "open".to_owned(),
            agreed_on: "2026-11-02".to_owned(),
            due_on: due_on.to_owned(),
            round: 1,
            ended_on: None,
            evidence: None,
            message: None,
            lead_service: "fostering".to_owned(),
            area: None,
        }
    }

    fn of_person(id: i64, due_on: &str, address: Option<&str>) -> ActionRow {
        ActionRow {
            owner_service: None,
            owner_name: Some("Sam Reed".to_owned()),
            owner_address: address.map(str::to_owned),
            ..row(id, due_on)
        }
    }

    fn planned(known: &Known, today: Date) -> Plan {
        plan(&Policy::shipped().unwrap(), known, today)
    }

    fn of_actions(actions: Vec<ActionRow>, today: Date) -> Plan {
        planned(&Known { actions, ..Known::default() }, today)
    }

    #[test]
    fn one_mail_a_person_a_day_holds_requests_and_actions() {
        let request = Chased {
            id: 3,
            case_id: 9,
            reference: "NCC-2026-00413-6".to_owned(),
            record_type: "corporate_complaint".to_owned(),
            procedure_id: "corporate".to_owned(),
            stage: 1,
            service: "sen".to_owned(),
            state: "accepted".to_owned(),
            asked_on: "2026-11-02".to_owned(),
            draft_due_on: Some("2026-11-25".to_owned()),
            due_on: "2026-11-30".to_owned(),
            responder_name: None,
            responder_address: None,
            area: None,
            owner: None,
            short: false,
        };
        let known = Known {
            requests: vec![request],
            actions: vec![row(1, "2026-11-25"), row(2, "2027-02-26")],
            ..Known::default()
        };
        let plan = planned(&known, date(2026, 11, 25));
        let mut people: Vec<&str> = plan.mails.iter().map(|mail| &*mail.recipient).collect();
        people.dedup();
        assert_eq!(people, ["magnus.orchard@northmere.example", MANAGER], "one a person");
        let mail = plan.mails.iter().find(|mail| mail.recipient == MANAGER).unwrap();
        assert_eq!((mail.rows.len(), mail.because.len()), (1, 1));
        let listed: Vec<_> = mail
            .actions
            .iter()
            .map(|one| (one.number, one.rung.as_deref(), one.days_left, one.is_own))
            .collect();
        // Who is reminded of one sees all that they own.
        assert_eq!(listed, [(1, Some("action_due"), 0, true), (2, None, 64, true)]);
        let head = plan.mails.first().unwrap();
        assert!(head.actions.is_empty(), "the head hears only of what is late");
        let told = serde_json::to_string(&plan).unwrap();
        assert!(!told.contains("Helen"), "{told}");
    }

    #[test]
    fn what_is_late_climbs_to_those_above_and_downtime_sends_it_once() {
        let plan = of_actions(vec![row(1, "2026-11-25")], date(2026, 12, 4));
        assert_eq!(plan.actions.len(), 1);
        let due = plan.actions.first().unwrap();
        assert_eq!(due.rung.id, "action_late");
        let missed: Vec<&str> = due.passed_over.iter().map(|rung| &*rung.id).collect();
        assert_eq!(missed, ["action_soon", "action_due", "action_overdue"]);
        let people: Vec<_> = plan
            .mails
            .iter()
            .map(|mail| (&*mail.recipient, mail.actions.iter().all(|one| one.is_own)))
            .collect();
        // The manager owns it and hears once, though two roles name them.
        assert_eq!(people, [("magnus.orchard@northmere.example", false), (MANAGER, true)]);
        let recorded = |rung: &str, outcome: &str| ActionRung {
            action_id: 1,
            rung: rung.to_owned(),
            outcome: outcome.to_owned(),
        };
        let known = Known {
            actions: vec![row(1, "2026-11-25")],
            action_rungs: vec![recorded("action_due", "skipped"), recorded("action_late", "sent")],
            ..Known::default()
        };
        assert!(planned(&known, date(2026, 12, 4)).mails.is_empty(), "once");
        assert!(of_actions(vec![row(1, "2026-11-25")], date(2026, 12, 5)).mails.is_empty());
    }

    #[test]
    fn a_person_of_no_service_is_reminded_and_one_without_address_by_an_officer() {
        let rows = vec![
            of_person(1, "2026-11-25", Some("sam.reed@northmere.example")),
            of_person(2, "2026-11-25", None),
            ActionRow { owner_service: Some("gone".to_owned()), ..row(3, "2026-11-25") },
        ];
        let plan = of_actions(rows, date(2026, 11, 25));
        let people: Vec<_> =
            plan.mails.iter().map(|mail| (&*mail.recipient, &*mail.name)).collect();
        assert_eq!(people, [("sam.reed@northmere.example", "Sam Reed")]);
        let tasks: Vec<&str> = plan.by_hand.iter().map(|(_, words)| &**words).collect();
        assert_eq!(tasks.len(), 2);
        assert!(
            tasks.iter().all(|words| words.contains("of NCC-2026-00412-7: due on 2026-11-25")
                && !words.contains("Sam")),
            "{tasks:?}"
        );
        assert!(tasks.first().is_some_and(|words| words.starts_with("action 2 of ")), "{tasks:?}");
        // Those above hear of it whoever owns it: of the service that leads the answer.
        let plan = of_actions(vec![of_person(1, "2026-11-24", None)], date(2026, 11, 25));
        assert_eq!((plan.mails.len(), plan.by_hand.len()), (1, 1));
    }

    #[test]
    fn what_cannot_be_counted_is_told_and_stops_nothing_else() {
        let plan = of_actions(vec![row(1, "2999-01-01"), row(2, "2026-11-25")], date(2026, 11, 25));
        assert_eq!((plan.faults.len(), plan.actions.len()), (1, 1));
        assert!(plan.faults.iter().all(|fault| fault.starts_with("action 1 of NCC-2026-00412-7")));
    }
}
