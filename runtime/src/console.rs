//! Traces drawn in the terminal, each when the last of its local spans has ended.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use opentelemetry::trace::{SpanContext, TraceId};
use opentelemetry_sdk::trace::SpanData;

use crate::processor::Sink;
use crate::stats::Account;
use crate::tree::{Drawing, Look};

/// As many finished spans wait for their traces to be complete; when there are more, the traces are
/// drawn in parts.
const MOST_HELD: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Console {
    traces: Mutex<Traces>,
    account: Arc<Account>,
}

#[derive(Debug, Default)]
struct Traces {
    by_id: HashMap<TraceId, Trace>,
    /// The finished spans in all of them.
    held: usize,
}

#[derive(Debug, Default)]
struct Trace {
    open: usize,
    finished: Vec<SpanData>,
}

impl Console {
    pub(crate) fn new(account: Arc<Account>) -> Self {
        Self { traces: Mutex::default(), account }
    }

    fn traces(&self) -> MutexGuard<'_, Traces> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws what has ended of each trace.
    fn draw_parts(&self) {
        let mut traces = self.traces();
        traces.held = 0;
        let parts: Vec<_> =
            traces.by_id.values_mut().map(|trace| std::mem::take(&mut trace.finished)).collect();
        drop(traces);
        parts.into_iter().filter(|part| !part.is_empty()).for_each(|part| self.draw(part));
    }

    /// Draws what there is. Standard error may be closed: then there is nobody to tell.
    fn draw(&self, mut spans: Vec<SpanData>) {
        spans.sort_by_key(|span| span.start_time);
        let drawing = Drawing { spans: &spans, look: Look::of_stderr() }.to_string();
        let _ = std::io::stderr().lock().write_all(drawing.as_bytes());
        self.account.export(spans.len());
    }
}

impl Sink for Console {
    fn expect(&self, span: &SpanContext) {
        self.traces().by_id.entry(span.trace_id()).or_default().open += 1;
    }

    fn take(&self, span: SpanData) {
        let id = span.span_context.trace_id();
        let mut traces = self.traces();
        traces.held += 1;
        let full = traces.held >= MOST_HELD;
        let trace = traces.by_id.entry(id).or_default();
        trace.open = trace.open.saturating_sub(1);
        trace.finished.push(span);
        if trace.open == 0 {
            let finished = std::mem::take(&mut trace.finished);
            traces.by_id.remove(&id);
            traces.held -= finished.len();
            drop(traces);
            self.draw(finished);
        } else if full {
            drop(traces);
            self.draw_parts();
        }
    }

    fn flush(&self, _deadline: Instant) -> bool {
        self.draw_parts();
        true
    }
}
