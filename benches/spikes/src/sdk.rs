//! The SDK by hand, where nothing comes after the end of a span.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor};

use crate::peers::hand::{self, Down};
use crate::peers::{Peer, SetUp, State, Work};

#[derive(Default)]
pub(crate) struct Discarded {
    tracer: RwLock<Option<SdkTracer>>,
}

impl Peer for Discarded {
    fn name(&self) -> &'static str {
        "SDK by hand, its processor drops"
    }

    fn set_up(&self, _state: State, _queue: usize) -> Option<SetUp> {
        let provider = provider();
        *self.tracer.write().unwrap_or_else(PoisonError::into_inner) =
            Some(provider.tracer("spikes"));
        Some(Box::new(Down(provider)))
    }

    fn work(&self, work: Work) -> bool {
        let tracer = self.tracer.read().unwrap_or_else(PoisonError::into_inner);
        match (work, &*tracer) {
            (Work::Tree, Some(tracer)) => hand::tree(tracer),
            _ => return false,
        }
        true
    }
}

pub(crate) fn provider() -> SdkTracerProvider {
    SdkTracerProvider::builder().with_span_processor(Discards).build()
}

#[derive(Debug)]
struct Discards;

impl SpanProcessor for Discards {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        std::hint::black_box(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
