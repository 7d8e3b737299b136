//! When the buffer of a thread is handed over, and which span a `SlotRef` finds.

use std::sync::{Arc, Mutex};

use opentelemetry::trace::{SpanContext, SpanId, Status};

use super::batch::Batch;
use super::kept::{HeldTraces, KeepRules, LocalTrace};
use super::local::{Local, SlotRef, SpanRoute};
use super::outlet::{Outlet, Room};
use super::scope::ScopeId;
use super::{late, test_spans};

const PIPELINE: usize = 7;
const FULL: usize = 64 << 10;

/// An outlet that lists the calls it gets.
#[derive(Debug)]
struct Listed {
    spans_at_once: usize,
    /// The room that each reservation gets beyond what it asks for. `None`: there is no room.
    more: Mutex<Option<Room>>,
    calls: Mutex<Vec<Call>>,
}

#[derive(Debug, PartialEq)]
enum Call {
    Expect(SpanId),
    Reserve(usize, usize),
    Release(usize, usize),
    Wake,
    /// So many spans, and so many bytes.
    Take(usize, usize),
}

use Call::{Expect, Release, Reserve, Take, Wake};

use crate::lock::Unpoisoned;

impl Listed {
    fn new(spans_at_once: usize, more: Room) -> Arc<Self> {
        Arc::new(Self { spans_at_once, more: Mutex::new(Some(more)), calls: Mutex::default() })
    }

    fn list(&self, call: Call) {
        self.calls.lock().expect("no panic").push(call);
    }

    /// The calls since the last time.
    fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().expect("no panic"))
    }
}

impl Outlet for Listed {
    fn spans_at_once(&self) -> usize {
        self.spans_at_once
    }

    fn expect(&self, span: &SpanContext) {
        self.list(Expect(span.span_id()));
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        self.list(Reserve(lacking.spans, lacking.bytes));
        let more = (*self.more.lock().expect("no panic"))?;
        let of = |lacking: usize, more: usize| if lacking == 0 { 0 } else { lacking + more };
        Some(Room { spans: of(lacking.spans, more.spans), bytes: of(lacking.bytes, more.bytes) })
    }

    fn release(&self, room: Room) {
        self.list(Release(room.spans, room.bytes));
    }

    fn wake(&self) {
        self.list(Wake);
    }

    fn take(&self, batch: Batch) {
        self.list(Take(batch.spans(), batch.size()));
    }
}

/// Adds records of these lengths.
fn append(local: &Local, outlet: &Arc<Listed>, lengths: impl IntoIterator<Item = usize>) {
    let outlet: Arc<dyn Outlet> = outlet.clone();
    lengths.into_iter().for_each(|length| local.append(PIPELINE, &outlet, &vec![0; length]));
}

fn open_in(local: &'static Local, pipeline: usize, outlet: &Arc<Listed>) -> SlotRef {
    let outlet: Arc<dyn Outlet> = outlet.clone();
    test_spans::open(local, (pipeline, &outlet), ScopeId::EMPTY, "name")
}

/// Opens a span of a trace.
fn open_of(local: &'static Local, outlet: &Arc<Listed>, trace: &Arc<LocalTrace>) -> SlotRef {
    let slot = open_in(local, PIPELINE, outlet);
    trace.open();
    slot.with(|span| span.trace = Some(trace.clone()));
    slot
}

/// Held by tests in which spans end too late: all tests of the process count them together.
static COUNTS_LATE: Mutex<()> = Mutex::new(());

const AMPLE: Room = Room { spans: 1000, bytes: 1 << 20 };

#[test]
fn a_buffer_is_handed_over_with_as_many_spans_as_the_outlet_takes_at_once() {
    let (local, outlet) = (Local::new(), Listed::new(3, Room { spans: 4, bytes: 1000 }));
    append(local, &outlet, [10; 4]);
    assert_eq!(outlet.calls(), [Reserve(1, 10), Wake, Take(3, 30), Wake]);
    local.collect(PIPELINE + 1);
    assert_eq!(outlet.calls(), []);
    local.collect(PIPELINE);
    assert_eq!(outlet.calls(), [Take(1, 10), Release(1, 970)]);
}

#[test]
fn room_is_reserved_when_spans_or_bytes_are_lacking() {
    let (local, outlet) = (Local::new(), Listed::new(100, Room { spans: 2, bytes: 100 }));
    append(local, &outlet, [10, 100]);
    assert_eq!(outlet.calls(), [Reserve(1, 10), Wake]);
    append(local, &outlet, [1]);
    assert_eq!(outlet.calls(), [Reserve(0, 1)]);
    append(local, &outlet, [100]);
    assert_eq!(outlet.calls(), [Reserve(1, 0)]);
    append(local, &outlet, [0; 2]);
    append(local, &outlet, [1]);
    assert_eq!(outlet.calls(), [Reserve(1, 1)]);
    local.retire();
    assert_eq!(outlet.calls(), [Take(7, 212), Release(2, 100)]);
}

#[test]
fn a_span_without_room_is_not_added() {
    let (local, outlet) = (Local::new(), Listed::new(100, AMPLE));
    *outlet.more.lock().expect("no panic") = None;
    append(local, &outlet, [10]);
    assert_eq!(outlet.calls(), [Reserve(1, 10)]);
    assert_eq!(local.waiting(PIPELINE).0, 0);
}

#[test]
fn a_buffer_is_handed_over_when_it_has_64_kib_to_the_byte() {
    let (local, outlet) = (Local::new(), Listed::new(100, AMPLE));
    append(local, &outlet, [FULL - 1]);
    assert_eq!(outlet.calls(), [Reserve(1, FULL - 1), Wake]);
    append(local, &outlet, [1]);
    assert_eq!(outlet.calls(), [Take(2, FULL)]);
    append(local, &outlet, [FULL]);
    assert_eq!(outlet.calls(), [Take(1, FULL)]);
}

#[test]
fn a_span_has_a_batch_of_its_own_if_both_have_more_than_128_kib() {
    let (local, outlet) = (Local::new(), Listed::new(100, AMPLE));
    append(local, &outlet, [10, 2 * FULL - 10]);
    assert_eq!(outlet.calls(), [Reserve(1, 10), Wake, Take(2, 2 * FULL)]);
    append(local, &outlet, [10, 2 * FULL - 9]);
    assert_eq!(outlet.calls(), [Wake, Take(1, 10), Take(1, 2 * FULL - 9)]);
    append(local, &outlet, [3 * FULL]);
    assert_eq!(outlet.calls(), [Take(1, 3 * FULL)]);
}

#[test]
fn each_span_is_handed_over_alone_to_an_outlet_that_takes_one_at_a_time() {
    let (local, outlet) = (Local::new(), Listed::new(1, Room { spans: 1, bytes: 5 }));
    append(local, &outlet, [10, 5]);
    assert_eq!(outlet.calls(), [Reserve(1, 10), Take(1, 10), Take(1, 5)]);
    assert_eq!(local.waiting(PIPELINE).0, 0);
}

#[test]
fn a_buffer_is_of_one_pipeline_at_a_time() {
    let _counts = COUNTS_LATE.lock().unpoisoned();
    let (local, outlet) = (Local::new(), Listed::new(100, Room { spans: 1, bytes: 5 }));
    append(local, &outlet, [10; 2]);
    assert_eq!([PIPELINE, PIPELINE + 1].map(|number| local.waiting(number).0), [2, 0]);
    let earlier = open_in(local, PIPELINE, &outlet);
    outlet.calls();
    let other = Listed::new(100, AMPLE);
    let slot = open_in(local, PIPELINE + 1, &other);
    assert_eq!(outlet.calls(), [Take(2, 20), Release(0, 10)]);
    assert_eq!(Arc::strong_count(&outlet), 1, "the thread has forgotten it");
    earlier.end(Some(9));
    assert_eq!(other.calls(), [], "the span is of the other pipeline");
    slot.end(Some(9));
    assert_eq!([PIPELINE, PIPELINE + 1].map(|number| local.waiting(number).0), [0, 1]);
}

#[test]
fn a_pipeline_that_closes_gets_what_waits_and_nothing_after_that() {
    let _counts = COUNTS_LATE.lock().unpoisoned();
    let (local, outlet) = (Local::new(), Listed::new(100, Room { spans: 1, bytes: 1000 }));
    let [in_time, too_late] = [(); 2].map(|()| open_in(local, PIPELINE, &outlet));
    in_time.end(Some(9));
    local.close(PIPELINE + 1);
    assert!(matches!(outlet.calls()[..], [Reserve(1, _), Wake]));
    local.close(PIPELINE);
    assert!(matches!(outlet.calls()[..], [Take(1, _), Release(1, 1000)]));
    assert_eq!(Arc::strong_count(&outlet), 1, "the thread has forgotten it");
    let before = late::late();
    too_late.end(Some(9));
    assert_eq!((outlet.calls(), late::late() - before), (vec![], 1));
    late::start_over();
    assert_eq!(late::late(), 0);
}

#[test]
fn the_spans_of_a_kept_trace_are_handed_over_together() {
    for (spans_at_once, expected) in [(1, Take(3, 0)), (100, Wake)] {
        let (local, outlet) = (Local::new(), Listed::new(spans_at_once, AMPLE));
        let held_traces = HeldTraces::new(KeepRules { errors: true, slower_than: None }, None);
        let trace = held_traces.start(false).expect("its spans are held");
        let slots = [(); 3].map(|()| open_of(local, &outlet, &trace));
        slots[1].with(|span| span.set_status(&Status::error("gone wrong")));
        slots[2].with(|span| span.is_first = true);
        slots[..2].iter().for_each(|slot| slot.end(Some(9)));
        assert_eq!(outlet.calls(), []);
        slots[2].end(Some(9));
        let mut calls = outlet.calls();
        let last = match calls.pop() {
            Some(Take(spans, _)) => Take(spans, 0),
            last => last.expect("there are calls"),
        };
        assert_eq!(last, expected);
        let id = || Expect(SpanId::from(2));
        assert_eq!(calls[..3], [id(), id(), id()]);
        assert!(matches!(calls[3..], [Reserve(1, _)]), "{calls:?}");
    }
}

#[test]
fn the_oldest_held_traces_are_exported_when_a_span_needs_their_memory() {
    const LARGE: usize = 9 << 20;

    let (local, outlet) = (Local::new(), Listed::new(1, AMPLE));
    let certain: fn(&str) -> String = str::to_owned;
    let held_traces = HeldTraces::new(KeepRules::default(), Some(certain));
    let traces = [(); 2].map(|()| held_traces.start(true).expect("its spans are held"));
    for trace in &traces {
        assert_eq!(outlet.calls(), []);
        let slots = [(); 2].map(|()| open_of(local, &outlet, trace));
        slots[0].with(|span| span.rename(&"x".repeat(LARGE)));
        slots[0].end(Some(9));
    }
    let calls = outlet.calls();
    assert!(matches!(calls[..], [Expect(_), Reserve(1, LARGE..), Take(1, LARGE..)]), "{calls:?}");
}

#[test]
fn a_place_finds_nothing_once_its_span_has_ended() {
    let (local, outlet) = (Local::new(), Listed::new(100, AMPLE));
    let first = open_in(local, PIPELINE, &outlet);
    assert!(first.with(|_| ()).is_some());
    first.end(Some(9));
    let second = open_in(local, PIPELINE, &outlet);
    assert_eq!(local.copies().0.len(), 1, "both were in one slot");
    assert!(first.with(|_| ()).is_none());
    first.end(Some(9));
    assert!(second.with(|_| ()).is_some());
    assert_eq!(local.waiting(PIPELINE).0, 1);
}

#[test]
fn a_thread_keeps_64_slots_when_none_is_used() {
    let (local, outlet) = (Local::new(), Listed::new(1000, AMPLE));
    for (count, kept) in [(64, 64), (65, 0)] {
        let slots: Vec<_> = (0..count).map(|_| open_in(local, PIPELINE, &outlet)).collect();
        assert_eq!(local.copies().0.len(), count);
        for slot in &slots {
            slot.end(Some(9));
        }
        local.collect(PIPELINE);
        assert!(matches!(outlet.calls()[..], [.., Take(spans, _), _] if spans == count));
        assert_eq!(local.copies().0.len(), kept);
        let next = open_in(local, PIPELINE, &outlet);
        assert!(slots.iter().all(|slot| slot.with(|_| ()).is_none()), "{count}");
        next.end(Some(9));
        local.collect(PIPELINE);
    }
}

#[test]
fn open_spans_are_found_by_their_pipeline() {
    let (local, outlet) = (Local::new(), Listed::new(100, AMPLE));
    let [ended, open, direct] = [(); 3].map(|()| open_in(local, PIPELINE, &outlet));
    direct.with(|span| span.route = SpanRoute::Direct(outlet.clone()));
    ended.end(Some(9));
    assert!(local.has_open(PIPELINE) && !local.has_open(PIPELINE + 1));
    for slot in local.opened(PIPELINE) {
        slot.end(Some(9));
    }
    assert!(open.with(|_| ()).is_none() && direct.with(|_| ()).is_some());
    assert!(!local.has_open(PIPELINE));
    outlet.calls();
    direct.end(Some(9));
    assert!(matches!(outlet.calls()[..], [Take(1, _)]));
    assert_eq!(Arc::strong_count(&outlet), 2, "the slot has forgotten it");
}

#[test]
fn an_interrupted_span_says_so() {
    let (local, outlet) = (Local::new(), Listed::new(100, AMPLE));
    open_in(local, PIPELINE, &outlet).interrupt();
    let mut batch = Batch::default();
    batch.push_record(&local.copies().1);
    let attributes: Vec<_> = batch.decode().flat_map(|span| span.attributes).collect();
    assert_eq!(attributes, [opentelemetry::KeyValue::new("spandrel.interrupted", true)]);
}
