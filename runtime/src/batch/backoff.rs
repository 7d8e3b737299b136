//! How long to wait before a request is tried again.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// Time is short once a flush is waited for.
const LONGEST_IN_A_HURRY: Duration = Duration::from_millis(500);
/// What a server may ask for; a longer wait would lose more than it spares.
const LONGEST_ASKED_FOR: Duration = Duration::from_secs(60);

/// Doubles with every try, with jitter, so that many programs do not come back all at once.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    jitter: SmallRng,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST, jitter: SmallRng::from_os_rng() }
    }

    /// The wait after a try that failed; the server may have said how long it should be.
    pub(super) fn wait(&mut self, asked_for: Option<Duration>, hurry: bool) -> Duration {
        let longest = if hurry { LONGEST_IN_A_HURRY } else { LONGEST };
        let wait = self.next.min(longest);
        self.next = (wait * 2).min(LONGEST);
        let wait = wait.mul_f64(self.jitter.random_range(0.5..1.0));
        asked_for.map_or(wait, |asked_for| asked_for.min(LONGEST_ASKED_FOR).max(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit() {
        let mut backoff = Backoff::new();
        let waits: Vec<Duration> = (0..10).map(|_| backoff.wait(None, false)).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST, "{waits:?}");
        assert!(waits[9] >= LONGEST / 2 && waits[9] <= LONGEST, "{waits:?}");
        assert!(backoff.wait(None, true) <= LONGEST_IN_A_HURRY);
    }

    #[test]
    fn a_server_is_obeyed_within_reason() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::new().wait(Some(second), true), second);
        assert_eq!(Backoff::new().wait(Some(second * 1_000_000), false), LONGEST_ASKED_FOR);
        let mut backoff = Backoff::new();
        let waits: Vec<Duration> =
            (0..10).map(|_| backoff.wait(Some(Duration::ZERO), false)).collect();
        assert!(waits[0] >= FIRST / 2 && waits[9] >= LONGEST / 2, "{waits:?}");
    }
}
