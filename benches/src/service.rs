//! A service: axum with one and with ten spans a request, at saturation and at a fixed rate. It has one
//! core, whoever asks has another, and exporter and collector are where there is room: with two cores, on
//! these, which the thread's own time tells apart.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use cpu_time::ThreadTime;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use spandrel::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::counted::Counted;
use crate::hot::{median, turns};
use crate::peers::{ours, tracing};
use crate::sink::Sink;

pub(crate) const PEERS: [&str; 3] = ["without tracing", "spandrel", "tracing, lean"];
pub(crate) const SPANS: [u32; 2] = [1, 10];
/// How many requests a second are made: as many as are answered, or so many.
pub(crate) const RATES: [Option<u32>; 2] = [None, Some(20_000)];

const CONNECTIONS: u32 = 64;
/// Until then connections are made, and caches filled.
const WARM: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(3);
/// For bursts: at saturation nobody's exporter keeps up on two cores.
const QUEUE: usize = 1 << 17;
const BATCH: usize = 4096;

/// What the clients of a service have seen, and what became of its spans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// The CPU time of the thread that answers, in microseconds a request.
    pub(crate) work: f64,
    pub(crate) lost: f64,
}

/// The medians of the rounds, for each of [`PEERS`].
pub(crate) fn measure(sink: &Sink, spans: u32, rate: Option<u32>, rounds: usize) -> Vec<Seen> {
    let mut all = vec![Vec::new(); PEERS.len()];
    for index in turns(rounds, PEERS.len()) {
        let peer = PEERS[index];
        let service = Service::start(sink, peer, spans);
        let load = load(service.address, rate);
        let traced = peer != "without tracing";
        all[index].push(service.stop(load, if traced { spans } else { 0 }));
    }
    let medians = all.into_iter().map(|seen| {
        let of = |what: fn(&Seen) -> f64| median(seen.iter().map(what).collect());
        Seen {
            rate: of(|seen| seen.rate),
            p50: of(|seen| seen.p50),
            p99: of(|seen| seen.p99),
            work: of(|seen| seen.work),
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
            .env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", BATCH.to_string())
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

    fn stop(mut self, load: Load, spans: u32) -> Seen {
        let Load { requests, mut waits } = load;
        drop(self.stdin);
        let mut said = String::new();
        self.stdout.read_to_string(&mut said).expect("it says what came of it");
        assert!(self.process.wait().expect("it ends").success());
        let said: Vec<u64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [work, exported] = said[..] else { panic!("it said {said:?}") };
        waits.sort();
        let percentile = |share: usize| micros(waits[(waits.len() - 1) * share / 100]);
        let made = requests * u64::from(spans);
        Seen {
            rate: waits.len() as f64 / MEASURED.as_secs_f64(),
            p50: percentile(50),
            p99: percentile(99),
            work: work as f64 / 1e3 / requests as f64,
            lost: made.abs_diff(exported) as f64,
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

/// What the service's thread worked, in nanoseconds, and how many spans were exported.
fn say(work: Duration, exported: u64) {
    println!("{} {exported}", work.as_nanos());
}

/// In a process of its own: serves, and says at the end what came of it.
pub(crate) fn serve(peer: &str, spans: u32) {
    match peer {
        "spandrel" => {
            let app = spandrel::install(Config::new("service").flush(Duration::from_secs(30)));
            let work = answer(get(move || ours::request(spans)));
            drop(app);
            say(work, spandrel::stats().exported);
        }
        "tracing, lean" => {
            let (exporter, count) = Counted::new("http/protobuf");
            let queue = BatchConfigBuilder::default().with_max_queue_size(QUEUE);
            let queue = queue.with_max_export_batch_size(BATCH).build();
            let processor = BatchSpanProcessor::builder(exporter).with_batch_config(queue).build();
            let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
            let subscriber = tracing::lean(provider.tracer("service"));
            ::tracing::subscriber::set_global_default(subscriber).expect("it is the only one");
            let work = answer(get(move || tracing::request(spans)));
            let _ = provider.shutdown_with_timeout(Duration::from_secs(30));
            say(work, count.load(Ordering::Relaxed));
        }
        "without tracing" => say(answer(get(move || request(spans))), 0),
        _ => panic!("nobody is called {peer}"),
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

/// Says where it listens, and answers until standard input is closed; how long this thread worked.
fn answer(request: axum::routing::MethodRouter) -> Duration {
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
        let begun = ThreadTime::now();
        service.with_graceful_shutdown(stopped).await.expect("it serves");
        begun.elapsed()
    })
}

/// What the clients have done.
struct Load {
    requests: u64,
    /// How long requests took that ended once all was warm, from when they were due.
    waits: Vec<Duration>,
}

fn load(address: SocketAddr, rate: Option<u32>) -> Load {
    let asks = std::thread::spawn(move || {
        pin(|cores| cores.last().copied());
        one_core().block_on(async move {
            let begun = Instant::now();
            let mut clients = JoinSet::new();
            for number in 0..CONNECTIONS {
                let every = rate.map(|rate| Duration::from_secs(1) * CONNECTIONS / rate);
                // Spread, as far as tokio's timers can tell the time: by the millisecond.
                let first = every.map_or(Duration::ZERO, |every| every * number / CONNECTIONS);
                clients.spawn(ask(address, begun, every, first));
            }
            let clients = clients.join_all().await;
            Load {
                requests: clients.iter().map(|load| load.requests).sum(),
                waits: clients.into_iter().flat_map(|load| load.waits).collect(),
            }
        })
    });
    asks.join().expect("it does not panic")
}

async fn ask(
    address: SocketAddr,
    begun: Instant,
    every: Option<Duration>,
    first: Duration,
) -> Load {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("it is connected");
    let mut load = Load { requests: 0, waits: Vec::new() };
    let mut buffer = [0; 1024];
    let mut due = begun + first;
    while begun.elapsed() < WARM + MEASURED {
        let mut since = Instant::now();
        if let Some(every) = every {
            tokio::time::sleep_until(due.into()).await;
            since = due;
            due += every;
        }
        stream.write_all(b"GET / HTTP/1.1\r\nhost: service\r\n\r\n").await.expect("it is up");
        let mut length = 0;
        while !buffer[..length].ends_with(b"ok") {
            length += stream.read(&mut buffer[length..]).await.expect("it is up");
        }
        load.requests += 1;
        if begun.elapsed() > WARM {
            load.waits.push(since.elapsed());
        }
    }
    load
}
