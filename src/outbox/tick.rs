//! Letters leave: claim, deliver, record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

use super::address::{AddressFault, MailAddress};
use super::mailer::{Delivery, Envelope, Reply};
use super::refusal;
use super::retry::{self, Next};
use crate::casework::case::{Actor, Event};
use crate::gateway::Gateway;
use crate::hold::hold_point;
use crate::store::letters::{self, Leaving, Outcome};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, cases, moment};
use crate::tick::Tick;

/// Letters claimed together: their commits are shared.
const BATCH: i64 = 16;

/// Sends the letters that are due, for as long as `go_on` says.
///
/// # Errors
/// When the database refuses; what was claimed is tried again when its lease ends, with the same
/// bytes and the same Message-ID.
pub async fn tick(
    gateway: &Arc<Gateway>,
    go_on: impl Fn() -> bool + Send,
) -> Result<Tick, StoreError> {
    let mut claimed = commit(gateway, Vec::new(), true).await?;
    if claimed.is_empty() {
        return Ok(Tick::Idle);
    }
    while !claimed.is_empty() {
        hold_point("sending").await;
        let done = tokio::select! {
            done = deliver_all(gateway, claimed) => done,
            never = stay_ours(gateway) => match never {},
        };
        hold_point("sent").await;
        claimed = commit(gateway, done, go_on()).await?;
    }
    Ok(Tick::Busy)
}

/// Records what was delivered and claims what is next, in one transaction: each costs the disk's answer.
async fn commit(
    gateway: &Arc<Gateway>,
    done: Vec<(Leaving, Delivery)>,
    claim: bool,
) -> Result<Vec<Leaving>, StoreError> {
    let (now, pause) = (gateway.clock.now(), gateway.retry_pause());
    let (id, until) = (gateway.id.clone(), gateway.lease_until(now));
    let done = Arc::new(done);
    gateway
        .db
        // What is not recorded is sent once more.
        .write_again(move |tx| {
            let (done, id) = (Arc::clone(&done), id.clone());
            Box::pin(async move {
                if !done.is_empty() {
                    record_accepted(tx, &done, now).await?;
                    for (letter, delivery) in done.iter() {
                        record(tx, letter, delivery, pause, now).await?;
                    }
                    hold_point("recording").await;
                }
                if claim {
                    letters::claim(tx, &id, now, until, BATCH).await
                } else {
                    Ok(Vec::new())
                }
            })
        })
        .await
}

/// Renews the claim on letters for as long as a slow server takes them: another gateway would send
/// them too.
async fn stay_ours(gateway: &Arc<Gateway>) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(gateway.lease() / 3).await;
        let (id, until) = (gateway.id.clone(), gateway.lease_until(gateway.clock.now()));
        let renewed = gateway
            .db
            .write(move |tx| Box::pin(async move { letters::renew(tx, &id, until).await }))
            .await;
        if let Err(error) = renewed {
            warn!(%error, "the claim on letters that are being sent could not be renewed");
        }
    }
}

/// Delivers as many at once as the mailer has connections. A send is never cancelled: a half-used
/// connection could report the next letter's fate as this one's.
async fn deliver_all(gateway: &Arc<Gateway>, claimed: Vec<Leaving>) -> Vec<(Leaving, Delivery)> {
    use futures::stream::{self, StreamExt};
    stream::iter(claimed)
        .map(|letter| async move {
            let delivery = match envelope(&letter) {
                Ok(envelope) => gateway.mailer.deliver(&envelope, &letter.bytes).await,
                Err(fault) => Delivery::Refused { reply: Reply::without_code(fault.to_string()) },
            };
            (letter, delivery)
        })
        .buffer_unordered(gateway.mailer.connections())
        .collect()
        .await
}

fn envelope(letter: &Leaving) -> Result<Envelope, AddressFault> {
    Ok(Envelope {
        from: Some(MailAddress::parse(&letter.envelope_from)?),
        to: MailAddress::parse(&letter.recipient)?,
    })
}

/// Records all that left, with a few statements however many they are.
async fn record_accepted(
    tx: &mut Tx,
    done: &[(Leaving, Delivery)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut by_answer: BTreeMap<(Option<u16>, &str), Vec<i64>> = BTreeMap::new();
    for (letter, delivery) in done {
        let Delivery::Accepted { reply } = delivery else { continue };
        by_answer.entry((reply.code, &reply.cause)).or_default().push(letter.id);
    }
    let mut recorded = BTreeSet::new();
    for ((code, cause), ids) in by_answer {
        recorded.extend(letters::sent(tx, &ids, code, cause, now).await?);
    }
    let mut acknowledged = Vec::new();
    for (letter, _) in done.iter().filter(|(letter, _)| recorded.contains(&letter.id)) {
        info!(letter.id, "letter {} left ({})", letter.id, letter.purpose);
        if let Some(case) = letter.case_id.filter(|_| letter.purpose == "acknowledgement") {
            acknowledged.push((
                case,
                Event::Acknowledged { letter: Some(letter.id.to_string()), at: None },
            ));
        }
    }
    let cases: Vec<i64> = acknowledged.iter().map(|(case, _)| *case).collect();
    cases::acknowledged(tx, &cases, now).await?;
    cases::record_all(tx, &Actor::Gateway, &acknowledged, now).await
}

/// Records how one delivery ended that was not accepted.
async fn record(
    tx: &mut Tx,
    letter: &Leaving,
    delivery: &Delivery,
    pause: Duration,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reply = delivery.reply();
    let outcome = |state, due_at| Outcome { state, code: reply.code, cause: &reply.cause, due_at };
    match delivery {
        Delivery::Accepted { .. } => Ok(()),
        Delivery::Deferred { .. } => {
            let queued_at = moment(letter.created_at);
            let tries = u32::try_from(letter.attempts).unwrap_or(u32::MAX);
            match retry::next_try(queued_at, tries, pause, now) {
                Next::TryAt(due_at) => {
                    warn!(letter.id, reply.code, "letter {} deferred", letter.id);
                    letters::record(tx, letter.id, &outcome("queued", Some(due_at)), now)
                        .await
                        .map(drop)
                }
                Next::GiveUp => give_up(tx, letter, &outcome("failed", None), None, now).await,
            }
        }
        Delivery::Refused { .. } => {
            let status = refusal_status(reply);
            give_up(tx, letter, &outcome("failed", None), status, now).await
        }
        Delivery::QueueStopped { .. } => {
            let due_at = now.saturating_add(pause).unwrap_or(now);
            warn!(letter.id, reply.code, "outgoing mail stands still: {}", reply.cause);
            letters::give_back(tx, letter.id, due_at, &reply.cause).await
        }
        // The server may have it. Once more with the same bytes: a second copy of a reference number
        // is harmless, a missing acknowledgement is not. After that a person looks.
        Delivery::Unknown { .. } if letter.attempts <= 1 => {
            let due_at = now.saturating_add(pause).unwrap_or(now);
            letters::record(tx, letter.id, &outcome("queued", Some(due_at)), now).await.map(drop)
        }
        Delivery::Unknown { .. } => give_up(tx, letter, &outcome("unknown", None), None, now).await,
    }
}

/// The status that a server refused a letter with. One that gives no enhanced code says only that it
/// refused; what never came to a server was refused by nobody.
fn refusal_status(reply: &Reply) -> Option<String> {
    let code = reply.code.filter(|code| code / 100 == 5)?;
    let plain = if code == 550 || code == 551 || code == 553 { "5.1.0" } else { "5.0.0" };
    Some(reply.enhanced.clone().unwrap_or_else(|| plain.to_owned()))
}

/// A letter that will not leave by itself: shown, and a person's task.
async fn give_up(
    tx: &mut Tx,
    letter: &Leaving,
    outcome: &Outcome<'_>,
    status: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    warn!(letter.id, code = outcome.code, "letter {} {}", letter.id, outcome.state);
    if !letters::record(tx, letter.id, outcome, now).await? {
        return Ok(());
    }
    let stops = match status {
        Some(status) => refusal::refused(tx, letter.id, &letter.recipient, &status, now).await?,
        None => String::new(),
    };
    let words = format!(
        "a letter did not arrive ({}): reach the person by other means{stops}",
        outcome.cause
    );
    let task = NewTask {
        kind: "letter_failed",
        case_id: letter.case_id,
        letter_id: Some(letter.id),
        words: words.into(),
        ..NewTask::default()
    };
    tasks::add(tx, &task, now).await.map(drop)
}
