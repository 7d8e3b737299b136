//! Spans that ended after their pipeline was shut down, when another one was there or none.

use std::sync::atomic::{AtomicU64, Ordering};

static LATE: AtomicU64 = AtomicU64::new(0);

pub(super) fn count() {
    LATE.fetch_add(1, Ordering::Relaxed);
}

/// How many there were in this process: they were dropped.
pub(crate) fn late() -> u64 {
    LATE.load(Ordering::Relaxed)
}

/// In a child of `fork`: they were the parent's.
pub(crate) fn start_over() {
    LATE.store(0, Ordering::Relaxed);
}
