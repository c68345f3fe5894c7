//! Reading on threads of its own: with stack enough for anything, and a panic that stays there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

use super::{Email, Limits, header_scan, read};

/// Stack of a reading thread. Virtual memory: what is not used costs nothing.
const STACK_BYTES: usize = 64 * 1024 * 1024;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that read messages. Dropping it lets them finish what they have and end.
#[derive(Clone)]
pub struct Reader {
    jobs: mpsc::Sender<Job>,
    limits: Limits,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// Starts `threads` reading threads (at least one is tried for).
    ///
    /// Where the system gives no thread at all, [`Reader::read`] scans headers only.
    pub fn start(limits: Limits, threads: usize) -> Self {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            let builder =
                thread::Builder::new().name(format!("reader-{number}")).stack_size(STACK_BYTES);
            if let Err(error) = builder.spawn(move || work(&queue)) {
                tracing::warn!(%error, "a reading thread could not be started");
            }
        }
        Self { jobs, limits }
    }

    /// Reads one message on one of the threads. If that panics, what the header says is given,
    /// with the problem named.
    pub async fn read(&self, raw: Arc<Vec<u8>>) -> Email {
        let (bytes, limits) = (Arc::clone(&raw), self.limits.clone());
        let read = self.run(move || guarded(&bytes, &limits, read)).await;
        read.unwrap_or_else(|| header_scan(&raw, &self.limits))
    }

    /// Reads messages on one of the threads, one after the other, and does `then` with each there:
    /// going to the thread and back costs as much as reading a short letter. None when `then`
    /// panicked or there is no thread.
    pub async fn read_each<R, T>(
        &self,
        raw: Vec<(R, Vec<u8>)>,
        then: impl Fn(R, Email) -> T + Send + 'static,
    ) -> Option<Vec<T>>
    where
        R: Send + 'static,
        T: Send + 'static,
    {
        let limits = self.limits.clone();
        self.run(move || {
            raw.into_iter().map(|(row, raw)| then(row, guarded(&raw, &limits, read))).collect()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (answer, done) = oneshot::channel();
        let job = move || {
            // Whoever asked may have gone away.
            let _ = answer.send(work());
        };
        self.jobs.send(Box::new(job)).ok()?;
        done.await.ok()
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("what follows from a message that was read failed");
        }
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

    #[tokio::test]
    async fn several_are_read_in_their_order_and_a_panic_behind_reading_ends_no_thread() {
        let reader = Reader::start(Limits::default(), 1);
        let letters = || vec![(1, LETTER.to_vec()), (2, b"Subject: Two\n\nx".to_vec())];
        let subjects = |row, email: Email| (row, email.subject.map(|subject| subject.0));
        let failed = reader.read_each(letters(), |_, _| -> () { panic!("a bug") }).await;
        assert!(failed.is_none());
        let read = reader.read_each(letters(), subjects).await.unwrap();
        assert_eq!(read, [(1, Some("Bins".to_owned())), (2, Some("Two".to_owned()))]);
    }

    #[test]
    fn a_panic_gives_what_the_header_says() {
        let email = guarded(LETTER, &Limits::default(), |_, _| panic!("a bug"));
        assert_eq!(email.subject.map(|s| s.0).as_deref(), Some("Bins"));
        assert!(email.problems.iter().any(|p| p.contains("reading the message failed")));
    }
}
