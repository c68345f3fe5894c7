//! `postern rules backtest`: what would change on past messages.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use serde_json::json;

use crate::backtest::{self, Asked, Backtest, Changed, learning};
use crate::cli::arguments::OverPast;
use crate::cli::{Failure, Out, moment};
use crate::clock::london;
use crate::config::Config;
use crate::policy;
use crate::rules::compare::{Change, Move, Tally};
use crate::store::Db;

pub(super) async fn run(
    db: &Db,
    config: &Config,
    typed: OverPast,
    out: &mut Out,
) -> Result<(), Failure> {
    let folder = typed.rules.as_deref().or(config.rules.as_deref());
    let files = policy::rule_files(folder).map_err(Failure::Faults)?;
    let half = || policy::rule_set(&files).map(Arc::new).map_err(Failure::Faults);
    let rules = [half()?, half()?];
    learning::teach_halves(db, &rules).await?;
    let version = rules.first().map_or("", |rules| rules.version());
    let since = typed.since.as_deref().map(start_of).transpose()?;
    let asked = Asked { since, most: typed.limit, threads: threads() };
    let bar = bar("messages");
    let told = |done: usize, total: usize| {
        bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    };
    let done = backtest::run(db, &rules, asked, told).await;
    bar.finish_and_clear();
    let done = done?;
    if typed.json { objects(&done, version, out) } else { words(&done, out) }
}

/// The moment that a day begins, or another moment.
pub(super) fn start_of(text: &str) -> Result<jiff::Timestamp, Failure> {
    match text.parse::<Date>() {
        Ok(day) if text.len() <= 10 => Ok(day.to_zoned(london())?.timestamp()),
        _ => moment(text),
    }
}

/// As many as can work at once.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

pub(super) fn bar(what: &str) -> ProgressBar {
    let template = format!("{{bar:30}} {{pos}} of {{len}} {what}, {{per_sec}}, {{eta}}");
    let style = ProgressStyle::with_template(&template);
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn objects(done: &Backtest, version: &str, out: &mut Out) -> Result<(), Failure> {
    for changed in &done.changed {
        out.json(changed)?;
    }
    let Tally { messages, changed, unreadable, moves } = &done.tally;
    let moves: serde_json::Map<_, _> = Move::ALL
        .iter()
        .map(|way| (way.to_string(), json!(moves.get(way).copied().unwrap_or(0))))
        .collect();
    let summary = json!({
        "rules": version, "messages": messages, "changed": changed, "unreadable": unreadable,
        "moves": moves,
    });
    Ok(out.json(&json!({ "summary": summary }))?)
}

fn words(done: &Backtest, out: &mut Out) -> Result<(), Failure> {
    for changed in &done.changed {
        out.line(&heading(changed))?;
        for change in &changed.changes {
            out.line(&format!("  {}", line(change)))?;
        }
    }
    let Tally { messages, changed, unreadable, moves } = &done.tally;
    out.line(&format!("{messages} messages judged again, {changed} change"))?;
    for way in Move::ALL {
        if let Some(count) = moves.get(way) {
            out.line(&format!("{count:>7}  {}", way.label()))?;
        }
    }
    if *unreadable > 0 {
        out.note(&format!(
            "postern: {unreadable} messages were kept in a form that this program no longer reads, and were left out"
        ));
    }
    Ok(())
}

fn heading(changed: &Changed) -> String {
    let reference = changed.reference.as_deref().unwrap_or("no case");
    format!("message {}  {reference}", changed.message)
}

/// One change: field, before and after, whither, the officer's value, the rules behind it.
fn line(change: &Change) -> String {
    let or_none = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
    let (before, after) = (or_none(&change.before), or_none(&change.after));
    let mut parts = vec![
        format!("{}: {before} → {after}", change.field.label()),
        change.moves.label().to_owned(),
    ];
    if let Some(officer) = &change.officer {
        parts.push(format!("officer: {} ({})", or_none(&officer.value), officer.how.label()));
    }
    if !change.rules.is_empty() {
        parts.push(format!("rules {}", change.rules.join(" ")));
    }
    parts.join("; ")
}
