//! The account of every span: `accepted = exported + dropped + failed`, once all are through.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the spans of this process since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sampled spans that ended.
    pub accepted: u64,
    /// Spans that the collector took.
    pub exported: u64,
    /// Spans that no request was made for: the queue was full, or time ran out.
    pub dropped: u64,
    /// Spans in requests that failed.
    pub failed: u64,
}

/// The account of this process so far. Spans that still wait are in `accepted` only.
pub fn stats() -> Stats {
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Stats {
        accepted: read(&ACCEPTED),
        exported: read(&EXPORTED),
        dropped: read(&DROPPED),
        failed: read(&FAILED),
    }
}

pub(crate) static ACCEPTED: AtomicU64 = AtomicU64::new(0);
pub(crate) static EXPORTED: AtomicU64 = AtomicU64::new(0);
pub(crate) static DROPPED: AtomicU64 = AtomicU64::new(0);
pub(crate) static FAILED: AtomicU64 = AtomicU64::new(0);

pub(crate) fn add(counter: &AtomicU64, spans: usize) {
    counter.fetch_add(spans as u64, Ordering::Relaxed);
}

impl Stats {
    /// Spans that will not arrive.
    pub fn lost(&self) -> u64 {
        self.dropped + self.failed
    }
}
