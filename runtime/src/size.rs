//! How much memory spans take.

use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// The memory that a span takes in bytes, as near as it matters.
pub(crate) fn size(span: &SpanData) -> usize {
    let events = span.events.iter().map(|event| event.name.len() + attributes(&event.attributes));
    let links = span.links.iter().map(|link| size_of_val(link) + attributes(&link.attributes));
    let status = match &span.status {
        Status::Error { description } => description.len(),
        Status::Unset | Status::Ok => 0,
    };
    size_of::<SpanData>()
        + span.name.len()
        + status
        + span.span_context.trace_state().header().len()
        + attributes(&span.attributes)
        + events.chain(links).sum::<usize>()
}

fn attributes(attributes: &[KeyValue]) -> usize {
    let text = |value: &Value| match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::String(texts)) => texts.iter().map(|text| text.as_str().len()).sum(),
        Value::Array(Array::I64(numbers)) => size_of_val(numbers.as_slice()),
        Value::Array(Array::F64(numbers)) => size_of_val(numbers.as_slice()),
        Value::Array(Array::Bool(flags)) => flags.len(),
        _ => 0,
    };
    let pairs = attributes.iter().map(|pair| pair.key.as_str().len() + text(&pair.value));
    size_of_val(attributes) + pairs.sum::<usize>()
}
