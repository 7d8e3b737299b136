//! The hot path: what the program's own thread spends.

use std::time::Duration;

use cpu_time::ThreadTime;

use crate::peers::{Peer, State, Work};

const SPANS: u32 = 4_000;
const THREADS: u32 = 8;

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
    all.into_iter().map(|times| (!times.is_empty()).then(|| median(times))).collect()
}

fn once(peer: &dyn Peer, state: State, work: Work) -> Option<f64> {
    let _up = peer.up(state)?;
    let times = SPANS / work.spans();
    if work != Work::Threads8 {
        return Some(nanos(again_and_again(peer, work, times)?) / f64::from(times * work.spans()));
    }
    let elsewhere = peer.up_elsewhere();
    let spent = std::thread::scope(|scope| {
        let one = || {
            let _up = elsewhere();
            again_and_again(peer, work, times)
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(one)).collect();
        let spent = threads.into_iter().map(|thread| thread.join().ok().flatten());
        spent.sum::<Option<Duration>>()
    })?;
    Some(nanos(spent) / f64::from(THREADS * times * work.spans()))
}

/// What this thread spends on it.
fn again_and_again(peer: &dyn Peer, work: Work, times: u32) -> Option<Duration> {
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
    Some(begun.elapsed())
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
