//! `postern rules suggest`: what officers' corrections suggest. Nothing is written anywhere.

use std::sync::Arc;

use serde_json::{Value, json};

use super::backtest::{bar, start_of, threads};
use crate::backtest::Asked;
use crate::backtest::rehearsal::{Named, Suggestion, Suggestions, suggestions};
use crate::cli::arguments::OverPast;
use crate::cli::{Failure, Out};
use crate::config::Config;
use crate::policy;
use crate::rules::suggest::{Beyond, Kind};
use crate::store::Db;

/// Messages that are named; the others are counted.
const NAMED: usize = 12;
/// Without a limit, so many of the newest messages are read: they are held in memory.
const NEWEST: usize = 5_000;

pub(super) async fn run(
    db: &Db,
    config: &Config,
    typed: OverPast,
    out: &mut Out,
) -> Result<(), Failure> {
    let folder = typed.rules.as_deref().or(config.rules.as_deref());
    let files = policy::rule_files(folder).map_err(Failure::Faults)?;
    let rules = Arc::new(policy::rule_set(&files).map_err(Failure::Faults)?);
    // What has a reader of its own is no part of what is tried.
    let files = policy::classification_of(files);
    let since = typed.since.as_deref().map(start_of).transpose()?;
    let most = Some(typed.limit.unwrap_or(NEWEST));
    let asked = Asked { since, most, threads: threads() };
    let bar = bar("drafts");
    let shown = bar.clone();
    let told = move |done: usize, total: usize| {
        shown.set_length(u64::try_from(total).unwrap_or(u64::MAX));
        shown.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    };
    let found = suggestions(db, rules, files, asked, told).await;
    bar.finish_and_clear();
    let found = found?;
    if typed.json {
        for one in &found.all {
            out.json(&object(one))?;
        }
    } else {
        words(&found, out)?;
    }
    for one in &found.beyond {
        out.note(&beyond(one));
    }
    if found.other_record_types > 0 {
        out.note(&format!(
            "postern: officers corrected the record type of {} messages: it follows from facts, by the \
             rows of the decision table, and no rule by itself would put that right; \
             `postern rules accuracy` tells which rows are overruled",
            found.other_record_types
        ));
    }
    Ok(())
}

/// Why a correction comes to no suggestion, and what helps instead.
fn beyond(one: &Beyond) -> String {
    let Beyond { label, messages, instead } = one;
    let instead = instead.as_ref().map_or_else(String::new, |(instead, chance)| {
        let likely = (chance * 100.0).round();
        format!("; the second opinion finds {instead} {likely} in 100 likely in them")
    });
    format!(
        "postern: officers gave {messages} messages to {label}, and no rule that was tried would{instead}. A running \
         gateway's learns from every such decision; what helps at once is letters like them, labelled {label}, in a file \
         of the rules folder's examples"
    )
}

fn object(one: &Suggestion) -> Value {
    let Suggestion { draft, fixed, beside, broken, others, asked } = one;
    json!({
        "kind": draft.kind, "id": draft.id, "label": draft.label, "why": draft.why,
        "fixed": fixed, "fixed_but_changed_beside": beside, "broken": broken, "undecided": others, "officer_looks_first": asked,
        "file": file_of(&draft.file), "toml": draft.toml,
    })
}

/// A file's own name: the folder is the draft's.
fn file_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn words(found: &Suggestions, out: &mut Out) -> Result<(), Failure> {
    for (number, one) in found.all.iter().enumerate() {
        for line in lines(number + 1, one) {
            out.line(&line)?;
        }
    }
    let Suggestions { all, messages, .. } = found;
    out.line(&format!("{messages} messages read, {} suggestions", all.len()))?;
    if all.is_empty() {
        return Ok(());
    }
    out.line(
        "Nothing has been changed. To try one: postern rules export DRAFT, write it into the file named\n\
         (a changed one in the place of the old), postern rules backtest --rules DRAFT; and to let it take\n\
         effect: postern rules publish --rules DRAFT --author NAME --reason WHY",
    )?;
    Ok(())
}

fn lines(number: usize, one: &Suggestion) -> Vec<String> {
    let Suggestion { draft, fixed, beside, broken, others, asked } = one;
    let mut lines = vec![
        format!("{number}. {} {} ({}): {}", draft.kind.label(), draft.id, draft.label, draft.why),
        format!("   would fix {}{}", fixed.len(), listed(fixed)),
        format!("   would break {}{}", broken.len(), listed(broken)),
    ];
    if *beside > 0 {
        lines.push(format!(
            "   of the fixed, {beside} change in something that officers left as it was"
        ));
    }
    if *others > 0 {
        lines.push(format!("   would change {others} that no officer has decided"));
    }
    if draft.kind == Kind::ChangedRow {
        lines.push(format!("   an officer would look first at {asked} more that are wrong"));
    }
    lines.push(format!("   in {}:", file_of(&draft.file)));
    lines.push(String::new());
    lines.extend(draft.toml.lines().map(str::to_owned));
    lines.push(String::new());
    lines
}

fn listed(messages: &[Named]) -> String {
    let named = messages
        .iter()
        .take(NAMED)
        .map(|one| format!("{} {}", one.message, one.reference.as_deref().unwrap_or("no case")));
    let mut parts: Vec<String> = named.collect();
    if messages.len() > NAMED {
        parts.push(format!("and {} more", messages.len() - NAMED));
    }
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}
