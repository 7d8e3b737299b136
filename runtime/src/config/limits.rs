//! `OTEL_SPAN_*` and `OTEL_ATTRIBUTE_*`: how much one span may hold.

use crate::encoding::Limits;
use crate::environment::Environment;

pub(super) fn resolve(environment: &Environment<'_>) -> Limits {
    let count = |names: &[&str]| number(environment, names, 128).unwrap_or(128);
    let length = ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"];
    let length: Option<u32> = number(environment, &length, "no limit");
    let attributes = count(&["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"]);
    Limits {
        attributes,
        events: count(&["OTEL_SPAN_EVENT_COUNT_LIMIT"]),
        links: count(&["OTEL_SPAN_LINK_COUNT_LIMIT"]),
        event_attributes: count(&["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"]),
        link_attributes: count(&["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"]),
        value_length: length.and_then(|length| usize::try_from(length).ok()),
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
