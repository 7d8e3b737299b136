//! The way of a span out of the process: sampler, processor, exporter, behind the SDK's provider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::batch::BatchProcessor;
use crate::config::{Destination, Settings};
use crate::console::Console;
use crate::exporter::{self, Accounted, Failures};
use crate::sampling::sampler;
use crate::stats::{Stats, stats};

/// What is left of a pipeline once its provider records spans: how to account for them.
#[derive(Debug)]
pub(crate) struct Pipeline {
    url: Option<String>,
    failures: Arc<Failures>,
    flush: Duration,
}

impl Pipeline {
    /// A pipeline and the provider that feeds it; or, with nothing built, why there is none.
    pub(crate) fn build(settings: Settings) -> Result<(Self, SdkTracerProvider), String> {
        let failures = Arc::<Failures>::default();
        let builder = SdkTracerProvider::builder()
            .with_sampler(sampler(settings.sampling))
            .with_resource(resource(settings.resource, settings.service));
        let mut url = None;
        let builder = match settings.destination {
            Destination::Nowhere => builder,
            Destination::Console => builder.with_span_processor(Console::default()),
            Destination::Otlp(to) => {
                let exporter = exporter::otlp(&to).map_err(|why| unusable(&to, &why))?;
                let exporter = Accounted::new(exporter, failures.clone());
                url = Some(to);
                builder.with_span_processor(BatchProcessor::new(exporter, settings.batch))
            }
        };
        Ok((Self { url, failures, flush: settings.flush }, builder.build()))
    }

    /// Exports what there is within the flush budget, and says what was lost.
    pub(crate) fn shut_down(&self, provider: &SdkTracerProvider) {
        self.failures.silence();
        let started = Instant::now();
        let result = provider.shutdown_with_timeout(self.flush);
        let timed_out = result.is_err() && started.elapsed() >= self.flush;
        let account = stats();
        if let (Some(url), true) = (&self.url, account.lost() > 0) {
            let why = self.failures.last().unwrap_or_else(|| self.reason(timed_out));
            eprintln!("spandrel: {}", lost(&account, url, &why));
        }
    }

    fn reason(&self, timed_out: bool) -> String {
        if timed_out {
            format!("no answer within {:?}", self.flush)
        } else {
            "the queue was full; raise OTEL_BSP_MAX_QUEUE_SIZE".to_owned()
        }
    }
}

fn lost(account: &Stats, url: &str, why: &str) -> String {
    let Stats { accepted, .. } = account;
    format!("{} of {accepted} spans lost on the way to {}: {why}", account.lost(), printable(url))
}

fn unusable(url: &str, why: &str) -> String {
    format!("spans cannot be exported to {}: {why}; tracing is off", printable(url))
}

/// The URL without a user and password, which are nobody's business.
fn printable(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
        Some((scheme, (_, host))) => format!("{scheme}://{host}"),
        None => url.to_owned(),
    }
}

/// The program's own attributes, the environment's over them, and `OTEL_SERVICE_NAME` over both.
fn resource(attributes: Vec<KeyValue>, service: Option<String>) -> Resource {
    let resource = Resource::builder_empty()
        .with_attributes(attributes)
        .with_detector(Box::new(EnvResourceDetector::new()))
        .with_detector(Box::new(TelemetryResourceDetector));
    match service {
        Some(service) => resource.with_service_name(service).build(),
        None => resource.build(),
    }
}
