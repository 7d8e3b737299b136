//! The thread that watches for signals: it flushes, and ends the process where nobody else handles the signal.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Duration;

use super::handler::{self, HandledBy, SIGNALS, Wakeup};
use super::waiting;
use crate::app::{shutdown, stopping};
use crate::internal_threads;
use crate::report::say;

/// How much longer than the flush may take the watching thread waits for the thread that flushes.
const THREAD_MARGIN: Duration = Duration::from_millis(300);

/// From now on each of the four signals flushes before it ends the process. Signals that are ignored stay
/// ignored.
pub(in crate::app) fn install_handlers() {
    if ensure_watching() {
        SIGNALS.into_iter().for_each(handler::install);
    }
}

/// In a child of `fork`, which has none of its parent's threads. Returns whether the parent watches for signals.
pub(in crate::app) fn restart_after_fork() -> bool {
    let is_watched_elsewhere = handler::is_watched_elsewhere();
    if is_watched_elsewhere {
        waiting::reset();
        ensure_watching();
    }
    is_watched_elsewhere
}

/// Makes the watching thread shut telemetry down, because the process exits. `false` where there is no
/// such thread in this process.
pub(in crate::app) fn request_shutdown() -> bool {
    let watched = handler::is_watched();
    if watched {
        handler::wake(Wakeup::Exit);
    }
    watched
}

/// Starts the watching thread of this process, unless it runs. Whether it does.
pub(super) fn ensure_watching() -> bool {
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
pub(in crate::app) fn wait_for_end() {
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
                Wakeup::Exit => shutdown::shut_down_if_up(),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return,
        }
    }
}

fn handle(signal: i32) {
    let handled_by = handler::handled_by(signal);
    if handled_by == HandledBy::Nobody || handler::is_stop(signal) {
        stopping::start();
    }
    match handled_by {
        HandledBy::Nobody => {}
        // Only the program knows the meaning of a SIGHUP or SIGQUIT that it handles.
        HandledBy::Program if !handler::is_stop(signal) => return,
        HandledBy::Program | HandledBy::Kernel => {
            waiting::announce();
            shutdown::export_at_once();
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
    let patience = shutdown::time_for_shutdown() + THREAD_MARGIN;
    let (done, shut_down) = mpsc::channel();
    let flushed = internal_threads::spawn("spandrel-shutdown", move || {
        shutdown::shut_down_if_up();
        let _ = done.send(());
    });
    if flushed.is_ok() {
        let _ = shut_down.recv_timeout(patience);
    } else {
        shutdown::shut_down_if_up();
    }
}
