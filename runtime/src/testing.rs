//! What a test needs: the spans of a piece of code, as text.
//!
//! ```
//! use spandrel::{span, testing};
//!
//! #[span("greet", "name" = name)]
//! fn greet(name: &str) -> String {
//!     format!("hello, {name}")
//! }
//!
//! let recording = testing::record(|| greet("you"));
//! assert_eq!(recording.to_string(), "greet name=\"you\"\n");
//! ```

use std::fmt::{self, Display, Formatter};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use opentelemetry::trace::{FutureExt, SpanContext, SpanId};
use opentelemetry_sdk::trace::SpanData;

use crate::context;
use crate::recorder::{Batch, Limits, Native, Outlet, Room};
use crate::span::{Counted, Recorder};
use crate::tree::Plain;

/// As long is waited for the devices of spans whose bodies have ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// The spans that ended while this closure ran, on this thread and wherever its context went. All
/// are sampled. Scopes are isolated: tests run in parallel, whatever is installed beside them. A
/// span that waits for a [`Device`](crate::Device) is waited for, ten seconds at most.
pub fn record<T>(body: impl FnOnce() -> T) -> Recording {
    let scope = Scope::default();
    let recorder = scope.recorder();
    let attached = context::attach(recorder.context());
    body();
    drop(attached);
    recorder.reaper().wait(PATIENCE);
    recorder.reaper().end_all();
    scope.recording()
}

/// As [`record`], for a future.
pub async fn record_async<F: Future>(future: F) -> Recording {
    let scope = Scope::default();
    let recorder = scope.recorder();
    future.with_context(recorder.context()).await;
    let until = Instant::now() + PATIENCE;
    // What the device waits for may be another task on this thread.
    while !recorder.reaper().wait(Duration::from_millis(1)) && Instant::now() < until {
        yield_now().await;
    }
    recorder.reaper().end_all();
    scope.recording()
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|task| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Finished spans, in the order they started. As text they are a tree, without times and ids: one
/// span a line with its kind where that is not `internal`, its attributes (what was measured of a
/// device left out) and, after `✗`, its error; below it `•` and its events.
#[derive(Clone, Debug)]
pub struct Recording(Vec<SpanData>);

impl Recording {
    /// The spans with all that was recorded.
    pub fn spans(&self) -> &[SpanData] {
        &self.0
    }
}

impl Display for Recording {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Plain(&self.0).fmt(f)
    }
}

#[derive(Clone, Debug, Default)]
struct Scope(Arc<Mutex<Spans>>);

#[derive(Debug, Default)]
struct Spans {
    started: Vec<SpanId>,
    finished: Vec<SpanData>,
}

impl Scope {
    fn recorder(&self) -> Counted {
        Recorder::scoped(Native {
            pipeline: None,
            outlet: Arc::new(self.clone()),
            sampler: None,
            limits: Limits::OF_TESTS,
            baggage: Vec::new(),
        })
    }

    fn recording(&self) -> Recording {
        let Spans { started, finished } = &mut *self.lock();
        let mut spans = std::mem::take(finished);
        spans.sort_by_key(|span| started.iter().position(|id| *id == span.span_context.span_id()));
        Recording(spans)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Spans> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for Scope {
    fn spans_at_once(&self) -> usize {
        1
    }

    fn expect(&self, span: &SpanContext) {
        self.lock().started.push(span.span_id());
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        Some(lacking)
    }

    fn release(&self, _room: Room) {}

    fn take(&self, batch: Batch) {
        self.lock().finished.extend(batch.decode());
    }
}
