//! What a child of `fork` must do for itself: it has none of the threads that export, and that hear
//! signals.

use super::exit;
#[cfg(unix)]
use super::signals::watch;
use super::state::AppState;
use super::stopping;
use crate::recorder;
use crate::stats::{self, Stats};

/// In a child of `fork`: exports again, and hears signals.
///
/// That happens by itself when the child starts its first span, sets telemetry up, flushes, asks for its
/// [`stats`](crate::stats), or calls [`shutdown_signal`](crate::shutdown_signal). Until then a signal that
/// the program does not handle ends the child at once. In the parent, and when called again, this does
/// nothing.
///
/// A span that was open when the process forked is the parent's: its copy in the child is in no account.
/// What had ended before the fork is the parent's to export, and [`flush`](crate::flush) is for a
/// parent that goes without a word. As ever, a program should fork before it starts threads of its
/// own: what a thread had locked stays locked in the child.
pub fn after_fork() {
    recorder::after_fork(start_over);
}

fn start_over() {
    #[cfg(unix)]
    if watch::restart_after_fork() {
        stopping::reset();
    }
    stats::start_over();
    recorder::forget_late();
    if AppState::start_over() {
        exit::register();
    }
}

/// The account of this process so far. A child of `fork` has an account of its own, which starts at zero.
pub fn stats() -> Stats {
    after_fork();
    stats::sum()
}
