//! Whether anything records. Where nothing does, an annotated function costs this question.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many recorders there are: one installed, and one a test scope. At zero nothing is recorded.
static RECORDERS: AtomicUsize = AtomicUsize::new(0);

/// Whether anything records. A body that continues a context is asked for its span in any case.
#[inline]
pub fn is_enabled() -> bool {
    RECORDERS.load(Ordering::Relaxed) != 0
}

/// There is one more recorder.
pub(super) fn add_recorder() {
    RECORDERS.fetch_add(1, Ordering::Relaxed);
}

/// There is one less.
pub(super) fn remove_recorder() {
    RECORDERS.fetch_sub(1, Ordering::Relaxed);
}
