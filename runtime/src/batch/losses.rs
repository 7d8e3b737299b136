//! Why spans were lost, and what is told of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::report::say;
use crate::stats::Stats;

/// What goes wrong time and again is told this often.
const REMINDER: Duration = Duration::from_secs(60);

/// The losses on the way to one destination.
#[derive(Debug)]
pub(super) struct Losses {
    destination: String,
    queue: usize,
    overflowed: AtomicU64,
    overflow_told: AtomicBool,
    failure: Mutex<Failure>,
}

#[derive(Debug, Default)]
struct Failure {
    /// The last reason.
    why: Option<String>,
    /// Tries since the last success.
    tries: u64,
    told: Option<Instant>,
    /// The account at the end tells it all.
    silent: bool,
}

impl Losses {
    /// On the way to a destination, by its name without secrets, through a queue of this length.
    pub(super) fn new(destination: String, queue: usize) -> Arc<Self> {
        Arc::new(Self {
            destination,
            queue,
            overflowed: AtomicU64::new(0),
            overflow_told: AtomicBool::new(false),
            failure: Mutex::default(),
        })
    }

    /// For a child of `fork`: the parent's lock may be held for ever.
    pub(super) fn start_over(&self) -> Arc<Self> {
        Self::new(self.destination.clone(), self.queue)
    }

    /// Says nothing from now on but the account at the end.
    pub(super) fn silence(&self) {
        self.failure().silent = true;
    }

    /// The account at the end, when something was lost within this budget for the flush.
    pub(super) fn account(&self, stats: Stats, flush: Duration) -> Option<String> {
        let (lost, accepted) = (stats.lost(), stats.accepted);
        if lost == 0 {
            return None;
        }
        let mut reasons = Vec::new();
        let overflowed = self.overflowed.load(Ordering::Relaxed).min(lost);
        if overflowed > 0 {
            reasons.push(format!("{overflowed} found the {}", self.full()));
        }
        if lost > overflowed {
            let failure = self.failure();
            reasons.push(match (&failure.why, failure.tries) {
                (Some(why), 0 | 1) => why.clone(),
                (Some(why), tries) => format!("{why} ({tries} tries)"),
                (None, _) => format!("no answer within {flush:?}"),
            });
        }
        let (url, reasons) = (&self.destination, reasons.join("; "));
        Some(format!("{lost} of {accepted} spans lost on the way to {url}: {reasons}"))
    }

    /// A span found the queue full; whether it was the first.
    pub(super) fn overflow(&self) -> bool {
        self.overflowed.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Said by the exporter's thread: the program's must not wait for standard error.
    pub(super) fn tell_overflow(&self) {
        let overflowed = self.overflowed.load(Ordering::Relaxed) > 0;
        if overflowed && !self.overflow_told.swap(true, Ordering::Relaxed) && !self.failure().silent
        {
            say(format_args!("spans are being dropped, the {}", self.full()));
        }
    }

    /// A request was taken, but for so many spans; and what the collector said to it.
    pub(super) fn taken(&self, rejected: usize, message: Option<&str>) {
        self.failure().tries = 0;
        match message {
            Some(why) if rejected > 0 => self.refused(why),
            Some(warning) => self.note(warning, true, "the spans were taken"),
            None => {}
        }
    }

    /// Spans were refused for good.
    pub(super) fn refused(&self, why: &str) {
        self.note(why, true, "spans are being lost");
    }

    /// A request failed that will be made again. What fails in a hurry is told at the end.
    pub(super) fn unavailable(&self, why: &str, hurry: bool) {
        let kept = format!("spans are kept, up to {} more, and sent again", self.queue);
        self.note(why, !hurry, &kept);
    }

    fn note(&self, why: &str, tell: bool, consequence: &str) {
        let mut failure = self.failure();
        failure.tries += 1;
        failure.why = Some(why.to_owned());
        let due = failure.told.is_none_or(|told| told.elapsed() >= REMINDER);
        if tell && due && !failure.silent {
            failure.told = Some(Instant::now());
            drop(failure);
            say(format_args!("{}: {why}; {consequence}", self.destination));
        }
    }

    fn full(&self) -> String {
        format!("queue of {} full; raise OTEL_BSP_MAX_QUEUE_SIZE", self.queue)
    }

    fn failure(&self) -> MutexGuard<'_, Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
