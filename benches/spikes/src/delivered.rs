//! What a span costs until the collector has it, over HTTP and not compressed: all threads of a
//! process that does nothing else, as in the benches.

use std::process::Command;
use std::time::Duration;

use cpu_time::{ProcessTime, ThreadTime};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider,
};
use spandrel::Config;

use crate::hot::median;
use crate::own::steps::{self, AsideWritten, Slotted, Step as _};
use crate::own::{dressed, export, local};
use crate::pace::paced;
use crate::peers::{hand, ours};
use crate::{cell, sink::Sink};

const TRACES: u32 = 4_000;
const SPANS: u32 = TRACES * 11;
const QUEUE: usize = 1 << 17;

/// Who delivers to an endpoint; how long it takes this thread, and all of them.
type Delivery = fn(&str) -> [Duration; 2];

const BY: [(&str, Delivery); 6] = [
    ("stock", |_| deliver_stock()),
    ("spandrel", |_| deliver_spandrel()),
    ("in a slot, a handle attached, with the rest of `span/`", |to| {
        deliver_own(dressed::tree, to, 1)
    }),
    ("… four buffers a request", |to| deliver_own(dressed::tree, to, 4)),
    (Slotted::NAME, |to| deliver_own(steps::tree::<Slotted>, to, 1)),
    (AsideWritten::NAME, |to| deliver_own(steps::tree::<AsideWritten>, to, 1)),
];

pub(crate) fn print(rounds: usize) {
    let sink = Sink::start().expect("it starts");
    let mut all = BY.map(|_| (Vec::new(), Vec::new()));
    for _ in 0..rounds {
        for ((by, _), (program, process)) in BY.iter().zip(&mut all) {
            let [here, everywhere] = once(&sink, by);
            program.push(here);
            process.push(everywhere);
        }
    }
    println!("\n| delivered | the program's thread | all threads |");
    println!("| --- | --: | --: |");
    let all = all.map(|(program, process)| [median(program), median(process)].map(Some));
    for ((by, _), medians) in BY.iter().zip(&all) {
        let cells = [0, 1].map(|column| cell(medians[column], all[0][column]));
        println!("| {by} | {} |", cells.join(" | "));
    }
}

fn once(sink: &Sink, by: &str) -> [f64; 2] {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["deliver", by, &sink.endpoint])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &sink.endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE.to_string())
        .output()
        .expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    let times: Vec<f64> = printed.split_whitespace().flat_map(str::parse).collect();
    times.try_into().unwrap_or_else(|_| panic!("{by}: {printed}{said}"))
}

/// In a process of its own: delivers, and prints what a span took this thread, and all of them.
pub(crate) fn deliver(by: &str, endpoint: &str) {
    let (_, deliver) = BY.iter().find(|(name, _)| *name == by).expect("one of these");
    let times = deliver(endpoint);
    let [here, everywhere] = times.map(|time| time.as_secs_f64() * 1e9 / f64::from(SPANS));
    println!("{here} {everywhere}");
}

fn deliver_own(tree: fn(), endpoint: &str, at_once: usize) -> [Duration; 2] {
    local::open();
    let endpoint = endpoint.to_owned();
    let exporter = std::thread::spawn(move || export::send_all(&endpoint, at_once));
    timed(tree, || {
        local::close();
        let sent = exporter.join().expect("it does not panic");
        assert_eq!(sent, u64::from(SPANS));
    })
}

fn deliver_spandrel() -> [Duration; 2] {
    let app = spandrel::install(Config::new("benches").flush(Duration::from_secs(30)));
    let times = timed(ours::tree, || drop(app));
    assert_eq!(spandrel::stats().exported, u64::from(SPANS));
    times
}

fn deliver_stock() -> [Duration; 2] {
    let exporter = SpanExporter::builder().with_http().build().expect("an exporter");
    let queue = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(queue).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let tracer: SdkTracer = provider.tracer("benches");
    timed(
        || hand::tree(&tracer),
        || provider.shutdown_with_timeout(Duration::from_secs(30)).expect("it is flushed"),
    )
}

/// What this thread and all of them spend.
fn timed(tree: impl Fn(), flush: impl FnOnce()) -> [Duration; 2] {
    let (process, thread) = (ProcessTime::now(), ThreadTime::now());
    paced(TRACES, tree);
    let here = thread.elapsed();
    flush();
    [here, process.elapsed()]
}
