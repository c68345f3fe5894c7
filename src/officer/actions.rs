//! What was agreed because of a complaint: by whom it is done, by when, and what shows that it was.

use jiff::civil::Date;

use super::{ActFault, Found, record, save, service_named};
use crate::casework::case::{ActionState, Actor, Event, Owner, Purpose, Refusal};
use crate::casework::vocabulary::{ServiceId, SubTheme, Theme};
use crate::casework::working::in_words;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::outbox::MailAddress;
use crate::store::{StoreError, Tx, actions, attachments, cases, messages};

/// What an officer may do to the actions of a case.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(tag = "move", rename_all = "snake_case", deny_unknown_fields)]
pub enum ActionMove {
    /// Something is to be done because of the complaint. Its owner is a person, or the responding manager of
    /// the service.
    Agree {
        /// What is to be done.
        what: String,
        /// By when.
        #[schema(value_type = String, format = Date, example = "2026-05-29")]
        due_on: Date,
        /// The theme of the issue that it puts right.
        theme: Option<Theme>,
        /// What exactly within the theme.
        part: Option<SubTheme>,
        /// The service that it is for.
        service: Option<String>,
        /// The person who owns it; the service's responding manager, where nobody is named.
        owner: Option<String>,
        /// Where mail reaches that person.
        address: Option<String>,
        /// When it was agreed; today, where no day is named.
        #[schema(value_type = Option<String>, format = Date, example = "2026-04-30")]
        agreed_on: Option<Date>,
    },
    /// It is to be done by another day.
    Move {
        /// Which action of the case.
        number: u32,
        /// By when.
        #[schema(value_type = String, format = Date, example = "2026-06-12")]
        due_on: Date,
        /// Why.
        because: String,
    },
    /// It was done.
    Done {
        /// Which action of the case.
        number: u32,
        /// How that is known; may be left out where a message shows it.
        #[serde(default)]
        evidence: String,
        /// The message (`17`) or attachment (`17/1`) of the case that shows it.
        message: Option<String>,
        /// When; today, where no day is named.
        #[schema(value_type = Option<String>, format = Date, example = "2026-05-28")]
        on: Option<Date>,
    },
    /// It will not be done.
    Drop {
        /// Which action of the case.
        number: u32,
        /// Why.
        because: String,
    },
    /// It is to be done after all, or was not done well enough.
    Reopen {
        /// Which action of the case.
        number: u32,
        /// By when; the day that it had, where none is named.
        #[schema(value_type = Option<String>, format = Date, example = "2026-06-12")]
        due_on: Option<Date>,
        /// Why.
        because: String,
    },
}

fn refused(because: impl Into<String>, instead: impl Into<String>) -> ActFault {
    Refusal { because: because.into(), instead: instead.into() }.into()
}

/// Does one of them.
pub(super) async fn act(
    tx: &mut Tx,
    gateway: &Gateway,
    found: Found,
    by: &Actor,
    wanted: ActionMove,
) -> Result<String, ActFault> {
    let today = london_day(gateway.clock.now());
    let case = &found.case;
    let (event, new_day) = match wanted {
        ActionMove::Agree { what, due_on, theme, part, service, owner, address, agreed_on } => {
            let service = service.map(|id| service_named(gateway, id.trim())).transpose()?;
            let owner = owner_of(gateway, &found, owner, address, service.as_ref())?;
            let purpose = Purpose { theme, part, service };
            let days = (agreed_on.unwrap_or(today), due_on);
            (case.agree_action(&what, purpose, owner, days, today)?, Some(due_on))
        }
        ActionMove::Move { number, due_on, because } => {
            (case.move_action(number, due_on, &because, today)?, Some(due_on))
        }
        ActionMove::Done { number, evidence, message, on } => {
            let message = match message {
                Some(named) => Some(shown_in(tx, &found, named.trim()).await?),
                None => None,
            };
            let on = on.unwrap_or(today);
            (case.finish_action(number, on, &evidence, message, today)?, None)
        }
        ActionMove::Drop { number, because } => (case.drop_action(number, &because, today)?, None),
        ActionMove::Reopen { number, due_on, because } => {
            let day = due_on.or(case.action(number).ok().map(|action| action.due_on));
            (case.reopen_action(number, due_on, &because, today)?, day)
        }
    };
    let closed = new_day.map(|day| is_closed(gateway, day)).transpose()?.unwrap_or(false);
    write(tx, gateway, found, by, event, closed).await
}

/// Records what happened to an action, and writes what it has become.
async fn write(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    event: Event,
    due_on_closed_day: bool,
) -> Result<String, ActFault> {
    let Event::Action { number, .. } = event else {
        // The moves of actions give no other event.
        return Err(StoreError::unsuitable("write an action", "no step of one".to_owned()).into());
    };
    record(tx, gateway, &mut found, by, event).await?;
    let action = found.case.action(number)?;
    actions::put(tx, found.row.id, action).await?;
    save(tx, gateway, &found, None).await?;
    let reference = &found.row.reference;
    let one = (reference.as_str(), number.into());
    actions::end_tasks(tx, found.row.id, one, gateway.clock.now()).await?;
    if action.state != ActionState::Open {
        return Ok(format!("action {number} of {reference} is {}", action.state));
    }
    let mut words = format!("action {number} of {reference} is due on {}", in_words(action.due_on));
    if due_on_closed_day {
        words.push_str(", which is no working day: its reminders count from the one before");
    }
    if gateway.policy().ladder.of_actions().is_empty() {
        words.push_str("; nobody is reminded of it: reminders.toml has no [[action]]");
    } else if matches!(action.owner, Owner::Person { address: None, .. }) {
        words.push_str("; its owner has no e-mail address: an officer is asked to remind them");
    }
    Ok(words)
}

/// Whether a day is no working day. Only of a day that the calendar covers can reminders be counted.
fn is_closed(gateway: &Gateway, day: Date) -> Result<bool, ActFault> {
    let policy = gateway.policy();
    let works = policy.calendar.is_working_day(day);
    works.map(|works| !works).map_err(|gap| {
        let instead = format!("name a day up to {}", policy.calendar.covered_until());
        refused(gap.to_string(), instead)
    })
}

/// Who is to see to an action.
fn owner_of(
    gateway: &Gateway,
    found: &Found,
    name: Option<String>,
    address: Option<String>,
    service: Option<&ServiceId>,
) -> Result<Owner, ActFault> {
    let address = address.map(|address| address.trim().to_lowercase());
    let Some(name) = name else {
        if address.is_some() {
            return Err(refused("an address alone names nobody", "give the owner's name with it"));
        }
        let service = service.cloned().ok_or_else(|| {
            refused("the action has no owner", "name a person, or a service whose manager owns it")
        })?;
        return Ok(Owner::Service(service));
    };
    if let Some(address) = &address {
        MailAddress::parse(address).map_err(|fault| {
            refused(format!("nothing can be sent to that address: {fault}"), "write name@domain")
        })?;
        let customer = found.row.customer_address.as_ref();
        if customer.is_some_and(|customer| customer.eq_ignore_ascii_case(address)) {
            let why = "that is the customer's address";
            return Err(refused(why, "name whoever of the council sees to it"));
        }
        if gateway.standing.own_addresses.contains(address) {
            let why = "that is the gateway's own address";
            return Err(refused(why, "name the person's, or leave it out to be asked by a task"));
        }
    }
    Ok(Owner::Person { name: name.trim().to_owned().into(), address: address.map(Into::into) })
}

/// A message or an attachment of the case, as the register keeps its name.
async fn shown_in(tx: &mut Tx, found: &Found, named: &str) -> Result<String, ActFault> {
    let (message, attachment) = match named.split_once('/') {
        Some((message, attachment)) => (message.parse(), Some(attachment.parse())),
        None => (named.parse(), None),
    };
    let attachment: Option<i64> = attachment.transpose().map_err(|_| no_name(named))?;
    let message: i64 = message.map_err(|_| no_name(named))?;
    let see = "`postern case show` lists what the case has";
    let case = messages::case_of(tx, message).await?;
    let standing = match case {
        Some(case) => cases::standing(tx, case).await?.map(|row| row.id),
        None => None,
    };
    if case != Some(found.row.id) && standing != Some(found.row.id) {
        return Err(refused(format!("message {message} is none of the case"), see));
    }
    if let Some(number) = attachment
        && !attachments::is_there(tx, message, number).await?
    {
        return Err(refused(format!("message {message} has no attachment {number}"), see));
    }
    Ok(named.to_owned())
}

fn no_name(named: &str) -> ActFault {
    let why = format!("`{named}` names no message");
    refused(why, "write its number, 17, or an attachment's, 17/1")
}

/// How many actions of a case are still owed, as the end of a sentence.
pub(super) fn owed(found: &Found) -> String {
    match found.case.owed().count() {
        0 => String::new(),
        1 => "; 1 action is still open, and its owner is reminded of it".to_owned(),
        more => format!("; {more} actions are still open, and their owners are reminded of them"),
    }
}
