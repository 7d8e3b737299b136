//! The failures of the spans under a provider's span, so that an error that passes several spans is one exception.
//! Spans in slots have their own list.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use opentelemetry::Context;

use crate::encoding::hash;

/// How many failures a span remembers: the latest ones.
const MOST: usize = 8;

/// A value in the context of a provider's span: the spans under it find it in their own contexts, whoever started the
/// spans between. It has no lock, which a child of `fork` could inherit locked.
#[derive(Clone, Debug, Default)]
pub(super) struct SeenFailures(Arc<Ring>);

/// Hashes of messages. Zero is none.
#[derive(Debug, Default)]
struct Ring {
    hashes: [AtomicU64; MOST],
    count: AtomicUsize,
}

impl SeenFailures {
    /// Those of the innermost span of ours in this context.
    pub(super) fn of(context: &Context) -> Option<&Self> {
        context.get::<Self>()
    }

    pub(super) fn insert(&self, message: &str) {
        if !self.contains(message) {
            let index = self.0.count.fetch_add(1, Ordering::Relaxed) % MOST;
            self.0.hashes[index].store(hash(message), Ordering::Relaxed);
        }
    }

    pub(super) fn contains(&self, message: &str) -> bool {
        let hash = hash(message);
        self.0.hashes.iter().any(|seen| seen.load(Ordering::Relaxed) == hash)
    }
}
