//! Programs that do not come to the end of their guards: a `teardown` that is never called,
//! `std::process::exit` on any thread, a panic that aborts.

#![cfg_attr(unix, allow(unsafe_code, reason = "`atexit` is only reached by a foreign function"))]

use std::panic;
use std::sync::Once;
#[cfg(unix)]
use std::sync::atomic::{AtomicU32, Ordering};

use super::shut_down;
#[cfg(unix)]
use super::signals;
use super::state::State;
use crate::span::record_panic_here;

/// The process that has telemetry up, or had: a child of `fork` that has set up nothing and recorded nothing
/// has nothing to flush.
#[cfg(unix)]
static PROCESS: AtomicU32 = AtomicU32::new(0);
#[cfg(unix)]
static AT_EXIT: Once = Once::new();
static HOOK: Once = Once::new();

/// From now on telemetry is shut down when this process exits, and before a panic aborts it.
pub(super) fn watch() {
    #[cfg(unix)]
    {
        PROCESS.store(std::process::id(), Ordering::SeqCst);
        AT_EXIT.call_once(|| {
            // SAFETY: the function is `extern "C"`, takes nothing, never unwinds, and is there as long as the
            // process. Without room for one more, the call has no effect.
            let _ = unsafe { libc::atexit(at_exit) };
        });
    }
    if cfg!(panic = "abort") {
        HOOK.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                previous(info);
                before_abort();
            }));
        });
    }
}

/// Runs on the thread that exits, whose thread-local variables may be gone. So another thread shuts
/// telemetry down, and this one waits for that no longer than it may take.
#[cfg(unix)]
extern "C" fn at_exit() {
    if PROCESS.load(Ordering::SeqCst) != std::process::id() {
        return;
    }
    let _ = panic::catch_unwind(|| {
        let patience = super::time_for_shutdown();
        if State::is_down() {
            return;
        }
        if signals::shut_down_at_exit() {
            State::wait_until_down(patience + super::SLACK);
        } else {
            super::shut_down_if_up();
        }
    });
}

fn before_abort() {
    record_panic_here();
    // The thread that panics may be the one that shuts down.
    if let Some(state) = State::at_once() {
        shut_down(state);
    }
}
