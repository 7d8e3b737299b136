//! What a span costs the thread that records it, side by side with those who do the same:
//!
//! ```text
//! cargo run --release -p spandrel-benches [STATE/WORK] [ROUNDS]
//! ```
//!
//! Prints nanoseconds of CPU time a span, the median of the rounds, and in brackets the ratio to the
//! OpenTelemetry SDK by hand. What is measured takes turns, so that the noise of a machine falls on
//! all alike.

mod hot;
mod peers;

use peers::emit::Emit;
use peers::fastrace::Fastrace;
use peers::hand::Hand;
use peers::ours::Ours;
use peers::tracing::Tracing;
use peers::{Peer, STATES, WORKS};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let only = arguments.next().unwrap_or_default();
    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(25);
    let hand = Hand::default();
    let lean = Tracing { lean: true };
    let peers: [&dyn Peer; 6] = [&Ours, &hand, &lean, &Tracing { lean: false }, &Fastrace, &Emit];
    let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
    println!("| state | work | {} |", names.join(" | "));
    println!("| --- | --- |{}", " --: |".repeat(peers.len()));
    for state in STATES {
        for work in WORKS {
            if format!("{state:?}/{work:?}").contains(&only) {
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
