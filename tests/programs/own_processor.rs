//! A program whose own processor sees its spans too.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::Span as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use spandrel::{span, traced_app};

#[derive(Debug)]
struct Printer {
    service: String,
}

impl SpanProcessor for Printer {
    fn on_start(&self, span: &mut Span, _: &Context) {
        println!("start, sampled: {}", span.span_context().is_sampled());
    }

    fn on_end(&self, span: SpanData) {
        println!("end of {} of {}", span.name, self.service);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        println!("shut down");
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        let name = resource.get(&"service.name".into());
        self.service = name.map(|name| name.to_string()).unwrap_or_default();
    }
}

#[traced_app("shop", processor(Printer { service: String::new() }))]
fn main() {
    work();
}

#[span]
fn work() {}
