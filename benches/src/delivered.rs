//! What a span costs until the collector has it: all threads of a process that does nothing else.

use std::borrow::Cow;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ProcessTime;
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use spandrel::Config;
use tokio::runtime::Runtime;

use crate::counted::Counted;
use crate::hot::{medians, turns};
use crate::pace::paced;
use crate::peers;
use crate::sink::Sink;

const TRACES: u32 = 4_000;
const SPANS: u32 = TRACES * 11;
/// With the default, 2048, the stock processor loses some over gRPC.
const QUEUE: usize = 16_384;
const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];
pub(crate) const COMPRESSIONS: [&str; 3] = ["none", "gzip", "zstd"];
pub(crate) const PEERS: [&str; 4] = ["spandrel", "stock", "fastrace", "emit"];

/// The medians, in nanoseconds a span; `None` for what a peer has not.
pub(crate) fn measure(
    sink: &Sink,
    protocol: &str,
    compression: &str,
    rounds: usize,
) -> Vec<Option<f64>> {
    let mut all = vec![Vec::new(); PEERS.len()];
    for index in turns(rounds, PEERS.len()) {
        let peer = PEERS[index];
        if (peer, compression) != ("emit", "zstd") {
            all[index].push(once(sink, peer, protocol, compression));
        }
    }
    medians(all)
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
    let (time, delivered) = match peer {
        "spandrel" => deliver_ours(),
        "stock" => deliver_stock(protocol),
        "fastrace" => deliver_fastrace(protocol),
        "emit" => deliver_emit(protocol),
        _ => panic!("nobody is called {peer}"),
    };
    assert_eq!(delivered, u64::from(SPANS), "{peer} lost some");
    println!("{}", time.as_secs_f64() * 1e9 / f64::from(SPANS));
}

/// The time of all threads, until `flush` says how many spans were delivered.
fn timed(tree: impl Fn(), flush: impl FnOnce() -> u64) -> (Duration, u64) {
    let begun = ProcessTime::now();
    paced(TRACES, tree);
    let delivered = flush();
    (begun.elapsed(), delivered)
}

fn deliver_ours() -> (Duration, u64) {
    let app = spandrel::install(Config::new("benches").flush(PATIENCE));
    timed(peers::ours::tree, || {
        drop(app);
        spandrel::stats().exported
    })
}

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build().expect("a runtime")
}

fn deliver_stock(protocol: &str) -> (Duration, u64) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let (exporter, count) = Counted::new(protocol);
    let processor = BatchSpanProcessor::builder(exporter).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let tracer: SdkTracer = provider.tracer("benches");
    timed(
        || peers::hand::tree(&tracer),
        || {
            provider.shutdown_with_timeout(PATIENCE).expect("it is flushed");
            count.load(Ordering::Relaxed)
        },
    )
}

fn deliver_fastrace(protocol: &str) -> (Duration, u64) {
    let count = report_by_stock_exporter(protocol);
    timed(peers::fastrace::tree, || {
        fastrace::flush();
        count.load(Ordering::Relaxed)
    })
}

/// Sets `fastrace` up with the stock exporter, the only one over OTLP that it has. Returns the count of
/// the spans that are exported.
pub(crate) fn report_by_stock_exporter(protocol: &str) -> Arc<AtomicU64> {
    let runtime = runtime();
    let entered = runtime.enter();
    let (exporter, count) = Counted::new(protocol);
    let scope = InstrumentationScope::builder("benches").build();
    let resource = Cow::Owned(Resource::builder().with_service_name("benches").build());
    let reporter = OpenTelemetryReporter::new(exporter, resource, scope);
    drop(entered);
    let reporter = reporter.with_block_on(move |sent| runtime.block_on(sent));
    fastrace::set_reporter(reporter, fastrace::collector::Config::default());
    count
}

fn deliver_emit(protocol: &str) -> (Duration, u64) {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let endpoint = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
    let transport = if protocol == "grpc" {
        emit_otlp::grpc(endpoint)
    } else {
        emit_otlp::http(format!("{endpoint}/v1/traces"))
    };
    let compresses = variable("OTEL_EXPORTER_OTLP_COMPRESSION") == "gzip";
    let traces = emit_otlp::traces_proto(transport.allow_compression(compresses));
    let otlp =
        emit_otlp::new().resource(emit::props! { #[emit::key("service.name")] service: "benches" });
    let setup = emit::setup().emit_to(otlp.traces(traces).spawn()).init();
    timed(peers::emit::tree, || {
        // It does not say how many it has sent.
        if setup.blocking_flush(PATIENCE) { u64::from(SPANS) } else { 0 }
    })
}
