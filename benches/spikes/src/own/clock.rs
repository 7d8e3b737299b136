//! Two clocks: the system's, and the processor's time-stamp counter.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fastant::{Anchor, Instant};

pub(crate) trait Clock: Debug + 'static {
    type Time: Copy + Debug + Send + Sync + 'static;

    fn now() -> Self::Time;

    /// Nanoseconds since 1970.
    fn nanos(time: Self::Time) -> u64;
}

#[derive(Debug)]
pub(crate) struct System;

impl Clock for System {
    type Time = SystemTime;

    fn now() -> SystemTime {
        SystemTime::now()
    }

    fn nanos(time: SystemTime) -> u64 {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos())
    }
}

/// Where there is no counter to rely on, the system's clock.
#[derive(Debug)]
pub(crate) struct Counter;

/// What the counter said at a time; good for as long as a benchmark lasts.
static ANCHOR: LazyLock<Anchor> = LazyLock::new(Anchor::new);

impl Clock for Counter {
    type Time = Instant;

    fn now() -> Instant {
        Instant::now()
    }

    fn nanos(time: Instant) -> u64 {
        time.as_unix_nanos(&ANCHOR)
    }
}

pub(crate) fn system_time(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}

/// How far the counter is from the system's clock now, by the anchor.
pub(crate) fn drift() -> i64 {
    let (counter, system) = (Counter::nanos(Counter::now()), System::nanos(System::now()));
    counter.cast_signed() - system.cast_signed()
}
