//! What each thread has: the spans that are open, a buffer of those that have ended; and the queue of
//! full buffers.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slab::Slab;

use super::clock::{Clock, Counter};
use super::fields::{Encoded, Fields};
use super::span::Data;

/// A buffer with so many bytes is handed over.
const FULL: usize = 64 * 1024;
/// So many bytes wait at most; of what comes then nothing is taken.
const MOST: usize = 32 << 20;

/// The spans of a `ScopeSpans`.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) spans: u64,
}

/// Never freed: a thread that starts takes over what one that has ended has left.
#[derive(Debug)]
pub(crate) struct Local(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    open: Slab<Entry>,
    /// How many spans were opened here: no two have the same number.
    number: u64,
    buffer: Buffer,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    data: Data<Counter, Encoded>,
}

/// Where a span is until it ends, for any thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    local: &'static Local,
    index: usize,
    number: u64,
}

static LOCALS: Mutex<Vec<&'static Local>> = Mutex::new(Vec::new());
static SPARE: Mutex<Vec<&'static Local>> = Mutex::new(Vec::new());

struct Here(&'static Local);

thread_local!(static HERE: Here = Here(take_over()));

fn take_over() -> &'static Local {
    if let Some(local) = lock(&SPARE).pop() {
        return local;
    }
    let local = &*Box::leak(Box::new(Local(Mutex::default())));
    lock(&LOCALS).push(local);
    local
}

impl Drop for Here {
    fn drop(&mut self) {
        lock(&SPARE).push(self.0);
    }
}

#[inline]
pub(crate) fn here() -> &'static Local {
    HERE.with(|here| here.0)
}

impl Local {
    /// Adds a span to the buffer.
    #[inline]
    pub(crate) fn write(&self, span: impl FnOnce(&mut Vec<u8>)) {
        lock(&self.0).buffer.write(span);
    }

    #[inline]
    pub(crate) fn open(&'static self, data: Data<Counter, Encoded>) -> Place {
        let mut state = lock(&self.0);
        state.number += 1;
        let number = state.number;
        Place { local: self, index: state.open.insert(Entry { number, data }), number }
    }

    fn hand_over(&self) {
        let buffer = std::mem::take(&mut lock(&self.0).buffer);
        if buffer.spans > 0 {
            hand_over(buffer);
        }
    }

    /// Ends its open spans, marked.
    pub(crate) fn interrupt(&self) {
        let nanos = Counter::nanos(Counter::now());
        let mut state = lock(&self.0);
        let State { open, buffer, .. } = &mut *state;
        for mut entry in open.drain() {
            entry.data.fields.text("spandrel.interrupted", "true");
            buffer.write(|bytes| entry.data.write(nanos, bytes));
        }
    }
}

impl Buffer {
    #[inline]
    fn write(&mut self, span: impl FnOnce(&mut Vec<u8>)) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve_exact(FULL + FULL / 8);
        }
        span(&mut self.bytes);
        self.spans += 1;
        if self.bytes.len() >= FULL {
            hand_over(std::mem::take(self));
        }
    }
}

impl Place {
    #[inline]
    pub(crate) fn end(self, nanos: u64) {
        let mut state = lock(&self.local.0);
        let State { open, buffer, .. } = &mut *state;
        if open.get(self.index).is_some_and(|entry| entry.number == self.number) {
            let Entry { data, .. } = open.remove(self.index);
            buffer.write(|bytes| data.write(nanos, bytes));
        }
    }

    /// Nothing, where it has ended.
    pub(crate) fn with<T>(
        self,
        change: impl FnOnce(&mut Data<Counter, Encoded>) -> T,
    ) -> Option<T> {
        let mut state = lock(&self.local.0);
        let entry = state.open.get_mut(self.index).filter(|entry| entry.number == self.number)?;
        Some(change(&mut entry.data))
    }
}

/// Of this thread, what it has not handed over.
pub(crate) fn take_here() -> Buffer {
    std::mem::take(&mut lock(&here().0).buffer)
}

/// What this does until there are so many bytes, fewer than are handed over.
pub(crate) fn filled(work: impl Fn(), bytes: usize) -> Buffer {
    take_here();
    while lock(&here().0).buffer.bytes.len() < bytes {
        work();
    }
    take_here()
}

static QUEUE: Queue =
    Queue { state: Mutex::new(Waiting::NONE), bell: Condvar::new(), progress: Condvar::new() };

struct Queue {
    state: Mutex<Waiting>,
    /// Wakes the exporter.
    bell: Condvar,
    /// Wakes who waits for the exporter.
    progress: Condvar,
}

/// The counts are of spans since the queue was opened.
struct Waiting {
    buffers: VecDeque<Buffer>,
    bytes: usize,
    taken: u64,
    sent: u64,
    dropped: u64,
    closed: bool,
}

impl Waiting {
    const NONE: Self =
        Self { buffers: VecDeque::new(), bytes: 0, taken: 0, sent: 0, dropped: 0, closed: false };
}

#[cold]
fn hand_over(buffer: Buffer) {
    let mut waiting = lock(&QUEUE.state);
    if waiting.bytes > MOST || waiting.closed {
        waiting.dropped += buffer.spans;
        return;
    }
    waiting.bytes += buffer.bytes.len();
    waiting.taken += buffer.spans;
    waiting.buffers.push_back(buffer);
    drop(waiting);
    QUEUE.bell.notify_one();
}

pub(crate) fn open() {
    *lock(&QUEUE.state) = Waiting::NONE;
}

/// Ends what is open, hands over what the threads have, and lets no more come.
pub(crate) fn close() {
    for local in lock(&LOCALS).iter() {
        local.interrupt();
        local.hand_over();
    }
    lock(&QUEUE.state).closed = true;
    QUEUE.bell.notify_all();
}

/// Hands over what the threads have recorded, and waits until the exporter has sent it. Returns how many
/// spans were sent since the queue was opened.
#[allow(dead_code, reason = "only the benches flush")]
pub(crate) fn flush() -> u64 {
    for local in lock(&LOCALS).iter() {
        local.hand_over();
    }
    let mut waiting = lock(&QUEUE.state);
    while waiting.sent < waiting.taken {
        let waited = QUEUE.progress.wait(waiting);
        waiting = waited.unwrap_or_else(PoisonError::into_inner);
    }
    waiting.sent
}

/// The exporter has sent so many spans of those that [`next`] returned.
pub(crate) fn count_sent(spans: u64) {
    lock(&QUEUE.state).sent += spans;
    QUEUE.progress.notify_all();
}

/// What has been handed over, as soon as there are so many; nothing once the queue is closed and empty.
pub(crate) fn next(buffers: usize) -> Option<Vec<Buffer>> {
    let mut waiting = lock(&QUEUE.state);
    loop {
        let ready = waiting.buffers.len() >= buffers || waiting.closed;
        if ready && !waiting.buffers.is_empty() {
            waiting.bytes = 0;
            return Some(std::mem::take(&mut waiting.buffers).into());
        }
        if waiting.closed {
            return None;
        }
        let waited = QUEUE.bell.wait_timeout(waiting, Duration::from_secs(1));
        (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
    }
}

#[inline]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
