//! Numbers that look like chance and are the same for the same seed.

/// A source of them (`SplitMix64`).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The source of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A source of its own for the one of many that has this number: how many others there are does not matter.
    pub(super) fn of(seed: u64, number: usize) -> Self {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        Self(Self(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95)).draw())
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let one = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let two = (one ^ (one >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        two ^ (two >> 31)
    }

    /// One of 0 to `count - 1`; 0 of none.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.draw() % count).unwrap_or(0)
    }

    /// One of `least` to `most`.
    pub(super) fn between(&mut self, least: u16, most: u16) -> u16 {
        let more = self.below(usize::from(most.saturating_sub(least)) + 1);
        least.saturating_add(u16::try_from(more).unwrap_or(0))
    }

    /// True as often as that in a thousand.
    pub(super) fn chance(&mut self, thousandths: usize) -> bool {
        self.below(1000) < thousandths
    }

    /// One of several.
    ///
    /// # Panics
    /// When there is none; every list here has some.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        all.get(self.below(all.len())).expect("a list with something in it")
    }

    /// One of several, as often as its weight says.
    pub(super) fn weighted<T: Copy>(&mut self, all: &[(T, usize)]) -> T {
        let mut at = self.below(all.iter().map(|(_, weight)| weight).sum());
        for (one, weight) in all {
            if at < *weight {
                return *one;
            }
            at -= weight;
        }
        self.pick(all).0
    }

    /// A number of days of which many are few and few are many: `mean` on average, `most` at most.
    pub(super) fn waits(&mut self, mean: usize, most: u16) -> u16 {
        let mut days = 1;
        while days < most && self.below(mean.max(1)) != 0 {
            days += 1;
        }
        days
    }

    /// In another order.
    pub(super) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same() {
        let drawn = |seed| {
            let mut random = Random::of(seed, 3);
            (0..5).map(|_| random.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn weights_and_waits_are_what_they_say() {
        let mut random = Random::new(7);
        let heavy = (0..10_000).filter(|_| random.weighted(&[(true, 3), (false, 1)])).count();
        assert!((7_200..7_800).contains(&heavy), "{heavy}");
        let days: usize = (0..10_000).map(|_| usize::from(random.waits(20, 500))).sum();
        assert!((190_000..210_000).contains(&days), "{days}");
        assert_eq!(random.weighted(&[('a', 0), ('b', 1)]), 'b');
    }
}
