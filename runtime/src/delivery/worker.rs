//! The thread that exports: several requests at a time, none when there is nothing to send.

use std::future::pending;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use opentelemetry::Context;
use tokio::runtime;
use tokio::task::JoinSet;

use super::attempts::Delivery;
use super::queue::Queue;
use super::queue_state::Next;
use crate::exporter::{Connect, Exporter};
use crate::internal_threads;
use crate::recorder;

/// Starts the thread; or says why there is none.
pub(super) fn spawn<E: Exporter>(
    pipeline: usize,
    queue: Arc<Queue>,
    connect: Connect<E>,
) -> Result<(), String> {
    let (started, outcome) = mpsc::channel();
    let thread = internal_threads::spawn("spandrel-export", move || {
        let _finish = Finish(&queue);
        // What the exporter's own libraries do is not to be traced.
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let why = format!("no descriptors for an async runtime: {error}");
                return started.send(Err(why)).unwrap_or_default();
            }
        };
        let inside = runtime.enter();
        let exporter = match connect() {
            Ok(exporter) => Arc::new(exporter),
            Err(why) => return started.send(Err(why)).unwrap_or_default(),
        };
        drop(inside);
        let _ = started.send(Ok(()));
        runtime.block_on(work(pipeline, &queue, &exporter));
        queue.finish();
        // A name that is looked up is not waited for.
        runtime.shutdown_background();
    });
    match thread {
        Ok(()) => outcome.recv().unwrap_or_else(|error| Err(error.to_string())),
        Err(error) => Err(format!("no thread can be started: {error}")),
    }
}

/// Whatever becomes of the thread, nobody waits for it in vain.
struct Finish<'a>(&'a Queue);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Until the queue is closed, and empty or at its deadline.
async fn work<E: Exporter>(pipeline: usize, queue: &Arc<Queue>, exporter: &Arc<E>) {
    let mut deliveries = JoinSet::new();
    loop {
        if queue.wants_buffers() {
            recorder::collect(pipeline);
            queue.export_waiting();
        }
        let Next { batch, due, is_empty, deadline, done } =
            queue.next(deliveries.len() < E::AT_ONCE);
        if let Some((first, batch)) = batch {
            let retry_now = queue.wakeups.retry_now.subscribe();
            deliveries
                .spawn(Delivery::new(queue.clone(), exporter.clone(), first, retry_now).of(batch));
            continue;
        }
        queue.losses.report_overflow(is_empty);
        if done {
            break;
        }
        tokio::select! {
            () = queue.wakeups.work.notified() => {}
            Some(_) = deliveries.join_next() => {}
            () = until(due) => {}
            () = until(deadline) => break,
        }
    }
    deliveries.shutdown().await;
    let deadline = queue.deadline().unwrap_or_else(Instant::now);
    exporter.shut_down(deadline.saturating_duration_since(Instant::now())).await;
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => pending().await,
    }
}
