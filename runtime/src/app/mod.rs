//! The life of telemetry in a program: set up before its first line, flushed after its last.

mod app_type;
mod at_exit;
mod fork;
#[cfg(unix)]
mod signals;
mod state;

use std::io::IsTerminal;
use std::sync::MutexGuard;
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
use state::{Change, State};

pub use app_type::{SetUp, tear_down};
pub use fork::after_fork;
#[cfg(unix)]
pub use signals::{ShutdownSignal, shutdown_signal};

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
        let Some(mut state) = State::settled(Duration::MAX) else { return };
        if let State::Up(app) = &mut *state {
            app.guards -= 1;
            if app.guards == 0 {
                shut_down(state);
            }
        }
    }
}

/// Exports what has ended, now; whether all of it was through within this time. For moments that
/// the end of the program does not cover: before `exec`, or after each request of a function
/// that is frozen in between. Spans that wait for a device ([`Device`](crate::Device)) may take up
/// to half of the time, unless this is called where they are asked. Processors of the [`Config`] are
/// told to flush too.
///
/// While telemetry is set up or shut down this waits for that; called where that waits for it, by
/// a processor or a device say, it is `false` at once. It knows of what is installed, or adopted,
/// and not of what [`testing`](crate::testing) records. A provider of the program's own is the
/// program's to flush, after this.
///
/// ```
/// use std::time::Duration;
///
/// if !spandrel::flush(Duration::from_secs(2)) {
///     eprintln!("some spans are still on their way");
/// }
/// ```
pub fn flush(timeout: Duration) -> bool {
    let since = Instant::now();
    let left = || timeout.saturating_sub(since.elapsed());
    let Some(state) = State::settled(timeout) else { return false };
    let pipeline = if let State::Up(app) = &*state { Some(app.pipeline.clone()) } else { None };
    drop(state);
    let measured = span::await_devices(left() / 2);
    pipeline.is_none_or(|pipeline| pipeline.flush(left())) && measured
}

/// Whether telemetry is up now.
fn set_up(config: Config) -> bool {
    let Some(mut state) = State::settled(Duration::MAX) else {
        say("telemetry is being set up or shut down; this configuration is ignored");
        return false;
    };
    if let State::Up(app) = &mut *state {
        say("telemetry is already set up; this second configuration is ignored");
        app.guards += 1;
        return true;
    }
    let (_, mut change) = Change::of(state);
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
            change.becomes = State::Up(Running { pipeline, flush, guards: 1 });
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

/// Ends what is open and exports what there is, if telemetry is up. Whoever else wants to end the
/// process waits until that is done.
fn shut_down(state: MutexGuard<'static, State>) {
    if !matches!(*state, State::Up(_)) {
        return;
    }
    let (before, _change) = Change::of(state);
    let State::Up(app) = before else { return };
    let budget = app.flush.min(time_to_flush());
    let deadline = Instant::now() + budget;
    let recorder = Recorder::uninstall();
    global::set_tracer_provider(NoopTracerProvider::new());
    if let Some((_, reaper)) = &recorder {
        reaper.end_all(budget / 2);
    }
    // None starts any more; those that did are ended while they can still be exported.
    span::end_open_spans();
    if let Some((provider, _)) = recorder {
        app.pipeline.shut_down(&provider, deadline, budget);
    }
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
    let up = || {
        let state = State::settled(Duration::MAX)?;
        matches!(*state, State::Up(_)).then_some(state)
    };
    if up().is_none() {
        return ShutDown::Before;
    }
    State::wait_until_down(patience);
    match up() {
        Some(state) => {
            shut_down(state);
            ShutDown::ForTheProgram
        }
        None => ShutDown::ByTheProgram,
    }
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
