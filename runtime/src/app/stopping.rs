//! Whether the program was asked to stop, since when, and how long the platform waits for it.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::lock::Unpoisoned;

/// The last flush has at least this long, even if the grace period is nearly over.
const SHORTEST_FLUSH: Duration = Duration::from_millis(500);

/// The share of the grace period that telemetry uses: the platform's clock starts before the signal arrives.
const USABLE: f64 = 0.95;

#[derive(Debug)]
struct Stopping {
    /// How long the platform waits from SIGTERM to SIGKILL, if that is known.
    grace: Option<Duration>,
    /// When the first signal arrived that asks for a shutdown.
    stopping_since: Option<Instant>,
}

fn state() -> MutexGuard<'static, Stopping> {
    static STATE: Mutex<Stopping> = Mutex::new(Stopping { grace: None, stopping_since: None });
    STATE.lock().unpoisoned()
}

/// How long the platform waits from SIGTERM to SIGKILL, if that is known.
pub(super) fn set_grace(grace: Option<Duration>) {
    state().grace = grace;
}

/// The program is asked to stop now, unless it was before.
#[cfg(unix)]
pub(super) fn start() {
    state().stopping_since.get_or_insert_with(Instant::now);
}

/// In a child of `fork`, which has got no signal yet.
#[cfg(unix)]
pub(super) fn reset() {
    state().stopping_since = None;
}

/// Whether the program was asked to shut down: what ends from then on is exported at once.
#[cfg(unix)]
pub(super) fn is_stopping() -> bool {
    state().stopping_since.is_some()
}

/// How long a last flush may take now: what is left of the grace period, if the program was asked to stop.
pub(super) fn time_to_flush() -> Duration {
    let Stopping { grace, stopping_since } = &*state();
    let (Some(grace), Some(since)) = (grace, stopping_since) else { return Duration::MAX };
    let end = *since + grace.mul_f64(USABLE);
    end.saturating_duration_since(Instant::now()).max(SHORTEST_FLUSH)
}
