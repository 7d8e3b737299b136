//! The span that is current.

use opentelemetry::trace::{SpanId, Status, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};

use crate::attribute::ToAttribute;
use crate::context::{self, ToContext};
use crate::recorder::KnownSpan;

/// The span that is current on this thread, whoever started it.
///
/// ```
/// spandrel::current().set("cache.hit", true);
/// ```
pub fn current() -> CurrentSpan {
    CurrentSpan(context::current())
}

/// The trace that is current; [`TraceId::INVALID`], all zeros, when there is none.
pub fn current_trace_id() -> TraceId {
    current().trace_id()
}

/// A handle on a span. Everything it is told goes nowhere when the span does not record.
#[derive(Clone, Debug)]
pub struct CurrentSpan(Context);

impl CurrentSpan {
    /// Records an attribute, in place of an earlier value under this key.
    pub fn set(&self, key: &'static str, value: impl ToAttribute) {
        if let Some(value) = value.to_attribute() {
            match self.known() {
                Some(known) => {
                    known.slot.with(|span| span.set_attribute(key, (&value).into()));
                }
                None => self.0.span().set_attribute(KeyValue::new(key, value)),
            }
        }
    }

    /// Records an event at this moment.
    pub fn event(&self, name: &'static str, attributes: impl IntoIterator<Item = KeyValue>) {
        let attributes: Vec<KeyValue> = attributes.into_iter().collect();
        match self.known() {
            Some(known) => drop(known.slot.with(|span| span.add_event(name, None, &attributes))),
            None => self.0.span().add_event(name, attributes),
        }
    }

    /// Links another span.
    pub fn link(&self, to: impl ToContext) {
        let to = to.to_span_context();
        if to.is_valid() {
            self.0.span().add_link(to, Vec::new());
        }
    }

    /// Marks the span as failed, with a reason.
    pub fn fail(&self, reason: impl Into<String>) {
        self.0.span().set_status(Status::error(reason.into()));
    }

    fn known(&self) -> Option<KnownSpan> {
        KnownSpan::of(&self.0)
    }

    /// Whether what is set here is recorded anywhere.
    pub fn is_recording(&self) -> bool {
        self.0.span().is_recording()
    }

    /// The span's trace; all zeros when there is none.
    pub fn trace_id(&self) -> TraceId {
        self.0.span().span_context().trace_id()
    }

    /// The span's own id; all zeros when there is none.
    pub fn span_id(&self) -> SpanId {
        self.0.span().span_context().span_id()
    }
}

impl ToContext for CurrentSpan {
    fn to_context(&self) -> Context {
        self.0.clone()
    }
}
