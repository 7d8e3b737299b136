//! How telemetry is shut down, whoever asks for it.

use std::sync::{MutexGuard, mpsc};
use std::time::{Duration, Instant};

use opentelemetry::global;
use opentelemetry::trace::noop::NoopTracerProvider;

use super::pipeline::Pipeline;
#[cfg(unix)]
use super::signals::handler;
use super::state::{AppState, Change};
use super::stopping::time_to_flush;
use crate::internal_threads;
use crate::report::say;
use crate::span::{self, Recorder};

/// How much longer than its budget a shutdown is waited for.
#[cfg(unix)]
pub(super) const SLACK: Duration = Duration::from_millis(200);

/// If telemetry is up, exports all spans that have ended, and then stops recording. Other threads that want to end
/// the process wait until that is done.
pub(super) fn shut_down(state: MutexGuard<'static, AppState>) {
    let AppState::Up(app) = &*state else { return };
    let budget = app.flush.min(time_to_flush());
    let deadline = Instant::now() + budget;
    let (before, _change) = Change::of(state, Some(deadline));
    let AppState::Up(app) = before else { return };
    // What has ended is exported while open spans are being ended.
    app.pipeline.start_flush(deadline);
    end_open_spans(&app.pipeline, budget, deadline);
    // Spans go on being recorded until all this is exported.
    app.pipeline.shut_down(deadline, budget);
    global::set_tracer_provider(NoopTracerProvider::new());
    Recorder::uninstall();
    #[cfg(unix)]
    handler::uninstall_all();
}

/// Ends the open spans, and those that wait for devices, before this deadline. Processors of the program's see them
/// end, and may take any time: another thread ends the spans, and is not waited for any longer.
fn end_open_spans(pipeline: &Pipeline, budget: Duration, deadline: Instant) {
    if !pipeline.has_open() && span::await_devices(Duration::ZERO) {
        return;
    }
    let pipeline = pipeline.clone();
    let end_all = move || {
        span::end_device_spans();
        pipeline.interrupt();
    };
    let end_here = end_all.clone();
    let (done, ended) = mpsc::channel();
    let end = move || {
        span::await_devices(budget / 2);
        internal_threads::mark_current();
        internal_threads::run_user_code(end_all);
        let _ = done.send(());
    };
    if internal_threads::spawn("spandrel-ending", end).is_err() {
        // If no thread can be started, this thread ends the spans.
        span::await_devices(budget / 2);
        return end_here();
    }
    let left = deadline.saturating_duration_since(Instant::now());
    if ended.recv_timeout(left) == Err(mpsc::RecvTimeoutError::Timeout) {
        say(
            "open spans could not be ended in time; a span processor of the program's own may be blocked",
        );
    }
}

/// Like [`shut_down`]; waits while another thread changes the state.
#[cfg(unix)]
pub(super) fn shut_down_if_up() {
    if let Some(state) = AppState::wait_until_stable(Duration::MAX) {
        shut_down(state);
    }
}

/// How long a shutdown may take that starts now.
#[cfg(unix)]
pub(super) fn time_for_shutdown() -> Duration {
    AppState::flush_budget().unwrap_or_default().min(time_to_flush())
}

/// From now on a span is exported as soon as it ends.
#[cfg(unix)]
pub(super) fn export_at_once() {
    if let Some(state) = AppState::wait_until_stable(Duration::ZERO)
        && let AppState::Up(app) = &*state
    {
        app.pipeline.export_at_once();
    }
}
