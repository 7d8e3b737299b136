//! What a span costs, side by side with those who do the same:
//!
//! ```text
//! cargo run --release -p spandrel-benches [STATE/WORK | delivered | service] [ROUNDS] [--write FOLDER]
//! ```
//!
//! Prints medians of the rounds, and in brackets the ratio to the OpenTelemetry SDK by hand, the stock
//! exporter, or the service without tracing. What is measured takes turns, so that the noise of a
//! machine falls on all alike. With a folder, `cost.md` and `cost.svg` are written there.

#![allow(clippy::cast_precision_loss, reason = "counts, all small")]

mod budgets;
mod delivered;
mod hot;
mod pace;
mod peers;
mod plot;
mod service;
mod sink;
mod table;

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::{fs, io};

use peers::emit::Emit;
use peers::fastrace::Fastrace;
use peers::hand::Hand;
use peers::ours::Ours;
use peers::tracing::Tracing;
use peers::{Peer, STATES, WORKS};
use sink::Sink;
use table::{Row, Table};

fn main() -> io::Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let write = arguments.iter().position(|argument| argument == "--write").map(|index| {
        let folder = arguments.drain(index..).nth(1);
        PathBuf::from(folder.unwrap_or_else(|| ".".to_owned()))
    });
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["sink"] => sink::serve()?,
        ["deliver", peer, protocol] => delivered::deliver(peer, protocol),
        ["service", peer, spans] if spans.parse::<u32>().is_ok_and(|spans| spans > 0) => {
            service::serve(peer, spans.parse().unwrap_or(1));
        }
        _ => {
            let only = arguments.first().copied().unwrap_or_default();
            let rounds = arguments.get(1).and_then(|rounds| rounds.parse().ok());
            return measure(only, rounds, write.as_deref());
        }
    }
    Ok(())
}

/// Everything whose name has `only` in it.
fn measure(only: &str, rounds: Option<usize>, write: Option<&Path>) -> io::Result<()> {
    let mut tables = vec![hot_path(only, rounds.unwrap_or(101))];
    let sink = Sink::start()?;
    if "delivered".contains(only) {
        tables.push(until_delivered(&sink, rounds.unwrap_or(7)));
    }
    if "service".contains(only) {
        tables.extend(a_service(&sink, rounds.unwrap_or(5)));
    }
    tables.retain(|table| !table.rows.is_empty());
    let mut page = String::new();
    for table in &tables {
        let _ = writeln!(page, "{table}");
    }
    if only.is_empty() {
        let _ = writeln!(page, "{}", budgets::table(&tables));
    }
    print!("{page}");
    let Some(folder) = write else { return Ok(()) };
    let (introduction, machine) = (include_str!("cost.md"), machine());
    fs::write(folder.join("cost.md"), format!("{introduction}{machine}\n\n{page}"))?;
    plot::write(&tables, &folder.join("cost.svg"))
        .map_err(|error| io::Error::other(error.to_string()))
}

/// Where this runs.
fn machine() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor without a name", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    format!("{model}, {cores} cores, {}.", std::env::consts::OS)
}

fn hot_path(only: &str, rounds: usize) -> Table {
    let hand = Hand::default();
    let lean = Tracing { lean: true };
    let peers: [&dyn Peer; 6] = [&Ours, &hand, &lean, &Tracing { lean: false }, &Fastrace, &Emit];
    let head = peers.iter().map(|peer| peer.name().to_owned()).collect();
    let mut table = Table::new("CPU time of the program's thread, ns a span", head, 1);
    for state in STATES {
        for work in WORKS {
            let name = format!("{state:?}/{work:?}");
            if name.contains(only) {
                let values = hot::measure(&peers, state, work, rounds);
                table.rows.push(Row { name, values });
            }
        }
    }
    table
}

fn until_delivered(sink: &Sink, rounds: usize) -> Table {
    let head = delivered::PEERS.map(str::to_owned).to_vec();
    let mut table = Table::new("CPU time of all threads until delivered, ns a span", head, 1);
    for protocol in delivered::PROTOCOLS {
        for compression in delivered::COMPRESSIONS {
            let medians = delivered::measure(sink, protocol, compression, rounds);
            let name = format!("{protocol}, {compression}");
            table.rows.push(Row { name, values: medians.map(Some).to_vec() });
        }
    }
    table
}

fn a_service(sink: &Sink, rounds: usize) -> [Table; 2] {
    let head = service::PEERS.map(str::to_owned).to_vec();
    let mut rates = Table::new("axum on one core, at saturation", head.clone(), 0);
    let mut waits = Table::new("axum, 20 000 requests a second", head, 0);
    for spans in service::SPANS {
        for rate in service::RATES {
            let seen = service::measure(sink, spans, rate, rounds);
            let row = |name: &str, of: fn(&service::Seen) -> f64| Row {
                name: format!("spans a request: {spans}; {name}"),
                values: seen.iter().map(|seen| Some(of(seen))).collect(),
            };
            let rows = [
                row("requests a second", |seen| seen.rate),
                row("p50, µs", |seen| seen.p50),
                row("p99, µs", |seen| seen.p99),
                row("spans lost", |seen| seen.lost),
            ];
            if rate.is_none() { &mut rates } else { &mut waits }.rows.extend(rows);
        }
    }
    [rates, waits]
}
