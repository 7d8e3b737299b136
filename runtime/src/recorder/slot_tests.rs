//! What an open span makes of failures, times and its slot.

use std::sync::{Arc, Mutex};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

use super::batch::Batch;
use super::clock::Anchor;
use super::kept::{HeldTraces, KeepRules};
use super::local::{Local, SlotRef, SpanRoute};
use super::message::{Head, begin};
use super::outlet::{Outlet, Room};
use super::scope::ScopeId;
use super::slot::Slot;
use super::{Exceptions, RecordedFailure, test_spans};
use crate::encoding::{Keys, Limits, ValueRef};

const PIPELINE: usize = 7;

/// An outlet that keeps the last span it gets.
#[derive(Debug, Default)]
struct Last(Mutex<Option<SpanData>>);

impl Outlet for Last {
    fn spans_at_once(&self) -> usize {
        1
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        Some(lacking)
    }

    fn release(&self, _room: Room) {}

    fn take(&self, batch: Batch) {
        *self.0.lock().expect("no panic") = batch.decode().last();
    }
}

/// A thread's slots, and where its spans go.
struct Spans {
    local: &'static Local,
    outlet: Arc<Last>,
}

impl Spans {
    fn new() -> Self {
        Self { local: Local::new(), outlet: Arc::default() }
    }

    fn open(&self) -> SlotRef {
        let outlet: Arc<dyn Outlet> = self.outlet.clone();
        test_spans::open(self.local, (PIPELINE, &outlet), ScopeId::EMPTY, "name")
    }

    /// Opens a span inside another one.
    fn open_in(&self, outer: SlotRef, is_foreign: bool) -> SlotRef {
        let slot = self.open();
        slot.with(|span| (span.outer, span.is_foreign) = (Some(outer), is_foreign));
        slot
    }

    /// The span as it is exported.
    fn end(&self, slot: SlotRef) -> SpanData {
        slot.end(None);
        self.outlet.0.lock().expect("no panic").take().expect("it has ended")
    }
}

fn fail(slot: SlotRef, description: &str, causes: &[&str]) {
    slot.fail(&RecordedFailure {
        error_type: Some("Error"),
        description,
        message: description,
        causes: &causes.iter().map(|cause| (*cause).to_owned()).collect::<Vec<_>>(),
        exception: &[("exception.message", ValueRef::Text(description)), ("n", ValueRef::I64(1))],
    });
}

/// How many exceptions a span has that fails with this message.
fn exceptions(spans: &Spans, slot: SlotRef, description: &str, causes: &[&str]) -> usize {
    fail(slot, description, causes);
    spans.end(slot).events.events.len()
}

#[test]
fn a_failure_sets_the_status_the_error_type_and_an_exception() {
    let spans = Spans::new();
    let slot = spans.open();
    fail(slot, "gone wrong", &[]);
    let span = spans.end(slot);
    assert_eq!(span.status, Status::error("gone wrong"));
    assert_eq!(span.attributes, [KeyValue::new("error.type", "Error")]);
    let [exception] = &span.events.events[..] else { panic!("one exception") };
    assert_eq!(&*exception.name, "exception");
    let expected = [KeyValue::new("exception.message", "gone wrong"), KeyValue::new("n", 1)];
    assert_eq!(exception.attributes, expected);
}

#[test]
fn the_programs_own_error_type_stays() {
    let spans = Spans::new();
    for (key, expected) in [("error.type", "own"), ("other", "Error")] {
        let slot = spans.open();
        slot.with(|span| span.set_attribute(key, ValueRef::Text("own")));
        fail(slot, "gone wrong", &[]);
        let attributes = spans.end(slot).attributes;
        assert!(attributes.contains(&KeyValue::new("error.type", expected)), "{attributes:?}");
    }
}

#[test]
fn an_error_is_an_exception_on_the_innermost_span_only() {
    let spans = Spans::new();
    for (outer_fails_with, causes, expected) in [
        ("gone wrong", &[][..], 0),
        ("it failed", &["gone wrong"], 0),
        ("it failed", &["another reason"], 1),
        ("it failed", &[], 1),
    ] {
        let outer = spans.open();
        let inner = spans.open_in(outer, false);
        assert_eq!(exceptions(&spans, inner, "gone wrong", &[]), 1);
        assert_eq!(exceptions(&spans, outer, outer_fails_with, causes), expected);
    }
    let next = spans.open();
    assert_eq!(exceptions(&spans, next, "gone wrong", &[]), 1, "the slot remembers no failure");
}

#[test]
fn a_span_remembers_the_latest_eight_failures() {
    let spans = Spans::new();
    for (failures, forgotten) in [(8, None), (9, Some(0)), (17, Some(8))] {
        let outer = spans.open();
        for failure in 0..failures {
            let inner = spans.open_in(outer, false);
            for _ in 0..2 {
                fail(inner, &failure.to_string(), &[]);
            }
            spans.end(inner);
        }
        for failure in failures - 8..failures {
            fail(outer, &failure.to_string(), &[]);
        }
        let expected = match forgotten {
            Some(forgotten) => {
                fail(outer, &i32::to_string(&forgotten), &[]);
                1
            }
            None => 0,
        };
        assert_eq!(spans.end(outer).events.events.len(), expected, "{failures}");
    }
}

#[test]
fn spans_of_other_instrumentation_pass_failures_on_up_to_the_fourth() {
    let spans = Spans::new();
    for (foreign, expected) in [(0, 0), (1, 0), (3, 0), (4, 1)] {
        let outer = spans.open();
        let innermost = (0..foreign).fold(outer, |outer, _| spans.open_in(outer, true));
        let inner = spans.open_in(innermost, false);
        fail(inner, "gone wrong", &[]);
        assert_eq!(exceptions(&spans, outer, "gone wrong", &[]), expected, "{foreign}");
    }
    let outermost = spans.open();
    let outer = spans.open_in(outermost, false);
    fail(spans.open_in(outer, false), "gone wrong", &[]);
    assert_eq!(exceptions(&spans, outermost, "gone wrong", &[]), 1, "our own spans do not");
}

static LOGGED: Mutex<Vec<(SpanContext, Vec<KeyValue>)>> = Mutex::new(Vec::new());

#[test]
fn exceptions_go_to_the_log_instead_where_that_is_wanted() {
    let spans = Spans::new();
    let outer = spans.open();
    let inner = spans.open_in(outer, false);
    let log = |context: &SpanContext, pairs| {
        LOGGED.lock().expect("no panic").push((context.clone(), pairs));
    };
    for slot in [outer, inner] {
        slot.with(|span| span.exceptions = Exceptions { events: false, log: Some(log) });
    }
    assert_eq!(exceptions(&spans, inner, "gone wrong", &[]), 0);
    assert_eq!(exceptions(&spans, outer, "gone wrong", &[]), 0);
    let logged = LOGGED.lock().expect("no panic");
    let [(context, pairs)] = &logged[..] else { panic!("one record: {logged:?}") };
    assert_eq!(context.span_id(), SpanId::from(2));
    let expected = [KeyValue::new("exception.message", "gone wrong"), KeyValue::new("n", 1)];
    assert_eq!(pairs[..], expected);
}

#[test]
fn a_slot_has_a_span_for_each_generation_but_the_last() {
    assert!(Slot::after(u32::MAX - 1).is_reusable());
    assert!(!Slot::after(u32::MAX).is_reusable());
    let mut slot = Slot::after(5);
    assert!(!slot.holds(5), "no span is in it");
    slot.is_open = true;
    assert!(slot.holds(5) && !slot.holds(4));
    assert!(slot.is_of(0) && !slot.is_of(1));
}

#[test]
fn a_slot_that_is_cleared_keeps_neither_a_trace_nor_an_outlet() {
    let outlet: Arc<Last> = Arc::default();
    let held_traces = HeldTraces::new(KeepRules { errors: true, slower_than: None }, None);
    let mut slot = Slot::after(1);
    slot.is_open = true;
    slot.span.trace = held_traces.start(false);
    slot.span.route = SpanRoute::Direct(outlet.clone());
    assert!(!slot.is_of(0));
    slot.clear();
    assert!(!slot.is_open && slot.span.trace.is_none() && slot.span.record().is_empty());
    assert_eq!((Arc::strong_count(&outlet), Arc::strong_count(&held_traces)), (1, 1));
}

#[test]
fn a_span_ends_at_the_time_that_is_given_or_else_not_before_it_started() {
    const FUTURE: u64 = 1 << 62;

    let spans = Spans::new();
    let end = |at: Option<u64>, started: u64| {
        let slot = spans.open();
        let ended = slot.with(|span| {
            let record = span.record().to_vec();
            span.start(started, record, Keys::default(), &Limits::NONE, Anchor::default());
            span.is_first = true;
            let end = span.finish(at);
            (end, span.ended(end))
        });
        ended.expect("it is open")
    };
    let (ended_at, ended) = end(Some(9), 2);
    assert_eq!((ended_at, ended.nanos, ended.has_failed, ended.is_first), (9, 7, false, true));
    let (ended_at, ended) = end(Some(1), 2);
    assert_eq!((ended_at, ended.nanos), (1, 0));
    assert_eq!(end(None, FUTURE).0, FUTURE);
    assert!(end(None, 1).0 < FUTURE);
}

#[test]
fn events_have_the_time_that_is_given_or_that_of_the_spans_clock() {
    let spans = Spans::new();
    let slot = spans.open();
    let before = slot.with(|span| span.now()).expect("it is open");
    slot.with(|span| span.add_event("given", Some(9), &[]));
    slot.with(|span| span.add_event("now", None, &[]));
    let after = slot.with(|span| span.now()).expect("it is open");
    let times: Vec<u64> =
        spans.end(slot).events.events.iter().map(|event| super::nanos(event.timestamp)).collect();
    assert_eq!(times[0], 9);
    assert!(1 < before && before <= times[1] && times[1] <= after, "{times:?}");
}

/// Starts the span in a slot anew, in this memory and with these limits. Returns the memory that it had before.
fn start_over(slot: &mut Slot, memory: Vec<u8>, limits: &Limits) -> Vec<u8> {
    let head = Head {
        scope: ScopeId::EMPTY,
        context: &SpanContext::NONE,
        parent: SpanId::INVALID,
        parent_is_remote: false,
        name: "name",
        kind: &SpanKind::Internal,
        start: 1,
    };
    let record = begin(memory, &head);
    slot.span.start(1, record, Keys::default(), limits, Anchor::default())
}

#[test]
fn a_slot_keeps_4_kib_for_its_next_span() {
    for (capacity, kept) in [(4096, 4096), (4097, 0)] {
        let mut slot = Slot::after(1);
        start_over(&mut slot, Vec::with_capacity(capacity), &Limits::NONE);
        slot.clear();
        let before = start_over(&mut slot, Vec::new(), &Limits::NONE);
        assert_eq!((before.len(), before.capacity()), (0, kept));
    }
}

#[test]
fn of_the_keys_without_room_4096_count_once_each() {
    let mut slot = Slot::after(1);
    start_over(&mut slot, Vec::new(), &Limits { attributes: 1, ..Limits::NONE });
    let mut set = |key: &str| slot.span.set_attribute(key, ValueRef::Bool(true));
    set("kept");
    for _ in 0..2 {
        (0..4096).for_each(|key: u32| set(&key.to_string()));
    }
    for key in ["kept", "0", "4095", "new", "new"] {
        set(key);
    }
    slot.span.finish(Some(2));
    let mut batch = Batch::default();
    batch.push_record(slot.span.record());
    let [span] = &batch.decode().collect::<Vec<_>>()[..] else { panic!("one span") };
    assert_eq!((span.attributes.len(), span.dropped_attributes_count), (1, 4096 + 2));
}

#[test]
fn an_error_gives_way_to_a_later_one_and_ok_is_final() {
    let spans = Spans::new();
    let after = |statuses: &[Status], failure: Option<&str>| {
        let slot = spans.open();
        for status in statuses {
            slot.with(|span| span.set_status(status));
        }
        if let Some(failure) = failure {
            fail(slot, failure, &[]);
        }
        spans.end(slot).status
    };
    let [first, second] = ["first", "second"].map(Status::error);
    assert_eq!(after(&[first.clone(), second.clone()], None), second);
    assert_eq!(after(&[first.clone(), Status::Unset], None), first);
    assert_eq!(after(std::slice::from_ref(&first), Some("second")), second);
    assert_eq!(after(&[first, Status::Ok, second], Some("third")), Status::Ok);
}
