//! Finished spans as a tree: plain text for tests, a drawing for terminals.

#[cfg(feature = "app")]
mod duration;
mod plain;
#[cfg(feature = "app")]
mod terminal;
mod trace_tree;

use std::borrow::Cow;

use opentelemetry::trace::SpanKind;
use opentelemetry::{Array, StringValue, Value};

pub(crate) use plain::Plain;
#[cfg(feature = "app")]
pub(crate) use terminal::{Capabilities, Drawing};

/// What follows the name of a span of this kind.
fn kind(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "",
        SpanKind::Server => " [server]",
        SpanKind::Client => " [client]",
        SpanKind::Producer => " [producer]",
        SpanKind::Consumer => " [consumer]",
    }
}

fn value(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => format!("{:?}", text.as_str()).into(),
        Value::Array(Array::String(texts)) => {
            let texts: Vec<&str> = texts.iter().map(StringValue::as_str).collect();
            format!("{texts:?}").into()
        }
        other => other.as_str(),
    }
}
