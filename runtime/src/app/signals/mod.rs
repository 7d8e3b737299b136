//! SIGTERM, SIGINT, SIGHUP and SIGQUIT. A program that handles the signal ends when it wants to; one that
//! does not is flushed, and then dies of the signal as it would have without us.

mod handler;
mod shutdown_signal;

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use handler::{HandledBy, SIGNALS, Wakeup};
pub use shutdown_signal::{ShutdownSignal, shutdown_signal};

use super::after_fork;
use crate::internal_threads;
use crate::report::say;

/// The last flush has at least this long, even if the grace period is nearly over.
const SHORTEST_FLUSH: Duration = Duration::from_millis(500);

/// The share of the grace period that telemetry uses: the platform's clock starts before the signal arrives.
const USABLE: f64 = 0.95;

/// How much longer than the flush may take the watching thread waits for the thread that flushes.
const THREAD_MARGIN: Duration = Duration::from_millis(300);

#[derive(Debug)]
struct SignalState {
    /// How long the platform waits from SIGTERM to SIGKILL, if that is known.
    grace: Option<Duration>,
    /// When the first signal arrived that asks for a shutdown.
    stopping_since: Option<Instant>,
}

fn state() -> MutexGuard<'static, SignalState> {
    static STATE: Mutex<SignalState> =
        Mutex::new(SignalState { grace: None, stopping_since: None });
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on each of the four signals flushes before it ends the process. Signals that are ignored stay
/// ignored.
pub(super) fn install_handlers(grace: Option<Duration>) {
    state().grace = grace;
    if ensure_watching() {
        SIGNALS.into_iter().for_each(handler::install);
    }
}

/// Restores the previous signal actions. Signals that `shutdown_signal` handles keep our handler.
pub(super) fn uninstall_handlers() {
    SIGNALS.into_iter().filter(|signal| !handler::is_awaited(*signal)).for_each(handler::uninstall);
}

/// Whether the program was asked to shut down: what ends from then on is exported at once.
pub(super) fn is_stopping() -> bool {
    state().stopping_since.is_some()
}

/// How long a last flush may take now, if the program was asked to shut down within a grace period.
pub(super) fn time_to_flush() -> Option<Duration> {
    let state = state();
    let end = state.stopping_since? + state.grace?.mul_f64(USABLE);
    Some(end.saturating_duration_since(Instant::now()).max(SHORTEST_FLUSH))
}

/// In a child of `fork`, which has none of its parent's threads and has got no signal yet.
pub(super) fn restart_after_fork() {
    if handler::is_watched_elsewhere() {
        state().stopping_since = None;
        shutdown_signal::reset();
        ensure_watching();
    }
}

/// Makes the watching thread shut telemetry down, because the process exits. `false` where there is no
/// such thread in this process.
pub(super) fn request_shutdown() -> bool {
    let watched = handler::is_watched();
    if watched {
        handler::wake(Wakeup::Exit);
    }
    watched
}

/// Starts the watching thread of this process, unless it runs. Whether it does.
fn ensure_watching() -> bool {
    if handler::is_watched() {
        return true;
    }
    match start_watching() {
        Ok(()) => true,
        Err(error) => {
            say(format_args!(
                "the thread that watches for signals cannot be started: {error}; SIGTERM, SIGINT, SIGHUP and \
                 SIGQUIT end the program without a flush, and `shutdown_signal()` never completes"
            ));
            false
        }
    }
}

/// Waits a moment for the end of the process, if a signal is about to end it.
pub(super) fn wait_for_end() {
    if handler::is_watched() && handler::is_ending() {
        std::thread::sleep(THREAD_MARGIN);
    }
}

fn start_watching() -> io::Result<()> {
    let (reader, writer) = UnixStream::pair()?;
    writer.set_nonblocking(true)?;
    internal_threads::spawn("spandrel-signals", move || watch(reader))?;
    handler::set_wake(OwnedFd::from(writer));
    Ok(())
}

/// What the watching thread does. The other end is never closed.
fn watch(mut wakeups: UnixStream) {
    let mut byte = [0];
    loop {
        match wakeups.read(&mut byte) {
            Ok(1) => match Wakeup::from_byte(byte[0]) {
                Wakeup::Signal(signal) => handle(signal),
                Wakeup::Exit => super::shut_down_if_up(),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return,
        }
    }
}

fn handle(signal: i32) {
    let handled_by = handler::handled_by(signal);
    if handled_by == HandledBy::Nobody || handler::is_stop(signal) {
        state().stopping_since.get_or_insert_with(Instant::now);
    }
    match handled_by {
        HandledBy::Nobody => {}
        // Only the program knows the meaning of a SIGHUP or SIGQUIT that it handles.
        HandledBy::Program if !handler::is_stop(signal) => return,
        HandledBy::Program | HandledBy::Kernel => {
            shutdown_signal::announce();
            super::export_at_once();
            return;
        }
    }
    flush();
    // Without telemetry, the signal would have ended the program when it arrived. A handler that was set since then
    // changes nothing.
    handler::end_by(signal);
}

/// Shuts telemetry down within its time, on a thread of its own: processors of the program's may take any
/// time. Where no thread can be made, this one does it.
fn flush() {
    let patience = super::time_for_shutdown() + THREAD_MARGIN;
    let (done, shut_down) = mpsc::channel();
    let flushed = internal_threads::spawn("spandrel-shutdown", move || {
        super::shut_down_if_up();
        let _ = done.send(());
    });
    if flushed.is_ok() {
        let _ = shut_down.recv_timeout(patience);
    } else {
        super::shut_down_if_up();
    }
}
