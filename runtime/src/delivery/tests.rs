//! How spans are put into batches, and what the queue has room for.

use std::time::Duration;

use opentelemetry::InstrumentationScope;

use super::losses::{Losses, MOST_BYTES};
use super::queue::Queue;
use super::queue_state::{LARGEST, Next};
use crate::config;
use crate::recorder::{Batch, Room, ScopeId};
use crate::stats::Stats;

const HEAD: usize = 8;

pub(super) fn queue(spans: usize, size: usize) -> Queue {
    let batch = config::BatchSettings {
        queue: spans,
        size,
        delay: Duration::from_secs(3600),
        timeout: None,
        retries_while_closing: false,
    };
    Queue::new(batch, Losses::new("tests", "nowhere".to_owned(), spans))
}

/// A batch of one span whose record has so many bytes.
pub(super) fn span(bytes: usize) -> Batch {
    let mut batch = Batch::default();
    let message = vec![0; bytes - HEAD];
    batch.push(ScopeId::of(&InstrumentationScope::default()), |writer| writer.raw(&message));
    assert_eq!(batch.size(), bytes);
    batch
}

/// How many spans each batch has that is exported now.
pub(super) fn batches(queue: &Queue) -> Vec<usize> {
    std::iter::from_fn(|| {
        let Next { batch, .. } = queue.next(true);
        batch.map(|(_, batch)| batch.spans())
    })
    .collect()
}

fn counts(stats: Stats) -> (u64, u64, u64) {
    (stats.accepted, stats.dropped, stats.waiting)
}

/// Spans that end one after the other, each handed over at once; what room is reserved beyond them is returned.
pub(super) fn end(queue: &Queue, bytes: impl IntoIterator<Item = usize>) {
    for bytes in bytes {
        if let Some(room) = queue.reserve(Room { spans: 1, bytes }) {
            queue.push(span(bytes));
            queue.release(Room { spans: room.spans - 1, bytes: room.bytes - bytes });
        }
    }
}

#[test]
fn batches_are_merged_up_to_the_number_of_spans() {
    let queue = queue(100, 3);
    end(&queue, [100; 2]);
    assert_eq!(batches(&queue), [0; 0], "two spans are not due");
    end(&queue, [100; 6]);
    assert_eq!(batches(&queue), [3, 3]);
    assert_eq!(counts(queue.stats()), (8, 0, 8));
    queue.start_flush(Some(std::time::Instant::now()));
    assert_eq!(batches(&queue), [2]);
}

#[test]
fn a_batch_is_no_larger_than_collectors_take() {
    assert_eq!(LARGEST, 4_128_768, "64 KiB less than 4 MiB");
    let queue = queue(100, 50);
    end(&queue, [LARGEST / 2, LARGEST / 2, 100, LARGEST * 2, 100]);
    queue.start_flush(Some(std::time::Instant::now()));
    assert_eq!(batches(&queue), [2, 1, 1, 1]);
}

#[test]
fn what_was_collected_is_exported_at_once() {
    let queue = queue(100, 50);
    end(&queue, [100; 2]);
    queue.export_waiting();
    assert_eq!(batches(&queue), [2]);
    end(&queue, [100; 2]);
    assert_eq!(batches(&queue), [0; 0], "these came later");
}

#[test]
fn the_queue_has_room_for_so_many_spans() {
    let queue = queue(2, 10);
    end(&queue, [100; 5]);
    assert_eq!(counts(queue.stats()), (5, 3, 2));
    queue.start_flush(Some(std::time::Instant::now()));
    assert_eq!(batches(&queue), [2]);
    end(&queue, [100; 5]);
    assert_eq!(counts(queue.stats()), (10, 6, 4), "those on their way are not counted");
}

#[test]
fn the_queue_has_room_for_so_many_bytes_to_the_byte() {
    let queue = queue(1000, 1);
    let large = MOST_BYTES / 4;
    end(&queue, [large, large, large, large - 100, 101]);
    assert_eq!(counts(queue.stats()), (5, 1, 4));
    end(&queue, [100, HEAD]);
    assert_eq!(counts(queue.stats()), (7, 2, 5));
}

#[test]
fn what_is_on_its_way_takes_room_until_it_has_landed() {
    let queue = queue(1000, 1);
    let large = MOST_BYTES / 4;
    end(&queue, [large; 4]);
    let Next { batch: Some((first, _)), .. } = queue.next(true) else { panic!("a batch is full") };
    end(&queue, [100]);
    assert_eq!(counts(queue.stats()), (5, 1, 4));
    queue.complete(first, 1, 0);
    end(&queue, [large]);
    assert_eq!(counts(queue.stats()), (6, 1, 4));
    let Next { batch: Some((first, _)), .. } = queue.next(true) else { panic!("a batch is full") };
    assert_eq!(queue.abandon(first), 1);
    assert_eq!(queue.abandon(first), 0, "it was accounted for");
    end(&queue, [large]);
    assert_eq!(counts(queue.stats()), (7, 1, 4));
}

#[test]
fn threads_reserve_a_share_of_what_is_left() {
    let large = queue(10_000, 1);
    assert_eq!(
        large.reserve(Room { spans: 1, bytes: 100 }),
        Some(Room { spans: 64, bytes: 16 << 10 })
    );
    assert_eq!(
        large.reserve(Room { spans: 1, bytes: 50_000 }),
        Some(Room { spans: 64, bytes: 50_000 })
    );
    assert_eq!(
        large.reserve(Room { spans: 0, bytes: 100 }),
        Some(Room { spans: 0, bytes: 16 << 10 })
    );
    assert_eq!(large.reserve(Room { spans: 1, bytes: 0 }), Some(Room { spans: 64, bytes: 0 }));
    let small = queue(40, 1);
    let spans: Vec<_> = (0..41)
        .map(|_| small.reserve(Room { spans: 1, bytes: 100 }).map(|room| room.spans))
        .collect();
    assert_eq!(spans[..40], [Some(1); 40], "each has a share");
    assert_eq!(spans[40], None);
    small.release(Room { spans: 1, bytes: 100 });
    assert!(small.reserve(Room { spans: 1, bytes: 100 }).is_some());
}

#[test]
fn scarce_room_makes_the_worker_collect_it_once() {
    let queue = queue(10, 1);
    assert!(!queue.wants_buffers());
    let rooms: Vec<_> = (0..6).map(|_| queue.reserve(Room { spans: 1, bytes: 100 })).collect();
    assert!(queue.wants_buffers());
    assert!(!queue.wants_buffers(), "until something has changed");
    rooms.into_iter().flatten().for_each(|room| queue.release(room));
    end(&queue, [100; 6]);
    let Next { batch: Some((first, _)), .. } = queue.next(true) else { panic!("a batch is full") };
    queue.complete(first, 1, 0);
    assert!(!queue.wants_buffers(), "there is room");
    end(&queue, [100; 6]);
    assert!(queue.wants_buffers());
}
