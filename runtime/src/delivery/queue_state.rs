//! What waits in a queue, what is in flight, and who waits for it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use crate::config;
use crate::recorder::Batch;
use crate::stats::Counts;

/// How many bytes a batch has at most, if it has more than one span: collectors take gRPC messages of up to 4 MiB.
pub(super) const LARGEST: usize = (4 << 20) - (64 << 10);

/// Spans have numbers, in the order they came.
#[derive(Debug, Default)]
pub(super) struct QueueState {
    /// What threads have handed over.
    pub(super) batches: VecDeque<Batch>,
    /// How many spans and bytes wait, in all of them.
    pub(super) waiting: usize,
    pub(super) waiting_bytes: usize,
    /// When the first of those that wait came.
    pub(super) since: Option<Instant>,
    /// When the first span came into the buffer of a thread, since the buffers were last collected.
    pub(super) buffered_since: Option<Instant>,
    /// When the buffers were last collected for want of room.
    pub(super) collected_at: Option<Instant>,
    /// All below this number are exported now, full batch or not.
    pub(super) due_below: u64,
    /// The number of the first that waits.
    pub(super) taken: u64,
    /// The batches that are on their way, by the numbers of their first spans.
    pub(super) in_flight: BTreeMap<u64, InFlight>,
    /// A flush waits for all spans below this number.
    pub(super) wanted: u64,
    /// Until then somebody waits for those.
    pub(super) wanted_until: Option<Instant>,
    /// Whether spans are exported as soon as they come.
    pub(super) at_once: bool,
    pub(super) closing: Option<Closing>,
    pub(super) finished: bool,
    /// Lost spans that came during the last flush, or after it.
    pub(super) late: u64,
    /// Counts of the spans that have left the queue.
    pub(super) counts: Counts,
}

/// A batch that is on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlight {
    pub(super) spans: usize,
    pub(super) bytes: usize,
}

/// The last flush.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    /// All below this number are to be through.
    pub(super) below: u64,
    /// When everything must have come to an end.
    pub(super) deadline: Instant,
}

/// What the worker is to do next.
pub(super) struct Next {
    /// What to export now, and the number of the first span.
    pub(super) batch: Option<(u64, Batch)>,
    /// When those that wait are due.
    pub(super) due: Option<Instant>,
    /// Whether nothing waits.
    pub(super) is_empty: bool,
    /// When everything must have come to an end, once that is known.
    pub(super) deadline: Option<Instant>,
    /// Whether the last flush has exported all that it was for.
    pub(super) done: bool,
}

impl QueueState {
    /// All below this number are through, one way or another.
    pub(super) fn done_below(&self) -> u64 {
        self.in_flight.first_key_value().map_or(self.taken, |(first, _)| *first)
    }

    pub(super) fn is_flush_awaited(&self) -> bool {
        let wanted = || {
            self.done_below() < self.wanted
                && self.wanted_until.is_none_or(|until| Instant::now() < until)
        };
        self.closing.is_some() || wanted()
    }

    /// From now on all spans that have come are wanted, and waited for until this deadline. Returns the number of the
    /// first span that is not.
    pub(super) fn want_all(&mut self, deadline: Option<Instant>) -> u64 {
        let all = self.taken + self.waiting as u64;
        self.wanted_until = match (self.is_flush_awaited(), self.wanted_until, deadline) {
            (true, None, _) | (_, _, None) => None,
            (true, Some(until), Some(deadline)) => Some(until.max(deadline)),
            (false, _, deadline) => deadline,
        };
        self.wanted = self.wanted.max(all);
        all
    }

    /// The next batch with so many spans at most, and the number of its first span. It is on its way from now on.
    pub(super) fn take_batch(&mut self, size: usize) -> Option<(u64, Batch)> {
        let mut batch = self.batches.pop_front()?;
        while let Some(next) = self.batches.front()
            && batch.spans() + next.spans() <= size
            && batch.size() + next.size() <= LARGEST
        {
            batch.append(next);
            self.batches.pop_front();
        }
        let (first, spans, bytes) = (self.taken, batch.spans(), batch.size());
        self.waiting -= spans;
        self.waiting_bytes -= bytes;
        self.taken += spans as u64;
        self.in_flight.insert(first, InFlight { spans, bytes });
        self.since = (self.waiting > 0).then(Instant::now);
        Some((first, batch))
    }

    /// Whether the spans that wait are to be exported now.
    pub(super) fn is_ready(&self, batch: &config::BatchSettings, due: Option<Instant>) -> bool {
        if let Some(closing) = self.closing {
            return self.taken < closing.below;
        }
        self.waiting >= batch.size
            || self.waiting_bytes >= LARGEST
            || self.at_once
            || self.taken < self.wanted.max(self.due_below)
            || due.is_some_and(|due| due <= Instant::now())
    }
}
