//! What the parts of a span cost by themselves.

use std::hint::black_box;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::SystemTime;

use cpu_time::ThreadTime;
use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry::trace::{
    Span, SpanContext, TraceContextExt, TraceFlags, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use slab::Slab;

use crate::hot::median;
use crate::own::clock::{Clock, Counter, System};
use crate::own::current::OwnSpan;
use crate::own::fields::Encoded;
use crate::own::span::{Data, Dropped, Parent};
use crate::own::steps::{self, Slotted};
use crate::own::{export, ids, local};
use crate::sdk;

const TIMES: u32 = 20_000;

type Part<'a> = (&'static str, &'a dyn Fn());

pub(crate) fn print(rounds: usize) {
    let context =
        SpanContext::new(ids::trace(), ids::span(), TraceFlags::SAMPLED, false, TraceState::NONE);
    let parent = Parent::of(&context);
    let current = Context::new().with_remote_span_context(context.clone());
    let recording = Context::new()
        .with_span(OwnSpan::<_, _, Dropped>::new(Data::<Counter, Encoded>::begin("part", parent)));
    let (mutex, open) = (Mutex::new(7), Mutex::new(Slab::new()));
    let provider = sdk::provider();
    let tracer = provider.tracer("parts");
    let parts: &[Part<'_>] = &[
        ("two reads of the system's clock", &|| {
            black_box((SystemTime::now(), SystemTime::now()));
        }),
        ("… and their nanoseconds since 1970", &|| {
            black_box((System::nanos(System::now()), System::nanos(System::now())));
        }),
        ("two reads of the counter", &|| {
            black_box((Counter::now(), Counter::now()));
        }),
        ("… and their nanoseconds since 1970", &|| {
            black_box((Counter::nanos(Counter::now()), Counter::nanos(Counter::now())));
        }),
        ("a span's id", &|| {
            black_box(ids::span());
        }),
        ("two `KeyValue`s in a `Vec`, one with a short `String`", &|| {
            let text = black_box("child").to_owned();
            black_box(vec![KeyValue::new("number", 7), KeyValue::new("text", text)]);
        }),
        ("an allocation of 256 bytes, and its end", &|| {
            black_box(Box::new([0_u8; 256]));
        }),
        ("a `Mutex` locked and unlocked", &|| {
            *mutex.lock().expect("it is not poisoned") += black_box(1);
        }),
        ("a `Context` cloned and dropped", &|| {
            black_box(current.clone());
        }),
        ("… attached and detached too", &|| {
            black_box(current.clone().attach());
        }),
        ("a `Context` made of a `SpanContext`, and dropped", &|| {
            black_box(Context::map_current(|current| {
                current.with_remote_span_context(black_box(context.clone()))
            }));
        }),
        ("a span of our own, started and dropped", &|| {
            black_box(Data::<Counter, Encoded>::begin("part", black_box(parent)));
        }),
        ("… in a `Context`, which has a `Box` and an `Arc` for it", &|| {
            let data = Data::<Counter, Encoded>::begin("part", black_box(parent));
            black_box(Context::current_with_span(OwnSpan::<_, _, Dropped>::new(data)));
        }),
        ("`is_recording` of the span in a `Context`", &|| {
            black_box(recording.span().is_recording());
        }),
        ("an entry in a locked slab, and out again", &|| {
            let index = open.lock().expect("it is not poisoned").insert(current.clone());
            black_box(open.lock().expect("it is not poisoned").remove(index));
        }),
        ("a `catch_unwind` round nothing", &|| {
            let _ = black_box(catch_unwind(AssertUnwindSafe(|| black_box(()))));
        }),
        ("the SDK's tracer, cloned and dropped", &|| {
            black_box(tracer.clone());
        }),
        ("the SDK's span, started and ended, its processor drops", &|| {
            let mut span = tracer.span_builder("part").start(&tracer);
            span.end();
        }),
        ("… under a parent", &|| {
            let builder = tracer.span_builder("part");
            let mut span = tracer.build_with_context(builder, &current);
            span.end();
        }),
    ];
    print_medians("part", parts, TIMES, 1, rounds);
    print_requests(rounds);
}

/// What an exporter does with full buffers, a span.
fn print_requests(rounds: usize) {
    let buffers = [local::filled(steps::tree::<Slotted>, 50_000)];
    let spans = u32::try_from(buffers[0].spans).expect("they are few");
    let request = export::request(&buffers, "parts");
    println!("\n{} bytes a span", request.len() / spans as usize);
    let zstd = Mutex::new(zstd::bulk::Compressor::new(1).expect("a compressor"));
    let parts: &[Part<'_>] = &[
        ("a request round a full buffer", &|| {
            black_box(export::request(&buffers, "parts"));
        }),
        ("… its gzip, fast", &|| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(&request).expect("it is taken");
            black_box(gzip.finish().expect("it ends"));
        }),
        ("… its zstd, level 1", &|| {
            let mut zstd = zstd.lock().expect("it is not poisoned");
            black_box(zstd.compress(&request).expect("it is compressed"));
        }),
    ];
    print_medians("part of an export", parts, 20, spans, rounds);
}

fn print_medians(title: &str, parts: &[Part<'_>], times: u32, spans: u32, rounds: usize) {
    let mut all = vec![Vec::new(); parts.len()];
    for _ in 0..rounds {
        for ((_, part), nanos) in parts.iter().zip(&mut all) {
            nanos.push(once(part, times) / f64::from(spans));
        }
    }
    println!("\n| {title} | ns a span |");
    println!("| --- | --: |");
    for ((name, _), nanos) in parts.iter().zip(all) {
        println!("| {name} | {:.1} |", median(nanos));
    }
}

fn once(part: &dyn Fn(), times: u32) -> f64 {
    let begun = ThreadTime::now();
    for _ in 0..times {
        part();
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(times)
}
