//! How fast spans are made for who delivers them.

use std::time::{Duration, Instant};

/// Slow enough that nobody drops anything: some forty thousand spans a second.
pub(crate) fn paced(traces: u32, tree: impl Fn()) {
    let begun = Instant::now();
    for number in 0..traces {
        tree();
        if number % 40 == 0 {
            let due = Duration::from_micros(270) * number;
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
    }
}
