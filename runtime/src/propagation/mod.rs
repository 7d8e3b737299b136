//! Trace context across processes, in and out of carriers: W3C Trace Context and W3C Baggage, or what
//! `OTEL_PROPAGATORS` names.

#[cfg(feature = "serde")]
mod body;
mod carrier;
mod format;
mod propagator;
mod trace_context;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use crate::context;
pub use carrier::{Carrier, CarrierMut};
#[doc(hidden)]
pub use carrier::{
    ExtractorCarrier, InjectorCarrier, IsCarrier, IsCarrierMut, OptionalExtractor,
    OptionalExtractorRef, OptionalInjector,
};
pub(crate) use propagator::Propagator;
pub use trace_context::TraceContext;

/// The caller's context, as read from a carrier, over the current one. Malformed input is the
/// same as none. From a carrier without a trace, the context has the current span: a span that
/// starts in it has that as its parent, but [`links`](crate::Start::links) makes no link of it.
///
/// It is read as W3C Trace Context, level 2, and W3C Baggage, or as `OTEL_PROPAGATORS` says. Carriers
/// that hold a header several times must say so by [`Extractor::get_all`].
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
pub fn extract(carrier: &dyn Extractor) -> Context {
    extract_over(&context::current(), carrier)
}

/// As [`extract`], over another context than the current one.
fn extract_over(context: &Context, carrier: &dyn Extractor) -> Context {
    let (context, found) = Propagator::global().extract_over(context, carrier);
    if found { context } else { context::without_trace(context) }
}

/// Writes the current context into a carrier: the trace and the baggage, where there are any. What
/// an [`Injector`] has of another context it cannot take out: give it one that is new.
pub fn inject(carrier: &mut dyn Injector) {
    Propagator::global().inject_context(&context::current(), carrier);
}
