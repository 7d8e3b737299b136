//! SIGTERM and SIGINT: the program may come to its end by itself; what it has not flushed by then is
//! flushed for it, and when the grace period is over it ends by the signal, as it would have
//! without us.

use std::io::IsTerminal;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use slab::Slab;

use super::{ShutDown, after_fork};
use crate::report::say;

/// Ready when the program has been told to stop, by SIGTERM or SIGINT, at once if it was told
/// before. On any async runtime; without telemetry too.
///
/// From the first call on the program is to come to its own end: it has the grace period of its
/// [`Config`](crate::Config) to do so, or, where telemetry is not set up, as long as it likes. A
/// second signal ends it at once; a parent that passes SIGINT on to children that a terminal sends
/// it to as well should start them in a process group of their own.
///
/// ```no_run
/// # async fn serve() {}
/// # async fn example() {
/// tokio::select! {
///     () = serve() => {}
///     () = spandrel::shutdown_signal() => println!("stopping"),
/// }
/// # }
/// ```
pub fn shutdown_signal() -> ShutdownSignal {
    listen();
    state().awaited = true;
    ShutdownSignal { waker: None }
}

/// The future of [`shutdown_signal`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ShutdownSignal {
    /// Where its waker is, once it has been polled.
    waker: Option<usize>,
}

impl Future for ShutdownSignal {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let waker = task.waker().clone();
        let mut state = state();
        if state.stopping {
            return Poll::Ready(());
        }
        let old = self.waker.and_then(|index| state.waiting.try_remove(index));
        self.waker = Some(state.waiting.insert(waker));
        // What it wakes may be dropped with it, and this future in it.
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Drop for ShutdownSignal {
    fn drop(&mut self) {
        let waker = self.waker.and_then(|index| state().waiting.try_remove(index));
        drop(waker);
    }
}

/// From now on the first signal starts the clock; the second one ends the program at once. Signals
/// that the program was started to ignore stay ignored.
pub(super) fn flush_within(flush: Duration, grace: Duration) {
    state().deadlines = Some(Deadlines { flush, grace });
    listen();
}

/// What is left for a flush until the program is killed, if it was told to stop.
pub(super) fn time_to_flush() -> Option<Duration> {
    state().flushed_by.map(|end| end.saturating_duration_since(Instant::now()))
}

/// In a child of `fork`.
pub(super) fn listen_again() {
    if state().listening {
        spawn();
    }
}

#[derive(Debug)]
struct State {
    listening: bool,
    /// The times of the configuration that was installed last.
    deadlines: Option<Deadlines>,
    stopping: bool,
    /// A moment before the grace period is over: the program is to come to its own end.
    flushed_by: Option<Instant>,
    /// Whether the program stops by itself.
    awaited: bool,
    waiting: Slab<Waker>,
}

#[derive(Clone, Copy, Debug)]
struct Deadlines {
    flush: Duration,
    grace: Duration,
}

fn state() -> MutexGuard<'static, State> {
    static STATE: Mutex<State> = Mutex::new(State {
        listening: false,
        deadlines: None,
        stopping: false,
        flushed_by: None,
        awaited: false,
        waiting: Slab::new(),
    });
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen() {
    after_fork();
    if !std::mem::replace(&mut state().listening, true) {
        spawn();
    }
}

fn spawn() {
    let ignored = ignored();
    let signals = [SIGTERM, SIGINT].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let spawned = Signals::new(signals).and_then(|signals| {
        let name = "spandrel-signals".to_owned();
        thread::Builder::new().name(name).spawn(move || obey(signals))
    });
    if let Err(error) = spawned {
        say(format_args!("SIGTERM and SIGINT will not flush: {error}"));
    }
}

fn obey(mut signals: Signals) {
    for signal in &mut signals {
        let mut state = state();
        if state.stopping {
            let _ = emulate_default_handler(signal);
        }
        state.stopping = true;
        let waiting = std::mem::take(&mut state.waiting);
        let (deadlines, awaited) = (state.deadlines, state.awaited);
        state.flushed_by = deadlines.map(|times| Instant::now() + times.grace.mul_f64(0.95));
        drop(state);
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
        match deadlines {
            Some(deadlines) => beside(move || stop(signal, deadlines, awaited)),
            None if awaited => {}
            None => drop(emulate_default_handler(signal)),
        }
    }
}

/// Whether the program handles the signal in a way of its own cannot be known: it gets all of the
/// grace period, unless somebody waits at the keyboard for a program that is not on its way out.
fn stop(signal: i32, deadlines: Deadlines, awaited: bool) {
    let Deadlines { flush, grace } = deadlines;
    let end = Instant::now() + grace;
    let (done, shut_down) = mpsc::channel();
    beside(move || drop(done.send(super::shut_down_after(grace.saturating_sub(flush)))));
    // Whatever holds it up does not hold up the end.
    let shut_down = shut_down.recv_timeout(grace);
    let somebody_waits = signal == SIGINT && std::io::stdin().is_terminal();
    if !somebody_waits || awaited || shut_down == Ok(ShutDown::ByTheProgram) {
        thread::sleep(end.saturating_duration_since(Instant::now()));
    }
    let _ = emulate_default_handler(signal);
}

fn beside(work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().spawn(work) {
        say(format_args!("no thread to stop the program with: {error}"));
    }
}

/// The mask of ignored signals, where the system tells: a shell's background jobs ignore SIGINT.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
