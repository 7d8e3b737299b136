//! What a thread, and a context, know of a span.

use opentelemetry::trace::SpanId;

use super::clock::Anchor;
use super::local::Place;

/// Where a span is, and what its trace goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(super) id: SpanId,
    pub(crate) place: Place,
    pub(super) anchor: Anchor,
}

impl Known {
    /// This moment by the clock of the span's trace, in nanoseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.anchor.now()
    }
}
