//! Traces drawn in the terminal, each when the last of its local spans has ended.
//!
//! A thread writes them, since standard error may be a pipe that nobody reads or a terminal that was
//! stopped. As long as it is read, whoever ends a trace waits until the trace is drawn, so that the drawing
//! comes before what the program prints next.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::trace::{SpanContext, TraceId};
use opentelemetry_sdk::trace::SpanData;

use crate::internal_threads;
use crate::processor::Sink;
use crate::stats::{Account, Counts, Stats};
use crate::tree::{Drawing, Look};

/// As many finished spans wait for their traces to be complete; when there are more, the traces are
/// drawn in parts. As many more wait to be written.
const MOST_HELD: usize = 10_000;

/// How long the end of a trace waits for its drawing.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Console(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    written: Condvar,
}

#[derive(Debug, Default)]
struct State {
    by_id: HashMap<TraceId, Trace>,
    /// The finished spans in all of them.
    held: usize,
    /// The spans that the thread is to write.
    writing: usize,
    /// Whether the thread has not come to the end of its work in time.
    stuck: bool,
    finished: bool,
    counts: Counts,
    writer: Option<Sender<Drawn>>,
}

#[derive(Debug, Default)]
struct Trace {
    open: usize,
    finished: Vec<SpanData>,
}

/// Spans as text.
#[derive(Debug)]
struct Drawn {
    spans: usize,
    text: String,
}

impl Console {
    pub(crate) fn start() -> Self {
        let shared = Arc::<Shared>::default();
        shared.start_writer();
        Self(shared)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_writer(self: &Arc<Self>) {
        let (writer, drawings) = mpsc::channel::<Drawn>();
        let shared = self.clone();
        let spawned = internal_threads::spawn("spandrel-console", move || {
            for Drawn { spans, text } in drawings {
                let _ = io::stderr().lock().write_all(text.as_bytes());
                shared.has_written(spans);
            }
        });
        self.state().writer = spawned.ok().map(|()| writer);
    }

    fn has_written(&self, spans: usize) {
        let mut state = self.state();
        // Those that were given up have been counted.
        let spans = spans.min(state.writing);
        state.writing -= spans;
        state.counts.exported += spans as u64;
        state.stuck &= state.writing > 0;
        self.written.notify_all();
    }

    /// Draws what has ended of each trace.
    fn draw_parts(&self) {
        let mut state = self.state();
        state.held = 0;
        let parts: Vec<_> =
            state.by_id.values_mut().map(|trace| std::mem::take(&mut trace.finished)).collect();
        state.writing += parts.iter().map(Vec::len).sum::<usize>();
        drop(state);
        parts.into_iter().filter(|part| !part.is_empty()).for_each(|part| self.draw(part));
    }

    /// Has the thread draw spans that count as being written. Standard error may be closed: then there is
    /// nobody to tell.
    fn draw(&self, mut spans: Vec<SpanData>) {
        spans.sort_by_key(|span| span.start_time);
        let count = spans.len();
        let text = Drawing { spans: &spans, look: Look::of_stderr() }.to_string();
        let state = self.state();
        let writer = state.writer.clone();
        let waits = !state.stuck;
        drop(state);
        let Some(writer) = writer else {
            // Without a thread, this one must do.
            let _ = io::stderr().lock().write_all(text.as_bytes());
            return self.has_written(count);
        };
        if writer.send(Drawn { spans: count, text }).is_ok() && waits {
            let written = self.wait(Some(Instant::now() + PATIENCE));
            self.state().stuck |= !written;
        }
    }

    /// Waits until everything is written; `false` when that takes too long.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let left =
            deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        let writing = |state: &mut State| state.writing > 0;
        let (state, _) = self
            .written
            .wait_timeout_while(self.state(), left, writing)
            .unwrap_or_else(PoisonError::into_inner);
        state.writing == 0
    }
}

impl Account for Console {
    fn stats(&self) -> Stats {
        let state = self.0.state();
        state.counts.and_waiting(state.held + state.writing)
    }
}

impl Sink for Console {
    fn expect(&self, span: &SpanContext) {
        self.0.state().by_id.entry(span.trace_id()).or_default().open += 1;
    }

    fn take(&self, span: SpanData) {
        let id = span.span_context.trace_id();
        let mut state = self.0.state();
        state.counts.accepted += 1;
        let trace = state.by_id.entry(id).or_default();
        trace.open = trace.open.saturating_sub(1);
        let complete = trace.open == 0;
        trace.finished.push(span);
        state.held += 1;
        if state.finished || state.writing >= MOST_HELD {
            // Nobody reads what is written.
            let dropped = state.by_id.remove(&id).unwrap_or_default();
            let spans = dropped.finished.len();
            state.held -= spans;
            state.counts.dropped += spans as u64;
            if !complete {
                state.by_id.entry(id).or_default().open = dropped.open;
            }
        } else if complete {
            let finished = state.by_id.remove(&id).unwrap_or_default().finished;
            state.held -= finished.len();
            state.writing += finished.len();
            drop(state);
            self.0.draw(finished);
        } else if state.held >= MOST_HELD {
            drop(state);
            self.0.draw_parts();
        }
    }

    fn flush(&self, deadline: Option<Instant>) -> bool {
        self.0.draw_parts();
        self.0.wait(deadline)
    }

    fn shut_down(&self, deadline: Instant) -> bool {
        let flushed = self.flush(Some(deadline));
        let mut state = self.0.state();
        state.finished = true;
        state.writer = None;
        let unwritten = std::mem::take(&mut state.writing);
        state.counts.dropped += unwritten as u64;
        flushed
    }

    fn report(&self, flush: Duration) -> Option<String> {
        let Stats { accepted, dropped, .. } = self.stats();
        let lost = format!(
            "{dropped} of {accepted} spans were not drawn: standard error was not read within {flush:?}"
        );
        (dropped > 0).then_some(lost)
    }

    /// What had ended before the fork is the parent's to draw, and the thread is the parent's.
    fn start_over(&self) {
        *self.0.state() = State::default();
        self.0.start_writer();
    }
}
