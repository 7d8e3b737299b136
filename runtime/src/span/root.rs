//! The first span of a trace, whose id is random: its flags say so, after level 2 of W3C Trace
//! Context, and its children's with them. The SDK has no way to say it.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, SpanContext, SpanId, Status, TraceFlags};
use opentelemetry_sdk::trace::SpanData;

const RANDOM: TraceFlags = TraceFlags::new(0x02);

#[derive(Debug)]
pub(super) struct Root<S> {
    span: S,
    context: SpanContext,
}

impl<S: Span> Root<S> {
    pub(super) fn new(span: S) -> Self {
        let context = add_flags(span.span_context(), RANDOM);
        Self { span, context }
    }
}

/// The same for what the SDK has recorded of it.
pub(crate) fn flag_root(span: &mut SpanData) {
    if span.parent_span_id == SpanId::INVALID {
        span.span_context = add_flags(&span.span_context, RANDOM);
    }
}

pub(crate) fn add_flags(span: &SpanContext, flags: TraceFlags) -> SpanContext {
    SpanContext::new(
        span.trace_id(),
        span.span_id(),
        span.trace_flags() | flags,
        span.is_remote(),
        span.trace_state().clone(),
    )
}

impl<S: Span> Span for Root<S> {
    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        self.span.add_event_with_timestamp(name, time, attributes);
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.span.is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.span.set_attribute(attribute);
    }

    fn set_status(&mut self, status: Status) {
        self.span.set_status(status);
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        self.span.update_name(name);
    }

    fn add_link(&mut self, span: SpanContext, attributes: Vec<KeyValue>) {
        self.span.add_link(span, attributes);
    }

    fn end_with_timestamp(&mut self, time: SystemTime) {
        self.span.end_with_timestamp(time);
    }
}
