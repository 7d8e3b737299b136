//! What a span costs, side by side with those who do the same:
//!
//! ```text
//! cargo run --release -p spandrel-benches
//! ```

mod hot;
mod peers;

use peers::hand::Hand;
use peers::ours::Ours;
use peers::tracing::Tracing;
use peers::{Peer, STATES, WORKS};

fn main() {
    let hand = Hand::default();
    let mut peers: Vec<&dyn Peer> =
        vec![&Ours, &hand, &Tracing { lean: true }, &Tracing { lean: false }];
    if let Ok(one) = std::env::var("PEER") {
        peers.retain(|p| p.name() == one);
    }
    let only = std::env::args().nth(1);
    let rounds = std::env::args().nth(2).and_then(|r| r.parse().ok()).unwrap_or(15);
    for state in STATES {
        for work in WORKS {
            if only.as_deref().is_some_and(|only| !format!("{state:?}/{work:?}").contains(only)) {
                continue;
            }
            let medians = hot::measure(&peers, state, work, rounds);
            println!("{state:?} {work:?} {medians:?}");
        }
    }
}
