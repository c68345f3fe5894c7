//! How long to pause after a failure.

use std::time::Duration;

use super::error::MailboxError;

/// Growing pauses between attempts: from one second to five minutes, each somewhere at random
/// below its ceiling so that several gateways do not come back in step. After a refused login at
/// once a quarter of an hour, since hammering locks the account.
#[derive(Debug, Clone)]
pub struct Backoff {
    failures: u32,
    seed: u64,
}

/// The first ceiling.
const FIRST: Duration = Duration::from_secs(1);
/// The last ceiling.
const LONGEST: Duration = Duration::from_mins(5);
/// After a refused login.
const AFTER_REFUSED_LOGIN: Duration = Duration::from_mins(15);

impl Backoff {
    /// Begins without failures. The same seed gives the same pauses; a mailbox's name and the
    /// process id make a good one.
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, seed }
    }

    /// Everything works again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How many failures there were in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Something failed: how long to wait before the next attempt.
    pub fn failed(&mut self, error: &MailboxError) -> Duration {
        if error.is_auth() { self.refused() } else { self.pause() }
    }

    /// The pause after a refused login.
    pub fn refused(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        AFTER_REFUSED_LOGIN
    }

    /// The pause after any other failure.
    pub fn pause(&mut self) -> Duration {
        let ceiling = FIRST.saturating_mul(1 << self.failures.min(9)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Never quite nothing: a server that accepts and hangs up at once would be spun on.
        ceiling.mul_f64(self.next_share()).max(FIRST / 10)
    }

    /// A share between 0 and 1 (`SplitMix64`, public domain).
    fn next_share(&mut self) -> f64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(top) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::{Attempt, Reason};
    use super::*;

    #[test]
    fn pauses_grow_under_their_ceiling_and_start_again_after_a_success() {
        for seed in 0..50 {
            let mut backoff = Backoff::new(seed);
            for ceiling in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] {
                let pause = backoff.pause();
                assert!(pause <= Duration::from_secs(ceiling), "{pause:?} of {ceiling} s");
                assert!(pause >= Duration::from_millis(100));
            }
            backoff.succeeded();
            assert!(backoff.pause() <= Duration::from_secs(1));
        }
    }

    #[test]
    fn pauses_differ_between_mailboxes() {
        let long = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..10).map(|_| backoff.pause()).last()
        };
        assert_ne!(long(1), long(2));
    }

    #[test]
    fn a_refused_login_waits_a_quarter_of_an_hour_at_once() {
        let mut backoff = Backoff::new(1);
        let refused = MailboxError::new(Attempt::Login, Reason::No(None));
        assert_eq!(backoff.failed(&refused), Duration::from_mins(15));
        let lost = MailboxError::new(Attempt::Fetch, Reason::Closed);
        assert!(backoff.failed(&lost) <= Duration::from_mins(5));
    }
}
