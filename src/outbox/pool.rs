//! Connections to the mail server that are used again, a limited number at a time.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};

use super::{
    mailer::{Delivery, Envelope, Reply},
    smtp::{AccountFault, SmtpAccount, SmtpSession},
};

/// The mail server and the sessions open with it. Clones share them.
#[derive(Clone)]
pub struct SmtpPool(Arc<Shared>);

struct Shared {
    account: SmtpAccount,
    config: Option<Arc<rustls::ClientConfig>>,
    permits: Semaphore,
    idle: Mutex<Idle>,
}

/// Sessions that wait for a letter, the longest waiting first.
#[derive(Default)]
struct Idle {
    sessions: Vec<(Instant, SmtpSession)>,
    /// A task that closes them in time is running.
    watched: bool,
}

impl SmtpPool {
    /// A pool for the account; connects when the first letter comes.
    ///
    /// # Errors
    /// [`AccountFault`] if the account cannot be used as it stands.
    pub fn new(account: SmtpAccount) -> Result<Self, AccountFault> {
        let config = account.check()?;
        let permits = Semaphore::new(account.sessions);
        Ok(Self(Arc::new(Shared { account, config, permits, idle: Mutex::default() })))
    }

    /// Connections at a time.
    pub fn sessions(&self) -> usize {
        self.0.account.sessions
    }

    /// Hands over one letter, over a waiting session if there is one. Letters beyond the number
    /// of sessions wait here.
    pub async fn deliver(&self, envelope: &Envelope, bytes: &[u8]) -> Delivery {
        let Ok(_permit) = self.0.permits.acquire().await else {
            return Delivery::QueueStopped { reply: Reply::without_code("sending has ended") };
        };
        while let Some(session) = self.0.take() {
            let sent = session.send(envelope, bytes).await;
            // The server had closed it while it waited: it has seen nothing of this letter.
            if sent.stale {
                continue;
            }
            return self.finish(sent.delivery, sent.session);
        }
        match SmtpSession::open(&self.0.account, self.0.config.as_ref()).await {
            Ok(session) => {
                let sent = session.send(envelope, bytes).await;
                self.finish(sent.delivery, sent.session)
            }
            Err(delivery) => delivery,
        }
    }

    /// Connects and logs in without sending anything (for a check of the set-up).
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn probe(&self) -> Result<(), Delivery> {
        let session = SmtpSession::open(&self.0.account, self.0.config.as_ref()).await?;
        session.quit().await;
        Ok(())
    }

    /// Takes leave of the server on every waiting session.
    pub async fn close(&self) {
        while let Some(session) = self.0.take() {
            session.quit().await;
        }
    }

    fn finish(&self, delivery: Delivery, session: Option<SmtpSession>) -> Delivery {
        if let Some(session) = session {
            self.0.park(session);
        }
        delivery
    }
}

impl Shared {
    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session used last, if it has not waited too long.
    fn take(&self) -> Option<SmtpSession> {
        let (since, session) = self.idle().sessions.pop()?;
        (since.elapsed() < self.account.limits.idle).then_some(session)
    }

    fn park(self: &Arc<Self>, session: SmtpSession) {
        let mut idle = self.idle();
        idle.sessions.push((Instant::now(), session));
        if !idle.watched {
            idle.watched = true;
            tokio::spawn(close_idle(Arc::downgrade(self), self.account.limits.idle));
        }
    }

    /// Removes the sessions that have waited too long; nothing if none is left to watch.
    fn overdue(&self) -> Option<Vec<SmtpSession>> {
        let limit = self.account.limits.idle;
        let mut idle = self.idle();
        if idle.sessions.is_empty() {
            idle.watched = false;
            return None;
        }
        let overdue =
            idle.sessions.iter().take_while(|(since, _)| since.elapsed() >= limit).count();
        Some(idle.sessions.drain(..overdue).map(|(_, session)| session).collect())
    }
}

/// Takes leave on sessions that nobody used for `limit`, until none waits or the pool is gone.
async fn close_idle(pool: Weak<Shared>, limit: Duration) {
    loop {
        tokio::time::sleep(limit / 4).await;
        let Some(overdue) = pool.upgrade().and_then(|pool| pool.overdue()) else { return };
        for session in overdue {
            session.quit().await;
        }
    }
}

impl fmt::Debug for SmtpPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpPool").field("host", &self.0.account.host).finish_non_exhaustive()
    }
}
