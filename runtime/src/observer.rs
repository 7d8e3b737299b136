//! Span processors of the program's own, beside ours.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// A processor that a configuration, which can be cloned, holds.
#[derive(Clone, Debug)]
pub(crate) struct Observer(Arc<dyn SpanProcessor>);

impl Observer {
    pub(crate) fn new(processor: impl SpanProcessor + 'static) -> Self {
        Self(Arc::new(processor))
    }
}

impl PartialEq for Observer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl SpanProcessor for Observer {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    /// Nobody else has it once the configuration is installed, unless that was cloned.
    fn set_resource(&mut self, resource: &Resource) {
        if let Some(processor) = Arc::get_mut(&mut self.0) {
            processor.set_resource(resource);
        }
    }
}
