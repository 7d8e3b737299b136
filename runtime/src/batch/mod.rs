//! Batches: finished spans wait in a bounded queue until a thread of our own exports them.

mod backoff;
mod delivery;
mod losses;
mod queue;
#[cfg(test)]
mod tests;
mod worker;

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config;
use crate::exporter::{Connect, Exporter};
use crate::processor::Sink;
use crate::recorder::Batch;
use crate::report::say;
use crate::stats::{self, Account, Stats};

use losses::Losses;
use queue::Queue;

/// The program's end of a queue whose other end is an exporter.
///
/// The exporter runs on a thread with an async runtime of its own, so that it works whatever the
/// program runs on, and with nothing but threads too.
pub(crate) struct BatchSink<E: Exporter> {
    queue: Arc<Queue>,
    connect: Connect<E>,
}

impl<E: Exporter> BatchSink<E> {
    /// Starts the thread; or says why it cannot export.
    pub(crate) fn start(
        connect: Connect<E>,
        batch: config::Batch,
        service: &str,
        destination: String,
    ) -> Result<Self, String> {
        let losses = Losses::new(service, destination, batch.queue);
        let queue = Arc::new(Queue::new(batch, losses));
        worker::spawn(queue.clone(), connect.clone())?;
        Ok(Self { queue, connect })
    }

    fn queue(&self) -> &Arc<Queue> {
        self.queue.of_this_process()
    }
}

impl<E: Exporter> Debug for BatchSink<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.queue.fmt(f)
    }
}

impl<E: Exporter> Drop for BatchSink<E> {
    fn drop(&mut self) {
        stats::close(self.stats());
    }
}

impl<E: Exporter> Account for BatchSink<E> {
    fn stats(&self) -> Stats {
        self.queue().stats()
    }
}

impl<E: Exporter> Sink for BatchSink<E> {
    #[inline]
    fn take(&self, span: Batch) {
        let queue = self.queue();
        if queue.push(&span) {
            queue.bells.work.notify_one();
        }
    }

    fn flush(&self, deadline: Option<Instant>) -> bool {
        self.queue().flush(deadline)
    }

    fn start_flush(&self, deadline: Instant) {
        self.queue().losses.silence();
        self.queue().start_flush(deadline);
    }

    fn shut_down(&self, deadline: Instant) -> bool {
        self.queue().close(deadline)
    }

    #[cfg(unix)]
    fn export_at_once(&self) {
        self.queue().export_at_once();
    }

    fn report(&self, flush: Duration) -> Option<String> {
        self.queue().report(flush)
    }

    /// The thread is the parent's.
    fn start_over(&self) {
        let queue = self.queue().start_over().clone();
        if let Err(why) = worker::spawn(queue, self.connect.clone()) {
            say(format_args!("after a fork no spans are exported: {why}"));
        }
    }
}
