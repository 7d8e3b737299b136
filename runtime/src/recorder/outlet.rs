//! Where the spans of a recorder go.

use std::fmt::Debug;

use opentelemetry::trace::SpanContext;

use super::batch::Batch;

/// Takes ended spans. Their number and their bytes are reserved first, so that what waits in the buffers of all threads
/// is bounded too.
pub(crate) trait Outlet: Debug + Send + Sync {
    /// How many spans a buffer holds. One: each span is handed over as soon as it has ended, outside of all locks.
    fn spans_at_once(&self) -> usize;

    /// Whether spans that end will be taken.
    fn is_open(&self) -> bool {
        true
    }

    /// A span has started that will be taken.
    fn expect(&self, _span: &SpanContext) {}

    /// Reserves at least so many spans and bytes. For a field that is zero, it reserves nothing. Without room, the span
    /// that needs it is counted as dropped.
    fn reserve(&self, lacking: Room) -> Option<Room>;

    /// Returns room that is not used.
    fn release(&self, room: Room);

    /// A buffer that was empty has a span now.
    fn wake(&self) {}

    /// Takes spans, for which room was reserved.
    fn take(&self, batch: Batch);

    /// A buffer to fill, maybe one that was used before.
    fn buffer(&self) -> Batch {
        Batch::default()
    }
}

/// Room for ended spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) spans: usize,
    pub(crate) bytes: usize,
}
