//! The queue between the program's threads and the exporter's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::Losses;
use super::losses::Full;
use crate::config;
use crate::recorder::Batch;
use crate::stats::{Counts, Stats};

/// How much longer than the deadline a worker is waited for that is busy cutting its requests.
const PATIENCE: Duration = Duration::from_millis(200);

/// How many bytes of spans wait or are on their way at most.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// How many bytes a batch has at most, if it has more than one span: collectors take gRPC messages of up to 4 MiB.
pub(super) const LARGEST: usize = (4 << 20) - (64 << 10);

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    pub(super) batch: config::Batch,
    pub(super) losses: Arc<Losses>,
    /// Tells whoever waits for a flush that some spans are through.
    progress: Condvar,
    /// What the worker listens to.
    pub(super) bells: Bells,
    /// The queue of the child, in a child of `fork`.
    heir: OnceLock<Arc<Self>>,
}

/// Spans have numbers, in the order they came.
#[derive(Debug, Default)]
struct State {
    /// Full batches that wait.
    full: VecDeque<Batch>,
    /// The batch that fills.
    filling: Batch,
    /// How many spans wait, in all of them.
    waiting: usize,
    /// How many bytes wait, and are on their way.
    bytes: usize,
    /// When the first of those that wait came.
    since: Option<Instant>,
    /// The number of the first that waits.
    taken: u64,
    /// The batches that are on their way, by the numbers of their first spans.
    on_their_way: BTreeMap<u64, InFlight>,
    /// All below this number are wanted now, full batch or not.
    wanted: u64,
    /// Until then somebody waits for those.
    wanted_until: Option<Instant>,
    /// Whether spans are exported as soon as they come.
    at_once: bool,
    closing: Option<Closing>,
    finished: bool,
    /// Lost spans that came during the last flush, or after it.
    late: u64,
    /// Counts of the spans that have left the queue.
    counts: Counts,
}

/// A batch that is on its way.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    spans: usize,
    bytes: usize,
}

/// The last flush.
#[derive(Clone, Copy, Debug)]
struct Closing {
    /// All below this number are to be through.
    below: u64,
    /// When everything must have come to an end.
    deadline: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Bells {
    /// There is something to do.
    pub(super) work: Notify,
    /// Something is to be tried again without waiting any longer.
    pub(super) hurry: watch::Sender<()>,
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

impl State {
    /// All below this number are through, one way or another.
    fn through(&self) -> u64 {
        self.on_their_way.first_key_value().map_or(self.taken, |(first, _)| *first)
    }

    fn in_a_hurry(&self) -> bool {
        let wanted = || {
            self.through() < self.wanted
                && self.wanted_until.is_none_or(|until| Instant::now() < until)
        };
        self.closing.is_some() || wanted()
    }

    /// From now on all spans that have come are wanted, and waited for until this deadline. Returns the number of the
    /// first span that is not.
    fn want_all(&mut self, deadline: Option<Instant>) -> u64 {
        let all = self.taken + self.waiting as u64;
        self.wanted_until = match (self.in_a_hurry(), self.wanted_until, deadline) {
            (true, None, _) | (_, _, None) => None,
            (true, Some(until), Some(deadline)) => Some(until.max(deadline)),
            (false, _, deadline) => deadline,
        };
        self.wanted = self.wanted.max(all);
        all
    }

    /// No more spans come into the batch that fills.
    fn close_batch(&mut self) {
        let batch = std::mem::take(&mut self.filling);
        self.full.push_back(batch);
    }

    /// The batch with this first number is no longer on its way. Returns how many spans it has.
    fn remove(&mut self, first: u64) -> Option<usize> {
        let InFlight { spans, bytes } = self.on_their_way.remove(&first)?;
        self.bytes -= bytes;
        Some(spans)
    }

    /// Whether the spans that wait are to be exported now.
    fn is_ready(&self, due: Option<Instant>) -> bool {
        if let Some(closing) = self.closing {
            return self.taken < closing.below;
        }
        !self.full.is_empty()
            || self.at_once
            || self.taken < self.wanted
            || due.is_some_and(|due| due <= Instant::now())
    }
}

impl Queue {
    pub(super) fn new(batch: config::Batch, losses: Arc<Losses>) -> Self {
        Self {
            state: Mutex::default(),
            batch,
            losses,
            progress: Condvar::new(),
            bells: Bells::default(),
            heir: OnceLock::new(),
        }
    }

    /// The queue of this process: itself, but in children of `fork`.
    pub(super) fn of_this_process(self: &Arc<Self>) -> &Arc<Self> {
        let mut queue = self;
        while let Some(heir) = queue.heir.get() {
            queue = heir;
        }
        queue
    }

    /// In a child of `fork`, the queue to use from now on. What waits here and what is on its way is
    /// the parent's, and so is the worker, which may have held any lock.
    pub(super) fn start_over(&self) -> &Arc<Self> {
        self.heir.get_or_init(|| Arc::new(Self::new(self.batch, self.losses.start_over())))
    }

    pub(super) fn stats(&self) -> Stats {
        let state = self.state();
        let on_their_way = state.on_their_way.values().map(|batch| batch.spans);
        state.counts.and_waiting(state.waiting + on_their_way.sum::<usize>())
    }

    /// What to say at the end, after a last flush that had this time. Spans that end while the program ends
    /// are counted and not spoken of.
    pub(super) fn report(&self, flush: Duration) -> Option<String> {
        let late = self.state().late;
        let stats = self.stats();
        self.losses.report(stats.lost() - late, stats.accepted - late, flush)
    }

    /// Takes a span in, or drops it; whether the worker should be woken.
    #[inline]
    pub(super) fn push(&self, span: &Batch) -> bool {
        let mut state = self.state();
        state.counts.accepted += 1;
        let full = if state.waiting >= self.batch.queue {
            Some(Full::Spans)
        } else {
            (state.bytes + span.size() > MOST_BYTES).then_some(Full::Bytes)
        };
        if state.finished || full.is_some() {
            state.counts.dropped += 1;
            let late = state.finished;
            state.late += u64::from(late);
            drop(state);
            return !late && full.is_some_and(|full| self.losses.overflow(full));
        }
        let too_large = state.filling.size() + span.size() > LARGEST && !state.filling.is_empty();
        if too_large {
            state.close_batch();
        }
        state.filling.append(span);
        state.waiting += 1;
        state.bytes += span.size();
        let full = state.filling.spans() >= self.batch.size;
        if full {
            state.close_batch();
        }
        let first = state.waiting == 1;
        if first {
            state.since = Some(Instant::now());
        }
        too_large || full || first
    }

    /// Exports what waits now, and tries again at once what has failed.
    fn hasten(&self) {
        self.bells.hurry.send_replace(());
        self.bells.work.notify_one();
    }

    /// From now on spans are exported as soon as they come.
    #[cfg(unix)]
    pub(super) fn export_at_once(&self) {
        self.state().at_once = true;
        self.hasten();
    }

    /// What to do, for a worker that can start another request or not.
    pub(super) fn next(&self, free: bool) -> Next {
        let mut state = self.state();
        let waiting = state.waiting;
        let delay = self.batch.delay;
        let due = state.since.and_then(|since| since.checked_add(delay));
        let ready = free && waiting > 0 && state.is_ready(due);
        let batch = ready.then(|| {
            let first = state.taken;
            let batch =
                state.full.pop_front().unwrap_or_else(|| std::mem::take(&mut state.filling));
            let spans = batch.spans();
            state.waiting -= spans;
            state.taken += spans as u64;
            state.on_their_way.insert(first, InFlight { spans, bytes: batch.size() });
            state.since = (waiting > spans).then(Instant::now);
            (first, batch)
        });
        let through = state.through();
        Next {
            batch,
            due: due.filter(|_| free && state.closing.is_none()),
            is_empty: state.waiting == 0,
            deadline: state.closing.map(|closing| closing.deadline),
            done: state.closing.is_some_and(|closing| through >= closing.below),
        }
    }

    /// Whether somebody waits for spans to be through.
    pub(super) fn in_a_hurry(&self) -> bool {
        self.state().in_a_hurry()
    }

    /// When everything must have come to an end, once that is known.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.state().closing.map(|closing| closing.deadline)
    }

    /// Of the spans of the batch with this first number so many have arrived, and so many never will.
    pub(super) fn landed(&self, first: u64, exported: usize, failed: usize) {
        let mut state = self.state();
        // One that was given up has been accounted for.
        if state.remove(first).is_some() {
            state.counts.exported += exported as u64;
            state.counts.failed += failed as u64;
            self.progress.notify_all();
        }
        drop(state);
    }

    /// The batch with this first number is lost, unless it was accounted for; how many spans that is.
    pub(super) fn lost(&self, first: u64) -> usize {
        let mut state = self.state();
        let lost = state.remove(first).unwrap_or_default();
        state.counts.failed += lost as u64;
        self.progress.notify_all();
        lost
    }

    /// Marks the batches that are on their way as failed, and drops the spans that wait. Spans that come
    /// later are dropped as well.
    pub(super) fn finish(&self) {
        let mut state = self.state();
        let unsent = (std::mem::take(&mut state.full), std::mem::take(&mut state.filling));
        let dropped = std::mem::take(&mut state.waiting);
        let unanswered = std::mem::take(&mut state.on_their_way);
        let failed: usize = unanswered.values().map(|batch| batch.spans).sum();
        state.bytes = 0;
        state.counts.dropped += dropped as u64;
        state.counts.failed += failed as u64;
        state.finished = true;
        let end = state.taken + dropped as u64;
        // Batches that start after the last flush are not exported.
        let late = state
            .closing
            .map_or(0, |closing| (dropped as u64).min(end.saturating_sub(closing.below)));
        state.late += late;
        self.progress.notify_all();
        drop(state);
        self.losses.given_up((dropped + failed) as u64 - late, None);
        drop(unsent);
    }

    /// Waits until all that has come is through; `false` when that takes too long.
    pub(super) fn flush(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.state();
        let all = state.want_all(deadline);
        self.hasten();
        self.wait(state, deadline, |state| state.through() >= all || state.finished)
    }

    /// Starts what [`flush`](Self::flush) waits for.
    pub(super) fn start_flush(&self, deadline: Instant) {
        self.state().want_all(Some(deadline));
        self.hasten();
    }

    /// Waits until all that has come is through, or cut off at the deadline: `false`. What comes meanwhile
    /// is taken in, and dropped if nobody has exported it by then.
    pub(super) fn close(&self, deadline: Instant) -> bool {
        let mut state = self.state();
        let below = state.taken + state.waiting as u64;
        state.closing.get_or_insert(Closing { below, deadline });
        self.hasten();
        let finished = self.wait(state, Some(deadline + PATIENCE), |state| state.finished);
        if !finished {
            // An exporter that does not come back is not waited for.
            self.finish();
        }
        finished && Instant::now() < deadline
    }

    fn wait(
        &self,
        mut state: MutexGuard<'_, State>,
        deadline: Option<Instant>,
        done: impl Fn(&State) -> bool,
    ) -> bool {
        while !done(&state) {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    let waited = self.progress.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.progress.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
