//! The current context, read over and written by the propagator of the process.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use super::propagator::Propagator;
use crate::context;

/// The context in a carrier, over the current one.
pub(super) fn read(carrier: &dyn Extractor) -> Context {
    extract_over(&context::current(), carrier)
}

/// As [`read`], over another context than the current one.
pub(super) fn extract_over(context: &Context, carrier: &dyn Extractor) -> Context {
    let (context, found) = Propagator::global().extract_over(context, carrier);
    if found { context } else { context::without_trace(context) }
}

/// Writes the current context into a carrier.
pub(super) fn write(carrier: &mut dyn Injector) {
    Propagator::global().inject_context(&context::current(), carrier);
}
