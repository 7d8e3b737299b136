//! Traces that were not sampled, held until it is known whether they are kept.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceId};
use opentelemetry_sdk::trace::SpanData;

use crate::config::Keep;
use crate::size::size;
use crate::stats::LetGo;

const MOST_SPANS: usize = 10_000;
const MOST_BYTES: usize = 16 << 20;
const MOST_KEPT: usize = 100;

#[derive(Debug)]
pub(crate) struct HeldTraces {
    keep: Keep,
    traces: Mutex<Traces>,
    account: Arc<LetGo>,
}

#[derive(Debug, Default)]
struct Traces {
    by_id: HashMap<TraceId, Trace>,
    /// Those that hold spans, by the time of the first.
    by_age: BTreeMap<u64, TraceId>,
    next_age: u64,
    spans: usize,
    bytes: usize,
    /// The last traces that were kept and have no open span: more may come of them.
    kept: VecDeque<TraceId>,
}

#[derive(Debug, Default)]
struct Trace {
    /// How many of its spans have started in this process and not ended.
    open: usize,
    /// Whether the span that has no parent in this process has ended.
    root_ended: bool,
    kept: bool,
    age: u64,
    spans: Vec<SpanData>,
    bytes: usize,
}

impl HeldTraces {
    pub(crate) fn new(keep: Keep, account: Arc<LetGo>) -> Self {
        Self { keep, traces: Mutex::default(), account }
    }

    pub(crate) fn start(&self, span: &SpanContext) {
        self.traces().open(span.trace_id());
    }

    /// The spans to export now that this one has ended: all that were held, once the first span
    /// of the trace in this process has ended and the trace is kept, and any that come later.
    pub(crate) fn end(&self, span: SpanData) -> Vec<SpanData> {
        let id = span.span_context.trace_id();
        let keep = self.keeps(&span);
        let local_root = span.parent_span_is_remote || span.parent_span_id == SpanId::INVALID;
        let mut traces = self.traces();
        let trace = traces.by_id.entry(id).or_default();
        trace.open = trace.open.saturating_sub(1);
        trace.kept |= keep;
        trace.root_ended |= local_root;
        let over = trace.open == 0;
        let decided = over || trace.kept && trace.root_ended;
        if !decided {
            traces.hold(id, span);
            return traces.make_room(&self.account);
        }
        let kept = trace.kept;
        let mut spans = traces.release(id);
        if over {
            traces.by_id.remove(&id);
            if kept {
                traces.kept.truncate(MOST_KEPT - 1);
                traces.kept.push_front(id);
            }
        }
        spans.push(span);
        if kept { spans } else { Vec::new() }
    }

    /// What is held of the traces that are kept, though spans of theirs are open: no more will end.
    pub(crate) fn release_kept(&self) -> Vec<SpanData> {
        let traces = std::mem::take(&mut *self.traces());
        traces
            .by_id
            .into_values()
            .filter(|trace| trace.kept)
            .flat_map(|trace| trace.spans)
            .collect()
    }

    fn keeps(&self, span: &SpanData) -> bool {
        let failed = || matches!(span.status, Status::Error { .. });
        let taken = || span.end_time.duration_since(span.start_time).unwrap_or_default();
        self.keep.errors && failed()
            || self.keep.slower_than.is_some_and(|duration| taken() >= duration)
    }

    fn traces(&self) -> MutexGuard<'_, Traces> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traces {
    fn open(&mut self, id: TraceId) {
        let trace = self.by_id.entry(id).or_insert_with(|| {
            let kept = self.kept.contains(&id);
            Trace { kept, root_ended: kept, ..Trace::default() }
        });
        trace.open += 1;
    }

    fn hold(&mut self, id: TraceId, span: SpanData) {
        let bytes = size(&span);
        self.spans += 1;
        self.bytes += bytes;
        let trace = self.by_id.entry(id).or_default();
        if trace.spans.is_empty() {
            trace.age = self.next_age;
            self.by_age.insert(trace.age, id);
            self.next_age += 1;
        }
        trace.bytes += bytes;
        trace.spans.push(span);
    }

    /// The spans of a trace, which are held no longer.
    fn release(&mut self, id: TraceId) -> Vec<SpanData> {
        let Some(trace) = self.by_id.get_mut(&id) else {
            return Vec::new();
        };
        let spans = std::mem::take(&mut trace.spans);
        if !spans.is_empty() {
            self.by_age.remove(&trace.age);
            self.spans -= spans.len();
            self.bytes -= std::mem::take(&mut trace.bytes);
        }
        spans
    }

    /// Lets the oldest go while there are too many; those that are kept all the same are
    /// returned, before their time.
    fn make_room(&mut self, account: &LetGo) -> Vec<SpanData> {
        let mut kept = Vec::new();
        while self.spans > MOST_SPANS || self.bytes > MOST_BYTES {
            let Some((_, id)) = self.by_age.first_key_value() else { break };
            let id = *id;
            let spans = self.release(id);
            if self.by_id.get(&id).is_some_and(|trace| trace.kept) {
                kept.extend(spans);
            } else {
                account.let_go(spans.len());
            }
        }
        kept
    }
}
