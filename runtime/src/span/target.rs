//! A span that is told something: ours, or a provider's.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::seen_failures::SeenFailures;
use crate::recorder::{KnownSpan, SlotRef, nanos};

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

impl<'a> Target<'a> {
    /// The span of this context.
    pub(super) fn of(context: &'a Context) -> Self {
        match KnownSpan::of(context) {
            Some(known) => Self::Slot(known.slot),
            None => Self::Provided { context, outer: None },
        }
    }

    pub(super) fn set_attribute(self, attribute: KeyValue) {
        match self {
            Self::Slot(slot) => slot.set_attribute(&attribute),
            Self::Provided { context, .. } => context.span().set_attribute(attribute),
        }
    }

    pub(super) fn add_event(self, name: Cow<'static, str>, attributes: Vec<KeyValue>) {
        match self {
            Self::Slot(slot) => slot.add_event(&name, None, &attributes),
            Self::Provided { context, .. } => context.span().add_event(name, attributes),
        }
    }

    pub(super) fn add_link(self, to: SpanContext) {
        match self {
            Self::Slot(slot) => slot.add_link(&to, &[]),
            Self::Provided { context, .. } => context.span().add_link(to, Vec::new()),
        }
    }

    pub(super) fn set_status(self, status: Status) {
        match self {
            Self::Slot(slot) => slot.set_status(status),
            Self::Provided { context, .. } => context.span().set_status(status),
        }
    }

    pub(super) fn rename(self, name: Cow<'static, str>) {
        match self {
            Self::Slot(slot) => drop(slot.with(|span| span.rename(&name))),
            Self::Provided { context, .. } => context.span().update_name(name),
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
