//! The loops of a running gateway, and how they end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use crate::backtest::learning;
use crate::gateway::Gateway;
use crate::intake::{self, fetch};
use crate::policy::{self, Policy};
use crate::scan::clamd::Patience;
use crate::store::{StoreError, letters, mailboxes};
use crate::tick::Tick;
use crate::{alarm, console, outbox, recount, reminders, scan};

/// The longest that a loop sleeps: a nudge that came from another gateway is never waited for longer.
const LONGEST_SLEEP: Duration = Duration::from_secs(15);
/// How often the folders of rules and templates are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(5);
/// How often the second opinion learns anew from what officers decided.
const LEARN_EVERY: Duration = Duration::from_hours(24);
/// When the store could not be read for that.
const LEARN_AGAIN: Duration = Duration::from_hours(1);
/// How many faults of a bad edit the log shows.
const FAULTS_LOGGED: usize = 5;
/// How long what is under way may take to end after the first signal.
const GRACE: Duration = Duration::from_mins(1);

/// Runs until SIGTERM or SIGINT. The first signal ends the loops between their ticks; a second one,
/// or a minute, ends the process: whatever was under way goes on from its rows at the next start.
///
/// # Errors
/// When the signals cannot be listened to.
pub async fn serve(gateway: Arc<Gateway>, page: Option<TcpListener>) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let mut loops = JoinSet::new();
    start(&gateway, &mut loops, &stopped);
    if let Some(page) = page {
        let (gateway, mut stop) = (Arc::clone(&gateway), stopped.clone());
        loops.spawn(async move {
            let stopped = async move {
                // The sender is gone only when the process ends.
                let _ = stop.wait_for(|stop| *stop).await;
            };
            if let Err(fault) = console::serve(gateway, page, stopped).await {
                error!(%fault, "the status page has ended");
            }
        });
    }
    info!(mailboxes = gateway.config.mailboxes.len(), "ready");
    sd_notify("READY=1");
    signal().await?;
    info!("stopping");
    sd_notify("STOPPING=1");
    // Nobody is left to listen only when every loop has ended.
    let _ = stop.send(true);
    tokio::select! {
        () = drain(&mut loops) => info!("stopped"),
        () = tokio::time::sleep(GRACE) => warn!("stopped in the middle of something; it goes on at the next start"),
        done = signal() => { done?; warn!("stopped at once"); }
    }
    gateway.db.close().await;
    Ok(())
}

/// Starts every loop.
pub fn start(gateway: &Arc<Gateway>, loops: &mut JoinSet<()>, stop: &fetch::Stop) {
    for mailbox in gateway.config.mailboxes.clone() {
        let (gateway, stop) = (Arc::clone(gateway), stop.clone());
        loops.spawn(async move {
            contained("a mailbox", &stop.clone(), || {
                fetch::run(Arc::clone(&gateway), mailbox.clone(), stop.clone())
            })
            .await;
        });
    }
    let mut learned = learn_from_examples(gateway);
    loops.spawn(watch_policy(Arc::clone(gateway), stop.clone()));
    let (one, stop_one) = (Arc::clone(gateway), stop.clone());
    loops.spawn(async move {
        let mut stop = stop_one.clone();
        tokio::select! {
            // An error says that the thread is gone; then the first message has it learned.
            _ = learned.wait_for(|learned| *learned) => {}
            // Nothing was claimed yet that would have to be waited for.
            _ = stop.wait_for(|stop| *stop) => return,
        }
        turn("intake", &stop_one, || intake::tick(&one), || wait_for_message(&one)).await;
    });
    let (one, stop_one) = (Arc::clone(gateway), stop.clone());
    loops.spawn(async move {
        let go_on = || !*stop_one.borrow();
        turn("outbox", &stop_one, || outbox::tick(&one, go_on), || wait_for_letter(&one)).await;
    });
    let (one, stop_one) = (Arc::clone(gateway), stop.clone());
    loops.spawn(async move {
        turn(
            "reminders",
            &stop_one,
            || reminders::tick(&one),
            || tokio::time::sleep(Duration::from_mins(1)),
        )
        .await;
    });
    let (one, stop_one) = (Arc::clone(gateway), stop.clone());
    loops.spawn(async move {
        turn("alarms", &stop_one, || alarm::tick(&one), || alarm::wait(&one)).await;
    });
    let (one, stop_one) = (Arc::clone(gateway), stop.clone());
    loops.spawn(async move {
        let seen = recount::Seen::default();
        // What follows from an edit of what staff edit, beside the next message.
        let tick = || async {
            reminders::owners_gone(&one).await?;
            recount::tick(&one, &seen).await
        };
        turn("the calendar", &stop_one, tick, || one.nudges.adopted.notified()).await;
    });
    if gateway.config.scan.scanner().is_some() {
        let (one, stop_one) = (Arc::clone(gateway), stop.clone());
        loops.spawn(async move {
            let tick = || scan::tick(&one, Patience::default());
            turn("scan", &stop_one, tick, || wait_for_settled(&one)).await;
        });
    }
}

/// Has the rules form their second opinion, which takes seconds, and says when they have. On a thread
/// that nobody waits for at the end: it touches nothing but memory.
fn learn_from_examples(gateway: &Gateway) -> watch::Receiver<bool> {
    let policy = gateway.policy();
    let (done, learned) = watch::channel(false);
    std::thread::spawn(move || {
        policy.rules.teach(Vec::new());
        // Nobody listens any more where the gateway was told to stop.
        let _ = done.send(true);
    });
    learned
}

/// Takes up what staff edit as soon as it is valid. A bad edit is refused whole: the last good set
/// stays, and the log says where the fault is. Whatever is taken up has learned from what officers
/// decided; so does the set at work, soon after the start and then once a day.
async fn watch_policy(gateway: Arc<Gateway>, mut stop: fetch::Stop) {
    let mut seen = gateway.files.clone();
    let mut learns_at = Instant::now();
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(LOOK_AT_FILES) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
        let now = policy::signature(&gateway.config);
        let edited = now != seen;
        if !edited && Instant::now() < learns_at {
            continue;
        }
        seen = now;
        learns_at = Instant::now() + LEARN_EVERY;
        // A failure is told below, by who needs the answer.
        if !edited && !learning::is_there_any(&gateway.db).await.unwrap_or(true) {
            continue;
        }
        let Some(policy) = valid_policy(&gateway, edited) else { continue };
        let policy = Arc::new(policy);
        let learned = learning::teach(&gateway.db, &policy).await.unwrap_or_else(|fault| {
            warn!("what officers decided could not be learned from: {fault}; again in an hour");
            learns_at = Instant::now() + LEARN_AGAIN;
            0
        });
        if learned > 0 {
            info!(messages = learned, "the second opinion has learned from what officers decided");
        }
        if edited {
            info!(
                rules = policy.rules.version(),
                templates = policy.letters.version(),
                "rules and templates taken up anew"
            );
        }
        // Without an edit and without lessons it would be the set that is at work already.
        if edited || learned > 0 {
            gateway.adopt(policy);
        }
    }
}

/// What staff edit as it stands now, if it is valid.
fn valid_policy(gateway: &Gateway, edited: bool) -> Option<Policy> {
    let faults = match Policy::load(&gateway.config) {
        // What the program's change has made wrong is at work already; an edit that is wrong in that way is one.
        Ok(policy) if edited => {
            let at_work = gateway.policy();
            let known = at_work.letters.replaced();
            let mut new = policy.letters.replaced().to_vec();
            new.retain(|one| {
                known.iter().all(|old| (&old.file, &old.what) != (&one.file, &one.what))
            });
            if new.is_empty() {
                return Some(policy);
            }
            new
        }
        Ok(policy) => return Some(policy),
        Err(faults) => faults,
    };
    // Else it has been said when it was edited.
    if edited {
        for fault in faults.iter().take(FAULTS_LOGGED) {
            error!("{fault}");
        }
        error!(
            "rules and templates stay as they were, for there is a fault in them ({} in all); `postern check` lists every one",
            faults.len()
        );
    }
    None
}

/// Everything that waits now: a changed calendar, mail, letters, reminders, files to scan; then returns.
///
/// # Errors
/// The first mailbox or database that failed, after everything else was tried.
pub async fn once(gateway: &Arc<Gateway>) -> anyhow::Result<()> {
    let mut failed = None;
    for mailbox in &gateway.config.mailboxes {
        if let Err(fault) = fetch::once(gateway, mailbox).await {
            error!(mailbox = mailbox.name, "mailbox {}: {fault}", mailbox.name);
            failed = Some(anyhow::Error::new(fault).context(format!("mailbox {}", mailbox.name)));
        }
    }
    let seen = recount::Seen::default();
    while recount::tick(gateway, &seen).await? == Tick::Busy {}
    reminders::owners_gone(gateway).await?;
    while intake::tick(gateway).await? == Tick::Busy {}
    while alarm::tick(gateway).await? == Tick::Busy {}
    reminders::tick(gateway).await?;
    while outbox::tick(gateway, || true).await? == Tick::Busy {}
    while scan::tick(gateway, Patience::default()).await? == Tick::Busy {}
    for mailbox in &gateway.config.mailboxes {
        if let Err(fault) = fetch::move_settled(gateway, mailbox).await {
            failed.get_or_insert_with(|| anyhow::Error::new(fault));
        }
    }
    failed.map_or(Ok(()), Err)
}

/// On a store that only one process can use, what an earlier start had claimed is free: it is dead.
///
/// # Errors
/// When the database refuses.
pub async fn release_leases(gateway: &Gateway) -> Result<(), StoreError> {
    gateway.db.write(|tx| Box::pin(async move { mailboxes::release_all(tx).await })).await
}

/// One loop: a tick after the other while there is something to do, else a wait.
async fn turn<T, TF, W, WF>(name: &str, stop: &fetch::Stop, tick: T, wait: W)
where
    T: Fn() -> TF,
    TF: Future<Output = Result<Tick, StoreError>>,
    W: Fn() -> WF,
    WF: Future<Output = ()>,
{
    let mut stop = stop.clone();
    let mut pause = Duration::from_secs(1);
    while !*stop.borrow() {
        // Never raced against anything: time limits sit on the network calls inside.
        match tick().await {
            Ok(Tick::Busy) => pause = Duration::from_secs(1),
            Ok(Tick::Idle) => {
                pause = Duration::from_secs(1);
                tokio::select! {
                    () = wait() => {}
                    () = tokio::time::sleep(LONGEST_SLEEP.max(Duration::from_mins(1))) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                }
            }
            Err(fault) => {
                let cause = std::error::Error::source(&fault).map(ToString::to_string);
                let again = pause.as_secs();
                if fault.is_busy_or_serialization() {
                    warn!(cause, "{name}: another was in the way; again in {again} s");
                } else {
                    error!(cause, "{name}: {fault}; again in {again} s");
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                }
                pause = (pause * 2).min(Duration::from_mins(1));
            }
        }
    }
}

async fn wait_for_message(gateway: &Gateway) {
    tokio::select! {
        () = gateway.nudges.stored.notified() => {}
        () = tokio::time::sleep(LONGEST_SLEEP.min(gateway.lease())) => {}
    }
}

/// What came attached to a message is shown to the scanner when the message is settled, or a little later.
async fn wait_for_settled(gateway: &Gateway) {
    let mut settled = gateway.nudges.settled.subscribe();
    tokio::select! {
        // The sender lives as long as the gateway.
        _ = settled.changed() => {}
        () = tokio::time::sleep(LONGEST_SLEEP) => {}
    }
}

/// Until the next letter is due, at most a little while.
async fn wait_for_letter(gateway: &Gateway) {
    let now = gateway.clock.now().as_millisecond();
    let due = letters::next_due(&gateway.db).await.ok().flatten();
    let until = due.map_or(LONGEST_SLEEP, |due| {
        Duration::from_millis(u64::try_from(due - now).unwrap_or(0).max(10)).min(LONGEST_SLEEP)
    });
    tokio::select! {
        () = gateway.nudges.letter.notified() => {}
        () = tokio::time::sleep(until) => {}
    }
}

/// Runs a loop on a task of its own and starts it again should it panic: a hostile server can make a
/// protocol library panic, and the other mailboxes must not notice.
async fn contained<F, W>(what: &str, stop: &fetch::Stop, work: F)
where
    F: Fn() -> W,
    W: Future<Output = ()> + Send + 'static,
{
    while !*stop.borrow() {
        if let Ok(()) = tokio::spawn(work()).await {
            break;
        }
        error!("{what} stopped unexpectedly; again in 5 s");
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

async fn drain(loops: &mut JoinSet<()>) {
    while loops.join_next().await.is_some() {}
}

async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

/// Tells systemd, where it started us (`Type=notify`). Nobody minds if it did not.
fn sd_notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Ok(socket) = std::os::unix::net::UnixDatagram::unbound() {
        let _ = socket.send_to(state.as_bytes(), path);
    }
}
