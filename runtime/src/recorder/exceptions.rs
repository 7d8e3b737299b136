//! Where exceptions are recorded.

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanContext;

/// Where exceptions go: to span events by default, to log records when the semantic conventions'
/// opt-in says so, or to both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exceptions {
    pub(crate) events: bool,
    pub(crate) log: Option<fn(&SpanContext, Vec<KeyValue>)>,
}

impl Exceptions {
    pub(crate) const EVENTS: Self = Self { events: true, log: None };
}
