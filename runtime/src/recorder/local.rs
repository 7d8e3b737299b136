//! What each thread that records spans has: slots for open spans, and a buffer of ended ones.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
#[cfg(not(all(test, spandrel_model)))]
use std::sync::{Mutex, MutexGuard};

#[cfg(all(test, spandrel_model))]
use loom::sync::{Mutex, MutexGuard};

use super::batch::Batch;
use super::kept::LocalTrace;
use super::late;
use super::outlet::{Outlet, Room};
use super::slot::{OpenSpan, Slot};
use crate::encoding::ValueRef;
use crate::fork::Fork;
use crate::lock::Unpoisoned;

/// A buffer with so many bytes is handed over.
const FULL: usize = 64 << 10;

/// Once no span of a thread is open, it keeps at most so many slots.
const MOST_IDLE: usize = 64;

/// One thread's. It is never freed, but given to the next thread that starts after its own has ended, so that a [`SlotRef`]
/// needs no reference count. Any thread may end or change a span that is in it.
pub(super) struct Local {
    /// Tells a child of `fork`, where another thread of the parent may have held the lock for ever.
    fork: Fork,
    state: Mutex<LocalState>,
}

#[derive(Default)]
struct LocalState {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// The highest generation of the slots that were given up: none has the place of a span that was in those.
    generation: u32,
    ended: Ended,
}

/// The spans that have ended and were not handed over.
#[derive(Default)]
struct Ended {
    buffer: Batch,
    /// Where they go, with the number of the pipeline that it belongs to.
    outlet: Option<(usize, Arc<dyn Outlet>)>,
    /// What was reserved and is not used.
    room: Room,
}

/// Refers to the slot of an open span. Once the span has ended, the reference finds nothing: no other span gets the same
/// generation of a slot.
#[derive(Clone, Copy)]
pub(crate) struct SlotRef {
    local: &'static Local,
    slot: u32,
    generation: u32,
}

/// Where a span goes when it has ended.
#[derive(Clone, Debug)]
pub(super) enum SpanRoute {
    /// To the pipeline with this number, through the buffer of the thread.
    Pipeline(usize),
    /// Straight to this outlet.
    Direct(Arc<dyn Outlet>),
}

impl Local {
    pub(super) fn new() -> &'static Self {
        Box::leak(Box::new(Self { fork: Fork::watch(), state: Mutex::default() }))
    }

    /// Whether it is of this process, and not of the one that this process was forked from.
    #[inline]
    pub(super) fn is_ours(&self) -> bool {
        !self.fork.has_happened()
    }

    fn state(&self) -> MutexGuard<'_, LocalState> {
        self.state.lock().unpoisoned()
    }

    /// Puts a span into a slot, for `start` to write it. With a number and an outlet, the span is for this pipeline.
    #[inline]
    pub(super) fn open(
        &'static self,
        pipeline: Option<(usize, &Arc<dyn Outlet>)>,
        start: impl FnOnce(&mut OpenSpan),
    ) -> SlotRef {
        let mut guard = self.state();
        let state = &mut *guard;
        let before = match pipeline {
            Some((number, outlet)) => state.ended.use_outlet(number, outlet),
            None => None,
        };
        let index = state.free.pop().unwrap_or_else(|| {
            state.slots.push(Slot::after(state.generation));
            u32::try_from(state.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let slot = &mut state.slots[index as usize];
        slot.generation += 1;
        slot.is_open = true;
        start(&mut slot.span);
        slot.span.seal();
        let slot_ref = SlotRef { local: self, slot: index, generation: slot.generation };
        // Dropped without the lock: it may be the last reference to a pipeline.
        drop(guard);
        drop(before);
        slot_ref
    }

    /// Adds a span that another recorder has made.
    pub(super) fn append(&self, pipeline: usize, outlet: &Arc<dyn Outlet>, record: &[u8]) {
        let mut state = self.state();
        let before = state.ended.use_outlet(pipeline, outlet);
        let after = state.ended.append(&SpanRoute::Pipeline(pipeline), record);
        drop(state);
        drop(before);
        after.run();
    }

    /// Hands over what waits in the buffer of this pipeline.
    pub(super) fn collect(&self, pipeline: usize) {
        let mut state = self.state();
        if state.ended.is_of(pipeline) {
            state.ended.hand_over();
        }
    }

    /// The pipeline has ended: hands over what waits, and forgets it.
    pub(super) fn close(&self, pipeline: usize) {
        let mut state = self.state();
        let ended = &mut state.ended;
        if ended.is_of(pipeline) {
            ended.hand_over();
            let before = ended.outlet.take();
            // Dropped without the lock: it may be the last reference to the pipeline.
            drop(state);
            drop(before);
        }
    }

    /// The thread has ended: hands over what waits.
    pub(super) fn retire(&self) {
        self.state().ended.hand_over();
    }

    /// How many spans wait in the buffer of this pipeline, as long as the guard is held.
    pub(super) fn waiting(&self, pipeline: usize) -> (usize, impl Sized + '_) {
        let state = self.state();
        let ended = &state.ended;
        (if ended.is_of(pipeline) { ended.buffer.spans() } else { 0 }, state)
    }

    /// Copies of the bytes of its slots and of its buffer.
    #[cfg(test)]
    pub(super) fn copies(&self) -> (Vec<Vec<u8>>, Vec<u8>) {
        let state = self.state();
        let slots = state.slots.iter().map(|slot| slot.span.record().to_vec());
        (slots.collect(), state.ended.buffer.bytes().to_vec())
    }

    /// Whether a span of this pipeline is open.
    pub(super) fn has_open(&self, pipeline: usize) -> bool {
        self.state().slots.iter().any(|slot| slot.is_of(pipeline))
    }

    /// References to the open spans of this pipeline.
    pub(super) fn opened(&'static self, pipeline: usize) -> Vec<SlotRef> {
        let state = self.state();
        let of_it = state.slots.iter().zip(0..).filter(|(slot, _)| slot.is_of(pipeline));
        let slot_ref = |(slot, index): (&Slot, u32)| SlotRef {
            local: self,
            slot: index,
            generation: slot.generation,
        };
        of_it.map(slot_ref).collect()
    }
}

/// What is to be done once the lock is free.
#[must_use = "the span is not handed over"]
enum AfterUnlock {
    Nothing,
    /// The span is dropped, and counted.
    CountLate,
    HandOver(Arc<dyn Outlet>, Batch),
    Wake(Arc<dyn Outlet>),
}

impl AfterUnlock {
    /// Both. Of one outlet, one batch.
    fn and(self, next: Self) -> Self {
        match (self, next) {
            (other, Self::CountLate) | (Self::CountLate, other) => {
                late::count();
                other
            }
            (Self::HandOver(outlet, mut batch), Self::HandOver(_, next)) => {
                batch.append(&next);
                Self::HandOver(outlet, batch)
            }
            (this, Self::Nothing) | (this @ Self::HandOver(..), Self::Wake(_)) => this,
            (Self::Nothing | Self::Wake(_), next) => next,
        }
    }

    #[inline]
    fn run(self) {
        match self {
            Self::Nothing => {}
            Self::CountLate => late::count(),
            Self::HandOver(outlet, batch) => outlet.take(batch),
            Self::Wake(outlet) => outlet.wake(),
        }
    }
}

impl Ended {
    /// Whether the buffer is for this pipeline.
    #[inline]
    fn is_of(&self, pipeline: usize) -> bool {
        self.outlet.as_ref().is_some_and(|(known, _)| *known == pipeline)
    }

    /// From now on the buffer is for this pipeline. Returns the one that it was for.
    #[inline]
    fn use_outlet(
        &mut self,
        pipeline: usize,
        outlet: &Arc<dyn Outlet>,
    ) -> Option<(usize, Arc<dyn Outlet>)> {
        if self.is_of(pipeline) {
            return None;
        }
        self.hand_over();
        self.outlet.replace((pipeline, outlet.clone()))
    }

    #[inline]
    fn append(&mut self, route: &SpanRoute, record: &[u8]) -> AfterUnlock {
        let number = match route {
            SpanRoute::Pipeline(number) => *number,
            SpanRoute::Direct(outlet) => return direct(outlet, record),
        };
        let outlet = match &self.outlet {
            Some((known, outlet)) if *known == number => outlet,
            // Its pipeline was shut down, and another one is there.
            _ => return AfterUnlock::CountLate,
        };
        let bytes = record.len();
        if self.room.spans == 0 || self.room.bytes < bytes {
            let lacking = Room {
                spans: usize::from(self.room.spans == 0),
                bytes: if self.room.bytes < bytes { bytes } else { 0 },
            };
            let Some(room) = outlet.reserve(lacking) else { return AfterUnlock::Nothing };
            self.room.spans += room.spans;
            self.room.bytes += room.bytes;
        }
        let most = outlet.spans_at_once();
        self.room.spans -= 1;
        self.room.bytes -= bytes;
        if most == 1 {
            return direct(outlet, record);
        }
        if self.buffer.size() + bytes > 2 * FULL && !self.buffer.is_empty() {
            // A large span has a batch of its own: the others need not be refused with it.
            outlet.take(std::mem::take(&mut self.buffer));
        }
        let was_empty = self.buffer.is_empty();
        self.buffer.push_record(record);
        if self.buffer.spans() >= most || self.buffer.size() >= FULL {
            // A copy, so that the memory that this thread writes to stays in the caches of its processor.
            let mut full = outlet.buffer();
            full.append(&self.buffer);
            outlet.take(full);
            self.buffer.clear();
        } else if was_empty {
            return AfterUnlock::Wake(outlet.clone());
        }
        AfterUnlock::Nothing
    }

    /// Adds what is decided now that this span of the trace has ended.
    fn append_decided(
        &mut self,
        trace: &Arc<LocalTrace>,
        span: &OpenSpan,
        end: u64,
    ) -> AfterUnlock {
        let decided = trace.end(span.ended(end), span.record());
        let mut decided: Vec<Batch> = decided.into_iter().collect();
        decided.extend(trace.held_traces().make_room());
        let mut after = AfterUnlock::Nothing;
        for batch in decided {
            after = after.and(self.append_batch(&span.route, batch));
        }
        after
    }

    /// Adds the spans of a trace that was held.
    fn append_batch(&mut self, route: &SpanRoute, batch: Batch) -> AfterUnlock {
        if let Some((_, outlet)) = &self.outlet {
            batch.contexts().for_each(|context| outlet.expect(&context));
        }
        let mut after = AfterUnlock::Nothing;
        for record in batch.whole_records() {
            after = after.and(self.append(route, record));
        }
        after
    }

    /// Hands over what waits, and the room that is not used.
    fn hand_over(&mut self) {
        let Some((_, outlet)) = &self.outlet else { return };
        if !self.buffer.is_empty() {
            outlet.take(std::mem::take(&mut self.buffer));
        }
        outlet.release(std::mem::take(&mut self.room));
    }
}

/// Hands over this span alone.
fn direct(outlet: &Arc<dyn Outlet>, record: &[u8]) -> AfterUnlock {
    let mut batch = Batch::default();
    batch.push_record(record);
    AfterUnlock::HandOver(outlet.clone(), batch)
}

impl SlotRef {
    /// What this does with the span; `None` if the span has ended, or is another process's.
    #[inline]
    pub(crate) fn with<T>(self, change: impl FnOnce(&mut OpenSpan) -> T) -> Option<T> {
        if !self.local.is_ours() {
            return None;
        }
        let mut state = self.local.state();
        let slot = state.slots.get_mut(self.slot as usize)?;
        slot.holds(self.generation).then(|| {
            let changed = change(&mut slot.span);
            slot.span.seal();
            changed
        })
    }

    /// Ends the span: now, or at this time in nanoseconds since 1970. Does nothing if it has ended, or is another
    /// process's.
    #[inline]
    pub(crate) fn end(self, at: Option<u64>) {
        if !self.local.is_ours() {
            return;
        }
        let mut state = self.local.state();
        let LocalState { slots, free, generation, ended } = &mut *state;
        let Some(slot) = slots.get_mut(self.slot as usize) else { return };
        if !slot.holds(self.generation) {
            return;
        }
        // The record is written before its slot is freed.
        let end = slot.span.finish(at);
        let span = &slot.span;
        let after = match &span.trace {
            None => ended.append(&span.route, span.record()),
            Some(trace) => ended.append_decided(trace, span, end),
        };
        slot.clear();
        if slot.is_reusable() {
            free.push(self.slot);
        }
        if slots.len() > MOST_IDLE && free.len() == slots.len() {
            *generation = slots.iter().map(|slot| slot.generation).max().unwrap_or(*generation);
            (*slots, *free) = (Vec::new(), Vec::new());
        }
        drop(state);
        after.run();
    }

    /// Ends the span, marked as interrupted.
    pub(crate) fn interrupt(self) {
        self.with(|span| span.set_attribute("spandrel.interrupted", ValueRef::Bool(true)));
        self.end(None);
    }
}

impl Debug for SlotRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SlotRef").field(&self.slot).field(&self.generation).finish()
    }
}
