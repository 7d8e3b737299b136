//! What a format finds in a carrier.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use crate::context::CallerDecision;

/// What a format found in a carrier, over another context.
pub(in crate::propagation) enum Extracted {
    /// A remote span, which is active in this context.
    Trace(Context),
    /// Something beside a trace; the active span is still the other context's.
    Beside(Context),
    Nothing,
}

/// The context under a span whose flags say all that the caller has decided.
pub(super) fn under(context: &Context, span: SpanContext) -> Context {
    CallerDecision::InFlags.put_into(context).with_remote_span_context(span)
}
