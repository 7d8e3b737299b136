//! Failures on spans: the status on every span that an error or a panic passes, the event where it
//! arose.

use std::cell::Cell;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::Context;
#[cfg(feature = "app")]
use opentelemetry::trace::SpanContext;
use opentelemetry::trace::{SpanId, Status, TraceContextExt};

use super::ending::Target;
use super::panic::Panic;
use super::recorded;
use super::recorder::Recorder;
use crate::outcome::{Failure, PANIC};
#[cfg(feature = "app")]
use crate::recorder::Known;
use crate::recorder::{EXCEPTION, Exceptions, Failed, ValueRef};

/// Records an `Err` on a span.
pub(super) fn record(span: Target<'_>, failure: &Failure) {
    let Failure { error_type, message, causes } = failure;
    let chain;
    let mut exception = [("exception.type", ValueRef::Text(error_type)); 3];
    let mut count = 1;
    let mut add = |key, value| {
        exception[count] = (key, ValueRef::Text(value));
        count += 1;
    };
    if let Some(message) = message {
        add("exception.message", message);
    }
    let description = failure.description();
    if !causes.is_empty() {
        chain = format!("{description}\ncaused by: {}", causes.join("\ncaused by: "));
        add("exception.stacktrace", &chain);
    }
    span.fail(&Failed { error_type, description, causes, exception: &exception[..count] });
}

/// Records a panic on a span.
pub(super) fn record_panic(span: Target<'_>, panic: &Panic) {
    let exception = panic.attributes();
    let description = &panic.message;
    span.fail(&Failed { error_type: PANIC, description, causes: &[], exception: &exception });
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

impl Target<'_> {
    fn fail(self, failure: &Failed<'_>) {
        match self {
            Self::Slot(place) => place.fail(failure),
            Self::Provided { context, outer } => fail_provided(context, outer, failure),
        }
    }
}

/// Records a failure on a provider's span, and the exception unless a span under that has failed with one of these
/// messages.
fn fail_provided(context: &Context, outer: SpanId, failure: &Failed<'_>) {
    let span = context.span();
    let id = span.span_context().span_id();
    let mut messages = failure.messages();
    if !messages.any(|message| passed::contains(id, message)) {
        let Exceptions { events, log } = Recorder::exceptions(context);
        if events {
            span.add_event(EXCEPTION, failure.key_values());
        }
        if let Some(log) = log {
            log(span.span_context(), failure.key_values());
        }
    }
    recorded::set_error_type(context, failure.error_type);
    span.set_status(Status::error(failure.description.to_owned()));
    passed::insert(outer, failure.description);
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
