//! What the SDK hands spans to: it makes them fit, and passes on those that are to be exported.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Span as _, SpanId};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::custom_processor;
use super::flag_root;
use crate::attribute::redact;
use crate::encoding::Limits;
use crate::recorder::{self, Batch, Outlet, Room};
use crate::stats::{self, Account, Counts, Stats};

use super::fit::{keep_last, shorten};

/// How long OpenTelemetry's own flush, which names no time, may take.
const FLUSH: Duration = Duration::from_secs(30);

/// The end of a pipeline. It accounts for what becomes of the spans that it takes.
pub(crate) trait Sink: Outlet + Account {
    /// The number of the pipeline.
    fn number(&self) -> usize;

    /// Waits until everything taken so far has arrived or is lost; `false` at the deadline. Without one, as
    /// long as it takes.
    fn flush(&self, _deadline: Option<Instant>) -> bool {
        true
    }

    /// Starts a flush, before [`flush`](Self::flush) waits for it.
    fn export_now(&self, _deadline: Option<Instant>) {}

    /// Starts the flush of a shutdown, before [`shut_down`](Self::shut_down) waits for it.
    fn start_flush(&self, _deadline: Instant) {}

    /// As `flush`, for the last time. Spans are taken in until it returns; those that come after that are
    /// dropped.
    fn shut_down(&self, deadline: Instant) -> bool {
        self.flush(Some(deadline))
    }

    /// From now on spans are exported as soon as they are taken.
    #[cfg(unix)]
    fn export_at_once(&self) {}

    /// What to say at the end, after a last flush that had this time.
    fn report(&self, _flush: Duration) -> Option<String> {
        None
    }

    /// This is a child of `fork` now.
    fn start_over(&self) {}
}

/// For spans that nobody is to get: they count as exported.
#[derive(Debug)]
pub(crate) struct Nowhere {
    number: usize,
    spans: AtomicU64,
}

impl Nowhere {
    pub(crate) fn new() -> Self {
        Self { number: recorder::new_pipeline(), spans: AtomicU64::new(0) }
    }
}

impl Drop for Nowhere {
    fn drop(&mut self) {
        stats::close(self.stats());
    }
}

impl Account for Nowhere {
    fn stats(&self) -> Stats {
        let spans = self.spans.load(Ordering::Relaxed);
        Counts { accepted: spans, exported: spans, ..Counts::default() }.and_waiting(0)
    }
}

impl Outlet for Nowhere {
    fn spans_at_once(&self) -> usize {
        1
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        Some(lacking)
    }

    fn release(&self, _room: Room) {}

    fn take(&self, batch: Batch) {
        self.spans.fetch_add(batch.spans() as u64, Ordering::Relaxed);
    }
}

impl Sink for Nowhere {
    fn number(&self) -> usize {
        self.number
    }

    fn start_over(&self) {
        self.spans.store(0, Ordering::Relaxed);
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Processor {
    pub(crate) outlet: Arc<dyn Outlet>,
    /// The number of the pipeline.
    pub(crate) pipeline: usize,
    /// What is flushed; nothing in tests.
    pub(crate) sink: Option<Arc<dyn Sink>>,
    pub(crate) limits: Limits,
    /// What of the baggage is copied to the spans.
    pub(crate) baggage: Vec<Key>,
}

impl Processor {
    /// Makes a span ready to be exported.
    fn prepare(&self, span: &mut SpanData) {
        if redact::is_set() {
            redact::in_place(&mut span.attributes);
            redact::status(&mut span.status);
            let events = span.events.events.iter_mut();
            events.for_each(|event| redact::in_place(&mut event.attributes));
            let links = span.links.links.iter_mut();
            links.for_each(|link| redact::in_place(&mut link.attributes));
        }
        keep_last(&mut span.attributes);
        let most = usize::try_from(self.limits.attributes).unwrap_or(usize::MAX);
        let more = span.attributes.len().saturating_sub(most);
        span.attributes.truncate(most);
        span.dropped_attributes_count += u32::try_from(more).unwrap_or(u32::MAX);
        if let Some(length) = self.limits.value_length {
            shorten(&mut span.attributes, length);
            span.events.events.iter_mut().for_each(|event| shorten(&mut event.attributes, length));
            span.links.links.iter_mut().for_each(|link| shorten(&mut link.attributes, length));
        }
        flag_root(span);
    }
}

thread_local! {
    /// The open spans that processors of the program's have made on this thread. They are not recorded.
    static MADE: RefCell<Vec<SpanId>> = const { RefCell::new(Vec::new()) };
}

/// Whether a processor of the program's has made this span, which has ended.
fn forget(id: SpanId) -> bool {
    let forgotten = MADE.try_with(|made| {
        let mut made = made.borrow_mut();
        let place = made.iter().position(|made| *made == id)?;
        Some(made.swap_remove(place))
    });
    matches!(forgotten, Ok(Some(_)))
}

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        if redact::is_redacting() {
            return;
        }
        if custom_processor::is_in_processor() {
            let id = span.span_context().span_id();
            // Where the thread ends, the span is recorded.
            let _ = MADE.try_with(|made| made.borrow_mut().push(id));
            return;
        }
        let data = if self.baggage.is_empty() { None } else { span.exported_data() };
        let is_set = |key: &Key| {
            let attributes = data.iter().flat_map(|data| &data.attributes);
            attributes.into_iter().any(|pair| pair.key == *key)
        };
        for key in self.baggage.iter().filter(|key| !is_set(key)) {
            if let Some(value) = context.baggage().get(key) {
                span.set_attribute(KeyValue::new(key.clone(), value.clone()));
            }
        }
        let span = span.span_context();
        if span.is_sampled() {
            self.outlet.expect(span);
        }
    }

    // Spans are large, and moved once: into the sink.
    fn on_end(&self, mut span: SpanData) {
        // The program's function makes no spans: it would see their attributes again.
        if redact::is_redacting() || forget(span.span_context.span_id()) {
            return;
        }
        if span.span_context.is_sampled() {
            self.prepare(&mut span);
            recorder::append(&self.outlet, self.pipeline, &span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        let deadline = Some(Instant::now() + FLUSH);
        outcome(self.sink.as_ref().is_none_or(|sink| sink.flush(deadline)), FLUSH)
    }

    /// When the last reference to the provider is gone, long after the pipeline was shut down.
    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn outcome(in_time: bool, timeout: Duration) -> OTelSdkResult {
    if in_time { Ok(()) } else { Err(OTelSdkError::Timeout(timeout)) }
}
