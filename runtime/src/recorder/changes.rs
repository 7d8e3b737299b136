//! What changes an open span. The program's function that redacts runs first, and not under the lock of the slot.

use opentelemetry::trace::{SpanContext, Status};
use opentelemetry::{KeyValue, Value};

use super::local::SlotRef;
use super::slot::RecordedFailure;
use crate::attribute::redact;
use crate::encoding::ValueRef;

impl SlotRef {
    /// Sets an attribute.
    #[inline]
    pub(crate) fn set_attribute(self, attribute: &KeyValue) {
        let key = attribute.key.as_str();
        let set = |value: ValueRef<'_>| self.with(|span| span.set_attribute(key, value));
        redact::value(key, (&attribute.value).into(), set);
    }

    /// Adds an event of this moment, or of this time in nanoseconds since 1970.
    pub(crate) fn add_event(self, name: &str, at: Option<u64>, attributes: &[KeyValue]) {
        let attributes = redact::attributes(attributes);
        self.with(|span| span.add_event(name, at, &attributes));
    }

    pub(crate) fn add_link(self, to: &SpanContext, attributes: &[KeyValue]) {
        let attributes = redact::attributes(attributes);
        self.with(|span| span.add_link(to, &attributes));
    }

    pub(crate) fn set_status(self, mut status: Status) {
        if redact::is_set() {
            redact::status(&mut status);
        }
        self.with(|span| span.set_status(&status));
    }

    /// Records a failure on the span, and its exception unless a span under this one has failed with one of these
    /// messages: then the error has been recorded. The enclosing span remembers that this one has.
    pub(crate) fn fail(self, failure: &RecordedFailure<'_>) {
        if !redact::is_set() {
            return self.record_failure(failure);
        }
        let RecordedFailure { error_type, description, exception, .. } = *failure;
        let exception: Vec<(&str, Value)> = exception
            .iter()
            .filter_map(|(key, value)| {
                let value = redact::owned(key, *value)?;
                Some((*key, value))
            })
            .collect();
        let exception: Vec<_> =
            exception.iter().map(|(key, value)| (*key, ValueRef::from(value))).collect();
        let description = redact::text(redact::DESCRIPTION, description).unwrap_or_default();
        let error_type = error_type.and_then(|text| redact::text("error.type", text));
        self.record_failure(&RecordedFailure {
            error_type: error_type.as_deref(),
            description: &description,
            exception: &exception,
            ..*failure
        });
    }
}
