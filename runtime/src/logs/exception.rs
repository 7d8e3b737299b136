//! Exceptions as lines, where the semantic conventions' opt-in wants them so.

use std::time::SystemTime;

use opentelemetry::trace::SpanContext;
use opentelemetry::{KeyValue, Value};
use serde_json::json;

use super::line::LogLine;

/// An exception, after the semantic conventions for exceptions in logs.
pub(crate) fn exception(span: &SpanContext, attributes: Vec<KeyValue>) {
    let name = ("event.name".to_owned(), json!("exception"));
    let attributes = attributes.into_iter().map(|KeyValue { key, value, .. }| {
        let value = match value {
            Value::Bool(value) => json!(value),
            Value::I64(value) => json!(value),
            Value::F64(value) => json!(value),
            other => json!(other.as_str()),
        };
        (key.to_string(), value)
    });
    LogLine {
        time: SystemTime::now(),
        level: "ERROR",
        target: env!("CARGO_PKG_NAME"),
        message: "exception".to_owned(),
        fields: std::iter::once(name).chain(attributes).collect(),
        span: span.clone(),
    }
    .write();
}
