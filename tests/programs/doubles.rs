//! A program that records doubles that are not finite wherever an attribute may stand.

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use spandrel::{current, span, traced_app};

#[traced_app("doubles", share = f64::INFINITY, "shares" = [f64::NAN, 0.5])]
fn main() {
    measure();
}

#[span(ratio = f64::NAN, ratios = [f64::NEG_INFINITY, f64::NAN, 1.5, f64::INFINITY])]
fn measure() {
    current().event("measured", [KeyValue::new("ratio", f64::INFINITY)]);
    let span = Context::current().span().span_context().clone();
    Context::current().span().add_link(span, vec![KeyValue::new("ratio", f64::NEG_INFINITY)]);
}
