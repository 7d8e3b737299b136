//! One batch on its way, tried again until it is taken, refused, or out of time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout_at;

use super::backoff::Backoff;
use super::queue::Queue;
use crate::exporter::{Answer, Exporter};
use crate::recorder::Batch;

/// So long before the deadline there is time for one more try.
const LAST_CHANCE: Duration = Duration::from_millis(500);

/// Its spans are lost when it is dropped before it is done.
pub(super) struct Delivery<E> {
    queue: Arc<Queue>,
    exporter: Arc<E>,
    first: u64,
    retry_now: watch::Receiver<()>,
}

impl<E: Exporter> Delivery<E> {
    /// For the spans from this number on; `retry_now` ends the delay before the next attempt.
    pub(super) fn new(
        queue: Arc<Queue>,
        exporter: Arc<E>,
        first: u64,
        retry_now: watch::Receiver<()>,
    ) -> Self {
        Self { queue, exporter, first, retry_now }
    }

    /// Until they have arrived or are lost.
    pub(super) async fn of(mut self, batch: Batch) {
        let spans = batch.spans();
        let lost = self.send(batch).await.unwrap_or(spans).min(spans);
        self.queue.complete(self.first, spans - lost, lost);
    }

    /// How many of them were rejected; `None` when all of them are lost.
    async fn send(&mut self, batch: Batch) -> Option<usize> {
        let queue = self.queue.clone();
        let (begun, limit) = (Instant::now(), queue.batch.timeout);
        let mut backoff = Backoff::new();
        let count = batch.spans();
        let request = self.exporter.encode(&batch);
        queue.recycle(batch);
        let request = match request {
            Ok(request) => request,
            Err(why) => {
                queue.losses.refused(count as u64, &why);
                return None;
            }
        };
        loop {
            let answer = self.attempt(&request, limit.map(|limit| begun + limit)).await;
            let Some(answer) = answer else {
                queue.losses.given_up(count as u64, limit);
                return None;
            };
            let (why, retry_after) = match answer {
                Answer::Taken { rejected, message } => {
                    queue.losses.taken(rejected.min(count), message.as_deref());
                    return Some(rejected);
                }
                Answer::Refused(why) => {
                    queue.losses.refused(count as u64, &why);
                    return None;
                }
                Answer::Unavailable { why, retry_after } => (why, retry_after),
            };
            let retry_now = queue.is_flush_awaited();
            queue.losses.unavailable(&why, retry_now);
            let in_vain = queue.deadline().is_some() && !queue.batch.retries_while_closing;
            let delay = backoff.next_delay(retry_after, retry_now);
            let left = limit.map(|limit| limit.saturating_sub(begun.elapsed()));
            let Some(delay) = delay_within(delay, left).filter(|_| !in_vain) else {
                queue.losses.given_up(count as u64, None);
                return None;
            };
            if retry_after.is_some() {
                self.wait_for_server(delay).await;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                Ok(()) = self.retry_now.changed() => {}
            }
        }
    }

    /// Sends the request once. `None` if there is no answer by the deadline.
    async fn attempt(&self, request: &E::Request, deadline: Option<Instant>) -> Option<Answer> {
        self.queue.losses.count_attempt();
        let sent = self.exporter.send(request);
        match deadline {
            Some(deadline) => timeout_at(deadline.into(), sent).await.ok(),
            None => Some(sent.await),
        }
    }

    /// A server that says when to come back is left alone until then: to ask it sooner would start
    /// the wait anew. When that is too late, it is asked once more before the deadline.
    async fn wait_for_server(&mut self, wait: Duration) {
        let end = Instant::now() + wait;
        loop {
            let last_chance = self.queue.deadline().and_then(|end| end.checked_sub(LAST_CHANCE));
            let last_chance = last_chance.filter(|time| *time > Instant::now());
            let end = last_chance.map_or(end, |last_chance| end.min(last_chance));
            tokio::select! {
                () = tokio::time::sleep_until(end.into()) => return,
                Ok(()) = self.retry_now.changed() => {}
            }
        }
    }
}

impl<E> Drop for Delivery<E> {
    fn drop(&mut self) {
        match self.queue.abandon(self.first) {
            0 => {}
            lost if std::thread::panicking() => {
                self.queue.losses.refused(lost as u64, "the exporter panicked");
            }
            lost => self.queue.losses.given_up(lost as u64, None),
        }
    }
}

/// The delay before the next attempt of a batch that has so much time left: this one, or as long as leaves time for
/// one last attempt; `None` where there is no time for one.
pub(super) fn delay_within(delay: Duration, left: Option<Duration>) -> Option<Duration> {
    match left {
        Some(left) if delay > left => {
            left.checked_sub(LAST_CHANCE).filter(|delay| !delay.is_zero())
        }
        _ => Some(delay),
    }
}
