//! One batch on its way, tried again until it is taken, refused, or out of time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;
use tokio::sync::watch;

use super::backoff::Backoff;
use super::queue::Queue;
use crate::exporter::{Answer, Exporter};

/// So long before the deadline there is time for one more try.
const LAST_CHANCE: Duration = Duration::from_millis(500);

/// Counts its spans as failed when it is dropped before they were counted otherwise.
pub(super) struct Delivery {
    queue: Arc<Queue>,
    first: u64,
    spans: usize,
}

impl Delivery {
    /// For this many spans, the first of which has this number.
    pub(super) fn new(queue: Arc<Queue>, first: u64, spans: usize) -> Self {
        Self { queue, first, spans }
    }

    /// Until it has arrived or is lost; at once again when there is a `hurry`.
    pub(super) async fn of<E: Exporter>(
        mut self,
        spans: Vec<SpanData>,
        exporter: &E,
        mut hurry: watch::Receiver<()>,
    ) {
        let end = self.queue.batch.timeout.map(|timeout| Instant::now() + timeout);
        let mut backoff = Backoff::new();
        let request = exporter.encode(spans);
        loop {
            match exporter.send(&request).await {
                Answer::Taken { rejected: None } => return self.taken(0),
                Answer::Taken { rejected: Some((spans, why)) } => {
                    self.queue.losses.refused(&why);
                    return self.taken(spans);
                }
                Answer::Refused(why) => return self.queue.losses.refused(&why),
                Answer::Unavailable { why, retry_after } => {
                    self.queue.losses.unavailable(&why, self.queue.in_a_hurry());
                    let wait = backoff.wait(retry_after, self.queue.in_a_hurry());
                    if end.is_some_and(|end| end < Instant::now() + wait) {
                        return;
                    }
                    if retry_after.is_some() {
                        self.wait_as_told(wait, &mut hurry).await;
                        continue;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        Ok(()) = hurry.changed() => backoff = Backoff::new(),
                    }
                }
            }
        }
    }

    /// A server that says when to come back is left alone until then: to ask it sooner would start
    /// the wait anew. When that is too late, it is asked once more before the deadline.
    async fn wait_as_told(&self, wait: Duration, hurry: &mut watch::Receiver<()>) {
        let end = Instant::now() + wait;
        loop {
            let last_chance = self.queue.deadline().and_then(|end| end.checked_sub(LAST_CHANCE));
            let last_chance = last_chance.filter(|time| *time > Instant::now());
            let end = last_chance.map_or(end, |last_chance| end.min(last_chance));
            tokio::select! {
                () = tokio::time::sleep_until(end.into()) => return,
                Ok(()) = hurry.changed() => {}
            }
        }
    }

    fn taken(&mut self, rejected: usize) {
        let rejected = rejected.min(self.spans);
        self.queue.account.export(self.spans - rejected);
        self.queue.account.fail(rejected);
        self.queue.losses.taken();
        self.spans = 0;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.queue.account.fail(self.spans);
        self.queue.landed(self.first);
    }
}
