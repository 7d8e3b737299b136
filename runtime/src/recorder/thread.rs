//! What a thread knows that records spans, and what the process knows of its threads.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanId, TraceId, TraceState};
use opentelemetry_sdk::trace::SpanData;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::batch::Batch;
use super::known_span::KnownSpan;
use super::local::Local;
use super::outlet::{Outlet, Room};
use super::scope::ScopeId;
use crate::fork::Fork;
use crate::lock::Unpoisoned;

/// How many parents a thread remembers.
const MOST_PARENTS: usize = 8;

thread_local!(static THREAD: RefCell<Option<Thread>> = const { RefCell::new(None) });

/// What a child of `fork` must do before it records.
static START_OVER: OnceLock<fn()> = OnceLock::new();

/// Makes a child of `fork` do this before its first span, and does it now if this is a child that has not: once, and
/// every thread that comes here waits until it is done.
pub(crate) fn after_fork(start_over: fn()) {
    START_OVER.get_or_init(|| start_over);
    start_over_in_child();
}

/// Starts over if this is a child of `fork` that has not, and something was given to [`after_fork`].
pub(crate) fn start_over_in_child() {
    thread_local!(static STARTS_OVER: Cell<bool> = const { Cell::new(false) });
    let process = Process::current();
    // The function may come by here itself.
    if let (Some(start_over), true, false) = (START_OVER.get(), process.is_child, STARTS_OVER.get())
    {
        process.started_over.get_or_init(|| {
            STARTS_OVER.set(true);
            start_over();
            STARTS_OVER.set(false);
        });
    }
}

/// The recorder's state of one thread.
pub(super) struct Thread {
    pub(super) local: &'static Local,
    random: SmallRng,
    /// The next trace, if it was decided about before.
    pub(super) decided: Option<DecidedTrace>,
    /// The span that this thread started last: the next one is often under it.
    last: Option<KnownSpan>,
    /// Spans that others were started under, by their ids.
    parents: [Option<KnownSpan>; MOST_PARENTS],
    /// The numbers of scopes. Few: one for each crate that has spans.
    scopes: Vec<(InstrumentedCrate, ScopeId)>,
}

/// A trace that was decided about before its first span starts: it is sampled.
#[derive(Debug)]
pub(super) struct DecidedTrace {
    pub(super) id: TraceId,
    /// What its first span states, if that is something else than its parent does.
    pub(super) state: Option<TraceState>,
}

/// The crate whose spans these are: OpenTelemetry's instrumentation scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct InstrumentedCrate {
    pub(crate) name: &'static str,
    pub(crate) version: Option<&'static str>,
}

impl InstrumentedCrate {
    pub(crate) fn scope(self) -> InstrumentationScope {
        let scope = InstrumentationScope::builder(self.name);
        match self.version {
            Some(version) => scope.with_version(version).build(),
            None => scope.build(),
        }
    }

    /// Whether they are the same. Mostly they are in the same place, which is found out faster.
    pub(crate) fn is(self, other: Self) -> bool {
        let place =
            |library: Self| (ptr::from_ref(library.name), library.version.map(ptr::from_ref));
        place(self) == place(other) || self == other
    }
}

impl Thread {
    /// What this does with the thread's own state; `None` while the thread ends.
    #[inline]
    pub(super) fn with<T>(run: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let mut run = Some(run);
        if let Some(done) = Self::if_started(|thread| run.take().map(|run| run(thread))) {
            return done;
        }
        Self::start();
        Self::if_started(run?)
    }

    /// The same, if the thread has recorded before in this process.
    #[inline]
    pub(super) fn if_started<T>(run: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let run = |thread: &RefCell<Option<Self>>| {
            let mut thread = thread.borrow_mut();
            Some(run(thread.as_mut().filter(|thread| thread.local.is_ours())?))
        };
        THREAD.try_with(run).ok().flatten()
    }

    #[cold]
    fn start() {
        let before = THREAD.try_with(|thread| thread.borrow_mut().replace(Self::new()));
        drop(before);
        start_over_in_child();
    }

    fn new() -> Self {
        Self {
            local: Process::current().local(),
            random: SmallRng::from_os_rng(),
            decided: None,
            last: None,
            parents: [const { None }; MOST_PARENTS],
            scopes: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn new_trace_id(&mut self) -> TraceId {
        TraceId::from(self.random.random::<u128>())
    }

    #[inline]
    pub(super) fn new_span_id(&mut self) -> SpanId {
        SpanId::from(self.random.random::<u64>())
    }

    /// The number of this crate's scope.
    #[inline]
    pub(super) fn scope(&mut self, library: InstrumentedCrate) -> ScopeId {
        if let Some((_, id)) = self.scopes.iter().find(|(known, _)| known.is(library)) {
            return *id;
        }
        let id = ScopeId::of(&library.scope());
        self.scopes.push((library, id));
        id
    }

    /// The span with this id, if the thread remembers it.
    #[inline]
    pub(super) fn remembered(&self, id: SpanId) -> Option<KnownSpan> {
        let is_it = |known: &&KnownSpan| known.id == id;
        let found = self.last.as_ref().filter(is_it);
        found.or_else(|| self.parents[index(id)].as_ref().filter(is_it)).copied()
    }

    /// Remembers a span that was started inside another one.
    #[inline]
    pub(super) fn remember(&mut self, started: &KnownSpan, outer: Option<&KnownSpan>) {
        self.last = Some(*started);
        if let Some(outer) = outer {
            let remembered = &mut self.parents[index(outer.id)];
            if remembered.as_ref().is_none_or(|known| known.id != outer.id) {
                *remembered = Some(*outer);
            }
        }
    }
}

fn index(id: SpanId) -> usize {
    let [.., last] = id.to_bytes();
    usize::from(last) % MOST_PARENTS
}

impl Drop for Thread {
    fn drop(&mut self) {
        if self.local.is_ours() {
            self.local.retire();
            Process::current().locals().spare.push(self.local);
        }
    }
}

/// The threads of one process. A child of `fork` has another one: what its parent has may be locked for ever.
struct Process {
    fork: Fork,
    locals: Mutex<Locals>,
    /// Whether it was forked from one that records.
    is_child: bool,
    /// Set once this child has restarted the exporter and the thread that watches for signals.
    started_over: OnceLock<()>,
    /// That of a child.
    child: OnceLock<Box<Self>>,
}

#[derive(Default)]
struct Locals {
    all: Vec<&'static Local>,
    /// Those whose threads have ended.
    spare: Vec<&'static Local>,
}

impl Process {
    fn new(is_child: bool) -> Self {
        Self {
            fork: Fork::watch(),
            locals: Mutex::default(),
            is_child,
            started_over: OnceLock::new(),
            child: OnceLock::new(),
        }
    }

    fn current() -> &'static Self {
        static FIRST: OnceLock<Process> = OnceLock::new();
        let mut process = FIRST.get_or_init(|| Self::new(false));
        while process.fork.has_happened() {
            process = process.child.get_or_init(|| Box::new(Self::new(true)));
        }
        process
    }

    fn locals(&self) -> MutexGuard<'_, Locals> {
        self.locals.lock().unpoisoned()
    }

    /// One that no thread uses.
    fn local(&self) -> &'static Local {
        let mut locals = self.locals();
        locals.spare.pop().unwrap_or_else(|| {
            let local = Local::new();
            locals.all.push(local);
            local
        })
    }
}

/// All that threads of this process use or have used.
fn locals() -> Vec<&'static Local> {
    Process::current().locals().all.clone()
}

/// Random ids, other ones in a child of `fork` than in its parent.
pub(crate) fn new_ids() -> (TraceId, SpanId) {
    let ids = Thread::with(|thread| (thread.new_trace_id(), thread.new_span_id()));
    // While the thread ends, it has no generator any more.
    ids.unwrap_or_else(|| {
        let mut random = SmallRng::from_os_rng();
        (TraceId::from(random.random::<u128>()), SpanId::from(random.random::<u64>()))
    })
}

/// The number of a pipeline that is about to start: another one each time, and never zero.
pub(crate) fn new_pipeline() -> usize {
    static LATEST: AtomicUsize = AtomicUsize::new(0);
    LATEST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Hands over what waits in the buffers of all threads for this pipeline.
pub(crate) fn collect(pipeline: usize) {
    for local in locals() {
        local.collect(pipeline);
    }
}

/// Hands over what waits in the buffers of all threads for this pipeline, which has ended.
pub(crate) fn close(pipeline: usize) {
    for local in locals() {
        local.close(pipeline);
    }
}

/// What this makes of the number of spans that wait in the buffers of all threads for this pipeline. Meanwhile none is
/// added or handed over.
pub(crate) fn with_waiting<T>(pipeline: usize, read: impl FnOnce(usize) -> T) -> T {
    // One thread at a time holds the locks of several.
    let locals = Process::current().locals();
    let (waiting, guards): (Vec<usize>, Vec<_>) =
        locals.all.iter().map(|local| local.waiting(pipeline)).unzip();
    let value = read(waiting.into_iter().sum());
    drop(guards);
    value
}

/// Adds a span that an SDK has recorded.
pub(crate) fn append(outlet: &Arc<dyn Outlet>, pipeline: usize, span: &SpanData) {
    let batch = Batch::of(span);
    if let Some(local) = Thread::with(|thread| thread.local) {
        return local.append(pipeline, outlet, batch.bytes());
    }
    // The thread ends.
    let used = Room { spans: batch.spans(), bytes: batch.size() };
    if let Some(Room { spans, bytes }) = outlet.reserve(used) {
        outlet.release(Room { spans: spans - used.spans, bytes: bytes - used.bytes });
        outlet.take(batch);
    }
}

/// Whether a span of this pipeline is open.
pub(crate) fn any_open(pipeline: usize) -> bool {
    locals().into_iter().any(|local| local.has_open(pipeline))
}

/// Ends the spans of this pipeline that are open, marked as interrupted.
pub(crate) fn interrupt(pipeline: usize) {
    for slot in locals().into_iter().flat_map(|local| local.opened(pipeline)) {
        slot.interrupt();
    }
}
