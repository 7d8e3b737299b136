//! A span for the rest of a scope.

use opentelemetry::ContextGuard;

use super::ActiveSpan;
use crate::context;

/// Keeps a span current on this thread; dropping it ends the span.
///
/// It is not `Send`, so that it cannot be held across an `.await` of a spawned task, where it
/// would leak into other tasks: [`ActiveSpan::follow`] is for futures.
#[derive(Debug)]
#[must_use = "the span ends when the guard is dropped"]
pub struct SpanGuard {
    // In this order: the context is detached before the span ends.
    _attached: Option<ContextGuard>,
    _span: ActiveSpan,
}

impl SpanGuard {
    pub(super) fn new(span: ActiveSpan) -> Self {
        Self { _attached: span.context.clone().and_then(context::attach), _span: span }
    }
}

impl ActiveSpan {
    /// Makes the span current until the guard is dropped, which ends it.
    pub fn enter(self) -> SpanGuard {
        SpanGuard::new(self)
    }
}
