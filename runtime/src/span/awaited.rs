//! Spans whose bodies have ended, and whose devices are still at work.

use std::panic::resume_unwind;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};

use super::panic::caught;
use crate::device::{Measurement, key};
use crate::recorder::{Known, nanos};

/// A moment, on the clock of spans and on the one that devices are asked by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    system: SystemTime,
    pub(super) instant: Instant,
}

impl Moment {
    /// This one, by the clock of the span in this context.
    pub(super) fn now(context: &Context) -> Self {
        let nanos = Known::of(context).map(|known| known.now());
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
pub(super) struct Awaited {
    pub(super) extent: Arc<Extent>,
    pub(super) context: Context,
    pub(super) began: Moment,
    /// When the body ended.
    pub(super) ended: Instant,
}

impl Awaited {
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
        let Self { extent, context, began, ended } = self;
        let span = context.span();
        span.set_attribute(KeyValue::new(key::TIMING, timing));
        span.set_attributes(measurement.into_iter().flat_map(Measurement::attributes));
        extent.settle(began.at(end.max(ended)));
    }
}

/// How long a span with a device lasts: as long as its own work, and as the spans with devices that
/// have ended under it. Those find it in their context.
#[derive(Debug)]
pub(super) struct Extent {
    trace: TraceId,
    state: Mutex<Lasting>,
    /// The process of those that are counted.
    process: u32,
    /// What takes its place in a child of `fork`, where nothing is left of those that were under it,
    /// and their thread may have held the lock.
    heir: OnceLock<Box<Self>>,
}

#[derive(Debug)]
struct Lasting {
    /// How many have yet to tell their end: the span itself, and those under it.
    open: usize,
    /// The latest end so far.
    end: SystemTime,
    departed: Option<Departed>,
}

/// A span whose body has ended.
#[derive(Debug)]
struct Departed {
    context: Context,
    parent: Option<Arc<Extent>>,
}

impl Extent {
    pub(super) fn of(context: &Context) -> Self {
        Self::of_trace(context.span().span_context().trace_id())
    }

    fn of_trace(trace: TraceId) -> Self {
        let state = Lasting { open: 1, end: SystemTime::UNIX_EPOCH, departed: None };
        let (process, heir) = (process::id(), OnceLock::new());
        Self { trace, state: Mutex::new(state), process, heir }
    }

    fn state(&self) -> MutexGuard<'_, Lasting> {
        let mut extent = self;
        while extent.process != process::id() {
            extent = extent.heir.get_or_init(|| Box::new(Self::of_trace(self.trace)));
        }
        extent.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body of the span has ended; from now on its parent waits for it, unless that has departed
    /// before.
    pub(super) fn leave(&self, context: Context) {
        let parent = context.get::<Arc<Self>>();
        let parent = parent.filter(|parent| parent.trace == self.trace && parent.take_in());
        let parent = parent.cloned();
        self.state().departed = Some(Departed { context, parent });
    }

    /// Waits for one more, unless its own body has ended; whether it does.
    fn take_in(&self) -> bool {
        let mut state = self.state();
        let waits = state.open > 0 && state.departed.is_none();
        state.open += usize::from(waits);
        waits
    }

    /// One of those that are waited for has come to its end; the last one ends the span.
    fn settle(&self, end: SystemTime) {
        let mut state = self.state();
        state.open -= 1;
        state.end = state.end.max(end);
        let end = state.end;
        let departed = if state.open == 0 { state.departed.take() } else { None };
        drop(state);
        if let Some(Departed { context, parent }) = departed {
            // What sees the span end may panic. That is none of its parent's affair.
            let ended = caught(|| match Known::of(&context) {
                Some(known) => known.place.end(Some(nanos(end))),
                None => context.span().end_with_timestamp(end),
            });
            if let Some(parent) = parent {
                parent.settle(end);
            }
            if let Err(payload) = ended {
                resume_unwind(payload);
            }
        }
    }
}

impl Drop for Extent {
    fn drop(&mut self) {
        if self.process != process::id() {
            // A span ends when it is dropped, and this one is not of this process.
            let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(state.departed.take());
        }
    }
}
