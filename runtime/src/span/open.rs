//! The spans that are open, so that a program that is told to stop loses none of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use slab::Slab;

const SHARDS: usize = 16;

static OPEN: [Mutex<Slab<Context>>; SHARDS] = [const { Mutex::new(Slab::new()) }; SHARDS];

/// One open span's entry; dropping it takes the span out.
#[derive(Debug)]
pub(crate) struct Open {
    shard: usize,
    index: usize,
}

pub(super) fn add(context: Context) -> Open {
    thread_local!(static SHARD: usize = shard(std::thread::current().id()));
    let shard = SHARD.with(|shard| *shard);
    Open { shard, index: lock(shard).insert(context) }
}

/// Ends every open span, marked with `spandrel.interrupted = true`.
#[cfg(feature = "app")]
pub(crate) fn end_all() {
    for shard in 0..SHARDS {
        let contexts: Vec<Context> =
            lock(shard).iter().map(|(_, context)| context.clone()).collect();
        contexts.iter().for_each(interrupt);
    }
}

pub(super) fn interrupt(context: &Context) {
    context.span().set_attribute(KeyValue::new("spandrel.interrupted", true));
    context.span().end();
}

impl Drop for Open {
    fn drop(&mut self) {
        let context = lock(self.shard).try_remove(self.index);
        // Dropped here, outside of the lock: it may be the last reference to a span.
        drop(context);
    }
}

fn lock(shard: usize) -> MutexGuard<'static, Slab<Context>> {
    OPEN[shard].lock().unwrap_or_else(PoisonError::into_inner)
}

fn shard(thread: ThreadId) -> usize {
    use std::hash::BuildHasher;
    let hash =
        std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default().hash_one(thread);
    usize::try_from(hash % SHARDS as u64).unwrap_or_default()
}
