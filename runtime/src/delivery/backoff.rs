//! How long to wait before a request is tried again.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// The longest delay while somebody waits for a flush.
const LONGEST_DURING_FLUSH: Duration = Duration::from_millis(500);
/// The longest delay that a server may ask for; a longer one would lose more than it spares.
const LONGEST_ASKED_FOR: Duration = Duration::from_secs(60);

/// The delays of one batch. Each is twice the one before, with jitter, so that many programs do not come
/// back all at once.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    /// The next delay during a flush.
    next_in_a_hurry: Duration,
    jitter: SmallRng,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST, next_in_a_hurry: FIRST, jitter: SmallRng::from_os_rng() }
    }

    /// The delay after a failed attempt. The server may ask for a longer one. During a flush (`retry_now`), the delay is
    /// at most 500 ms, and later delays do not change.
    pub(super) fn next_delay(&mut self, asked_for: Option<Duration>, retry_now: bool) -> Duration {
        let (next, longest) = if retry_now {
            (&mut self.next_in_a_hurry, LONGEST_DURING_FLUSH)
        } else {
            self.next_in_a_hurry = FIRST;
            (&mut self.next, LONGEST)
        };
        let delay = *next;
        *next = (delay * 2).min(longest);
        let delay = delay.mul_f64(self.jitter.random_range(0.5..1.0));
        asked_for.map_or(delay, |asked_for| asked_for.min(LONGEST_ASKED_FOR).max(delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_limit() {
        let mut backoff = Backoff::new();
        let delays: Vec<Duration> = (0..10).map(|_| backoff.next_delay(None, false)).collect();
        assert!(delays[0] >= FIRST / 2 && delays[0] <= FIRST, "{delays:?}");
        assert!(delays[9] >= LONGEST / 2 && delays[9] <= LONGEST, "{delays:?}");
    }

    #[test]
    fn a_hurry_leaves_the_later_delays_as_they_were() {
        let mut backoff = Backoff::new();
        for _ in 0..10 {
            let _ = backoff.next_delay(None, false);
        }
        (0..10).for_each(|_| assert!(backoff.next_delay(None, true) <= LONGEST_DURING_FLUSH));
        assert!(backoff.next_delay(None, false) >= LONGEST / 2);
    }

    #[test]
    fn a_server_is_obeyed_within_reason() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::new().next_delay(Some(second), true), second);
        assert_eq!(Backoff::new().next_delay(Some(second * 1_000_000), false), LONGEST_ASKED_FOR);
        let mut backoff = Backoff::new();
        let delays: Vec<Duration> =
            (0..10).map(|_| backoff.next_delay(Some(Duration::ZERO), false)).collect();
        assert!(delays[0] >= FIRST / 2 && delays[9] >= LONGEST / 2, "{delays:?}");
    }
}
