//! Spans made up at random, and what must hold of their bytes.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::batch::Batch;
use super::scope::ScopeId;

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

pub(crate) fn pairs() -> impl Strategy<Value = Vec<KeyValue>> {
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
    pub(crate) fn spans()(
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

/// A span with nothing in it.
pub(crate) fn empty_span() -> SpanData {
    SpanData {
        span_context: SpanContext::NONE,
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: Cow::Borrowed(""),
        start_time: UNIX_EPOCH,
        end_time: UNIX_EPOCH,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

pub(crate) fn batch(spans: &[SpanData]) -> Batch {
    let mut batch = Batch::default();
    for span in spans {
        batch.append(&Batch::of(span));
    }
    batch
}

/// The same value, where bytes cannot tell: an array without values has no type, and a double that is no number is
/// equal to nothing.
fn comparable(pairs: &mut [KeyValue]) {
    for pair in pairs {
        let empty = match &pair.value {
            Value::Array(Array::Bool(flags)) => flags.is_empty(),
            Value::Array(Array::I64(numbers)) => numbers.is_empty(),
            Value::Array(Array::F64(numbers)) => numbers.is_empty(),
            _ => false,
        };
        if empty {
            pair.value = Value::Array(Array::String(Vec::new()));
        }
    }
}

fn comparable_span(mut span: SpanData) -> String {
    comparable(&mut span.attributes);
    span.events.events.iter_mut().for_each(|event| comparable(&mut event.attributes));
    span.links.links.iter_mut().for_each(|link| comparable(&mut link.attributes));
    // A span that was recorded here is not remote.
    let context = &span.span_context;
    span.span_context = SpanContext::new(
        context.trace_id(),
        context.span_id(),
        context.trace_flags(),
        false,
        context.trace_state().clone(),
    );
    format!("{span:?}")
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(spans in vec(spans(), 0..6)) {
        let batch = batch(&spans);
        prop_assert_eq!(batch.spans(), spans.len());
        let decoded: Vec<_> = batch.decode().map(comparable_span).collect();
        let expected: Vec<_> = spans.into_iter().map(comparable_span).collect();
        prop_assert_eq!(decoded, expected);
    }

    #[test]
    fn any_bytes_are_decoded_to_something(bytes in vec(any::<u8>(), 0..300)) {
        let mut batch = Batch::default();
        batch.push(ScopeId::of(&InstrumentationScope::default()), |writer| writer.raw(&bytes));
        prop_assert_eq!(batch.decode().count(), 1);
    }
}
