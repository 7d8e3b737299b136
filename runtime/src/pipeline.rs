//! The way of a span out of the process: sampler, processor, exporter, behind the SDK's provider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{SdkTracerProvider, TracerProviderBuilder};

use crate::batch::BatchSink;
use crate::config::{Destination, Limits, Settings};
use crate::console::Console;
use crate::ids::Ids;
use crate::observer::Observers;
use crate::processor::{Nowhere, Processor, Sink};
use crate::report::say;
use crate::sampling::{HeldTraces, Sampler};
use crate::stats::Account;

/// What is left of a pipeline once its provider records spans: its other end.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    sink: Arc<dyn Sink>,
    observers: Observers,
    account: Arc<Account>,
}

impl Pipeline {
    /// A pipeline and the provider that feeds it; or, with nothing built, why there is none.
    /// `after_fork` is called before the first span in a child of `fork`.
    pub(crate) fn build(
        settings: Settings,
        after_fork: fn(),
    ) -> Result<(Self, SdkTracerProvider), String> {
        let Settings { service, resource, sampling, destination, batch, limits, .. } = settings;
        let Settings { observers, baggage, .. } = settings;
        let account = Account::open();
        let resource = describe(resource, service);
        let held =
            sampling.keep.anything().then(|| HeldTraces::new(sampling.keep, account.clone()));
        let builder = SdkTracerProvider::builder()
            .with_id_generator(Ids { after_fork })
            .with_sampler(Sampler::new(sampling))
            .with_span_limits(limits.into())
            .with_resource(resource.clone());
        let observers = Observers::new(observers, &resource);
        let end = End { builder, observers, held, limits, baggage, account: account.clone() };
        match destination {
            Destination::Nowhere => Ok(end.at(Nowhere(account))),
            Destination::Console => Ok(end.at(Console::new(account))),
            Destination::Custom(exporter) => {
                exporter.set_resource(&resource);
                let connect = Arc::new(move || Ok(exporter.clone()));
                let name = "the program's exporter".to_owned();
                Ok(end.at(BatchSink::start(connect, batch, account, name)?))
            }
            #[cfg(feature = "_otlp")]
            Destination::Otlp(settings) => {
                use crate::exporter::otlp::OtlpExporter;

                let name = settings.destination();
                let batch = crate::config::Batch { insists: settings.named, ..batch };
                let connect = Arc::new(move || OtlpExporter::connect(&settings, &resource));
                let sink = BatchSink::start(connect, batch, account, name.clone());
                Ok(end.at(sink.map_err(|why| format!("{name}: {why}"))?))
            }
        }
    }

    /// Exports what has ended; whether all of it was through within this time.
    pub(crate) fn flush(&self, budget: Duration) -> bool {
        let deadline = Instant::now() + budget;
        let observers = self.observers.ask(|observer| observer.0.force_flush());
        let flushed = self.sink.flush(deadline);
        observers.by(deadline) && flushed
    }

    /// In a child of `fork`.
    pub(crate) fn start_over(&self) {
        self.sink.start_over();
    }

    /// Exports what there is before the deadline, and says what was lost of what had this time. The
    /// program's own processors are told at the same time: the SDK would do it in turn, each with
    /// all of the time.
    pub(crate) fn shut_down(
        &self,
        provider: &SdkTracerProvider,
        deadline: Instant,
        budget: Duration,
    ) {
        let left = move || deadline.saturating_duration_since(Instant::now());
        let observers =
            self.observers.ask(move |observer| observer.0.shutdown_with_timeout(left()));
        // That it took too long is in the account.
        let _ = provider.shutdown_with_timeout(left());
        if let Some(account) = self.sink.account(self.account.stats(), budget) {
            say(account);
        }
        if !observers.by(deadline) {
            say("a span processor of the program's own was not shut down in time, or failed");
        }
    }
}

/// A pipeline but for its end.
struct End {
    builder: TracerProviderBuilder,
    observers: Observers,
    held: Option<HeldTraces>,
    limits: Limits,
    baggage: Vec<Key>,
    account: Arc<Account>,
}

impl End {
    fn at<S: Sink + 'static>(self, sink: S) -> (Pipeline, SdkTracerProvider) {
        let Self { builder, observers, held, limits, baggage, account } = self;
        let sink = Arc::new(sink);
        let processor =
            Processor { sink: sink.clone(), held, limits, baggage, account: account.clone() };
        // Ours first: what another does, in a panic say, is none of its affair.
        let builder = observers.iter().cloned().fold(
            builder.with_span_processor(processor),
            TracerProviderBuilder::with_span_processor,
        );
        (Pipeline { sink, observers, account }, builder.build())
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
