//! The stock exporter, which counts what the collector has taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

#[derive(Debug)]
pub(crate) struct Counted {
    exporter: Otlp,
    count: Arc<AtomicU64>,
}

impl Counted {
    /// gRPC must be set up, and used, where there is a tokio runtime.
    pub(crate) fn new(protocol: &str) -> (Self, Arc<AtomicU64>) {
        let exporter = match protocol {
            "grpc" => Otlp::builder().with_tonic().build(),
            _ => Otlp::builder().with_http().build(),
        };
        let count = Arc::<AtomicU64>::default();
        (Self { exporter: exporter.expect("an exporter"), count: count.clone() }, count)
    }
}

impl SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        self.exporter.export(batch).await?;
        self.count.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
