//! Failures on spans: the status on every span that an error or a panic passes, the event where it
//! arose.

use std::cell::Cell;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "app")]
use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt};

use super::ending::Target;
use super::panic::Panic;
use super::recorder::Recorder;
use crate::outcome::{Failure, PANIC};
use crate::recorder::EXCEPTION;
#[cfg(feature = "app")]
use crate::recorder::Known;

/// Records an `Err` on a span.
pub(super) fn record(span: Target<'_>, failure: &Failure) {
    let description = failure.description();
    let causes = failure.causes.iter().map(String::as_str);
    let event =
        (!has_seen(span, std::iter::once(description).chain(causes))).then(|| event(failure));
    mark(span, failure.error_type, description, event);
}

/// Records a panic on a span.
pub(super) fn record_panic(span: Target<'_>, panic: &Panic) {
    let event = (!has_seen(span, std::iter::once(&*panic.message))).then(|| panic.event());
    mark(span, PANIC, &panic.message, event);
}

/// Records the panic that is about to end the process on the span that is current.
#[cfg(feature = "app")]
pub(crate) fn record_panic_here() {
    let context = crate::context::current();
    let target = match Known::of(&context) {
        Some(known) => Target::Slot(known.place),
        None => Target::Provided { context: &context, outer: SpanId::INVALID },
    };
    record_panic(target, &Panic::unwinding());
}

/// Whether a span under this one has failed with one of these messages: the error is known then.
fn has_seen<'a>(span: Target<'_>, mut messages: impl Iterator<Item = &'a str>) -> bool {
    match span {
        Target::Slot(place) => place.has_seen(messages),
        Target::Provided { context, .. } => {
            let id = context.span().span_context().span_id();
            messages.any(|message| passed::contains(id, message))
        }
    }
}

fn mark(
    span: Target<'_>,
    error_type: &'static str,
    description: &str,
    event: Option<Vec<KeyValue>>,
) {
    if let Some(attributes) = event {
        match span {
            Target::Slot(place) => place.add_exception(attributes),
            Target::Provided { context, .. } => {
                let span = context.span();
                let add = |attributes: &[KeyValue]| span.add_event(EXCEPTION, attributes.to_vec());
                Recorder::exceptions(context).record(span.span_context(), attributes, add);
            }
        }
    }
    span.set_error_type(error_type);
    span.set_status(Status::error(description.to_owned()));
    match span {
        Target::Slot(place) => place.tell_outer(description),
        Target::Provided { outer, .. } => passed::insert(outer, description),
    }
}

/// The attributes of the event, after the semantic conventions for exceptions.
fn event(failure: &Failure) -> Vec<KeyValue> {
    let mut attributes = vec![KeyValue::new("exception.type", failure.error_type)];
    if let Some(message) = &failure.message {
        attributes.push(KeyValue::new("exception.message", message.clone()));
    }
    let causes = &failure.causes;
    if !causes.is_empty() {
        let chain =
            format!("{}\ncaused by: {}", failure.description(), causes.join("\ncaused by: "));
        attributes.push(KeyValue::new("exception.stacktrace", chain));
    }
    attributes
}

/// Notes a span that somebody else started, whose parent may be one of ours: a failure that passes
/// it passes on to that.
#[cfg(feature = "app")]
pub(crate) fn note_foreign(span: &SpanContext, parent: &Context) {
    if !STARTING.get() {
        passed::through(span.span_id(), parent.span().span_context().span_id());
    }
}

thread_local!(static STARTING: Cell<bool> = const { Cell::new(false) });

/// Starts a span of ours.
pub(super) fn ours<T>(start: impl FnOnce() -> T) -> T {
    struct Started(bool);

    impl Drop for Started {
        fn drop(&mut self) {
            STARTING.set(self.0);
        }
    }

    let _started = Started(STARTING.replace(true));
    start()
}

/// The failures that child spans ended with, for their parents to recognise.
///
/// Fixed tables without locks: an entry that was overwritten costs a second event for one error,
/// nothing else.
mod passed {
    use super::{AtomicU64, BuildHasher, BuildHasherDefault, DefaultHasher, Ordering, SpanId};
    use std::hash::Hash;

    const SIZE: usize = 1024;

    type Table = [AtomicU64; SIZE];

    /// Hashes of spans with messages of their children.
    static PASSED: Table = [const { AtomicU64::new(0) }; SIZE];
    /// The parents of foreign spans, each mixed (exclusive or) with the hash of its child: zero is
    /// an empty slot, and the slot of another child gives an id that nobody has.
    static PARENTS: Table = [const { AtomicU64::new(0) }; SIZE];

    pub(super) fn insert(mut parent: SpanId, message: &str) {
        // Other people's spans between two of ours are few, and their parents' parents fewer.
        for _ in 0..4 {
            let hash = hash((parent, message));
            slot(&PASSED, hash).store(hash, Ordering::Relaxed);
            let hash = self::hash(parent);
            let covered = slot(&PARENTS, hash).load(Ordering::Relaxed);
            if covered == 0 {
                break;
            }
            parent = SpanId::from(covered ^ hash);
        }
    }

    pub(super) fn contains(span: SpanId, message: &str) -> bool {
        let hash = hash((span, message));
        slot(&PASSED, hash).load(Ordering::Relaxed) == hash
    }

    #[cfg(feature = "app")]
    pub(super) fn through(span: SpanId, parent: SpanId) {
        let hash = hash(span);
        let covered = u64::from_be_bytes(parent.to_bytes()) ^ hash;
        slot(&PARENTS, hash).store(covered, Ordering::Relaxed);
    }

    fn hash(value: impl Hash) -> u64 {
        BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
    }

    fn slot(table: &'static Table, hash: u64) -> &'static AtomicU64 {
        &table[usize::try_from(hash % SIZE as u64).unwrap_or_default()]
    }
}
