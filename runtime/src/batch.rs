//! Batches: the SDK's processor, with every span accounted for.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::Span as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

use crate::attribute::keep_last;
use crate::config::Batch;
use crate::span::note_foreign;
use crate::stats::Account;

#[derive(Debug)]
pub(crate) struct BatchProcessor {
    inner: BatchSpanProcessor,
    account: Arc<Account>,
}

impl BatchProcessor {
    pub(crate) fn new(
        exporter: impl SpanExporter + 'static,
        batch: Batch,
        account: Arc<Account>,
    ) -> Self {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(batch.queue)
            .with_max_export_batch_size(batch.size)
            .with_scheduled_delay(batch.delay)
            .build();
        let inner = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        Self { inner, account }
    }
}

impl SpanProcessor for BatchProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        note_foreign(span.span_context(), context);
        self.inner.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        if span.span_context.is_sampled() {
            keep_last(&mut span.attributes);
            self.account.accept();
            self.inner.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let result = self.inner.shutdown_with_timeout(timeout);
        self.account.close();
        result
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
