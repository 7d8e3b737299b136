//! Failures on spans: the status on every span that an error or a panic passes, the event where it
//! arose.

use opentelemetry::Context;
use opentelemetry::trace::{Status, TraceContextExt};

use super::panic::Panic;
use super::recorder::Recorder;
use super::sdk_span;
use super::seen_failures::SeenFailures;
use super::target::Target;
use crate::attribute::redact;
use crate::encoding::ValueRef;
use crate::outcome::{Failure, PANIC};
use crate::recorder::{EXCEPTION, Exceptions, RecordedFailure};

/// Records an `Err` on a span.
pub(super) fn record(span: Target<'_>, failure: &Failure) {
    let Failure { error_type, exception_type, message, causes } = failure;
    let description = failure.description();
    let recorded = |exception: &[(&'static str, ValueRef<'_>)]| {
        let (error_type, message) = (Some(&**error_type), description);
        span.fail(&RecordedFailure { error_type, description, message, causes, exception });
    };
    let Some(exception_type) = exception_type else { return recorded(&[]) };
    let chain;
    let mut exception = [("exception.type", ValueRef::Text(exception_type)); 3];
    let mut count = 1;
    let mut add = |key, value| {
        exception[count] = (key, ValueRef::Text(value));
        count += 1;
    };
    if let Some(message) = message {
        add("exception.message", message);
    }
    if !causes.is_empty() {
        chain = format!("{description}\ncaused by: {}", causes.join("\ncaused by: "));
        add("exception.stacktrace", &chain);
    }
    recorded(&exception[..count]);
}

/// Records a panic on a span.
pub(super) fn record_panic(span: Target<'_>, panic: &Panic) {
    let exception = panic.attributes();
    let description = &panic.message;
    span.fail(&RecordedFailure {
        error_type: Some(PANIC),
        description,
        message: description,
        causes: &[],
        exception: &exception,
    });
}

/// Records the panic that is about to end the process on the span that is current.
#[cfg(feature = "app")]
pub(crate) fn record_panic_here() {
    let context = crate::context::current();
    record_panic(Target::of(&context), &Panic::unwinding());
}

/// Records an `Err` on the span of this context.
pub(super) fn record_current(context: &Context, failure: &Failure) {
    let target = Target::of(context);
    record(target, failure);
    // The program may return the error, which would be a second event.
    match target {
        Target::Slot(slot) => slot.remember_own_failure(failure.description()),
        Target::Provided { context, .. } => {
            if let Some(seen) = SeenFailures::of(context) {
                seen.insert(failure.description());
            }
        }
    }
}

impl Target<'_> {
    fn fail(self, failure: &RecordedFailure<'_>) {
        match self {
            Self::Slot(slot) => slot.fail(failure),
            Self::Provided { context, outer } => fail_provided(context, outer, failure),
        }
    }
}

/// Records a failure on a provider's span, and the exception unless a span under that has failed with one of these
/// messages.
fn fail_provided(context: &Context, outer: Option<&SeenFailures>, failure: &RecordedFailure<'_>) {
    let span = context.span();
    let seen = SeenFailures::of(context);
    let is_seen = |message| seen.is_some_and(|seen| seen.contains(message));
    if failure.is_exception() && !failure.messages().any(is_seen) {
        let Exceptions { events, log } = Recorder::exceptions(context);
        if events {
            span.add_event(EXCEPTION, failure.key_values());
        }
        if let Some(log) = log {
            log(span.span_context(), redact::attributes(&failure.key_values()).into_owned());
        }
    }
    if let Some(error_type) = failure.error_type {
        sdk_span::set_error_type(context, error_type);
    }
    span.set_status(Status::error(failure.description.to_owned()));
    if let Some(outer) = outer
        && failure.is_exception()
    {
        outer.insert(failure.message);
    }
}
