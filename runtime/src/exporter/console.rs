//! Traces drawn in the terminal, each when the last of its local spans has ended.
//!
//! A writer thread writes the drawings, because standard error may block: it may be a pipe that nobody reads, or a
//! terminal that was stopped. The thread that ends a trace waits up to 50 ms for its drawing, so that the drawing
//! comes before what the program prints next.

use std::collections::HashMap;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use opentelemetry::trace::{SpanContext, TraceId};
use opentelemetry_sdk::trace::SpanData;

use crate::internal_threads;
use crate::lock::Unpoisoned;
use crate::recorder::{self, Batch, Outlet, Room};
use crate::report;
use crate::sdk::Sink;
use crate::stats::{self, Account, Counts, Stats};
use crate::tree::{Capabilities, Drawing};

/// As many finished spans wait for their traces to be complete; when there are more, the traces are
/// drawn in parts. As many more wait to be written.
const MOST_HELD: usize = 10_000;

/// How long the end of a trace waits for its drawing.
const DRAWING_WAIT: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Console {
    number: usize,
    shared: Arc<ConsoleShared>,
}

#[derive(Debug, Default)]
struct ConsoleShared {
    state: Mutex<ConsoleState>,
    written: Condvar,
    /// What takes its place in a child of `fork`, where the writer thread may have held the lock.
    child: OnceLock<Arc<Self>>,
}

#[derive(Debug, Default)]
struct ConsoleState {
    by_id: HashMap<TraceId, Trace>,
    /// The finished spans in all of them.
    held: usize,
    /// The spans that the thread is to write.
    writing: usize,
    /// How many drawings were handed to the thread, and how many it has written.
    drawings: u64,
    written: u64,
    /// Whether the thread has not written a drawing in time, and has not caught up since.
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
        let shared = Arc::<ConsoleShared>::default();
        shared.start_writer();
        Self { number: recorder::new_pipeline(), shared }
    }

    fn add(&self, span: SpanData) {
        let id = span.span_context.trace_id();
        let shared = self.shared();
        let mut state = shared.state();
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
            shared.draw(finished);
        } else if state.held >= MOST_HELD {
            drop(state);
            shared.draw_parts();
        }
    }

    fn shared(&self) -> &Arc<ConsoleShared> {
        let mut shared = &self.shared;
        while let Some(child) = shared.child.get() {
            shared = child;
        }
        shared
    }
}

impl ConsoleShared {
    fn state(&self) -> MutexGuard<'_, ConsoleState> {
        self.state.lock().unpoisoned()
    }

    fn start_writer(self: &Arc<Self>) {
        let (writer, drawings) = mpsc::channel::<Drawn>();
        let shared = self.clone();
        let spawned = internal_threads::spawn("spandrel-console", move || {
            for Drawn { spans, text } in drawings {
                let written = report::write_all(text.as_bytes());
                shared.has_written(spans, written);
            }
        });
        self.state().writer = spawned.ok().map(|()| writer);
    }

    /// So many spans were written, or could not be: standard error may be closed.
    fn has_written(&self, spans: usize, written: bool) {
        let mut state = self.state();
        state.written += 1;
        // Those that a shutdown has given up are counted as dropped.
        let spans = spans.min(state.writing);
        state.writing -= spans;
        let count = if written { &mut state.counts.exported } else { &mut state.counts.failed };
        *count += spans as u64;
        state.stuck &= state.written < state.drawings;
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

    /// Sends spans, which are counted in `writing`, to the writer thread. Errors on standard error are ignored.
    fn draw(&self, mut spans: Vec<SpanData>) {
        spans.sort_by_key(|span| span.start_time);
        let count = spans.len();
        let text = Drawing { spans: &spans, capabilities: Capabilities::of_stderr() }.to_string();
        let mut state = self.state();
        if state.finished {
            // The shutdown has counted these spans as dropped.
            return;
        }
        state.drawings += 1;
        let (number, waits) = (state.drawings, !state.stuck);
        let Some(writer) = &state.writer else {
            // If the writer thread could not be started, this thread writes.
            drop(state);
            let written = report::write_all(text.as_bytes());
            return self.has_written(count, written);
        };
        // Under the lock, so that drawings are written in the order of their numbers.
        let sent = writer.send(Drawn { spans: count, text }).is_ok();
        drop(state);
        if sent && waits {
            let written = self.wait(Some(Instant::now() + DRAWING_WAIT), number);
            self.state().stuck |= !written;
        }
    }

    /// Waits until the drawing with this number is written; `false` at the deadline.
    fn wait(&self, deadline: Option<Instant>, number: u64) -> bool {
        let left =
            deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        let unwritten = |state: &mut ConsoleState| state.written < number;
        let (state, _) =
            self.written.wait_timeout_while(self.state(), left, unwritten).unpoisoned();
        state.written >= number
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        stats::close(self.stats());
    }
}

impl Account for Console {
    fn stats(&self) -> Stats {
        let state = self.shared().state();
        state.counts.and_waiting(state.held + state.writing)
    }
}

impl Outlet for Console {
    fn spans_at_once(&self) -> usize {
        1
    }

    fn expect(&self, span: &SpanContext) {
        self.shared().state().by_id.entry(span.trace_id()).or_default().open += 1;
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        Some(lacking)
    }

    fn release(&self, _room: Room) {}

    fn take(&self, batch: Batch) {
        batch.decode().for_each(|span| self.add(span));
    }
}

impl Sink for Console {
    fn number(&self) -> usize {
        self.number
    }

    fn flush(&self, deadline: Option<Instant>) -> bool {
        let shared = self.shared();
        shared.draw_parts();
        let drawings = shared.state().drawings;
        shared.wait(deadline, drawings)
    }

    fn shut_down(&self, deadline: Instant) -> bool {
        let flushed = self.flush(Some(deadline));
        let mut state = self.shared().state();
        state.finished = true;
        state.writer = None;
        let unwritten = std::mem::take(&mut state.writing);
        state.counts.dropped += unwritten as u64;
        flushed
    }

    fn report(&self, flush: Duration) -> Option<String> {
        let stats = self.stats();
        let (lost, accepted) = (stats.lost(), stats.accepted);
        let report = format!(
            "{lost} of {accepted} spans were not drawn: standard error was not read within {flush:?}"
        );
        (lost > 0).then_some(report)
    }

    /// What had ended before the fork is the parent's to draw, and the thread is the parent's.
    fn start_over(&self) {
        let shared = self.shared();
        shared.child.get_or_init(Arc::default).start_writer();
    }
}
