//! What a caller says about sampling that the flags of its span cannot say.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceId};

/// A value in a context. Propagators put it there and the sampler reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallerDecision {
    /// Nothing but the flags of the active span. It hides the value of an outer context.
    InFlags,
    /// The caller's span came without a decision: this service decides, as it does for a root.
    Deferred(TraceId, SpanId),
    /// The caller wants every service to sample this trace.
    Debug(TraceId),
    /// The decision came without a span. It holds for the trace that starts in this context.
    ForNewTrace(NewTrace),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NewTrace {
    NotSampled,
    Sampled,
    /// Sampled, and every service that follows shall sample it as well.
    Debug,
}

impl CallerDecision {
    /// The context with this value in it.
    pub(crate) fn put_into(self, context: &Context) -> Context {
        if self == Self::InFlags && context.get::<Self>().is_none_or(|it| *it == Self::InFlags) {
            return context.clone();
        }
        context.with_value(self)
    }

    /// The decision for the trace that a span in this context starts, if the context has no active span
    /// and the caller has decided.
    pub(crate) fn for_new_trace(context: &Context) -> Option<NewTrace> {
        match context.get::<Self>() {
            Some(Self::ForNewTrace(decision)) if !context.span().span_context().is_valid() => {
                Some(*decision)
            }
            _ => None,
        }
    }

    /// Whether the caller left the decision about this span's trace to this service.
    pub(crate) fn is_deferred(context: &Context, span: &SpanContext) -> bool {
        let ids = Self::Deferred(span.trace_id(), span.span_id());
        span.is_remote() && context.get::<Self>() == Some(&ids)
    }

    /// Whether every service shall sample the trace of this span, which is active in the context.
    pub(crate) fn is_debug(context: &Context, span: &SpanContext) -> bool {
        match context.get::<Self>() {
            Some(Self::Debug(trace_id)) => *trace_id == span.trace_id(),
            // A span of this process, so the decision was for its trace.
            Some(Self::ForNewTrace(NewTrace::Debug)) => span.is_sampled() && !span.is_remote(),
            _ => false,
        }
    }
}

impl NewTrace {
    #[cfg(feature = "app")]
    pub(crate) fn is_sampled(self) -> bool {
        self != Self::NotSampled
    }
}
