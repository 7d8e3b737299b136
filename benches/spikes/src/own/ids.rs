//! Random ids, from a generator a thread.

use std::cell::RefCell;

use opentelemetry::trace::{SpanId, TraceId};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

thread_local!(static RANDOM: RefCell<SmallRng> = RefCell::new(SmallRng::from_os_rng()));

pub(crate) fn trace() -> TraceId {
    TraceId::from(RANDOM.with_borrow_mut(SmallRng::random::<u128>))
}

pub(crate) fn span() -> SpanId {
    SpanId::from(RANDOM.with_borrow_mut(SmallRng::random::<u64>))
}
