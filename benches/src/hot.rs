//! The hot path: what the program's own thread spends.

use std::time::Duration;

use cpu_time::ThreadTime;

use crate::peers::{Peer, State, Work};

const SPANS: u32 = 4_000;

/// The median for each, in nanoseconds of CPU time a span; `None` for whom it is nothing.
pub(crate) fn measure(
    peers: &[&dyn Peer],
    state: State,
    work: Work,
    rounds: usize,
) -> Vec<Option<f64>> {
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
    for _ in 0..rounds {
        for (peer, times) in peers.iter().zip(&mut all) {
            times.extend(once(*peer, state, work));
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    };
    all.into_iter().map(median).collect()
}

fn once(peer: &dyn Peer, state: State, work: Work) -> Option<f64> {
    let _up = peer.up(state)?;
    let times = SPANS / work.spans();
    // Warm.
    for _ in 0..times / 10 {
        if !peer.work(work) {
            return None;
        }
    }
    let begun = ThreadTime::now();
    for _ in 0..times {
        peer.work(work);
    }
    Some(nanos(begun.elapsed()) / f64::from(times * work.spans()))
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}
