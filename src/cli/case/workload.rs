//! `postern case workload` and `postern case rebalance`: who has what, and the work shared anew.

use std::fmt::Write as _;
use std::sync::Arc;

use super::super::{Failure, Out};
use super::{said, whoever};
use crate::casework::working::short_words;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::officer::{self, NOBODY};
use crate::register::{self, Shared, Work};

pub(super) async fn show(gateway: &Gateway, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    let all = register::workload(gateway, london_day(gateway.clock.now())).await?;
    for one in &all {
        if as_json {
            out.json(one)?;
        } else {
            out.line(&line(one))?;
        }
    }
    if all.len() == 1 {
        out.note("postern: officers.toml names nobody; every case is the team's");
    }
    Ok(())
}

fn line(one: &Work) -> String {
    let share = one.share.map_or_else(|| "-".to_owned(), |share| share.to_string());
    let mut line = format!(
        "{:<16} share {share:<5} {:>4} open {:>4} overdue {:>4} due this week {:>4} paused {:>5} points",
        one.officer, one.open, one.overdue, one.due_this_week, one.paused, one.points
    );
    if let Some(until) = one.away_until {
        let _ = write!(line, "  away until {}", short_words(until));
    } else if one.name.is_none() && one.officer != NOBODY {
        line.push_str("  no longer in officers.toml");
    } else if !one.takes_new && one.officer != NOBODY {
        line.push_str("  takes no new cases");
    }
    line
}

/// What was typed of a rebalancing.
pub(super) struct Asked {
    pub(super) from: Option<String>,
    pub(super) because: Option<String>,
    pub(super) dry_run: bool,
    pub(super) json: bool,
}

pub(super) async fn rebalance(
    gateway: &Arc<Gateway>,
    asked: Asked,
    out: &mut Out,
) -> Result<(), Failure> {
    let Asked { from, because, dry_run, json } = asked;
    let done = officer::rebalance(gateway, from.clone(), &whoever(), because, dry_run).await;
    let done = match done {
        Ok(done) => Shared::of(done),
        Err(fault) => return Err(said(fault, out)),
    };
    if json {
        return Ok(out.json(&done)?);
    }
    for one in &done.moves {
        let from = one.from.as_deref().unwrap_or(NOBODY);
        let risk = if one.safeguarding { "  A CHILD MAY BE AT RISK: tell them today" } else { "" };
        out.line(&format!("{}  {from} -> {}  {}{risk}", one.reference, one.to, one.because))?;
    }
    for reference in &done.left {
        out.line(&format!("{reference}  stays: nobody who may take it is free"))?;
    }
    if done.moves.is_empty() && done.left.is_empty() {
        out.note(&match from {
            Some(from) => format!("postern: {from} has no open cases"),
            None => "postern: the work is even; nothing moves".to_owned(),
        });
    } else if dry_run {
        out.note("postern: nothing was moved; leave --dry-run out to move them");
    }
    Ok(())
}
