//! Tests of spandrel from outside, as a user's crate would use it: see the folders beside this.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// A processor that does nothing. A program that has one records its spans by OpenTelemetry's SDK.
#[derive(Debug)]
pub struct Silent;

impl SpanProcessor for Silent {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
