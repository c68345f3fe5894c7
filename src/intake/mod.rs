//! The walk: fetch, keep, read, classify, decide, write, commit.
//!
//! [`fetch`] brings raw bytes from a mailbox into the store and moves what is settled; [`tick`] takes
//! what waits in the store through the recorded steps. If the process stops anywhere, the rows say
//! where to go on, and every step is safe to repeat.

mod allocate;
mod area;
mod ask;
mod assess;
mod bounces;
pub mod fetch;
mod history;
mod ombudsman;
mod open;
mod reply;
mod risk;
mod settle;
mod suggest;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use crate::email::{self, Email, Kind, KindEvidence};
use crate::gateway::Gateway;
use crate::hold::{hold_point, hold_point_of};
use crate::likeness::{BANDS, Shingles};
use crate::policy::Policy;
use crate::rules::Seen;
use crate::store::attachments;
use crate::store::messages::{self, Waiting};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, moment};
use crate::tick::Tick;
use crate::token;
pub(crate) use allocate::loads;
pub(crate) use area::{TASK as AREA_TASK, choose as choose_area, doubt as doubt_of_area};
pub(crate) use ask::{Asking, ask_otherwise, ask_service, attached, request_letter, tell_of_note};
pub(crate) use fetch::{believed, imported};
pub(crate) use ombudsman::{Came, Reading, notice};
pub(crate) use open::clocked;
pub(crate) use reply::{Said, add, take};
pub(crate) use risk::{FromPage, is_at_risk};
pub(crate) use settle::Following;
pub(crate) use suggest::by_itself;

/// Messages claimed together.
const BATCH: i64 = 64;
/// Messages taken through the steps together: their commits are shared, and the next ones are read
/// while these are settled.
const GROUP: usize = 16;
/// Bytes of a group.
const GROUP_BYTES: i64 = 24 << 20;
/// Short letters that one reading thread takes at a time.
const HANDFUL: usize = 4;
/// The longest short letter, in bytes; within one stored piece.
const SHORT_BYTES: i64 = 64 << 10;
/// Begun this often without being understood, a message is read without the parser.
const CAREFUL_AFTER: i64 = 2;
/// Failed this often at being settled, a message is held for a person.
const HOLD_AFTER: i64 = 4;
/// Begun this often without an end, one way or the other, a message is held for a person. More than
/// a few: a machine that is switched off and on again is not the message's doing.
const HOLD_AFTER_STOPS: i64 = 12;

/// A message in hand between its steps.
#[derive(Debug)]
pub(crate) struct InHand {
    pub(crate) waiting: Waiting,
    pub(crate) email: Email,
    pub(crate) content_key: String,
    pub(crate) seen: Seen,
    /// By what its like is found and known. Nothing for few words.
    pub(crate) words: Option<(Shingles, [i64; BANDS])>,
    /// Read now, not remembered.
    fresh: bool,
}

impl InHand {
    pub(crate) fn received_at(&self) -> Timestamp {
        moment(self.waiting.received_at)
    }
}

/// Takes the oldest messages that wait all the way to a committed decision.
///
/// # Errors
/// When the database refuses; what was claimed waits again when its lease ends.
pub async fn tick(gateway: &Arc<Gateway>) -> Result<Tick, StoreError> {
    let claimed = claim(gateway).await?;
    if claimed.is_empty() {
        return Ok(Tick::Idle);
    }
    hold_point("claimed").await;
    // One set of rules from the first look to the decision.
    let policy = gateway.policy();
    let mut ready = Vec::new();
    for group in groups(claimed) {
        // The next group is read while this one is settled.
        let (one, rules) = (Arc::clone(gateway), Arc::clone(&policy));
        let before = std::mem::take(&mut ready);
        let settling = tokio::spawn(async move { finish(&one, &rules, before).await });
        let read = understand(gateway, &policy, group).await;
        settling.await.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()))?;
        ready = read?;
        hold_point("understood").await;
    }
    finish(gateway, &policy, ready).await?;
    Ok(Tick::Busy)
}

/// Settles a group and tells those who wait for it.
async fn finish(
    gateway: &Arc<Gateway>,
    policy: &Arc<Policy>,
    read: Vec<InHand>,
) -> Result<(), StoreError> {
    if read.is_empty() {
        return Ok(());
    }
    settle_all(gateway, policy, read).await?;
    hold_point("settled").await;
    gateway.nudges.settled.send_replace(());
    gateway.nudges.letter.notify_one();
    Ok(())
}

/// Claims what waits, and counts the attempt before any parser sees the bytes: what kills the
/// process is known by its count at the next start.
async fn claim(gateway: &Arc<Gateway>) -> Result<Vec<Waiting>, StoreError> {
    let (now, id) = (gateway.clock.now(), gateway.id.clone());
    let until = gateway.lease_until(now);
    gateway
        .db
        .write(move |tx| Box::pin(async move { messages::claim(tx, &id, now, until, BATCH).await }))
        .await
}

/// Splits a claim so that one group's bytes fit into memory together.
fn groups(claimed: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let mut groups: Vec<Vec<Waiting>> = Vec::new();
    let mut bytes = 0;
    for waiting in claimed {
        bytes += waiting.size_bytes;
        match groups.last_mut() {
            Some(group) if bytes <= GROUP_BYTES && group.len() < GROUP => group.push(waiting),
            _ => {
                bytes = waiting.size_bytes;
                groups.push(vec![waiting]);
            }
        }
    }
    groups
}

/// Reads the messages of a group and commits what was understood.
async fn understand(
    gateway: &Arc<Gateway>,
    policy: &Arc<Policy>,
    group: Vec<Waiting>,
) -> Result<Vec<InHand>, StoreError> {
    use futures::stream::{self, StreamExt, TryStreamExt};
    let mut sound = Vec::with_capacity(group.len());
    for waiting in group {
        if waiting.attempts > HOLD_AFTER_STOPS {
            quarantine(gateway, &waiting, "it could not be taken in after several tries").await?;
        } else {
            sound.push(waiting);
        }
    }
    // As many at once as there are threads to read them.
    let read: Vec<Vec<InHand>> = stream::iter(handfuls(sound))
        .map(|handful| take_handful(gateway, policy, handful))
        .buffered(gateway.config.intake.readers.max(1))
        .try_collect()
        .await?;
    let read: Vec<InHand> = read.into_iter().flatten().collect();
    let now = gateway.clock.now();
    let rows: Vec<(i64, Email, String)> = read
        .iter()
        .filter(|one| one.fresh)
        .map(|one| (one.waiting.id, one.email.clone(), one.content_key.clone()))
        .collect();
    if !rows.is_empty() {
        let rows = Arc::new(rows);
        gateway
            .db
            .write_again(move |tx| {
                let rows = Arc::clone(&rows);
                Box::pin(async move {
                    messages::understood(tx, &rows, now).await?;
                    attachments::keep(tx, rows.iter().map(|(id, email, _)| (*id, email))).await
                })
            })
            .await?;
    }
    set_the_unreadable_apart(gateway, read).await
}

/// What is no message at all goes to quarantine with its reason: kept, shown to a person first, and
/// read again when they say so. It stops nothing behind it.
async fn set_the_unreadable_apart(
    gateway: &Arc<Gateway>,
    read: Vec<InHand>,
) -> Result<Vec<InHand>, StoreError> {
    let mut legible = Vec::with_capacity(read.len());
    for one in read {
        if one.email.kind == Kind::Malformed {
            let problems = one.email.problems.join("; ");
            let why = if problems.is_empty() { "it is not a message".to_owned() } else { problems };
            quarantine(gateway, &one.waiting, &why).await?;
        } else {
            legible.push(one);
        }
    }
    Ok(legible)
}

/// Cuts a group into what one reading thread takes at a time: several short letters that nothing is
/// known to be wrong with, or one message.
fn handfuls(group: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let mut handfuls: Vec<Vec<Waiting>> = Vec::new();
    let mut open = false;
    for waiting in group {
        let plain = is_plain(&waiting);
        match handfuls.last_mut() {
            Some(last) if open && plain && last.len() < HANDFUL => last.push(waiting),
            _ => handfuls.push(vec![waiting]),
        }
        open = plain;
    }
    handfuls
}

/// A short letter that is read for the first time.
fn is_plain(waiting: &Waiting) -> bool {
    waiting.state == "stored" && waiting.attempts <= 1 && waiting.size_bytes <= SHORT_BYTES
}

async fn take_handful(
    gateway: &Arc<Gateway>,
    policy: &Arc<Policy>,
    handful: Vec<Waiting>,
) -> Result<Vec<InHand>, StoreError> {
    if handful.iter().all(is_plain) {
        let ids: Vec<i64> = handful.iter().map(|waiting| waiting.id).collect();
        let mut bytes = messages::bytes_of_small(&gateway.db, &ids).await?;
        let mut letters = Vec::with_capacity(handful.len());
        for waiting in &handful {
            hold_point_of("reading", waiting.id).await;
            letters.push((waiting.clone(), bytes.remove(&waiting.id).unwrap_or_default()));
        }
        let (one, policy) = (Arc::clone(gateway), Arc::clone(policy));
        let then = move |waiting, mut email| {
            know_our_own(&one, &mut email);
            in_hand(&policy, waiting, email, true)
        };
        if let Some(read) = gateway.reader.read_each(letters, then).await {
            return Ok(read);
        }
    }
    let mut read = Vec::with_capacity(handful.len());
    for waiting in handful {
        read.push(take_in_hand(gateway, policy, waiting).await?);
    }
    Ok(read)
}

/// What a message's own text says, looked up once.
fn in_hand(policy: &Policy, waiting: Waiting, mut email: Email, fresh: bool) -> InHand {
    if fresh {
        policy.rules.fill_in(&mut email);
    }
    let (seen, content_key) = (policy.rules.look(&email), content_key(&email));
    let words = Shingles::of(suggest::words_of(&email));
    let words = words.map(|shingles| (shingles.clone(), shingles.bands()));
    InHand { waiting, email, content_key, seen, words, fresh }
}

/// One message with all that its own text says, read now or remembered from before.
async fn take_in_hand(
    gateway: &Gateway,
    policy: &Arc<Policy>,
    waiting: Waiting,
) -> Result<InHand, StoreError> {
    let known = match waiting.state.as_str() {
        "understood" => messages::email(&gateway.db, waiting.id).await?,
        _ => None,
    };
    let fresh = known.is_none();
    let email = match known {
        Some(email) => email,
        None => read_one(gateway, &waiting).await?,
    };
    // Not on this task: the database waits for nobody who looks for words.
    let policy = Arc::clone(policy);
    let looking = tokio::task::spawn_blocking(move || in_hand(&policy, waiting, email, fresh));
    Ok(looking.await.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic())))
}

/// Reads one message; one that killed or outlasted the parser before is read by its header alone.
async fn read_one(gateway: &Gateway, waiting: &Waiting) -> Result<Email, StoreError> {
    let megabytes = gateway.config.intake.read_megabytes;
    let most = usize::try_from(megabytes << 20).unwrap_or(usize::MAX);
    let size = usize::try_from(waiting.size_bytes).unwrap_or(usize::MAX);
    let whole = size <= most;
    if waiting.attempts > CAREFUL_AFTER || !whole {
        let start = messages::bytes(&gateway.db, waiting.id, size, messages::PIECE_BYTES).await?;
        let mut email = email::header_scan(&start, &gateway.limits);
        email.problems.push(if whole {
            "reading it stopped the gateway before: only its beginning was read".to_owned()
        } else {
            format!("larger than {megabytes} megabytes: only its beginning was read")
        });
        return Ok(email);
    }
    let bytes = messages::bytes(&gateway.db, waiting.id, size, most).await?;
    hold_point_of("reading", waiting.id).await;
    let mut email = gateway.reader.read(Arc::new(bytes)).await;
    know_our_own(gateway, &mut email);
    Ok(email)
}

/// A message whose own Message-ID carries our keyed token is ours come back, whoever it says it is
/// from.
fn know_our_own(gateway: &Gateway, email: &mut Email) {
    let sender = &gateway.sender;
    let id = email.message_id.as_deref();
    if token::find_in_message_ids(id, &sender.keys, &sender.instance).is_some() {
        email.kind = Kind::OwnMessage;
        let value = id.unwrap_or_default().to_owned().into();
        email.kind_evidence = vec![KindEvidence { header: "Message-ID".to_owned(), value }];
    }
}

/// What makes two messages the same, whichever mailbox brought them: who, when, what and with which
/// attachments. Empty for what could not be read: there only the bytes themselves tell.
fn content_key(email: &Email) -> String {
    if email.kind == Kind::Malformed || email.fingerprint.is_empty() {
        return String::new();
    }
    let mut hash = Sha256::new();
    hash.update(&email.fingerprint);
    for attachment in &email.attachments {
        hash.update(&attachment.sha256);
    }
    email::hexadecimal(&hash.finalize())
}

/// Settles a group in one transaction; where that fails, each message alone, so that one bad one
/// never stops those beside it.
async fn settle_all(
    gateway: &Arc<Gateway>,
    policy: &Arc<Policy>,
    read: Vec<InHand>,
) -> Result<(), StoreError> {
    let read = Arc::new(read);
    let Err(error) = settle_together(gateway, policy, Arc::clone(&read), None).await else {
        return Ok(());
    };
    warn!(%error, cause = cause(&error), "settling {} messages together failed; one by one", read.len());
    let mut store_fails = None;
    for (index, one) in read.iter().enumerate() {
        if let Err(error) = settle_together(gateway, policy, Arc::clone(&read), Some(index)).await {
            put_back(gateway, &one.waiting, &error).await?;
            if error.is_of_the_store() {
                store_fails = Some(error);
            }
        }
    }
    // The loop then pauses; the messages wait with it.
    store_fails.map_or(Ok(()), Err)
}

async fn settle_together(
    gateway: &Arc<Gateway>,
    policy: &Arc<Policy>,
    read: Arc<Vec<InHand>>,
    only: Option<usize>,
) -> Result<(), StoreError> {
    let (inner, policy) = (Arc::clone(gateway), Arc::clone(policy));
    let outcomes = gateway
        .db
        .write_again(move |tx| {
            let (inner, read, policy) =
                (Arc::clone(&inner), Arc::clone(&read), Arc::clone(&policy));
            Box::pin(async move {
                let messages: Vec<&InHand> = match only {
                    Some(only) => read.get(only).into_iter().collect(),
                    None => read.iter().collect(),
                };
                let outcomes = settle::settle(tx, &inner, &policy, &messages).await?;
                hold_point("settling").await;
                Ok::<_, StoreError>(outcomes)
            })
        })
        .await?;
    for outcome in outcomes {
        info!(
            message.id = outcome.settled.id,
            case.reference = outcome.reference.as_deref(),
            "message {} {}",
            outcome.settled.id,
            outcome.settled.action
        );
    }
    Ok(())
}

async fn put_back(
    gateway: &Arc<Gateway>,
    waiting: &Waiting,
    error: &StoreError,
) -> Result<(), StoreError> {
    let words = format!("{error}: {}", cause(error));
    warn!(message.id = waiting.id, %error, "message {} could not be settled", waiting.id);
    // Mail that comes in while the store is broken is no worse for it.
    let uncounted = error.is_of_the_store();
    if error.is_unsuitable() || (waiting.attempts >= HOLD_AFTER && !uncounted) {
        return quarantine(gateway, waiting, &words).await;
    }
    let (id, now) = (waiting.id, gateway.clock.now());
    let pause = SignedDuration::from_secs(if uncounted { 5 } else { 30 * waiting.attempts });
    let retry_at = now.saturating_add(pause).unwrap_or(now);
    gateway
        .db
        .write(move |tx| {
            Box::pin(async move { messages::put_back(tx, id, &words, retry_at, uncounted).await })
        })
        .await
}

async fn quarantine(
    gateway: &Arc<Gateway>,
    waiting: &Waiting,
    why: &str,
) -> Result<(), StoreError> {
    warn!(message.id = waiting.id, "message {} is in quarantine", waiting.id);
    let (id, now, why) = (waiting.id, gateway.clock.now(), why.to_owned());
    gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                messages::quarantine(tx, id, &why, now).await?;
                // Nobody knows what it says: a person looks at it as if a child were at risk.
                let words = "a message could not be read: look at it now";
                let task = NewTask {
                    kind: "quarantine",
                    message_id: Some(id),
                    words: words.into(),
                    ..NewTask::default()
                };
                tasks::add(tx, &task, now).await.map(drop)
            })
        })
        .await
}

fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}
