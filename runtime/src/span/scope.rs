//! A started span, and the ways to make it current.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::panicking;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanId, TraceContextExt};

use super::callsite::Callsite;
use super::open::{self, Open};
use super::panic::Panic;
use super::recorder::Recorder;
use super::{SpanFuture, SpanGuard, exception};
use crate::attribute::Attributes;
use crate::outcome::Failure;

/// A span that has started. It is current while what it is given runs, and ends with it.
///
/// Where nothing records it is nothing: running a body in it costs a branch.
#[derive(Debug)]
#[must_use = "a span that runs nothing ends at once"]
pub struct Span {
    /// What becomes current; `None` leaves the context alone.
    pub(super) context: Option<Context>,
    recording: Option<Recording>,
}

#[derive(Debug)]
struct Recording {
    parent: SpanId,
    /// Whether the thread was unwinding before the span started: that panic is not ours.
    was_panicking: bool,
    /// The entry among the spans to end at shutdown.
    _open: Option<Open>,
}

impl Span {
    const OFF: Self = Self { context: None, recording: None };

    /// No span of its own: what runs in it continues this context.
    pub fn continued(context: Context) -> Self {
        Self { context: Some(context), recording: None }
    }

    #[inline]
    pub(super) fn start(
        callsite: &'static Callsite,
        attributes: impl FnOnce(&mut Attributes),
    ) -> Self {
        if !Recorder::any() {
            return Self::OFF;
        }
        let parent = Context::current();
        Self::record(callsite, &parent, attributes).unwrap_or(Self::OFF)
    }

    pub(super) fn start_under(
        callsite: &'static Callsite,
        parent: Context,
        attributes: impl FnOnce(&mut Attributes),
    ) -> Self {
        Recorder::any()
            .then(|| Self::record(callsite, &parent, attributes))
            .flatten()
            .unwrap_or_else(|| Self::continued(parent))
    }

    fn record(
        callsite: &'static Callsite,
        parent: &Context,
        attributes: impl FnOnce(&mut Attributes),
    ) -> Option<Self> {
        let parent_span = parent.span();
        let parent_id = parent_span.span_context();
        let unsampled = parent_id.is_valid() && !parent_id.is_remote() && !parent_id.is_sampled();
        if unsampled && !parent_span.is_recording() {
            return None;
        }
        let (recorder, installed) = Recorder::of(parent)?;
        let mut span = recorder.start(callsite, parent);
        let records = span.is_recording();
        if records {
            let mut list = Attributes::default();
            attributes(&mut list);
            span.set_attributes(list.into_vec());
        }
        let context = parent.with_span(span);
        let recording = records.then(|| Recording {
            parent: parent_id.span_id(),
            was_panicking: panicking(),
            _open: installed.then(|| open::add(context.clone())),
        });
        Some(Self { context: Some(context), recording })
    }

    /// Runs a body in the span, which ends when the body returns or panics. `outcome` looks at the
    /// result and says whether it is a failure.
    #[inline]
    pub fn run<T>(
        mut self,
        body: impl FnOnce() -> T,
        outcome: impl for<'a> FnOnce(&'a T) -> Option<Failure<'a>>,
    ) -> T {
        let value = self.within(body);
        if self.records() {
            self.finish(outcome(&value).as_ref());
        }
        value
    }

    /// The future in this span, which is current during each poll, and ends when the future is
    /// ready or dropped.
    pub fn follow<F, O>(self, future: F, outcome: O) -> SpanFuture<F, O>
    where
        F: Future,
        O: for<'a> FnOnce(&'a F::Output) -> Option<Failure<'a>>,
    {
        SpanFuture::new(future, self, outcome)
    }

    /// Like [`follow`](Self::follow), for the future that this body makes inside the span.
    pub fn follow_from<F, O>(mut self, body: impl FnOnce() -> F, outcome: O) -> SpanFuture<F, O>
    where
        F: Future,
        O: for<'a> FnOnce(&'a F::Output) -> Option<Failure<'a>>,
    {
        let future = self.within(body);
        self.follow(future, outcome)
    }

    /// Makes the span current until the guard is dropped, which ends it.
    pub fn enter(self) -> SpanGuard {
        SpanGuard::new(self)
    }

    /// Runs something while the span is current; a panic ends the span and goes on.
    #[inline]
    pub(super) fn within<T>(&mut self, body: impl FnOnce() -> T) -> T {
        let Some(context) = &self.context else {
            return body();
        };
        let attached = context.clone().attach();
        if !self.records() {
            return body();
        }
        catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
            drop(attached);
            self.finish_by(&Panic::caught(&*payload));
            resume_unwind(payload)
        })
    }

    pub(super) fn records(&self) -> bool {
        self.recording.is_some()
    }

    /// Ends the span by the value that its body came to.
    pub(super) fn finish(&mut self, failure: Option<&Failure<'_>>) {
        self.end(|context, recording| {
            if let Some(failure) = failure {
                exception::record(context, recording.parent, failure);
            }
        });
    }

    fn finish_by(&mut self, panic: &Panic) {
        self.end(|context, recording| exception::record_panic(context, recording.parent, panic));
    }

    /// Ends the span of a future that was dropped before it was ready.
    pub(super) fn finish_cancelled(&mut self) {
        self.end(|context, _| {
            context.span().set_attribute(opentelemetry::KeyValue::new("spandrel.cancelled", true));
        });
    }

    fn end(&mut self, last: impl FnOnce(&Context, &Recording)) {
        if let (Some(context), Some(recording)) = (&self.context, self.recording.take()) {
            last(context, &recording);
            context.span().end();
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        match &self.recording {
            Some(recording) if panicking() && !recording.was_panicking => {
                self.finish_by(&Panic::unwinding());
            }
            _ => self.finish(None),
        }
    }
}
