//! The queue between the program's threads and the exporter's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::losses::{Full, Losses, MOST_BYTES};
use super::queue_state::{Closing, InFlight, Next, QueueState};
use super::room::FreeRoom;
use crate::config;
use crate::lock::Unpoisoned;
use crate::recorder::{Batch, Room};
use crate::stats::Stats;

/// How much longer than the deadline a worker is waited for that is busy cutting its requests.
const PATIENCE: Duration = Duration::from_millis(200);

/// While spans are dropped for want of room, the buffers of the threads are collected this often.
const COLLECTION_INTERVAL: Duration = Duration::from_millis(100);

/// How many buffers are kept for threads.
const MOST_SPARE: usize = 8;

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
    pub(super) batch: config::BatchSettings,
    pub(super) losses: Arc<Losses>,
    /// Tells whoever waits for a flush that some spans are through.
    progress: Condvar,
    /// What the worker listens to.
    pub(super) wakeups: Wakeups,
    /// The room that is left for spans that wait, and for bytes that wait or are on their way.
    free: FreeRoom,
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

#[derive(Debug, Default)]
pub(super) struct Wakeups {
    /// There is something to do.
    pub(super) work: Notify,
    /// Something is to be tried again without waiting any longer.
    pub(super) retry_now: watch::Sender<()>,
}

impl Queue {
    pub(super) fn new(batch: config::BatchSettings, losses: Arc<Losses>) -> Self {
        Self {
            state: Mutex::default(),
            batch,
            losses,
            progress: Condvar::new(),
            wakeups: Wakeups::default(),
            free: FreeRoom::new(batch.queue, MOST_BYTES),
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
        let room = match self.free.take(lacking) {
            Ok(room) => room,
            Err(full) => {
                self.refuse(full);
                return None;
            }
        };
        if self.free.spans() < self.batch.queue / 2 {
            self.press();
        }
        Some(room)
    }

    pub(super) fn release(&self, room: Room) {
        self.free.release(room);
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
        self.spare.lock().unpoisoned()
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
            self.free.release(Room { spans: batch.spans(), bytes: 0 });
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
        self.free.release(Room { spans: 0, bytes });
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
    pub(super) fn start_flush(&self, deadline: Option<Instant>) {
        self.state().want_all(deadline);
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
                    waited.unpoisoned().0
                }
                None => self.progress.wait(state).unpoisoned(),
            };
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unpoisoned()
    }
}
