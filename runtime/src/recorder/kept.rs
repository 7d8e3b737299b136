//! Local traces that are held until it is known whether they are exported: those that were not sampled and may be kept,
//! and with thresholds those that were sampled too, since a trace that is kept says so in each of its spans.

use std::collections::VecDeque;
use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::Duration;

use super::batch::Batch;
use super::message::Certain;
use crate::fork::Fork;
use crate::lock::Unpoisoned;

/// How many bytes of spans are held at most.
const MOST_BYTES: usize = 16 << 20;

/// Which traces are kept, although they are not sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct KeepRules {
    /// Those in which a span fails.
    pub(crate) errors: bool,
    /// Those in which a span takes this long.
    pub(crate) slower_than: Option<Duration>,
}

impl KeepRules {
    pub(crate) fn anything(&self) -> bool {
        self.errors || self.slower_than.is_some()
    }

    /// Whether a span keeps its trace.
    fn takes(&self, ended: &EndedSpan) -> bool {
        let is_slow = |limit: Duration| u128::from(ended.nanos) >= limit.as_nanos();
        self.errors && ended.has_failed || self.slower_than.is_some_and(is_slow)
    }
}

/// What is held, of all traces.
pub(crate) struct HeldTraces {
    keep: KeepRules,
    /// If spans state the probability of their traces in the `tracestate`: what that says of a trace that is kept.
    /// Sampled traces are held as well then.
    certain: Option<Certain>,
    fork: Fork,
    /// That of a child of `fork`: another thread of the parent may have held the lock.
    child: OnceLock<Arc<Self>>,
    bytes: AtomicUsize,
    by_age: Mutex<TraceList>,
    /// How many spans were evicted for want of memory, before it was known whether their traces are kept.
    evicted: AtomicUsize,
}

/// The traces that hold spans, or held some, the oldest first.
#[derive(Default)]
struct TraceList {
    traces: VecDeque<Weak<LocalTrace>>,
    /// With so many in the list, those that are gone are removed.
    most: usize,
}

/// The spans of one trace in this process, from its first span until none is open.
pub(crate) struct LocalTrace {
    held_traces: Arc<HeldTraces>,
    is_sampled: bool,
    /// How many of its spans are open. It falls only with the lock.
    open: AtomicUsize,
    state: Mutex<HeldSpans>,
}

#[derive(Default)]
struct HeldSpans {
    /// Whether its first span has ended.
    has_ended: bool,
    is_kept: bool,
    held: Batch,
    /// Whether the trace is in the list.
    is_listed: bool,
}

/// What decides about a trace, of a span that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndedSpan {
    pub(super) has_failed: bool,
    /// How long it took.
    pub(super) nanos: u64,
    /// Whether it is the first span of its local trace.
    pub(super) is_first: bool,
}

impl HeldTraces {
    pub(crate) fn new(keep: KeepRules, certain: Option<Certain>) -> Arc<Self> {
        Arc::new(Self {
            keep,
            certain,
            fork: Fork::watch(),
            child: OnceLock::new(),
            bytes: AtomicUsize::new(0),
            by_age: Mutex::default(),
            evicted: AtomicUsize::new(0),
        })
    }

    /// That of this process.
    #[inline]
    pub(crate) fn of_this_process(self: &Arc<Self>) -> &Arc<Self> {
        let mut held_traces = self;
        while held_traces.fork.has_happened() {
            held_traces = held_traces.child.get_or_init(|| Self::new(self.keep, self.certain));
        }
        held_traces
    }

    /// How many spans were evicted for want of memory, before it was known whether their traces are kept.
    pub(crate) fn evicted(&self) -> usize {
        self.evicted.load(Ordering::Relaxed)
    }

    /// A local trace that starts. `None` if its spans need not be held.
    pub(super) fn start(self: &Arc<Self>, is_sampled: bool) -> Option<Arc<LocalTrace>> {
        (!is_sampled || self.certain.is_some()).then(|| {
            let (open, state) = (AtomicUsize::new(0), Mutex::default());
            Arc::new(LocalTrace { held_traces: self.clone(), is_sampled, open, state })
        })
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many traces are listed.
    #[cfg(test)]
    pub(super) fn listed(&self) -> usize {
        self.by_age().traces.len()
    }

    fn by_age(&self) -> MutexGuard<'_, TraceList> {
        self.by_age.lock().unpoisoned()
    }

    /// What the oldest traces hold, as long as there is too much in all. A trace that is evicted is exported as it was
    /// decided when it started.
    pub(super) fn make_room(&self) -> Vec<Batch> {
        let mut decided = Vec::new();
        while self.bytes.load(Ordering::Relaxed) > MOST_BYTES {
            let Some(oldest) = self.by_age().traces.pop_front() else { break };
            let Some(trace) = oldest.upgrade() else { continue };
            let mut state = trace.state();
            state.is_listed = false;
            let is_kept = state.is_kept;
            let spans = state.release(self);
            drop(state);
            if !is_kept {
                self.evicted.fetch_add(spans.spans(), Ordering::Relaxed);
            }
            decided.extend(trace.decide(spans, is_kept));
        }
        decided
    }
}

impl TraceList {
    /// At least so many are listed before those that are gone are removed.
    const FEWEST: usize = 1024;

    /// Adds the youngest one. The list is at most twice as long as it once had to be: an old trace that goes on for
    /// ever is not in the way of those that come and go.
    fn push(&mut self, trace: &Arc<LocalTrace>) {
        if self.traces.len() >= self.most.max(Self::FEWEST) {
            self.traces.retain(|trace| trace.strong_count() > 0);
            self.most = 2 * self.traces.len();
        }
        self.traces.push_back(Arc::downgrade(trace));
    }
}

impl LocalTrace {
    fn state(&self) -> MutexGuard<'_, HeldSpans> {
        self.state.lock().unpoisoned()
    }

    /// A span of the trace has started.
    pub(super) fn open(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// A span of the trace has ended. Returns what is exported now: nothing as long as it is not decided, all that was
    /// held once it is.
    pub(super) fn end(self: &Arc<Self>, ended: EndedSpan, record: &[u8]) -> Option<Batch> {
        let mut state = self.state();
        let open = self.open.fetch_sub(1, Ordering::Relaxed) - 1;
        state.has_ended |= ended.is_first;
        state.is_kept |= self.held_traces.keep.takes(&ended);
        let is_decided = open == 0 || state.is_kept && state.has_ended;
        if !is_decided {
            if state.held.is_empty() {
                // More spans follow. Little, for it counts only when it is used.
                state.held.reserve(2 * record.len());
            }
            state.held.push_record(record);
            self.held_traces.bytes.fetch_add(record.len(), Ordering::Relaxed);
            if !std::mem::replace(&mut state.is_listed, true) {
                self.held_traces.by_age().push(self);
            }
            return None;
        }
        let is_kept = state.is_kept;
        let mut spans = state.release(&self.held_traces);
        drop(state);
        spans.push_record(record);
        self.decide(spans, is_kept)
    }

    /// The spans as they are exported, if they are. Those of a trace that is kept say that it is sampled.
    fn decide(&self, mut spans: Batch, is_kept: bool) -> Option<Batch> {
        if is_kept {
            spans.mark_sampled(self.held_traces.certain);
        }
        (is_kept || self.is_sampled).then_some(spans)
    }

    pub(super) fn is_of_this_process(&self) -> bool {
        !self.held_traces.fork.has_happened()
    }

    pub(super) fn held_traces(&self) -> &HeldTraces {
        &self.held_traces
    }
}

impl HeldSpans {
    /// What was held.
    fn release(&mut self, held_traces: &HeldTraces) -> Batch {
        let held = std::mem::take(&mut self.held);
        held_traces.bytes.fetch_sub(held.size(), Ordering::Relaxed);
        held
    }
}

impl Drop for LocalTrace {
    fn drop(&mut self) {
        let state = self.state.get_mut().unpoisoned();
        // Of a child of `fork`: the spans are its parent's.
        self.held_traces.bytes.fetch_sub(state.held.size(), Ordering::Relaxed);
    }
}

impl Debug for HeldTraces {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldTraces").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl Debug for LocalTrace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalTrace").finish_non_exhaustive()
    }
}
