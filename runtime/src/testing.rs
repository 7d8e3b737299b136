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
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use opentelemetry::trace::{FutureExt, SpanContext, SpanId};
#[cfg(feature = "app")]
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
#[cfg(feature = "app")]
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use crate::context;
use crate::encoding::Limits;
use crate::lock::Unpoisoned;
#[cfg(feature = "app")]
use crate::recorder::new_pipeline;
use crate::recorder::{Batch, Exceptions, NativeRecorder, Outlet, Room};
#[cfg(feature = "app")]
use crate::sdk::Processor;
use crate::span::{ActiveRecorder, Recorder};
use crate::tree::Plain;
#[cfg(feature = "app")]
use crate::tree::{Capabilities, Drawing};

/// As long is waited for the devices of spans whose bodies have ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// Spans as text, as [`Recording`] shows them: names, attributes and outcomes, without times and ids. Spans are
/// indented below their parents; one whose parent is not among them starts a tree.
pub fn outline(spans: &[SpanData]) -> String {
    Plain(spans).to_string()
}

/// Spans of one trace as `OTEL_TRACES_EXPORTER=console` draws them, with times, and in colours if standard error is a
/// terminal. The spans are drawn in the order in which they are given: sort them by their start.
#[cfg(feature = "app")]
pub fn drawing(spans: &[SpanData]) -> String {
    Drawing { spans, capabilities: Capabilities::of_stderr() }.to_string()
}

/// The spans that ended while this closure ran, on this thread and wherever its context went. All
/// are sampled. Scopes are isolated: tests run in parallel, whatever is installed beside them. A
/// span that waits for a [`Device`](crate::Device) is waited for, ten seconds at most.
pub fn record<T>(body: impl FnOnce() -> T) -> Recording {
    TestScope::default().record(TestScope::recorder, body)
}

/// As [`record`], for a future.
pub async fn record_async<F: Future>(future: F) -> Recording {
    TestScope::default().record_async(TestScope::recorder, future).await
}

/// As [`record`], by OpenTelemetry's SDK: the tests of this library hold for both.
#[cfg(feature = "app")]
#[doc(hidden)]
pub fn record_by_sdk<T>(body: impl FnOnce() -> T) -> Recording {
    TestScope::default().record(TestScope::sdk, body)
}

/// As [`record_by_sdk`], for a future.
#[cfg(feature = "app")]
#[doc(hidden)]
pub async fn record_by_sdk_async<F: Future>(future: F) -> Recording {
    TestScope::default().record_async(TestScope::sdk, future).await
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
struct TestScope(Arc<Mutex<Spans>>);

#[derive(Debug, Default)]
struct Spans {
    started: Vec<SpanId>,
    finished: Vec<SpanData>,
}

impl TestScope {
    fn record<T>(
        self,
        recorder: fn(&Self) -> ActiveRecorder,
        body: impl FnOnce() -> T,
    ) -> Recording {
        let recorder = recorder(&self);
        let attached = context::attach(recorder.context());
        body();
        drop(attached);
        recorder.device_waiter().wait(PATIENCE);
        recorder.device_waiter().end_all();
        self.recording()
    }

    async fn record_async<F: Future>(
        self,
        recorder: fn(&Self) -> ActiveRecorder,
        future: F,
    ) -> Recording {
        let recorder = recorder(&self);
        future.with_context(recorder.context()).await;
        let until = Instant::now() + PATIENCE;
        // What the device waits for may be another task on this thread.
        while !recorder.device_waiter().wait(Duration::from_millis(1)) && Instant::now() < until {
            yield_now().await;
        }
        recorder.device_waiter().end_all();
        self.recording()
    }

    #[cfg(feature = "app")]
    fn sdk(&self) -> ActiveRecorder {
        let processor = Processor {
            outlet: Arc::new(self.clone()),
            pipeline: new_pipeline(),
            sink: None,
            limits: Limits::OF_TESTS,
            baggage: Vec::new(),
        };
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(Resource::builder_empty().build())
            .with_span_limits(Limits::OF_TESTS.into())
            .with_span_processor(processor)
            .build();
        Recorder::scoped_sdk(provider, Limits::OF_TESTS.into())
    }

    fn recorder(&self) -> ActiveRecorder {
        Recorder::scoped(NativeRecorder {
            pipeline: None,
            outlet: Arc::new(self.clone()),
            sampler: None,
            held_traces: None,
            limits: Limits::OF_TESTS,
            exceptions: Exceptions::EVENTS,
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
        self.0.lock().unpoisoned()
    }
}

impl Outlet for TestScope {
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
