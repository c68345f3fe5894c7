//! Whose a case is, as officers decide it; and the work shared anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::{ActFault, Found, record};
use crate::casework::allocation::{Facts, Ground, Handover, Held, Officers};
use crate::casework::case::{Actor, OfficerId, Refusal};
use crate::casework::vocabulary::ServiceId;
use crate::casework::working::in_words;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::intake::loads;
use crate::store::Tx;
use crate::store::allocations::{self, OpenRow};
use crate::store::tasks::{self, NewTask};

/// What commands call it that no officer has a case.
pub const NOBODY: &str = "nobody";

/// Gives a case to an officer, or takes it from whoever has it. Whoever is away is not refused: an officer may
/// know better, and is told.
pub(super) async fn assign(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    to: &str,
    because: Option<String>,
) -> Result<String, ActFault> {
    let policy = gateway.policy();
    let to = named(&policy.officers, to)?;
    let because = because.unwrap_or_default();
    let event = found.case.allocate(to.clone(), Ground::ByHand, &because)?;
    record(tx, gateway, &mut found, by, event).await?;
    allocations::own(tx, found.row.id, to.as_ref()).await?;
    tasks::finish_of_case(tx, found.row.id, &["allocate", "handed_over"], gateway.clock.now())
        .await?;
    let reference = &found.row.reference;
    let Some(to) = to else { return Ok(format!("{reference} is nobody's")) };
    let today = london_day(gateway.clock.now());
    let away = policy.officers.get(&to).and_then(|officer| officer.absence_on(today));
    let away = away
        .map_or_else(String::new, |away| format!("; they are away until {}", in_words(away.until)));
    Ok(format!("{reference} is with {to}{away}"))
}

/// The officer that a command names; none for `nobody`.
fn named(officers: &Officers, id: &str) -> Result<Option<OfficerId>, ActFault> {
    if id == NOBODY {
        return Ok(None);
    }
    let to = OfficerId(id.to_owned());
    if officers.get(&to).is_some() {
        return Ok(Some(to));
    }
    let known: Vec<&str> = officers.all().iter().map(|one| one.id.0.as_str()).collect();
    let known = if known.is_empty() { "nobody yet".to_owned() } else { known.join(", ") };
    Err(ActFault::NoSuchOfficer { got: id.to_owned(), known })
}

/// A case that is taken up again is with whoever had it, if they are there; else it is given as a new one is.
pub(super) async fn renewed(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &mut Found,
) -> Result<(), ActFault> {
    let (policy, now) = (gateway.policy(), gateway.clock.now());
    let (officers, today) = (&policy.officers, london_day(now));
    let owner = found.case.owner.clone();
    let is_there = |id: &OfficerId| {
        officers.get(id).is_some_and(|officer| officer.absence_on(today).is_none())
    };
    if officers.all().is_empty() || owner.as_ref().is_some_and(is_there) {
        return Ok(());
    }
    let case = &found.case;
    let facts = Facts {
        record_type: Some(case.record_type),
        lead: case.services.first().cloned().unwrap_or_else(ServiceId::none),
        flags: case.flags.clone(),
        customer_type: case.customer_type,
        stage: case.stage,
        late: false,
        earlier: None,
    };
    let loads = loads(officers, &allocations::tallies(tx, today).await?);
    // Nobody free: it stays with whoever had it, whose deputy or who themselves will see it.
    let Some(choice) = officers.choose(&facts, &loads, today) else { return Ok(()) };
    let event = case.allocate(Some(choice.officer.clone()), choice.ground, &choice.because)?;
    record(tx, gateway, found, &Actor::Gateway, event).await?;
    Ok(allocations::own(tx, found.row.id, Some(&choice.officer)).await?)
}

/// Work that was shared anew, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebalanced {
    /// What went where, and why.
    pub moves: Vec<Handover>,
    /// References of cases for which nobody is free.
    pub left: Vec<String>,
}

/// Evens out the work with the fewest moves; or hands over all open cases of one officer, or those that nobody
/// has. Nothing is recorded in a rehearsal.
///
/// # Errors
/// [`ActFault`]; nothing is moved then. Whoever comes second is told.
pub async fn rebalance(
    gateway: &Arc<Gateway>,
    from: Option<String>,
    officer: &str,
    because: Option<String>,
    dry_run: bool,
) -> Result<Rebalanced, ActFault> {
    let today = london_day(gateway.clock.now());
    if dry_run {
        let mut tx = gateway.db.snapshot().await?;
        return Ok(planned(&mut tx, gateway, from.as_deref(), today).await?.0);
    }
    let by = Actor::Officer(OfficerId(officer.to_owned()));
    let inner = Arc::clone(gateway);
    gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let (mut done, versions) = planned(tx, &inner, from.as_deref(), today).await?;
                for one in &mut done.moves {
                    if let Some(because) = because.as_deref().filter(|text| !text.is_empty()) {
                        one.because = format!("{because}: {}", one.because);
                    }
                }
                let now = inner.clock.now();
                if !allocations::hand_over(tx, &by, &done.moves, &versions, now).await? {
                    return Err(ActFault::ChangedMeanwhile);
                }
                for one in &done.moves {
                    tasks::finish_of_case(tx, one.case, &["allocate"], now).await?;
                }
                tasks::add_all(tx, &NewTask::of_handovers(&done.moves), now).await?;
                if let Some(from) = &from {
                    let told = allocations::absence_tasks(tx, from).await?;
                    for task in told.into_iter().filter(|_| done.left.is_empty()) {
                        tasks::done(tx, task, now).await?;
                    }
                }
                Ok(done)
            })
        })
        .await
}

/// What would be moved, and the versions of the cases that it was decided on.
async fn planned(
    tx: &mut Tx,
    gateway: &Gateway,
    from: Option<&str>,
    today: Date,
) -> Result<(Rebalanced, BTreeMap<i64, i64>), ActFault> {
    let policy = gateway.policy();
    let officers = &policy.officers;
    if officers.all().is_empty() {
        let because = "officers.toml names nobody".to_owned();
        return Err(Refusal { because, instead: "add an [[officer]] first".to_owned() }.into());
    }
    let rows = allocations::open(tx).await?;
    let held: Vec<Held> = rows.iter().map(|row| row.held(today)).collect();
    let versions = rows.iter().map(|row| (row.id, row.version)).collect();
    let Some(from) = from else {
        let moves = officers.even_out(&held, today);
        return Ok((Rebalanced { moves, left: Vec::new() }, versions));
    };
    let owner = (from != NOBODY).then(|| OfficerId(from.to_owned()));
    let which: Vec<&Held> = held.iter().filter(|one| one.owner == owner).collect();
    // Somebody who has left the file may still have cases.
    if which.is_empty() {
        named(officers, from)?;
    }
    let (moves, left) = officers.hand_over(owner.as_ref(), &which, &held, today);
    let left = references(&rows, &left);
    Ok((Rebalanced { moves, left }, versions))
}

fn references(rows: &[OpenRow], some: &[i64]) -> Vec<String> {
    let some = rows.iter().filter(|row| some.contains(&row.id));
    some.map(|row| row.reference.clone()).collect()
}
