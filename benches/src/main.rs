//! What a span costs, side by side with those who do the same:
//!
//! ```text
//! cargo run --release -p spandrel-benches [WHAT] [ROUNDS] [--write FOLDER]
//! ```
//!
//! `WHAT` is a part of the name of a row (`STATE/WORK`), `sizes`, `kept`, `exporting`, `delivered` or
//! `service`.
//! Without it everything is measured, and the budgets are printed too. Prints medians of the rounds, and in
//! brackets the ratio to the table's reference. The peers take turns, so that the noise of a machine
//! falls on all alike. With a folder, `cost.md` and `cost.svg` are written there. `cost.md` begins with
//! `src/cost.md`, which explains the tables.

#![allow(clippy::cast_precision_loss, reason = "counts, all small")]

mod budgets;
mod compiled;
mod counted;
mod delivered;
mod exporting;
mod hot;
mod kept;
mod pace;
mod peers;
mod plot;
mod service;
mod sink;
mod sizes;
mod table;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use peers::emit::Emit;
use peers::fastrace::Fastrace;
use peers::hand::Hand;
use peers::ours::Ours;
use peers::plain::Plain;
use peers::tracing::Tracing;
use peers::{Peer, STATES, State, WORKS, Work};
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
        ["exporting", peer, "serve"] => exporting::serve(peer),
        ["disabled", work, rounds] => print_disabled(work, rounds.parse().unwrap_or(1)),
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

/// The rows whose names have `only` in them, and what begins with it.
fn measure(only: &str, rounds: Option<usize>, write: Option<&Path>) -> io::Result<()> {
    let mut tables = Vec::new();
    if "sizes".starts_with(only) {
        tables.push(sizes::measure());
    }
    tables.push(hot_path(only, rounds.unwrap_or(101)));
    if "kept".starts_with(only) {
        tables.push(kept::measure(rounds.unwrap_or(102)));
    }
    if "exporting".starts_with(only) {
        tables.extend(exporting::measure(&Sink::start()?, rounds.unwrap_or(102)));
    }
    if "delivered".starts_with(only) {
        tables.push(until_delivered(&Sink::start()?, rounds.unwrap_or(7)));
    }
    if "service".starts_with(only) {
        tables.extend(a_service(&Sink::start()?, rounds.unwrap_or(5)));
    }
    tables.retain(|table| !table.rows.is_empty());
    if tables.is_empty() {
        return Err(io::Error::other(format!(
            "nothing has `{only}` in its name: a row, `sizes`, `kept`, `exporting`, `delivered` or `service`"
        )));
    }
    let page = page(&tables, only.is_empty());
    print!("{page}");
    let Some(folder) = write else { return Ok(()) };
    let (introduction, machine) = (include_str!("cost.md"), machine());
    fs::write(folder.join("cost.md"), format!("{introduction}{machine}\n\n{page}"))?;
    plot::write(&tables, &folder.join("cost.svg"))
        .map_err(|error| io::Error::other(error.to_string()))
}

/// The tables; and if these are all that there are, the budgets and what compiling costs.
fn page(tables: &[Table], complete: bool) -> String {
    let mut page: Vec<_> = tables.iter().map(Table::to_string).collect();
    if complete {
        let compiled = compiled::markdown();
        let numbers: Option<Table> = compiled.as_deref().map(compiled::table);
        page.push(budgets::table(tables.iter().chain(&numbers)));
        page.extend(compiled);
    }
    page.join("\n")
}

/// Where this runs.
fn machine() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor without a name", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    format!("{model}, {cores} cores, {}, {}.", std::env::consts::OS, budgets::clock())
}

fn hot_path(only: &str, rounds: usize) -> Table {
    let (hand, lean, tracing) = (Hand::default(), Tracing::new(true), Tracing::new(false));
    let peers: [&dyn Peer; 7] = [&Ours, &hand, &lean, &tracing, &Fastrace, &Emit, &Plain];
    let head = peers.iter().map(|peer| peer.name().to_owned()).collect();
    let mut table = Table::new("CPU time of the program's thread, ns a span", head, 1);
    for state in STATES {
        for work in WORKS {
            let name = format!("{state:?}/{work:?}");
            if name.contains(only) {
                let values = if state == State::Disabled {
                    let mut values = vec![None; peers.len()];
                    values[0] = disabled_elsewhere(work, rounds);
                    values
                } else {
                    hot::measure(&peers, state, work, rounds)
                };
                table.rows.push(Row { name, values });
            }
        }
    }
    table
}

/// Ours, in a process where tracing is disabled.
fn disabled_elsewhere(work: Work, rounds: usize) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new(program)
        .args(["disabled", &format!("{work:?}"), &rounds.to_string()])
        .env("ENABLE_TRACING", "false")
        .output()
        .ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

fn print_disabled(work: &str, rounds: usize) {
    let values =
        Work::named(work).map(|work| hot::measure(&[&Ours], State::Disabled, work, rounds));
    if let Some([Some(value)]) = values.as_deref() {
        println!("{value}");
    }
}

fn until_delivered(sink: &Sink, rounds: usize) -> Table {
    let head = delivered::PEERS.map(str::to_owned).to_vec();
    let mut table = Table::new("CPU time of all threads until delivered, ns a span", head, 1);
    for protocol in delivered::PROTOCOLS {
        for compression in delivered::COMPRESSIONS {
            let medians = delivered::measure(sink, protocol, compression, rounds);
            let name = format!("{protocol}, {compression}");
            table.rows.push(Row { name, values: medians });
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
            let load = rate.map_or("saturated".to_owned(), |rate| format!("{rate} a second"));
            let row = |name: &str, of: fn(&service::Seen) -> f64| Row {
                name: format!("{load}, spans a request: {spans}; {name}"),
                values: seen.iter().map(|seen| Some(of(seen))).collect(),
            };
            let rows = [
                row("requests a second", |seen| seen.rate),
                row("p50, µs", |seen| seen.p50),
                row("p99, µs", |seen| seen.p99),
                row("the service's thread, µs a request", |seen| seen.work),
                row("spans lost", |seen| seen.lost),
            ];
            if rate.is_none() { &mut rates } else { &mut waits }.rows.extend(rows);
        }
    }
    [rates, waits]
}
