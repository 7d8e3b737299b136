//! Random ids, other ones in a child of `fork` than in its parent.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// The process as of the latest trace that was started.
static PROCESS: AtomicU32 = AtomicU32::new(0);

struct Generator {
    random: SmallRng,
    /// The process that it was seeded in.
    process: u32,
}

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::seeded());
}

#[derive(Debug)]
pub(crate) struct Ids;

impl IdGenerator for Ids {
    /// Asks which process this is, which takes a system call: a trace can afford it, a span not.
    fn new_trace_id(&self) -> TraceId {
        PROCESS.store(std::process::id(), Ordering::Relaxed);
        TraceId::from(Generator::with(SmallRng::random::<u128>))
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(Generator::with(SmallRng::random::<u64>))
    }
}

impl Generator {
    fn seeded() -> Self {
        Self { random: SmallRng::from_os_rng(), process: PROCESS.load(Ordering::Relaxed) }
    }

    fn with<T>(draw: impl FnOnce(&mut SmallRng) -> T) -> T {
        GENERATOR.with_borrow_mut(|generator| {
            if generator.process != PROCESS.load(Ordering::Relaxed) {
                *generator = Self::seeded();
            }
            draw(&mut generator.random)
        })
    }
}
