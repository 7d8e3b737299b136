//! The room for spans in a queue: how many spans may wait, and how many bytes may wait or be in flight.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::losses::Full;
use crate::recorder::Room;

/// How much room a thread reserves at once, where there is enough.
const SPANS_RESERVED: usize = 64;
const BYTES_RESERVED: usize = 16 << 10;

/// The room that is left.
#[derive(Debug)]
pub(super) struct FreeRoom {
    spans: AtomicUsize,
    bytes: AtomicUsize,
}

impl FreeRoom {
    pub(super) fn new(spans: usize, bytes: usize) -> Self {
        Self { spans: AtomicUsize::new(spans), bytes: AtomicUsize::new(bytes) }
    }

    /// How many more spans may wait.
    pub(super) fn spans(&self) -> usize {
        self.spans.load(Ordering::Relaxed)
    }

    /// Room for a span that lacks it, and for some that may follow; or which limit is reached.
    pub(super) fn take(&self, lacking: Room) -> Result<Room, Full> {
        let spans = take(&self.spans, lacking.spans, SPANS_RESERVED).ok_or(Full::Spans)?;
        let Some(bytes) = take(&self.bytes, lacking.bytes, BYTES_RESERVED) else {
            self.release(Room { spans, bytes: 0 });
            return Err(Full::Bytes);
        };
        Ok(Room { spans, bytes })
    }

    pub(super) fn release(&self, room: Room) {
        self.spans.fetch_add(room.spans, Ordering::Relaxed);
        self.bytes.fetch_add(room.bytes, Ordering::Relaxed);
    }
}

/// Takes as much as a few spans need, or a share of what is left; at least so much. Nothing, if nothing is lacking.
fn take(free: &AtomicUsize, least: usize, wanted: usize) -> Option<usize> {
    /// How many threads there are at least whose shares leave something for another one.
    const SHARES: usize = 32;

    if least == 0 {
        return Some(0);
    }
    let share = |free: usize| wanted.min(free / SHARES).max(least);
    let before = free
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(share(free)));
    before.ok().map(share)
}
