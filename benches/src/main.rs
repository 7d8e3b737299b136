//! What a span costs the thread that records it, side by side with those who do the same:
//!
//! ```text
//! cargo run --release -p spandrel-benches [STATE/WORK | delivered] [ROUNDS]
//! ```
//!
//! Prints nanoseconds of CPU time a span, the median of the rounds, and in brackets the ratio to the
//! OpenTelemetry SDK by hand. What is measured takes turns, so that the noise of a machine falls on
//! all alike.

mod delivered;
mod hot;
mod peers;
mod sink;

use peers::emit::Emit;
use peers::fastrace::Fastrace;
use peers::hand::Hand;
use peers::ours::Ours;
use peers::tracing::Tracing;
use peers::{Peer, STATES, WORKS};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["sink"] => sink::serve().expect("it listens"),
        ["deliver", peer, protocol] => delivered::deliver(peer, protocol),
        _ => {
            let only = arguments.first().copied().unwrap_or_default();
            let rounds = arguments.get(1).and_then(|rounds| rounds.parse().ok());
            if only != DELIVERED {
                hot_path(only, rounds.unwrap_or(25));
            }
            if DELIVERED.contains(only) {
                until_delivered(rounds.unwrap_or(7));
            }
        }
    }
}

const DELIVERED: &str = "delivered";

fn until_delivered(rounds: usize) {
    let sink = sink::Sink::start().expect("it starts");
    println!("\n| delivered by | compression | spandrel | stock |");
    println!("| --- | --- | --: | --: |");
    for protocol in delivered::PROTOCOLS {
        for compression in delivered::COMPRESSIONS {
            let [ours, stock] = delivered::measure(&sink, protocol, compression, rounds);
            let cells = [ours, stock].map(|nanos| cell(Some(nanos), Some(stock)));
            println!("| {protocol} | {compression} | {} |", cells.join(" | "));
        }
    }
}

fn hot_path(only: &str, rounds: usize) {
    let hand = Hand::default();
    let lean = Tracing { lean: true };
    let peers: [&dyn Peer; 6] = [&Ours, &hand, &lean, &Tracing { lean: false }, &Fastrace, &Emit];
    let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
    println!("| state | work | {} |", names.join(" | "));
    println!("| --- | --- |{}", " --: |".repeat(peers.len()));
    for state in STATES {
        for work in WORKS {
            if format!("{state:?}/{work:?}").contains(only) {
                let medians = hot::measure(&peers, state, work, rounds);
                let reference = medians[1];
                let cells: Vec<String> =
                    medians.iter().map(|median| cell(*median, reference)).collect();
                println!("| {state:?} | {work:?} | {} |", cells.join(" | "));
            }
        }
    }
}

fn cell(nanos: Option<f64>, reference: Option<f64>) -> String {
    match (nanos, reference) {
        (Some(nanos), Some(reference)) => format!("{nanos:.1} ({:.2})", nanos / reference),
        (Some(nanos), None) => format!("{nanos:.1}"),
        (None, _) => String::new(),
    }
}
