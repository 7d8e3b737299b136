//! Traces whose id is random: the flags of their spans say so, after level 2 of W3C Trace Context.
//! The SDK does not say it of the traces that start here, and forgets it where a trace is not sampled.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanContext, SpanId, Status, TraceContextExt, TraceFlags};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SpanData;

const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// The context with a span that started in it; `root`: whether the ids of traces that start here are
/// random.
pub(super) fn with_span<S>(parent: &Context, span: S, root: bool) -> Context
where
    S: Span + Send + Sync + 'static,
{
    let before = parent.span();
    let before = before.span_context();
    let random = if before.is_valid() { is_random(before) } else { root };
    let flagged =
        (random && !is_random(span.span_context())).then(|| add_flags(span.span_context(), RANDOM));
    if !span.is_recording() {
        // Nothing but its own context is of any use.
        let context = flagged.unwrap_or_else(|| span.span_context().clone());
        return parent.with_remote_span_context(context);
    }
    match flagged {
        Some(context) => parent.with_span(Random { span, context }),
        None => parent.with_span(span),
    }
}

fn is_random(span: &SpanContext) -> bool {
    span.trace_flags() & RANDOM == RANDOM
}

#[derive(Debug)]
struct Random<S> {
    span: S,
    context: SpanContext,
}

/// The same for what the SDK has recorded of the first span of a trace.
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

impl<S: Span> Span for Random<S> {
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
