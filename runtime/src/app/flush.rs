//! Flushes that the program asks for.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::state::AppState;
use crate::flushed::Flushed;
use crate::internal_threads;
use crate::span;

/// Exports all ended spans, and blocks the thread until they are exported or lost, or until `timeout` has passed;
/// [`flush_async`] does not block. [`Duration::MAX`] sets no limit. Call it where the shutdown does not flush:
/// before `exec`, or after each request of a function that is frozen between requests.
///
/// While a flush waits, the exporter retries failed batches after at most half a second, unless the collector
/// asked for a longer delay. Spans that wait for a device ([`Device`](crate::Device)) may take up to half of the
/// time, unless a device calls `flush`. Processors of the [`Config`](crate::Config) are flushed too.
///
/// If another thread is setting up or shutting down telemetry, `flush` waits for that thread. If a span processor
/// or a device calls `flush` then, it returns `timed_out` at once, because the shutdown waits for that code. So it
/// does whenever the program's own exporter calls `flush`, because each flush waits for the exporter. `flush` does
/// not cover spans that [`testing`](crate::testing) records. If the program has a provider of its own, flush
/// that provider afterwards.
pub fn flush(timeout: Duration) -> Flushed {
    let since = Instant::now();
    let left = || timeout.saturating_sub(since.elapsed());
    let timed_out = Flushed { timed_out: true, ..Flushed::default() };
    if internal_threads::is_exporter() {
        return timed_out;
    }
    let Some(state) = AppState::wait_until_stable(timeout) else { return timed_out };
    let pipeline = if let AppState::Up(app) = &*state { Some(app.pipeline.clone()) } else { None };
    drop(state);
    let measured = span::await_devices(left() / 2);
    let flushed = pipeline.as_ref().is_none_or(|pipeline| pipeline.flush(left()));
    let lost = pipeline.map_or(0, |pipeline| pipeline.take_losses());
    Flushed { lost, timed_out: !(measured && flushed) }
}

/// As [`flush`], without blocking the thread: a thread of the library's waits. On any async runtime. The
/// flush starts when the future is first polled, and goes on if the future is dropped.
pub async fn flush_async(timeout: Duration) -> Flushed {
    let (done, flushed) = oneshot::channel();
    let spawned = internal_threads::spawn("spandrel-flush", move || {
        let _ = done.send(flush(timeout));
    });
    match spawned {
        Ok(()) => flushed.await.unwrap_or(Flushed { lost: 0, timed_out: true }),
        // Without a thread, the caller's must do.
        Err(_) => flush(timeout),
    }
}
