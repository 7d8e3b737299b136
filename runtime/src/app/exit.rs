//! Shuts telemetry down when the program ends without dropping its guards: a `teardown` that is never called,
//! `std::process::exit` on any thread, a panic that aborts.

#![cfg_attr(unix, allow(unsafe_code, reason = "`atexit` is only reached by a foreign function"))]

use std::panic;
use std::sync::Once;
#[cfg(unix)]
use std::sync::atomic::{AtomicU32, Ordering};

use super::shutdown::shut_down;
#[cfg(unix)]
use super::shutdown::{SLACK, shut_down_if_up, time_for_shutdown};
#[cfg(unix)]
use super::signals::watch;
use super::state::AppState;
use crate::span::record_panic_here;

/// The process that set telemetry up. A child of `fork` that recorded nothing has nothing to flush.
#[cfg(unix)]
static PROCESS: AtomicU32 = AtomicU32::new(0);
#[cfg(unix)]
static AT_EXIT: Once = Once::new();
static HOOK: Once = Once::new();

/// Registers the exit handler, and the panic hook where panics abort.
pub(super) fn register() {
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

/// Runs on the exiting thread, whose thread-local variables may be destroyed. Therefore the thread that watches
/// for signals shuts telemetry down, and this thread waits for at most the flush time plus `SLACK`.
#[cfg(unix)]
extern "C" fn at_exit() {
    if PROCESS.load(Ordering::SeqCst) != std::process::id() {
        return;
    }
    let _ = panic::catch_unwind(|| {
        let patience = time_for_shutdown();
        let is_up = !AppState::is_down();
        if is_up && watch::request_shutdown() {
            AppState::wait_until_down(patience + SLACK);
        } else if is_up {
            shut_down_if_up();
        }
        // A signal that came first ends the process, and not this exit.
        watch::wait_for_end();
    });
}

fn before_abort() {
    record_panic_here();
    // The thread that panics may be the one that shuts down, or that holds the lock.
    match AppState::try_lock() {
        Some(state) => shut_down(state),
        None => return,
    }
    #[cfg(unix)]
    AppState::wait_for_other_thread(time_for_shutdown() + SLACK);
}
