//! What officers do to the clock of a case, and the sum behind its date.

use jiff::Timestamp;
use jiff::civil::Date;

use super::part::redate;
use super::{ActFault, Found, answers, record, save};
use crate::casework::calendar::NotCovered;
use crate::casework::case::{Actor, Case, Event, Recorded, Refusal};
use crate::casework::dates::{
    ClockRefused, Extension, Going, Longer, Pause, PauseReason, StageDates, Turn, What,
};
use crate::casework::deadline::Step;
use crate::casework::procedure::{ClockFault, Start};
use crate::clock::{london, london_day};
use crate::gateway::Gateway;
use crate::intake::clocked;
use crate::policy::Policy;
use crate::store::cases::Clocked;
use crate::store::{StoreError, Tx, assessments, tasks};

/// How the clock of a case is moved.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(tag = "move", rename_all = "snake_case", deny_unknown_fields)]
pub enum Move {
    /// The answer may take until a day.
    Extend {
        /// The last day.
        until: Date,
        /// The temporary policy of `procedures.toml` that allows more than the procedure does.
        #[serde(default)]
        under: Option<String>,
    },
    /// It stands still from today.
    Pause {
        /// Why.
        why: PauseReason,
    },
    /// It goes on: today counts again.
    Resume,
    /// An earlier move is taken back.
    TakeBack {
        /// Its number, from 1.
        number: usize,
    },
    /// A move that was taken back stands again.
    Restore {
        /// Its number, from 1.
        number: usize,
    },
}

impl From<ClockRefused> for ActFault {
    fn from(refused: ClockRefused) -> Self {
        match refused {
            ClockRefused::Refused(refusal) => Self::Refused(refusal),
            ClockRefused::NotCovered(gap) => uncovered(&gap).into(),
        }
    }
}

fn uncovered(fault: &impl ToString) -> StoreError {
    StoreError::unsuitable("work out the due date", fault.to_string())
}

/// The clock of a case's stage. None where no answer is owed.
fn going<'p>(policy: &'p Policy, case: &Case) -> Result<Option<Going<'p>>, ClockFault> {
    let Some(procedure) = policy.procedures.of(case.record_type, case.procedure_day()) else {
        return Ok(None);
    };
    let limits = procedure.limits(case.stage, start(case).limits_of())?;
    let started = procedure.counted_from(case.stage, start(case), &policy.calendar)?;
    let started = started.to_zoned(london()).datetime();
    let (calendar, rule) = (&policy.calendar, procedure.rule_of(limits));
    let days = limits.target.or(limits.latest).zip(limits.latest.or(limits.target));
    Ok(days.map(|(target, latest)| Going { calendar, started, rule, target, latest }))
}

/// What the clock of a case's stage can be counted from.
fn start(case: &Case) -> Start {
    Start {
        at: case.clock_started_at,
        acknowledged_at: case.acknowledged_at,
        agreed_at: case.statement_agreed_at,
        policy_of: case.policy_of,
    }
}

/// The dates of a case's stage, with all that happened to its clock since it started.
pub(crate) fn started(policy: &Policy, case: &Case) -> Result<Clocked, ClockFault> {
    let none = || ClockFault::NoProcedure(case.record_type);
    let procedure = policy.procedures.of(case.record_type, case.procedure_day());
    let procedure = procedure.ok_or_else(none)?;
    let clock = procedure.clock(case.stage, start(case), &policy.calendar)?;
    let mut clocked = clocked(&clock);
    let Some(going) = going(policy, case)? else { return Ok(clocked) };
    let dates = going.dates(&case.turns)?;
    clocked.standard_due_on = dates.standard_due_on;
    clocked.agreed_due_on = dates.agreed_due_on;
    Ok(clocked)
}

/// What a case's history comes to. None where no answer is owed.
pub(super) fn dates(policy: &Policy, case: &Case) -> Result<Option<StageDates>, ActFault> {
    let Some(going) = going(policy, case)? else { return Ok(None) };
    Ok(Some(going.dates(&case.turns).map_err(ClockRefused::from)?))
}

/// When the clock of a case's stage stood still.
pub(crate) fn pauses(policy: &Policy, case: &Case) -> Result<Vec<Pause>, StoreError> {
    let unknown = |fault: &dyn std::fmt::Display| uncovered(&fault.to_string());
    let Some(going) = going(policy, case).map_err(|fault| unknown(&fault))? else {
        return Ok(Vec::new());
    };
    Ok(going.dates(&case.turns).map_err(|gap| unknown(&gap))?.pauses)
}

/// What a case, its history and its dates become when its stage is suspended from a day on.
pub(crate) fn suspended(
    policy: &Policy,
    case: Case,
    on: Date,
    because: &str,
    now: Timestamp,
) -> Result<(Event, Case, Clocked), StoreError> {
    turned(
        policy,
        case,
        Turn { on, what: What::Paused { why: PauseReason::PolicySuspension } },
        because,
        now,
    )
}

/// What they become when that day counts again.
pub(crate) fn resumed(
    policy: &Policy,
    case: Case,
    on: Date,
    because: &str,
    now: Timestamp,
) -> Result<(Event, Case, Clocked), StoreError> {
    turned(policy, case, Turn { on, what: What::Resumed }, because, now)
}

fn turned(
    policy: &Policy,
    mut case: Case,
    turn: Turn,
    because: &str,
    now: Timestamp,
) -> Result<(Event, Case, Clocked), StoreError> {
    let before = started(policy, &case).map_err(|fault| uncovered(&fault))?;
    let told = case.promised.map(|promise| promise.on).or(before.agreed_due_on);
    let mut after = case.clone();
    after.turns.push(turn.clone());
    let clock = started(policy, &after).map_err(|fault| uncovered(&fault))?;
    let event = case.turn(turn, (told, clock.agreed_due_on), because);
    let event = event.map_err(|refused| uncovered(&refused))?;
    case.apply(&Recorded { at: now, by: Actor::Gateway, event: event.clone() });
    Ok((event, case, clock))
}

/// The temporary policies that an officer may go by today for the stage of a case.
fn longer<'p>(
    policy: &'p Policy,
    case: &Case,
    going: &Going<'_>,
    today: Date,
) -> Result<Vec<Longer<'p>>, ActFault> {
    let procedure = policy.procedures.of(case.record_type, case.procedure_day());
    let id = procedure.map_or("", |one| one.id.as_str());
    let started = london_day(case.clock_started_at);
    let those = policy.procedures.temporary().iter();
    let those = those.filter(|one| one.is_for(id, case.stage, started, today));
    let given = those.map(|one| Ok(Longer { name: &one.name, days: one.days(going)? }));
    given.collect::<Result<_, NotCovered>>().map_err(|gap| ClockRefused::from(gap).into())
}

/// Moves the clock of a case.
pub(super) async fn turn(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    wanted: Move,
    because: &str,
) -> Result<String, ActFault> {
    let policy = gateway.policy();
    let Some(going) = going(&policy, &found.case)? else {
        let because = format!("no answer is owed to a {}", found.case.record_type);
        let instead = "close it, or register it as another type".to_owned();
        return Err(Refusal { because, instead }.into());
    };
    let today = london_day(gateway.clock.now());
    let turns = &found.case.turns;
    let place = |number: usize| number.checked_sub(1).unwrap_or(usize::MAX);
    let turn = match wanted {
        Move::Extend { until, under } => {
            let longer = longer(&policy, &found.case, &going, today)?;
            let promised = found.case.promised.map(|promise| promise.on);
            let wanted = Extension { until, promised, under: under.as_deref(), longer: &longer };
            going.extend(turns, today, &wanted)?
        }
        Move::Pause { why } => going.pause(turns, today, why)?,
        Move::Resume => going.resume(turns, today)?,
        Move::TakeBack { number } => going.undo(turns, today, place(number))?,
        Move::Restore { number } => going.redo(turns, today, place(number))?,
    };
    let before = going.dates(turns).map_err(ClockRefused::from)?;
    let after = going.dates(&[turns.clone(), vec![turn.clone()]].concat());
    let after = after.map_err(ClockRefused::from)?;
    let told = found.case.promised.map(|promise| promise.on).or(before.agreed_due_on);
    let event = found.case.turn(turn, (told, after.agreed_due_on), because)?;
    let wishing = answers::wishing(tx, &found).await?;
    record(tx, gateway, &mut found, by, event).await?;
    let clocked = started(&policy, &found.case)?;
    save(tx, gateway, &found, Some(&clocked)).await?;
    if after.paused().is_none() {
        // An officer goes on: nobody is reminded that they are waited for.
        assessments::end(tx, found.row.id, gateway.clock.now()).await?;
    }
    if after.days > before.days {
        tasks::finish_of_case(tx, found.row.id, &["more_time"], gateway.clock.now()).await?;
    }
    let reference = &found.row.reference;
    Ok(match after.agreed_due_on {
        Some(due_on) => {
            redate(tx, gateway, &found, due_on).await?;
            // Who asked for more time is told that they have it.
            for service in wishing.iter().filter(|_| after.days > before.days) {
                answers::tell_of_more_time(tx, gateway, &found, service, due_on).await?;
            }
            format!("the answer to {reference} is due by {due_on}")
        }
        None => format!("the clock of {reference} stands still; nobody is chased for it"),
    })
}

/// Applies the time limits that are in force on a day to a case whose clock started before.
pub(super) async fn apply_policy(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    in_force_on: Date,
    because: &str,
) -> Result<String, ActFault> {
    let policy = gateway.policy();
    let before = started(&policy, &found.case)?;
    let mut applied = found.case.clone();
    applied.policy_of = Some(in_force_on);
    let after = started(&policy, &applied)?;
    let dates = |clock: &Clocked| {
        (clock.procedure.clone(), clock.target_on, clock.standard_due_on, clock.agreed_due_on)
    };
    let told = found.case.promised.map(|promise| promise.on).or(before.agreed_due_on);
    let moved = (told, after.agreed_due_on);
    let changes = dates(&before) != dates(&after);
    let event = found.case.apply_policy(in_force_on, moved, changes, because)?;
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, Some(&after)).await?;
    if let Some(due_on) = after.agreed_due_on {
        redate(tx, gateway, &found, due_on).await?;
    }
    let limit = after.standard_due_on.map_or_else(String::new, |day| format!(", at most by {day}"));
    let reference = &found.row.reference;
    Ok(match after.agreed_due_on {
        Some(day) => format!("the answer to {reference} is due by {day}{limit}: tell the customer"),
        None => format!("{reference} goes by the time limits of {in_force_on}{limit}"),
    })
}

/// The clock of a case: its dates, and the sum day by day.
#[derive(Debug, serde::Serialize)]
pub struct Sum {
    /// What it comes to.
    #[serde(flatten)]
    pub dates: StageDates,
    /// Every day from the start to the agreed date; a pause is one step.
    pub steps: Vec<Step>,
    /// Which list of holidays it was counted by.
    pub calendar_version: String,
    /// What may still move the date, and where the customer was told another one.
    pub warnings: Vec<String>,
}

/// The sum behind the agreed date of a case. None where no answer is owed.
///
/// # Errors
/// When the count leaves the calendar, or the time limits.
pub fn sum(gateway: &Gateway, case: &Case) -> Result<Option<Sum>, StoreError> {
    let policy = gateway.policy();
    let Some(going) = going(&policy, case).map_err(|fault| uncovered(&fault))? else {
        return Ok(None);
    };
    let mut dates = going.dates(&case.turns).map_err(|gap| uncovered(&gap))?;
    let steps = going.explain(&case.turns).map_err(|gap| uncovered(&gap))?;
    let last = steps.last().map_or(going.started.date(), |step| step.date);
    let last = dates.standard_due_on.map_or(last, |day| day.max(last));
    let mut warnings = policy.calendar.warnings(going.started.date(), last);
    if let (Some(promised), Some(counted)) =
        (case.promised.map(|promise| promise.on), dates.agreed_due_on)
    {
        dates.agreed_due_on = Some(promised);
        if promised != counted {
            warnings.push(format!(
                "the customer was told {promised} before the bank holidays changed, and that stays; by \
                 them it would be {counted}"
            ));
        }
    }
    let calendar_version = policy.calendar.version().to_owned();
    Ok(Some(Sum { dates, steps, calendar_version, warnings }))
}
