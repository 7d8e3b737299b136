//! Spandrel.

use std::hint::black_box;
use std::time::Duration;

use spandrel::{Config, span};

use super::{Failed, Nowhere, Peer, SetUp, State, Work, block_on, by_functions, polled};

pub(crate) struct Ours;

impl Peer for Ours {
    fn name(&self) -> &'static str {
        "spandrel"
    }

    /// Disabled it is by the environment.
    fn set_up(&self, state: State, queue: usize) -> Option<SetUp> {
        let config = Config::new("benches").exporter(Nowhere::default()).batch_queue(queue);
        let config = match state {
            State::NotInstalled => return Some(Box::new(())),
            State::Unsampled => config.sample(0.0),
            State::KeptOnError => config.sample(0.0).keep_errors(),
            State::Disabled | State::Sampled => config,
        };
        Some(Box::new(spandrel::install(config)))
    }

    fn work(&self, work: Work) -> bool {
        by_functions!(work);
        true
    }

    fn exported(&self) -> Option<u64> {
        spandrel::flush(Duration::from_secs(10));
        Some(spandrel::stats().exported)
    }
}

/// A request with so many spans.
#[span("request", kind(server), http.route = "/")]
pub(crate) async fn request(spans: u32) -> &'static str {
    for number in 1..spans.into() {
        step(number).await;
    }
    "ok"
}

#[span("step", number = number)]
async fn step(number: i64) {
    black_box(number);
}

#[span("root", number = 0, text = "root")]
pub(crate) fn tree() {
    for number in 0..10 {
        child(black_box(number), black_box("child"));
    }
}

#[span("child", number = number, text = text)]
fn child(number: i64, text: &str) {
    black_box((number, text));
}

#[span("deep")]
fn deep(left: u32) {
    if left > 1 {
        deep(left - 1);
    }
    black_box(left);
}

#[span("polls")]
async fn polls(times: u32) {
    polled(times).await;
}

#[span(
    "twenty",
    a = n, b = n, c = n, d = n, e = n, f = n, g = n, h = n, i = n, j = n,
    k = n, l = n, m = n, o = n, p = n, q = n, r = n, s = n, t = n, u = n,
)]
fn twenty(n: i64) {
    black_box(n);
}

#[span("fails")]
fn fails(yes: bool) -> Result<u32, Failed> {
    if yes { Err(Failed) } else { Ok(7) }
}
