//! The bytes of a request, written from the spans as they are: the messages between would be most of
//! what a span costs. The same bytes as `opentelemetry-proto`'s, which the tests compare.

mod writer;

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use writer::Writer;

/// What all requests of a pipeline say of the program: the fields of a `ResourceSpans` round its spans.
pub(super) struct Frame {
    resource: Vec<u8>,
    schema_url: Vec<u8>,
}

impl Frame {
    pub(super) fn new(resource: &Resource) -> Self {
        let (mut before, mut after) = (Writer::default(), Writer::default());
        before.message(1, |writer| {
            for (key, value) in resource {
                attribute(writer, 1, key.as_str(), value);
            }
        });
        after.text(3, resource.schema_url().unwrap_or_default());
        Self { resource: before.into_bytes(), schema_url: after.into_bytes() }
    }
}

/// An `ExportTraceServiceRequest`.
pub(super) fn encode(spans: &[SpanData], frame: &Frame) -> Vec<u8> {
    let mut writer = Writer::with_room(spans.len() * 256);
    writer.message(1, |writer| {
        writer.raw(&frame.resource);
        let mut done: Vec<&InstrumentationScope> = Vec::new();
        for (index, span) in spans.iter().enumerate() {
            let scope = &span.instrumentation_scope;
            if !done.contains(&scope) {
                done.push(scope);
                scope_spans(writer, scope, &spans[index..]);
            }
        }
        writer.raw(&frame.schema_url);
    });
    writer.into_bytes()
}

fn scope_spans(writer: &mut Writer, scope: &InstrumentationScope, spans: &[SpanData]) {
    writer.message(2, |writer| {
        writer.message(1, |writer| {
            writer.text(1, scope.name());
            writer.text(2, scope.version().unwrap_or_default());
            scope
                .attributes()
                .for_each(|pair| attribute(writer, 3, pair.key.as_str(), &pair.value));
        });
        for span in spans.iter().filter(|span| span.instrumentation_scope == *scope) {
            writer.message(2, |writer| self::span(writer, span));
        }
        writer.text(3, scope.schema_url().unwrap_or_default());
    });
}

fn span(writer: &mut Writer, span: &SpanData) {
    let context = &span.span_context;
    ids(writer, context);
    if span.parent_span_id != SpanId::INVALID {
        writer.bytes(4, &span.parent_span_id.to_bytes());
    }
    writer.text(5, &span.name);
    writer.varint_field(6, kind(&span.span_kind));
    writer.fixed64(7, nanos(span.start_time));
    writer.fixed64(8, nanos(span.end_time));
    attributes(writer, 9, &span.attributes);
    writer.varint_field(10, span.dropped_attributes_count.into());
    for event in span.events.iter() {
        writer.message(11, |writer| self::event(writer, event));
    }
    writer.varint_field(12, span.events.dropped_count.into());
    for link in span.links.iter() {
        writer.message(13, |writer| self::link(writer, link));
    }
    writer.varint_field(14, span.links.dropped_count.into());
    writer.message(15, |writer| match &span.status {
        Status::Unset => {}
        Status::Ok => writer.varint_field(3, 1),
        Status::Error { description } => {
            writer.text(2, description);
            writer.varint_field(3, 2);
        }
    });
    writer.fixed32(16, flags(context, span.parent_span_is_remote));
}

fn event(writer: &mut Writer, event: &Event) {
    writer.fixed64(1, nanos(event.timestamp));
    writer.text(2, &event.name);
    attributes(writer, 3, &event.attributes);
    writer.varint_field(4, event.dropped_attributes_count.into());
}

fn link(writer: &mut Writer, link: &Link) {
    ids(writer, &link.span_context);
    attributes(writer, 4, &link.attributes);
    writer.varint_field(5, link.dropped_attributes_count.into());
    writer.fixed32(6, flags(&link.span_context, link.span_context.is_remote()));
}

fn ids(writer: &mut Writer, context: &SpanContext) {
    writer.bytes(1, &context.trace_id().to_bytes());
    writer.bytes(2, &context.span_id().to_bytes());
    writer.text(3, &context.trace_state().header());
}

/// The flags of W3C, and from the ninth bit on whether a context is remote.
fn flags(context: &SpanContext, is_remote: bool) -> u32 {
    const KNOWN: u32 = 0x100;
    const REMOTE: u32 = 0x200;
    u32::from(context.trace_flags().to_u8()) | KNOWN | if is_remote { REMOTE } else { 0 }
}

fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn attributes(writer: &mut Writer, field: u32, attributes: &[KeyValue]) {
    for pair in attributes {
        attribute(writer, field, pair.key.as_str(), &pair.value);
    }
}

fn attribute(writer: &mut Writer, field: u32, key: &str, value: &Value) {
    writer.message(field, |writer| {
        writer.text(1, key);
        writer.message(2, |writer| self::value(writer, value));
    });
}

/// An `AnyValue`, where what is empty or zero is written too.
fn value(writer: &mut Writer, value: &Value) {
    match value {
        Value::String(text) => string(writer, text.as_str()),
        Value::Bool(flag) => boolean(writer, *flag),
        Value::I64(number) => integer(writer, *number),
        Value::F64(number) => float(writer, *number),
        Value::Array(array) => writer.message(5, |writer| match array {
            Array::String(texts) => {
                each(writer, texts, |writer, text| string(writer, text.as_str()));
            }
            Array::Bool(flags) => each(writer, flags, |writer, flag| boolean(writer, *flag)),
            Array::I64(numbers) => each(writer, numbers, |writer, number| integer(writer, *number)),
            Array::F64(numbers) => each(writer, numbers, |writer, number| float(writer, *number)),
            // A kind of the next version's.
            _ => {}
        }),
        _ => {}
    }
}

fn each<T>(writer: &mut Writer, values: &[T], write: impl Fn(&mut Writer, &T)) {
    for value in values {
        writer.message(1, |writer| write(writer, value));
    }
}

fn string(writer: &mut Writer, text: &str) {
    writer.bytes(1, text.as_bytes());
}

fn boolean(writer: &mut Writer, flag: bool) {
    writer.key(2, Writer::VARINT);
    writer.varint(flag.into());
}

fn integer(writer: &mut Writer, number: i64) {
    writer.key(3, Writer::VARINT);
    writer.varint(number.cast_unsigned());
}

fn float(writer: &mut Writer, number: f64) {
    writer.key(4, Writer::FIXED64);
    writer.raw(&number.to_le_bytes());
}

#[cfg(test)]
pub(super) mod tests {
    use std::borrow::Cow;
    use std::time::Duration;

    use opentelemetry::trace::{TraceFlags, TraceId, TraceState};
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
    use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            ".{0,200}".prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            vec(any::<i64>(), 0..40).prop_map(|list| Value::Array(list.into())),
            vec(any::<f64>(), 0..4).prop_map(|list| Value::Array(list.into())),
            vec(any::<bool>(), 0..4).prop_map(|list| Value::Array(list.into())),
            vec(".{0,20}", 0..4).prop_map(|list| {
                let list: Vec<_> = list.into_iter().map(opentelemetry::StringValue::from).collect();
                Value::Array(list.into())
            }),
        ]
    }

    pub(in super::super) fn pairs() -> impl Strategy<Value = Vec<KeyValue>> {
        vec((".{0,30}", values()).prop_map(|(key, value)| KeyValue::new(key, value)), 0..4)
    }

    fn times() -> impl Strategy<Value = SystemTime> {
        any::<u32>().prop_map(|seconds| UNIX_EPOCH + Duration::from_millis(seconds.into()))
    }

    fn contexts() -> impl Strategy<Value = SpanContext> {
        let state = prop_oneof![Just(""), Just("a=1"), Just("ot=th:8,vendor=1")];
        (any::<u128>(), any::<u64>(), any::<u8>(), any::<bool>(), state).prop_map(
            |(trace, span, flags, remote, state)| {
                SpanContext::new(
                    TraceId::from(trace),
                    SpanId::from(span),
                    TraceFlags::new(flags),
                    remote,
                    state.parse::<TraceState>().expect("it is valid"),
                )
            },
        )
    }

    fn statuses() -> impl Strategy<Value = Status> {
        prop_oneof![Just(Status::Unset), Just(Status::Ok), ".{0,200}".prop_map(Status::error)]
    }

    fn scopes() -> impl Strategy<Value = InstrumentationScope> {
        let plain = InstrumentationScope::builder("plain").build();
        let all = InstrumentationScope::builder("all")
            .with_version("1.0")
            .with_schema_url("https://schema")
            .with_attributes([KeyValue::new("key", true)])
            .build();
        prop_oneof![Just(plain), Just(all)]
    }

    fn kinds() -> impl Strategy<Value = SpanKind> {
        prop_oneof![
            Just(SpanKind::Internal),
            Just(SpanKind::Server),
            Just(SpanKind::Client),
            Just(SpanKind::Producer),
            Just(SpanKind::Consumer),
        ]
    }

    fn events() -> impl Strategy<Value = SpanEvents> {
        let event = (".{0,20}", times(), pairs(), any::<u32>())
            .prop_map(|(name, time, pairs, dropped)| Event::new(name, time, pairs, dropped));
        (vec(event, 0..3), any::<u32>()).prop_map(|(list, dropped)| {
            let mut events = SpanEvents::default();
            events.events = list;
            events.dropped_count = dropped;
            events
        })
    }

    fn links() -> impl Strategy<Value = SpanLinks> {
        let link = (contexts(), pairs(), any::<u32>())
            .prop_map(|(context, pairs, dropped)| Link::new(context, pairs, dropped));
        (vec(link, 0..3), any::<u32>()).prop_map(|(list, dropped)| {
            let mut links = SpanLinks::default();
            links.links = list;
            links.dropped_count = dropped;
            links
        })
    }

    prop_compose! {
        pub(in super::super) fn spans()(
            span_context in contexts(),
            parent in option::of(any::<u64>()),
            parent_span_is_remote in any::<bool>(),
            span_kind in kinds(),
            name in ".{0,200}",
            (start_time, end_time) in (times(), times()),
            attributes in pairs(),
            dropped_attributes_count in any::<u32>(),
            events in events(),
            links in links(),
            status in statuses(),
            instrumentation_scope in scopes(),
        ) -> SpanData {
            SpanData {
                span_context,
                parent_span_id: parent.map_or(SpanId::INVALID, SpanId::from),
                parent_span_is_remote,
                span_kind,
                name: Cow::Owned(name),
                start_time,
                end_time,
                attributes,
                dropped_attributes_count,
                events,
                links,
                status,
                instrumentation_scope,
            }
        }
    }

    proptest! {
        #[test]
        fn the_bytes_are_those_of_the_messages(spans in vec(spans(), 0..6), pairs in pairs()) {
            let resource = Resource::builder_empty().with_schema_url(pairs, "https://schema").build();
            let described = ResourceAttributesWithSchema::from(&resource);
            let encoded = encode(&spans, &Frame::new(&resource));
            let resource_spans = group_spans_by_resource_and_scope(spans, &described);
            let expected = ExportTraceServiceRequest { resource_spans };
            prop_assert_eq!(encoded, expected.encode_to_vec());
        }
    }
}
