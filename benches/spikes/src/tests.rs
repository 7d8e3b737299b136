//! What the recorder writes is what happened, to whoever reads it and whoever recorded it.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::task::Poll;

use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt, Tracer, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use prost::Message;

use crate::own::export::request;
use crate::own::local;
use crate::own::steps::{
    self, AsideWritten, NamedSlotted, NamedWritten, Slotted, Step, UntilDroppedWritten,
    WholeSystemWritten, WholeWritten,
};
use crate::peers::block_on;

fn recorded(work: impl FnOnce()) -> Vec<Span> {
    local::take_here();
    work();
    let bytes = request(&[local::take_here()], "tests");
    let request = ExportTraceServiceRequest::decode(bytes.as_slice()).expect("it is a request");
    let [resource_spans] = &request.resource_spans[..] else { panic!("one resource") };
    let resource = resource_spans.resource.as_ref().expect("a resource");
    assert_eq!(resource.attributes[0].key, "service.name");
    let [scope_spans] = &resource_spans.scope_spans[..] else { panic!("one scope") };
    assert_eq!(scope_spans.scope.as_ref().map(|scope| scope.name.as_str()), Some("benches"));
    scope_spans.spans.clone()
}

fn sdk() -> SdkTracer {
    static PROVIDER: LazyLock<SdkTracerProvider> =
        LazyLock::new(|| SdkTracerProvider::builder().build());
    PROVIDER.tracer("tests")
}

fn current() -> SpanContext {
    Context::map_current(|context| context.span().span_context().clone())
}

fn attributes(span: &Span) -> HashMap<&str, &Value> {
    let pairs = span.attributes.iter();
    pairs.filter_map(|pair| Some((&*pair.key, pair.value.as_ref()?.value.as_ref()?))).collect()
}

fn writes_a_tree<S: Step>() {
    let spans = recorded(steps::tree::<S>);
    assert_eq!(spans.len(), 11);
    let root = spans.last().expect("it ends last");
    assert_eq!((root.name.as_str(), root.parent_span_id.as_slice()), ("root", &[][..]));
    for (number, child) in (0..).zip(&spans[..10]) {
        assert_eq!(child.name, "child");
        assert_eq!(child.trace_id, root.trace_id);
        assert_eq!(child.parent_span_id, root.span_id);
        assert_eq!(attributes(child)["number"], &Value::IntValue(number));
        assert_eq!(attributes(child)["text"], &Value::StringValue("child".to_owned()));
        assert!(child.start_time_unix_nano <= child.end_time_unix_nano);
        assert!(root.start_time_unix_nano <= child.start_time_unix_nano);
        assert!(child.end_time_unix_nano <= root.end_time_unix_nano);
        assert_eq!((child.kind, child.flags), (1, 0x101));
    }
}

#[test]
fn every_step_writes_the_same_tree() {
    writes_a_tree::<AsideWritten>();
    writes_a_tree::<NamedWritten>();
    writes_a_tree::<UntilDroppedWritten>();
    writes_a_tree::<WholeWritten>();
    writes_a_tree::<WholeSystemWritten>();
    writes_a_tree::<NamedSlotted>();
    writes_a_tree::<Slotted>();
}

/// A span of our own under one of the SDK's, over another one of its, and so on; whether the SDK's
/// inner one has ours as its parent.
fn nests_under<S: Step>() -> bool {
    let (mut outer, mut inner) = (SpanContext::NONE, SpanContext::NONE);
    let mut parent_of_inner = SpanId::INVALID;
    let spans = recorded(|| {
        sdk().in_span("outer", |_| {
            outer = current();
            steps::run::<S, _>(steps::start::<S>("own", |_| ()), || {
                let span = sdk().start("inner");
                parent_of_inner = span.exported_data().expect("it records").parent_span_id;
                let attached = Context::current_with_span(span).attach();
                inner = current();
                steps::run::<S, _>(steps::start::<S>("innermost", |_| ()), || ());
                drop(attached);
            });
        });
    });
    let [innermost, own] = &spans[..] else { panic!("two spans") };
    assert_eq!(own.parent_span_id, outer.span_id().to_bytes());
    assert_eq!(own.trace_id, outer.trace_id().to_bytes());
    assert_eq!(innermost.parent_span_id, inner.span_id().to_bytes());
    assert_eq!(innermost.trace_id, own.trace_id);
    own.span_id == parent_of_inner.to_bytes()
}

#[test]
fn the_sdk_nests_over_all_and_under_what_is_in_a_context() {
    assert!(nests_under::<WholeWritten>());
    assert!(nests_under::<NamedWritten>());
    assert!(nests_under::<NamedSlotted>());
    assert!(nests_under::<Slotted>());
    assert!(!nests_under::<AsideWritten>());
}

/// The parent that the raw API sees.
fn seen<S: Step>() -> (SpanId, Vec<Span>) {
    let mut seen = SpanId::INVALID;
    let spans = recorded(|| {
        let span = steps::start::<S>("own", |_| ());
        steps::run::<S, _>(span, || seen = current().span_id());
    });
    (seen, spans)
}

#[test]
fn the_raw_api_sees_what_is_in_a_context_and_not_what_is_aside() {
    let (id, spans) = seen::<WholeWritten>();
    assert_eq!(spans[0].span_id, id.to_bytes());
    let (id, spans) = seen::<Slotted>();
    assert_eq!(spans[0].span_id, id.to_bytes());
    let (id, spans) = seen::<NamedWritten>();
    assert_eq!(spans[0].span_id, id.to_bytes());
    let (id, _) = seen::<AsideWritten>();
    assert_eq!(id, SpanId::INVALID);
}

/// A span to which the raw API adds what it can.
fn added_to<S: Step>() -> Span {
    let spans = recorded(|| {
        steps::run::<S, _>(steps::start::<S>("own", |_| ()), || {
            let context = Context::current();
            let span = context.span();
            span.set_attribute(KeyValue::new("added", "by the raw API"));
            span.add_event("happened", vec![KeyValue::new("times", 3)]);
            span.add_link(span.span_context().clone(), Vec::new());
            span.set_status(Status::error("it failed"));
            span.update_name("renamed");
        });
    });
    let [span] = &spans[..] else { panic!("one span") };
    span.clone()
}

fn takes_what_is_added<S: Step>() {
    let span = added_to::<S>();
    assert_eq!(span.name, "renamed");
    assert_eq!(attributes(&span)["added"], &Value::StringValue("by the raw API".to_owned()));
    assert_eq!(span.events[0].name, "happened");
    assert_eq!(span.links[0].span_id, span.span_id);
    let status = span.status.expect("a status");
    assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "it failed"));
}

#[test]
fn the_raw_api_adds_to_a_span_that_is_in_a_context() {
    takes_what_is_added::<WholeWritten>();
    takes_what_is_added::<Slotted>();
}

#[test]
fn the_raw_api_adds_nothing_to_a_span_that_is_only_named() {
    let span = added_to::<NamedWritten>();
    assert_eq!((span.name.as_str(), span.attributes.len(), span.events.len()), ("own", 0, 0));
}

#[test]
fn a_span_takes_nothing_once_it_has_ended() {
    let spans = recorded(|| {
        let context = steps::run::<Slotted, _>(steps::start::<Slotted>("own", |_| ()), || {
            assert!(Context::map_current(|context| context.span().is_recording()));
            Context::current()
        });
        assert!(!context.span().is_recording());
        // In the slot of the one before.
        steps::run::<Slotted, _>(steps::start::<Slotted>("next", |_| ()), || {
            context.span().set_attribute(KeyValue::new("late", true));
            context.span().end();
        });
    });
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["own", "next"]);
    assert!(spans.iter().all(|span| span.attributes.is_empty()));
}

#[test]
fn what_is_open_at_the_end_is_ended() {
    let spans = recorded(|| {
        steps::run::<Slotted, _>(steps::start::<Slotted>("open", |_| ()), || {
            local::here().interrupt();
            assert!(!Context::map_current(|context| context.span().is_recording()));
        });
    });
    let [span] = &spans[..] else { panic!("one span") };
    assert!(attributes(span).contains_key("spandrel.interrupted"));
}

fn follows_its_polls<S: Step>() {
    let mut polls = Vec::new();
    let spans = recorded(|| {
        let body = std::future::poll_fn(|_| {
            polls.push(current().span_id());
            if polls.len() < 3 { Poll::Pending } else { Poll::Ready(()) }
        });
        let span = steps::start::<S>("polls", |_| ());
        let mut future = Box::pin(steps::follow::<S, _>(span, body));
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut task).is_pending());
        assert_eq!(current().span_id(), SpanId::INVALID);
        block_on(future);
    });
    assert_eq!(spans.len(), 1);
    assert!(polls.iter().all(|id| id.to_bytes() == spans[0].span_id[..]), "{polls:?}");
}

#[test]
fn a_future_is_in_its_span_during_each_poll_and_not_between() {
    follows_its_polls::<WholeWritten>();
    follows_its_polls::<Slotted>();
}
