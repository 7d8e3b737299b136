//! Each fault of the collector, over each protocol, under each runtime: what arrives, and whether
//! the program's account agrees.

mod account;
mod faults;
mod run;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::collector::{Collector, Protocol};
use crate::process::BURST;

use faults::{FAULTS, Fault};
use run::{Load, Run, variable};

/// Enough for a load of two seconds.
const SPANS: usize = 2000;
const RATE: usize = 1000;
const RUNTIMES: [&str; 3] = ["none", "current_thread", "multi"];
/// Rows sleep and wait: as many as this run at a time.
const WORKERS: usize = 24;

#[derive(Clone, Copy)]
struct Row {
    fault: &'static Fault,
    protocol: Protocol,
    load: Load,
}

#[test]
fn every_fault_is_survived_and_accounted_for() {
    let failures = at_once(&rows(), |row| {
        let (run, collector) = row.run(BURST);
        let wrong = account::check(row, &run, &collector);
        wrong.map(|wrong| format!("{}: {wrong}\n    {run}", row.name()))
    });
    let failures: Vec<String> = failures.into_iter().flatten().collect();
    let all = rows().len();
    assert!(failures.is_empty(), "{} of {all} rows:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_end_is_accounted_for() {
    let ends = [("return", 0), ("error", 1), ("panic", 101), ("signal", 0)];
    let rows: Vec<_> =
        ends.into_iter().flat_map(|end| RUNTIMES.map(|under| (end, under))).collect();
    at_once(&rows, |&((end, code), runtime)| {
        let collector = Collector::start();
        let load = Load { runtime, spans: 300, rate: 1000, end };
        let run = load.run(BURST, Protocol::Http, &collector.endpoint, || {});
        assert_eq!((run.code, run.number("exported")), (Some(code), Some(300)), "{end}: {run}");
        assert_eq!(collector.spans().len(), 300, "{end} under {runtime}");
    });
}

/// Printed by `tests/matrix.sh`, which builds the stock exporter's twin.
#[test]
#[ignore = "prints a table"]
fn table() {
    let stock = std::env::var("STOCK_BURST").expect("the path of the stock exporter's twin");
    println!(
        "| fault | protocol | runtime | ours: delivered | shutdown | stock: delivered | shutdown |"
    );
    println!("| --- | --- | --- | --: | --: | --: | --: |");
    let lines = at_once(&rows(), |row| {
        let cells = [BURST, &stock].map(|program| {
            let (run, collector) = row.run(program);
            let _ = collector.findings();
            let arrived = collector.arrived().spans;
            match run.number("shutdown_ms") {
                Some(millis) => format!("{arrived}/{SPANS} | {millis} ms"),
                None => format!("{arrived}/{SPANS} | {}", run.ending()),
            }
        });
        format!("| {} | {} |", row.name().replace(", ", " | "), cells.join(" | "))
    });
    println!("{}", lines.join("\n"));
}

/// All rows, or those whose name has `MATRIX` in it.
fn rows() -> Vec<Row> {
    let wanted = std::env::var("MATRIX").unwrap_or_default();
    let faults = FAULTS.iter().flat_map(|fault| {
        [Protocol::Http, Protocol::Grpc].into_iter().flat_map(move |protocol| {
            RUNTIMES.map(|runtime| Row {
                fault,
                protocol,
                load: Load { runtime, spans: SPANS, rate: RATE, end: "return" },
            })
        })
    });
    faults.filter(|row| row.name().contains(&wanted)).collect()
}

impl Row {
    fn name(&self) -> String {
        [self.fault.name, variable(self.protocol), self.load.runtime].join(", ")
    }

    fn run(&self, program: &str) -> (Run, Collector) {
        let collector = self.fault.collector();
        let run = self.load.run(program, self.protocol, &collector.endpoint, || {
            self.fault.play(&collector);
        });
        (run, collector)
    }
}

/// Does it with every item, many at once; the results are in order.
fn at_once<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(number)
                {
                    let result = work(item);
                    results.lock().expect("not poisoned").push((number, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("not poisoned");
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
