//! Spans that start by OpenTelemetry's API, as the outlet gets them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{
    Event, Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt,
    TraceFlags, TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SpanData;

use super::clock::Anchor;
use super::handle::{Handle, given};
use super::native::{Candidate, HeadSampler, NativeRecorder, NewSpan, SpanScope};
use super::outlet::{Outlet, Room};
use super::provider::{NativeProvider, NativeTracer};
use super::scope::ScopeId;
use super::{
    Batch, Exceptions, HeldTraces, InstrumentedCrate, KeepRules, KnownSpan, RecordedFailure,
};
use crate::attribute::Attributes;
use crate::encoding::{Limits, ValueRef};

/// An outlet that keeps the spans it gets.
#[derive(Debug, Default)]
struct Collected {
    spans: Mutex<Vec<SpanData>>,
    is_closed: bool,
}

impl Collected {
    fn taken(&self) -> Vec<SpanData> {
        std::mem::take(&mut *self.spans.lock().expect("no panic"))
    }

    fn names(&self) -> Vec<String> {
        self.taken().into_iter().map(|span| span.name.into_owned()).collect()
    }
}

impl Outlet for Collected {
    fn spans_at_once(&self) -> usize {
        1
    }

    fn is_open(&self) -> bool {
        !self.is_closed
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        Some(lacking)
    }

    fn release(&self, _room: Room) {}

    fn take(&self, batch: Batch) {
        self.spans.lock().expect("no panic").extend(batch.decode());
    }
}

/// A sampler that drops each trace.
#[derive(Debug)]
struct Never;

impl HeadSampler for Never {
    fn decide(&self, _: &Candidate<'_>, _: &mut Option<TraceState>) -> bool {
        false
    }
}

fn native(outlet: &Arc<Collected>) -> NativeRecorder {
    NativeRecorder {
        pipeline: None,
        outlet: outlet.clone(),
        sampler: None,
        held_traces: None,
        limits: Limits::NONE,
        exceptions: Exceptions::EVENTS,
        baggage: Vec::new(),
    }
}

fn tracer(native: NativeRecorder) -> NativeTracer {
    NativeProvider(Arc::new(native)).tracer("tests")
}

fn remote(flags: u8) -> Context {
    let (trace, span, flags) = (TraceId::from(1), SpanId::from(2), TraceFlags::new(flags));
    Context::new().with_remote_span_context(SpanContext::new(
        trace,
        span,
        flags,
        true,
        TraceState::NONE,
    ))
}

#[test]
fn the_builder_says_what_a_span_starts_with() {
    let outlet = Arc::new(Collected::default());
    let time = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let linked = remote(1).span().span_context().clone();
    let builder = SpanBuilder::from_name("name")
        .with_kind(SpanKind::Server)
        .with_start_time(time(5))
        .with_attributes([KeyValue::new("a", 1)])
        .with_links(vec![Link::new(linked.clone(), vec![KeyValue::new("b", 2)], 0)])
        .with_events(vec![Event::new("event", time(6), vec![KeyValue::new("c", 3)], 0)]);
    tracer(native(&outlet))
        .build_with_context(builder, &Context::new())
        .end_with_timestamp(time(7));
    let [span] = &outlet.taken()[..] else { panic!("one span") };
    assert_eq!((&*span.name, &span.span_kind), ("name", &SpanKind::Server));
    assert_eq!((span.start_time, span.end_time), (time(5), time(7)));
    assert_eq!(span.attributes, [KeyValue::new("a", 1)]);
    let [link] = &span.links.links[..] else { panic!("one link") };
    assert_eq!((&link.span_context, &link.attributes[..]), (&linked, &[KeyValue::new("b", 2)][..]));
    let [event] = &span.events.events[..] else { panic!("one event") };
    assert_eq!((&*event.name, event.timestamp), ("event", time(6)));
    assert_eq!(event.attributes, [KeyValue::new("c", 3)]);
    assert_eq!(span.instrumentation_scope.name(), "tests");
}

#[test]
fn a_span_is_of_its_parents_trace_and_inherits_that_its_id_is_random() {
    let outlet = Arc::new(Collected::default());
    let tracer = tracer(native(&outlet));
    for (flags, expected) in [(0x01, 0x01), (0x02, 0x03), (0x03, 0x03), (0x00, 0x01)] {
        let context = remote(flags);
        drop(tracer.build_with_context(SpanBuilder::from_name("child"), &context));
        let [span] = &outlet.taken()[..] else { panic!("one span") };
        assert_eq!(span.span_context.trace_id(), TraceId::from(1));
        assert_eq!(span.span_context.trace_flags().to_u8(), expected, "{flags:x}");
        assert_eq!((span.parent_span_id, span.parent_span_is_remote), (SpanId::from(2), true));
    }
    let context = Context::new();
    drop([(); 2].map(|()| tracer.build_with_context(SpanBuilder::from_name("root"), &context)));
    let [first, second] = &outlet.taken()[..] else { panic!("two spans") };
    assert_eq!((first.parent_span_id, first.parent_span_is_remote), (SpanId::INVALID, false));
    assert_eq!(first.span_context.trace_flags().to_u8(), 0x03);
    let ids = |span: &SpanData| (span.span_context.trace_id(), span.span_context.span_id());
    assert!(first.span_context.is_valid() && second.span_context.is_valid());
    assert!(ids(first).0 != ids(second).0 && ids(first).1 != ids(second).1);
}

#[test]
fn a_span_has_the_trace_state_of_its_parent() {
    let outlet = Arc::new(Collected::default());
    let tracer = tracer(native(&outlet));
    let state = TraceState::from_key_value([("a", "1")]).expect("it is valid");
    let flags = TraceFlags::SAMPLED;
    let parent = SpanContext::new(TraceId::from(1), SpanId::from(2), flags, true, state.clone());
    let context = Context::new().with_remote_span_context(parent);
    drop(tracer.build_with_context(SpanBuilder::from_name("child"), &context));
    assert_eq!(outlet.taken()[0].span_context.trace_state(), &state);
}

#[test]
fn the_error_type_that_a_span_starts_with_stays() {
    let outlet = Arc::new(Collected::default());
    let tracer = tracer(native(&outlet));
    // The other key has the mark of `error.type`.
    for (key, expected) in [("error.type", "own"), ("exxxx.xxxe", "Error")] {
        let builder = SpanBuilder::from_name("name").with_attributes([KeyValue::new(key, "own")]);
        let span = tracer.build_with_context(builder, &Context::new());
        let context = Context::new().with_span(span);
        let KnownSpan { slot, .. } = KnownSpan::of(&context).expect("it is open");
        slot.with(|span| span.set_error_type("Error"));
        drop(context);
        let attributes = &outlet.taken()[0].attributes;
        assert!(attributes.contains(&KeyValue::new("error.type", expected)), "{attributes:?}");
    }
}

#[test]
fn spans_that_are_not_wanted_are_not_recorded() {
    let outlet = Arc::new(Collected::default());
    let closed = Arc::new(Collected { is_closed: true, ..Collected::default() });
    let unsampled = NativeRecorder { sampler: Some(Arc::new(Never)), ..native(&outlet) };
    let tracers = [tracer(unsampled), tracer(native(&closed))];
    let parent = remote(1);
    for tracer in tracers {
        let span = tracer.build_with_context(SpanBuilder::from_name("name"), &parent);
        assert!(!span.is_recording() && span.span_context().is_valid());
        assert_eq!(span.span_context().trace_id(), TraceId::from(1));
    }
    let tracer = tracer(native(&outlet));
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    let span = tracer.build_with_context(SpanBuilder::from_name("name"), &parent);
    assert!(!span.is_recording());
    assert_eq!((outlet.names(), closed.names()), (vec![], vec![]));
}

#[test]
fn a_span_is_not_recorded_in_a_context_where_telemetry_is_suppressed() {
    let outlet = Arc::new(Collected::default());
    let context = Context::new().with_telemetry_suppressed();
    let new = NewSpan {
        name: "name",
        kind: &SpanKind::Internal,
        links: &[],
        start: None,
        scope: SpanScope::Id(ScopeId::EMPTY),
        outer: &context,
        is_foreign: false,
    };
    let name = |id, known: Option<KnownSpan>, _| (id, known.is_some());
    let (started, _) = native(&outlet).start(&new, &context, &mut |_| {}, name);
    assert_eq!(started, (SpanContext::NONE, false));
}

#[test]
fn entries_of_the_baggage_are_recorded() {
    let outlet = Arc::new(Collected::default());
    let baggage = vec!["tenant.id".into(), "region".into()];
    let tracer = tracer(NativeRecorder { baggage, ..native(&outlet) });
    let context =
        Context::new().with_baggage([KeyValue::new("tenant.id", "7"), KeyValue::new("other", "8")]);
    drop(tracer.build_with_context(SpanBuilder::from_name("name"), &context));
    assert_eq!(outlet.taken()[0].attributes, [KeyValue::new("tenant.id", "7")]);
}

#[test]
fn a_span_that_starts_when_its_parent_has_ended_is_of_the_same_local_trace() {
    let outlet = Arc::new(Collected::default());
    let held_traces = HeldTraces::new(KeepRules { errors: true, slower_than: None }, None);
    let sampler: Option<Arc<dyn HeadSampler>> = Some(Arc::new(Never));
    let tracer =
        tracer(NativeRecorder { sampler, held_traces: Some(held_traces), ..native(&outlet) });
    let start = |name: &'static str, context: &Context| {
        tracer.build_with_context(SpanBuilder::from_name(name), context)
    };
    let context = Context::new().with_span(start("parent", &Context::new()));
    let mut open = start("under an open span", &context);
    open.set_status(Status::error("gone wrong"));
    open.end();
    assert_eq!(outlet.names(), [""; 0]);
    context.span().end();
    assert_eq!(outlet.names(), ["under an open span", "parent"]);
    start("under an ended span", &context).end();
    assert_eq!(outlet.names(), ["under an ended span"]);
    start("in another trace", &Context::new()).end();
    start("under a remote span", &remote(1)).end();
    assert_eq!(outlet.names(), [""; 0]);
}

#[test]
fn the_span_of_a_context_is_known_if_it_is_of_this_recorder_and_open() {
    let outlet = Arc::new(Collected::default());
    let tracer = tracer(native(&outlet));
    let start = || tracer.build_with_context(SpanBuilder::from_name("name"), &Context::new());
    let known_on_another_thread = |context: &Context| {
        std::thread::scope(|scope| {
            scope.spawn(|| KnownSpan::of(context).map(|known| known.id)).join().expect("no panic")
        })
    };
    let context = Context::new().with_span(start());
    let id = context.span().span_context().span_id();
    assert_eq!(KnownSpan::of(&context).map(|known| known.id), Some(id));
    assert_eq!(known_on_another_thread(&context), Some(id));
    context.span().end();
    assert_eq!(known_on_another_thread(&context), None);
    let open = start();
    let id = open.span_context().clone();
    let is_remote = |is_remote| {
        let (trace, span, flags) = (id.trace_id(), id.span_id(), id.trace_flags());
        let id = SpanContext::new(trace, span, flags, is_remote, TraceState::NONE);
        KnownSpan::of(&Context::new().with_remote_span_context(id)).is_some()
    };
    assert!(is_remote(false), "the thread remembers the span by its id");
    assert!(!is_remote(true));
    assert!(KnownSpan::of(&Context::new()).is_none());
}

#[test]
fn a_span_ends_with_the_handle_that_its_tracer_gives() {
    let outlet = Arc::new(Collected::default());
    let tracer = tracer(native(&outlet));
    let handle = tracer.build_with_context(SpanBuilder::from_name("name"), &Context::new());
    let id = handle.span_context().clone();
    let context = Context::new().with_span(handle);
    let KnownSpan { slot, .. } = KnownSpan::of(&context).expect("it is open");
    let mut another = Handle::of(slot).expect("it is open");
    assert!(another.is_recording());
    assert_eq!(another.span_context(), &id);
    another.update_name("renamed");
    drop(another);
    assert_eq!(outlet.names(), [""; 0]);
    drop(context);
    assert_eq!(outlet.names(), ["renamed"]);
    assert!(Handle::of(slot).is_none());
    let unrecorded = Handle::unrecorded(&remote(1));
    assert!(!unrecorded.is_recording());
    assert_eq!(unrecorded.span_context(), remote(1).span().span_context());
}

#[test]
fn the_clock_of_a_span_goes_on() {
    let outlet = Arc::new(Collected::default());
    let tracer = tracer(native(&outlet));
    let span = tracer.build_with_context(SpanBuilder::from_name("name"), &Context::new());
    let known = KnownSpan::of(&Context::new().with_span(span)).expect("it is open");
    let (now, later) = (super::nanos(SystemTime::now()), known.now());
    assert!(now.abs_diff(later) < 3_600_000_000_000, "{now} and {later}");
    assert!(known.now() >= later);
}

#[test]
fn a_span_goes_by_the_clock_of_its_parent() {
    let outlet = Arc::new(Collected::default());
    let tracer = tracer(native(&outlet));
    let start =
        |context: &Context| tracer.build_with_context(SpanBuilder::from_name("name"), context);
    let parent = Context::new().with_span(start(&Context::new()));
    let KnownSpan { slot, .. } = KnownSpan::of(&parent).expect("it is open");
    slot.with(|span| span.anchor = Anchor::default());
    let parent = Context::new().with_span(Handle::of(slot).expect("it is open"));
    std::thread::scope(|scope| {
        // That thread does not remember the parent, and asks the handle.
        scope.spawn(|| drop((start(&parent), start(&Context::new()))));
    });
    let [child, other] = &outlet.taken()[..] else { panic!("two spans") };
    let year_2000 = UNIX_EPOCH + Duration::from_secs(30 * 365 * 86_400);
    assert!(child.start_time < year_2000 && other.start_time > year_2000);
}

#[test]
fn a_span_under_a_remote_one_does_not_pass_failures_on() {
    let outlet = Arc::new(Collected::default());
    let tracer = tracer(native(&outlet));
    let start =
        |context: &Context| tracer.build_with_context(SpanBuilder::from_name("name"), context);
    let fail = |context: &Context| {
        let KnownSpan { slot, .. } = KnownSpan::of(context).expect("it is open");
        slot.fail(&RecordedFailure {
            error_type: Some("Error"),
            description: "gone wrong",
            message: "gone wrong",
            causes: &[],
            exception: &[("exception.type", ValueRef::Text("Error"))],
        });
    };
    for is_remote in [false, true] {
        let outer = Context::new().with_span(start(&Context::new()));
        let id = outer.span().span_context().clone();
        let (trace, span, state) = (id.trace_id(), id.span_id(), TraceState::NONE);
        let id = SpanContext::new(trace, span, id.trace_flags(), is_remote, state);
        let inner = start(&Context::new().with_remote_span_context(id));
        fail(&Context::new().with_span(inner));
        fail(&outer);
        drop(outer);
        let events: Vec<_> = outlet.taken().iter().map(|span| span.events.events.len()).collect();
        assert_eq!(events, [1, usize::from(is_remote)]);
    }
}

#[test]
fn a_span_is_recorded_whole_although_its_attributes_panic() {
    let outlet = Arc::new(Collected::default());
    let context = Context::new();
    let new = NewSpan {
        name: "name",
        kind: &SpanKind::Internal,
        links: &[],
        start: None,
        scope: SpanScope::Of(InstrumentedCrate { name: "library", version: None }),
        outer: &context,
        is_foreign: false,
    };
    let mut attributes = |list: &mut Attributes| {
        list.set("a", &1);
        std::panic::resume_unwind(Box::new("oh"));
    };
    let name = |id, known: Option<KnownSpan>, _| (id, known.expect("it is recorded").slot);
    let ((id, slot), panic) = native(&outlet).start(&new, &context, &mut attributes, name);
    assert!(panic.is_some_and(|panic| panic.downcast_ref() == Some(&"oh")));
    slot.end(None);
    let [span] = &outlet.taken()[..] else { panic!("one span") };
    assert_eq!((&span.span_context, &span.attributes[..]), (&id, &[KeyValue::new("a", 1)][..]));
    assert_eq!(span.instrumentation_scope.name(), "library");
}

#[test]
fn times_that_are_given_are_recorded_and_this_moment_is_read_from_the_clock() {
    let outlet = Arc::new(Collected::default());
    let tracer = tracer(native(&outlet));
    let hour = Duration::from_secs(3600);
    let now = SystemTime::now();
    for time in [now - hour, now + hour] {
        let builder = SpanBuilder::from_name("name").with_start_time(now - hour);
        let mut span = tracer.build_with_context(builder, &Context::new());
        span.add_event_with_timestamp("event", now - hour, Vec::new());
        span.end_with_timestamp(time);
        let [span] = &outlet.taken()[..] else { panic!("one span") };
        let times = (span.start_time, span.events.events[0].timestamp, span.end_time);
        assert_eq!(times, (now - hour, now - hour, time));
    }
    let is_this_moment = |_| given(SystemTime::now()).is_none();
    assert!((0..1000).any(is_this_moment), "the thread is not interrupted each time");
}
