//! Officers who go away and come back, cases for which nobody was free, and owners whom nobody knows any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::casework::allocation::{
    Absence, Ground, Handover, Held, Officer, Officers, OnAbsence, OnReturn,
};
use crate::casework::case::{Actor, OfficerId};
use crate::casework::working::in_words;
use crate::gateway::Gateway;
use crate::policy::Policy;
use crate::store::allocations::{self, OpenRow};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx};
use crate::tick::Tick;

/// How many references a task names; the rest are a number.
const MOST_NAMED: usize = 12;
/// The task that says that an owner is in `officers.toml` no longer.
const GONE: &str = "owner_gone";

/// Does what falls due on a day: who is back gets theirs, who goes away hands theirs over, and what waited for
/// somebody who is free is given.
pub(super) async fn run(
    tx: &mut Tx,
    policy: &Policy,
    today: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    let officers = &policy.officers;
    if officers.all().is_empty() {
        return Ok(());
    }
    for (officer, from_on) in allocations::absences(tx).await? {
        come_back(tx, officers, (&officer, &from_on), today, now).await?;
    }
    for officer in officers.all() {
        let Some(away) = officer.absence_on(today) else { continue };
        let is_long = away.working_days(&policy.calendar) > usize::from(officers.absence_days);
        if is_long && allocations::begin_absence(tx, &officer.id, away.from, now).await? {
            go_away(tx, officers, officer, away, today, now).await?;
        }
    }
    give_what_waits(tx, officers, today, now).await
}

/// Ends an absence of which the last day has passed, or which the file no longer has.
async fn come_back(
    tx: &mut Tx,
    officers: &Officers,
    (officer, from_on): (&str, &str),
    today: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = OfficerId(officer.to_owned());
    let found = officers.get(&id);
    if found.is_some_and(|officer| officer.absence_on(today).is_some()) {
        return Ok(());
    }
    if found.is_some() && officers.on_return == OnReturn::GiveBack {
        let given = allocations::handed_over(tx, officer, from_on).await?;
        let open = allocations::open(tx).await?;
        let back = given.iter().filter_map(|(case, _)| open.iter().find(|row| row.id == *case));
        let moves: Vec<Handover> = back.map(|row| given_back(row, &id, today)).collect();
        give(tx, &open, &moves, now).await?;
    }
    if let Some(task) = allocations::end_absence(tx, officer, from_on, now).await? {
        tasks::done(tx, task, now).await?;
    }
    Ok(())
}

fn given_back(row: &OpenRow, to: &OfficerId, today: Date) -> Handover {
    let held = row.held(today);
    Handover {
        safeguarding: held.facts.safeguarding(),
        case: held.case,
        reference: held.reference,
        from: held.owner,
        to: to.clone(),
        ground: Ground::Back,
        because: format!("{to} is back"),
    }
}

/// The first working day of an absence: what falls due before its end goes to others, or is listed.
async fn go_away(
    tx: &mut Tx,
    officers: &Officers,
    officer: &Officer,
    away: Absence,
    today: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    let open = allocations::open(tx).await?;
    let held: Vec<Held> = open.iter().map(|row| row.held(today)).collect();
    let due = |case: i64| {
        let row = open.iter().find(|row| row.id == case);
        row.and_then(OpenRow::due_on).is_some_and(|due| due <= away.until)
    };
    let theirs = held.iter().filter(|one| one.owner.as_ref() == Some(&officer.id));
    let theirs: Vec<&Held> = theirs.filter(|one| due(one.case)).collect();
    let still = match officers.on_absence {
        OnAbsence::List => theirs.iter().map(|one| one.reference.clone()).collect(),
        OnAbsence::HandOver => {
            let (moves, left) = officers.hand_over(Some(&officer.id), &theirs, &held, today);
            give(tx, &open, &moves, now).await?;
            allocations::keep_handovers(tx, &officer.id, away.from, &moves).await?;
            let left = theirs.iter().filter(|one| left.contains(&one.case));
            left.map(|one| one.reference.clone()).collect::<Vec<_>>()
        }
    };
    if still.is_empty() {
        return Ok(());
    }
    let words = listed(&officer.id, away, &still);
    let task = NewTask { kind: "absence", words: words.into(), ..NewTask::default() };
    let task = tasks::add(tx, &task, now).await?;
    allocations::absence_told(tx, &officer.id, away.from, task).await
}

fn listed(officer: &OfficerId, away: Absence, cases: &[String]) -> String {
    let named: Vec<&str> = cases.iter().take(MOST_NAMED).map(String::as_str).collect();
    let more = match cases.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{officer} is away until {}, and these are due by then: {}{more}. Give them to others with \
         `postern case assign`, or all that {officer} has with `postern case rebalance --from {officer}`",
        in_words(away.until),
        named.join(", ")
    )
}

/// Cases for which nobody was free are given as soon as somebody is.
async fn give_what_waits(
    tx: &mut Tx,
    officers: &Officers,
    today: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    let waiting = tasks::cases_of(tx, "allocate").await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let open = allocations::open(tx).await?;
    let held: Vec<Held> = open.iter().map(|row| row.held(today)).collect();
    let which: Vec<&Held> =
        held.iter().filter(|one| one.owner.is_none() && waiting.contains(&one.case)).collect();
    let (moves, _) = officers.hand_over(None, &which, &held, today);
    give(tx, &open, &moves, now).await
}

/// Gives cases, each as it was read, and says where a child may be at risk.
async fn give(
    tx: &mut Tx,
    open: &[OpenRow],
    moves: &[Handover],
    now: Timestamp,
) -> Result<(), StoreError> {
    let versions: BTreeMap<i64, i64> = open.iter().map(|row| (row.id, row.version)).collect();
    if !allocations::hand_over(tx, &Actor::Gateway, moves, &versions, now).await? {
        // The next tick begins the day anew.
        let why = "an officer changed one of them meanwhile".to_owned();
        return Err(StoreError::unsuitable("hand cases over", why));
    }
    for one in moves {
        tasks::finish_of_case(tx, one.case, &["allocate"], now).await?;
    }
    tasks::add_all(tx, &NewTask::of_handovers(moves), now).await
}

/// Says which officers are in `officers.toml` no longer and still have open cases, and takes back what was said
/// of those who have none any more. At start, and whenever what staff edit is taken up.
///
/// # Errors
/// When the database refuses.
pub async fn owners_gone(gateway: &Arc<Gateway>) -> Result<Tick, StoreError> {
    let policy = gateway.policy();
    let owners = allocations::owners(&gateway.db).await?;
    let said = tasks::of_kind(&gateway.db, GONE).await?;
    let gone: Vec<String> = owners
        .into_iter()
        .filter(|(owner, _)| policy.officers.get(&OfficerId(owner.clone())).is_none())
        .map(|(owner, _)| {
            format!(
                "{owner} is no longer in officers.toml and still has open cases: \
                 `postern case rebalance --from {owner}` gives them to others"
            )
        })
        .collect();
    let over: Vec<i64> =
        said.iter().filter(|(_, words)| !gone.contains(words)).map(|(id, _)| *id).collect();
    let is_new = |words: &String| !said.iter().any(|(_, said)| said == words);
    if over.is_empty() && !gone.iter().any(is_new) {
        return Ok(Tick::Idle);
    }
    let now = gateway.clock.now();
    gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                for task in over {
                    tasks::done(tx, task, now).await?;
                }
                let task = |words: String| NewTask { words: words.into(), ..NewTask::default() };
                let new: Vec<NewTask<'_>> = gone.into_iter().map(task).collect();
                tasks::add_missing(tx, GONE, &new, now).await
            })
        })
        .await?;
    Ok(Tick::Busy)
}
