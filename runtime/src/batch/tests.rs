//! How spans are put into batches, and what the queue has room for.

use std::time::Duration;

use opentelemetry::InstrumentationScope;

use super::losses::Losses;
use super::queue::{LARGEST, MOST_BYTES, Next, Queue};
use crate::config;
use crate::recorder::{Batch, ScopeId};
use crate::stats::Stats;

const HEAD: usize = 8;

fn queue(spans: usize, size: usize) -> Queue {
    let batch = config::Batch {
        queue: spans,
        size,
        delay: Duration::from_secs(3600),
        timeout: None,
        insists: false,
    };
    Queue::new(batch, Losses::new("tests", "nowhere".to_owned(), spans))
}

/// A batch of one span whose record has so many bytes.
fn span(bytes: usize) -> Batch {
    let mut batch = Batch::default();
    let message = vec![0; bytes - HEAD];
    batch.push(ScopeId::of(&InstrumentationScope::default()), |writer| writer.raw(&message));
    assert_eq!(batch.size(), bytes);
    batch
}

/// How many spans each batch has that is exported now.
fn batches(queue: &Queue) -> Vec<usize> {
    std::iter::from_fn(|| {
        let Next { batch, .. } = queue.next(true);
        batch.map(|(_, batch)| batch.spans())
    })
    .collect()
}

fn counts(stats: Stats) -> (u64, u64, u64) {
    (stats.accepted, stats.dropped, stats.waiting)
}

#[test]
fn a_batch_is_full_at_its_number_of_spans() {
    let queue = queue(100, 3);
    for _ in 0..8 {
        queue.push(&span(100));
    }
    assert_eq!(batches(&queue), [3, 3], "two spans are not due");
    assert_eq!(counts(queue.stats()), (8, 0, 8));
    queue.start_flush(std::time::Instant::now());
    assert_eq!(batches(&queue), [2]);
}

#[test]
fn a_batch_is_no_larger_than_collectors_take() {
    let queue = queue(100, 50);
    for bytes in [LARGEST / 2, LARGEST / 2, 100, LARGEST * 2, 100] {
        queue.push(&span(bytes));
    }
    assert_eq!(batches(&queue), [2, 1, 1], "the last one is not due");
}

#[test]
fn the_queue_has_room_for_so_many_spans() {
    let queue = queue(2, 10);
    for _ in 0..5 {
        queue.push(&span(100));
    }
    assert_eq!(counts(queue.stats()), (5, 3, 2));
}

#[test]
fn the_queue_has_room_for_so_many_bytes_to_the_byte() {
    let queue = queue(1000, 1);
    let large = MOST_BYTES / 4;
    for _ in 0..3 {
        queue.push(&span(large));
    }
    queue.push(&span(large - 100));
    queue.push(&span(101));
    assert_eq!(counts(queue.stats()), (5, 1, 4));
    queue.push(&span(100));
    queue.push(&span(HEAD));
    assert_eq!(counts(queue.stats()), (7, 2, 5));
}

#[test]
fn what_is_on_its_way_takes_room_until_it_has_landed() {
    let queue = queue(1000, 1);
    for _ in 0..4 {
        queue.push(&span(MOST_BYTES / 4));
    }
    let Next { batch: Some((first, _)), .. } = queue.next(true) else { panic!("a batch is full") };
    queue.push(&span(100));
    assert_eq!(counts(queue.stats()), (5, 1, 4));
    queue.landed(first, 1, 0);
    queue.push(&span(MOST_BYTES / 4));
    assert_eq!(counts(queue.stats()), (6, 1, 4));
    let Next { batch: Some((first, _)), .. } = queue.next(true) else { panic!("a batch is full") };
    assert_eq!(queue.lost(first), 1);
    assert_eq!(queue.lost(first), 0, "it was accounted for");
    queue.push(&span(MOST_BYTES / 4));
    assert_eq!(counts(queue.stats()), (7, 1, 4));
}
