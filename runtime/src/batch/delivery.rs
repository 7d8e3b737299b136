//! One batch on its way, tried again until it is taken, refused, or out of time.

use std::sync::Arc;
use std::time::Instant;

use opentelemetry_sdk::trace::SpanData;

use super::backoff::Backoff;
use super::queue::Queue;
use crate::exporter::{Answer, Exporter};

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

    pub(super) async fn of<E: Exporter>(mut self, spans: Vec<SpanData>, exporter: &E) {
        let end = self.queue.batch.timeout.map(|timeout| Instant::now() + timeout);
        let mut hurry = self.queue.hurry();
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
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        // A server that says when is left alone until then: to ask it sooner
                        // would start the wait anew.
                        Ok(()) = hurry.changed(), if retry_after.is_none() => {
                            backoff = Backoff::new();
                        }
                    }
                }
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
