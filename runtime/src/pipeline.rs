//! The way of a span out of the process: sampler, processor, exporter, behind the SDK's provider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{SdkTracerProvider, TracerProviderBuilder};

use crate::config::{Batch, Destination, Settings, printable, without_secrets};
use crate::console::Console;
use crate::report::say;
use crate::sampling::sampler;
use crate::stats::Account;

/// What is left of a pipeline once its provider records spans: how to end and account for it.
#[derive(Debug)]
pub(crate) struct Pipeline {
    export: Option<Export>,
    account: Arc<Account>,
    flush: Duration,
}

/// An exporter at work, as far as its losses are told.
#[cfg(feature = "otlp")]
#[derive(Debug)]
struct Export {
    failures: Arc<crate::exporter::Failures>,
}

/// There is no exporter in this build.
#[cfg(not(feature = "otlp"))]
#[derive(Debug)]
enum Export {}

impl Pipeline {
    /// A pipeline and the provider that feeds it; or, with nothing built, why there is none.
    pub(crate) fn build(settings: Settings) -> Result<(Self, SdkTracerProvider), String> {
        let Settings { service, resource, sampling, destination, batch, flush, .. } = settings;
        let builder = SdkTracerProvider::builder()
            .with_sampler(sampler(sampling))
            .with_resource(describe(resource, service));
        let account = Account::open();
        let (export, builder) = match destination {
            Destination::Nowhere => (None, builder),
            Destination::Console => {
                (None, builder.with_span_processor(Console::new(account.clone())))
            }
            Destination::Otlp(url) => {
                let export = Export::start(&url, batch, &account, builder);
                let (export, builder) = export.map_err(|why| {
                    let why = without_secrets(&why, &url);
                    let url = printable(&url);
                    format!("spans cannot be exported to {url}: {why}; tracing is off")
                })?;
                (Some(export), builder)
            }
        };
        Ok((Self { export, account, flush }, builder.build()))
    }

    /// Exports what there is within the flush budget, and says what was lost.
    pub(crate) fn shut_down(&self, provider: &SdkTracerProvider) {
        if let Some(export) = &self.export {
            export.silence();
        }
        let started = Instant::now();
        let result = provider.shutdown_with_timeout(self.flush);
        let timed_out = result.is_err() && started.elapsed() >= self.flush;
        let stats = self.account.stats();
        if let (Some(export), true) = (&self.export, stats.lost() > 0) {
            let why = export.last_failure().unwrap_or_else(|| {
                if timed_out {
                    format!("no answer within {:?}", self.flush)
                } else {
                    "the queue was full; raise OTEL_BSP_MAX_QUEUE_SIZE".to_owned()
                }
            });
            let (lost, accepted, url) = (stats.lost(), stats.accepted, printable(export.url()));
            say(format_args!("{lost} of {accepted} spans lost on the way to {url}: {why}"));
        }
    }
}

#[cfg(feature = "otlp")]
impl Export {
    fn start(
        url: &str,
        batch: Batch,
        account: &Arc<Account>,
        builder: TracerProviderBuilder,
    ) -> Result<(Self, TracerProviderBuilder), String> {
        use crate::exporter::{Accounted, Failures, otlp};

        let failures = Arc::new(Failures::to(url));
        let exporter = Accounted::new(otlp(url)?, account.clone(), failures.clone());
        let processor = crate::batch::BatchProcessor::new(exporter, batch, account.clone());
        Ok((Self { failures }, builder.with_span_processor(processor)))
    }

    fn url(&self) -> &str {
        self.failures.url()
    }

    /// Failures are not said one by one any more: the account at the end will.
    fn silence(&self) {
        self.failures.silence();
    }

    fn last_failure(&self) -> Option<String> {
        self.failures.last()
    }
}

#[cfg(not(feature = "otlp"))]
impl Export {
    fn start(
        _url: &str,
        _batch: Batch,
        _account: &Arc<Account>,
        _builder: TracerProviderBuilder,
    ) -> Result<(Self, TracerProviderBuilder), String> {
        Err("spandrel was built without its feature `otlp`".to_owned())
    }

    fn url(&self) -> &str {
        match *self {}
    }

    fn silence(&self) {
        match *self {}
    }

    fn last_failure(&self) -> Option<String> {
        match *self {}
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
