//! What the council agreed to do because of a complaint. An action outlives the answer: a case is answered
//! when the answer is known, not when every action is done (Ombudsman's Code 6.6).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::event::Event;
use super::moves::a_reason;
use super::{Case, CaseStatus, Refusal};
use crate::casework::vocabulary::{ServiceId, SubTheme, Theme, vocabulary};
use crate::private::Private;

vocabulary! {
    /// Where an action stands.
    ActionState {
        /// Somebody owes it.
        Open = "open", "Open";
        /// It was done, and there is evidence of that.
        Done = "done", "Done";
        /// It will not be done, for a reason.
        Dropped = "dropped", "Dropped";
    }
}

/// What an action is for: the whole case, where nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Purpose {
    /// The theme of the issue that it puts right.
    pub theme: Option<Theme>,
    /// What exactly within the theme.
    pub part: Option<SubTheme>,
    /// The service that it is for.
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceId>,
}

/// Who sees to an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ActionOwner)]
pub enum Owner {
    /// Whoever is the responding manager of a service on the day.
    Service(ServiceId),
    /// A person.
    Person {
        /// Who.
        name: Private<String>,
        /// Where mail reaches them; without it they are reminded by hand.
        address: Option<Private<String>>,
    },
}

/// What happened to an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum ActionStep {
    /// It was agreed.
    Agreed {
        /// What is to be done.
        what: Private<String>,
        /// For which issue.
        purpose: Purpose,
        /// Who sees to it.
        owner: Owner,
        /// When it was agreed.
        agreed_on: Date,
        /// By when.
        due_on: Date,
    },
    /// Its date was moved.
    Moved {
        /// The date until then.
        before: Date,
        /// The date since.
        due_on: Date,
        /// Why.
        because: Private<String>,
    },
    /// It was done.
    Done {
        /// When.
        on: Date,
        /// How that is known.
        evidence: Private<String>,
        /// The message (`17`) or attachment (`17/1`) of the case that shows it.
        message: Option<String>,
    },
    /// It will not be done.
    Dropped {
        /// When that was decided.
        on: Date,
        /// Why.
        because: Private<String>,
    },
    /// It is taken up again.
    Reopened {
        /// By when.
        due_on: Date,
        /// Why.
        because: Private<String>,
    },
    /// Somebody was reminded of it, or an officer was asked to.
    Reminded {
        /// By which rung of `reminders.toml`.
        rung: String,
    },
}

/// An action as its events leave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// Its number within the case, from 1.
    pub number: u32,
    /// What is to be done.
    pub what: Private<String>,
    /// For which issue.
    pub purpose: Purpose,
    /// Who sees to it.
    pub owner: Owner,
    /// Where it stands.
    pub state: ActionState,
    /// When it was agreed.
    pub agreed_on: Date,
    /// By when.
    pub due_on: Date,
    /// Which date this is, from 1: with each new one its reminders start anew.
    pub round: u32,
    /// When it was done or dropped.
    pub ended_on: Option<Date>,
    /// How it is known that it was done.
    pub evidence: Option<Private<String>>,
    /// What of the case shows it: a message (`17`) or an attachment (`17/1`).
    pub message: Option<String>,
}

impl Action {
    fn end(&mut self, state: ActionState, on: Date) {
        self.state = state;
        self.ended_on = Some(on);
    }

    fn by(&mut self, due_on: Date) {
        self.due_on = due_on;
        self.round += 1;
    }
}

impl Case {
    /// What one more step makes of its actions.
    pub(super) fn take(&mut self, number: u32, step: &ActionStep) {
        if let ActionStep::Agreed { what, purpose, owner, agreed_on, due_on } = step {
            self.actions.push(Action {
                number,
                what: what.clone(),
                purpose: purpose.clone(),
                owner: owner.clone(),
                state: ActionState::Open,
                agreed_on: *agreed_on,
                due_on: *due_on,
                round: 1,
                ended_on: None,
                evidence: None,
                message: None,
            });
            return;
        }
        let Some(action) = self.actions.iter_mut().find(|one| one.number == number) else { return };
        match step {
            ActionStep::Moved { due_on, .. } => action.by(*due_on),
            ActionStep::Done { on, evidence, message } => {
                action.end(ActionState::Done, *on);
                action.evidence = Some(evidence.clone());
                action.message.clone_from(message);
            }
            ActionStep::Dropped { on, .. } => action.end(ActionState::Dropped, *on),
            ActionStep::Reopened { due_on, .. } => {
                action.by(*due_on);
                action.state = ActionState::Open;
                (action.ended_on, action.evidence, action.message) = (None, None, None);
            }
            ActionStep::Agreed { .. } | ActionStep::Reminded { .. } => {}
        }
    }

    /// The actions that somebody still owes.
    pub fn owed(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| action.state == ActionState::Open)
    }

    /// The action of a number.
    ///
    /// # Errors
    /// [`Refusal`] where the case has none of that number.
    pub fn action(&self, number: u32) -> Result<&Action, Refusal> {
        self.actions.iter().find(|action| action.number == number).ok_or_else(|| {
            let instead = match self.actions.len() {
                0 => "agree one first".to_owned(),
                1 => "it has action 1".to_owned(),
                many => format!("it has actions 1 to {many}"),
            };
            Refusal::new(format!("the case has no action {number}"), instead)
        })
    }

    /// Something is to be done because of the complaint.
    ///
    /// # Errors
    /// [`Refusal`] on a case that was withdrawn, rejected or merged, if nothing is to be done or nobody
    /// named, or on days that cannot be: agreed in the future, due in the past.
    pub fn agree_action(
        &self,
        what: &str,
        purpose: Purpose,
        owner: Owner,
        (agreed_on, due_on): (Date, Date),
        today: Date,
    ) -> Result<Event, Refusal> {
        if let Some((into, _)) = &self.merged {
            let why = format!("the case was merged into {into}");
            return Err(Refusal::new(why, format!("agree it on {into}")));
        }
        if matches!(self.status, CaseStatus::Withdrawn | CaseStatus::Rejected) {
            let why = format!("the case is {}", self.status.label().to_lowercase());
            return Err(Refusal::new(why, "reopen it first"));
        }
        let what = what.trim();
        if what.is_empty() {
            return Err(Refusal::new("nothing is to be done", "say what in a sentence"));
        }
        fits(&purpose)?;
        if matches!(&owner, Owner::Person { name, .. } if name.trim().is_empty()) {
            return Err(Refusal::new("the action has no owner", "name a person or a service"));
        }
        not_to_come(agreed_on, today, "agreed")?;
        let received = crate::clock::london_day(self.received_at);
        if agreed_on < received {
            let why = format!("the case was received on {received}");
            return Err(Refusal::new(why, "name a day from then on"));
        }
        not_past(due_on, today)?;
        let step = ActionStep::Agreed {
            what: Private(what.to_owned()),
            purpose,
            owner,
            agreed_on,
            due_on,
        };
        let last = self.actions.iter().map(|action| action.number).max().unwrap_or(0);
        Ok(Event::Action { number: last + 1, step })
    }

    /// It is to be done by another day.
    ///
    /// # Errors
    /// [`Refusal`] unless it is open, on its own day or one that has passed, or without a reason.
    pub fn move_action(
        &self,
        number: u32,
        due_on: Date,
        because: &str,
        today: Date,
    ) -> Result<Event, Refusal> {
        let action = self.open_action(number)?;
        if action.due_on == due_on {
            let why = format!("action {number} is due on {due_on} already");
            return Err(Refusal::new(why, "leave it as it is"));
        }
        not_past(due_on, today)?;
        let because = a_reason(because, "moving a date")?;
        Ok(Event::Action {
            number,
            step: ActionStep::Moved { before: action.due_on, due_on, because },
        })
    }

    /// It was done on a day. What shows that was looked up by the caller.
    ///
    /// # Errors
    /// [`Refusal`] unless it is open, without evidence, or on a day that cannot be.
    pub fn finish_action(
        &self,
        number: u32,
        on: Date,
        evidence: &str,
        message: Option<String>,
        today: Date,
    ) -> Result<Event, Refusal> {
        let action = self.open_action(number)?;
        not_to_come(on, today, "done")?;
        if on < action.agreed_on {
            let why = format!("action {number} was agreed on {}", action.agreed_on);
            return Err(Refusal::new(why, "name a day from then on"));
        }
        let evidence = evidence.trim();
        if evidence.is_empty() && message.is_none() {
            let why = "nothing shows that it was done";
            return Err(Refusal::new(why, "say how it is known, or name a message of the case"));
        }
        let evidence = Private(evidence.to_owned());
        Ok(Event::Action { number, step: ActionStep::Done { on, evidence, message } })
    }

    /// It will not be done.
    ///
    /// # Errors
    /// [`Refusal`] unless it is open, or without a reason.
    pub fn drop_action(&self, number: u32, because: &str, today: Date) -> Result<Event, Refusal> {
        self.open_action(number)?;
        let because = a_reason(because, "dropping an action")?;
        Ok(Event::Action { number, step: ActionStep::Dropped { on: today, because } })
    }

    /// It is to be done after all, or was not done well enough: by the day that it had, or by another.
    ///
    /// # Errors
    /// [`Refusal`] if it is open, if the day has passed, or without a reason.
    pub fn reopen_action(
        &self,
        number: u32,
        due_on: Option<Date>,
        because: &str,
        today: Date,
    ) -> Result<Event, Refusal> {
        let action = self.action(number)?;
        if action.state == ActionState::Open {
            let why = format!("action {number} is open already");
            return Err(Refusal::new(why, "leave it as it is, or move its date"));
        }
        let due_on = due_on.unwrap_or(action.due_on);
        not_past(due_on, today)?;
        let because = a_reason(because, "taking an action up again")?;
        Ok(Event::Action { number, step: ActionStep::Reopened { due_on, because } })
    }

    fn open_action(&self, number: u32) -> Result<&Action, Refusal> {
        let action = self.action(number)?;
        match action.state {
            ActionState::Open => Ok(action),
            ActionState::Done | ActionState::Dropped => {
                let why = format!("action {number} is {} already", action.state);
                Err(Refusal::new(why, "reopen the action first"))
            }
        }
    }
}

fn fits(purpose: &Purpose) -> Result<(), Refusal> {
    match (purpose.theme, purpose.part) {
        (None, Some(part)) => {
            let why = format!("`{part}` is part of a theme");
            Err(Refusal::new(why, format!("name its theme, `{}`, too", part.theme())))
        }
        (Some(theme), Some(part)) if part.theme() != theme => {
            let why = format!("`{part}` is no part of `{theme}`");
            Err(Refusal::new(why, format!("it is part of `{}`", part.theme())))
        }
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

fn not_to_come(day: Date, today: Date, what: &str) -> Result<(), Refusal> {
    if day > today {
        let instead = format!("name the day on which it was {what}");
        return Err(Refusal::new(format!("{day} is still to come"), instead));
    }
    Ok(())
}

fn not_past(due_on: Date, today: Date) -> Result<(), Refusal> {
    if due_on < today {
        return Err(Refusal::new(format!("{due_on} has passed"), "name a day from today on"));
    }
    Ok(())
}
