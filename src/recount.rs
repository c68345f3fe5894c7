//! Open cases are counted again when the calendar changes.
//!
//! A holiday proclaimed after a date was told moves the standard date, which the annual report measures;
//! what the customer was told stays until an officer moves it (domain rules 4.4). Each calendar that the
//! register counts by is a row (`calendar_change`), each after the one before: of several gateways one
//! makes the row, and a case is written by whoever finds it as it was read, so that every date moves once.
//! A gateway whose calendar the register has left behind counts nothing again: two folders that differ
//! would move dates to and fro for ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use tracing::{error, info, warn};

use crate::casework::case::{Actor, Case, Event, Recorded};
use crate::gateway::Gateway;
use crate::officer;
use crate::policy::Policy;
use crate::store::calendars::{self, History, Moved};
use crate::store::cases::{self, CaseRow, Clocked};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx};
use crate::tick::Tick;

/// Cases counted again in one transaction: an officer who acts meanwhile waits for no more.
const BATCH: usize = 250;

/// What one process knows of where it stands.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Standing>);

#[derive(Debug, Default)]
struct Standing {
    /// The calendar by which it and the register counted when it last looked.
    in_line: Option<String>,
    /// The calendar of which the log said that the register has left it behind.
    said: Option<String>,
    /// Whether the log said that some cases cannot be counted by it.
    said_short: bool,
}

impl Seen {
    fn with<T>(&self, look: impl FnOnce(&mut Standing) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What counting again came to.
#[derive(Debug, Clone, Default)]
pub struct Recount {
    /// How many cases were counted again.
    pub counted: usize,
    /// Whose date moved.
    pub moved: Vec<Moved>,
    /// Cases that cannot be counted by this calendar: row, and what an officer is told.
    pub faults: Vec<(i64, String)>,
}

/// Takes up a calendar that the register has not counted by, and counts again what is behind.
///
/// # Errors
/// When the database refuses; what was counted so far stays, and the next tick goes on.
pub async fn tick(gateway: &Arc<Gateway>, seen: &Seen) -> Result<Tick, StoreError> {
    let policy = gateway.policy();
    let version = policy.calendar.version();
    let current = calendars::current(&gateway.db).await?;
    let Some(current) = current.as_ref().filter(|current| current.version == version) else {
        let before = current.as_ref().map(|current| current.version.as_str());
        // Edited here, while it was the register's own; or new to everybody.
        let ours = seen.with(|seen| seen.in_line.as_deref() == before);
        if before.is_some() && !ours && calendars::is_known(&gateway.db, version).await? {
            say_behind(seen, version, before.unwrap_or_default());
            return Ok(Tick::Idle);
        }
        take_up(gateway, version, current.map(|current| current.id)).await?;
        return Ok(Tick::Busy);
    };
    seen.with(|seen| {
        if seen.in_line.as_deref() != Some(version) {
            *seen = Standing { in_line: Some(version.to_owned()), ..Standing::default() };
        }
    });
    let behind = calendars::is_any_behind(&gateway.db, version).await?;
    if !behind && current.told == current.moves {
        return Ok(Tick::Idle);
    }
    let done = count_behind(gateway, &policy, current.id).await?;
    let short = done.faults.len();
    if short > 0 && !seen.with(|seen| std::mem::replace(&mut seen.said_short, true)) {
        error!(
            cases = short,
            "some open cases cannot be counted by the present calendar; `postern case list --waiting` \
             names them"
        );
    }
    Ok(if done.counted > 0 { Tick::Busy } else { Tick::Idle })
}

fn say_behind(seen: &Seen, version: &str, current: &str) {
    let new = seen.with(|seen| seen.said.replace(version.to_owned()).as_deref() != Some(version));
    if new {
        warn!(
            calendar = version,
            register = current,
            "the register counts by another calendar than this gateway: put the same file on every \
             machine, or take this one up with `postern calendar recompute`"
        );
    }
}

/// Takes up the present calendar, whatever the register counted by, and counts again what is behind.
///
/// # Errors
/// When the database refuses; what was counted so far stays.
pub async fn by_hand(gateway: &Arc<Gateway>) -> Result<Recount, StoreError> {
    let policy = gateway.policy();
    let version = policy.calendar.version();
    loop {
        let current = calendars::current(&gateway.db).await?;
        if let Some(current) = current.as_ref().filter(|current| current.version == version) {
            return count_behind(gateway, &policy, current.id).await;
        }
        take_up(gateway, version, current.map(|current| current.id)).await?;
    }
}

/// What counting again would come to; nothing is recorded.
///
/// # Errors
/// When the database refuses.
pub async fn rehearse(gateway: &Gateway) -> Result<Recount, StoreError> {
    let policy = gateway.policy();
    let mut tx = gateway.db.snapshot().await?;
    let (mut all, mut after) = (Recount::default(), 0);
    loop {
        let batch = Batch::read(&mut tx, &policy, after).await?;
        let Some(last) = batch.last else { return Ok(all) };
        after = last;
        all.counted += batch.counted.len();
        all.moved.extend(batch.counted.into_iter().filter_map(|one| one.moved).map(|(one, _)| one));
        all.faults.extend(batch.faults);
    }
}

async fn take_up(
    gateway: &Arc<Gateway>,
    version: &str,
    after: Option<i64>,
) -> Result<(), StoreError> {
    let (version, now) = (version.to_owned(), gateway.clock.now());
    let named = version.clone();
    let begun = gateway
        .db
        .write(move |tx| Box::pin(async move { calendars::begin(tx, &version, after, now).await }))
        .await?;
    // Else another gateway did.
    if begun.is_some() && after.is_some() {
        info!(calendar = named, "the bank holidays have changed: open cases are counted again");
    }
    Ok(())
}

/// Counts again, batch by batch, what is behind; then tells an officer how many moved.
async fn count_behind(
    gateway: &Arc<Gateway>,
    policy: &Arc<Policy>,
    change: i64,
) -> Result<Recount, StoreError> {
    let (mut all, mut after) = (Recount::default(), 0);
    loop {
        let (inner, policy) = (Arc::clone(gateway), Arc::clone(policy));
        let (last, batch) = gateway
            .db
            .write_again(move |tx| {
                let (inner, policy) = (Arc::clone(&inner), Arc::clone(&policy));
                Box::pin(async move { count_batch(tx, &inner, &policy, change, after).await })
            })
            .await?;
        let Some(last) = last else { break };
        after = last;
        all.counted += batch.counted;
        all.moved.extend(batch.moved);
        all.faults.extend(batch.faults);
    }
    let inner = Arc::clone(gateway);
    gateway
        .db
        .write_again(move |tx| {
            let inner = Arc::clone(&inner);
            Box::pin(async move { tell(tx, &inner, change).await })
        })
        .await?;
    if all.counted > 0 {
        info!(cases = all.counted, moved = all.moved.len(), "open cases were counted again");
    }
    Ok(all)
}

/// One batch; gives the last row that it looked at, none where there was none.
async fn count_batch(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    change: i64,
    after: i64,
) -> Result<(Option<i64>, Recount), StoreError> {
    let now = gateway.clock.now();
    let batch = Batch::read(tx, policy, after).await?;
    let dates: Vec<(&CaseRow, Clocked)> =
        batch.counted.iter().map(|one| (&one.row, one.clocked.clone())).collect();
    let written = calendars::redate(tx, &dates).await?;
    let mut done = Recount { counted: written.len(), ..Recount::default() };
    let mut events = Vec::new();
    for one in batch.counted {
        if let Some((moved, event)) = one.moved.filter(|_| written.contains(&one.row.id)) {
            events.push((one.row.id, event));
            done.moved.push(moved);
        }
    }
    cases::record_all(tx, &Actor::Gateway, &events, now).await?;
    calendars::record_moves(tx, change, &done.moved).await?;
    let tasks: Vec<NewTask<'_>> = batch
        .faults
        .iter()
        .map(|(case, words)| NewTask {
            case_id: Some(*case),
            words: words.as_str().into(),
            ..NewTask::default()
        })
        .collect();
    tasks::add_missing(tx, "calendar_too_short", &tasks, now).await?;
    done.faults = batch.faults;
    Ok((batch.last, done))
}

async fn tell(tx: &mut Tx, gateway: &Gateway, change: i64) -> Result<(), StoreError> {
    let Some(telling) = calendars::to_tell(tx, change).await? else { return Ok(()) };
    let words = format!(
        "the bank holidays have changed, and with them the dates of {} open cases: \
         `postern calendar moved` lists them. What customers were told stays; move it with \
         `postern case extend` where that is right",
        telling.moves
    );
    if let Some(task) = telling.task {
        return tasks::reword(tx, task, &words).await;
    }
    let task = NewTask { kind: "calendar_changed", words: words.into(), ..NewTask::default() };
    let task = tasks::add(tx, &task, gateway.clock.now()).await?;
    calendars::told_by(tx, change, task).await
}

/// Cases that are behind, counted by the present calendar.
struct Batch {
    /// The last row that was looked at.
    last: Option<i64>,
    counted: Vec<Counted>,
    faults: Vec<(i64, String)>,
}

struct Counted {
    row: CaseRow,
    clocked: Clocked,
    /// Where a date moved.
    moved: Option<(Moved, Event)>,
}

impl Batch {
    async fn read(tx: &mut Tx, policy: &Policy, after: i64) -> Result<Self, StoreError> {
        let rows = calendars::behind(tx, policy.calendar.version(), after, BATCH).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let histories = calendars::histories(tx, &ids).await?;
        Ok(Self::count(policy, rows, &histories))
    }

    fn count(policy: &Policy, rows: Vec<CaseRow>, histories: &HashMap<i64, History>) -> Self {
        let last = rows.last().map(|row| row.id);
        let mut batch = Self { last, counted: Vec::new(), faults: Vec::new() };
        for row in rows {
            let told = match histories.get(&row.id) {
                Some(Ok(events)) => counted(policy, &row, events),
                Some(Err(fault)) => Err(why(fault)),
                None => Err("it has no history".to_owned()),
            };
            match told {
                Ok((clocked, moved)) => batch.counted.push(Counted { row, clocked, moved }),
                Err(why) => {
                    let words = format!(
                        "the dates of {} cannot be counted by the present calendar, and stay as they \
                         were: {why}",
                        row.reference
                    );
                    batch.faults.push((row.id, words));
                }
            }
        }
        batch
    }
}

/// The dates of one case by the present calendar, what was promised as it was; and how they moved.
fn counted(
    policy: &Policy,
    row: &CaseRow,
    events: &[Recorded],
) -> Result<(Clocked, Option<(Moved, Event)>), String> {
    let reference = row.reference.parse().map_err(|_| "its reference cannot be read".to_owned())?;
    let case = Case::replay(reference, events).map_err(|fault| fault.to_string())?;
    let clocked = officer::started(policy, &case);
    let mut clocked = clocked.map_err(|fault| fault.to_string())?;
    let day = |text: &Option<String>| text.as_ref().and_then(|day| day.parse::<Date>().ok());
    let (before, after) = (day(&row.standard_due_on), clocked.standard_due_on);
    let (promised, counted) = (day(&row.agreed_due_on), clocked.agreed_due_on);
    clocked.agreed_due_on = promised;
    // Where the promise was by the calendar before: there, unless that had left it behind already.
    let was = case.promised.map_or(promised, |promise| promise.counted_on);
    if before == after && (was == counted || promised.is_none()) {
        return Ok((clocked, None));
    }
    let counted = counted.filter(|_| promised.is_some());
    let text = |day: Option<Date>| day.map(|day| day.to_string());
    let moved = Moved {
        case_id: row.id,
        reference: row.reference.clone(),
        standard_before: text(before),
        standard_after: text(after),
        promised_on: text(promised),
        counted_on: text(counted),
    };
    let version = policy.calendar.version().to_owned();
    let event = Event::CalendarChanged { version, before, after, promised, counted };
    Ok((clocked, Some((moved, event))))
}

/// The fault with its cause, which says what is missing.
fn why(fault: &StoreError) -> String {
    std::error::Error::source(fault).map_or_else(|| fault.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests;
