//! A span as it came, as the SDK would have it.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{self as otlp, ResourceSpans};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use common::any_value::Value as Any;
use otlp::span::SpanKind as Kind;

/// A finished span, and the service that it is from.
#[derive(Clone, Debug)]
pub struct Span {
    /// The resource's `service.name`.
    pub service: String,
    /// The span itself.
    pub data: SpanData,
}

impl Span {
    pub(super) fn trace_id(&self) -> String {
        self.data.span_context.trace_id().to_string()
    }

    pub(super) fn all_of(spans: ResourceSpans) -> impl Iterator<Item = Self> {
        let resource = attributes(spans.resource.unwrap_or_default().attributes);
        let service = resource.iter().find(|attribute| attribute.key.as_str() == "service.name");
        let service = service.map(|name| name.value.to_string()).unwrap_or_default();
        spans.scope_spans.into_iter().flat_map(move |scoped| {
            let scope = InstrumentationScope::builder(scoped.scope.unwrap_or_default().name);
            let (service, scope) = (service.clone(), scope.build());
            let spans = scoped.spans.into_iter();
            spans
                .map(move |span| Self { service: service.clone(), data: data(span, scope.clone()) })
        })
    }
}

fn data(span: otlp::Span, instrumentation_scope: InstrumentationScope) -> SpanData {
    let kind = span.kind();
    let mut events = SpanEvents::default();
    events.events = span.events.into_iter().map(event).collect();
    let mut links = SpanLinks::default();
    links.links = span.links.into_iter().map(link).collect();
    SpanData {
        span_context: context(&span.trace_id, &span.span_id, span.flags, &span.trace_state),
        parent_span_id: span_id(&span.parent_span_id),
        parent_span_is_remote: span.flags & 0x300 == 0x300,
        span_kind: match kind {
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
            Kind::Internal | Kind::Unspecified => SpanKind::Internal,
        },
        name: span.name.into(),
        start_time: time(span.start_time_unix_nano),
        end_time: time(span.end_time_unix_nano),
        attributes: attributes(span.attributes),
        dropped_attributes_count: span.dropped_attributes_count,
        events,
        links,
        status: status(span.status.unwrap_or_default()),
        instrumentation_scope,
    }
}

fn event(event: otlp::span::Event) -> Event {
    let otlp::span::Event { name, time_unix_nano, dropped_attributes_count, .. } = event;
    Event::new(name, time(time_unix_nano), attributes(event.attributes), dropped_attributes_count)
}

fn link(link: otlp::span::Link) -> Link {
    let to = context(&link.trace_id, &link.span_id, link.flags, &link.trace_state);
    Link::new(to, attributes(link.attributes), link.dropped_attributes_count)
}

fn context(trace_id: &[u8], id: &[u8], flags: u32, state: &str) -> SpanContext {
    let trace_id = TraceId::from_bytes(trace_id.try_into().unwrap_or_default());
    let flags = TraceFlags::new(flags.to_le_bytes()[0]);
    SpanContext::new(trace_id, span_id(id), flags, true, state.parse().unwrap_or_default())
}

fn span_id(id: &[u8]) -> SpanId {
    SpanId::from_bytes(id.try_into().unwrap_or_default())
}

fn time(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}

fn status(status: otlp::Status) -> Status {
    match status.code() {
        StatusCode::Unset => Status::Unset,
        StatusCode::Ok => Status::Ok,
        StatusCode::Error => Status::error(status.message),
    }
}

fn attributes(attributes: Vec<common::KeyValue>) -> Vec<KeyValue> {
    let each = |common::KeyValue { key, value: any, .. }| KeyValue::new(key, value(any));
    attributes.into_iter().map(each).collect()
}

/// What is in arrays becomes text, and so does what only log records have.
fn value(any: Option<common::AnyValue>) -> Value {
    match any.and_then(|any| any.value) {
        Some(Any::StringValue(text)) => text.into(),
        Some(Any::BoolValue(it)) => it.into(),
        Some(Any::IntValue(number)) => number.into(),
        Some(Any::DoubleValue(number)) => number.into(),
        Some(Any::ArrayValue(array)) => {
            let each = |any| StringValue::from(value(Some(any)).as_str().into_owned());
            Value::Array(Array::String(array.values.into_iter().map(each).collect()))
        }
        other => format!("{other:?}").into(),
    }
}
