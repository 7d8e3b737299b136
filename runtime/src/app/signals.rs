//! SIGTERM and SIGINT: the program may come to its end by itself; what it has not flushed by then is
//! flushed for it, and when the grace period is over it ends by the signal, as it would have
//! without us.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::ShutDown;
use crate::report::say;

/// From now on the first signal starts the clock; the second one ends the program at once. Signals
/// that the program was started to ignore stay ignored.
pub(super) fn watch(flush: Duration, grace: Duration) {
    static WATCHING: Once = Once::new();
    *deadlines() = Deadlines { flush, grace };
    WATCHING.call_once(|| {
        let ignored = ignored();
        let signals =
            [SIGTERM, SIGINT].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
        let spawned = Signals::new(signals).and_then(|signals| {
            let name = "spandrel-signals".to_owned();
            thread::Builder::new().name(name).spawn(move || listen(signals))
        });
        if let Err(error) = spawned {
            say(format_args!("SIGTERM and SIGINT will not flush: {error}"));
        }
    });
}

/// The times of the configuration that was installed last.
#[derive(Clone, Copy)]
struct Deadlines {
    flush: Duration,
    grace: Duration,
}

fn deadlines() -> MutexGuard<'static, Deadlines> {
    static DEADLINES: Mutex<Deadlines> =
        Mutex::new(Deadlines { flush: Duration::ZERO, grace: Duration::ZERO });
    DEADLINES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(mut signals: Signals) {
    let mut stopping = false;
    for signal in &mut signals {
        if stopping {
            let _ = emulate_default_handler(signal);
        }
        stopping = true;
        thread::spawn(move || stop(signal));
    }
}

/// Whether the program handles the signal itself cannot be known: it gets all of the grace period,
/// unless somebody waits at the keyboard for a program that is not on its way out.
fn stop(signal: i32) {
    let Deadlines { flush, grace } = *deadlines();
    let end = Instant::now() + grace;
    let shut_down = super::shut_down_after(grace.saturating_sub(flush));
    let somebody_waits = signal == SIGINT && std::io::stdin().is_terminal();
    if !somebody_waits || shut_down == ShutDown::ByTheProgram {
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
