//! `postern case actions` and what is done to an action, in words.

use jiff::civil::Date;

use super::super::arguments::ActionAct as Asked;
use super::super::{Failure, Out};
use crate::casework::case::{ActionStep, Owner};
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::officer::{Act, ActionMove};
use crate::register;
use crate::store::actions::{self, ActionRow};

/// Which case, and what is to be done to its actions.
pub(super) fn of(asked: Asked) -> (String, Act) {
    let (reference, wanted) = match asked {
        Asked::AgreeAction {
            reference,
            what,
            due,
            service,
            owner,
            address,
            theme,
            part,
            agreed,
        } => {
            let wanted = ActionMove::Agree {
                what,
                due_on: due,
                theme,
                part,
                service,
                owner,
                address,
                agreed_on: agreed,
            };
            (reference, wanted)
        }
        Asked::MoveAction { reference, number, due, because } => {
            (reference, ActionMove::Move { number, due_on: due, because })
        }
        Asked::ActionDone { reference, number, evidence, message, on } => {
            let evidence = evidence.unwrap_or_default();
            (reference, ActionMove::Done { number, evidence, message, on })
        }
        Asked::DropAction { reference, number, because } => {
            (reference, ActionMove::Drop { number, because })
        }
        Asked::ReopenAction { reference, number, due, because } => {
            (reference, ActionMove::Reopen { number, due_on: due, because })
        }
    };
    (reference, Act::Action { wanted })
}

/// Which actions a list gives.
pub(super) struct Listed {
    pub(super) overdue: bool,
    pub(super) owner: Option<String>,
    pub(super) service: Option<String>,
    pub(super) all: bool,
}

/// The actions of all cases.
pub(super) async fn list(
    gateway: &Gateway,
    which: Listed,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let today = london_day(gateway.clock.now());
    let policy = gateway.policy();
    if let Some(service) = &which.service {
        let known = policy.rules.services().all();
        if known.iter().all(|one| one.id != *service) {
            let known: Vec<&str> = known.iter().map(|one| one.id.as_str()).collect();
            let words = format!("no service `{service}`; services.toml has: {}", known.join(", "));
            return Err(Failure::Usage(words));
        }
    }
    let wanted = actions::Listed {
        state: (!which.all).then_some("open"),
        overdue_on: which.overdue.then_some(today),
        service: which.service.as_deref(),
        after: None,
    };
    for row in register::actions(gateway, wanted, which.owner.as_deref(), usize::MAX).await? {
        if as_json {
            out.json(&row)?;
        } else {
            out.line(&line(&row, today))?;
        }
    }
    Ok(())
}

fn line(row: &ActionRow, today: Date) -> String {
    let late = if row.state == "open" && row.due_on < today.to_string() { " LATE" } else { "" };
    let due = match row.state.as_str() {
        "open" => format!("due {}{late}", row.due_on),
        ended => format!("{ended} {}", row.ended_on.as_deref().unwrap_or_default()),
    };
    let whose = owner(row);
    format!("{} {:<3} {due:<20} {whose:<28} {}", row.reference, row.number, row.what)
}

/// Whose an action is.
fn owner(row: &ActionRow) -> &str {
    row.owner_name.as_deref().or(row.owner_service.as_deref()).unwrap_or_default()
}

/// An action of a case, as a line.
pub(super) fn shown(row: &ActionRow, of: &str) -> String {
    let whose = owner(row);
    let elsewhere =
        if row.reference == of { String::new() } else { format!(" of {}", row.reference) };
    let why = row.service.as_ref().map_or_else(String::new, |one| format!(", for {one}"));
    let state = match row.state.as_str() {
        "open" => format!("due {}", super::show::day(&row.due_on)),
        ended => {
            let on = row.ended_on.as_deref().map(super::show::day).unwrap_or_default();
            format!("{ended} on {on}")
        }
    };
    let evidence = row.evidence.as_deref().filter(|words| !words.is_empty());
    let evidence = evidence.map_or_else(String::new, |words| format!(": {words}"));
    let seen = row.message.as_ref().map_or_else(String::new, |one| format!(" (message {one})"));
    let what = &row.what;
    format!("  action     {}{elsewhere} {what} ({whose}{why}), {state}{evidence}{seen}", row.number)
}

/// What happened to an action, as a case's history tells it.
pub(super) fn told(number: u32, step: &ActionStep) -> String {
    match step {
        ActionStep::Agreed { what, owner, due_on, .. } => {
            let owner = match owner {
                Owner::Service(service) => service.to_string(),
                Owner::Person { name, .. } => name.0.clone(),
            };
            format!("agreed action {number} with {owner}, due on {due_on}: {}", what.0)
        }
        ActionStep::Moved { before, due_on, because } => {
            format!("moved action {number} from {before} to {due_on}: {}", because.0)
        }
        ActionStep::Done { on, evidence, message } => {
            let seen = message.as_ref().map_or_else(String::new, |one| format!(" (message {one})"));
            let how = if evidence.is_empty() { String::new() } else { format!(": {}", evidence.0) };
            format!("recorded that action {number} was done on {on}{how}{seen}")
        }
        ActionStep::Dropped { because, .. } => format!("dropped action {number}: {}", because.0),
        ActionStep::Reopened { due_on, because } => {
            format!("took action {number} up again, due on {due_on}: {}", because.0)
        }
        ActionStep::Reminded { rung } => format!("reminded of action {number} ({rung})"),
    }
}
