//! What a set of rules would make of past messages: the same function that judged them when they
//! came, over what was read of them then, beside what was recorded and what officers decided.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use futures::stream::{self, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;

use crate::casework::case::Recorded;
use crate::rules::RuleSet;
use crate::rules::compare::{Change, Tally, compare};
use crate::store::past::{self, PastMessage};
use crate::store::{Db, StoreError};

pub mod kept;
pub mod learning;
pub mod rehearsal;

use kept::Kept;

/// Messages that one thread takes at a time.
const PAGE: usize = 64;

/// What to replay, and how.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Only what came since.
    pub since: Option<Timestamp>,
    /// Only the newest so many.
    pub most: Option<usize>,
    /// How many threads judge. The result is the same for any number.
    pub threads: usize,
}

/// A message whose result would be another. It names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its number.
    pub message: i64,
    /// The case that it belongs to.
    pub reference: Option<String>,
    /// What would be otherwise.
    pub changes: Vec<Change>,
}

/// What a replay came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backtest {
    /// How many, and whither.
    pub tally: Tally,
    /// Those that change, newest first.
    pub changed: Vec<Changed>,
}

/// Messages read together, with what officers did to the cases that they opened.
struct Page {
    messages: Vec<PastMessage>,
    acts: HashMap<i64, Vec<Recorded>>,
}

/// Judges past messages again, newest first, all of one moment of the store. Of several sets of rules,
/// which differ in what they have learned, `judge_of` a message says which judges it. `told` is called
/// with how many are done and how many there are.
///
/// # Errors
/// When the store cannot be read.
pub async fn run(
    db: &Db,
    rules: &[Arc<RuleSet>],
    asked: Asked,
    mut told: impl FnMut(usize, usize),
) -> Result<Backtest, StoreError> {
    let mut tx = db.snapshot().await?;
    let there = past::count(&mut tx, asked.since).await?;
    let total = asked.most.map_or(there, |most| most.min(there));
    let pages = stream::try_unfold((tx, i64::MAX, total), |(mut tx, before, left)| async move {
        let messages = past::page(&mut tx, before, asked.since, left.min(PAGE)).await?;
        let Some(last) = messages.last() else { return Ok(None) };
        let (before, left) = (last.id, left.saturating_sub(messages.len()));
        let opened_by: Vec<i64> = messages.iter().map(|one| one.id).collect();
        let acts = past::acts(&mut tx, &opened_by).await?;
        Ok::<_, StoreError>(Some((Page { messages, acts }, (tx, before, left))))
    });
    let judging = pages.map_ok(|page| {
        let rules = rules.to_vec();
        async move {
            Ok(whole(tokio::task::spawn_blocking(move || judge_page(&rules, page)).await))
        }
    });
    // In the order of the pages, whichever thread is first.
    let mut judged = pin!(judging.try_buffered(asked.threads.max(1)));
    let mut all = Backtest::default();
    told(0, total);
    while let Some(results) = judged.try_next().await? {
        for (id, reference, changes) in results {
            let Some(changes) = changes else {
                all.tally.unreadable += 1;
                continue;
            };
            all.tally.add(&changes);
            if !changes.is_empty() {
                all.changed.push(Changed { message: id, reference, changes });
            }
        }
        told(all.tally.messages + all.tally.unreadable, total);
    }
    Ok(all)
}

/// What work on another thread came to; its panic is ours.
fn whole<T>(work: Result<T, tokio::task::JoinError>) -> T {
    work.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()))
}

/// Which of so many sets of rules judges a message.
fn judge_of(message: i64, sets: usize) -> usize {
    usize::try_from(message).unwrap_or(0).checked_rem(sets).unwrap_or(0)
}

type Judged = (i64, Option<String>, Option<Vec<Change>>);

fn judge_page(rules: &[Arc<RuleSet>], page: Page) -> Vec<Judged> {
    let Page { messages, acts } = page;
    let judged = messages.into_iter().map(|one| {
        let acts = acts.get(&one.id).map(Vec::as_slice).unwrap_or_default();
        let (id, reference) = (one.id, one.reference.clone());
        let judge = rules.get(judge_of(id, rules.len()));
        let changes = Kept::read(one, acts)
            .zip(judge)
            .map(|(kept, rules)| compare(&kept.found, &kept.judged_by(rules), &kept.truth));
        (id, reference, changes)
    });
    judged.collect()
}
