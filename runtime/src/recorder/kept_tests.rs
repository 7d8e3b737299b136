//! Which spans of which traces are exported.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::batch::Batch;
use super::kept::{EndedSpan, HeldTraces, KeepRules, LocalTrace};
use super::scope::ScopeId;
use crate::sampling::certain;

const ERRORS: KeepRules = KeepRules { errors: true, slower_than: None };
const NOTHING: [u8; 0] = [];

/// The record of a span of this trace, with a payload of so many bytes.
fn record(trace: u8, span: u8, payload: usize) -> Batch {
    let mut batch = Batch::default();
    batch.push(ScopeId::EMPTY, |writer| {
        writer.bytes(1, &[trace; 16]);
        writer.bytes(2, &[span; 8]);
        writer.text(5, &"x".repeat(payload));
        writer.fixed32(16, 0x100);
    });
    batch
}

/// What is exported when this span of the trace ends.
fn end(trace: &Arc<LocalTrace>, ended: EndedSpan, record: &Batch) -> Vec<u8> {
    ids(trace.end(ended, record.bytes()))
}

/// The spans' ids, one byte of each.
fn ids(batches: impl IntoIterator<Item = Batch>) -> Vec<u8> {
    let spans = batches.into_iter().flat_map(|batch| batch.decode().collect::<Vec<_>>());
    spans.map(|span| span.span_context.span_id().to_bytes()[0]).collect()
}

fn fine() -> EndedSpan {
    EndedSpan { has_failed: false, nanos: 10, is_first: false }
}

fn failed() -> EndedSpan {
    EndedSpan { has_failed: true, ..fine() }
}

fn first() -> EndedSpan {
    EndedSpan { is_first: true, ..fine() }
}

fn started(held_traces: &Arc<HeldTraces>, is_sampled: bool, spans: usize) -> Arc<LocalTrace> {
    let trace = held_traces.start(is_sampled).expect("its spans are held");
    (0..spans).for_each(|_| trace.open());
    trace
}

#[test]
fn traces_are_kept_if_an_option_says_so() {
    let slow = KeepRules { slower_than: Some(Duration::ZERO), ..KeepRules::default() };
    assert_eq!(
        [KeepRules::default(), ERRORS, slow].map(|keep| keep.anything()),
        [false, true, true]
    );
}

#[test]
fn a_trace_without_failures_is_not_exported() {
    let held_traces = HeldTraces::new(ERRORS, None);
    let trace = started(&held_traces, false, 2);
    assert_eq!(end(&trace, fine(), &record(1, 1, 0)), NOTHING);
    assert_eq!(end(&trace, first(), &record(1, 2, 0)), NOTHING);
    assert_eq!((held_traces.held_bytes(), held_traces.evicted()), (0, 0));
}

#[test]
fn a_trace_with_a_failure_is_exported_whole_when_its_first_span_ends() {
    let held_traces = HeldTraces::new(ERRORS, None);
    let trace = started(&held_traces, false, 3);
    assert_eq!(end(&trace, fine(), &record(1, 1, 0)), NOTHING);
    assert_eq!(end(&trace, failed(), &record(1, 2, 0)), NOTHING);
    assert!(held_traces.held_bytes() > 0);
    let exported = trace.end(first(), record(1, 3, 0).bytes()).expect("it is kept");
    assert!(exported.decode().all(|span| span.span_context.is_sampled()));
    assert_eq!((ids([exported]), held_traces.held_bytes()), (vec![1, 2, 3], 0));
}

#[test]
fn spans_that_end_after_the_first_one_still_decide() {
    let held_traces = HeldTraces::new(ERRORS, None);
    let trace = started(&held_traces, false, 3);
    assert_eq!(end(&trace, first(), &record(1, 1, 0)), NOTHING);
    assert_eq!(end(&trace, failed(), &record(1, 2, 0)), [1, 2]);
    // Once it is known, each span goes out by itself.
    assert_eq!(end(&trace, fine(), &record(1, 3, 0)), [3]);
}

#[test]
fn a_slow_span_keeps_its_trace() {
    let slower_than = Some(Duration::from_nanos(100));
    let held_traces = HeldTraces::new(KeepRules { errors: false, slower_than }, None);
    for (nanos, exported) in [(99, vec![]), (100, vec![1])] {
        let trace = started(&held_traces, false, 1);
        let ended = EndedSpan { nanos, has_failed: true, ..first() };
        assert_eq!(end(&trace, ended, &record(1, 1, 0)), exported, "{nanos}");
    }
}

#[test]
fn what_is_sampled_is_held_only_where_thresholds_are_written() {
    assert!(HeldTraces::new(ERRORS, None).start(true).is_none());
    let held_traces = HeldTraces::new(ERRORS, Some(certain));
    for (ended, state) in [(failed(), "ot=th:0"), (fine(), "")] {
        let trace = started(&held_traces, true, 2);
        assert_eq!(end(&trace, ended, &record(1, 1, 0)), NOTHING);
        let exported = trace.end(first(), record(1, 2, 0).bytes()).expect("it is sampled");
        let states: Vec<_> =
            exported.decode().map(|span| span.span_context.trace_state().header()).collect();
        assert_eq!(states, [state, state]);
    }
}

#[test]
fn spans_of_a_kept_trace_say_that_they_are_sampled_and_keep_what_others_say() {
    for (certain, state) in
        [(None, "ot=th:8,a=1"), (Some(certain as fn(&str) -> String), "ot=th:0,a=1")]
    {
        for flags in [0x100, 0x101] {
            let mut record = Batch::default();
            record.push(ScopeId::EMPTY, |writer| {
                writer.bytes(1, &[1; 16]);
                writer.bytes(2, &[2; 8]);
                writer.text(3, "ot=th:8,a=1");
                writer.text(5, "name");
                writer.fixed32(16, flags);
            });
            let trace = started(&HeldTraces::new(ERRORS, certain), false, 1);
            let ended = EndedSpan { has_failed: true, ..first() };
            let exported = trace.end(ended, record.bytes()).expect("it is kept");
            let [span] = &exported.decode().collect::<Vec<_>>()[..] else { panic!("one span") };
            let context = &span.span_context;
            assert!(context.is_sampled());
            assert_eq!((context.trace_state().header(), &*span.name), (state.to_owned(), "name"));
        }
    }
}

#[test]
fn without_room_the_oldest_trace_is_decided_as_it_was_at_its_start() {
    const MEGABYTE: usize = 1 << 20;

    let held_traces = HeldTraces::new(ERRORS, Some(certain));
    let [unsampled, sampled, latest] = [false, true, false].map(|it| started(&held_traces, it, 3));
    assert_eq!(end(&unsampled, fine(), &record(1, 1, 6 * MEGABYTE)), NOTHING);
    assert_eq!(end(&sampled, fine(), &record(2, 2, 6 * MEGABYTE)), NOTHING);
    assert!(held_traces.make_room().is_empty(), "there is room");
    assert_eq!(end(&latest, fine(), &record(3, 3, 6 * MEGABYTE)), NOTHING);
    assert_eq!((ids(held_traces.make_room()), held_traces.evicted()), (vec![], 1));
    assert_eq!(end(&latest, fine(), &record(3, 4, 6 * MEGABYTE)), NOTHING);
    assert_eq!((ids(held_traces.make_room()), held_traces.evicted()), (vec![2], 2));
    // The rest of a trace is held anew.
    assert_eq!(end(&unsampled, failed(), &record(1, 5, 0)), NOTHING);
    assert_eq!(end(&unsampled, first(), &record(1, 6, 0)), [5, 6]);
    drop((sampled, latest));
    assert_eq!(held_traces.held_bytes(), 0);
}

#[test]
fn a_trace_that_goes_on_for_ever_does_not_make_the_list_grow() {
    let held_traces = HeldTraces::new(ERRORS, None);
    let for_ever = started(&held_traces, false, 2);
    assert_eq!(end(&for_ever, fine(), &record(1, 1, 0)), NOTHING);
    let (first_record, second_record) = (record(2, 1, 0), record(2, 2, 0));
    for _ in 0..10_000 {
        let trace = started(&held_traces, false, 2);
        assert_eq!(end(&trace, fine(), &first_record), NOTHING);
        assert_eq!(end(&trace, first(), &second_record), NOTHING);
    }
    assert!(held_traces.listed() <= 1024, "{}", held_traces.listed());
    assert_eq!(end(&for_ever, failed(), &record(1, 2, 0)), [1, 2]);
}

#[test]
fn there_is_room_for_16_mib_of_spans_to_the_byte() {
    const MOST: usize = 16 << 20;

    let held_traces = HeldTraces::new(ERRORS, None);
    let trace = started(&held_traces, false, 3);
    let rest = record(1, 1, MOST / 2).size() - MOST / 2;
    assert_eq!(end(&trace, fine(), &record(1, 1, MOST - rest)), NOTHING);
    assert!(held_traces.make_room().is_empty());
    assert_eq!((held_traces.held_bytes(), held_traces.evicted()), (MOST, 0));
    assert_eq!(end(&trace, fine(), &record(1, 2, 0)), NOTHING);
    assert!(held_traces.make_room().is_empty(), "the trace was not sampled");
    assert_eq!((held_traces.held_bytes(), held_traces.evicted()), (0, 2));
}

#[test]
fn a_trace_is_whole_although_threads_start_and_end_its_spans_at_once() {
    const THREADS: usize = 8;
    const EACH: usize = 500;

    let held_traces = HeldTraces::new(ERRORS, None);
    let trace = started(&held_traces, false, 1);
    let record = record(1, 1, 0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    trace.open();
                    assert_eq!(end(&trace, fine(), &record), NOTHING);
                }
            });
        }
    });
    trace.open();
    assert_eq!(end(&trace, failed(), &record), NOTHING);
    assert_eq!(end(&trace, first(), &record).len(), THREADS * EACH + 2);
    assert_eq!(held_traces.held_bytes(), 0);
}

#[test]
fn of_a_thousand_traces_on_eight_threads_those_that_fail_are_whole() {
    let held_traces = HeldTraces::new(ERRORS, None);
    let fails = |number: usize, thread: usize| (number + thread).is_multiple_of(10);
    let exported: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let held_traces = &held_traces;
                scope.spawn(move || {
                    let traces: Vec<_> =
                        (0..125).map(|_| started(held_traces, false, 11)).collect();
                    let mut exported = 0;
                    for (number, trace) in traces.iter().enumerate() {
                        let fails = fails(number, thread);
                        for span in 1..=10 {
                            let ended = if fails && span == 5 { failed() } else { fine() };
                            assert_eq!(end(trace, ended, &record(1, span, 50)), NOTHING);
                        }
                        let spans = end(trace, first(), &record(1, 11, 50));
                        let whole: Vec<u8> = if fails { (1..=11).collect() } else { Vec::new() };
                        assert_eq!(spans, whole);
                        exported += spans.len();
                    }
                    exported
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
    });
    let failing = (0..8).flat_map(|thread| (0..125).map(move |number| fails(number, thread)));
    let failing = failing.filter(|fails| *fails).count();
    assert_eq!((exported, held_traces.held_bytes(), held_traces.evicted()), (failing * 11, 0, 0));
}
