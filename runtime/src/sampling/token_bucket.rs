//! A limit on how many traces a second are sampled.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const SECOND: u64 = 1_000_000_000;

/// A token bucket that holds the tokens of a second, at least one, and is full at the start. It has no lock, which a
/// child of `fork` could inherit locked.
#[derive(Debug)]
pub(super) struct TokenBucket {
    start: Instant,
    /// The nanoseconds in which a token comes.
    interval: u64,
    /// When the bucket will be full, in nanoseconds from the start, if no further token is taken.
    full_at: AtomicU64,
}

impl TokenBucket {
    /// `None` for a bucket that never has a token.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the interval is positive, and one that is too long for the type counts as the longest"
    )]
    pub(super) fn new(per_second: f64) -> Option<Self> {
        /// Over a hundred years.
        const LONGEST: u64 = u64::MAX / 4;

        let interval = (per_second > 0.0).then(|| SECOND as f64 / per_second)?;
        let interval = (interval as u64).min(LONGEST);
        Some(Self { start: Instant::now(), interval, full_at: AtomicU64::new(0) })
    }

    pub(super) fn take(&self) -> bool {
        // Half a thousand years.
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.take_at(now)
    }

    fn take_at(&self, now: u64) -> bool {
        let capacity = self.interval.max(SECOND);
        let next = |full_at: u64| {
            let full_at = full_at.max(now).saturating_add(self.interval);
            (full_at - now <= capacity).then_some(full_at)
        };
        self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn taken(bucket: &TokenBucket, tries: usize, now: u64) -> usize {
        (0..tries).filter(|_| bucket.take_at(now)).count()
    }

    #[test]
    fn a_burst_gets_the_tokens_of_a_second_and_later_ones_what_came_since() {
        // With 2.5 tokens a second, half a token is left after the burst.
        for (per_second, burst, soon) in [(50.0, 50, 0), (1.0, 1, 0), (0.5, 1, 0), (2.5, 2, 1)] {
            let bucket = TokenBucket::new(per_second).expect("a bucket");
            assert_eq!(taken(&bucket, 1000, 0), burst, "{per_second}");
            assert_eq!(taken(&bucket, 1000, bucket.interval - 1), soon);
            assert_eq!(taken(&bucket, 1000, 1000 * SECOND), burst, "it holds no more");
        }
    }

    #[test]
    fn in_the_long_run_the_rate_holds() {
        let bucket = TokenBucket::new(10.0).expect("a bucket");
        let taken: usize = (0..60_000).map(|millis| taken(&bucket, 3, millis * 1_000_000)).sum();
        assert_eq!(taken, 10 + 10 * 60 - 1, "a full bucket, and a minute's tokens");
    }

    #[test]
    fn threads_share_the_tokens() {
        let bucket = TokenBucket::new(1000.0).expect("a bucket");
        let taken: usize = thread::scope(|scope| {
            let take = || (0..10_000).filter(|_| bucket.take_at(5)).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(taken, 1000);
    }

    #[test]
    fn odd_rates_are_no_surprise() {
        for never in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert!(TokenBucket::new(never).is_none(), "{never}");
        }
        let always = TokenBucket::new(f64::INFINITY).expect("a bucket");
        assert_eq!(taken(&always, 10_000, 0), 10_000);
        let seldom = TokenBucket::new(1e-30).expect("a bucket");
        assert_eq!(taken(&seldom, 10, 0), 1);
    }
}
