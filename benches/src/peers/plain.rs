//! The same functions without annotations.

use std::hint::black_box;

use super::{Failed, Peer, SetUp, State, Work, block_on, by_functions, polled};

pub(crate) struct Plain;

impl Peer for Plain {
    fn name(&self) -> &'static str {
        "not annotated"
    }

    fn set_up(&self, state: State, _queue: usize) -> Option<SetUp> {
        (state == State::NotInstalled).then(|| Box::new(()) as SetUp)
    }

    fn work(&self, work: Work) -> bool {
        by_functions!(work);
        true
    }
}

fn tree() {
    for number in 0..10 {
        child(black_box(number), black_box("child"));
    }
}

#[inline(never)]
fn child(number: i64, text: &str) {
    black_box((number, text));
}

fn deep(left: u32) {
    if left > 1 {
        deep(left - 1);
    }
    black_box(left);
}

async fn polls(times: u32) {
    polled(times).await;
}

fn twenty(n: i64) {
    black_box(n);
}

fn fails(yes: bool) -> Result<u32, Failed> {
    if yes { Err(Failed) } else { Ok(7) }
}
