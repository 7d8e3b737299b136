//! Threads that the library starts. They block signals, so that they never take a signal that the program waits
//! for. The program's code on these threads runs with the program's own signal mask.

#[cfg(unix)]
mod signal_mask;

use std::cell::Cell;
use std::io;
use std::thread;

#[cfg(unix)]
use signal_mask::SignalMask;

/// The stack of each thread, in bytes: the default of Rust's standard library, whatever
/// `RUST_MIN_STACK` says. The operating system provides memory only for what is used of it.
const STACK: usize = 2 << 20;

thread_local! {
    static RUNS_USER_CODE: Cell<bool> = const { Cell::new(false) };
    #[cfg(feature = "app")]
    static RUNS_EXPORTER: Cell<bool> = const { Cell::new(false) };
}

/// Starts a thread with this name. Every signal is blocked in it but those that report faults and
/// those of profilers, so that the program's own threads get all the others.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
    // A new thread inherits the mask of the thread that starts it.
    #[cfg(unix)]
    let before = SignalMask::all_but_faults().set();
    let spawned = builder.spawn(work);
    #[cfg(unix)]
    before.set();
    spawned.map(drop)
}

/// Runs code of the program's on a thread of the library's, with the signals blocked that the program
/// blocks: threads and processes that this code starts inherit the mask.
pub(crate) fn run_user_code<T>(code: impl FnOnce() -> T) -> T {
    #[cfg(unix)]
    let _restored = SignalMask::of_main_thread().map(SignalMask::set_until_dropped);
    code()
}

/// Marks the current thread as one that runs the program's code and that a shutdown waits for. Functions that are
/// called on it must not wait for the shutdown.
pub(crate) fn mark_current() {
    RUNS_USER_CODE.set(true);
}

/// As [`mark_current`], for the thread of the program's own exporter, which each flush waits for.
#[cfg(feature = "app")]
pub(crate) fn mark_exporter() {
    mark_current();
    RUNS_EXPORTER.set(true);
}

/// Whether the current thread is the one of the program's own exporter.
#[cfg(feature = "app")]
pub(crate) fn is_exporter() -> bool {
    RUNS_EXPORTER.get()
}

/// Whether [`mark_current`] was called on the current thread.
pub(crate) fn is_current_marked() -> bool {
    RUNS_USER_CODE.get()
}
