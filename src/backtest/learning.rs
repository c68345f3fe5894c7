//! What the second opinion learns from officers: every message that they decided is an example. It is
//! worked out of the register's rows each time; nothing of it is kept anywhere else.

use std::sync::Arc;

use super::kept::{self, Which};
use super::whole;
use crate::rules::{Lesson, RuleSet};
use crate::store::{Db, StoreError};

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
    let reader = Arc::clone(rules);
    let lessons = kept::each(db, Which::Decided, None, NEWEST, move |kept| {
        reader.as_ref().as_ref().lesson(&kept.as_example()?)
    });
    let lessons: Vec<Lesson> = lessons.await?.into_iter().flatten().collect();
    let (number, rules) = (lessons.len(), Arc::clone(rules));
    whole(tokio::task::spawn_blocking(move || rules.as_ref().as_ref().teach(lessons)).await);
    Ok(number)
}
