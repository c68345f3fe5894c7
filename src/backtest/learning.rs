//! What the second opinion learns from officers: every message that they decided is an example. It is
//! worked out of the register's rows each time; nothing of it is kept anywhere else.

use std::sync::Arc;

use super::kept::{self, Which};
use super::{judge_of, whole};
use crate::rules::{Lesson, RuleSet};
use crate::store::{Db, StoreError, past};

/// So many of the newest messages that officers decided teach.
const NEWEST: usize = 5_000;

/// Teaches a set of rules that has judged nothing yet; of how many messages. It works on threads of its
/// own.
///
/// # Errors
/// When the store cannot be read.
pub async fn teach<R>(db: &Db, rules: &Arc<R>) -> Result<usize, StoreError>
where
    R: AsRef<RuleSet> + Send + Sync + 'static,
{
    let lessons = lessons(db, rules).await?;
    let (number, rules) = (lessons.len(), Arc::clone(rules));
    let lessons = lessons.into_iter().map(|(_, lesson)| lesson).collect();
    whole(tokio::task::spawn_blocking(move || rules.as_ref().as_ref().teach(lessons)).await);
    Ok(number)
}

/// Whether officers have decided anything yet that could be learned from.
///
/// # Errors
/// When the store cannot be read.
pub async fn is_there_any(db: &Db) -> Result<bool, StoreError> {
    let mut tx = db.snapshot().await?;
    Ok(!past::decided_page(&mut tx, i64::MAX, None, 1).await?.is_empty())
}

/// Teaches two sets of the same rules, each with one half of the messages, to judge the other half
/// (`judge_of`): no message is judged by what was learned from itself.
///
/// # Errors
/// When the store cannot be read.
pub async fn teach_halves(db: &Db, halves: &[Arc<RuleSet>; 2]) -> Result<(), StoreError> {
    let [first, _] = halves;
    let lessons = lessons(db, first).await?;
    for (number, rules) in halves.iter().enumerate() {
        let others = lessons.iter().filter(|(message, _)| judge_of(*message, 2) != number);
        let (others, rules) =
            (others.map(|(_, lesson)| lesson.clone()).collect(), Arc::clone(rules));
        whole(tokio::task::spawn_blocking(move || rules.teach(others)).await);
    }
    Ok(())
}

/// What each of the newest messages that officers decided teaches, with its number.
async fn lessons<R>(db: &Db, rules: &Arc<R>) -> Result<Vec<(i64, Lesson)>, StoreError>
where
    R: AsRef<RuleSet> + Send + Sync + 'static,
{
    let reader = Arc::clone(rules);
    let lessons = kept::each(db, Which::Decided, None, NEWEST, move |kept| {
        let lesson = reader.as_ref().as_ref().lesson(&kept.as_example()?)?;
        Some((kept.message, lesson))
    });
    Ok(lessons.await?.into_iter().flatten().collect())
}
