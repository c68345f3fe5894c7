//! How many letters one domain gets at once and in a minute. Decides only; `tick.rs` does.
//!
//! A letter beyond a limit gets a moment to wait for, one after the other, and goes back into the
//! queue: nothing stands in front of letters to other domains, and none of them is asked about again
//! before its moment.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What the limit of letters is counted over.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// The shortest time that a letter is put off because its domain's sessions are taken.
const SHORTEST: Duration = Duration::from_secs(1);

/// What one domain gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DomainLimit {
    /// Letters on their way at once.
    pub sessions: usize,
    /// Letters in any minute; none for as many as may be.
    pub letters_a_minute: Option<usize>,
}

/// What each domain gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainLimits {
    /// Domains of their own limit, in ASCII and lower case.
    pub named: HashMap<String, DomainLimit>,
    /// Every other.
    pub others: DomainLimit,
}

impl DomainLimits {
    fn of(&self, domain: &str) -> DomainLimit {
        self.named.get(domain).copied().unwrap_or(self.others)
    }
}

/// What is on its way to each domain, and what went there in the last minute.
#[derive(Debug, Clone)]
pub struct Pace {
    limits: Arc<DomainLimits>,
    domains: HashMap<String, Domain>,
}

#[derive(Debug, Clone, Default)]
struct Domain {
    /// Letters that were let through and have not ended.
    in_hand: usize,
    /// Of these, the ones that are being handed over.
    open: usize,
    /// When letters ended, oldest first; kept only where a minute's letters are limited.
    ended: VecDeque<Timestamp>,
    /// The moment that the letter put off last waits for.
    last_wait: Option<Timestamp>,
    /// How long the last letter took.
    took: Duration,
}

impl Pace {
    /// Nothing is on its way.
    pub fn new(limits: DomainLimits) -> Self {
        Self { limits: Arc::new(limits), domains: HashMap::new() }
    }

    /// Whether a letter to the domain may be taken in hand.
    ///
    /// In any minute no more leave than allowed: what is in hand counts as leaving now, what ended
    /// counts for a minute more.
    ///
    /// # Errors
    /// The moment to ask again.
    pub fn take(&mut self, domain: &str, now: Timestamp) -> Result<(), Timestamp> {
        let limit = self.limits.of(domain);
        let state = self.domains.entry(domain.to_owned()).or_default();
        state.forget_before(now);
        let wait =
            state.minute_is_full(limit, now).or_else(|| state.sessions_are_taken(limit, now));
        if let Some(until) = wait {
            state.last_wait = Some(until);
            return Err(until);
        }
        state.in_hand += 1;
        Ok(())
    }

    /// Begins to hand over a letter in hand, if the domain has a session left.
    pub fn begin(&mut self, domain: &str) -> bool {
        let limit = self.limits.of(domain);
        let state = self.domains.entry(domain.to_owned()).or_default();
        let free = state.open < limit.sessions;
        state.open += usize::from(free);
        free
    }

    /// A letter that was begun has ended, however. `went` is false where the mail server never heard of it.
    pub fn end(&mut self, domain: &str, took: Duration, went: bool, now: Timestamp) {
        let limit = self.limits.of(domain);
        let Some(state) = self.domains.get_mut(domain) else { return };
        state.in_hand = state.in_hand.saturating_sub(1);
        state.open = state.open.saturating_sub(1);
        state.took = took;
        if went && limit.letters_a_minute.is_some() {
            state.ended.push_back(now);
        }
        state.forget_before(now);
        if state.in_hand == 0 && state.ended.is_empty() && state.last_wait.is_none() {
            self.domains.remove(domain);
        }
    }

    /// Remembers that a letter waits until then, as another copy of this has decided.
    pub fn put_off(&mut self, domain: &str, until: Timestamp) {
        let state = self.domains.entry(domain.to_owned()).or_default();
        state.last_wait = state.last_wait.max(Some(until));
    }

    /// Remembers that a letter is in hand, as another copy of this has decided.
    pub fn taken(&mut self, domain: &str) {
        self.domains.entry(domain.to_owned()).or_default().in_hand += 1;
    }

    /// Nothing is in hand any more, and nobody knows what became of it.
    pub fn let_go(&mut self) {
        for state in self.domains.values_mut() {
            (state.in_hand, state.open) = (0, 0);
        }
    }
}

impl Domain {
    fn forget_before(&mut self, now: Timestamp) {
        let gone = |at: &Timestamp| now.duration_since(*at) >= MINUTE;
        while self.ended.front().is_some_and(gone) {
            self.ended.pop_front();
        }
        self.last_wait = self.last_wait.filter(|until| *until > now);
    }

    /// The moment of the next letter, if this minute has had all of its own.
    fn minute_is_full(&self, limit: DomainLimit, now: Timestamp) -> Option<Timestamp> {
        let most = limit.letters_a_minute?;
        let counted = self.in_hand + self.ended.len();
        if counted < most {
            return None;
        }
        // One letter's share of a minute after the one that was put off before it.
        let share = MINUTE / i32::try_from(most.max(1)).unwrap_or(i32::MAX);
        let leaves = self.ended.get(counted - most).map_or(now, |ended| *ended);
        let first = later(leaves, MINUTE);
        Some(self.last_wait.map_or(first, |last| first.max(later(last, share))))
    }

    /// The moment of the next letter, if those in hand keep the sessions busy: as many again wait
    /// beside those that are being handed over.
    fn sessions_are_taken(&self, limit: DomainLimit, now: Timestamp) -> Option<Timestamp> {
        if self.in_hand < limit.sessions.saturating_mul(2) {
            return None;
        }
        let sessions = u32::try_from(limit.sessions.max(1)).unwrap_or(u32::MAX);
        let each = SignedDuration::try_from(self.took / sessions).unwrap_or_default();
        let first = later(now, SignedDuration::try_from(SHORTEST).unwrap_or_default());
        Some(self.last_wait.map_or(first, |last| first.max(later(last, each))))
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(3);

    fn pace(sessions: usize, letters_a_minute: Option<usize>) -> Pace {
        let others = DomainLimit { sessions: 20, letters_a_minute: None };
        let limit = DomainLimit { sessions, letters_a_minute };
        Pace::new(DomainLimits { named: [("slow.example".to_owned(), limit)].into(), others })
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_minute_has_its_letters_and_what_is_beyond_gets_moments_one_after_the_other() {
        let mut pace = pace(20, Some(3));
        for _ in 0..3 {
            assert_eq!(pace.take("slow.example", at(0)), Ok(()));
            assert!(pace.begin("slow.example"));
            pace.end("slow.example", FAST, true, at(1));
        }
        let waits: Vec<_> = (0..3).map(|_| pace.take("slow.example", at(2)).unwrap_err()).collect();
        assert_eq!(waits, [at(61), at(81), at(101)]);
        assert_eq!(pace.take("quick.example", at(2)), Ok(()), "others are not touched");
        assert_eq!(pace.take("slow.example", at(61)), Ok(()), "its moment has come");
    }

    #[test]
    fn no_minute_ever_has_more_letters_than_allowed() {
        let mut pace = pace(2, Some(5));
        let mut queue: Vec<Timestamp> = (0..40).map(|n| at(n % 7)).collect();
        let mut left: Vec<i64> = Vec::new();
        for second in 0..1_000 {
            let mut begun = 0;
            for due in queue.iter_mut().filter(|due| **due <= at(second)) {
                match pace.take("slow.example", at(second)) {
                    Ok(()) => {
                        left.push(second);
                        begun += 1;
                        *due = Timestamp::MAX;
                    }
                    Err(until) => {
                        assert!(until > at(second));
                        *due = until;
                    }
                }
            }
            for _ in 0..begun {
                pace.begin("slow.example");
                pace.end("slow.example", FAST, true, at(second));
            }
        }
        assert_eq!(left.len(), 40, "each leaves in the end");
        assert!(left[39] < 60 * 10, "and soon: {}", left[39]);
        let crowded = left.windows(6).find(|six| six[5] - six[0] < 60);
        assert_eq!(crowded, None);
    }

    #[test]
    fn a_letter_that_the_server_never_heard_of_is_not_counted() {
        let mut pace = pace(20, Some(1));
        for _ in 0..3 {
            assert_eq!(pace.take("slow.example", at(0)), Ok(()));
            assert!(pace.begin("slow.example"));
            pace.end("slow.example", FAST, false, at(0));
        }
    }

    #[test]
    fn a_domain_has_its_sessions_and_as_many_letters_waiting() {
        let mut pace = pace(2, None);
        for _ in 0..4 {
            assert_eq!(pace.take("slow.example", at(0)), Ok(()));
        }
        let begun: Vec<bool> = (0..4).map(|_| pace.begin("slow.example")).collect();
        assert_eq!(begun, [true, true, false, false]);
        assert_eq!(pace.take("slow.example", at(0)), Err(at(1)));
        pace.end("slow.example", Duration::from_secs(10), true, at(9));
        assert!(pace.begin("slow.example"));
        assert_eq!(pace.take("slow.example", at(9)), Ok(()));
        // With letters of ten seconds over two sessions, one is done every five.
        assert_eq!(pace.take("slow.example", at(9)), Err(at(10)));
        assert_eq!(pace.take("slow.example", at(9)), Err(at(15)));
    }

    #[test]
    fn nothing_is_kept_about_a_domain_that_nothing_goes_to() {
        let mut pace = pace(2, None);
        for number in 0..100 {
            let domain = format!("d{number}.example");
            assert_eq!(pace.take(&domain, at(0)), Ok(()));
            assert!(pace.begin(&domain));
            pace.end(&domain, FAST, true, at(0));
        }
        assert!(pace.domains.is_empty());
    }
}
