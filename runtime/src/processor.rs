//! What the SDK hands spans to: it makes them fit, and passes on those that are to be exported.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Span as _, SpanContext, TraceFlags};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::attribute::{keep_last, shorten};
use crate::config::Limits;
use crate::sampling::HeldTraces;
use crate::span::{add_flags, flag_root, note_foreign};
use crate::stats::{Account, Stats};

/// How long OpenTelemetry's own flush, which names no time, may take.
const FLUSH: Duration = Duration::from_secs(30);

/// Where spans go that are to be exported.
pub(crate) trait Sink: Debug + Send + Sync {
    /// A span will be taken once it has ended.
    fn expect(&self, _span: &SpanContext) {}

    /// The span is accepted; the sink accounts for what becomes of it.
    fn take(&self, span: SpanData);

    /// Whether everything taken was through before the deadline.
    fn flush(&self, _deadline: Instant) -> bool {
        true
    }

    /// As `flush`, for the last time.
    fn shut_down(&self, deadline: Instant) -> bool {
        self.flush(deadline)
    }

    /// What to say at the end of a pipeline with these numbers, and this time for the last flush.
    fn account(&self, _stats: Stats, _flush: Duration) -> Option<String> {
        None
    }

    /// This is a child of `fork` now.
    fn start_over(&self) {}
}

/// For spans that nobody is to get: they count as exported.
#[derive(Debug)]
pub(crate) struct Nowhere(pub(crate) Arc<Account>);

impl Sink for Nowhere {
    fn take(&self, _span: SpanData) {
        self.0.export(1);
    }
}

#[derive(Debug)]
pub(crate) struct Processor<S> {
    pub(crate) sink: Arc<S>,
    pub(crate) held: Option<HeldTraces>,
    pub(crate) limits: Limits,
    /// What of the baggage is copied to the spans.
    pub(crate) baggage: Vec<Key>,
    pub(crate) account: Arc<Account>,
}

impl<S: Sink + 'static> Processor<S> {
    /// Makes a span ready to be exported.
    fn prepare(&self, span: &mut SpanData) {
        keep_last(&mut span.attributes);
        let more = span.attributes.len().saturating_sub(self.limits.attributes);
        span.attributes.truncate(self.limits.attributes);
        span.dropped_attributes_count += u32::try_from(more).unwrap_or(u32::MAX);
        if let Some(length) = self.limits.value_length {
            shorten(&mut span.attributes, length);
            span.events.events.iter_mut().for_each(|event| shorten(&mut event.attributes, length));
            span.links.links.iter_mut().for_each(|link| shorten(&mut link.attributes, length));
        }
        flag_root(span);
    }

    /// For whoever gets them they are sampled.
    fn export_kept(&self, mut spans: Vec<SpanData>) {
        for span in &mut spans {
            self.sink.expect(&span.span_context);
            span.span_context = add_flags(&span.span_context, TraceFlags::SAMPLED);
        }
        for span in spans {
            self.on_end(span);
        }
    }
}

impl<S: Sink + 'static> SpanProcessor for Processor<S> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        for key in &self.baggage {
            if let Some(value) = context.baggage().get(key) {
                span.set_attribute(KeyValue::new(key.clone(), value.clone()));
            }
        }
        let span = span.span_context();
        note_foreign(span, context);
        match &self.held {
            _ if span.is_sampled() => self.sink.expect(span),
            Some(held) => held.start(span),
            None => {}
        }
    }

    // Spans are large, and moved once: into the sink.
    fn on_end(&self, mut span: SpanData) {
        if span.span_context.is_sampled() {
            self.prepare(&mut span);
            self.account.accept();
            self.sink.take(span);
        } else if let Some(held) = &self.held {
            self.export_kept(held.end(span));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        outcome(self.sink.flush(Instant::now() + FLUSH), FLUSH)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let deadline = Instant::now() + timeout;
        if let Some(held) = &self.held {
            self.export_kept(held.release_kept());
        }
        outcome(self.sink.shut_down(deadline), timeout)
    }
}

fn outcome(in_time: bool, timeout: Duration) -> OTelSdkResult {
    if in_time { Ok(()) } else { Err(OTelSdkError::Timeout(timeout)) }
}
