//! What of the letters just queued does not leave by itself: those to an address that refuses our mail,
//! and answers past what the whole gateway may give in ten minutes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use tracing::error;

use super::queue::Posting;
use super::refusal::{self, HELD_BECAUSE};
use crate::letters::LetterId;
use crate::store::held::{self, HeldBy};
use crate::store::refusals;
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx};

/// Over which answers are counted.
const A_WHILE: SignedDuration = SignedDuration::from_mins(10);

/// The kind of task that says that answers stand still.
pub(crate) const ANSWERS_STOPPED: &str = "answers_stopped";

/// The kind of task that a letter leaves which is no mail.
pub(crate) const SEND_OTHERWISE: &str = "send_otherwise";

/// Holds back what must not leave of letters just queued and written.
///
/// An alarm about a child is tried whatever is known of its address; requests and reminders are no
/// answers and never count as such.
pub(super) async fn hold_back(
    tx: &mut Tx,
    most: u32,
    queued: &[(i64, &Posting)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let queued = &by_hand(tx, queued, now).await?;
    let alert = LetterId::SafeguardingAlert.id();
    let bound: Vec<_> = queued.iter().filter(|(_, one)| one.purpose != alert).collect();
    if bound.is_empty() {
        return Ok(());
    }
    let addresses: BTreeSet<String> =
        bound.iter().map(|(_, one)| one.recipient.to_lowercase()).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let refusing = refusals::refusing(tx, &addresses, now).await?;
    let (mut refused, mut waiting, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for (id, one) in bound {
        if let Some(refusing) = refusing.get(&one.recipient.to_lowercase()) {
            refused.push(*id);
            waiting.push((*refusing, one.case.map(|case| case.id)));
        } else if one.is_answer() {
            answers.push(*id);
        }
    }
    if !refused.is_empty() {
        held::hold(tx, &refused, HeldBy::Address, HELD_BECAUSE).await?;
        refusal::tell(tx, &waiting, now).await?;
    }
    break_off(tx, i64::from(most), &answers, now).await
}

/// Holds what its reader needs in a form that is no mail, each with a task for whoever sends it. Gives the rest.
async fn by_hand<'a>(
    tx: &mut Tx,
    queued: &[(i64, &'a Posting)],
    now: Timestamp,
) -> Result<Vec<(i64, &'a Posting)>, StoreError> {
    let mut rest = Vec::with_capacity(queued.len());
    for (id, one) in queued {
        let Some(format) = one.written.by_hand else {
            rest.push((*id, *one));
            continue;
        };
        let cause = format!("the customer needs it {}", format.label());
        held::hold(tx, &[*id], HeldBy::Format, &cause).await?;
        let words = format!(
            "send the letter `{}` {}: `postern letters show {id}` has its words; then \
             `postern letters cancel {id}`",
            one.written.letter,
            format.label()
        );
        let task = NewTask {
            kind: SEND_OTHERWISE,
            case_id: one.case.map(|case| case.id),
            letter_id: Some(*id),
            words: words.into(),
            ..NewTask::default()
        };
        tasks::add(tx, &task, now).await?;
    }
    Ok(rest)
}

/// Holds those answers that would be too many. Once some are held, all that come later are too, until
/// a person releases them: what pours out answers is not left to go on in portions.
async fn break_off(
    tx: &mut Tx,
    most: i64,
    answers: &[i64],
    now: Timestamp,
) -> Result<(), StoreError> {
    if answers.is_empty() {
        return Ok(());
    }
    let new = i64::try_from(answers.len()).unwrap_or(i64::MAX);
    let since = now.saturating_sub(A_WHILE).unwrap_or(now);
    let lately = held::answers(tx, since, most.saturating_add(new)).await?;
    let left = if lately.held { 0 } else { (most - (lately.count - new)).clamp(0, new) };
    let Some(stopped @ [first, ..]) = answers.get(usize::try_from(left).unwrap_or(0)..) else {
        return Ok(());
    };
    held::hold(tx, stopped, HeldBy::Breaker, "more answers in ten minutes than the limit").await?;
    if lately.held {
        return Ok(());
    }
    error!(letter.id = first, "automatic answers stand still: more than {most} in ten minutes");
    let words = format!(
        "automatic answers stand still: more than {most} in ten minutes; look for a loop or a flood \
         (`postern letters list --held`), then `postern letters release --held`"
    );
    let task = NewTask {
        kind: ANSWERS_STOPPED,
        letter_id: Some(*first),
        words: words.into(),
        ..NewTask::default()
    };
    tasks::add(tx, &task, now).await.map(drop)
}
