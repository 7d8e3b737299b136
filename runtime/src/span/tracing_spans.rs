//! Spans that libraries make with `tracing`, recorded where ours are.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanBuilder, SpanContext, Status, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace as sdk;

use super::recorder::{CurrentRecorder, Provider, Recorder};
use crate::recorder::{Handle, InstrumentedCrate, SpanScope};

/// Starts spans in the recorder of their context: the one that is installed then, not the one that
/// was there when the subscriber was made.
pub(crate) struct TracingTracer;

impl Tracer for TracingTracer {
    type Span = TracingSpan;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> TracingSpan {
        let span = Recorder::of(parent).and_then(|found| found.build(LIBRARY, builder, parent));
        span.unwrap_or_else(|| TracingSpan::Native(Handle::unrecorded(parent)))
    }
}

/// A span in a slot of ours, or the SDK's.
pub(crate) enum TracingSpan {
    Native(Handle),
    Sdk(sdk::Span),
}

macro_rules! either {
    ($either:expr, $span:ident => $call:expr) => {
        match $either {
            TracingSpan::Native($span) => $call,
            TracingSpan::Sdk($span) => $call,
        }
    };
}

impl Span for TracingSpan {
    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        either!(self, span => span.add_event_with_timestamp(name, time, attributes));
    }

    fn span_context(&self) -> &SpanContext {
        either!(self, span => span.span_context())
    }

    fn is_recording(&self) -> bool {
        either!(self, span => span.is_recording())
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        either!(self, span => span.set_attribute(attribute));
    }

    fn set_status(&mut self, status: Status) {
        either!(self, span => span.set_status(status));
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        either!(self, span => span.update_name(name));
    }

    fn add_link(&mut self, to: SpanContext, attributes: Vec<KeyValue>) {
        either!(self, span => span.add_link(to, attributes));
    }

    fn end(&mut self) {
        either!(self, span => span.end());
    }

    fn end_with_timestamp(&mut self, time: SystemTime) {
        either!(self, span => span.end_with_timestamp(time));
    }
}

/// Which version of `tracing` there is, nobody tells: the scope is this bridge.
const LIBRARY: InstrumentedCrate =
    InstrumentedCrate { name: env!("CARGO_PKG_NAME"), version: Some(env!("CARGO_PKG_VERSION")) };

impl CurrentRecorder {
    /// Starts a span of a library's; `None` where the program has set its own SDK up, and its own
    /// way for those.
    fn build(
        &self,
        library: InstrumentedCrate,
        builder: SpanBuilder,
        parent: &Context,
    ) -> Option<TracingSpan> {
        match &self.recorder().provider {
            Provider::Native(native) => {
                let scope = SpanScope::Of(library);
                Some(TracingSpan::Native(native.build(scope, builder, parent)))
            }
            Provider::Ours { .. } => {
                self.tracer(library).build(builder, parent).map(TracingSpan::Sdk)
            }
            Provider::Global { .. } => None,
        }
    }
}
