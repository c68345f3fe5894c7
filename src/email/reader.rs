//! Reading on threads of its own: with stack enough for anything, and a panic that stays there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

use super::{Email, Limits, header_scan, read};

/// Stack of a reading thread. Virtual memory: what is not used costs nothing.
const STACK_BYTES: usize = 64 * 1024 * 1024;

struct Job {
    raw: Arc<Vec<u8>>,
    answer: oneshot::Sender<Email>,
}

/// Threads that read messages. Dropping it lets them finish what they have and end.
#[derive(Debug, Clone)]
pub struct Reader {
    jobs: mpsc::Sender<Job>,
    limits: Limits,
}

impl Reader {
    /// Starts `threads` reading threads (at least one is tried for).
    ///
    /// Where the system gives no thread at all, [`Reader::read`] scans headers only.
    pub fn start(limits: Limits, threads: usize) -> Self {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads.max(1) {
            let (queue, limits) = (Arc::clone(&queue), limits.clone());
            let builder =
                thread::Builder::new().name(format!("reader-{number}")).stack_size(STACK_BYTES);
            if let Err(error) = builder.spawn(move || work(&queue, &limits)) {
                tracing::warn!(%error, "a reading thread could not be started");
            }
        }
        Self { jobs, limits }
    }

    /// Reads one message on one of the threads. If that panics, what the header says is given,
    /// with the problem named.
    pub async fn read(&self, raw: Arc<Vec<u8>>) -> Email {
        let (answer, email) = oneshot::channel();
        let sent = self.jobs.send(Job { raw: Arc::clone(&raw), answer });
        match (sent, email.await) {
            (Ok(()), Ok(email)) => email,
            _ => header_scan(&raw, &self.limits),
        }
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>, limits: &Limits) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // Whoever asked may have gone away.
        let _ = job.answer.send(guarded(&job.raw, limits, read));
    }
}

fn guarded(raw: &[u8], limits: &Limits, reading: fn(&[u8], &Limits) -> Email) -> Email {
    catch_unwind(AssertUnwindSafe(|| reading(raw, limits))).unwrap_or_else(|_| {
        let mut email = header_scan(raw, limits);
        email.problems.push("reading the message failed; a person must look at it".to_owned());
        email
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &[u8] = b"From: ann@example.org\nSubject: Bins\n\nMy bin.\n";

    #[tokio::test]
    async fn messages_are_read_on_other_threads() {
        let reader = Reader::start(Limits::default(), 2);
        let email = reader.read(Arc::new(LETTER.to_vec())).await;
        assert_eq!(email, read(LETTER, &Limits::default()));
    }

    #[test]
    fn a_panic_gives_what_the_header_says() {
        let email = guarded(LETTER, &Limits::default(), |_, _| panic!("a bug"));
        assert_eq!(email.subject.map(|s| s.0).as_deref(), Some("Bins"));
        assert!(email.problems.iter().any(|p| p.contains("reading the message failed")));
    }
}
