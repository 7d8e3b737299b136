//! Flushes that the program asks for.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::state::State;
use crate::flushed::Flushed;
use crate::internal_threads;
use crate::span;

/// Exports the spans that have ended, now, and blocks the thread until they have arrived or are lost, or
/// until this time is over: [`flush_async`] does not block. [`Duration::MAX`] sets no limit. For moments
/// that the end of the program does not cover: before `exec`, or after each request of a function that is
/// frozen in between.
///
/// While it waits, batches that failed are tried again sooner than usual, at most half a second after the
/// last try. Spans that wait for a device ([`Device`](crate::Device)) may take up to half of the time, unless
/// this is called where devices are asked. Processors of the [`Config`](crate::Config) are told to flush too.
///
/// While telemetry is set up or shut down this waits for that; called where that waits for it, by
/// a processor or a device say, it has timed out at once. It knows of what is installed, or adopted,
/// and not of what [`testing`](crate::testing) records. A provider of the program's own is the
/// program's to flush, after this.
pub fn flush(timeout: Duration) -> Flushed {
    let since = Instant::now();
    let left = || timeout.saturating_sub(since.elapsed());
    let Some(state) = State::settled(timeout) else {
        return Flushed { timed_out: true, ..Flushed::default() };
    };
    let pipeline = if let State::Up(app) = &*state { Some(app.pipeline.clone()) } else { None };
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
