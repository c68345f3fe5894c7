//! Letters leave: claim, deliver, record.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use tracing::{info, warn};

use super::address::{AddressFault, MailAddress};
use super::mailer::{Delivery, Envelope, Reply};
use super::pace::Pace;
use super::refusal;
use super::retry::{self, Next};
use crate::casework::case::{Actor, Event};
use crate::gateway::Gateway;
use crate::hold::hold_point;
use crate::store::letters::{self, Leaving, Outcome};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, cases, moment};
use crate::tick::Tick;

/// Letters recorded together: their commits are shared.
const TOGETHER: usize = 16;
/// Letters claimed and not yet recorded, at most: while some are recorded, others leave. After a crash
/// so many may leave once more.
const IN_HAND: usize = 48;
/// How long letters that have left wait for others to be recorded with.
const PATIENCE: Duration = Duration::from_millis(500);
/// What an officer reads at a letter that waits for its domain.
const WAITS: &str = "waits its turn: the settings limit the letters to this domain";

/// Sends the letters that are due, for as long as `go_on` says.
///
/// # Errors
/// When the database refuses; what was claimed is tried again when its lease ends, with the same
/// bytes and the same Message-ID.
pub async fn tick(
    gateway: &Arc<Gateway>,
    go_on: impl Fn() -> bool + Send,
) -> Result<Tick, StoreError> {
    // Whatever an earlier turn that failed had in hand.
    pace(gateway).let_go();
    let mut outgoing = Outgoing::new(gateway);
    tokio::select! {
        ended = outgoing.run(go_on) => ended,
        never = stay_ours(gateway) => match never {},
    }
}

/// A letter in hand, and to whom it goes.
struct Ready {
    letter: Leaving,
    envelope: Result<Envelope, AddressFault>,
}

impl Ready {
    fn new(letter: Leaving) -> Self {
        let envelope = envelope(&letter);
        Self { letter, envelope }
    }

    /// None for what will not leave.
    fn domain(&self) -> Option<&str> {
        self.envelope.as_ref().ok().map(|envelope| envelope.to.domain())
    }
}

/// What a claim gave.
struct Claimed {
    ready: Vec<Ready>,
    /// Letters that must wait for their domain, and until when.
    waits: Vec<(String, Timestamp)>,
    /// Nothing more is due.
    all: bool,
}

type Sending = Pin<Box<dyn Future<Output = (Leaving, Delivery)> + Send>>;
type Recording = Pin<Box<dyn Future<Output = Result<Claimed, StoreError>> + Send>>;

/// Letters on their way: while some leave, those that have left are recorded and more are claimed.
struct Outgoing<'a> {
    gateway: &'a Arc<Gateway>,
    waiting: VecDeque<Ready>,
    sending: FuturesUnordered<Sending>,
    done: Vec<(Leaving, Delivery)>,
    recording: Option<Recording>,
    /// Nothing more was due at the last look.
    dry: bool,
}

impl<'a> Outgoing<'a> {
    fn new(gateway: &'a Arc<Gateway>) -> Self {
        Self {
            gateway,
            waiting: VecDeque::new(),
            sending: FuturesUnordered::new(),
            done: Vec::new(),
            recording: None,
            dry: false,
        }
    }

    async fn run(&mut self, go_on: impl Fn() -> bool + Send) -> Result<Tick, StoreError> {
        let ended = self.send_all(go_on).await;
        // A send is never cancelled, whatever the database refuses: a half-used connection could report
        // the next letter's fate as this one's.
        while self.sending.next().await.is_some() {}
        ended
    }

    async fn send_all(&mut self, go_on: impl Fn() -> bool + Send) -> Result<Tick, StoreError> {
        let mut found = Tick::Idle;
        let mut late = false;
        loop {
            self.send();
            if self.recording.is_none() {
                self.record(go_on(), late).await;
            }
            if self.recording.is_none() && self.sending.is_empty() {
                return Ok(found);
            }
            late = false;
            let nothing_recorded = self.recording.is_none();
            tokio::select! {
                Some(one) = self.sending.next() => self.done.push(one),
                claimed = recorded(&mut self.recording) => {
                    self.recording = None;
                    let claimed = claimed?;
                    if !claimed.ready.is_empty() || !claimed.waits.is_empty() {
                        found = Tick::Busy;
                    }
                    self.take(claimed).await;
                }
                () = tokio::time::sleep(PATIENCE), if nothing_recorded => late = true,
            }
        }
    }

    /// Begins as many deliveries as there are connections, none beyond what its domain takes at once.
    fn send(&mut self) {
        let mut at = 0;
        while self.sending.len() < self.gateway.mailer.connections() {
            let Some(next) = self.waiting.get(at) else { return };
            let free = next.domain().is_none_or(|domain| pace(self.gateway).begin(domain));
            if free {
                let next = self.waiting.remove(at);
                self.sending.extend(next.map(|next| deliver(Arc::clone(self.gateway), next)));
            } else {
                at += 1;
            }
        }
    }

    /// Begins to record what has left and to claim what is next, in one transaction: each costs the disk's
    /// answer.
    async fn record(&mut self, go_on: bool, late: bool) {
        let in_hand = self.waiting.len() + self.sending.len();
        let room = if go_on { IN_HAND.saturating_sub(in_hand) } else { 0 };
        // Neither one slow letter nor one slow domain keeps others from leaving.
        let idle = self.sending.len() < self.gateway.mailer.connections();
        let hungry = room > 0 && (self.waiting.is_empty() || idle) && (late || !self.dry);
        let enough = self.done.len() >= TOGETHER || self.sending.is_empty() || late;
        if !(hungry || enough && !self.done.is_empty()) {
            return;
        }
        let done = std::mem::take(&mut self.done);
        if !done.is_empty() {
            hold_point("sent").await;
        }
        self.recording = Some(Box::pin(commit(Arc::clone(self.gateway), done, room)));
    }

    async fn take(&mut self, claimed: Claimed) {
        self.dry = claimed.all;
        {
            let mut pace = pace(self.gateway);
            for (domain, until) in &claimed.waits {
                pace.put_off(domain, *until);
            }
            claimed.ready.iter().filter_map(Ready::domain).for_each(|domain| pace.taken(domain));
        }
        if !claimed.ready.is_empty() {
            hold_point("sending").await;
        }
        self.waiting.extend(claimed.ready);
    }
}

/// Waits for what is being recorded; for ever where nothing is.
async fn recorded(recording: &mut Option<Recording>) -> Result<Claimed, StoreError> {
    match recording {
        Some(recording) => recording.await,
        None => std::future::pending().await,
    }
}

fn pace(gateway: &Gateway) -> MutexGuard<'_, Pace> {
    gateway.pace.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn commit(
    gateway: Arc<Gateway>,
    done: Vec<(Leaving, Delivery)>,
    most: usize,
) -> Result<Claimed, StoreError> {
    let (now, pause) = (gateway.clock.now(), gateway.retry_pause());
    let (id, until) = (gateway.id.clone(), gateway.lease_until(now));
    let done = Arc::new(done);
    let as_it_is = pace(&gateway).clone();
    gateway
        .db
        // What is not recorded is sent once more.
        .write_again(move |tx| {
            let (done, id, pace) = (Arc::clone(&done), id.clone(), as_it_is.clone());
            Box::pin(async move {
                if !done.is_empty() {
                    record_accepted(tx, &done, now).await?;
                    for (letter, delivery) in done.iter() {
                        record(tx, letter, delivery, pause, now).await?;
                    }
                    hold_point("recording").await;
                }
                let limit = i64::try_from(most).unwrap_or(i64::MAX);
                let claimed = match limit {
                    0 => Vec::new(),
                    _ => letters::claim(tx, &id, now, until, limit).await?,
                };
                put_off(tx, claimed, most, pace, now).await
            })
        })
        .await
}

/// Gives back the letters that their domain does not take yet, their attempt not counted.
async fn put_off(
    tx: &mut Tx,
    claimed: Vec<Leaving>,
    most: usize,
    mut pace: Pace,
    now: Timestamp,
) -> Result<Claimed, StoreError> {
    let all = claimed.len() < most;
    let (mut ready, mut waits) = (Vec::with_capacity(claimed.len()), Vec::new());
    for letter in claimed.into_iter().map(Ready::new) {
        let wait = letter.domain().and_then(|domain| {
            let until = pace.take(domain, now).err()?;
            Some((domain.to_owned(), until))
        });
        match wait {
            None => ready.push(letter),
            Some((domain, until)) => {
                letters::give_back(tx, letter.letter.id, until, WAITS).await?;
                waits.push((domain, until));
            }
        }
    }
    Ok(Claimed { ready, waits, all })
}

/// Renews the claim on letters for as long as a slow server takes them: another gateway would send
/// them too.
async fn stay_ours(gateway: &Arc<Gateway>) -> Infallible {
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

/// Hands one letter over.
fn deliver(gateway: Arc<Gateway>, Ready { letter, envelope }: Ready) -> Sending {
    Box::pin(async move {
        let began = Instant::now();
        let delivery = match &envelope {
            Ok(envelope) => gateway.mailer.deliver(envelope, &letter.bytes).await,
            Err(fault) => Delivery::Refused { reply: Reply::without_code(fault.to_string()) },
        };
        if let Ok(envelope) = envelope {
            let went = !matches!(delivery, Delivery::QueueStopped { .. });
            let now = gateway.clock.now();
            pace(&gateway).end(envelope.to.domain(), began.elapsed(), went, now);
        }
        (letter, delivery)
    })
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
