//! How the body of a span ended, and what is said of it on the span.

use std::time::SystemTime;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};

use super::exception;
use super::panic::Panic;
use super::seen::SeenFailures;
use crate::outcome::Failure;
use crate::recorder::{Place, nanos};

/// How a body ended.
#[derive(Clone, Copy)]
pub(super) enum Ending<'a> {
    /// With a value, that may be a failure.
    Value(Option<&'a Failure>),
    Panic(&'a Panic),
    /// It was dropped before it was done.
    Cancelled,
}

impl<'a> Ending<'a> {
    /// This ending, or what was seen leaving the body where it says nothing.
    pub(super) fn or(&self, seen: Option<&'a Failure>) -> Self {
        if let Self::Value(None) = self { Self::Value(seen) } else { *self }
    }

    /// Says so on the span.
    pub(super) fn mark(&self, span: Target<'_>) {
        match self {
            Self::Value(None) => {}
            Self::Value(Some(failure)) => exception::record(span, failure),
            Self::Panic(panic) => exception::record_panic(span, panic),
            Self::Cancelled => span.set_attribute(KeyValue::new("spandrel.cancelled", true)),
        }
    }
}

/// A span that is open.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// In a slot of ours.
    Slot(Place),
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
            Self::Slot(place) => {
                let KeyValue { key, value, .. } = &attribute;
                place.with(|span| span.set_attribute(key.as_str(), value.into()));
            }
            Self::Provided { context, .. } => context.span().set_attribute(attribute),
        }
    }

    /// Ends the span: now, or at this time.
    #[inline]
    pub(super) fn end(self, at: Option<SystemTime>) {
        match (self, at) {
            (Self::Slot(place), at) => place.end(at.map(nanos)),
            (Self::Provided { context, .. }, Some(at)) => context.span().end_with_timestamp(at),
            (Self::Provided { context, .. }, None) => context.span().end(),
        }
    }
}
