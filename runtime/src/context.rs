//! What names a span.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};

/// Something that names a span, to start another one under it or linked to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a span",
    label = "not a span's context",
    note = "give a `Context`, a `SpanContext`, a `TraceContext` or `spandrel::current()`"
)]
pub trait ToContext {
    /// A context in which that span is current.
    fn to_context(&self) -> Context;
}

impl ToContext for Context {
    fn to_context(&self) -> Context {
        self.clone()
    }
}

impl ToContext for SpanContext {
    fn to_context(&self) -> Context {
        Context::current().with_remote_span_context(self.clone())
    }
}

impl<T: ToContext + ?Sized> ToContext for &T {
    fn to_context(&self) -> Context {
        (**self).to_context()
    }
}
