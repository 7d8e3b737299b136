//! Spans that last until a device has done the work that it was given in them.

use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};

use super::device_waiter::DeviceWaiter;
use super::panic::contained;
use super::pending_span::{Moment, PendingSpan, SpanEnd};
use crate::device::{Device, How, Timing, key};
use crate::lock::Unpoisoned;

/// The window over a device's work, of a span that is open.
pub(super) struct Window {
    span_end: Arc<SpanEnd>,
    /// The span's, as it was before it knew of the device.
    context: Context,
    device_waiter: DeviceWaiter,
    began: Moment,
    /// How long the device has held the thread up.
    wait: Duration,
    // Locked by nobody: it makes the span `Sync`, as it is without a device.
    state: Mutex<WindowState>,
}

enum WindowState {
    Open(Box<dyn FnOnce() -> Timing + Send>),
    /// Since then the device need only finish what it has.
    Closed(How, Instant),
}

impl Window {
    /// Opens a window for the span of this context, and hands out the context that tells the spans
    /// under it.
    pub(super) fn open<D: Device>(
        device: &D,
        context: &Context,
        device_waiter: DeviceWaiter,
    ) -> (Self, Context) {
        let began = Moment::now(context);
        let name = contained(|| device.name().into_owned());
        let close = match contained(|| device.start()) {
            Some(window) => closing(window, D::finish),
            None => Box::new(Timing::unmeasured),
        };
        let wait = began.instant.elapsed();
        if let Some(name) = name {
            context.span().set_attribute(KeyValue::new(key::NAME, name));
        }
        let span_end = Arc::new(SpanEnd::of(context));
        let window = Self {
            span_end: span_end.clone(),
            context: context.clone(),
            device_waiter,
            began,
            wait,
            state: Mutex::new(WindowState::Open(close)),
        };
        (window, context.with_value(span_end))
    }

    /// The body has come to its end: what the device is given from now on is none of the span's.
    pub(super) fn close(&mut self) {
        let state = self.state.get_mut().unpoisoned();
        let closed = |how| WindowState::Closed(how, Instant::now());
        match std::mem::replace(state, closed(How::Unmeasured)) {
            WindowState::Open(close) => {
                let since = Instant::now();
                let Timing(how) = contained(close).unwrap_or_else(Timing::unmeasured);
                self.wait += since.elapsed();
                *state = closed(how);
            }
            before @ WindowState::Closed(..) => *state = before,
        }
    }

    /// Ends the span, whose body ended when the window was closed: now, if that can be told, or when
    /// the device tells when its work was done.
    pub(super) fn end(mut self) {
        self.close();
        let Self { span_end, context, device_waiter, began, wait, state } = self;
        let state = state.into_inner().unpoisoned();
        let WindowState::Closed(how, ended) = state else { unreachable!("it is closed") };
        context.span().set_attribute(KeyValue::new(key::WAIT, wait.as_secs_f64()));
        span_end.end_body(context.clone());
        let pending = PendingSpan { span_end, context, began, ended };
        match how {
            How::Pending(resolve) => {
                if let Err(pending) = device_waiter.hand_over(pending, resolve) {
                    pending.unmeasured();
                }
            }
            How::Synchronized(measurement) => pending.synchronized(&measurement),
            How::Unmeasured => pending.unmeasured(),
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

impl Debug for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").field("span_end", &self.span_end).finish_non_exhaustive()
    }
}
