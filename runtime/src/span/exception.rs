//! Failures on spans: the status on every span that an error passes, the event where it arose.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::{SpanId, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use crate::outcome::Failure;

/// Records an `Err` on the span of this context.
pub(super) fn record(context: &Context, parent: SpanId, failure: &Failure<'_>) {
    let span = context.span();
    let id = span.span_context().span_id();
    let description = failure.description();
    let causes: Vec<String> = failure.causes().collect();
    let mut chain = std::iter::once(description).chain(causes.iter().map(String::as_str));
    if !chain.any(|message| passed::contains(id, message)) {
        span.add_event("exception", event(failure, &causes));
    }
    passed::insert(parent, description);
    span.set_attribute(KeyValue::new("error.type", failure.error_type));
    span.set_status(Status::error(description.to_owned()));
}

/// The attributes of the event, after the semantic conventions for exceptions.
fn event(failure: &Failure<'_>, causes: &[String]) -> Vec<KeyValue> {
    let mut attributes = vec![KeyValue::new("exception.type", failure.error_type)];
    if let Some(message) = &failure.message {
        attributes.push(KeyValue::new("exception.message", message.clone()));
    }
    if !causes.is_empty() {
        let chain =
            format!("{}\ncaused by: {}", failure.description(), causes.join("\ncaused by: "));
        attributes.push(KeyValue::new("exception.stacktrace", chain));
    }
    attributes
}

/// The errors that child spans ended with, for their parents to recognise.
///
/// A fixed table without locks: an entry that was overwritten costs a second event for one error,
/// nothing else.
mod passed {
    use super::{AtomicU64, BuildHasher, BuildHasherDefault, DefaultHasher, Ordering, SpanId};

    const SIZE: usize = 1024;

    static PASSED: [AtomicU64; SIZE] = [const { AtomicU64::new(0) }; SIZE];

    pub(super) fn insert(parent: SpanId, message: &str) {
        let (slot, hash) = slot(parent, message);
        slot.store(hash, Ordering::Relaxed);
    }

    pub(super) fn contains(span: SpanId, message: &str) -> bool {
        let (slot, hash) = slot(span, message);
        slot.load(Ordering::Relaxed) == hash
    }

    fn slot(span: SpanId, message: &str) -> (&'static AtomicU64, u64) {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((span, message));
        let index = usize::try_from(hash % SIZE as u64).unwrap_or_default();
        (&PASSED[index], hash)
    }
}
