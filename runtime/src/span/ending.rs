//! How the body of a span ended, and what is said of it on the span.

use opentelemetry::KeyValue;

use super::exception;
use super::panic::Panic;
use super::target::Target;
use crate::outcome::Failure;

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
