//! Trace context across processes, in and out of carriers: W3C Trace Context and W3C Baggage, or what
//! `OTEL_PROPAGATORS` names.

#[cfg(feature = "serde")]
mod body;
mod carrier;
mod current;
mod format;
mod propagator;
mod trace_context;

use opentelemetry::Context;

use carrier::kinds::{Extracts, Injects};
pub use carrier::process::ProcessEnvironment;
pub(crate) use carrier::resolve;
pub use carrier::{Carrier, CarrierMut};
pub(crate) use propagator::Propagator;
pub use trace_context::TraceContext;

/// The caller's context, as read from a carrier, over the current one. Malformed input is the
/// same as none. From a carrier without a trace, the context has the current span: a span that
/// starts in it has that as its parent, but [`links`](crate::Start::links) makes no link of it.
///
/// A carrier is what is one for [`#[propagate]`](macro@crate::propagate): a map, headers, a message, an
/// [`Extractor`](crate::Extractor) or a [`Carrier`]. It is read as W3C Trace Context, level 2, and W3C Baggage, or as
/// `OTEL_PROPAGATORS` says. Extractors that hold a header several times must say so by
/// [`Extractor::get_all`](crate::Extractor::get_all).
///
/// ```
/// use std::collections::HashMap;
///
/// let headers = HashMap::from([(
///     "traceparent".to_owned(),
///     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
/// )]);
/// let attached = spandrel::extract(&headers).attach();
/// assert_eq!(spandrel::current_trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// ```
pub fn extract<Kind>(carrier: &(impl Extracts<Kind> + ?Sized)) -> Context {
    carrier.extracted()
}

/// Writes the current context into a carrier: the trace and the baggage, where there are any. A carrier is
/// what is one for [`#[propagate]`](macro@crate::propagate): a map, headers, a message, an [`Injector`](crate::Injector) or a
/// [`CarrierMut`]. Nothing can be removed from an [`Injector`](crate::Injector): give it one that has nothing of another context.
pub fn inject<Kind>(carrier: &mut (impl Injects<Kind> + ?Sized)) {
    carrier.inject();
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry::baggage::{Baggage, BaggageExt};
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceState};

    use super::*;
    use crate::ToContext;
    use crate::context;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn local(span: u64) -> SpanContext {
        let (trace, flags) = (0xa_u128.into(), TraceFlags::SAMPLED);
        SpanContext::new(trace, SpanId::from(span), flags, false, TraceState::NONE)
    }

    #[test]
    fn a_context_names_a_span_where_its_carrier_did() {
        let carrier =
            |name: &str, value: &str| HashMap::from([(name.to_owned(), value.to_owned())]);
        let attached = Context::new().with_remote_span_context(local(0xb)).attach();
        let found = extract(&carrier("traceparent", PARENT));
        assert_eq!(found.to_span_context().span_id(), SpanId::from(0x00f0_67aa_0ba9_02b7));
        for (name, value) in [("x", "y"), ("traceparent", "nonsense"), ("baggage", "a=1")] {
            let context = extract(&carrier(name, value));
            assert_eq!(context.span().span_context(), &local(0xb), "it is the parent");
            assert!(!context.to_span_context().is_valid(), "{name}");
            assert_eq!(context.baggage().len(), usize::from(name == "baggage"));
            // What starts in it has a span of its own, and what enters it asks for the current one.
            let inside = context.with_remote_span_context(local(0xc));
            assert_eq!(inside.to_span_context(), local(0xc));
            assert_eq!(context::entered(context.clone()).to_span_context(), local(0xb));
        }
        drop(attached);
        assert!(!extract(&carrier("x", "y")).to_span_context().is_valid());
    }

    #[test]
    fn the_current_context_is_injected() {
        let mut baggage = Baggage::new();
        baggage.insert("a", "1");
        let context = Context::new().with_remote_span_context(local(0xb)).with_baggage(baggage);
        let attached = context.attach();
        let mut sent = HashMap::new();
        inject(&mut sent);
        assert_eq!((sent.len(), sent["baggage"].as_str()), (2, "a=1"));
        drop(attached);
    }
}
