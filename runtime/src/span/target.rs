//! A span that is told something: ours, or a provider's.

use std::time::SystemTime;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};

use super::seen_failures::SeenFailures;
use crate::recorder::{SlotRef, nanos};

/// A span that is open.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// In a slot of ours.
    Slot(SlotRef),
    /// A provider's.
    Provided {
        context: &'a Context,
        /// What the span that it was started in remembers, if that is a provider's too.
        outer: Option<&'a SeenFailures>,
    },
}

impl Target<'_> {
    pub(super) fn set_attribute(self, attribute: KeyValue) {
        match self {
            Self::Slot(slot) => slot.set_attribute(&attribute),
            Self::Provided { context, .. } => context.span().set_attribute(attribute),
        }
    }

    /// Ends the span: now, or at this time.
    #[inline]
    pub(super) fn end(self, at: Option<SystemTime>) {
        match (self, at) {
            (Self::Slot(slot), at) => slot.end(at.map(nanos)),
            (Self::Provided { context, .. }, Some(at)) => context.span().end_with_timestamp(at),
            (Self::Provided { context, .. }, None) => context.span().end(),
        }
    }
}
