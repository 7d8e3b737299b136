//! Models of what several threads do with the slots and the buffer of one thread at once: loom runs every order of their
//! steps. `tests/model.sh` runs them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::batch::Batch;
use super::local::{Local, SlotRef};
use super::outlet::{Outlet, Room};
use super::scope::ScopeId;
use super::test_spans;

const PIPELINE: usize = 1;

/// Counts what it is given. Loom does not look into it: it takes no part in the order of steps.
#[derive(Debug, Default)]
struct Counts {
    spans: AtomicUsize,
    reserved: AtomicUsize,
    released: AtomicUsize,
}

impl Outlet for Counts {
    fn spans_at_once(&self) -> usize {
        2
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        // More than is asked for, as the pipeline does it.
        let room = Room { spans: lacking.spans * 4, bytes: lacking.bytes * 4 };
        self.reserved.fetch_add(room.spans, Ordering::Relaxed);
        Some(room)
    }

    fn release(&self, room: Room) {
        self.released.fetch_add(room.spans, Ordering::Relaxed);
    }

    fn take(&self, batch: Batch) {
        assert_eq!(batch.decode().count(), batch.spans(), "the records are whole");
        self.spans.fetch_add(batch.spans(), Ordering::Relaxed);
    }
}

/// The slots and the buffer of a thread, and where its spans go.
#[derive(Clone)]
struct Recording {
    local: &'static Local,
    counts: Arc<Counts>,
}

impl Recording {
    fn new() -> Self {
        Self { local: Local::new(), counts: Arc::default() }
    }

    fn open(&self) -> SlotRef {
        let outlet: Arc<dyn Outlet> = self.counts.clone();
        test_spans::open(self.local, (PIPELINE, &outlet), ScopeId::EMPTY, "span")
    }

    /// Whether so many spans were handed over, each once, and all room was used or returned.
    fn check(&self, spans: usize) {
        let Counts { spans: taken, reserved, released } = &*self.counts;
        let [taken, reserved, released] =
            [taken, reserved, released].map(|count| count.load(Ordering::Relaxed));
        assert_eq!((taken, reserved), (spans, spans + released));
    }
}

#[test]
fn a_span_that_ends_elsewhere_while_its_thread_drains_is_handed_over_once() {
    loom::model(|| {
        let recording = Recording::new();
        let (first, second) = (recording.open(), recording.open());
        let elsewhere = thread::spawn(move || first.end(Some(3)));
        recording.local.collect(PIPELINE);
        second.end(Some(4));
        elsewhere.join().expect("it ends");
        recording.local.close(PIPELINE);
        recording.check(2);
        assert!(!recording.local.has_open(PIPELINE));
    });
}

#[test]
fn a_span_that_ends_twice_at_once_ends_once() {
    loom::model(|| {
        let recording = Recording::new();
        let span = recording.open();
        let ends = [3, 4].map(|at| thread::spawn(move || span.end(Some(at))));
        for end in ends {
            end.join().expect("it ends");
        }
        recording.local.close(PIPELINE);
        recording.check(1);
    });
}

#[test]
fn a_span_that_ends_while_its_thread_ends_is_handed_over_by_the_next_thread() {
    loom::model(|| {
        let recording = Recording::new();
        let span = recording.open();
        let elsewhere = thread::spawn(move || span.end(Some(3)));
        // The thread ends, and another one takes over what it has.
        recording.local.retire();
        let next = recording.open();
        assert!(span.with(|_| ()).is_none() || next.with(|_| ()).is_some(), "they are two spans");
        next.end(Some(5));
        elsewhere.join().expect("it ends");
        recording.local.close(PIPELINE);
        recording.check(2);
    });
}

#[test]
fn a_span_that_ends_during_a_shutdown_is_handed_over_or_counted_as_late() {
    loom::model(|| {
        let recording = Recording::new();
        let span = recording.open();
        let elsewhere = thread::spawn(move || span.end(Some(3)));
        for slot in recording.local.opened(PIPELINE) {
            slot.interrupt();
        }
        recording.local.close(PIPELINE);
        elsewhere.join().expect("it ends");
        // The thread that shuts down ends what is open, so the span is never late here.
        recording.check(1);
    });
}

#[test]
fn a_reference_to_a_span_that_has_ended_changes_no_other_span() {
    loom::model(|| {
        let recording = Recording::new();
        let span = recording.open();
        let late = thread::spawn(move || {
            span.end(Some(3));
            span.end(Some(4));
            span.with(|span| span.rename("another")).is_some()
        });
        let next = recording.open();
        let renamed = late.join().expect("it ends");
        assert!(!renamed, "the span has ended");
        assert!(next.with(|_| ()).is_some(), "the other one has not");
        next.end(Some(4));
        recording.local.close(PIPELINE);
        recording.check(2);
    });
}
