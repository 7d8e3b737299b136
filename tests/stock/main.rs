//! What `burst` does, by OpenTelemetry's own batch processor and exporter: the other column of the
//! table that `tests/matrix.sh` prints.

#[path = "../programs/load.rs"]
mod load;

use std::time::Duration;

use opentelemetry::trace::{Span, Tracer};
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

struct Stock(SdkTracerProvider);

impl load::Telemetry for Stock {
    fn start() -> Self {
        // OTEL_EXPORTER_OTLP_PROTOCOL decides between HTTP and gRPC, OTEL_BSP_* are read too.
        let exporter = SpanExporter::builder().build().expect("an exporter");
        let resource = Resource::builder().with_service_name("burst").build();
        let provider = SdkTracerProvider::builder().with_resource(resource);
        let provider = provider.with_batch_exporter(exporter).build();
        global::set_tracer_provider(provider.clone());
        Self(provider)
    }

    fn step(number: u64) {
        let mut span = global::tracer("burst").start("step");
        span.set_attribute(KeyValue::new("number", i64::try_from(number).unwrap_or(i64::MAX)));
    }

    /// It has no account: what arrived is for the collector to say.
    fn stop(self) -> String {
        let result = self.0.shutdown_with_timeout(Duration::from_secs(4));
        format!("\"shutdown_ok\": {}", result.is_ok())
    }
}

fn main() -> Result<(), String> {
    load::run::<Stock>()
}
