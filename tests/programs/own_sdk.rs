//! A program that sets OpenTelemetry up itself.

use std::sync::{Arc, Mutex};

use opentelemetry::global;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use spandrel::{Config, span};

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let names = Names::default();
    if how == "exporter" {
        let app = spandrel::install(Config::new("own-exporter").exporter(names.clone()));
        work();
        drop(app);
    } else {
        let provider = SdkTracerProvider::builder().with_simple_exporter(names.clone()).build();
        global::set_tracer_provider(provider);
        let app = match how.as_str() {
            "adopt" => {
                spandrel::adopt_global_provider();
                None
            }
            "install" => Some(spandrel::install(Config::new("ignored"))),
            other => panic!("unknown: {other}"),
        };
        work();
        drop(app);
        work();
    }
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
}
