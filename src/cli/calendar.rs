//! `postern calendar …`: the days that the council works, and what moves when they change.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::json;

use super::arguments::Calendar as Asked;
use super::{Failure, Out};
use crate::casework::calendar::{self, NotCovered, WorkingCalendar};
use crate::casework::working::short_words;
use crate::clock::{Clock, london_day};
use crate::config::Config;
use crate::gateway::Gateway;
use crate::policy::{self, Policy};
use crate::recount::{self, Recount};
use crate::store::calendars::{self as kept, Moved};
use crate::store::moment;

/// Calendar days that the calendar must still reach before somebody is warned.
const WARNING_DAYS: i32 = 120;

pub(super) fn run(asked: &Asked, config: Option<&Path>, out: &mut Out) -> Result<(), Failure> {
    match *asked {
        Asked::Show { year, json } => show(config, year, json, out),
        Asked::Extend { until } => extend(config, until, out),
        Asked::Moved { json } => {
            super::block_on(with_register(config, out, async |gateway, out| {
                moved(gateway, json, out).await
            }))
        }
        Asked::Recompute { dry_run, json } => {
            super::block_on(with_register(config, out, async |gateway, out| {
                recompute(gateway, dry_run, json, out).await
            }))
        }
    }
}

async fn with_register(
    config: Option<&Path>,
    out: &mut Out,
    work: impl AsyncFnOnce(&Arc<Gateway>, &mut Out) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (config, _) = super::configured(&super::required(config))?;
    let gateway = super::serve::open(config, Clock::System).await?;
    let done = work(&gateway, out).await;
    gateway.db.close().await;
    out.flush()?;
    done
}

/// The settings that are named or lie here; without any, the shipped calendar serves.
fn settings(file: Option<&Path>) -> Result<Option<Config>, Failure> {
    let here = Path::new("postern.toml");
    let file = file.or_else(|| here.is_file().then_some(here));
    file.map(|file| super::configured(file).map(|(config, _)| config)).transpose()
}

fn show(
    config: Option<&Path>,
    year: Option<i16>,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let (_, calendar) = Policy::timescales(settings(config)?.as_ref()).map_err(Failure::Faults)?;
    let today = london_day(Clock::System.now());
    let (from, until) = (calendar.covered_from(), calendar.covered_until());
    let years = match year {
        None => from.year()..=until.year(),
        Some(year) => covered(&calendar, year)?..=year,
    };
    let days: Vec<_> = years.flat_map(|year| calendar.holidays_of(year)).collect();
    let word = |by_rule| if by_rule { "by rule" } else { "listed" };
    let left = calendar.days_left(today);
    if as_json {
        let days: Vec<_> = days
            .iter()
            .map(|one| json!({"date": one.day, "title": one.title, "known": word(one.by_rule)}))
            .collect();
        return Ok(out.json(&json!({
            "covered_from": from,
            "covered_until": until,
            "days_left": left,
            "version": calendar.version(),
            "years_by_rule": calendar.years_by_rule(),
            "warnings": warnings(&calendar, today),
            "days": days,
        }))?);
    }
    for one in &days {
        let day = one.day.strftime("%a %Y-%m-%d");
        out.line(&format!("{day}  {:<8} {}", word(one.by_rule), one.title))?;
    }
    let version = calendar.version();
    out.line(&format!("covers {from} to {until}, {left} days left, version {version}"))?;
    for warning in warnings(&calendar, today) {
        out.note(&format!("warning: {warning}"));
    }
    Ok(())
}

/// The year, if the calendar knows all of it or a part.
fn covered(calendar: &WorkingCalendar, year: i16) -> Result<i16, Failure> {
    let (covered_from, covered_until) = (calendar.covered_from(), calendar.covered_until());
    if (covered_from.year()..=covered_until.year()).contains(&year) {
        return Ok(year);
    }
    let day = Date::new(year, 1, 1)
        .map_err(|_| Failure::Usage(format!("{year} is no year of the calendar")))?;
    Err(NotCovered { day, covered_from, covered_until }.into())
}

/// What whoever looks after the calendar should know.
pub(super) fn warnings(calendar: &WorkingCalendar, today: Date) -> Vec<String> {
    let until = calendar.covered_until();
    let mut warnings = Vec::new();
    if calendar.days_left(today) < WARNING_DAYS {
        warnings.push(format!(
            "the calendar ends on {until}; add the next years' bank holidays to \
             rules/calendar/bank-holidays-england.json, as they are proclaimed or by rule \
             (`postern calendar extend --until {}`)",
            until.year().max(today.year()) + 1
        ));
    }
    let years: Vec<String> = calendar.years_by_rule().iter().map(ToString::to_string).collect();
    if !years.is_empty() {
        warnings.push(format!(
            "bank holidays by rule, not proclaimed yet: {}; put the days right and clear their notes \
             when they are proclaimed",
            years.join(", ")
        ));
    }
    warnings
}

fn extend(config: Option<&Path>, until: i16, out: &mut Out) -> Result<(), Failure> {
    let config = settings(config)?;
    let (file, text) = policy::calendar_file(config.as_ref()).map_err(Failure::Faults)?;
    let longer =
        calendar::extended(&file, &text, until).map_err(|fault| Failure::Faults(vec![fault]))?;
    out.text(longer.as_bytes())?;
    out.note(
        "warning: the added days are by rule; a proclamation may move them or add others. Put the file \
         in the place of calendar/bank-holidays-england.json in the rules folder",
    );
    Ok(())
}

/// What the last change that moved a date has moved.
async fn moved(gateway: &Gateway, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    let Some(change) = kept::last_that_moved(&gateway.db).await? else {
        if !as_json {
            out.line("no change of the bank holidays has moved a case")?;
        }
        return Ok(());
    };
    let moves = kept::moves(&gateway.db, change.id).await?;
    if !as_json {
        let on = short_words(london_day(moment(change.changed_at)));
        let cases = moves.len();
        out.line(&format!("the calendar of {on} ({}) moved {cases} open cases", change.version))?;
    }
    tell(&moves, as_json, out)
}

async fn recompute(
    gateway: &Arc<Gateway>,
    dry_run: bool,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let done =
        if dry_run { recount::rehearse(gateway).await? } else { recount::by_hand(gateway).await? };
    let Recount { counted, moved, faults } = done;
    if !as_json {
        let (would, move_) = if dry_run { ("would be ", "would move") } else { ("", "moved") };
        out.line(&format!("{counted} open cases {would}counted again, {} {move_}", moved.len()))?;
    }
    tell(&moved, as_json, out)?;
    for (_, fault) in &faults {
        out.note(&format!("postern: {fault}"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::Said) }
}

fn tell(moves: &[Moved], as_json: bool, out: &mut Out) -> Result<(), Failure> {
    for one in moves {
        if as_json {
            out.json(one)?;
            continue;
        }
        let day = |day: &Option<String>| day.clone().unwrap_or_else(|| "none".to_owned());
        let promised = match (&one.promised_on, &one.counted_on) {
            (Some(promised), Some(counted)) if promised != counted => {
                format!("promised {promised}, by the calendar {counted}")
            }
            (promised, _) => format!("promised {}", day(promised)),
        };
        let (before, after) = (day(&one.standard_before), day(&one.standard_after));
        out.line(&format!("{}  standard {before} -> {after}  {promised}", one.reference))?;
    }
    Ok(())
}
