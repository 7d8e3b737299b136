//! What a span costs while batches are exported: a peer records a burst of spans, and its exporter's thread
//! sends batches of them meanwhile. Every peer has a process of its own, which records a burst whenever
//! standard input asks for one, so that the peers take turns burst by burst.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ProcessTime;
use opentelemetry_sdk::trace::Sampler;
use spandrel::Config;

use crate::counted::Counted;
use crate::delivered::report_by_stock_exporter;
use crate::hot::{self, medians, turns};
use crate::peers::fastrace::Fastrace;
use crate::peers::hand::{Hand, Provided};
use crate::peers::ours::Ours;
use crate::peers::{Peer, Work, tracing};
use crate::sink::Sink;
use crate::table::{Row, Table};

const PEERS: [&str; 4] = ["spandrel", "SDK by hand", "tracing, lean", "fastrace"];
const HAND: usize = 1;

/// The bursts: a work, and how often each recording thread does it.
const BURSTS: [(Work, u32); 7] = [
    (Work::Tree, 300),
    (Work::Tree, 40),
    (Work::Tree, 1_000),
    (Work::Attributes20, 3_300),
    (Work::Error, 3_300),
    (Work::Poll10, 3_300),
    (Work::Threads8, 125),
];

/// How many processes of a peer contribute to a row. The layout of a process's memory changes what a span
/// costs, so one process is not enough.
const PROCESSES: usize = 3;
/// How many bursts each process records before the first one that is measured.
const WARM: usize = 3;
/// The queue's length in spans: larger than any burst, so that nothing is dropped.
const QUEUE: usize = 1 << 17;
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const RECORDING: &str = "recording threads";
pub(crate) const DELIVERED: &str = "until delivered";

/// The name of a row: bursts of so many spans, and whose time it is, [`RECORDING`] or [`DELIVERED`].
pub(crate) fn row(work: Work, spans: u32, time: &str) -> String {
    format!("{work:?} in bursts of {spans}; {time}")
}

/// The CPU time of the threads that record, and of the whole process until all spans are delivered.
pub(crate) fn measure(sink: &Sink, rounds: usize) -> [Table; 2] {
    let head = PEERS.map(str::to_owned).to_vec();
    let mut recording = Table::new(
        "while batches are exported: CPU time of the recording threads, ns a span",
        head.clone(),
        HAND,
    );
    let mut delivered = Table::new(
        "while batches are exported: CPU time of the process until delivered, ns a span",
        head,
        HAND,
    );
    for (work, times) in BURSTS {
        let mut all = PEERS.map(|_| [Vec::new(), Vec::new()]);
        for _ in 0..PROCESSES {
            let mut peers = PEERS.map(|peer| Recorder::start(sink, peer));
            for index in turns(WARM, PEERS.len()) {
                peers[index].burst(work, times);
            }
            for index in turns(rounds.div_ceil(PROCESSES), PEERS.len()) {
                for (values, value) in all[index].iter_mut().zip(peers[index].burst(work, times)) {
                    values.push(value);
                }
            }
        }
        let spans = hot::spans(work, times);
        for (time, table, column) in
            [(RECORDING, &mut recording, 0), (DELIVERED, &mut delivered, 1)]
        {
            let values = medians(all.iter().map(|values| values[column].clone()).collect());
            table.rows.push(Row { name: row(work, spans, time), values });
        }
    }
    [recording, delivered]
}

/// A peer's process, as the one that measures sees it.
struct Recorder {
    peer: &'static str,
    process: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Recorder {
    fn start(sink: &Sink, peer: &'static str) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["exporting", peer, "serve"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &sink.endpoint)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            .env("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let stdin = process.stdin.take().expect("piped");
        let stdout = BufReader::new(process.stdout.take().expect("piped")).lines();
        Self { peer, process, stdin, stdout }
    }

    /// Nanoseconds a span: of the threads that record, and of the process. Empty if the peer cannot do
    /// this work.
    fn burst(&mut self, work: Work, times: u32) -> Vec<f64> {
        let asked = writeln!(self.stdin, "{work:?} {times}");
        let answer = asked.ok().and_then(|()| self.stdout.next()?.ok());
        let answer = answer.unwrap_or_else(|| panic!("{} has stopped in {work:?}", self.peer));
        answer.split_whitespace().map(|word| word.parse().expect("a number")).collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In a process of its own: records the bursts that standard input asks for, and prints the CPU time of
/// each.
pub(crate) fn serve(peer: &str) {
    let recording = Recording::start(peer);
    for line in std::io::stdin().lines() {
        let line = line.expect("text");
        let (work, times) = line.split_once(' ').expect("a work, and how often");
        let work = Work::named(work).expect("a work");
        match recording.burst(work, times.parse().expect("a number")) {
            Some([threads, process]) => println!("{threads} {process}"),
            None => println!(),
        }
    }
}

/// A peer and its exporter, set up.
struct Recording {
    peer: &'static dyn Peer,
    /// Waits until all that was recorded is delivered. Returns how many spans were, from the beginning.
    flush: Box<dyn Fn() -> u64>,
}

impl Recording {
    /// What is set up here lasts as long as the process.
    fn start(peer: &str) -> Self {
        match peer {
            "spandrel" => Self::spandrel(),
            "SDK by hand" => {
                let hand: &Hand = Box::leak(Box::new(Hand::over(stock())));
                Self { peer: hand, flush: Box::new(|| hand.exported().unwrap_or_default()) }
            }
            "tracing, lean" => {
                let provided = stock();
                let subscriber = tracing::lean(provided.tracer.clone());
                ::tracing::subscriber::set_global_default(subscriber).expect("the first");
                let peer = Box::leak(Box::new(tracing::Tracing::new(true)));
                Self { peer, flush: Box::new(move || provided.exported()) }
            }
            "fastrace" => {
                let count = report_by_stock_exporter("http/protobuf");
                Self { peer: &Fastrace, flush: Box::new(move || flush_fastrace(&count)) }
            }
            _ => panic!("nobody is called {peer}"),
        }
    }

    fn spandrel() -> Self {
        std::mem::forget(spandrel::install(Config::new("benches")));
        let flush = || {
            spandrel::flush(PATIENCE);
            spandrel::stats().exported
        };
        Self { peer: &Ours, flush: Box::new(flush) }
    }

    fn burst(&self, work: Work, times: u32) -> Option<[f64; 2]> {
        // fastrace drops spans when so many traces end at once.
        if self.peer.name() == "fastrace" && work.spans() == 1 {
            return None;
        }
        let spans = hot::spans(work, times);
        let before = (self.flush)();
        let begun = ProcessTime::now();
        let threads = hot::recording(self.peer, work, 0, times)?;
        let delivered = (self.flush)() - before;
        let process = begun.elapsed();
        assert_eq!(delivered, u64::from(spans), "{} lost some, {work:?}", self.peer.name());
        Some([threads, process].map(|time| time.as_secs_f64() * 1e9 / f64::from(spans)))
    }
}

/// The stock batch processor and the stock exporter.
fn stock() -> Provided {
    let (exporter, count) = Counted::new("http/protobuf");
    Provided::over(exporter, count, Sampler::AlwaysOn, QUEUE)
}

fn flush_fastrace(count: &Arc<AtomicU64>) -> u64 {
    fastrace::flush();
    count.load(Ordering::Relaxed)
}
