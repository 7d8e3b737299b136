//! `emit`, whose spans are events.

use std::hint::black_box;
use std::sync::Once;

use super::{Failed, Peer, SetUp, State, Work, block_on, by_functions, polled};

pub(crate) struct Emit;

impl Peer for Emit {
    fn name(&self) -> &'static str {
        "emit"
    }

    fn set_up(&self, state: State, _queue: usize) -> Option<SetUp> {
        static SETUP: Once = Once::new();
        if state != State::Sampled {
            return None;
        }
        SETUP.call_once(|| {
            let _ = emit::setup()
                .emit_to(emit::emitter::from_fn(|event| {
                    black_box(event);
                }))
                .init();
        });
        Some(Box::new(()))
    }

    fn work(&self, work: Work) -> bool {
        by_functions!(work);
        true
    }
}

#[emit::span("root", number: 0, text: "root")]
pub(crate) fn tree() {
    for number in 0..10 {
        child(black_box(number), black_box("child"));
    }
}

#[emit::span("child", number, text)]
fn child(number: i64, text: &str) {
    black_box((number, text));
}

#[emit::span("deep")]
fn deep(left: u32) {
    if left > 1 {
        deep(left - 1);
    }
    black_box(left);
}

#[emit::span("polls")]
async fn polls(times: u32) {
    polled(times).await;
}

#[emit::span(
    "twenty",
    a: n, b: n, c: n, d: n, e: n, f: n, g: n, h: n, i: n, j: n,
    k: n, l: n, m: n, o: n, p: n, q: n, r: n, s: n, t: n, u: n,
)]
fn twenty(n: i64) {
    black_box(n);
}

#[emit::span(ok_lvl: emit::Level::Info, "fails")]
fn fails(yes: bool) -> Result<u32, Failed> {
    if yes { Err(Failed) } else { Ok(7) }
}
