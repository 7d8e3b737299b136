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

/// As many finished spans wait for their trace to be complete; a trace that has more is drawn in
/// parts.
const HELD: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Console {
    traces: Mutex<HashMap<TraceId, Trace>>,
    account: Arc<Account>,
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

    fn traces(&self) -> MutexGuard<'_, HashMap<TraceId, Trace>> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.traces().entry(span.trace_id()).or_default().open += 1;
    }

    fn take(&self, span: SpanData) {
        let id = span.span_context.trace_id();
        let mut traces = self.traces();
        let trace = traces.entry(id).or_default();
        trace.open = trace.open.saturating_sub(1);
        trace.finished.push(span);
        let complete = trace.open == 0;
        if complete || trace.finished.len() >= HELD {
            let finished = std::mem::take(&mut trace.finished);
            if complete {
                traces.remove(&id);
            }
            drop(traces);
            self.draw(finished);
        }
    }

    fn flush(&self, _deadline: Instant) -> bool {
        let traces = std::mem::take(&mut *self.traces());
        for trace in traces.into_values().filter(|trace| !trace.finished.is_empty()) {
            self.draw(trace.finished);
        }
        true
    }
}
