//! Batches: the SDK's processor, with every span accounted for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

use crate::config::Batch;
use crate::stats::{self, ACCEPTED, DROPPED};

#[derive(Debug)]
pub(crate) struct BatchProcessor(BatchSpanProcessor);

impl BatchProcessor {
    pub(crate) fn new(exporter: impl SpanExporter + 'static, batch: Batch) -> Self {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(batch.queue)
            .with_max_export_batch_size(batch.size)
            .with_scheduled_delay(batch.delay)
            .build();
        Self(BatchSpanProcessor::builder(exporter).with_batch_config(config).build())
    }
}

impl SpanProcessor for BatchProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            stats::add(&ACCEPTED, 1);
            self.0.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let result = self.0.shutdown_with_timeout(timeout);
        let now = stats::stats();
        let gone = now.accepted.saturating_sub(now.exported + now.failed);
        DROPPED.store(gone, Ordering::Relaxed);
        result
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
