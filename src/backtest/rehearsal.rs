//! What corrections suggest, each draft tried alone over past messages: which it would put right, and
//! which it would put wrong.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::kept::{self, Kept, Which};
use super::{Asked, whole};
use crate::rules::compare::{Change, Field, How, Move, compare, whither};
use crate::rules::suggest::{Beyond, Draft, Past, beyond_rules, drafts, other_record_types};
use crate::rules::{Classification, RuleSet};
use crate::store::{Db, StoreError};

/// A message, as it may be named: it names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its number.
    pub message: i64,
    /// The case that it belongs to.
    pub reference: Option<String>,
}

/// A draft, and what it would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The draft.
    pub draft: Draft,
    /// Messages that come nearer to what officers decided.
    pub fixed: Vec<Named>,
    /// Those of them that also change in something that officers left as it was.
    pub beside: usize,
    /// Messages that go away from it.
    pub broken: Vec<Named>,
    /// Messages that no officer decided and that would be otherwise.
    pub others: usize,
    /// Messages that are wrong, and at which an officer would look first.
    pub asked: usize,
}

/// What past corrections suggest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suggestions {
    /// The best first.
    pub all: Vec<Suggestion>,
    /// Messages that were read.
    pub messages: usize,
    /// Those of them whose record type officers corrected, for which no rule can be suggested.
    pub other_record_types: usize,
    /// What officers gave to messages, and no rule that was tried would.
    pub beyond: Vec<Beyond>,
}

/// A past message, and what the rules as they are make of it.
struct Judged {
    kept: Kept,
    now: Classification,
}

/// Looks for what corrections suggest, and tries it. `files` are those that `rules` come of. `told` is
/// called with how many drafts have been tried and how many there are.
///
/// # Errors
/// When the store cannot be read.
pub async fn suggestions(
    db: &Db,
    rules: Arc<RuleSet>,
    files: Vec<(String, String)>,
    asked: Asked,
    told: impl Fn(usize, usize) + Send + Sync + 'static,
) -> Result<Suggestions, StoreError> {
    let judging = Arc::clone(&rules);
    let most = asked.most.unwrap_or(usize::MAX);
    let past = kept::each(db, Which::All, asked.since, most, move |kept| {
        let now = kept.judged_by(&judging);
        Judged { kept, now }
    });
    let past = past.await?;
    Ok(whole(
        tokio::task::spawn_blocking(move || rehearse(&rules, &files, &past, asked.threads, &told))
            .await,
    ))
}

fn rehearse(
    rules: &RuleSet,
    files: &[(String, String)],
    judged: &[Judged],
    threads: usize,
    told: &(impl Fn(usize, usize) + Sync),
) -> Suggestions {
    let past: Vec<Past<'_>> = judged
        .iter()
        .map(|one| Past { email: &one.kept.email, found: &one.now, truth: &one.kept.truth })
        .collect();
    let drafts = drafts(rules, files, &past);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tried: Mutex<BTreeMap<usize, Suggestion>> = Mutex::default();
    told(0, drafts.len());
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, drafts.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(draft) = drafts.get(number) else { break };
                    if let Some(suggestion) = try_out(draft, rules, files, judged) {
                        let mut tried = tried.lock().unwrap_or_else(PoisonError::into_inner);
                        tried.insert(number, suggestion);
                    }
                    told(done.fetch_add(1, Ordering::Relaxed) + 1, drafts.len());
                }
            });
        }
    });
    let tried = tried.into_inner().unwrap_or_else(PoisonError::into_inner);
    let all = worth_it(tried.into_values());
    let fixed: HashSet<i64> =
        all.iter().flat_map(|one| &one.fixed).map(|one| one.message).collect();
    let helped = judged.iter().enumerate().filter(|(_, one)| fixed.contains(&one.kept.message));
    let beyond = beyond_rules(&past, &helped.map(|(number, _)| number).collect());
    let (messages, other_record_types) = (judged.len(), other_record_types(&past));
    Suggestions { all, messages, other_record_types, beyond }
}

/// Judges every message again with one draft. Nothing where the set is not valid with it.
fn try_out(
    draft: &Draft,
    as_they_are: &RuleSet,
    files: &[(String, String)],
    judged: &[Judged],
) -> Option<Suggestion> {
    // What it learns from is the same: no draft changes the examples.
    let rules = RuleSet::load(&draft.applied(files)).ok()?.with_opinion_of(as_they_are);
    let mut suggestion = Suggestion {
        draft: draft.clone(),
        fixed: Vec::new(),
        beside: 0,
        broken: Vec::new(),
        others: 0,
        asked: 0,
    };
    for Judged { kept, now } in judged {
        let after = kept.judged_by(&rules);
        let changes = compare(now, &after, &kept.truth);
        let named = || Named { message: kept.message, reference: kept.reference.clone() };
        match whither(&changes) {
            Move::Towards => suggestion.fixed.push(named()),
            Move::BothWays if only_beside(&changes) => {
                suggestion.fixed.push(named());
                suggestion.beside += 1;
            }
            Move::Away | Move::BothWays => suggestion.broken.push(named()),
            Move::NoNearer => {}
            Move::Undecided => {
                let otherwise = changes.iter().any(|change| change.field != Field::NeedsOfficer);
                suggestion.others += usize::from(otherwise);
            }
        }
        let looks = !now.needs_officer && after.needs_officer;
        let decided = kept.truth.get(&Field::RecordType);
        let wrong = decided.is_some_and(|one| one.value != after.record_type.to_string());
        suggestion.asked += usize::from(looks && wrong);
    }
    Some(suggestion)
}

/// Whether everything that goes away from what officers decided is only what they left as it was: what
/// they put right weighs more.
fn only_beside(changes: &[Change]) -> bool {
    let of = |moves| changes.iter().filter(move |change| change.moves == moves);
    let how = |change: &Change| change.officer.as_ref().map(|officer| officer.how);
    of(Move::Away).all(|change| how(change) == Some(How::Left))
        && of(Move::Towards).any(|change| how(change) == Some(How::Corrected))
}

/// Those that put more right than wrong, or an officer before what is wrong; of drafts of which one is
/// enough, the best. The best first.
fn worth_it(tried: impl Iterator<Item = Suggestion>) -> Vec<Suggestion> {
    let gain = |one: &Suggestion| one.fixed.len().cast_signed() - one.broken.len().cast_signed();
    let mut best: BTreeMap<usize, Suggestion> = BTreeMap::new();
    for one in tried {
        let does =
            (!one.fixed.is_empty() && gain(&one) >= 0) || (one.asked > 0 && one.broken.is_empty());
        let better = best.get(&one.draft.one_of).is_none_or(|other| gain(&one) > gain(other));
        if does && better {
            best.insert(one.draft.one_of, one);
        }
    }
    let mut best: Vec<Suggestion> = best.into_values().collect();
    best.sort_by(|a, b| {
        gain(b)
            .cmp(&gain(a))
            .then(b.fixed.len().cmp(&a.fixed.len()))
            .then(a.draft.id.cmp(&b.draft.id))
    });
    best
}
