//! The way of a span out of the process: sampler, processor, exporter, behind the SDK's provider.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::batch::{BatchSink, Losses};
use crate::config::{Destination, Settings};
use crate::console::Console;
use crate::ids::Ids;
use crate::processor::{Nowhere, Processor, Sink};
use crate::report::say;
use crate::sampling::{HeldTraces, Sampler};
use crate::stats::Account;

/// What is left of a pipeline once its provider records spans: how to end and account for it.
#[derive(Debug)]
pub(crate) struct Pipeline {
    losses: Option<Arc<Losses>>,
    account: Arc<Account>,
}

impl Pipeline {
    /// A pipeline and the provider that feeds it; or, with nothing built, why there is none.
    /// `after_fork` is called in a child of `fork` that goes on exporting.
    pub(crate) fn build(
        settings: Settings,
        after_fork: fn(),
    ) -> Result<(Self, SdkTracerProvider), String> {
        let Settings { service, resource, sampling, destination, batch, limits, .. } = settings;
        let account = Account::open();
        let resource = describe(resource, service);
        let mut pipeline = Self { losses: None, account: account.clone() };
        let sink: Box<dyn Sink> = match destination {
            Destination::Nowhere => Box::new(Nowhere(account.clone())),
            Destination::Console => Box::new(Console::new(account.clone())),
            Destination::Custom(exporter) => {
                exporter.set_resource(&resource);
                let losses =
                    Arc::new(Losses::new("the program's exporter".to_owned(), batch.queue));
                pipeline.losses = Some(losses.clone());
                let connect = Arc::new(move || Ok(exporter.clone()));
                Box::new(BatchSink::start(connect, batch, account.clone(), losses, after_fork)?)
            }
            #[cfg(feature = "_otlp")]
            Destination::Otlp(settings) => {
                use crate::exporter::otlp::OtlpExporter;

                let destination = settings.destination();
                let losses = Arc::new(Losses::new(destination.clone(), batch.queue));
                pipeline.losses = Some(losses.clone());
                let batch = crate::config::Batch { insists: settings.named, ..batch };
                let resource = resource.clone();
                let connect = Arc::new(move || OtlpExporter::connect(&settings, &resource));
                let sink = BatchSink::start(connect, batch, account.clone(), losses, after_fork);
                Box::new(sink.map_err(|why| format!("{destination}: {why}"))?)
            }
        };
        let held =
            sampling.keep.anything().then(|| HeldTraces::new(sampling.keep, account.clone()));
        let provider = SdkTracerProvider::builder()
            .with_id_generator(Ids)
            .with_sampler(Sampler::new(sampling))
            .with_span_limits(limits.into())
            .with_resource(resource)
            .with_span_processor(Processor::new(sink, held, limits.value_length, account))
            .build();
        Ok((pipeline, provider))
    }

    /// Exports what there is within this time, and says what was lost.
    pub(crate) fn shut_down(&self, provider: &SdkTracerProvider, budget: Duration) {
        if let Some(losses) = &self.losses {
            losses.silence();
        }
        // That it took too long is in the account.
        let _ = provider.shutdown_with_timeout(budget);
        if let Some(losses) = &self.losses
            && let Some(account) = losses.account(self.account.stats(), budget)
        {
            say(account);
        }
    }
}

/// The program's own attributes, the environment's over them, and `OTEL_SERVICE_NAME` over both.
fn describe(attributes: Vec<KeyValue>, service: Option<String>) -> Resource {
    let resource = Resource::builder_empty()
        .with_attributes(attributes)
        .with_attributes([
            KeyValue::new("telemetry.distro.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("telemetry.distro.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_detector(Box::new(EnvResourceDetector::new()))
        .with_detector(Box::new(TelemetryResourceDetector));
    match service {
        Some(service) => resource.with_service_name(service).build(),
        None => resource.build(),
    }
}
