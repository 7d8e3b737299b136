//! How low a recorder of our own can go, step by step, beside the SDK and today's `#[span]`:
//!
//! ```text
//! cargo run --release -p spandrel-spikes [hot | parts | delivered | drift] [ROUNDS]
//! ```
//!
//! What comes of it is in `docs/recorder.md`. Prints nanoseconds of CPU time a span, the median of the
//! rounds, and in brackets the ratio to the OpenTelemetry SDK by hand.

mod delivered;
#[path = "../../src/hot.rs"]
mod hot;
mod own;
#[path = "../../src/pace.rs"]
mod pace;
mod parts;
#[path = "../../src/peers/mod.rs"]
#[expect(dead_code, reason = "the benches have more states and peers")]
mod peers;
mod sdk;
#[path = "../../src/sink.rs"]
mod sink;
#[cfg(test)]
mod tests;

use std::time::Duration;

use own::dressed::Dressed;
use own::steps;
use peers::fastrace::Fastrace;
use peers::hand::Hand;
use peers::ours::Ours;
use peers::tracing::Tracing;
use peers::{Peer, State, Work};
use sdk::Discarded;

const WORKS: [Work; 5] = [Work::Tree, Work::Depth50, Work::Poll1, Work::Poll10, Work::Attributes20];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["sink"] => sink::serve().expect("it listens"),
        ["deliver", by, endpoint] => delivered::deliver(by, endpoint),
        ["drift", ..] => drift(arguments.get(1).and_then(|rounds| rounds.parse().ok())),
        _ => {
            let only = arguments.first().copied().unwrap_or_default();
            let rounds = arguments.get(1).and_then(|rounds| rounds.parse().ok());
            if "hot".contains(only) {
                hot_path(rounds.unwrap_or(51));
            }
            if "parts".contains(only) {
                parts::print(rounds.unwrap_or(51));
            }
            if "delivered".contains(only) {
                delivered::print(rounds.unwrap_or(7));
            }
        }
    }
}

fn hot_path(rounds: usize) {
    let (hand, discarded) = (Hand::default(), Discarded::default());
    let lean = Tracing::new(true);
    let mut peers: Vec<&dyn Peer> = vec![&hand, &discarded, &Ours, &lean, &Fastrace];
    peers.extend(steps::ALL);
    peers.push(&Dressed);
    let columns = WORKS.map(|work| hot::measure(&peers, State::Sampled, work, rounds));
    println!("| | {} |", WORKS.map(|work| format!("{work:?}")).join(" | "));
    println!("| --- |{}", " --: |".repeat(WORKS.len()));
    for (row, peer) in peers.iter().enumerate() {
        let cells = columns.each_ref().map(|column| cell(column[row], column[0]));
        println!("| {} | {} |", peer.name(), cells.join(" | "));
    }
}

/// By a second.
fn drift(seconds: Option<u32>) {
    println!("| seconds | the counter before the system's clock, ns |\n| --: | --: |");
    for second in 0..=seconds.unwrap_or(10) {
        println!("| {second} | {} |", own::clock::drift());
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn cell(nanos: Option<f64>, reference: Option<f64>) -> String {
    match (nanos, reference) {
        (Some(nanos), Some(reference)) => format!("{nanos:.0} ({:.2})", nanos / reference),
        _ => String::new(),
    }
}
