//! Trace context in the body of a message.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use opentelemetry::Context;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::CarrierMut;
use super::format::Format;
use crate::context::ToContext;

/// Longer values are not kept: a `tracestate` has at most 16 447 characters, and of `baggage` 8192
/// are read.
const LONGEST: usize = 17 * 1024;

/// A trace context as a field of a request's or a message's body.
///
/// On the sending side it is [`TraceContext::current()`]; on the receiving side,
/// `#[propagate(input.trace_context)]`. In JSON it is an object of strings; what else a caller has put
/// there is left out, and the request is read all the same, if it is JSON and its numbers are:
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
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct TraceContext(BTreeMap<String, String>);

impl TraceContext {
    /// The context that is current now; empty when there is no trace.
    pub fn current() -> Self {
        let mut carrier = Self::default();
        carrier.inject_context();
        carrier
    }

    /// Whether there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what came under a name that is known, unless it is too long. What comes twice is joined,
    /// as header fields are.
    pub(super) fn add(&mut self, name: &str, value: String) {
        let name = name.to_ascii_lowercase();
        let known = Format::ALL.iter().any(|format| format.fields().contains(&&*name));
        if !known || value.is_empty() || value.len() > LONGEST {
            return;
        }
        match self.0.entry(name) {
            Entry::Vacant(entry) => _ = entry.insert(value),
            Entry::Occupied(entry) if entry.get().len() + value.len() >= LONGEST => {}
            Entry::Occupied(mut entry) => entry.get_mut().extend([",", &value]),
        }
    }
}

/// From `traceparent`, `tracestate`, `baggage` and what other propagators read; the rest is left out.
impl FromIterator<(String, String)> for TraceContext {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut carrier = Self::default();
        for (name, value) in pairs {
            carrier.add(&name, value);
        }
        carrier
    }
}

impl ToContext for TraceContext {
    fn to_context(&self) -> Context {
        super::extract(self)
    }

    /// Nothing when it is empty, whatever is current.
    fn to_span_context(&self) -> SpanContext {
        super::current::extract_over(&Context::new(), self).span().span_context().clone()
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

impl CarrierMut for TraceContext {
    fn inject_context(&mut self) {
        self.0.inject_context();
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceFlags, TraceState};

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(pairs: &[(&str, &str)]) -> TraceContext {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_known_is_kept_and_joined() {
        let carrier = of(&[
            ("TraceParent", PARENT),
            ("tracestate", "a=1"),
            ("x", "y"),
            ("baggage", ""),
            ("TraceState", "b=2"),
        ]);
        assert_eq!(carrier.keys(), ["traceparent", "tracestate"]);
        assert_eq!(carrier.get("tracestate"), Some("a=1,b=2"));
        assert!(!carrier.is_empty());
        assert!(of(&[("x", "y")]).is_empty());
        assert_eq!(of(&[("b3", "0")]).get("b3"), Some("0"), "what other propagators read");
    }

    #[test]
    fn what_is_too_long_is_left_out() {
        // The longest list that a `tracestate` may be: 32 members of 513 characters, and commas.
        assert!(!of(&[("tracestate", &"a".repeat(16_447))]).is_empty());
        let (longest, longer) = ("a".repeat(LONGEST), "a".repeat(LONGEST + 1));
        assert!(!of(&[("baggage", &longest)]).is_empty());
        assert!(of(&[("baggage", &longer)]).is_empty());
        for (length, joined) in [(LONGEST - 3, true), (LONGEST - 2, false), (LONGEST - 1, false)] {
            let carrier = of(&[("baggage", &"a".repeat(length)), ("baggage", "bc")]);
            let expected = if joined { length + 3 } else { length };
            assert_eq!(carrier.get("baggage").map(str::len), Some(expected), "{length}");
        }
    }

    #[test]
    fn it_names_a_span_whatever_is_current() {
        let (trace, span) = (0xa_u128.into(), SpanId::from(0xb));
        let span = SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE);
        let attached = Context::new().with_remote_span_context(span).attach();
        let current = TraceContext::current();
        assert!(current.get("traceparent").is_some_and(|it| it.contains("000a-000000000000000b")));
        let given = of(&[("traceparent", PARENT)]);
        for span in [given.to_span_context(), given.to_context().span().span_context().clone()] {
            assert_eq!(span.span_id(), SpanId::from(0x00f0_67aa_0ba9_02b7));
        }
        let empty = TraceContext::default();
        assert!(!empty.to_span_context().is_valid());
        assert_eq!(empty.to_context().span().span_context().span_id(), SpanId::from(0xb));
        drop(attached);
        assert!(TraceContext::current().is_empty());
    }
}
