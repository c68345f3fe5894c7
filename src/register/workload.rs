//! Who of the complaints team has what, and what was given to somebody else.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::casework::allocation::{Ground, Handover, Officer};
use crate::gateway::Gateway;
use crate::officer::{NOBODY, Rebalanced};
use crate::store::StoreError;
use crate::store::allocations::{self, OpenRow};

/// "This week" is so many working days from today, as the lists of late cases have it.
const WEEK: i32 = 5;

/// What one officer has.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Workload)]
pub struct Work {
    /// The officer's id; `nobody` for cases that no officer has.
    pub officer: String,
    /// Their name; null for `nobody`, and for whoever is no longer in `officers.toml`.
    pub name: Option<String>,
    /// Their share of the work, up to 1; null as the name is.
    pub share: Option<f64>,
    /// Open cases.
    pub open: usize,
    /// Of these, past their day.
    pub overdue: usize,
    /// Of these, due today or within five working days.
    pub due_this_week: usize,
    /// Of these, with a clock that stands still.
    pub paused: usize,
    /// What they weigh together, as `officers.toml` has it.
    pub points: u32,
    /// The last day of their absence, while they are away.
    pub away_until: Option<Date>,
    /// Whether they are given new cases.
    pub takes_new: bool,
}

/// What everybody has: the officers in the file's order, then whoever has left it and still has cases, then
/// what nobody has.
///
/// # Errors
/// When the database refuses.
pub async fn workload(gateway: &Gateway, today: Date) -> Result<Vec<Work>, StoreError> {
    let mut tx = gateway.db.snapshot().await?;
    let rows = allocations::open(&mut tx).await?;
    let policy = gateway.policy();
    let mut by_owner: BTreeMap<Option<&str>, Vec<&OpenRow>> = BTreeMap::new();
    for row in &rows {
        by_owner.entry(row.owner.as_deref()).or_default().push(row);
    }
    let counted = |id: &str, officer: Option<&Officer>, rows: Vec<&OpenRow>| {
        let due = |row: &OpenRow| row.due_on();
        let soon = |day: Date| {
            let days = policy.calendar.working_days_between(today, day);
            day >= today && days.is_ok_and(|days| days <= WEEK)
        };
        Work {
            officer: id.to_owned(),
            name: officer.map(|one| one.name.clone()),
            share: officer.map(|one| f64::from(one.share) / 1000.0),
            open: rows.len(),
            overdue: rows.iter().filter(|row| due(row).is_some_and(|day| day < today)).count(),
            due_this_week: rows.iter().filter(|row| due(row).is_some_and(soon)).count(),
            paused: rows.iter().filter(|row| row.is_paused()).count(),
            points: rows.iter().map(|row| policy.officers.weight(&row.held(today).facts)).sum(),
            away_until: officer.and_then(|one| one.absence_on(today)).map(|away| away.until),
            takes_new: officer.is_some_and(|one| one.takes_new),
        }
    };
    let mut all = Vec::new();
    for officer in policy.officers.all() {
        let id = officer.id.0.as_str();
        all.push(counted(id, Some(officer), by_owner.remove(&Some(id)).unwrap_or_default()));
    }
    let nobodys = by_owner.remove(&None).unwrap_or_default();
    all.extend(by_owner.into_iter().filter_map(|(id, rows)| Some(counted(id?, None, rows))));
    all.push(counted(NOBODY, None, nobodys));
    Ok(all)
}

/// A case that went, or would go, from one to another.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Given {
    /// Reference.
    pub reference: String,
    /// Who had it; null where nobody did.
    pub from: Option<String>,
    /// Who gets it.
    pub to: String,
    /// On what ground.
    pub ground: Ground,
    /// The same in words.
    pub because: String,
    /// Whether a child may be at risk: whoever gets it reads it today.
    pub safeguarding: bool,
}

impl Given {
    fn of(one: Handover) -> Self {
        Self {
            reference: one.reference,
            from: one.from.map(|from| from.0),
            to: one.to.0,
            ground: one.ground,
            because: one.because,
            safeguarding: one.safeguarding,
        }
    }
}

/// Work that was shared anew, or would be.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Shared {
    /// What went where, and why.
    pub moves: Vec<Given>,
    /// References of cases for which nobody is free: they stay where they are.
    pub left: Vec<String>,
}

impl Shared {
    /// As it is given.
    pub fn of(done: Rebalanced) -> Self {
        Self { moves: done.moves.into_iter().map(Given::of).collect(), left: done.left }
    }
}
