//! A pipeline's end whose exporter works on a thread of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::BatchSink;
use super::tests::span;
use crate::config;
use crate::exporter::{Answer, Connect, Exporter};
use crate::recorder::{Outlet, Room};
use crate::sdk::Sink;
use crate::stats::Account;

const HOUR: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(4);

/// What the exporters of a sink do, and what they were given.
#[derive(Default)]
struct Shared {
    /// How many spans each request had.
    requests: Mutex<Vec<usize>>,
    /// How many exporters were shut down.
    shut_down: AtomicUsize,
    /// Whether requests are never answered.
    is_stuck: bool,
    /// Whether there is an exporter.
    is_refused: bool,
}

struct Counting(Arc<Shared>);

impl Exporter for Counting {
    const AT_ONCE: usize = 2;
    type Request = usize;

    fn encode(&self, batch: &crate::recorder::Batch) -> Result<usize, String> {
        Ok(batch.spans())
    }

    async fn send(&self, spans: &usize) -> Answer {
        self.0.requests.lock().expect("no panic").push(*spans);
        if self.0.is_stuck { std::future::pending().await } else { Answer::TAKEN }
    }

    async fn shut_down(&self, _timeout: Duration) {
        self.0.shut_down.fetch_add(1, Ordering::Relaxed);
    }
}

fn start(shared: &Arc<Shared>) -> Result<Arc<BatchSink<Counting>>, String> {
    let batch = config::BatchSettings {
        queue: 100,
        size: 3,
        delay: HOUR,
        timeout: None,
        retries_while_closing: false,
    };
    let shared = shared.clone();
    let connect: Connect<Counting> = Arc::new(move || {
        if shared.is_refused {
            Err("it is refused".to_owned())
        } else {
            Ok(Counting(shared.clone()))
        }
    });
    BatchSink::start(connect, batch, "tests", "nowhere".to_owned()).map(Arc::new)
}

/// Hands over so many spans, one by one.
fn take(sink: &BatchSink<Counting>, spans: usize) {
    for _ in 0..spans {
        let room = sink.reserve(Room { spans: 1, bytes: 100 }).expect("there is room");
        sink.take(span(100));
        sink.release(Room { spans: room.spans - 1, bytes: room.bytes - 100 });
    }
}

/// Accepted, exported, dropped, failed and waiting spans.
fn counts(sink: &BatchSink<Counting>) -> [u64; 5] {
    let stats = sink.stats();
    [stats.accepted, stats.exported, stats.dropped, stats.failed, stats.waiting]
}

/// Waits until this is so.
fn wait(is_so: impl Fn() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < patience, "it takes too long");
        std::thread::yield_now();
    }
}

/// Opens a span on this thread and ends it.
fn record(sink: &Arc<BatchSink<Counting>>) {
    let outlet: Arc<dyn Outlet> = sink.clone();
    crate::recorder::append(&outlet, sink.number(), &crate::recorder::tests::empty_span());
}

#[test]
fn a_flush_exports_the_spans_of_threads_and_of_the_queue() {
    let shared = Arc::new(Shared::default());
    let sink = start(&shared).expect("it starts");
    assert!(sink.is_open() && sink.spans_at_once() == 3);
    record(&sink);
    assert_eq!(counts(&sink), [1, 0, 0, 0, 1]);
    take(&sink, 1);
    assert_eq!(counts(&sink), [2, 0, 0, 0, 2]);
    assert!(sink.flush(Some(Instant::now() + PATIENCE)));
    assert_eq!(counts(&sink), [2, 2, 0, 0, 0]);
    assert_eq!(*shared.requests.lock().expect("no panic"), [2]);
    take(&sink, 4);
    wait(|| counts(&sink) == [6, 5, 0, 0, 1]);
    record(&sink);
    sink.start_flush(Instant::now() + HOUR);
    wait(|| counts(&sink) == [7, 7, 0, 0, 0]);
    assert_eq!(sink.report(HOUR), None);
}

#[test]
fn a_shutdown_exports_what_waits_and_closes_the_sink() {
    let shared = Arc::new(Shared::default());
    let sink = start(&shared).expect("it starts");
    record(&sink);
    take(&sink, 1);
    assert!(sink.shut_down(Instant::now() + PATIENCE));
    assert!(!sink.is_open());
    assert_eq!(counts(&sink), [2, 2, 0, 0, 0]);
    assert_eq!(shared.shut_down.load(Ordering::Relaxed), 1);
    assert_eq!(Arc::strong_count(&sink), 1, "no thread has a buffer for it");
    assert!(sink.reserve(Room { spans: 1, bytes: 100 }).is_none());
    assert_eq!(counts(&sink), [3, 2, 1, 0, 0]);
}

#[test]
fn at_the_deadline_a_shutdown_gives_up_requests() {
    let shared = Arc::new(Shared { is_stuck: true, ..Shared::default() });
    let sink = start(&shared).expect("it starts");
    take(&sink, 9);
    wait(|| shared.requests.lock().expect("no panic").len() == 2);
    assert!(!sink.shut_down(Instant::now()));
    assert_eq!(counts(&sink), [9, 0, 3, 6, 0]);
    let report = sink.report(HOUR).expect("spans are lost");
    assert!(report.starts_with("9 of 9 spans lost"), "{report}");
}

#[test]
fn without_an_exporter_there_is_no_sink() {
    let shared = Arc::new(Shared { is_refused: true, ..Shared::default() });
    assert_eq!(start(&shared).err().as_deref(), Some("it is refused"));
}

#[cfg(unix)]
#[test]
fn spans_are_exported_as_they_come_once_that_is_wanted() {
    let shared = Arc::new(Shared::default());
    let sink = start(&shared).expect("it starts");
    sink.export_at_once();
    assert_eq!(sink.spans_at_once(), 1);
    record(&sink);
    wait(|| counts(&sink) == [1, 1, 0, 0, 0]);
}

#[test]
fn a_child_of_fork_exports_its_own_spans() {
    let shared = Arc::new(Shared::default());
    let sink = start(&shared).expect("it starts");
    take(&sink, 1);
    sink.start_over();
    assert_eq!(counts(&sink), [0; 5]);
    take(&sink, 3);
    assert!(sink.flush(Some(Instant::now() + PATIENCE)));
    assert_eq!(counts(&sink), [3, 3, 0, 0, 0]);
}

#[test]
fn room_that_is_returned_is_used_again() {
    let sink = start(&Arc::default()).expect("it starts");
    let room = sink.reserve(Room { spans: 100, bytes: 1 }).expect("there is room");
    assert!(sink.reserve(Room { spans: 1, bytes: 1 }).is_none());
    sink.release(room);
    assert!(sink.reserve(Room { spans: 1, bytes: 1 }).is_some());
}

#[test]
fn buffers_are_used_again() {
    let shared = Arc::new(Shared::default());
    let sink = start(&shared).expect("it starts");
    let room = sink.reserve(Room { spans: 1, bytes: 20_000 }).expect("there is room");
    sink.take(span(20_000));
    assert!(sink.flush(Some(Instant::now() + PATIENCE)));
    sink.release(Room { spans: room.spans - 1, bytes: room.bytes - 20_000 });
    assert!(sink.buffer().emptied().is_some());
    assert!(sink.buffer().emptied().is_none());
}

#[test]
fn a_buffer_that_has_a_span_wakes_the_worker_when_the_span_is_due() {
    let shared = Arc::new(Shared::default());
    let sink = start(&shared).expect("it starts");
    assert!(sink.queue().next(true).due.is_none());
    sink.wake();
    assert!(sink.queue().next(true).due.is_some());
}

#[test]
fn a_worker_without_an_exporter_finishes_its_queue() {
    let queue = Arc::new(super::tests::queue(100, 3));
    let connect: Connect<Counting> = Arc::new(|| Err("it is refused".to_owned()));
    assert!(super::worker::spawn(0, queue.clone(), connect).is_err());
    wait(|| queue.is_finished());
}

#[test]
fn the_counts_of_a_sink_that_is_gone_stay_in_the_sum() {
    /// More than all other tests drop.
    const MANY: u64 = 100_000;

    let sink = start(&Arc::default()).expect("it starts");
    for _ in 0..MANY {
        assert!(sink.reserve(Room { spans: 101, bytes: 1 }).is_none());
    }
    let before = crate::stats::sum().dropped;
    drop(sink);
    assert!(crate::stats::sum().dropped - before >= MANY);
}
