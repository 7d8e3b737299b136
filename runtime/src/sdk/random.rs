//! Traces whose id is random: the flags of their spans say so, after level 2 of W3C Trace Context.
//! The SDK does not say it of the traces that start here, and forgets it where a trace is not sampled.

use opentelemetry::Context;
#[cfg(feature = "app")]
use opentelemetry::trace::SpanId;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags};
#[cfg(feature = "app")]
use opentelemetry_sdk::trace::SpanData;

use crate::recorder::RANDOM;

/// The context of a span that started under this parent, where flags are missing in it; `root`: whether the
/// ids of traces that start here are random.
pub(crate) fn flagged(parent: &Context, span: &SpanContext, root: bool) -> Option<SpanContext> {
    let before = parent.span();
    let before = before.span_context();
    let random = if before.is_valid() { is_random(before) } else { root };
    (random && !is_random(span)).then(|| add_flags(span, RANDOM))
}

fn is_random(span: &SpanContext) -> bool {
    span.trace_flags() & RANDOM == RANDOM
}

#[cfg(feature = "app")]
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
