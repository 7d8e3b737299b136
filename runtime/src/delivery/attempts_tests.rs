//! What becomes of one batch, by how the collector answers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::attempts::{Delivery, delay_within};
use super::losses::Losses;
use super::queue::Queue;
use super::queue_state::Next;
use super::tests::span;
use crate::config;
use crate::exporter::{Answer, Exporter};
use crate::recorder::{Batch, Room};

/// An exporter that gives these answers, the last one first, and then none any more.
struct Scripted {
    answers: Mutex<Vec<Answer>>,
    /// When each request came.
    tries: Mutex<Vec<Instant>>,
    encodes: bool,
}

impl Exporter for Scripted {
    const AT_ONCE: usize = 1;
    type Request = ();

    fn encode(&self, _: &Batch) -> Result<(), String> {
        if self.encodes { Ok(()) } else { Err("it has no bytes".to_owned()) }
    }

    async fn send(&self, (): &()) -> Answer {
        self.tries.lock().expect("no panic").push(Instant::now());
        tokio::time::sleep(Duration::from_millis(1)).await;
        let answer = self.answers.lock().expect("no panic").pop();
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

/// What became of three spans.
#[derive(Debug, PartialEq)]
struct Outcome {
    exported: u64,
    failed: u64,
    tries: usize,
}

struct Delivered {
    outcome: Outcome,
    /// What is reported at the end.
    report: String,
    /// The time between the first two tries.
    delay: Duration,
}

fn unavailable(retry_after: Option<Duration>) -> Answer {
    Answer::Unavailable { why: "it is busy".to_owned(), retry_after }
}

fn queue(timeout: Option<Duration>) -> Arc<Queue> {
    queue_that_insists(true, timeout)
}

/// A queue that has three spans. With `retries_while_closing`, its last flush waits for a collector that is not there.
fn queue_that_insists(retries_while_closing: bool, timeout: Option<Duration>) -> Arc<Queue> {
    let delay = Duration::from_secs(3600);
    let batch =
        config::BatchSettings { queue: 100, size: 3, delay, timeout, retries_while_closing };
    let queue = Arc::new(Queue::new(batch, Losses::new("tests", "nowhere".to_owned(), 100)));
    for _ in 0..3 {
        let room = queue.reserve(Room { spans: 1, bytes: 100 }).expect("there is room");
        queue.push(span(100));
        queue.release(Room { spans: room.spans - 1, bytes: room.bytes - 100 });
    }
    queue
}

/// Delivers three spans of this queue.
fn deliver_from(queue: &Arc<Queue>, exporter: Scripted) -> Delivered {
    let exporter = Arc::new(exporter);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let (_hurry, hurried) = watch::channel(());
    let Next { batch, .. } = queue.next(true);
    let (first, batch) = batch.expect("a batch is due");
    let delivery = Delivery::new(queue.clone(), exporter.clone(), first, hurried);
    runtime.expect("it starts").block_on(delivery.of(batch));
    let tries = exporter.tries.lock().expect("no panic");
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.waiting), (3, 0));
    let delay = match tries[..] {
        [first, second, ..] => second - first,
        _ => Duration::ZERO,
    };
    let outcome = Outcome { exported: stats.exported, failed: stats.failed, tries: tries.len() };
    let report = queue.report(Duration::from_secs(1)).unwrap_or_default();
    Delivered { outcome, report, delay }
}

fn scripted(answers: impl IntoIterator<Item = Answer, IntoIter: DoubleEndedIterator>) -> Scripted {
    let answers = Mutex::new(answers.into_iter().rev().collect());
    Scripted { answers, tries: Mutex::default(), encodes: true }
}

fn deliver(
    timeout: Option<Duration>,
    answers: impl IntoIterator<Item = Answer, IntoIter: DoubleEndedIterator>,
) -> Delivered {
    deliver_from(&queue(timeout), scripted(answers))
}

#[test]
fn what_is_taken_is_exported_and_what_is_rejected_has_failed() {
    let Delivered { outcome, report, .. } = deliver(None, [Answer::TAKEN]);
    assert_eq!((outcome, report), (Outcome { exported: 3, failed: 0, tries: 1 }, String::new()));
    for (rejected, exported) in [(1, 2), (3, 0), (7, 0)] {
        let answer = Answer::Taken { rejected, message: Some("too long".to_owned()) };
        let Delivered { outcome, report, .. } = deliver(None, [answer]);
        assert_eq!(outcome, Outcome { exported, failed: 3 - exported, tries: 1 });
        assert!(report.contains("too long"), "{report}");
    }
}

#[test]
fn what_is_refused_is_not_tried_again() {
    let Delivered { outcome, report, .. } = deliver(None, [Answer::Refused("no".to_owned())]);
    assert_eq!(outcome, Outcome { exported: 0, failed: 3, tries: 1 });
    assert!(report.contains("no"), "{report}");
}

#[test]
fn what_cannot_be_encoded_is_not_sent() {
    let exporter = Scripted { encodes: false, ..scripted([Answer::TAKEN]) };
    let Delivered { outcome, report, .. } = deliver_from(&queue(None), exporter);
    assert_eq!(outcome, Outcome { exported: 0, failed: 3, tries: 0 });
    assert!(report.contains("it has no bytes"), "{report}");
}

#[test]
fn a_busy_collector_is_asked_again_after_the_delay_that_it_asks_for() {
    let Delivered { outcome, delay, .. } = deliver(None, [unavailable(None), Answer::TAKEN]);
    assert_eq!(outcome, Outcome { exported: 3, failed: 0, tries: 2 });
    assert!(delay >= Duration::from_millis(50), "{delay:?}");
    let asked_for = Some(Duration::from_millis(300));
    let Delivered { outcome, delay, .. } = deliver(None, [unavailable(asked_for), Answer::TAKEN]);
    assert_eq!(outcome, Outcome { exported: 3, failed: 0, tries: 2 });
    assert!(delay >= Duration::from_millis(300), "{delay:?}");
}

#[test]
fn a_batch_is_given_up_when_its_time_is_over() {
    // No answer comes.
    let Delivered { outcome, report, .. } = deliver(Some(Duration::from_millis(80)), []);
    assert_eq!(outcome, Outcome { exported: 0, failed: 3, tries: 1 });
    assert!(report.contains("nowhere"), "{report}");
    // There is no time for another try.
    let limit = Some(Duration::from_millis(20));
    let Delivered { outcome, report, .. } = deliver(limit, [unavailable(None), Answer::TAKEN]);
    assert_eq!(outcome, Outcome { exported: 0, failed: 3, tries: 1 });
    assert!(report.contains("it is busy"), "{report}");
}

#[test]
fn during_a_last_flush_the_collector_is_asked_once_more_before_the_deadline() {
    let queue = queue(None);
    queue.start_flush(Some(Instant::now()));
    let deadline = Instant::now() + Duration::from_millis(800);
    let closing = queue.clone();
    let closed = std::thread::spawn(move || closing.close(deadline));
    while queue.deadline().is_none() {
        std::thread::yield_now();
    }
    let wants_an_hour = unavailable(Some(Duration::from_secs(60)));
    let Delivered { outcome, delay, .. } =
        deliver_from(&queue, scripted([wants_an_hour, Answer::TAKEN]));
    assert_eq!(outcome, Outcome { exported: 3, failed: 0, tries: 2 });
    assert!(delay < Duration::from_secs(30), "{delay:?}");
    queue.finish();
    closed.join().expect("it does not panic");
}

#[test]
fn a_collector_that_nobody_has_named_is_not_asked_again_during_the_last_flush() {
    for (retries_while_closing, is_last_flush, tries) in
        [(false, true, 1), (true, true, 2), (false, false, 2), (true, false, 2)]
    {
        let queue = queue_that_insists(retries_while_closing, Some(Duration::from_secs(3600)));
        if is_last_flush {
            let closing = queue.clone();
            let deadline = Instant::now() + Duration::from_secs(3600);
            std::thread::spawn(move || closing.close(deadline));
            while queue.deadline().is_none() {
                std::thread::yield_now();
            }
        }
        let Delivered { outcome, .. } =
            deliver_from(&queue, scripted([unavailable(None), Answer::TAKEN]));
        let exported = if tries == 2 { 3 } else { 0 };
        assert_eq!(outcome, Outcome { exported, failed: 3 - exported, tries });
        queue.finish();
    }
}

#[test]
fn a_delivery_that_is_dropped_is_accounted_for() {
    for (panics, why) in [(false, "no answer within 1s"), (true, "the exporter panicked")] {
        let queue = queue(None);
        let Next { batch, .. } = queue.next(true);
        let (first, _batch) = batch.expect("a batch is due");
        let (_hurry, hurried) = watch::channel(());
        let exporter = Arc::new(scripted([]));
        let delivery = Delivery::new(queue.clone(), exporter, first, hurried);
        let dropped = std::thread::spawn(move || {
            let _delivery = delivery;
            if panics {
                std::panic::resume_unwind(Box::new(()));
            }
        });
        assert_eq!(dropped.join().is_err(), panics);
        let stats = queue.stats();
        assert_eq!((stats.failed, stats.waiting), (3, 0));
        let report = queue.report(Duration::from_secs(1)).unwrap_or_default();
        assert!(report.ends_with(why), "{report}");
    }
}

#[test]
fn a_delay_leaves_time_for_a_last_attempt() {
    let ms = Duration::from_millis;
    assert_eq!(delay_within(ms(100), None), Some(ms(100)));
    assert_eq!(delay_within(ms(100), Some(ms(100))), Some(ms(100)));
    assert_eq!(delay_within(ms(2000), Some(ms(1500))), Some(ms(1000)));
    assert_eq!(delay_within(ms(2000), Some(ms(500))), None);
    assert_eq!(delay_within(ms(2000), Some(ms(400))), None);
}
