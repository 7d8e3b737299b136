//! Programs that do not come to the end of their guards: a `teardown` that is never called, an exit
//! from the main thread, a panic that aborts.

use std::panic;
use std::sync::Once;
use std::time::Duration;

use super::shut_down;
use super::state::State;
use crate::span::record_panic_here;

/// Flushes when the main thread ends or exits, where the platform runs destructors then, and
/// before a panic aborts.
pub(super) fn watch() {
    if std::thread::current().name() == Some("main") {
        AT_EXIT.with(|_| ());
    }
    if cfg!(panic = "abort") {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                previous(info);
                before_abort();
            }));
        });
    }
}

struct AtExit;

thread_local!(static AT_EXIT: AtExit = const { AtExit });

impl Drop for AtExit {
    fn drop(&mut self) {
        if let Some(state) = State::settled(Duration::MAX) {
            shut_down(state);
        }
    }
}

fn before_abort() {
    record_panic_here();
    // The thread that panics may be the one that shuts down.
    if let Some(state) = State::at_once() {
        shut_down(state);
    }
}
