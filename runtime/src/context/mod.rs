//! The current context, and what names a span in one.

mod caller_decision;

use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, ContextGuard, Key};

use crate::attribute::Attributes;
pub(crate) use caller_decision::{CallerDecision, NewTrace};

/// Whether this thread still has a current context: a thread-local variable's destructor may come
/// after the context's.
pub(crate) fn is_alive() -> bool {
    struct Canary;

    impl Drop for Canary {
        fn drop(&mut self) {}
    }

    // What is initialised later is destroyed earlier.
    thread_local!(static CANARY: Canary = {
        Context::map_current(|_| ());
        Canary
    });
    CANARY.try_with(|_| ()).is_ok()
}

/// The current context, or an empty one when the thread has none any more.
pub fn current() -> Context {
    if is_alive() { Context::current() } else { Context::new() }
}

/// Makes a context current, where this thread still has one.
pub(crate) fn attach(context: Context) -> Option<ContextGuard> {
    is_alive().then(|| context.attach())
}

/// The context with these entries in its baggage, and of the others as many as the limits of W3C
/// Baggage leave room for: what a caller sends does not keep out what is set here.
pub fn with_baggage(context: Context, entries: impl FnOnce(&mut Attributes)) -> Context {
    let mut list = Attributes::default();
    entries(&mut list);
    let entries = list.into_vec();
    let is_set = |key: &Key| entries.iter().any(|entry| entry.key == *key);
    let mut baggage = Baggage::new();
    for entry in &entries {
        baggage.insert(entry.key.clone(), entry.value.as_str().into_owned());
    }
    for (key, (value, metadata)) in context.baggage().iter().filter(|(key, _)| !is_set(key)) {
        baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
    }
    context.with_baggage(baggage)
}

/// Marks a context that was extracted from a carrier without a trace. If this is still the active span, it is
/// the span of the surrounding context, and the carrier does not name it.
#[derive(Debug)]
struct WithoutTrace(Option<SpanContext>);

/// Marks the context, so that it names no span to link to. A span that starts in the context still has the
/// active span as its parent.
pub(crate) fn without_trace(context: Context) -> Context {
    let active = context.span().span_context().clone();
    if active.is_valid() { context.with_value(WithoutTrace(Some(active))) } else { context }
}

/// Removes the mark from a context that becomes current, so that `Context::current()` names the current span
/// in there.
pub(crate) fn entered(context: Context) -> Context {
    match context.get::<WithoutTrace>() {
        Some(WithoutTrace(Some(_))) => context.with_value(WithoutTrace(None)),
        _ => context,
    }
}

/// Something that names a span, to start another one under it or linked to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a span",
    label = "not a span's context",
    note = "give a `Context`, a `SpanContext`, a `TraceContext` or `spandrel::current()`",
    note = "types of another version of `opentelemetry` are other types: `cargo tree --duplicates` \
            shows whether there are two"
)]
pub trait ToContext {
    /// A context in which that span is current.
    fn to_context(&self) -> Context;

    /// The span's own context, to link it by; an invalid one when there is no span.
    fn to_span_context(&self) -> SpanContext {
        self.to_context().span().span_context().clone()
    }
}

impl ToContext for Context {
    fn to_context(&self) -> Context {
        self.clone()
    }

    /// An invalid one where the context was extracted from a carrier without a trace.
    fn to_span_context(&self) -> SpanContext {
        let active = self.span();
        let active = active.span_context();
        let is_named = match self.get::<WithoutTrace>() {
            Some(WithoutTrace(Some(outer))) => outer != active,
            _ => true,
        };
        if is_named { active.clone() } else { SpanContext::NONE }
    }
}

impl ToContext for SpanContext {
    fn to_context(&self) -> Context {
        current().with_remote_span_context(self.clone())
    }
}

impl<T: ToContext + ?Sized> ToContext for &T {
    fn to_context(&self) -> Context {
        (**self).to_context()
    }

    fn to_span_context(&self) -> SpanContext {
        (**self).to_span_context()
    }
}
