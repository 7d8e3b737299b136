//! A program that sets OpenTelemetry up itself.

use std::sync::{Arc, Mutex};

use std::time::Duration;

use opentelemetry::trace::{Link, SpanKind, TraceId, TraceState};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample, SpanData, SpanExporter,
};
use spandrel::{Config, span};

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let names = Names::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(names.clone());
    let provider = match how.as_str() {
        "samples" => provider.with_sampler(Parts),
        _ => provider,
    };
    global::set_tracer_provider(provider.build());
    let app = (how == "install").then(|| spandrel::install(Config::new("ignored")));
    if app.is_none() {
        spandrel::adopt_global_provider();
    }
    work();
    drop(app);
    if how == "again" {
        let other = SdkTracerProvider::builder().with_simple_exporter(names.clone());
        global::set_tracer_provider(other.build());
        spandrel::adopt_global_provider();
    }
    work();
    println!("{}", names.0.lock().expect("not poisoned").join(" "));
}

#[span("work")]
fn work() {
    let _ = part();
}

#[span("part")]
fn part() -> Result<(), &'static str> {
    Err("it failed")
}

#[derive(Clone, Debug, Default)]
struct Names(Arc<Mutex<Vec<String>>>);

impl SpanExporter for Names {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut names = self.0.lock().expect("not poisoned");
        for span in batch {
            names.push(format!("{}:{}", span.name, span.events.len()));
        }
        Ok(())
    }

    /// The last of its work is a span of its own.
    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        let _ = part();
        Ok(())
    }
}

/// Samples by name, whatever becomes of the parent.
#[derive(Clone, Debug)]
struct Parts;

impl ShouldSample for Parts {
    fn should_sample(
        &self,
        _parent: Option<&Context>,
        _trace: TraceId,
        name: &str,
        _kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let decision = match name {
            "part" => SamplingDecision::RecordAndSample,
            _ => SamplingDecision::Drop,
        };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::NONE }
    }
}
