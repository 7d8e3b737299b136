//! The formats that contexts are written in.

mod b3;
mod baggage;
mod extracted;
mod ids;
mod jaeger;
mod trace_parent;
mod trace_state;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceState};

pub(super) use extracted::Extracted;
use extracted::under;

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

    /// What was written, over this context. Malformed input counts as none.
    pub(super) fn extract(self, context: &Context, carrier: &dyn Extractor) -> Extracted {
        let extracted = match self {
            Self::TraceContext => trace_context(context, carrier).map(Extracted::Trace),
            Self::Baggage => {
                let headers = carrier.get_all(baggage::NAME).unwrap_or_default();
                let baggage = baggage::parse(&headers);
                let found = !baggage.is_empty();
                found.then(|| Extracted::Beside(context.with_baggage(baggage)))
            }
            Self::B3 | Self::B3Multi => Some(b3::extract(context, carrier)),
            Self::Jaeger => carrier.get(jaeger::NAME).and_then(jaeger::parse).map(
                |(trace_id, span_id, flags)| {
                    let span = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
                    Extracted::Trace(under(context, span))
                },
            ),
        };
        extracted.unwrap_or(Extracted::Nothing)
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
            Self::B3 => set(b3::SINGLE, b3::print(context)),
            Self::B3Multi => {
                for (name, value) in b3::fields(context) {
                    set(name, value);
                }
            }
            _ if !span.is_valid() => {}
            Self::TraceContext => {
                set(TRACE_PARENT, trace_parent::print(span));
                set(TRACE_STATE, trace_state::print(context, span));
            }
            Self::Jaeger => set(jaeger::NAME, jaeger::print(span)),
        }
    }
}

fn trace_context(context: &Context, carrier: &dyn Extractor) -> Option<Context> {
    let [traceparent] = carrier.get_all(TRACE_PARENT)?.try_into().ok()?;
    let (trace_id, span_id, flags) = trace_parent::parse(traceparent)?;
    let tracestate = carrier.get_all(TRACE_STATE).unwrap_or_default();
    let members = trace_state::parse(&tracestate).unwrap_or_default();
    let (context, state) = trace_state::hold(context, trace_id, &members);
    Some(under(&context, SpanContext::new(trace_id, span_id, flags, true, state)))
}
