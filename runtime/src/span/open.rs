//! The spans that are open, so that a program that is told to stop loses none of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use slab::Slab;

#[cfg(feature = "app")]
use super::panic::contained;

const SHARDS: usize = 16;

static OPEN: [Mutex<Slab<Entry>>; SHARDS] = [const { Mutex::new(Slab::new()) }; SHARDS];
/// Another one in a child of `fork`: the spans of its parent are not its to end.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

#[cfg_attr(not(feature = "app"), expect(dead_code, reason = "nothing ends them"))]
struct Entry {
    context: Context,
    generation: usize,
}

/// One open span's entry; dropping it takes the span out.
#[derive(Debug)]
pub(crate) struct Open {
    shard: usize,
    index: usize,
}

pub(super) fn add(context: Context) -> Open {
    thread_local!(static SHARD: usize = shard(std::thread::current().id()));
    let shard = SHARD.with(|shard| *shard);
    let generation = GENERATION.load(Ordering::Relaxed);
    Open { shard, index: lock(shard).insert(Entry { context, generation }) }
}

/// Whether any span is open.
#[cfg(feature = "app")]
pub(crate) fn any() -> bool {
    (0..SHARDS).any(|shard| !lock(shard).is_empty())
}

/// Ends every open span, marked with `spandrel.interrupted = true`.
#[cfg(feature = "app")]
pub(crate) fn end_all() {
    let generation = GENERATION.load(Ordering::Relaxed);
    for shard in 0..SHARDS {
        let contexts: Vec<Context> = lock(shard)
            .iter()
            .filter(|(_, entry)| entry.generation == generation)
            .map(|(_, entry)| entry.context.clone())
            .collect();
        // What sees one end may panic; the others are ended all the same.
        for context in contexts {
            contained(|| interrupt(&context));
        }
    }
}

/// What is open now is left alone at the end.
#[cfg(feature = "app")]
pub(crate) fn disown_all() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn interrupt(context: &Context) {
    context.span().set_attribute(KeyValue::new("spandrel.interrupted", true));
    context.span().end();
}

impl Drop for Open {
    fn drop(&mut self) {
        let entry = lock(self.shard).try_remove(self.index);
        // Dropped here, outside of the lock: it may be the last reference to a span.
        drop(entry);
    }
}

fn lock(shard: usize) -> MutexGuard<'static, Slab<Entry>> {
    OPEN[shard].lock().unwrap_or_else(PoisonError::into_inner)
}

fn shard(thread: ThreadId) -> usize {
    use std::hash::BuildHasher;
    let hash =
        std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default().hash_one(thread);
    usize::try_from(hash % SHARDS as u64).unwrap_or_default()
}
