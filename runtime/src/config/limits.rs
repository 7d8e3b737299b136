//! `OTEL_SPAN_*` and `OTEL_ATTRIBUTE_*`: how much one span may hold.

use opentelemetry_sdk::trace::SpanLimits;

use crate::environment::Environment;
use crate::span::{Capacity, SPARE};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    pub(crate) attributes: usize,
    events: u32,
    links: u32,
    event_attributes: u32,
    link_attributes: u32,
    /// How many characters of a text are kept.
    pub(crate) value_length: Option<usize>,
}

impl Limits {
    pub(super) fn resolve(environment: &Environment<'_>) -> Self {
        let count = |names: &[&str]| number(environment, names, 128).unwrap_or(128);
        let length =
            ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"];
        let length: Option<u32> = number(environment, &length, "no limit");
        let attributes = count(&["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"]);
        Self {
            attributes: usize::try_from(attributes).unwrap_or(usize::MAX),
            events: count(&["OTEL_SPAN_EVENT_COUNT_LIMIT"]),
            links: count(&["OTEL_SPAN_LINK_COUNT_LIMIT"]),
            event_attributes: count(&["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"]),
            link_attributes: count(&["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"]),
            value_length: length.and_then(|length| usize::try_from(length).ok()),
        }
    }
}

/// The first of these variables that is set.
fn number(
    environment: &Environment<'_>,
    names: &[&str],
    otherwise: impl std::fmt::Display,
) -> Option<u32> {
    let name = names.iter().find(|name| environment.text(name).is_some())?;
    environment.parsed(name, "a whole number", otherwise, |text| text.parse().ok())
}

impl Limits {
    /// What of them is counted before the SDK.
    pub(crate) fn capacity(self) -> Capacity {
        let events = usize::try_from(self.events).unwrap_or(usize::MAX);
        Capacity { attributes: self.attributes, events }
    }
}

impl From<Limits> for SpanLimits {
    /// The SDK counts an attribute each time that it is set, and drops the last ones. So it is allowed more, and
    /// the rest is taken away at the end.
    fn from(limits: Limits) -> Self {
        let attributes = limits.attributes.saturating_add(SPARE);
        Self {
            max_events_per_span: limits.events,
            max_attributes_per_span: u32::try_from(attributes).unwrap_or(u32::MAX),
            max_links_per_span: limits.links,
            max_attributes_per_event: limits.event_attributes,
            max_attributes_per_link: limits.link_attributes,
        }
    }
}
