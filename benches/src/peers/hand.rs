//! The OpenTelemetry SDK, with all that a careful person writes by hand.

use std::hint::black_box;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use opentelemetry::trace::{FutureExt, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};

use super::{Failed, KEYS, Nowhere, Peer, State, Up, Work, block_on, polled};

#[derive(Default)]
pub(crate) struct Hand {
    tracer: RwLock<Option<SdkTracer>>,
}

impl Peer for Hand {
    fn name(&self) -> &'static str {
        "SDK by hand"
    }

    fn up(&self, state: State) -> Option<Up> {
        let provider = provider(state)?;
        *self.tracer.write().unwrap_or_else(PoisonError::into_inner) =
            Some(provider.tracer("benches"));
        Some(Box::new(Down(provider)))
    }

    fn work(&self, work: Work) -> bool {
        let tracer = self.tracer.read().unwrap_or_else(PoisonError::into_inner);
        let Some(tracer) = &*tracer else { return false };
        match work {
            Work::Tree | Work::Threads8 => tree(tracer),
            Work::Depth50 => deep(tracer, black_box(50)),
            Work::Poll1 => block_on(polls(tracer, black_box(1))),
            Work::Poll10 => block_on(polls(tracer, black_box(10))),
            Work::Attributes20 => twenty(tracer, black_box(7)),
            Work::Error => drop(black_box(fails(tracer, black_box(true)))),
            Work::Success => drop(black_box(fails(tracer, black_box(false)))),
        }
        true
    }
}

/// A provider in this state, for others who use the SDK.
pub(crate) fn provider(state: State) -> Option<SdkTracerProvider> {
    let sampler = match state {
        State::Sampled => Sampler::AlwaysOn,
        State::Unsampled => Sampler::AlwaysOff,
        State::NotInstalled | State::Disabled | State::KeptOnError => return None,
    };
    let queue = BatchConfigBuilder::default().with_max_queue_size(8192).build();
    let processor = BatchSpanProcessor::builder(Nowhere).with_batch_config(queue).build();
    let sampler = Sampler::ParentBased(Box::new(sampler));
    Some(SdkTracerProvider::builder().with_sampler(sampler).with_span_processor(processor).build())
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
    let context = Context::current_with_span(tracer.start("polls"));
    polled(times).with_context(context.clone()).await;
    context.span().end();
}

fn twenty(tracer: &SdkTracer, n: i64) {
    let attributes = KEYS.map(|key| KeyValue::new(key, n));
    let span = tracer.span_builder("twenty").with_attributes(attributes).start(tracer);
    let attached = Context::current_with_span(span).attach();
    black_box(n);
    drop(attached);
}

fn fails(tracer: &SdkTracer, yes: bool) -> Result<u32, Failed> {
    let context = Context::current_with_span(tracer.start("fails"));
    let attached = context.clone().attach();
    let result = if yes { Err(Failed) } else { Ok(7) };
    if let Err(error) = &result {
        let span = context.span();
        span.set_status(Status::error(error.to_string()));
        span.set_attribute(KeyValue::new("error.type", std::any::type_name::<Failed>()));
        let event = vec![
            KeyValue::new("exception.type", std::any::type_name::<Failed>()),
            KeyValue::new("exception.message", error.to_string()),
        ];
        span.add_event("exception", event);
    }
    drop(attached);
    context.span().end();
    result
}
