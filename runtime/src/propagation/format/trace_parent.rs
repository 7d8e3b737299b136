//! `traceparent`, of [W3C Trace Context](https://www.w3.org/TR/trace-context-2/#traceparent-header).

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId};

use super::ids;

/// As long is the part that all versions have in common.
const LENGTH: usize = 55;
/// The flags that level 2 knows: sampled and random.
const KNOWN: TraceFlags = TraceFlags::new(0x03);

pub(super) fn parse(text: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let (known, rest) = text.trim_matches([' ', '\t']).split_at_checked(LENGTH)?;
    let mut fields = known.split('-');
    let version = ids::byte(fields.next()?, 2)?;
    let trace_id = ids::trace_id(fields.next()?, 32)?;
    let span_id = ids::span_id(fields.next()?, 16)?;
    let flags = ids::byte(fields.next()?, 2)?;
    let ends = match version {
        0x00 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    ends.then_some((trace_id, span_id, TraceFlags::new(flags) & KNOWN))
}

pub(super) fn print(span: &SpanContext) -> String {
    let flags = span.trace_flags() & KNOWN;
    format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id())
}
