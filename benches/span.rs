//! One span with two attributes: not recorded, recorded by `#[span]` (and kept by
//! `testing::record`), and recorded by the same calls on the SDK by hand (and kept by nobody).

use std::hint::black_box;

use divan::Bencher;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use spandrel::span;
use spandrel::testing::record;

fn main() {
    divan::main();
}

#[span("work", number = number, text = text)]
fn work(number: i64, text: &str) -> i64 {
    black_box(number + i64::from(text.is_empty()))
}

fn by_hand(tracer: &impl Tracer<Span: Send + Sync + 'static>, number: i64, text: &str) -> i64 {
    let attributes = vec![KeyValue::new("number", number), KeyValue::new("text", text.to_owned())];
    let span = tracer.span_builder("work").with_attributes(attributes).start(tracer);
    let attached = Context::current_with_span(span).attach();
    let result = black_box(number + i64::from(text.is_empty()));
    drop(attached);
    result
}

#[divan::bench]
fn not_recorded() -> i64 {
    work(black_box(7), black_box("seven"))
}

#[divan::bench]
fn recorded(bencher: Bencher) {
    record(|| bencher.bench_local(|| work(black_box(7), black_box("seven"))));
}

#[divan::bench]
fn recorded_by_hand(bencher: Bencher) {
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).build();
    let tracer = provider.tracer("by-hand");
    bencher.bench_local(|| by_hand(&tracer, black_box(7), black_box("seven")));
}
