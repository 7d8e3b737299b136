//! Batches: finished spans wait in a bounded queue until a thread of our own exports them.

mod attempts;
#[cfg(test)]
mod attempts_tests;
mod backoff;
mod losses;
mod queue;
mod queue_state;
#[cfg(test)]
mod queue_tests;
mod room;
mod several;
#[cfg(test)]
mod sink_tests;
#[cfg(test)]
mod tests;
mod worker;

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config;
use crate::exporter::{Connect, Exporter};
use crate::recorder::{self, Batch, Outlet, Room};
use crate::report::say;
use crate::sdk::Sink;
use crate::stats::{self, Account, Stats};

use losses::Losses;
use queue::Queue;
pub(crate) use several::SeveralSinks;

/// The program's end of a queue whose other end is an exporter.
///
/// The exporter runs on a thread with an async runtime of its own, so that it works whatever the
/// program runs on, and with nothing but threads too.
pub(crate) struct BatchSink<E: Exporter> {
    /// The number of the pipeline.
    number: usize,
    queue: Arc<Queue>,
    connect: Connect<E>,
}

impl<E: Exporter> BatchSink<E> {
    /// Starts the thread; or says why it cannot export.
    pub(crate) fn start(
        connect: Connect<E>,
        batch: config::BatchSettings,
        service: &str,
        destination: String,
    ) -> Result<Self, String> {
        let losses = Losses::new(service, destination, batch.queue);
        let queue = Arc::new(Queue::new(batch, losses));
        let number = recorder::new_pipeline();
        worker::spawn(number, queue.clone(), connect.clone())?;
        Ok(Self { number, queue, connect })
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
        // A thread with a buffer for it would keep it alive.
        stats::close(self.queue().stats());
    }
}

impl<E: Exporter> Account for BatchSink<E> {
    /// Spans that wait in the buffers of threads are accepted too.
    fn stats(&self) -> Stats {
        recorder::with_waiting(self.number, |waiting| {
            let stats = self.queue().stats();
            let waiting = waiting as u64;
            Stats { accepted: stats.accepted + waiting, waiting: stats.waiting + waiting, ..stats }
        })
    }
}

impl<E: Exporter> Outlet for BatchSink<E> {
    fn spans_at_once(&self) -> usize {
        let queue = self.queue();
        if queue.exports_at_once() { 1 } else { queue.batch.size }
    }

    fn is_open(&self) -> bool {
        !self.queue().is_finished()
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        self.queue().reserve(lacking)
    }

    fn release(&self, room: Room) {
        self.queue().release(room);
    }

    fn wake(&self) {
        self.queue().wake();
    }

    fn take(&self, batch: Batch) {
        self.queue().push(batch);
    }

    fn buffer(&self) -> Batch {
        self.queue().buffer()
    }
}

impl<E: Exporter> Sink for BatchSink<E> {
    fn number(&self) -> usize {
        self.number
    }

    fn flush(&self, deadline: Option<Instant>) -> bool {
        recorder::collect(self.number);
        self.queue().flush(deadline)
    }

    fn export_now(&self, deadline: Option<Instant>) {
        recorder::collect(self.number);
        self.queue().start_flush(deadline);
    }

    fn start_flush(&self, deadline: Instant) {
        self.queue().losses.silence();
        self.export_now(Some(deadline));
    }

    fn shut_down(&self, deadline: Instant) -> bool {
        recorder::collect(self.number);
        let flushed = self.queue().close(deadline);
        // What came since is dropped, and counted.
        recorder::close(self.number);
        flushed
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
        if let Err(why) = worker::spawn(self.number, queue, self.connect.clone()) {
            say(format_args!("after a fork no spans are exported: {why}"));
        }
    }
}
