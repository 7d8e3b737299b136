//! The life of telemetry in a program: set up before its first line, flushed after its last.

mod app_type;
mod at_exit;
mod fork;
#[cfg(unix)]
mod signals;

use std::io::IsTerminal;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::trace::SpanContext;
use opentelemetry::trace::noop::NoopTracerProvider;
use opentelemetry::{KeyValue, global};

use crate::adopt::global_provider_is_set;
use crate::config::{Config, ExceptionSignal, Ratio, Sampling, Settings};
use crate::environment::Environment;
use crate::logs;
use crate::pipeline::Pipeline;
use crate::propagation::Propagator;
use crate::report::say;
use crate::span::{self, Exceptions, Recorder, Records};

pub use app_type::{SetUp, tear_down};
pub use fork::after_fork;
#[cfg(unix)]
pub use signals::{ShutdownSignal, shutdown_signal};

static RUNNING: Mutex<Option<Running>> = Mutex::new(None);
/// Told whenever telemetry has been shut down.
static STOPPED: Condvar = Condvar::new();

struct Running {
    pipeline: Pipeline,
    flush: Duration,
    guards: usize,
}

/// Sets telemetry up, for as long as the guard lives.
///
/// Spans of annotated functions are recorded from here on, and those of OpenTelemetry's own API:
/// its global provider and propagator are set. Where a global provider is set already it stays, and
/// is adopted ([`adopt_global_provider`](crate::adopt_global_provider)). SIGTERM and SIGINT end the
/// program as before, but not before a flush. Tracing that is disabled, or cannot be set up, leaves
/// the program as it is, but for the propagator; the reason is said on standard error.
///
/// What is not flushed: spans of a program that calls [`std::process::exit`] on another thread than
/// the main one, [`std::process::abort`], or `exec`. [`flush`] or drop the guard before those. With
/// `panic = "abort"` a panic flushes. A child of `fork` exports what it records
/// ([`after_fork`]).
///
/// While telemetry is up, a second call changes nothing and says so; it is shut down with the last
/// guard.
///
/// ```no_run
/// use spandrel::Config;
///
/// let app = spandrel::install(Config::new("checkout"));
/// // …
/// drop(app); // flushes
/// ```
pub fn install(config: Config) -> AppGuard {
    AppGuard { counted: set_up(config) }
}

/// Keeps telemetry up; dropping the last one ends the open spans, flushes and shuts down, within
/// the configured time.
#[derive(Debug)]
#[must_use = "telemetry is shut down when the guard is dropped"]
pub struct AppGuard {
    counted: bool,
}

impl Drop for AppGuard {
    fn drop(&mut self) {
        if !self.counted {
            return;
        }
        let mut running = running();
        let last = running.as_mut().is_some_and(|app| {
            app.guards -= 1;
            app.guards == 0
        });
        if last {
            shut_down(&mut running);
        }
    }
}

/// Exports what has ended, now; whether all of it was through within this time. For moments that
/// the end of the program does not cover: before `exec`, or after each request of a function
/// that is frozen in between. Spans that wait for a device ([`Device`](crate::Device)) may take up
/// to half of the time. A provider of the program's own is the program's to flush, after this.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// if !spandrel::flush(Duration::from_secs(2)) {
///     eprintln!("some spans are still on their way");
/// }
/// ```
pub fn flush(timeout: Duration) -> bool {
    let pipeline = running().as_ref().map(|app| app.pipeline.clone());
    let since = Instant::now();
    let measured = span::await_devices(timeout / 2);
    let left = timeout.saturating_sub(since.elapsed());
    pipeline.is_none_or(|pipeline| pipeline.flush(left)) && measured
}

fn running() -> MutexGuard<'static, Option<Running>> {
    after_fork();
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether telemetry is up now.
fn set_up(config: Config) -> bool {
    let mut running = running();
    if let Some(app) = &mut *running {
        say("telemetry is already set up; this second configuration is ignored");
        app.guards += 1;
        return true;
    }
    let read = |name: &str| std::env::var_os(name);
    let environment = Environment::new(&read);
    let terminal = std::io::stderr().is_terminal();
    #[cfg(feature = "logs")]
    let logs = config.logs.then(|| logs::Logs::resolve(&environment, terminal));
    let settings = Settings::resolve(config, &environment, terminal);
    for complaint in environment.into_complaints() {
        say(complaint);
    }
    #[cfg(feature = "logs")]
    if let Some(logs) = logs {
        logs.install();
    }
    let own_sdk = global_provider_is_set();
    if !own_sdk {
        global::set_text_map_propagator(Propagator::global().clone());
    }
    let Some(settings) = settings else {
        return false;
    };
    if own_sdk {
        Recorder::adopt();
        say("a tracer provider is set already: spans go there, and this configuration is ignored");
        return false;
    }
    let exceptions = settings.exceptions;
    let (records, prunes) = match &settings.sampling {
        sampling if sampling.keep.anything() => (Records::All, false),
        Sampling { parent_based: true, ratio: Ratio::ALWAYS, .. } => {
            (Records::AllButTheUnsampled, true)
        }
        Sampling { parent_based: true, .. } => (Records::TheSampled, true),
        _ => (Records::Unknown, false),
    };
    let (flush, grace) = (settings.flush, settings.grace);
    match Pipeline::build(settings, after_fork) {
        Ok((pipeline, provider)) => {
            global::set_tracer_provider(provider.clone());
            Recorder::install(provider, exceptions.into(), records, prunes);
            *running = Some(Running { pipeline, flush, guards: 1 });
        }
        Err(why) => {
            say(format_args!("{why}; tracing is off"));
            return false;
        }
    }
    #[cfg(unix)]
    signals::flush_within(flush, grace);
    #[cfg(not(unix))]
    let _ = grace;
    at_exit::watch();
    true
}

/// Ends what is open and exports what there is. The lock is held all the while, so that whoever
/// else wants to end the process waits.
fn shut_down(running: &mut Option<Running>) {
    if let Some(app) = running.take() {
        let recorder = Recorder::uninstall();
        global::set_tracer_provider(NoopTracerProvider::new());
        let mut budget = app.flush.min(time_to_flush());
        if let Some((_, reaper)) = &recorder {
            budget = budget.saturating_sub(reaper.end_all(budget / 2));
        }
        // None starts any more; those that did are ended while they can still be exported.
        span::end_open_spans();
        if let Some((provider, _)) = recorder {
            app.pipeline.shut_down(&provider, budget);
        }
    }
    STOPPED.notify_all();
}

/// What is left for a flush until the program is killed, if it was told to stop.
fn time_to_flush() -> Duration {
    #[cfg(unix)]
    let left = signals::time_to_flush();
    #[cfg(not(unix))]
    let left = None;
    left.unwrap_or(Duration::MAX)
}

/// Gives the program this long to shut telemetry down itself, then does it.
#[cfg(unix)]
fn shut_down_after(patience: Duration) -> ShutDown {
    let running = running();
    if running.is_none() {
        return ShutDown::Before;
    }
    let (mut running, _) = STOPPED
        .wait_timeout_while(running, patience, |running| running.is_some())
        .unwrap_or_else(PoisonError::into_inner);
    if running.is_none() {
        return ShutDown::ByTheProgram;
    }
    shut_down(&mut running);
    ShutDown::ForTheProgram
}

/// How telemetry came to be shut down when a signal asked for it.
#[cfg(unix)]
#[derive(PartialEq)]
enum ShutDown {
    Before,
    ByTheProgram,
    ForTheProgram,
}

impl From<ExceptionSignal> for Exceptions {
    fn from(signal: ExceptionSignal) -> Self {
        let log: fn(&SpanContext, Vec<KeyValue>) = logs::exception;
        match signal {
            ExceptionSignal::SpanEvents => Self::EVENTS,
            ExceptionSignal::Logs => Self { events: false, log: Some(log) },
            ExceptionSignal::Both => Self { events: true, log: Some(log) },
        }
    }
}
