//! Log records as lines of JSON on standard error, with the ids of their trace.

use std::io::Write;
use std::time::SystemTime;

use opentelemetry::trace::SpanContext;
use opentelemetry::{KeyValue, Value};
use serde_json::{Map, json};

/// An exception, after the semantic conventions for exceptions in logs; the names of the trace's
/// fields are those of the specification for formats other than OTLP.
pub(crate) fn exception(span: &SpanContext, attributes: Vec<KeyValue>) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut record = Map::new();
    record.insert("timestamp".to_owned(), json!(now.as_secs_f64()));
    record.insert("severity".to_owned(), json!("ERROR"));
    record.insert("event.name".to_owned(), json!("exception"));
    record.insert("trace_id".to_owned(), json!(span.trace_id().to_string()));
    record.insert("span_id".to_owned(), json!(span.span_id().to_string()));
    record.insert("trace_flags".to_owned(), json!(format!("{:02x}", span.trace_flags().to_u8())));
    for KeyValue { key, value, .. } in attributes {
        record.insert(key.to_string(), json(value));
    }
    let line = serde_json::Value::Object(record);
    // Standard error may be closed: then there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::F64(value) => json!(value),
        other => json!(other.as_str()),
    }
}
