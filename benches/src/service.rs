//! A service: axum with one and with ten spans a request, at saturation and at a fixed rate. It has one
//! core, whoever asks has another, and exporter and collector are where there is room.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter as OtlpExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
};
use spandrel::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::hot::median;
use crate::peers::{ours, tracing};
use crate::sink::Sink;

pub(crate) const PEERS: [&str; 3] = ["without tracing", "spandrel", "tracing, lean"];
pub(crate) const SPANS: [u32; 2] = [1, 10];
/// How many requests a second are made: as many as are answered, or so many.
pub(crate) const RATES: [Option<u32>; 2] = [None, Some(20_000)];

const CONNECTIONS: u32 = 64;
const TIME: Duration = Duration::from_secs(3);
const QUEUE: usize = 1 << 17;

/// What the clients of a service have seen, and what became of its spans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) lost: f64,
}

/// The medians of the rounds, for each of [`PEERS`].
pub(crate) fn measure(sink: &Sink, spans: u32, rate: Option<u32>, rounds: usize) -> Vec<Seen> {
    let mut all = vec![Vec::new(); PEERS.len()];
    for _ in 0..rounds {
        for (peer, seen) in PEERS.iter().zip(&mut all) {
            let service = Service::start(sink, peer, spans);
            let (waits, time) = load(service.address, rate);
            seen.push(service.stop(waits, time, spans));
        }
    }
    let medians = all.into_iter().map(|seen| {
        let of = |what: fn(&Seen) -> f64| median(seen.iter().map(what).collect());
        Seen {
            rate: of(|seen| seen.rate),
            p50: of(|seen| seen.p50),
            p99: of(|seen| seen.p99),
            // Nothing may be lost in any round.
            lost: seen.iter().map(|seen| seen.lost).fold(0.0, f64::max),
        }
    });
    medians.collect()
}

/// The service in a process of its own.
struct Service {
    process: Child,
    /// It stops when this is closed.
    stdin: ChildStdin,
    stdout: BufReader<std::process::ChildStdout>,
    address: SocketAddr,
}

impl Service {
    fn start(sink: &Sink, peer: &str, spans: u32) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["service", peer, &spans.to_string()])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &sink.endpoint)
            .env("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE.to_string())
            .env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let stdin = process.stdin.take().expect("piped");
        let mut stdout = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it says where it is");
        let address = line.trim().parse().expect("an address");
        Self { process, stdin, stdout, address }
    }

    fn stop(mut self, mut waits: Vec<Duration>, time: Duration, spans: u32) -> Seen {
        drop(self.stdin);
        let mut exported = String::new();
        self.stdout.read_to_string(&mut exported).expect("it says what it exported");
        self.process.wait().expect("it ends");
        waits.sort();
        let requests = waits.len();
        let percentile = |share: usize| micros(waits[(requests - 1) * share / 100]);
        // Spans that were never asked for are not lost.
        let lost = exported
            .trim()
            .parse::<u64>()
            .map_or(0, |exported| (requests as u64 * u64::from(spans)).saturating_sub(exported));
        Seen {
            rate: requests as f64 / time.as_secs_f64(),
            p50: percentile(50),
            p99: percentile(99),
            lost: lost as f64,
        }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The last core asks, the first one answers.
fn pin(core: impl Fn(Vec<core_affinity::CoreId>) -> Option<core_affinity::CoreId>) {
    if let Some(core) = core_affinity::get_core_ids().and_then(core) {
        core_affinity::set_for_current(core);
    }
}

fn one_core() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// In a process of its own: serves, and prints how many spans were exported.
pub(crate) fn serve(peer: &str, spans: u32) {
    match peer {
        "spandrel" => {
            let app = spandrel::install(Config::new("service").flush(Duration::from_secs(30)));
            answer(get(move || ours::request(spans)));
            drop(app);
            println!("{}", spandrel::stats().exported);
        }
        "tracing, lean" => {
            let count = Arc::new(AtomicU64::new(0));
            let exporter = OtlpExporter::builder().with_http().build().expect("an exporter");
            let queue = BatchConfigBuilder::default().with_max_queue_size(QUEUE);
            let queue = queue.with_max_export_batch_size(4096).build();
            let counted = Counted(exporter, count.clone());
            let processor = BatchSpanProcessor::builder(counted).with_batch_config(queue).build();
            let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
            let subscriber = tracing::lean(provider.tracer("service"));
            let default = ::tracing::subscriber::set_default(subscriber);
            answer(get(move || tracing::request(spans)));
            drop(default);
            let _ = provider.shutdown_with_timeout(Duration::from_secs(30));
            println!("{}", count.load(Ordering::Relaxed));
        }
        _ => answer(get(move || request(spans))),
    }
}

async fn request(spans: u32) -> &'static str {
    for number in 1..spans {
        step(number).await;
    }
    "ok"
}

#[allow(clippy::unused_async, reason = "those with spans are so")]
async fn step(number: u32) {
    std::hint::black_box(number);
}

/// Says where it listens, and answers until standard input is closed.
fn answer(request: axum::routing::MethodRouter) {
    pin(|cores| cores.first().copied());
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop(stop);
    });
    one_core().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
        println!("{}", listener.local_addr().expect("an address"));
        let service = axum::serve(listener, Router::new().route("/", request));
        let stopped = async { drop(stopped.await) };
        service.with_graceful_shutdown(stopped).await.expect("it serves");
    });
}

/// An exporter that counts what it exports.
#[derive(Debug)]
struct Counted(OtlpExporter, Arc<AtomicU64>);

impl SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        self.0.export(batch).await?;
        self.1.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }

    fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
        self.0.set_resource(resource);
    }
}

/// How long each request took, from when it was due; and how long all of them.
fn load(address: SocketAddr, rate: Option<u32>) -> (Vec<Duration>, Duration) {
    let asks = std::thread::spawn(move || {
        pin(|cores| cores.last().copied());
        one_core().block_on(async move {
            let begun = Instant::now();
            let mut clients = JoinSet::new();
            for number in 0..CONNECTIONS {
                let every = rate.map(|rate| Duration::from_secs(1) * CONNECTIONS / rate);
                // Not all at the same moment.
                let first = every.map_or(Duration::ZERO, |every| every * number / CONNECTIONS);
                clients.spawn(ask(address, begun, every, first));
            }
            let waits = clients.join_all().await.concat();
            (waits, begun.elapsed())
        })
    });
    asks.join().expect("it does not panic")
}

async fn ask(
    address: SocketAddr,
    begun: Instant,
    every: Option<Duration>,
    first: Duration,
) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("it is connected");
    let mut waits = Vec::new();
    let mut buffer = [0; 1024];
    let mut due = begun + first;
    while begun.elapsed() < TIME {
        let mut since = Instant::now();
        if let Some(every) = every {
            if due > since {
                tokio::time::sleep_until(due.into()).await;
                since = Instant::now();
            } else {
                // It should have been asked for before, but for the one that took so long.
                since = due;
            }
            due += every;
        }
        stream.write_all(b"GET / HTTP/1.1\r\nhost: service\r\n\r\n").await.expect("it is up");
        let mut length = 0;
        while !buffer[..length].ends_with(b"ok") {
            length += stream.read(&mut buffer[length..]).await.expect("it is up");
        }
        waits.push(since.elapsed());
    }
    waits
}
