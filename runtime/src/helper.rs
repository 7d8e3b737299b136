//! Threads of ours that run code of the program's. A shutdown waits for them, so nothing that is
//! called on one may wait for a shutdown.

use std::cell::Cell;

thread_local!(static HELPS: Cell<bool> = const { Cell::new(false) });

/// This thread is one from now on.
pub(crate) fn is_this_thread() {
    HELPS.set(true);
}

pub(crate) fn runs_this() -> bool {
    HELPS.get()
}
