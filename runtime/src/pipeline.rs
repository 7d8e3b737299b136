//! The way of a span out of the process: sampler, processor, exporter, behind the SDK's provider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::batch::BatchSink;
use crate::config::{Destination, Settings};
use crate::console::Console;
use crate::ids::Ids;
use crate::processor::{Nowhere, Processor, Sink};
use crate::report::say;
use crate::sampling::{HeldTraces, Sampler};
use crate::stats::Account;

/// What is left of a pipeline once its provider records spans: its other end.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    sink: Arc<dyn Sink>,
    account: Arc<Account>,
}

impl Pipeline {
    /// A pipeline and the provider that feeds it; or, with nothing built, why there is none.
    /// `after_fork` is called before the first span in a child of `fork`.
    pub(crate) fn build(
        settings: Settings,
        after_fork: fn(),
    ) -> Result<(Self, SdkTracerProvider), String> {
        let Settings { service, resource, sampling, destination, batch, limits, baggage, .. } =
            settings;
        let account = Account::open();
        let resource = describe(resource, service);
        let sink: Arc<dyn Sink> = match destination {
            Destination::Nowhere => Arc::new(Nowhere(account.clone())),
            Destination::Console => Arc::new(Console::new(account.clone())),
            Destination::Custom(exporter) => {
                exporter.set_resource(&resource);
                let connect = Arc::new(move || Ok(exporter.clone()));
                let name = "the program's exporter".to_owned();
                Arc::new(BatchSink::start(connect, batch, account.clone(), name)?)
            }
            #[cfg(feature = "_otlp")]
            Destination::Otlp(settings) => {
                use crate::exporter::otlp::OtlpExporter;

                let name = settings.destination();
                let batch = crate::config::Batch { insists: settings.named, ..batch };
                let resource = resource.clone();
                let connect = Arc::new(move || OtlpExporter::connect(&settings, &resource));
                let sink = BatchSink::start(connect, batch, account.clone(), name.clone());
                Arc::new(sink.map_err(|why| format!("{name}: {why}"))?)
            }
        };
        let held =
            sampling.keep.anything().then(|| HeldTraces::new(sampling.keep, account.clone()));
        let provider = SdkTracerProvider::builder()
            .with_id_generator(Ids { after_fork })
            .with_sampler(Sampler::new(sampling))
            .with_span_limits(limits.into())
            .with_resource(resource)
            .with_span_processor(Processor {
                sink: sink.clone(),
                held,
                limits,
                baggage,
                account: account.clone(),
            })
            .build();
        Ok((Self { sink, account }, provider))
    }

    /// Exports what has ended; whether all of it was through within this time.
    pub(crate) fn flush(&self, budget: Duration) -> bool {
        self.sink.flush(Instant::now() + budget)
    }

    /// In a child of `fork`.
    pub(crate) fn start_over(&self) {
        self.sink.start_over();
    }

    /// Exports what there is within this time, and says what was lost.
    pub(crate) fn shut_down(&self, provider: &SdkTracerProvider, budget: Duration) {
        // That it took too long is in the account.
        let _ = provider.shutdown_with_timeout(budget);
        if let Some(account) = self.sink.account(self.account.stats(), budget) {
            say(account);
        }
    }
}

/// `OTEL_SERVICE_NAME` is over all other names.
fn describe(attributes: Vec<KeyValue>, service: Option<String>) -> Resource {
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("telemetry.distro.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("telemetry.distro.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_attributes(attributes)
        .with_detector(Box::new(TelemetryResourceDetector));
    match service {
        Some(service) => resource.with_service_name(service).build(),
        None => resource.build(),
    }
}
