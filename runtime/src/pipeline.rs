//! The way of a span out of the process: sampler, processor, exporter, behind the SDK's provider.

use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{SdkTracerProvider, TracerProviderBuilder};

use crate::config::{Batch, Destination, Settings};
use crate::console::Console;
use crate::sampling::sampler;
use crate::stats::{Stats, stats};

/// What is left of a pipeline once its provider records spans: how to end and account for it.
#[derive(Debug)]
pub(crate) struct Pipeline {
    export: Option<Export>,
    flush: Duration,
}

/// An exporter at work, as far as its losses are told.
#[derive(Debug)]
struct Export {
    url: String,
    #[cfg(feature = "otlp")]
    failures: std::sync::Arc<crate::exporter::Failures>,
}

impl Pipeline {
    /// A pipeline and the provider that feeds it; or, with nothing built, why there is none.
    pub(crate) fn build(settings: Settings) -> Result<(Self, SdkTracerProvider), String> {
        let Settings { service, resource, sampling, destination, batch, flush, .. } = settings;
        let builder = SdkTracerProvider::builder()
            .with_sampler(sampler(sampling))
            .with_resource(describe(resource, service));
        let (export, builder) = match destination {
            Destination::Nowhere => (None, builder),
            Destination::Console => (None, builder.with_span_processor(Console::default())),
            Destination::Otlp(url) => {
                let (export, builder) = Export::start(&url, batch, builder).map_err(|why| {
                    let url = printable(&url);
                    format!("spans cannot be exported to {url}: {why}; tracing is off")
                })?;
                (Some(export), builder)
            }
        };
        Ok((Self { export, flush }, builder.build()))
    }

    /// Exports what there is within the flush budget, and says what was lost.
    pub(crate) fn shut_down(&self, provider: &SdkTracerProvider) {
        if let Some(export) = &self.export {
            export.silence();
        }
        let started = Instant::now();
        let result = provider.shutdown_with_timeout(self.flush);
        let timed_out = result.is_err() && started.elapsed() >= self.flush;
        let account = stats();
        if let (Some(export), true) = (&self.export, account.lost() > 0) {
            let why = export.last_failure().unwrap_or_else(|| {
                if timed_out {
                    format!("no answer within {:?}", self.flush)
                } else {
                    "the queue was full; raise OTEL_BSP_MAX_QUEUE_SIZE".to_owned()
                }
            });
            eprintln!("spandrel: {}", lost(&account, &export.url, &why));
        }
    }
}

#[cfg(feature = "otlp")]
impl Export {
    fn start(
        url: &str,
        batch: Batch,
        builder: TracerProviderBuilder,
    ) -> Result<(Self, TracerProviderBuilder), String> {
        use crate::exporter::{Accounted, Failures, otlp};

        let failures = std::sync::Arc::<Failures>::default();
        let exporter = Accounted::new(otlp(url)?, failures.clone());
        let processor = crate::batch::BatchProcessor::new(exporter, batch);
        Ok((Self { url: url.to_owned(), failures }, builder.with_span_processor(processor)))
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
        _builder: TracerProviderBuilder,
    ) -> Result<(Self, TracerProviderBuilder), String> {
        Err("spandrel was built without its feature `otlp`".to_owned())
    }

    fn silence(&self) {}

    fn last_failure(&self) -> Option<String> {
        None
    }
}

fn lost(account: &Stats, url: &str, why: &str) -> String {
    let Stats { accepted, .. } = account;
    format!("{} of {accepted} spans lost on the way to {}: {why}", account.lost(), printable(url))
}

/// The URL without a user and password, which are nobody's business.
fn printable(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
        Some((scheme, (_, host))) => format!("{scheme}://{host}"),
        None => url.to_owned(),
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
