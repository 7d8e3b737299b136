//! Spans that last until a device has done the work that it was given in them.

use std::fmt::{self, Debug, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};

use super::open::Open;
use super::reaper::Reaper;
use crate::device::{Device, How, Measurement, Timing, key};

/// The window over a device's work, of a span that is open.
pub(super) struct Window {
    extent: Arc<Extent>,
    /// The span's, as it was before it knew of the device.
    context: Context,
    reaper: Reaper,
    began: Moment,
    /// How long the device has held the thread up.
    wait: Duration,
    // Locked by nobody: it makes the span `Sync`, as it is without a device.
    state: Mutex<State>,
}

enum State {
    Open(Box<dyn FnOnce() -> Timing + Send>),
    /// Since then the device need only finish what it has.
    Closed(How, SystemTime),
}

/// A moment, on the clock of spans and on the one that devices are asked by.
#[derive(Clone, Copy, Debug)]
struct Moment {
    system: SystemTime,
    instant: Instant,
}

impl Moment {
    fn now() -> Self {
        Self { system: SystemTime::now(), instant: Instant::now() }
    }

    fn at(self, instant: Instant) -> SystemTime {
        self.system + instant.saturating_duration_since(self.instant)
    }
}

impl Window {
    /// Opens a window for the span of this context, and hands out the context that tells the spans
    /// under it.
    pub(super) fn open<D: Device>(
        device: &D,
        context: &Context,
        reaper: Reaper,
    ) -> (Self, Context) {
        if let Some(name) = contained(|| device.name().into_owned()) {
            context.span().set_attribute(KeyValue::new(key::NAME, name));
        }
        let began = Moment::now();
        let close = match contained(|| device.start()) {
            Some(window) => closing(window, D::finish),
            None => Box::new(Timing::unmeasured),
        };
        let extent = Arc::new(Extent::of(context));
        let window = Self {
            extent: extent.clone(),
            context: context.clone(),
            reaper,
            began,
            wait: began.instant.elapsed(),
            state: Mutex::new(State::Open(close)),
        };
        (window, context.with_value(extent))
    }

    /// The body has come to its end: what the device is given from now on is none of the span's.
    pub(super) fn close(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let closed = |how| State::Closed(how, SystemTime::now());
        match std::mem::replace(state, closed(How::Unmeasured)) {
            State::Open(close) => {
                let since = Instant::now();
                let Timing(how) = contained(close).unwrap_or_else(Timing::unmeasured);
                self.wait += since.elapsed();
                *state = closed(how);
            }
            before @ State::Closed(..) => *state = before,
        }
    }

    /// Ends the span, whose body ended `at` this time: now, if that can be told, or when the device
    /// tells when its work was done.
    pub(super) fn end(mut self, open: Option<Open>, at: Option<SystemTime>) {
        self.close();
        let Self { extent, context, reaper, began, wait, state } = self;
        let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State::Closed(how, closed) = state else { unreachable!("it is closed") };
        context.span().set_attribute(KeyValue::new(key::WAIT, wait.as_secs_f64()));
        extent.leave(context.clone(), open);
        let awaited = Awaited { extent, context, began, ended: at.unwrap_or(closed) };
        match how {
            How::Pending(resolve) => {
                if let Err(awaited) = reaper.hand_over(awaited, resolve) {
                    awaited.unmeasured();
                }
            }
            How::Synchronized(measurement) => awaited.synchronized(&measurement),
            How::Unmeasured => awaited.unmeasured(),
        }
    }
}

/// Generic over the window alone: the device need not live as long as that.
fn closing<W: Send + 'static>(
    window: W,
    finish: fn(W) -> Timing,
) -> Box<dyn FnOnce() -> Timing + Send> {
    Box::new(move || finish(window))
}

/// What a device's code comes to, unless it panics: that is told by the panic hook, and is not the
/// program's failure.
pub(super) fn contained<T>(body: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(body)).ok()
}

impl Debug for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").field("extent", &self.extent).finish_non_exhaustive()
    }
}

/// A span whose body has ended, and that ends when a device has told when its work was done.
#[derive(Debug)]
pub(super) struct Awaited {
    extent: Arc<Extent>,
    context: Context,
    began: Moment,
    /// When the body ended.
    ended: SystemTime,
}

impl Awaited {
    /// Ends the span with what the device tells now.
    pub(super) fn resolved(self, measurement: Option<&Measurement>) {
        let Some(measurement) = measurement else { return self.unmeasured() };
        let now = Instant::now();
        let end = measurement.end.map_or(now, |end| end.min(now));
        let end = self.began.at(end);
        self.end("events", Some(measurement), end);
    }

    fn synchronized(self, measurement: &Measurement) {
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
        self.end("unmeasured", None, SystemTime::now());
    }

    fn end(self, timing: &'static str, measurement: Option<&Measurement>, end: SystemTime) {
        let Self { extent, context, ended, .. } = self;
        let span = context.span();
        span.set_attribute(KeyValue::new(key::TIMING, timing));
        span.set_attributes(measurement.into_iter().flat_map(Measurement::attributes));
        extent.settle(end.max(ended));
    }
}

/// How long a span with a device lasts: as long as its own work, and as the spans with devices that
/// have ended under it. Those find it in their context.
#[derive(Debug)]
pub(super) struct Extent {
    trace: TraceId,
    state: Mutex<Lasting>,
}

#[derive(Debug)]
struct Lasting {
    /// How many have yet to tell their end: the span itself, and those under it.
    open: usize,
    /// The latest end so far.
    end: SystemTime,
    left: Option<Left>,
}

/// A span whose body has ended.
#[derive(Debug)]
struct Left {
    context: Context,
    parent: Option<Arc<Extent>>,
    _open: Option<Open>,
}

impl Extent {
    fn of(context: &Context) -> Self {
        let state = Lasting { open: 1, end: SystemTime::UNIX_EPOCH, left: None };
        Self { trace: trace(context), state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Lasting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body of the span has ended; from now on its parent waits for it, unless that has left
    /// before.
    fn leave(&self, context: Context, open: Option<Open>) {
        let parent = context.get::<Arc<Self>>();
        let parent = parent.filter(|parent| parent.trace == self.trace && parent.waits()).cloned();
        self.state().left = Some(Left { context, parent, _open: open });
    }

    /// Whether one more is waited for: those whose bodies end before its own.
    fn waits(&self) -> bool {
        let mut state = self.state();
        let waits = state.open > 0 && state.left.is_none();
        state.open += usize::from(waits);
        waits
    }

    /// One of those that are waited for has come to its end; the last one ends the span.
    fn settle(&self, end: SystemTime) {
        let mut state = self.state();
        state.open -= 1;
        state.end = state.end.max(end);
        let end = state.end;
        let left = if state.open == 0 { state.left.take() } else { None };
        drop(state);
        if let Some(Left { context, parent, _open }) = left {
            context.span().end_with_timestamp(end);
            if let Some(parent) = parent {
                parent.settle(end);
            }
        }
    }
}

fn trace(context: &Context) -> TraceId {
    context.span().span_context().trace_id()
}
