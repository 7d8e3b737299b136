//! Flushes, the end of the queue, and when its worker is woken.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::losses::MOST_BYTES;
use super::queue::Queue;
use super::queue_state::{LARGEST, Next};
use super::tests::{batches, end, queue, span};
use crate::config;
use crate::recorder::{Batch, Room};

const HOUR: Duration = Duration::from_secs(3600);
const FLUSH: Duration = Duration::from_secs(5);

/// Whether the worker was woken since the last time.
fn is_woken(queue: &Queue) -> bool {
    pin!(queue.wakeups.work.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// The numbers of the first spans of the batches that are exported now.
fn take_all(queue: &Queue) -> Vec<u64> {
    std::iter::from_fn(|| queue.next(true).batch).map(|(first, _)| first).collect()
}

/// The same queue, whose spans are due after this delay.
fn with_delay(queue: Queue, delay: Duration) -> Queue {
    Queue::new(config::BatchSettings { delay, ..queue.batch }, queue.losses)
}

/// Accepted, exported, dropped, failed and waiting spans.
fn counts(queue: &Queue) -> [u64; 5] {
    let stats = queue.stats();
    [stats.accepted, stats.exported, stats.dropped, stats.failed, stats.waiting]
}

/// Runs this on another thread until `is_seen`.
fn meanwhile(
    queue: &Arc<Queue>,
    run: impl FnOnce(&Queue) -> bool + Send + 'static,
    is_seen: impl Fn(&Queue) -> bool,
) -> thread::JoinHandle<bool> {
    let its = queue.clone();
    let thread = thread::spawn(move || run(&its));
    let patience = Instant::now() + FLUSH;
    while !is_seen(queue) {
        assert!(Instant::now() < patience, "it takes too long");
        thread::yield_now();
    }
    thread
}

#[test]
fn there_is_a_hurry_until_all_that_is_wanted_is_through() {
    let queue = queue(100, 3);
    let later = Instant::now() + HOUR;
    queue.start_flush(Some(later));
    assert!(!queue.is_flush_awaited(), "nothing waits");
    end(&queue, [100; 4]);
    assert!(!queue.is_flush_awaited(), "these came later");
    queue.start_flush(Some(later));
    assert!(queue.is_flush_awaited());
    let firsts = take_all(&queue);
    assert_eq!(firsts, [0, 3]);
    end(&queue, [100]);
    queue.complete(0, 3, 0);
    assert!(queue.is_flush_awaited(), "the second batch is on its way");
    queue.complete(3, 1, 0);
    assert!(!queue.is_flush_awaited());
    assert_eq!(counts(&queue), [5, 4, 0, 0, 1]);
}

#[test]
fn a_hurry_ends_at_the_latest_deadline() {
    let (over, later) = (Instant::now(), Instant::now() + HOUR);
    for (deadlines, expected) in
        [([over, over], false), ([over, later], true), ([later, over], true)]
    {
        let queue = queue(100, 3);
        end(&queue, [100]);
        for deadline in deadlines {
            queue.start_flush(Some(deadline));
        }
        assert_eq!(queue.is_flush_awaited(), expected);
    }
    let queue = Arc::new(queue(100, 3));
    end(&queue, [100]);
    let flush = meanwhile(&queue, |queue| queue.flush(None), Queue::is_flush_awaited);
    queue.start_flush(Some(over));
    assert!(queue.is_flush_awaited(), "one flush has no deadline");
    take_all(&queue);
    queue.complete(0, 1, 0);
    assert!(flush.join().expect("no panic"));
}

#[test]
fn a_flush_waits_for_the_spans_that_came_before_it() {
    let queue = Arc::new(queue(100, 3));
    assert!(queue.flush(Some(Instant::now())), "nothing waits");
    end(&queue, [100; 2]);
    assert!(!queue.flush(Some(Instant::now())));
    let firsts = take_all(&queue);
    assert!(!queue.flush(Some(Instant::now())), "they are on their way");
    let flush = meanwhile(
        &queue,
        |queue| queue.flush(Some(Instant::now() + HOUR)),
        Queue::is_flush_awaited,
    );
    end(&queue, [100]);
    queue.complete(firsts[0], 1, 1);
    assert!(flush.join().expect("no panic"));
    assert_eq!(counts(&queue), [3, 1, 0, 1, 1]);
}

#[test]
fn spans_are_due_after_the_delay() {
    let queue = queue(100, 3);
    assert!(queue.next(true).due.is_none());
    end(&queue, [100; 2]);
    let Next { batch, due, is_empty, deadline, done } = queue.next(true);
    assert!(batch.is_none() && !is_empty && deadline.is_none() && !done);
    let due = due.expect("spans wait");
    assert!(Instant::now() < due && due <= Instant::now() + HOUR);
    assert!(queue.next(false).due.is_none(), "no request can be started");
    end(&queue, [100; 2]);
    assert_eq!(batches(&queue), [3]);
    assert!(queue.next(true).due.is_some(), "one span is left");
    queue.wake();
    assert!(queue.next(false).due.is_some(), "buffers can be collected");
    let queue = with_delay(queue, Duration::ZERO);
    end(&queue, [100; 2]);
    assert!(queue.next(false).batch.is_none());
    assert_eq!(batches(&queue), [2]);
    assert!(queue.next(true).due.is_none() && queue.next(true).is_empty);
}

#[test]
fn spans_of_the_size_of_a_request_are_exported_at_once() {
    for (bytes, expected) in [(LARGEST / 2, vec![2]), (LARGEST / 2 - 1, vec![])] {
        let queue = queue(100, 50);
        end(&queue, [LARGEST / 2, bytes]);
        assert_eq!(batches(&queue), expected);
    }
    let full = queue(100, 50);
    end(&full, [LARGEST; 3]);
    assert_eq!(batches(&full), [1; 3]);
    let queue = queue(100, 50);
    end(&queue, [LARGEST / 2, LARGEST / 2 + 1]);
    assert_eq!(batches(&queue), [1]);
    assert_eq!(counts(&queue)[4], 2);
}

#[cfg(unix)]
#[test]
fn from_some_time_on_spans_are_exported_as_they_come() {
    let queue = queue(100, 50);
    end(&queue, [100; 2]);
    queue.wake();
    assert!(!queue.exports_at_once() && !queue.wants_buffers());
    is_woken(&queue);
    queue.export_at_once();
    assert!(queue.exports_at_once() && is_woken(&queue));
    assert!(queue.wants_buffers() && !queue.wants_buffers());
    assert_eq!(batches(&queue), [2]);
    end(&queue, [100]);
    assert_eq!(batches(&queue), [1]);
}

#[test]
fn the_worker_is_woken_by_the_first_span_and_by_a_full_batch() {
    let queue = queue(100, 3);
    for expected in [true, false, true] {
        end(&queue, [100]);
        assert_eq!(is_woken(&queue), expected);
    }
    for expected in [true, false] {
        queue.wake();
        assert_eq!(is_woken(&queue), expected);
    }
    let retry_now = queue.wakeups.retry_now.subscribe();
    queue.start_flush(Some(Instant::now()));
    assert!(is_woken(&queue) && retry_now.has_changed().expect("the queue is there"));
}

#[test]
fn buffers_are_collected_after_the_delay() {
    let late = with_delay(queue(100, 3), Duration::ZERO);
    assert!(!late.wants_buffers());
    late.wake();
    assert!(late.wants_buffers() && !late.wants_buffers());
    let early = queue(100, 3);
    early.wake();
    assert!(!early.wants_buffers());
}

#[test]
fn the_worker_collects_room_when_less_than_half_is_left() {
    let queue = queue(64, 1);
    let room = Room { spans: 32, bytes: 100 };
    assert!(queue.reserve(room).is_some());
    assert!(!is_woken(&queue) && !queue.wants_buffers());
    assert!(queue.reserve(Room { spans: 1, bytes: 100 }).is_some());
    assert!(is_woken(&queue) && queue.wants_buffers());
    assert!(queue.reserve(Room { spans: 1, bytes: 100 }).is_some());
    assert!(!is_woken(&queue), "until something has changed");
}

#[test]
fn while_spans_are_dropped_room_is_collected_every_100_ms() {
    let queue = queue(1, 1);
    let refuse = || assert!(queue.reserve(Room { spans: 2, bytes: 100 }).is_none());
    refuse();
    let before = Instant::now();
    assert!(queue.wants_buffers());
    refuse();
    let too_soon = queue.wants_buffers();
    assert!(!too_soon || before.elapsed() >= Duration::from_millis(100));
    let again = (0..1000).any(|_| {
        thread::sleep(Duration::from_millis(5));
        refuse();
        queue.wants_buffers()
    });
    assert!(again);
}

#[test]
fn a_span_that_finds_no_room_for_its_bytes_takes_none_for_spans() {
    let queue = queue(1, 1);
    assert!(queue.reserve(Room { spans: 1, bytes: MOST_BYTES + 1 }).is_none());
    assert!(is_woken(&queue), "the worker reports it");
    assert_eq!(counts(&queue), [1, 0, 1, 0, 0]);
    assert!(queue.report(FLUSH).is_some_and(|report| report.contains("64 MiB")));
    assert!(queue.reserve(Room { spans: 1, bytes: MOST_BYTES }).is_some());
    assert!(queue.reserve(Room { spans: 1, bytes: 0 }).is_none());
    assert!(queue.report(FLUSH).is_some_and(|report| report.contains("the queue of 1 spans")));
}

#[test]
fn memory_of_eight_buffers_is_used_again() {
    let queue = queue(100, 1);
    let is_used = |batch: Batch| batch.emptied().is_some();
    assert!(!is_used(queue.buffer()));
    (0..9).for_each(|_| queue.recycle(span(20_000)));
    let buffers: Vec<Batch> = (0..9).map(|_| queue.buffer()).collect();
    assert!(buffers.iter().all(Batch::is_empty));
    assert_eq!(buffers.into_iter().map(is_used).filter(|used| *used).count(), 8);
}

#[test]
fn buffers_with_little_or_much_memory_are_not_kept() {
    let queue = queue(100, 1);
    for bytes in [10_000, 300_000, 200_000] {
        queue.recycle(span(bytes));
    }
    assert!(queue.buffer().emptied().is_some());
    assert!(queue.buffer().emptied().is_none());
}

#[test]
fn at_the_end_what_waits_is_dropped_and_what_is_on_its_way_has_failed() {
    let queue = queue(100, 3);
    end(&queue, [100; 7]);
    assert_eq!(take_all(&queue), [0, 3]);
    queue.complete(0, 3, 0);
    queue.finish();
    assert!(queue.is_finished());
    assert_eq!(counts(&queue), [7, 3, 1, 3, 0]);
    queue.complete(3, 3, 0);
    assert_eq!(counts(&queue), [7, 3, 1, 3, 0], "it was accounted for");
    let report = queue.report(FLUSH).expect("spans are lost");
    assert!(report.starts_with("4 of 7 spans lost"), "{report}");
    queue.push(span(100));
    end(&queue, [100; 2]);
    assert_eq!(counts(&queue), [10, 3, 4, 3, 0]);
    assert_eq!(queue.report(FLUSH), Some(report), "those that came later are not spoken of");
    assert!(queue.flush(None), "nothing is waited for");
}

#[test]
fn the_last_flush_exports_what_came_before_it() {
    let queue = Arc::new(queue(100, 3));
    end(&queue, [100; 4]);
    let deadline = Instant::now() + HOUR;
    let close =
        meanwhile(&queue, move |queue| queue.close(deadline), |queue| queue.deadline().is_some());
    assert!(queue.is_flush_awaited() && is_woken(&queue));
    end(&queue, [100]);
    let next = queue.next(true);
    assert!(!next.done && next.due.is_none());
    assert_eq!((next.deadline, queue.deadline()), (Some(deadline), Some(deadline)));
    let (first, batch) = next.batch.expect("they are wanted");
    assert_eq!((first, batch.spans()), (0, 3));
    assert_eq!(queue.next(true).batch.map(|(first, batch)| (first, batch.spans())), Some((3, 2)));
    queue.complete(0, 3, 0);
    assert!(!queue.next(true).done);
    queue.complete(3, 2, 0);
    end(&queue, [100; 2]);
    let next = queue.next(true);
    assert!(next.done && next.batch.is_none(), "these came later");
    queue.finish();
    assert!(close.join().expect("no panic"));
    assert_eq!(counts(&queue), [7, 5, 2, 0, 0]);
    assert_eq!(queue.report(FLUSH), None, "those that came later are not spoken of");
}

#[test]
fn spans_that_come_during_the_last_flush_start_no_request_and_are_not_reported() {
    let queue = Arc::new(queue(100, 3));
    end(&queue, [100; 3]);
    let close = meanwhile(
        &queue,
        |queue| queue.close(Instant::now() + HOUR),
        |queue| queue.deadline().is_some(),
    );
    assert_eq!(take_all(&queue), [0]);
    end(&queue, [100; 3]);
    assert!(queue.next(true).batch.is_none());
    queue.losses.refused(1, "too long");
    queue.complete(0, 2, 1);
    queue.finish();
    assert!(close.join().expect("no panic"));
    let report = queue.report(FLUSH).expect("a span is lost");
    assert!(report.starts_with("1 of 3 ") && report.ends_with(": too long"), "{report}");
}

#[test]
fn at_its_deadline_the_last_flush_drops_what_is_left() {
    let queue = queue(100, 3);
    end(&queue, [100; 4]);
    let firsts = take_all(&queue);
    assert_eq!(firsts, [0]);
    assert!(!queue.close(Instant::now()));
    assert!(queue.is_finished());
    assert_eq!(counts(&queue), [4, 0, 1, 3, 0]);
    assert!(!queue.close(Instant::now()), "the deadline is over");
}

#[test]
fn a_child_of_fork_has_an_empty_queue() {
    let queue = Arc::new(queue(100, 3));
    end(&queue, [100; 4]);
    assert!(Arc::ptr_eq(queue.of_this_process(), &queue));
    let child = queue.start_over().clone();
    let grandchild = child.start_over().clone();
    assert!(Arc::ptr_eq(queue.start_over(), &child));
    assert!(Arc::ptr_eq(queue.of_this_process(), &grandchild));
    assert!(!Arc::ptr_eq(&child, &grandchild));
    assert_eq!((counts(&child), child.batch.size), ([0; 5], 3));
}
