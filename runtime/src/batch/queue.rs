//! The queue between the program's threads and the exporter's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;
use tokio::sync::{Notify, watch};

use super::Losses;
use crate::config::Batch;
use crate::stats::Account;

/// How much longer than the deadline a worker is waited for that is busy cutting its requests.
const PATIENCE: Duration = Duration::from_millis(200);

/// So many spans a batch has room for from the start.
const ROOM: usize = 1024;

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    pub(super) batch: Batch,
    pub(super) account: Arc<Account>,
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
    /// When everything must have come to an end; no span is taken in any more.
    deadline: Option<Instant>,
    finished: bool,
}

#[derive(Debug, Default)]
pub(super) struct Bells {
    /// There is something to do.
    pub(super) work: Notify,
    /// There is no time to wait before something is tried again.
    pub(super) hurry: watch::Sender<()>,
}

/// What the worker is to do next.
pub(super) struct Next {
    /// What to export now, and the number of the first span.
    pub(super) spans: Option<(u64, Vec<SpanData>)>,
    /// When those that wait are due.
    pub(super) due: Option<Instant>,
    pub(super) deadline: Option<Instant>,
}

impl State {
    /// All below this number are through, one way or another.
    fn through(&self) -> u64 {
        self.on_their_way.first_key_value().map_or(self.taken, |(first, _)| *first)
    }

    fn in_a_hurry(&self) -> bool {
        self.deadline.is_some() || self.through() < self.wanted
    }

    /// Whether spans that come now come too late.
    fn is_closed(&self) -> bool {
        self.deadline.is_some() || self.finished
    }
}

impl Queue {
    pub(super) fn new(batch: Batch, account: Arc<Account>, losses: Arc<Losses>) -> Self {
        Self {
            state: Mutex::default(),
            batch,
            account,
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
        self.heir.get_or_init(|| {
            self.account.disown_waiting();
            let losses = self.losses.start_over();
            Arc::new(Self::new(self.batch, self.account.clone(), losses))
        })
    }

    /// Takes a span in, or drops it; whether the worker should be woken.
    #[inline]
    pub(super) fn push(&self, span: SpanData) -> bool {
        let mut state = self.state();
        let late = state.is_closed();
        if late || state.waiting >= self.batch.queue {
            drop(state);
            self.account.drop_spans(1);
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

    fn hasten(&self) {
        self.bells.hurry.send_replace(());
        self.bells.work.notify_one();
    }

    /// What to do, for a worker that can start another request or not.
    pub(super) fn next(&self, free: bool) -> Next {
        let mut state = self.state();
        let waiting = state.waiting;
        let due = state.since.map(|since| since + self.batch.delay);
        let ready = waiting >= self.batch.size
            || state.deadline.is_some()
            || state.taken < state.wanted
            || due.is_some_and(|due| due <= Instant::now());
        let spans = (free && ready && waiting > 0).then(|| {
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
        Next { spans, due: due.filter(|_| free), deadline: state.deadline }
    }

    /// Whether somebody waits for spans to be through.
    pub(super) fn in_a_hurry(&self) -> bool {
        self.state().in_a_hurry()
    }

    /// When everything must have come to an end, once that is known.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.state().deadline
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
            self.account.export(exported);
            self.account.fail(failed);
            self.progress.notify_all();
        }
        drop(state);
    }

    /// What is left of the batch with this first number is lost.
    pub(super) fn lost(&self, first: u64) {
        let mut state = self.state();
        self.account.fail(state.on_their_way.remove(&first).unwrap_or_default());
        self.progress.notify_all();
        drop(state);
    }

    /// Gives up what is on its way, and lets go of what waits; nothing comes after this.
    pub(super) fn finish(&self) {
        let mut state = self.state();
        let unsent = (std::mem::take(&mut state.full), std::mem::take(&mut state.filling));
        self.account.drop_spans(std::mem::take(&mut state.waiting));
        let unanswered = std::mem::take(&mut state.on_their_way);
        state.finished = true;
        self.account.fail(unanswered.into_values().sum());
        self.progress.notify_all();
        drop(state);
        drop(unsent);
    }

    /// Waits until all that has come is through; `false` when that takes too long.
    pub(super) fn flush(&self, deadline: Instant) -> bool {
        let mut state = self.state();
        let all = state.taken + state.waiting as u64;
        state.wanted = state.wanted.max(all);
        self.hasten();
        self.wait(state, deadline, |state| state.through() >= all || state.finished)
    }

    /// Takes nothing in any more and waits until all that has come is through, or cut off at the
    /// deadline: `false`.
    pub(super) fn close(&self, deadline: Instant) -> bool {
        let mut state = self.state();
        state.deadline.get_or_insert(deadline);
        self.hasten();
        let finished = self.wait(state, deadline + PATIENCE, |state| state.finished);
        if !finished {
            // An exporter that does not come back is not waited for.
            self.finish();
        }
        finished && Instant::now() < deadline
    }

    fn wait(
        &self,
        mut state: MutexGuard<'_, State>,
        deadline: Instant,
        done: impl Fn(&State) -> bool,
    ) -> bool {
        while !done(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.progress.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
