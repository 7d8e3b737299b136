//! What a thread, and a context, know of a span.

use opentelemetry::trace::SpanId;

use super::clock::Anchor;
use super::local::SlotRef;

/// Where a span is, and what its trace goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownSpan {
    pub(super) id: SpanId,
    pub(crate) slot: SlotRef,
    pub(super) anchor: Anchor,
}

impl KnownSpan {
    /// This moment by the clock of the span's trace, in nanoseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.anchor.now()
    }
}
