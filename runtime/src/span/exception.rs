//! Failures on spans: the status on every span that an error or a panic passes, the event where it
//! arose.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::{SpanId, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::panic::Panic;
use crate::outcome::Failure;

/// Records an `Err` on the span of this context.
pub(super) fn record(context: &Context, parent: SpanId, failure: &Failure<'_>) {
    let description = failure.description();
    let causes: Vec<String> = failure.causes().collect();
    let mut chain = std::iter::once(description).chain(causes.iter().map(String::as_str));
    let id = context.span().span_context().span_id();
    let event =
        (!chain.any(|message| passed::contains(id, message))).then(|| event(failure, &causes));
    mark(context, parent, failure.error_type, description, event);
}

/// Records a panic on the span of this context.
pub(super) fn record_panic(context: &Context, parent: SpanId, panic: &Panic) {
    let id = context.span().span_context().span_id();
    let event = (!passed::contains(id, &panic.message)).then(|| panic.event());
    mark(context, parent, Panic::TYPE, &panic.message, event);
}

fn mark(
    context: &Context,
    parent: SpanId,
    error_type: &'static str,
    description: &str,
    event: Option<Vec<KeyValue>>,
) {
    let span = context.span();
    if let Some(event) = event {
        span.add_event("exception", event);
    }
    span.set_attribute(KeyValue::new("error.type", error_type));
    span.set_status(Status::error(description.to_owned()));
    passed::insert(parent, description);
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

/// The failures that child spans ended with, for their parents to recognise.
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
