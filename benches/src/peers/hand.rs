//! The OpenTelemetry SDK, with all that a careful person writes by hand.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use opentelemetry::trace::{
    FutureExt, Status, TraceContextExt, Tracer, TracerProvider, get_active_span,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanExporter,
};

use super::{Failed, KEYS, Nowhere, Peer, SetUp, State, Work, block_on, by_functions, polled};

#[derive(Default)]
pub(crate) struct Hand {
    provided: RwLock<Option<Provided>>,
}

impl Hand {
    pub(crate) fn over(provided: Provided) -> Self {
        Self { provided: RwLock::new(Some(provided)) }
    }
}

impl Peer for Hand {
    fn name(&self) -> &'static str {
        "SDK by hand"
    }

    fn set_up(&self, state: State, queue: usize) -> Option<SetUp> {
        let provided = Provided::new(state, queue)?;
        let down = Down(provided.provider.clone());
        *self.provided.write().unwrap_or_else(PoisonError::into_inner) = Some(provided);
        Some(Box::new(down))
    }

    fn work(&self, work: Work) -> bool {
        self.repeat(work, 1)
    }

    fn repeat(&self, work: Work, times: u32) -> bool {
        let provided = self.provided.read().unwrap_or_else(PoisonError::into_inner);
        let Some(Provided { tracer, .. }) = &*provided else { return false };
        for _ in 0..times {
            by_functions!(work, tracer);
        }
        true
    }

    fn exported(&self) -> Option<u64> {
        let provided = self.provided.read().unwrap_or_else(PoisonError::into_inner);
        provided.as_ref().map(Provided::exported)
    }
}

/// A provider with a batch processor, for all who use the SDK.
pub(crate) struct Provided {
    pub(crate) provider: SdkTracerProvider,
    pub(crate) tracer: SdkTracer,
    /// By the exporter.
    count: Arc<AtomicU64>,
}

impl Provided {
    pub(crate) fn new(state: State, queue: usize) -> Option<Self> {
        let sampler = match state {
            State::Sampled => Sampler::AlwaysOn,
            State::Unsampled => Sampler::AlwaysOff,
            State::NotInstalled | State::Disabled | State::KeptOnError => return None,
        };
        let exporter = Nowhere::default();
        let count = exporter.0.clone();
        Some(Self::over(exporter, count, sampler, queue))
    }

    /// Exports by this exporter, which adds to `count` how many spans it has exported.
    pub(crate) fn over(
        exporter: impl SpanExporter + 'static,
        count: Arc<AtomicU64>,
        sampler: Sampler,
        queue: usize,
    ) -> Self {
        let queue = BatchConfigBuilder::default().with_max_queue_size(queue).build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(queue);
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_span_processor(processor.build())
            .build();
        Self { tracer: provider.tracer("benches"), provider, count }
    }

    pub(crate) fn exported(&self) -> u64 {
        self.provider.force_flush().expect("it is flushed");
        self.count.load(Ordering::Relaxed)
    }
}

pub(crate) struct Down(pub(crate) SdkTracerProvider);

impl Drop for Down {
    fn drop(&mut self) {
        let _ = self.0.shutdown_with_timeout(Duration::from_secs(10));
    }
}

pub(crate) fn tree(tracer: &SdkTracer) {
    let attributes = [KeyValue::new("number", 0), KeyValue::new("text", "root")];
    let span = tracer.span_builder("root").with_attributes(attributes).start(tracer);
    let attached = Context::current_with_span(span).attach();
    for number in 0..10 {
        child(tracer, black_box(number), black_box("child"));
    }
    drop(attached);
}

fn child(tracer: &SdkTracer, number: i64, text: &str) {
    let attributes = [KeyValue::new("number", number), KeyValue::new("text", text.to_owned())];
    let span = tracer.span_builder("child").with_attributes(attributes).start(tracer);
    let attached = Context::current_with_span(span).attach();
    black_box((number, text));
    drop(attached);
}

fn deep(tracer: &SdkTracer, left: u32) {
    let attached = Context::current_with_span(tracer.start("deep")).attach();
    if left > 1 {
        deep(tracer, left - 1);
    }
    black_box(left);
    drop(attached);
}

async fn polls(tracer: &SdkTracer, times: u32) {
    polled(times).with_context(Context::current_with_span(tracer.start("polls"))).await;
}

fn twenty(tracer: &SdkTracer, n: i64) {
    let attributes = KEYS.map(|key| KeyValue::new(key, n));
    let span = tracer.span_builder("twenty").with_attributes(attributes).start(tracer);
    let attached = Context::current_with_span(span).attach();
    black_box(n);
    drop(attached);
}

fn fails(tracer: &SdkTracer, yes: bool) -> Result<u32, Failed> {
    let attached = Context::current_with_span(tracer.start("fails")).attach();
    let result = if yes { Err(Failed) } else { Ok(7) };
    if let Err(error) = &result {
        get_active_span(|span| {
            span.set_status(Status::error(error.to_string()));
            span.set_attribute(KeyValue::new("error.type", std::any::type_name::<Failed>()));
            let event = vec![
                KeyValue::new("exception.type", std::any::type_name::<Failed>()),
                KeyValue::new("exception.message", error.to_string()),
            ];
            span.add_event("exception", event);
        });
    }
    drop(attached);
    result
}
