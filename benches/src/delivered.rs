//! What a span costs until the collector has it: all threads of a process that does nothing else.

use std::process::Command;
use std::time::Duration;

use cpu_time::ProcessTime;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider,
};
use spandrel::Config;

use crate::hot::median;
use crate::pace::paced;
use crate::peers::{hand, ours};
use crate::sink::Sink;

const TRACES: u32 = 4_000;
const SPANS: u32 = TRACES * 11;
const QUEUE: usize = 1 << 17;

pub(crate) const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];
pub(crate) const COMPRESSIONS: [&str; 3] = ["none", "gzip", "zstd"];
pub(crate) const PEERS: [&str; 2] = ["spandrel", "stock"];

/// The medians for ours and the stock exporter, in nanoseconds a span.
pub(crate) fn measure(sink: &Sink, protocol: &str, compression: &str, rounds: usize) -> [f64; 2] {
    let mut all = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for (peer, times) in PEERS.iter().zip(&mut all) {
            times.push(once(sink, peer, protocol, compression));
        }
    }
    all.map(median)
}

fn once(sink: &Sink, peer: &str, protocol: &str, compression: &str) -> f64 {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["deliver", peer, protocol])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &sink.endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
        .env("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE.to_string())
        .output()
        .expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    printed.trim().parse().unwrap_or_else(|_| panic!("{peer} {protocol}: {printed}{said}"))
}

/// In a process of its own: delivers, and prints what a span took.
pub(crate) fn deliver(peer: &str, protocol: &str) {
    let time = if peer == "spandrel" { deliver_ours() } else { deliver_stock(protocol) };
    println!("{}", time.as_secs_f64() * 1e9 / f64::from(SPANS));
}

fn deliver_ours() -> Duration {
    let app = spandrel::install(Config::new("benches").flush(Duration::from_secs(30)));
    let begun = ProcessTime::now();
    paced(TRACES, ours::tree);
    drop(app);
    let time = begun.elapsed();
    assert_eq!(spandrel::stats().exported, u64::from(SPANS));
    time
}

fn deliver_stock(protocol: &str) -> Duration {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let exporter = match protocol {
        "grpc" => SpanExporter::builder().with_tonic().build(),
        _ => SpanExporter::builder().with_http().build(),
    };
    let queue = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = BatchSpanProcessor::builder(exporter.expect("an exporter"));
    let processor = processor.with_batch_config(queue).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let tracer: SdkTracer = provider.tracer("benches");
    let begun = ProcessTime::now();
    paced(TRACES, || hand::tree(&tracer));
    provider.shutdown_with_timeout(Duration::from_secs(30)).expect("it is flushed");
    begun.elapsed()
}
