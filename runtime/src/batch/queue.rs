//! The queue between the program's threads and the exporter's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;
use tokio::sync::{Notify, watch};

use super::Losses;
use crate::config::Batch;
use crate::stats::{Counts, Stats};

/// How much longer than the deadline a worker is waited for that is busy cutting its requests.
const PATIENCE: Duration = Duration::from_millis(200);

/// So many spans a batch has room for from the start.
const ROOM: usize = 1024;

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    pub(super) batch: Batch,
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
    full: VecDeque<Vec<SpanData>>,
    /// The batch that fills.
    filling: Vec<SpanData>,
    /// How many spans wait, in all of them.
    waiting: usize,
    /// When the first of those that wait came.
    since: Option<Instant>,
    /// The number of the first that waits.
    taken: u64,
    /// The first numbers of the batches that are on their way, and how many of their spans are.
    on_their_way: BTreeMap<u64, usize>,
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
    pub(super) spans: Option<(u64, Vec<SpanData>)>,
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

    /// Whether the spans that wait are to be exported now.
    fn is_ready(&self, batch: &Batch, due: Option<Instant>) -> bool {
        if let Some(closing) = self.closing {
            return self.taken < closing.below;
        }
        self.waiting >= batch.size
            || self.at_once
            || self.taken < self.wanted
            || due.is_some_and(|due| due <= Instant::now())
    }
}

impl Queue {
    pub(super) fn new(batch: Batch, losses: Arc<Losses>) -> Self {
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
        state.counts.and_waiting(state.waiting + state.on_their_way.values().sum::<usize>())
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
    pub(super) fn push(&self, span: SpanData) -> bool {
        let mut state = self.state();
        state.counts.accepted += 1;
        if state.finished || state.waiting >= self.batch.queue {
            state.counts.dropped += 1;
            let late = state.finished;
            state.late += u64::from(late);
            drop(state);
            return !late && self.losses.overflow();
        }
        if state.filling.capacity() == 0 {
            state.filling.reserve_exact(self.batch.size.min(ROOM));
        }
        state.filling.push(span);
        state.waiting += 1;
        let full = state.filling.len() >= self.batch.size;
        if full {
            let batch = std::mem::take(&mut state.filling);
            state.full.push_back(batch);
        }
        let first = state.waiting == 1;
        if first {
            state.since = Some(Instant::now());
        }
        full || first
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
        let ready = free && waiting > 0 && state.is_ready(&self.batch, due);
        let spans = ready.then(|| {
            let first = state.taken;
            let spans =
                state.full.pop_front().unwrap_or_else(|| std::mem::take(&mut state.filling));
            let count = spans.len();
            state.waiting -= count;
            state.taken += count as u64;
            state.on_their_way.insert(first, count);
            state.since = (waiting > count).then(Instant::now);
            (first, spans)
        });
        let through = state.through();
        Next {
            spans,
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

    /// Of the batch with this first number so many spans have arrived, and so many never will.
    pub(super) fn landed(&self, first: u64, exported: usize, failed: usize) {
        let mut state = self.state();
        // One that was given up has been accounted for.
        if let Some(left) = state.on_their_way.get_mut(&first) {
            *left = left.saturating_sub(exported + failed);
            if *left == 0 {
                state.on_their_way.remove(&first);
            }
            state.counts.exported += exported as u64;
            state.counts.failed += failed as u64;
            self.progress.notify_all();
        }
        drop(state);
    }

    /// What is left of the batch with this first number is lost; how many spans that is.
    pub(super) fn lost(&self, first: u64) -> usize {
        let mut state = self.state();
        let lost = state.on_their_way.remove(&first).unwrap_or_default();
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
        let failed: usize = unanswered.values().sum();
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
