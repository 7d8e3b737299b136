//! Batches: finished spans wait in a bounded queue until a thread of our own exports them.

mod backoff;
mod delivery;
mod losses;
mod queue;
mod worker;

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::Instant;

use opentelemetry_sdk::trace::SpanData;

use crate::config::Batch;
use crate::exporter::{Connect, Exporter};
use crate::processor::Sink;
use crate::report::say;
use crate::stats::Account;

pub(crate) use losses::Losses;
use queue::Queue;

/// The program's end of a queue whose other end is an exporter.
///
/// The exporter runs on a thread with an async runtime of its own, so that it works whatever the
/// program runs on, and with nothing but threads too.
pub(crate) struct BatchSink<E> {
    queue: Arc<Queue>,
    connect: Connect<E>,
    after_fork: fn(),
}

impl<E: Exporter> BatchSink<E> {
    /// Starts the thread; or says why it cannot export. In a child of `fork` there is no thread: it
    /// is started again, and `after_fork` called.
    pub(crate) fn start(
        connect: Connect<E>,
        batch: Batch,
        account: Arc<Account>,
        losses: Arc<Losses>,
        after_fork: fn(),
    ) -> Result<Self, String> {
        let queue = Arc::new(Queue::new(batch, account, losses));
        worker::spawn(queue.clone(), connect.clone())?;
        Ok(Self { queue, connect, after_fork })
    }

    fn check_for_fork(&self) {
        if self.queue.was_forked() {
            if let Err(why) = worker::spawn(self.queue.clone(), self.connect.clone()) {
                say(format_args!("after a fork no spans are exported: {why}"));
            }
            (self.after_fork)();
        }
    }
}

impl<E> Debug for BatchSink<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.queue.fmt(f)
    }
}

impl<E: Exporter> Sink for BatchSink<E> {
    fn take(&self, span: SpanData) {
        if self.queue.push(span) {
            self.check_for_fork();
            self.queue.wake();
        }
    }

    fn flush(&self, deadline: Instant) -> bool {
        self.check_for_fork();
        self.queue.flush(deadline)
    }

    fn shut_down(&self, deadline: Instant) -> bool {
        self.check_for_fork();
        self.queue.close(deadline)
    }
}
