//! SIGTERM and SIGINT: the program may come to its end by itself; what it has not flushed by then is
//! flushed for it, and when the grace period is over it ends by the signal, as it would have
//! without us.

use std::io::IsTerminal;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::ShutDown;
use crate::report::say;

/// Ready when the program has been told to stop, by SIGTERM or SIGINT, at once if it was told
/// before. On any async runtime; without telemetry too.
///
/// A program that waits for this comes to its own end: it has the grace period of its
/// [`Config`](crate::Config) to do so, or, where telemetry is not set up, as long as it likes. A
/// second signal ends it at once.
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
    ShutdownSignal(())
}

/// The future of [`shutdown_signal`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ShutdownSignal(());

impl Future for ShutdownSignal {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let mut state = state();
        if state.stopping {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(task.waker())) {
            state.waiting.push(task.waker().clone());
        }
        Poll::Pending
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

/// In a child of `fork`, which has no other thread than the one that forked.
pub(super) fn listen_again() {
    if LISTENING.is_completed() {
        spawn();
    }
}

static LISTENING: Once = Once::new();

#[derive(Debug)]
struct State {
    /// The times of the configuration that was installed last.
    deadlines: Option<Deadlines>,
    stopping: bool,
    /// A moment before the grace period is over: the program is to come to its own end.
    flushed_by: Option<Instant>,
    /// Whether the program stops by itself.
    awaited: bool,
    waiting: Vec<Waker>,
}

#[derive(Clone, Copy, Debug)]
struct Deadlines {
    flush: Duration,
    grace: Duration,
}

fn state() -> MutexGuard<'static, State> {
    static STATE: Mutex<State> = Mutex::new(State {
        deadlines: None,
        stopping: false,
        flushed_by: None,
        awaited: false,
        waiting: Vec::new(),
    });
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen() {
    LISTENING.call_once(spawn);
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
        waiting.into_iter().for_each(Waker::wake);
        match deadlines {
            Some(deadlines) => drop(thread::spawn(move || stop(signal, deadlines, awaited))),
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
    let shut_down = super::shut_down_after(grace.saturating_sub(flush));
    let somebody_waits = signal == SIGINT && std::io::stdin().is_terminal();
    if !somebody_waits || awaited || shut_down == ShutDown::ByTheProgram {
        thread::sleep(end.saturating_duration_since(Instant::now()));
    }
    let _ = emulate_default_handler(signal);
}

/// The mask of ignored signals, where the system tells: a shell's background jobs ignore SIGINT.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
