//! Spans that last until a device has done the work that it was given in them.

use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};

use super::awaited::{Awaited, Extent, Moment};
use super::panic::contained;
use super::reaper::Reaper;
use crate::device::{Device, How, Timing, key};

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
    Closed(How, Instant),
}

impl Window {
    /// Opens a window for the span of this context, and hands out the context that tells the spans
    /// under it.
    pub(super) fn open<D: Device>(
        device: &D,
        context: &Context,
        reaper: Reaper,
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
        let extent = Arc::new(Extent::of(context));
        let window = Self {
            extent: extent.clone(),
            context: context.clone(),
            reaper,
            began,
            wait,
            state: Mutex::new(State::Open(close)),
        };
        (window, context.with_value(extent))
    }

    /// The body has come to its end: what the device is given from now on is none of the span's.
    pub(super) fn close(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let closed = |how| State::Closed(how, Instant::now());
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

    /// Ends the span, whose body ended when the window was closed: now, if that can be told, or when
    /// the device tells when its work was done.
    pub(super) fn end(mut self) {
        self.close();
        let Self { extent, context, reaper, began, wait, state } = self;
        let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State::Closed(how, ended) = state else { unreachable!("it is closed") };
        context.span().set_attribute(KeyValue::new(key::WAIT, wait.as_secs_f64()));
        extent.leave(context.clone());
        let awaited = Awaited { extent, context, began, ended };
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

impl Debug for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").field("extent", &self.extent).finish_non_exhaustive()
    }
}
