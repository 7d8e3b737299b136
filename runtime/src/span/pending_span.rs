//! Spans whose bodies have ended, and whose devices are still at work.

use std::panic::resume_unwind;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};

use super::panic::caught;
use crate::device::{Measurement, key};
use crate::lock::Unpoisoned;
use crate::recorder::{KnownSpan, nanos};

/// A moment, on the clock of spans and on the one that devices are asked by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    system: SystemTime,
    pub(super) instant: Instant,
}

impl Moment {
    /// This one, by the clock of the span in this context.
    pub(super) fn now(context: &Context) -> Self {
        let nanos = KnownSpan::of(context).map(|known| known.now());
        let system =
            nanos.map_or_else(SystemTime::now, |nanos| UNIX_EPOCH + Duration::from_nanos(nanos));
        Self { system, instant: Instant::now() }
    }

    /// What the clock of spans would have said then, had nobody set it since.
    fn at(self, instant: Instant) -> SystemTime {
        self.system + instant.saturating_duration_since(self.instant)
    }
}

/// A span whose body has ended, and that ends when a device has told when its work was done.
#[derive(Debug)]
pub(super) struct PendingSpan {
    pub(super) span_end: Arc<SpanEnd>,
    pub(super) context: Context,
    pub(super) began: Moment,
    /// When the body ended.
    pub(super) ended: Instant,
}

impl PendingSpan {
    /// Ends the span with what the device tells now.
    pub(super) fn resolved(self, measurement: Option<&Measurement>) {
        let Some(measurement) = measurement else { return self.unmeasured() };
        let now = Instant::now();
        let lasted = || self.began.instant.checked_add(measurement.time?);
        let end = measurement.end.or_else(lasted).map_or(now, |end| end.min(now));
        self.end("events", Some(measurement), end);
    }

    pub(super) fn synchronized(self, measurement: &Measurement) {
        let end = self.ended;
        self.end("synchronized", Some(measurement), end);
    }

    pub(super) fn unmeasured(self) {
        let end = self.ended;
        self.end("unmeasured", None, end);
    }

    /// Ends the span, whose device is still at work: the program must stop.
    pub(super) fn interrupted(self) {
        self.context.span().set_attribute(KeyValue::new("spandrel.interrupted", true));
        self.end("unmeasured", None, Instant::now());
    }

    fn end(self, timing: &'static str, measurement: Option<&Measurement>, end: Instant) {
        let Self { span_end, context, began, ended } = self;
        let span = context.span();
        span.set_attribute(KeyValue::new(key::TIMING, timing));
        span.set_attributes(measurement.into_iter().flat_map(Measurement::attributes));
        span_end.report_end(began.at(end.max(ended)));
    }
}

/// How long a span with a device lasts: as long as its own work, and as the spans with devices that
/// have ended under it. Those find it in their context.
#[derive(Debug)]
pub(super) struct SpanEnd {
    trace: TraceId,
    state: Mutex<EndState>,
    /// The process of those that are counted.
    process: u32,
    /// What takes its slot in a child of `fork`, where nothing is left of those that were under it,
    /// and their thread may have held the lock.
    child: OnceLock<Box<Self>>,
}

#[derive(Debug)]
struct EndState {
    /// How many have yet to tell their end: the span itself, and those under it.
    open: usize,
    /// The latest end so far.
    end: SystemTime,
    ended_body: Option<EndedBody>,
}

/// A span whose body has ended.
#[derive(Debug)]
struct EndedBody {
    context: Context,
    parent: Option<Arc<SpanEnd>>,
}

impl SpanEnd {
    pub(super) fn of(context: &Context) -> Self {
        Self::of_trace(context.span().span_context().trace_id())
    }

    fn of_trace(trace: TraceId) -> Self {
        let state = EndState { open: 1, end: SystemTime::UNIX_EPOCH, ended_body: None };
        let (process, child) = (process::id(), OnceLock::new());
        Self { trace, state: Mutex::new(state), process, child }
    }

    fn state(&self) -> MutexGuard<'_, EndState> {
        let mut span_end = self;
        while span_end.process != process::id() {
            span_end = span_end.child.get_or_init(|| Box::new(Self::of_trace(self.trace)));
        }
        span_end.state.lock().unpoisoned()
    }

    /// The body of the span has ended. The parent waits for this span from now on, unless the body of the
    /// parent ended before.
    pub(super) fn end_body(&self, context: Context) {
        let parent = context.get::<Arc<Self>>();
        let parent = parent.filter(|parent| parent.trace == self.trace && parent.add_child());
        let parent = parent.cloned();
        self.state().ended_body = Some(EndedBody { context, parent });
    }

    /// Waits for one more, unless its own body has ended; whether it does.
    fn add_child(&self) -> bool {
        let mut state = self.state();
        let waits = state.open > 0 && state.ended_body.is_none();
        state.open += usize::from(waits);
        waits
    }

    /// One of those that are waited for has come to its end; the last one ends the span.
    fn report_end(&self, end: SystemTime) {
        let mut state = self.state();
        state.open -= 1;
        state.end = state.end.max(end);
        let end = state.end;
        let ended_body = if state.open == 0 { state.ended_body.take() } else { None };
        drop(state);
        if let Some(EndedBody { context, parent }) = ended_body {
            // What sees the span end may panic. That is none of its parent's affair.
            let ended = caught(|| match KnownSpan::of(&context) {
                Some(known) => known.slot.end(Some(nanos(end))),
                None => context.span().end_with_timestamp(end),
            });
            if let Some(parent) = parent {
                parent.report_end(end);
            }
            if let Err(payload) = ended {
                resume_unwind(payload);
            }
        }
    }
}

impl Drop for SpanEnd {
    fn drop(&mut self) {
        if self.process != process::id() {
            // A span ends when it is dropped, and this one is not of this process.
            let state = self.state.get_mut().unpoisoned();
            std::mem::forget(state.ended_body.take());
        }
    }
}
