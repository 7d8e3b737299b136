//! Sets telemetry up, and keeps it up until the last guard is dropped.

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::trace::SpanContext;
use opentelemetry::{KeyValue, global};

use super::exit;
use super::fork::after_fork;
use super::pipeline::Pipeline;
use super::running_app::RunningApp;
#[cfg(unix)]
use super::shutdown::export_at_once;
use super::shutdown::shut_down;
#[cfg(unix)]
use super::signals::watch::install_handlers;
use super::state::{AppState, Change};
use super::stopping;
use crate::attribute::redact::Redactor;
use crate::config::{Config, ExceptionSignal, SampleRate, Sampling, Settings};
use crate::environment::Environment;
use crate::logs;
use crate::propagation::Propagator;
use crate::recorder::{Exceptions, KeepRules, NativeProvider};
use crate::report::say;
use crate::span::adopt::global_provider_is_set;
use crate::span::{Installation, KnownRecorded, Pruning, Recorder, RecorderOptions, SamplingHints};

/// Sets telemetry up, for as long as the guard lives.
///
/// Spans of annotated functions are recorded from here on, and those of OpenTelemetry's own API:
/// its global provider and propagator are set. Where a global provider is set already it stays, and
/// is adopted ([`adopt_global_provider`](crate::adopt_global_provider)). Tracing that is disabled, or
/// cannot be set up, leaves the program as it is, but for the propagator; the reason is written on standard
/// error.
///
/// # How the program ends
///
/// With telemetry, the program ends with the same exit code or signal as without:
///
/// - When the last guard is dropped, open spans are marked as interrupted, and all spans that have ended are
///   exported within the time of [`Config::flush`]. Spans that end during this last flush may be dropped;
///   [`stats`](crate::stats) counts them.
/// - [`std::process::exit`] does the same, on whichever thread it is called, and so does a panic where
///   the program is built with `panic = "abort"`. [`std::process::abort`] and `exec` do not: call
///   [`flush`](crate::flush) before those.
/// - SIGTERM, SIGINT, SIGHUP and SIGQUIT do the same before they end the program. A second signal that arrives at
///   least half a second after the first ends the program at once.
/// - If the program handles the signal, the program decides when to end. The handler may be
///   [`shutdown_signal`](crate::shutdown_signal), `tokio::signal`, `signal-hook`, `ctrlc` or any other, set before
///   or after this call. After SIGTERM or SIGINT, spans are exported as soon as they end.
///   `ctrlc::set_handler` replaces our handler, which is supported. `ctrlc::try_set_handler` returns an error
///   once our handler is set: call it before this function.
/// - Signals that are ignored stay ignored. The kernel does not end the first process of a container (PID 1) by a
///   signal that the process does not handle, so telemetry does not either; spans are then exported as soon as
///   they end.
///
/// A child of `fork` exports what it records ([`after_fork`](crate::after_fork)).
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
    let counted = set_up(config);
    #[cfg(unix)]
    if stopping::is_stopping() {
        export_at_once();
    }
    AppGuard { counted }
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
        let Some(mut state) = AppState::wait_until_stable(Duration::MAX) else { return };
        if let AppState::Up(app) = &mut *state {
            app.guards -= 1;
            if app.guards == 0 {
                shut_down(state);
            }
        }
    }
}

/// Whether telemetry is up now.
fn set_up(config: Config) -> bool {
    after_fork();
    let Some(mut state) = AppState::wait_until_stable(Duration::MAX) else {
        say("telemetry is being set up or shut down; this configuration is ignored");
        return false;
    };
    if let AppState::Up(app) = &mut *state {
        say("telemetry is already set up; this second configuration is ignored");
        app.guards += 1;
        return true;
    }
    let (_, mut change) = Change::of(state, None);
    let settings = read_settings(config);
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
    let grace = settings.grace;
    match start_recording(settings) {
        Ok(app) => change.becomes = AppState::Up(app),
        Err(why) => {
            say(format_args!("{why}; tracing is off"));
            return false;
        }
    }
    stopping::set_grace(grace);
    #[cfg(unix)]
    install_handlers();
    exit::register();
    true
}

/// The configuration with what the environment overrides; `None` when tracing is disabled. Log lines are written from
/// here on, if they are configured.
fn read_settings(config: Config) -> Option<Settings> {
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
    settings
}

/// Builds a pipeline, and makes it the one that spans go to; or says why there is none.
fn start_recording(settings: Settings) -> Result<RunningApp, String> {
    let Settings { exceptions, code, flush, .. } = settings;
    let (mut sampling, redact) = (settings.sampling.clone(), settings.redact.clone());
    // Before any span can be recorded.
    Redactor::install(redact);
    let (pipeline, installation) =
        Pipeline::build(settings).inspect_err(|_| Redactor::install(None))?;
    match &installation {
        Installation::Native(native) => {
            global::set_tracer_provider(NativeProvider(native.clone()));
        }
        Installation::Sdk(provider, _) => {
            sampling.keep = KeepRules::default();
            global::set_tracer_provider(provider.clone());
        }
    }
    let records = known_recorded(&sampling);
    let hints = sampling_hints(&sampling);
    let options = RecorderOptions { exceptions: exceptions.into(), records, code };
    Recorder::install(installation, options, hints);
    Ok(RunningApp { pipeline, flush, guards: 1, sampling })
}

/// Of which spans it is known before they start that they are recorded.
fn known_recorded(sampling: &Sampling) -> KnownRecorded {
    match sampling {
        _ if sampling.keep.anything() => KnownRecorded::All,
        Sampling { parent_based: true, .. } => KnownRecorded::UnderSampled,
        _ => KnownRecorded::Nothing,
    }
}

/// What is known of a sampler before it is asked.
pub(super) fn sampling_hints(sampling: &Sampling) -> SamplingHints {
    let Sampling { rules, parent_based, keep, .. } = sampling;
    let pruning = match rules.rate {
        _ if keep.anything() || !parent_based => Pruning::Nothing,
        SampleRate::Ratio(1.0) if rules.rules.is_empty() => Pruning::UnderUnsampled,
        _ => Pruning::Unsampled,
    };
    SamplingHints { pruning, by_name: !rules.rules.is_empty() }
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
