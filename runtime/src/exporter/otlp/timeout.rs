//! How long a request is waited for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The longest time that a request is waited for, unless the settings name a longer one.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest time that making a connection may take. It is shared by all addresses of a host, so that one
/// that does not answer leaves time for the others.
const LONGEST_TO_CONNECT: Duration = Duration::from_secs(3);

/// The time for one request. After a request that found no answer in time, the next ones are waited for
/// twice as long: a collector that is slow would get the same batch again and again, and answer none of
/// these requests in time.
#[derive(Debug)]
pub(super) struct Timeout {
    /// From the settings; `None` where there is no limit.
    base: Option<Duration>,
    doublings: AtomicU32,
}

impl Timeout {
    pub(super) fn new(base: Option<Duration>) -> Self {
        Self { base, doublings: AtomicU32::new(0) }
    }

    /// The time for a request that starts now.
    pub(super) fn current(&self) -> Option<Duration> {
        let base = self.base?;
        let factor = 1 << self.doublings.load(Ordering::Relaxed).min(16);
        Some(base.saturating_mul(factor).min(LONGEST.max(base)))
    }

    /// A request that had this time found no answer.
    pub(super) fn record_timeout(&self, limit: Duration) {
        // Of several that started together, the first counts.
        if self.current() == Some(limit) {
            self.doublings.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A request was answered after this time.
    pub(super) fn record_answer(&self, elapsed: Duration) {
        if self.base.is_some_and(|base| elapsed < base) {
            self.doublings.store(0, Ordering::Relaxed);
        }
    }

    /// The time for making a connection.
    pub(super) fn to_connect(&self) -> Duration {
        self.base.map_or(LONGEST_TO_CONNECT, |base| (base / 2).min(LONGEST_TO_CONNECT))
    }
}

/// The output of the future, if it is ready within this time.
pub(super) async fn within<T>(
    limit: Option<Duration>,
    future: impl Future<Output = T>,
) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_time_doubles_until_an_answer_comes_in_time() {
        let timeout = Timeout::new(Some(SECOND));
        assert_eq!(timeout.current(), Some(SECOND));
        timeout.record_timeout(SECOND);
        timeout.record_timeout(SECOND);
        assert_eq!(timeout.current(), Some(2 * SECOND));
        timeout.record_timeout(2 * SECOND);
        assert_eq!(timeout.current(), Some(4 * SECOND));
        timeout.record_answer(3 * SECOND);
        assert_eq!(timeout.current(), Some(4 * SECOND));
        timeout.record_answer(SECOND / 2);
        assert_eq!(timeout.current(), Some(SECOND));
    }

    #[test]
    fn the_time_has_a_limit() {
        let timeout = Timeout::new(Some(SECOND));
        for _ in 0..100 {
            timeout.record_timeout(timeout.current().expect("a limit"));
        }
        assert_eq!(timeout.current(), Some(LONGEST));
        let longer = Timeout::new(Some(2 * LONGEST));
        longer.record_timeout(2 * LONGEST);
        assert_eq!(longer.current(), Some(2 * LONGEST));
        assert_eq!(Timeout::new(None).current(), None);
    }

    #[test]
    fn connecting_takes_a_part_of_the_time() {
        assert_eq!(Timeout::new(Some(SECOND)).to_connect(), SECOND / 2);
        assert_eq!(Timeout::new(Some(10 * SECOND)).to_connect(), LONGEST_TO_CONNECT);
        assert_eq!(Timeout::new(None).to_connect(), LONGEST_TO_CONNECT);
    }
}
