//! [`uber-trace-id`](https://www.jaegertracing.io/docs/1.76/sdk-migration/#propagation-format), of
//! Jaeger's own clients.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId};

use super::ids;

pub(super) const NAME: &str = "uber-trace-id";

pub(super) fn parse(text: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    // Its clients encode the colons as in a URL.
    let text = text.replace("%3A", ":").replace("%3a", ":");
    let mut fields = text.split(':');
    let (trace_id, span_id, _parent) = (fields.next()?, fields.next()?, fields.next()?);
    let flags = fields.next()?;
    // Leading zeros may be left out.
    let flags = ids::byte(flags, flags.len().min(2))?;
    let trace_id = ids::trace_id(trace_id, trace_id.len().min(32))?;
    let span_id = ids::span_id(span_id, span_id.len().min(16))?;
    let sampled = TraceFlags::new(flags) & TraceFlags::SAMPLED;
    fields.next().is_none().then_some((trace_id, span_id, sampled))
}

pub(super) fn print(span: &SpanContext) -> String {
    let flags = span.trace_flags() & TraceFlags::SAMPLED;
    format!("{}:{}:0:{flags:x}", span.trace_id(), span.span_id())
}
