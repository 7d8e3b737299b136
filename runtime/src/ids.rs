//! Random ids, other ones in a child of `fork` than in its parent.

use std::cell::RefCell;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::fork::Fork;

struct Generator {
    random: SmallRng,
    fork: Fork,
}

thread_local! {
    static GENERATOR: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

/// Whoever starts a span in a child of `fork` comes by here first, and calls this.
#[derive(Debug)]
pub(crate) struct Ids {
    pub(crate) after_fork: fn(),
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(self.draw(SmallRng::random::<u128>))
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(self.draw(SmallRng::random::<u64>))
    }
}

impl Ids {
    fn draw<T>(&self, draw: impl FnOnce(&mut SmallRng) -> T) -> T {
        let mut new = false;
        let drawn = GENERATOR.with_borrow_mut(|generator| {
            if generator.as_mut().is_some_and(|generator| generator.fork.happened()) {
                *generator = None;
            }
            let generator = generator.get_or_insert_with(|| {
                new = true;
                Generator::seeded()
            });
            draw(&mut generator.random)
        });
        if new {
            (self.after_fork)();
        }
        drawn
    }
}

impl Generator {
    fn seeded() -> Self {
        Self { random: SmallRng::from_os_rng(), fork: Fork::watch() }
    }
}
