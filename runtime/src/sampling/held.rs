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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::time::{Duration, SystemTime};

    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanKind, TraceFlags, TraceState};
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;
    use crate::stats::Account;

    const ERRORS: Keep = Keep { errors: true, slower_than: None };
    const SLOW: Keep = Keep { errors: false, slower_than: Some(Duration::from_millis(100)) };

    fn context(trace: u128) -> SpanContext {
        let (trace, span) = (TraceId::from(trace), SpanId::from(1));
        SpanContext::new(trace, span, TraceFlags::NOT_SAMPLED, false, TraceState::NONE)
    }

    fn span(trace: u128, name: &'static str, parent: u64) -> SpanData {
        SpanData {
            span_context: context(trace),
            parent_span_id: SpanId::from(parent),
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: Cow::Borrowed(name),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    fn root(trace: u128) -> SpanData {
        span(trace, "root", 0)
    }

    fn child(trace: u128) -> SpanData {
        span(trace, "child", 1)
    }

    fn failed(span: SpanData) -> SpanData {
        SpanData { status: Status::error("it failed"), ..span }
    }

    fn taking(millis: u64, span: SpanData) -> SpanData {
        SpanData { end_time: span.start_time + Duration::from_millis(millis), ..span }
    }

    fn held(keep: Keep) -> HeldTraces {
        HeldTraces::new(keep, Arc::default())
    }

    /// With this many open spans in a trace.
    fn started(keep: Keep, spans: usize) -> HeldTraces {
        let held = held(keep);
        (0..spans).for_each(|_| held.start(&context(1)));
        held
    }

    fn names(spans: Vec<SpanData>) -> Vec<String> {
        spans.into_iter().map(|span| span.name.into_owned()).collect()
    }

    fn is_empty(held: &HeldTraces) -> bool {
        let traces = held.traces();
        (traces.by_id.len(), traces.by_age.len(), traces.spans, traces.bytes) == (0, 0, 0, 0)
    }

    #[test]
    fn a_trace_that_is_not_kept_is_let_go_with_its_last_span() {
        let held = started(ERRORS, 2);
        assert_eq!(names(held.end(child(1))), [""; 0]);
        assert_eq!(held.traces().spans, 1);
        assert_eq!(held.traces().by_age.len(), 1);
        assert_eq!(held.traces().bytes, size(&child(1)));
        assert_eq!(names(held.end(root(1))), [""; 0]);
        assert!(is_empty(&held));
        assert_eq!(held.account.stats().let_go, 0, "it was not let go too early");
    }

    #[test]
    fn one_span_that_fails_keeps_the_whole_trace() {
        for spans in [[failed(child(1)), root(1)], [child(1), failed(root(1))]] {
            let held = started(ERRORS, 2);
            let [first, last] = spans;
            assert_eq!(names(held.end(first)), [""; 0], "it is held until the root ends");
            assert_eq!(names(held.end(last)), ["child", "root"]);
            assert!(is_empty(&held));
        }
        let held = started(SLOW, 1);
        assert_eq!(names(held.end(failed(root(1)))), [""; 0], "failures are not asked for");
    }

    #[test]
    fn one_span_that_is_slow_keeps_the_trace() {
        for (millis, kept) in [(99, 0), (100, 1), (101, 1)] {
            assert_eq!(started(SLOW, 1).end(taking(millis, root(1))).len(), kept, "{millis}");
        }
        assert_eq!(started(ERRORS, 1).end(taking(1000, root(1))).len(), 0);
        let backwards =
            SpanData { end_time: SystemTime::UNIX_EPOCH - Duration::from_secs(9), ..root(1) };
        assert_eq!(started(SLOW, 1).end(backwards).len(), 0);
    }

    #[test]
    fn what_comes_after_the_root_of_a_kept_trace_is_exported_at_once() {
        let held = started(ERRORS, 3);
        assert_eq!(names(held.end(failed(root(1)))), ["root"]);
        assert_eq!(names(held.end(child(1))), ["child"]);
        assert_eq!(names(held.end(child(1))), ["child"]);
        assert!(is_empty(&held));
        // As is what starts in it later.
        held.start(&context(1));
        held.start(&context(1));
        assert_eq!(names(held.end(child(1))), ["child"]);
        held.start(&context(2));
        held.start(&context(2));
        assert_eq!(names(held.end(child(2))), [""; 0], "of another trace it is not");
    }

    #[test]
    fn a_root_that_ends_first_leaves_a_trace_that_may_fail_yet() {
        let held = started(ERRORS, 3);
        assert_eq!(names(held.end(root(1))), [""; 0]);
        assert_eq!(names(held.end(failed(child(1)))), ["root", "child"]);
        assert_eq!(names(held.end(child(1))), ["child"]);
    }

    #[test]
    fn the_root_of_a_process_has_no_parent_or_a_remote_one() {
        let held = started(ERRORS, 2);
        let remote = SpanData { parent_span_is_remote: true, ..failed(child(1)) };
        assert_eq!(names(held.end(remote)), ["child"]);
        let held = started(ERRORS, 2);
        assert_eq!(names(held.end(failed(child(1)))), [""; 0], "it has a parent here");
    }

    #[test]
    fn at_the_end_only_what_is_kept_is_exported() {
        let held = started(ERRORS, 2);
        held.start(&context(2));
        held.start(&context(2));
        held.end(failed(child(1)));
        held.end(child(2));
        assert_eq!(held.release_kept().len(), 1);
        assert!(is_empty(&held));
    }

    #[test]
    fn the_last_hundred_kept_traces_are_remembered() {
        let held = held(ERRORS);
        for trace in 1..=101 {
            held.start(&context(trace));
            assert_eq!(held.end(failed(root(trace))).len(), 1);
        }
        let comes_later = |trace| {
            held.start(&context(trace));
            held.start(&context(trace));
            held.end(child(trace)).len()
        };
        assert_eq!((comes_later(1), comes_later(2), comes_later(101)), (0, 1, 1));
        assert_eq!(held.traces().kept.len(), MOST_KEPT);
    }

    #[test]
    fn the_oldest_trace_goes_where_there_are_too_many_spans() {
        let held = held(ERRORS);
        for trace in 1..=3 {
            (0..=MOST_SPANS).for_each(|_| held.start(&context(trace)));
        }
        held.end(child(1));
        held.end(failed(child(2)));
        for _ in 0..MOST_SPANS - 2 {
            assert_eq!(held.end(child(3)).len(), 0);
        }
        assert_eq!((held.traces().spans, held.account.stats().let_go), (MOST_SPANS, 0));
        assert_eq!(held.end(child(3)).len(), 0);
        assert_eq!((held.traces().spans, held.account.stats().let_go), (MOST_SPANS, 1));
        assert_eq!(names(held.end(child(3))), ["child"], "the second is kept, and goes out early");
        assert_eq!((held.traces().spans, held.account.stats().let_go), (MOST_SPANS, 1));
        assert_eq!(held.traces().by_age.len(), 1);
    }

    #[test]
    fn the_oldest_trace_goes_where_the_spans_are_too_large() {
        let held = held(ERRORS);
        let large = |trace| {
            let mut span = child(trace);
            span.name = "n".repeat(MOST_BYTES / 4 - size(&child(trace)) + "child".len()).into();
            span
        };
        assert_eq!(size(&large(1)), MOST_BYTES / 4);
        for trace in 1..=5 {
            held.start(&context(trace));
            held.start(&context(trace));
            held.end(large(trace));
            let expected = (trace as usize).min(4) * (MOST_BYTES / 4);
            assert_eq!(held.traces().bytes, expected, "{trace}");
        }
        assert_eq!(held.account.stats().let_go, 1);
        assert!(!held.traces().by_age.values().any(|id| *id == TraceId::from(1)));
    }
}
