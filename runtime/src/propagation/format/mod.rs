//! The formats that contexts are written in.

mod b3;
mod baggage;
mod ids;
mod jaeger;
mod trace_parent;
mod trace_state;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceState};

const TRACE_PARENT: &str = "traceparent";
const TRACE_STATE: &str = "tracestate";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    TraceContext,
    Baggage,
    B3,
    B3Multi,
    Jaeger,
}

impl Format {
    pub(super) const ALL: [Self; 5] =
        [Self::TraceContext, Self::Baggage, Self::B3, Self::B3Multi, Self::Jaeger];

    /// The name in `OTEL_PROPAGATORS`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TraceContext => "tracecontext",
            Self::Baggage => "baggage",
            Self::B3 => "b3",
            Self::B3Multi => "b3multi",
            Self::Jaeger => "jaeger",
        }
    }

    /// The headers that have the context: those that are written, and those that would be read with
    /// them.
    pub(super) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::TraceContext => &[TRACE_PARENT, TRACE_STATE],
            Self::Baggage => &[baggage::NAME],
            Self::B3 | Self::B3Multi => &b3::FIELDS,
            Self::Jaeger => &[jaeger::NAME],
        }
    }

    /// The context that was written, over this one; `None` where there is none that is valid.
    pub(super) fn extract(self, context: &Context, carrier: &dyn Extractor) -> Option<Context> {
        match self {
            Self::TraceContext => {
                let [traceparent] = carrier.get_all(TRACE_PARENT)?.try_into().ok()?;
                let (trace_id, span_id, flags) = trace_parent::parse(traceparent)?;
                let tracestate = carrier.get_all(TRACE_STATE).unwrap_or_default();
                let members = trace_state::parse(&tracestate).unwrap_or_default();
                let (context, state) = trace_state::hold(context, trace_id, &members);
                let span = SpanContext::new(trace_id, span_id, flags, true, state);
                Some(context.with_remote_span_context(span))
            }
            Self::Baggage => {
                let baggage = baggage::parse(&carrier.get_all(baggage::NAME)?);
                (!baggage.is_empty()).then(|| context.with_baggage(baggage))
            }
            Self::B3 | Self::B3Multi => b3::extract(context, carrier),
            Self::Jaeger => {
                let (trace_id, span_id, flags) = jaeger::parse(carrier.get(jaeger::NAME)?)?;
                let span = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
                Some(context.with_remote_span_context(span))
            }
        }
    }

    /// Writes what this context has; no header is empty.
    pub(super) fn inject(self, context: &Context, carrier: &mut dyn Injector) {
        let span = context.span();
        let span = span.span_context();
        let mut set = |name, value: String| {
            if !value.is_empty() {
                carrier.set(name, value);
            }
        };
        match self {
            Self::Baggage => set(baggage::NAME, baggage::print(context.baggage())),
            _ if !span.is_valid() => {}
            Self::TraceContext => {
                set(TRACE_PARENT, trace_parent::print(span));
                set(TRACE_STATE, trace_state::print(context, span));
            }
            Self::B3 => set(b3::SINGLE, b3::print(context, span)),
            Self::B3Multi => {
                for (name, value) in b3::fields(context, span) {
                    set(name, value);
                }
            }
            Self::Jaeger => set(jaeger::NAME, jaeger::print(span)),
        }
    }
}
