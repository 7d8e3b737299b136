//! Trace context in the body of a message.

use std::collections::BTreeMap;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, TraceContextExt};

use crate::context::ToContext;

/// A trace context as a field of a request's or a message's body.
///
/// On the sending side it is [`TraceContext::current()`]; on the receiving side,
/// `#[propagate(input.trace_context)]`. In JSON it is an object of strings:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use spandrel::TraceContext;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Input {
///     prompt: String,
///     #[serde(default, skip_serializing_if = "TraceContext::is_empty")]
///     trace_context: TraceContext,
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct TraceContext(BTreeMap<String, String>);

impl TraceContext {
    /// The context that is current now; empty when there is no trace.
    pub fn current() -> Self {
        let mut carrier = Self::default();
        super::inject(&mut carrier);
        carrier
    }

    /// Whether there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// From `traceparent`, `tracestate` and `baggage`, however they came.
impl FromIterator<(String, String)> for TraceContext {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect())
    }
}

impl ToContext for TraceContext {
    fn to_context(&self) -> Context {
        super::extract(self)
    }

    /// Nothing when it is empty, whatever is current.
    fn to_span_context(&self) -> SpanContext {
        super::extract_over(&Context::new(), self).span().span_context().clone()
    }
}

impl Extractor for TraceContext {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

impl Injector for TraceContext {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}
