//! Anybody's exporter. It tries again itself, as the specification has it.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::task::Poll;
use std::time::Duration;

use futures_executor::block_on;
use opentelemetry::Context;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanData;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{Answer, Exporter};
use crate::clean::line;
use crate::config::{Custom, Exported};
use crate::internal_threads;
use crate::lock::Unpoisoned;
use crate::recorder::Batch;

/// The thread on which a program's exporter works. Its futures run inside the context of the worker's async
/// runtime, so that they find a reactor and timers, but not as tasks of it: exporters that block, and those
/// that start and drop a runtime of their own (`reqwest`'s blocking client does), may do so there.
pub(crate) struct CustomExporter(mpsc::Sender<Job>);

/// What the thread does next.
enum Job {
    /// Export these spans, unless their delivery was given up: then they are gone.
    Export {
        spans: Weak<Mutex<Vec<SpanData>>>,
        answer: oneshot::Sender<Answer>,
        wanted: oneshot::Receiver<()>,
    },
    ShutDown {
        timeout: Duration,
        done: oneshot::Sender<()>,
    },
}

impl CustomExporter {
    /// Starts the thread. To be called inside the runtime.
    pub(crate) fn start(exporter: Custom) -> Result<Self, String> {
        let (jobs, received) = mpsc::channel::<Job>();
        let runtime = Handle::current();
        internal_threads::spawn("spandrel-exporter", move || {
            internal_threads::mark_exporter();
            let _inside = runtime.enter();
            // What the exporter's own libraries do is not to be traced.
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            for job in received {
                internal_threads::run_user_code(|| job.run(&exporter));
            }
        })
        .map_err(|error| format!("no thread can be started for the exporter: {error}"))?;
        Ok(Self(jobs))
    }
}

impl Job {
    fn run(self, exporter: &Custom) {
        let exporter = exporter.get();
        match self {
            Self::Export { spans, answer, wanted } => {
                let Some(spans) = spans.upgrade().filter(|_| !answer.is_closed()) else { return };
                let spans = std::mem::take(&mut *spans.lock().unpoisoned());
                let result = catch_unwind(AssertUnwindSafe(|| {
                    block_on(unless_abandoned(exporter.export_boxed(spans), wanted))
                }));
                let outcome = match result {
                    Ok(Some(Ok(()))) => Answer::TAKEN,
                    Ok(Some(Err(OTelSdkError::InternalFailure(why)))) => {
                        Answer::Refused(line(&why))
                    }
                    Ok(Some(Err(error))) => Answer::Refused(line(&error.to_string())),
                    Ok(None) => return,
                    Err(_) => Answer::Refused("the exporter panicked".to_owned()),
                };
                let _ = answer.send(outcome);
            }
            Self::ShutDown { timeout, done } => {
                let _ = catch_unwind(AssertUnwindSafe(|| exporter.shut_down_within(timeout)));
                let _ = done.send(());
            }
        }
    }
}

/// The result of the export; `None` if its delivery is given up first.
async fn unless_abandoned(
    mut export: Exported<'_>,
    mut wanted: oneshot::Receiver<()>,
) -> Option<OTelSdkResult> {
    poll_fn(|task| {
        if Pin::new(&mut wanted).poll(task).is_ready() {
            return Poll::Ready(None);
        }
        export.as_mut().poll(task).map(Some)
    })
    .await
}

impl Exporter for CustomExporter {
    /// The specification promises exporters that.
    const AT_ONCE: usize = 1;

    type Request = Arc<Mutex<Vec<SpanData>>>;

    fn encode(&self, batch: &Batch) -> Result<Self::Request, String> {
        Ok(Arc::new(Mutex::new(batch.decode().collect())))
    }

    async fn send(&self, request: &Self::Request) -> Answer {
        let spans = Arc::downgrade(request);
        let (answer, answered) = oneshot::channel();
        // Dropped with this future, when its time is over.
        let (_waits, wanted) = oneshot::channel();
        let sent = self.0.send(Job::Export { spans, answer, wanted });
        let gone = || Answer::Refused("the exporter's thread has ended".to_owned());
        match sent {
            Ok(()) => answered.await.unwrap_or_else(|_| gone()),
            Err(_) => gone(),
        }
    }

    async fn shut_down(&self, timeout: Duration) {
        let (done, is_done) = oneshot::channel();
        if self.0.send(Job::ShutDown { timeout, done }).is_ok() {
            // What it says of its end changes nothing any more.
            let _ = tokio::time::timeout(timeout, is_done).await;
        }
    }
}
