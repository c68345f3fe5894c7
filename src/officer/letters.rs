//! Letters that an officer takes in hand: held ones, and addresses that refused our mail.

use std::sync::Arc;

use crate::casework::case::{Actor, Event, OfficerId};
use crate::gateway::Gateway;
use crate::outbox::{ANSWERS_STOPPED, LETTERS_HELD, SEND_OTHERWISE};
use crate::store::held::{self, GoOn};
use crate::store::{StoreError, Tx, cases, letters, refusals, tasks};

/// What became of a letter that an officer took in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// As was asked.
    Done,
    /// There is none of this number.
    NoSuchLetter,
    /// It is not held but in this state.
    NotHeld(String),
    /// It could not be put into the form of mail: there is nothing to send.
    NotWritten,
}

/// Lets held letters leave, or never: these, or without any named, all answers that are held because
/// there were too many. Gives what became of each.
///
/// # Errors
/// When the database refuses.
pub async fn release(
    gateway: &Arc<Gateway>,
    officer: &str,
    these: Option<Vec<i64>>,
    how: GoOn,
) -> Result<Vec<(i64, Fate)>, StoreError> {
    let by = Actor::Officer(OfficerId(officer.to_owned()));
    let now = gateway.clock.now();
    let fates = gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let ids = match these {
                    Some(these) => these,
                    None => held::held_by_breaker(tx).await?,
                };
                let released = held::release(tx, &ids, how, now).await?;
                let done = if how == GoOn::Leave { "is released" } else { "is cancelled" };
                let note = |id| Event::Note { text: format!("letter {id} {done}").into() };
                let events: Vec<_> =
                    released.iter().filter_map(|one| Some((one.case_id?, note(one.id)))).collect();
                cases::record_all(tx, &by, &events, now).await?;
                for one in &released {
                    for task in [super::holding::TASK, SEND_OTHERWISE] {
                        tasks::finish(tx, task, Some(one.id), now).await?;
                    }
                }
                if held::held_by_breaker(tx).await?.is_empty() {
                    tasks::finish(tx, ANSWERS_STOPPED, None, now).await?;
                }
                let mut fates = Vec::with_capacity(ids.len());
                for id in ids {
                    let done = released.binary_search_by_key(&id, |one| one.id).is_ok();
                    let fate = if done { Fate::Done } else { why_not(tx, id).await? };
                    fates.push((id, fate));
                }
                Ok::<_, StoreError>(fates)
            })
        })
        .await?;
    gateway.nudges.letter.notify_one();
    Ok(fates)
}

async fn why_not(tx: &mut Tx, letter: i64) -> Result<Fate, StoreError> {
    Ok(match held::state(tx, letter).await? {
        None => Fate::NoSuchLetter,
        Some(state) if state == "held" => Fate::NotWritten,
        Some(state) => Fate::NotHeld(state),
    })
}

/// Lets automatic mail go to an address again that refused it. Gives the letters to it that are still
/// held; nothing where the address never stood in the way.
///
/// # Errors
/// When the database refuses.
pub async fn allow(
    gateway: &Arc<Gateway>,
    officer: &str,
    address: String,
) -> Result<Option<Vec<i64>>, StoreError> {
    let by = Actor::Officer(OfficerId(officer.to_owned()));
    let now = gateway.clock.now();
    gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let Some(letter) = refusals::allow(tx, &address, now).await? else {
                    return Ok(None);
                };
                tasks::finish(tx, LETTERS_HELD, Some(letter), now).await?;
                let about = letters::about(tx, letter).await?;
                if let Some(case) = about.and_then(|about| about.case_id) {
                    let text = format!("mail goes again to the address of letter {letter}").into();
                    cases::record(tx, case, &by, &Event::Note { text }, now).await?;
                }
                held::held_to(tx, &address).await.map(Some)
            })
        })
        .await
}
