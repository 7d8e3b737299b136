//! Requests as JSON, by protobuf's JSON mapping and OTLP's deviations from it: ids are hexadecimal,
//! enumerations are numbers, 64-bit integers are strings, and a double that is not finite is one of the
//! strings `NaN`, `Infinity` and `-Infinity`. The serializers of `opentelemetry-proto` write `null` for
//! such a double, which collectors refuse together with the whole batch; this module can go when
//! <https://github.com/open-telemetry/opentelemetry-rust/pull/3496> is released.

use std::fmt::Write as _;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use crate::attribute::not_finite;

/// An `ExportTraceServiceRequest`, from the same message as protobuf.
pub(super) fn encode(request: &[u8]) -> Result<Vec<u8>, String> {
    let ExportTraceServiceRequest { resource_spans } = Message::decode(request)
        .map_err(|error| format!("the request cannot be written as JSON: {error}"))?;
    let mut json = Json::default();
    json.object(|json| {
        json.field("resourceSpans", |json| json.array(&resource_spans, self::resource_spans));
    });
    Ok(json.0.into_bytes())
}

fn resource_spans(json: &mut Json, message: &ResourceSpans) {
    json.message("resource", message.resource.as_ref(), |json, resource| {
        json.list("attributes", &resource.attributes, key_value);
        json.number("droppedAttributesCount", resource.dropped_attributes_count);
    });
    json.list("scopeSpans", &message.scope_spans, scope_spans);
    json.text("schemaUrl", &message.schema_url);
}

fn scope_spans(json: &mut Json, message: &ScopeSpans) {
    json.message("scope", message.scope.as_ref(), scope);
    json.list("spans", &message.spans, span);
    json.text("schemaUrl", &message.schema_url);
}

fn scope(json: &mut Json, scope: &InstrumentationScope) {
    json.text("name", &scope.name);
    json.text("version", &scope.version);
    json.list("attributes", &scope.attributes, key_value);
    json.number("droppedAttributesCount", scope.dropped_attributes_count);
}

fn span(json: &mut Json, span: &Span) {
    json.id("traceId", &span.trace_id);
    json.id("spanId", &span.span_id);
    json.text("traceState", &span.trace_state);
    json.id("parentSpanId", &span.parent_span_id);
    json.number("flags", span.flags);
    json.text("name", &span.name);
    json.number("kind", span.kind);
    json.long("startTimeUnixNano", span.start_time_unix_nano);
    json.long("endTimeUnixNano", span.end_time_unix_nano);
    json.list("attributes", &span.attributes, key_value);
    json.number("droppedAttributesCount", span.dropped_attributes_count);
    json.list("events", &span.events, event);
    json.number("droppedEventsCount", span.dropped_events_count);
    json.list("links", &span.links, link);
    json.number("droppedLinksCount", span.dropped_links_count);
    json.message("status", span.status.as_ref(), status);
}

fn event(json: &mut Json, event: &Event) {
    json.long("timeUnixNano", event.time_unix_nano);
    json.text("name", &event.name);
    json.list("attributes", &event.attributes, key_value);
    json.number("droppedAttributesCount", event.dropped_attributes_count);
}

fn link(json: &mut Json, link: &Link) {
    json.id("traceId", &link.trace_id);
    json.id("spanId", &link.span_id);
    json.text("traceState", &link.trace_state);
    json.list("attributes", &link.attributes, key_value);
    json.number("droppedAttributesCount", link.dropped_attributes_count);
    json.number("flags", link.flags);
}

fn status(json: &mut Json, status: &Status) {
    json.text("message", &status.message);
    json.number("code", status.code);
}

/// With its key even where that is empty: there are readers that insist on one.
fn key_value(json: &mut Json, pair: &KeyValue) {
    json.field("key", |json| json.string(&pair.key));
    json.message("value", pair.value.as_ref(), any_value);
}

/// The one field that is set, with its value even where that is empty or zero.
fn any_value(json: &mut Json, message: &AnyValue) {
    match &message.value {
        Some(Value::StringValue(text)) => json.field("stringValue", |json| json.string(text)),
        Some(Value::BoolValue(flag)) => json.field("boolValue", |json| json.display(flag)),
        Some(Value::IntValue(number)) => json.field("intValue", |json| json.quoted(number)),
        Some(Value::DoubleValue(number)) => json.field("doubleValue", |json| json.double(*number)),
        Some(Value::ArrayValue(array)) => json.field("arrayValue", |json| {
            json.object(|json| json.field("values", |json| json.array(&array.values, any_value)));
        }),
        // An attribute of OpenTelemetry's API is none of the kinds that are left.
        _ => {}
    }
}

/// JSON that is being written. Fields that are empty or zero are left out, as that mapping allows.
#[derive(Default)]
struct Json(String);

impl Json {
    fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.0.push('{');
        fields(self);
        self.0.push('}');
    }

    fn field(&mut self, name: &'static str, value: impl FnOnce(&mut Self)) {
        self.separate('{');
        self.quoted(name);
        self.0.push(':');
        value(self);
    }

    /// Writes the comma between this item and the one before it, if it is not the first.
    fn separate(&mut self, opening: char) {
        if !self.0.ends_with(opening) {
            self.0.push(',');
        }
    }

    fn message<T>(
        &mut self,
        name: &'static str,
        message: Option<&T>,
        fields: impl FnOnce(&mut Self, &T),
    ) {
        if let Some(message) = message {
            self.field(name, |json| json.object(|json| fields(json, message)));
        }
    }

    fn list<T>(&mut self, name: &'static str, messages: &[T], fields: impl Fn(&mut Self, &T)) {
        if !messages.is_empty() {
            self.field(name, |json| json.array(messages, fields));
        }
    }

    fn array<T>(&mut self, messages: &[T], fields: impl Fn(&mut Self, &T)) {
        self.0.push('[');
        for message in messages {
            self.separate('[');
            self.object(|json| fields(json, message));
        }
        self.0.push(']');
    }

    fn text(&mut self, name: &'static str, text: &str) {
        if !text.is_empty() {
            self.field(name, |json| json.string(text));
        }
    }

    fn id(&mut self, name: &'static str, id: &[u8]) {
        if !id.is_empty() {
            let hex = id.iter().fold(String::with_capacity(32), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            self.field(name, |json| json.quoted(hex));
        }
    }

    fn number(&mut self, name: &'static str, number: impl Into<i64>) {
        let number = number.into();
        if number != 0 {
            self.field(name, |json| json.display(number));
        }
    }

    fn long(&mut self, name: &'static str, number: u64) {
        if number != 0 {
            self.field(name, |json| json.quoted(number));
        }
    }

    fn double(&mut self, number: f64) {
        match not_finite(number) {
            Some(name) => self.quoted(name),
            None => self.0.push_str(&serde_json::to_string(&number).unwrap_or_default()),
        }
    }

    fn string(&mut self, text: &str) {
        self.0.push_str(&serde_json::to_string(text).unwrap_or_default());
    }

    /// For what has no character that JSON escapes.
    fn quoted(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.0, "\"{value}\"");
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.0, "{value}");
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::{Array, Value};
    use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
    use opentelemetry_sdk::Resource;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::recorder::tests::{pairs, spans};

    proptest! {
        #[test]
        fn the_json_of_finite_numbers_means_what_opentelemetry_proto_writes(
            spans in vec(spans(), 1..6),
            pairs in pairs(),
        ) {
            let resource = Resource::builder_empty().with_schema_url(pairs, "https://schema").build();
            let resource_spans = group_spans_by_resource_and_scope(spans, &(&resource).into());
            let request = ExportTraceServiceRequest { resource_spans };
            let encoded = encode(&request.encode_to_vec()).expect("it is a request");
            let theirs = serde_json::to_vec(&request);
            let read = |json: &[u8]| serde_json::from_slice::<ExportTraceServiceRequest>(json);
            let expected = read(&theirs.expect("JSON")).expect("a request");
            prop_assert_eq!(read(&encoded).expect("a request"), expected);
        }
    }

    #[test]
    fn doubles_that_are_not_finite_are_strings() {
        for (number, written) in [
            (f64::NAN, r#""NaN""#),
            (-f64::NAN, r#""NaN""#),
            (f64::INFINITY, r#""Infinity""#),
            (f64::NEG_INFINITY, r#""-Infinity""#),
            (f64::MAX, "1.7976931348623157e+308"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
        ] {
            let mut json = Json::default();
            json.double(number);
            assert_eq!(json.0, written);
        }
        let mixed = Value::Array(Array::F64(vec![1.5, f64::NAN, f64::INFINITY]));
        let mut json = Json::default();
        json.object(|json| any_value(json, &mixed.into()));
        let expected = r#"{"arrayValue":{"values":[{"doubleValue":1.5},{"doubleValue":"NaN"},{"doubleValue":"Infinity"}]}}"#;
        assert_eq!(json.0, expected);
    }
}
