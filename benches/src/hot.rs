//! The hot path: what the program's own thread spends.

use std::sync::Barrier;
use std::time::Duration;

use cpu_time::ThreadTime;

use crate::peers::{Peer, State, Work};

/// As many as are made before they are waited for: less than a queue of the default size holds.
const SPANS: u32 = 1_600;
/// Poll10 is most of what `fastrace` has room for.
const MOST_POLLED: u32 = 600;
const THREADS: u32 = 8;
/// How often eight threads do their work, each; for them the queues are larger.
const TIMES_OF_THREADS: u32 = 160;
const QUEUE: usize = 2_048;
const QUEUE_OF_THREADS: usize = 16_384;

/// The median for each, in nanoseconds of CPU time a span; `None` for whom it is nothing.
pub(crate) fn measure(
    peers: &[&dyn Peer],
    state: State,
    work: Work,
    rounds: usize,
) -> Vec<Option<f64>> {
    let set_up: Vec<_> = peers.iter().map(|peer| peer.set_up(state, queue(work))).collect();
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
    for index in turns(rounds, peers.len()) {
        if set_up[index].is_some() {
            all[index].extend(sample(peers[index], state, work));
        }
    }
    medians(all)
}

/// How long a queue is, which holds all spans of a sample.
pub(crate) fn queue(work: Work) -> usize {
    if work == Work::Threads8 { QUEUE_OF_THREADS } else { QUEUE }
}

/// Whose turn it is: everybody's once a round, and nobody is always the first.
pub(crate) fn turns(rounds: usize, peers: usize) -> impl Iterator<Item = usize> {
    (0..rounds).flat_map(move |round| (0..peers).map(move |turn| (round + turn) % peers))
}

/// Of each peer's values; `None` for whom there are none.
pub(crate) fn medians(all: Vec<Vec<f64>>) -> Vec<Option<f64>> {
    all.into_iter().map(|values| (!values.is_empty()).then(|| median(values))).collect()
}

/// Nanoseconds of CPU time a span; `None` where the peer cannot do the work.
pub(crate) fn sample(peer: &dyn Peer, state: State, work: Work) -> Option<f64> {
    let times = times(state, work);
    let warm = times / 10;
    let before = peer.exported();
    let spent = recording(peer, work, warm, times)?;
    // What is lost on the way costs something else.
    if let (State::Sampled, Some(before), Some(after)) = (state, before, peer.exported()) {
        let made = u64::from(spans(work, warm + times));
        assert_eq!(after - before, made, "{}, {work:?}", peer.name());
    }
    Some(spent.as_secs_f64() * 1e9 / f64::from(spans(work, times)))
}

/// How many spans there are, once each thread has done the work so often.
pub(crate) fn spans(work: Work, times: u32) -> u32 {
    threads(work) * times * work.spans()
}

fn threads(work: Work) -> u32 {
    if work == Work::Threads8 { THREADS } else { 1 }
}

/// The CPU time of the threads that do the work so often, each, when they have done it `warm` times
/// before; `None` where the peer cannot.
pub(crate) fn recording(peer: &dyn Peer, work: Work, warm: u32, times: u32) -> Option<Duration> {
    let threads = threads(work);
    let start = Barrier::new(threads as usize);
    let one = || {
        let _entered = peer.enter();
        let works = peer.repeat(work, warm);
        start.wait();
        let begun = ThreadTime::now();
        (works && peer.repeat(work, times)).then(|| begun.elapsed())
    };
    if threads == 1 {
        return one();
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().ok().flatten()).sum()
    })
}

/// How often the work is done.
fn times(state: State, work: Work) -> u32 {
    let times = match work {
        Work::Threads8 => return TIMES_OF_THREADS,
        Work::Poll10 => MOST_POLLED,
        _ => SPANS / work.spans(),
    };
    match state {
        State::NotInstalled | State::Disabled => 100 * times,
        State::Unsampled => 10 * times,
        State::KeptOnError | State::Sampled => times,
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
