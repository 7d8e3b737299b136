//! The queue between the program's threads and the exporter's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::losses::{Full, Losses, MOST_BYTES};
use crate::config;
use crate::recorder::{Batch, Room};
use crate::stats::{Counts, Stats};

/// How much longer than the deadline a worker is waited for that is busy cutting its requests.
const PATIENCE: Duration = Duration::from_millis(200);

/// How much room a thread reserves at once, where there is enough.
const SPANS_RESERVED: usize = 64;
const BYTES_RESERVED: usize = 16 << 10;

/// While spans are dropped for want of room, the buffers of the threads are collected this often.
const COLLECTION_INTERVAL: Duration = Duration::from_millis(100);

/// How many buffers are kept for threads.
const MOST_SPARE: usize = 8;

/// How many bytes a batch has at most, if it has more than one span: collectors take gRPC messages of up to 4 MiB.
pub(super) const LARGEST: usize = (4 << 20) - (64 << 10);

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
    pub(super) batch: config::Batch,
    pub(super) losses: Arc<Losses>,
    /// Tells whoever waits for a flush that some spans are through.
    progress: Condvar,
    /// What the worker listens to.
    pub(super) wakeups: Wakeups,
    /// The room that is left for spans that wait, and for bytes that wait or are on their way.
    free: Free,
    /// Whether the room gets scarce: the worker collects once what the threads have, until there is more room again.
    pressed: AtomicBool,
    collected: AtomicBool,
    /// Memory for the buffers of threads.
    spare: Mutex<Vec<Batch>>,
    /// Whether spans are exported as soon as they come.
    at_once: AtomicBool,
    /// Whether spans that come are dropped.
    finished: AtomicBool,
    /// The queue of the child, in a child of `fork`.
    child: OnceLock<Arc<Self>>,
}

#[derive(Debug)]
struct Free {
    spans: AtomicUsize,
    bytes: AtomicUsize,
}

/// Spans have numbers, in the order they came.
#[derive(Debug, Default)]
struct QueueState {
    /// What threads have handed over.
    batches: VecDeque<Batch>,
    /// How many spans and bytes wait, in all of them.
    waiting: usize,
    waiting_bytes: usize,
    /// When the first of those that wait came.
    since: Option<Instant>,
    /// When the first span came into the buffer of a thread, since the buffers were last collected.
    buffered_since: Option<Instant>,
    /// When the buffers were last collected for want of room.
    collected_at: Option<Instant>,
    /// All below this number are exported now, full batch or not.
    due_below: u64,
    /// The number of the first that waits.
    taken: u64,
    /// The batches that are on their way, by the numbers of their first spans.
    in_flight: BTreeMap<u64, InFlight>,
    /// A flush waits for all spans below this number.
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

/// Takes as much as a few spans need, or a share of what is left; at least so much. Nothing, if nothing is lacking.
fn take(free: &AtomicUsize, least: usize, wanted: usize) -> Option<usize> {
    /// How many threads there are at least whose shares leave something for another one.
    const SHARES: usize = 32;

    if least == 0 {
        return Some(0);
    }
    let share = |free: usize| wanted.min(free / SHARES).max(least);
    let before = free
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(share(free)));
    before.ok().map(share)
}

#[derive(Debug, Default)]
pub(super) struct Wakeups {
    /// There is something to do.
    pub(super) work: Notify,
    /// Something is to be tried again without waiting any longer.
    pub(super) retry_now: watch::Sender<()>,
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
    fn done_below(&self) -> u64 {
        self.in_flight.first_key_value().map_or(self.taken, |(first, _)| *first)
    }

    fn is_flush_awaited(&self) -> bool {
        let wanted = || {
            self.done_below() < self.wanted
                && self.wanted_until.is_none_or(|until| Instant::now() < until)
        };
        self.closing.is_some() || wanted()
    }

    /// From now on all spans that have come are wanted, and waited for until this deadline. Returns the number of the
    /// first span that is not.
    fn want_all(&mut self, deadline: Option<Instant>) -> u64 {
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
    fn take_batch(&mut self, size: usize) -> Option<(u64, Batch)> {
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
    fn is_ready(&self, batch: &config::Batch, due: Option<Instant>) -> bool {
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

impl Queue {
    pub(super) fn new(batch: config::Batch, losses: Arc<Losses>) -> Self {
        Self {
            state: Mutex::default(),
            batch,
            losses,
            progress: Condvar::new(),
            wakeups: Wakeups::default(),
            free: Free {
                spans: AtomicUsize::new(batch.queue),
                bytes: AtomicUsize::new(MOST_BYTES),
            },
            pressed: AtomicBool::new(false),
            collected: AtomicBool::new(false),
            spare: Mutex::default(),
            at_once: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            child: OnceLock::new(),
        }
    }

    /// The queue of this process: itself, but in children of `fork`.
    pub(super) fn of_this_process(self: &Arc<Self>) -> &Arc<Self> {
        let mut queue = self;
        while let Some(child) = queue.child.get() {
            queue = child;
        }
        queue
    }

    /// In a child of `fork`, the queue to use from now on. What waits here and what is on its way is
    /// the parent's, and so is the worker, which may have held any lock.
    pub(super) fn start_over(&self) -> &Arc<Self> {
        self.child.get_or_init(|| Arc::new(Self::new(self.batch, self.losses.start_over())))
    }

    pub(super) fn stats(&self) -> Stats {
        let state = self.state();
        let in_flight = state.in_flight.values().map(|batch| batch.spans);
        state.counts.and_waiting(state.waiting + in_flight.sum::<usize>())
    }

    /// What to say at the end, after a last flush that had this time. Spans that end while the program ends
    /// are counted and not spoken of.
    pub(super) fn report(&self, flush: Duration) -> Option<String> {
        let late = self.state().late;
        let stats = self.stats();
        self.losses.report(stats.lost() - late, stats.accepted - late, flush)
    }

    /// Takes spans in, for which room was reserved.
    pub(super) fn push(&self, batch: Batch) {
        let spans = batch.spans();
        let mut state = self.state();
        state.counts.accepted += spans as u64;
        if state.finished {
            state.counts.dropped += spans as u64;
            state.late += spans as u64;
            return;
        }
        state.waiting += spans;
        state.waiting_bytes += batch.size();
        state.batches.push_back(batch);
        let is_first = state.since.is_none();
        state.since.get_or_insert_with(Instant::now);
        let wake = is_first || state.is_ready(&self.batch, None);
        drop(state);
        if wake {
            self.wakeups.work.notify_one();
        }
    }

    /// Counts a span that there is no room for.
    #[cold]
    fn refuse(&self, full: Full) {
        let mut state = self.state();
        state.counts.accepted += 1;
        state.counts.dropped += 1;
        let late = state.finished;
        state.late += u64::from(late);
        if state.collected_at.is_none_or(|time| time.elapsed() >= COLLECTION_INTERVAL) {
            self.collected.store(false, Ordering::Relaxed);
        }
        drop(state);
        if !late && self.losses.overflow(full) {
            self.wakeups.work.notify_one();
        }
        self.press();
    }

    /// Makes the worker collect what waits in the buffers of the threads, and the room that they do not use.
    fn press(&self) {
        if !self.pressed.swap(true, Ordering::Relaxed) {
            self.wakeups.work.notify_one();
        }
    }

    /// A span has ended that waits in the buffer of its thread.
    pub(super) fn wake(&self) {
        let mut state = self.state();
        if state.buffered_since.is_none() {
            state.buffered_since = Some(Instant::now());
            drop(state);
            self.wakeups.work.notify_one();
        }
    }

    /// Room for a span that lacks it, and for some that may follow. A span without room is counted as dropped.
    pub(super) fn reserve(&self, lacking: Room) -> Option<Room> {
        if self.is_finished() {
            // The span would wait for ever.
            self.refuse(Full::Spans);
            return None;
        }
        let Some(spans) = take(&self.free.spans, lacking.spans, SPANS_RESERVED) else {
            self.refuse(Full::Spans);
            return None;
        };
        let Some(bytes) = take(&self.free.bytes, lacking.bytes, BYTES_RESERVED) else {
            self.free.spans.fetch_add(spans, Ordering::Relaxed);
            self.refuse(Full::Bytes);
            return None;
        };
        if self.free.spans.load(Ordering::Relaxed) < self.batch.queue / 2 {
            self.press();
        }
        Some(Room { spans, bytes })
    }

    pub(super) fn release(&self, room: Room) {
        self.free.spans.fetch_add(room.spans, Ordering::Relaxed);
        self.free.bytes.fetch_add(room.bytes, Ordering::Relaxed);
    }

    /// A buffer that was used before, or a new one.
    pub(super) fn buffer(&self) -> Batch {
        self.spare().pop().unwrap_or_default()
    }

    /// The batch has been encoded: its memory is used again.
    pub(super) fn recycle(&self, batch: Batch) {
        let mut spare = self.spare();
        if spare.len() < MOST_SPARE {
            spare.extend(batch.emptied());
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Batch>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the worker is to collect what waits in the buffers of the threads: spans that are due, or room.
    pub(super) fn wants_buffers(&self) -> bool {
        let scarce =
            self.pressed.load(Ordering::Relaxed) && !self.collected.swap(true, Ordering::Relaxed);
        let mut state = self.state();
        if scarce {
            state.collected_at = Some(Instant::now());
        }
        let due = state.buffered_since.and_then(|since| since.checked_add(self.batch.delay));
        let wants = scarce || due.is_some_and(|due| state.at_once || due <= Instant::now());
        if wants {
            // A span that ends from now on sets it again.
            state.buffered_since = None;
        }
        wants
    }

    /// What waits now is to be exported, full batch or not.
    pub(super) fn export_waiting(&self) {
        let mut state = self.state();
        state.due_below = state.taken + state.waiting as u64;
    }

    /// Exports what waits now, and tries again at once what has failed.
    fn export_now(&self) {
        self.wakeups.retry_now.send_replace(());
        self.wakeups.work.notify_one();
    }

    /// Whether spans are exported as soon as they come.
    pub(super) fn exports_at_once(&self) -> bool {
        self.at_once.load(Ordering::Relaxed)
    }

    /// From now on spans are exported as soon as they come.
    #[cfg(unix)]
    pub(super) fn export_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
        self.state().at_once = true;
        self.export_now();
    }

    /// What to do, for a worker that can start another request or not.
    pub(super) fn next(&self, free: bool) -> Next {
        let mut state = self.state();
        let waiting = state.waiting;
        let delay = self.batch.delay;
        let due = state.since.and_then(|since| since.checked_add(delay));
        let ready = free && waiting > 0 && state.is_ready(&self.batch, due);
        let batch = if ready { state.take_batch(self.batch.size) } else { None };
        if let Some((_, batch)) = &batch {
            self.free.spans.fetch_add(batch.spans(), Ordering::Relaxed);
        }
        let since = [state.since.filter(|_| free), state.buffered_since];
        let due = since.into_iter().flatten().min().and_then(|since| since.checked_add(delay));
        let done_below = state.done_below();
        Next {
            batch,
            due: due.filter(|_| state.closing.is_none()),
            is_empty: state.waiting == 0,
            deadline: state.closing.map(|closing| closing.deadline),
            done: state.closing.is_some_and(|closing| done_below >= closing.below),
        }
    }

    /// Whether somebody waits for spans to be through.
    pub(super) fn is_flush_awaited(&self) -> bool {
        self.state().is_flush_awaited()
    }

    /// When everything must have come to an end, once that is known.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.state().closing.map(|closing| closing.deadline)
    }

    /// Of the spans of the batch with this first number so many have arrived, and so many never will.
    pub(super) fn complete(&self, first: u64, exported: usize, failed: usize) {
        let mut state = self.state();
        // One that was given up has been accounted for.
        if self.remove(&mut state, first).is_some() {
            state.counts.exported += exported as u64;
            state.counts.failed += failed as u64;
            self.progress.notify_all();
        }
        drop(state);
    }

    /// The batch with this first number is lost, unless it was accounted for; how many spans that is.
    pub(super) fn abandon(&self, first: u64) -> usize {
        let mut state = self.state();
        let lost = self.remove(&mut state, first).unwrap_or_default();
        state.counts.failed += lost as u64;
        self.progress.notify_all();
        lost
    }

    /// The batch with this first number is no longer on its way. Returns how many spans it has.
    fn remove(&self, state: &mut QueueState, first: u64) -> Option<usize> {
        let InFlight { spans, bytes } = state.in_flight.remove(&first)?;
        self.free.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.pressed.store(false, Ordering::Relaxed);
        self.collected.store(false, Ordering::Relaxed);
        Some(spans)
    }

    /// Whether spans that come are dropped.
    pub(super) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Relaxed)
    }

    /// Marks the batches that are on their way as failed, and drops the spans that wait. Spans that come
    /// later are dropped as well.
    pub(super) fn finish(&self) {
        let mut state = self.state();
        let unsent = std::mem::take(&mut state.batches);
        let dropped = std::mem::take(&mut state.waiting);
        let unanswered = std::mem::take(&mut state.in_flight);
        let failed: usize = unanswered.values().map(|batch| batch.spans).sum();
        state.waiting_bytes = 0;
        self.finished.store(true, Ordering::Relaxed);
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
        self.export_now();
        self.wait(state, deadline, |state| state.done_below() >= all || state.finished)
    }

    /// Starts what [`flush`](Self::flush) waits for.
    pub(super) fn start_flush(&self, deadline: Instant) {
        self.state().want_all(Some(deadline));
        self.export_now();
    }

    /// Waits until all that has come is through, or cut off at the deadline: `false`. What comes meanwhile
    /// is taken in, and dropped if nobody has exported it by then.
    pub(super) fn close(&self, deadline: Instant) -> bool {
        let mut state = self.state();
        let below = state.taken + state.waiting as u64;
        state.closing.get_or_insert(Closing { below, deadline });
        self.export_now();
        let finished = self.wait(state, Some(deadline + PATIENCE), |state| state.finished);
        if !finished {
            // An exporter that does not come back is not waited for.
            self.finish();
        }
        finished && Instant::now() < deadline
    }

    fn wait(
        &self,
        mut state: MutexGuard<'_, QueueState>,
        deadline: Option<Instant>,
        done: impl Fn(&QueueState) -> bool,
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

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
