//! A span that the body of a function starts itself.
//!
//! The body binds the function's parameters, and what is recorded of them is named in terms of these
//! variables. So the body starts the span as soon as it has bound them. They are dropped at the end of
//! the body, which is inside the span.

use super::Span;
use super::panic::caught;
use super::recorder::Recorder;
use super::scope::Running;
use crate::outcome::Outcome;

/// Where a body puts the span that it starts.
#[derive(Debug)]
pub struct Entry<'a> {
    span: &'a mut Span,
    running: Option<Running>,
}

impl Entry<'_> {
    /// Makes the span current until the body ends.
    pub fn begin(&mut self, span: Span) {
        *self.span = span;
        let context = self.span.take_context();
        self.running = Some(self.span.enter_body(context));
    }
}

/// The span of a function, which ends when this is dropped, after all other variables.
#[derive(Debug)]
pub struct EntryGuard {
    span: Span,
    running: Option<Running>,
}

impl EntryGuard {
    /// There is no span yet.
    #[expect(clippy::new_without_default, reason = "it is for the macros alone")]
    #[inline]
    pub fn new() -> Self {
        Self { span: Span::OFF, running: None }
    }

    /// Where the span goes; `None` where nothing records.
    #[inline]
    pub fn entry(&mut self) -> Option<GuardedEntry<'_>> {
        Recorder::any().then_some(GuardedEntry(self))
    }

    /// As [`entry`](Self::entry), for a span that continues a context, where nothing records too.
    pub fn entry_in_context(&mut self) -> Option<GuardedEntry<'_>> {
        Some(GuardedEntry(self))
    }
}

impl Drop for EntryGuard {
    #[inline]
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.span.leave(running, false);
        }
    }
}

/// Where a body puts the span that it starts.
#[derive(Debug)]
pub struct GuardedEntry<'a>(&'a mut EntryGuard);

impl GuardedEntry<'_> {
    /// Makes the span current until the guard is dropped.
    pub fn begin(self, span: Span) {
        self.0.span = span;
        let context = self.0.span.take_context();
        self.0.running = Some(self.0.span.enter_body(context));
    }
}

/// Runs a body that starts its span, and ends the span by the body's value. Where nothing records, the body
/// is not asked for a span, and all else is left out: a function that is not recorded needs little more
/// of the stack than without a span.
#[inline]
pub fn run_body<T>(
    body: impl FnOnce(Option<&mut Entry<'_>>) -> T,
    outcome: impl FnOnce(&T) -> Outcome,
) -> T {
    if Recorder::any() { run_body_in_context(body, outcome) } else { body(None) }
}

/// As [`run_body`], for a span that continues a context, where nothing records too.
#[inline(never)]
pub fn run_body_in_context<T>(
    body: impl FnOnce(Option<&mut Entry<'_>>) -> T,
    outcome: impl FnOnce(&T) -> Outcome,
) -> T {
    let (mut span, value) = call_body_in_context(body);
    span.end_by(value, outcome)
}

/// As [`run_body`], with what ends the span.
#[inline]
pub fn end_body<T>(
    body: impl FnOnce(Option<&mut Entry<'_>>) -> T,
    end: impl FnOnce(Span, T) -> T,
) -> T {
    if Recorder::any() { end_body_in_context(body, end) } else { body(None) }
}

/// As [`end_body`], for a span that continues a context, where nothing records too.
#[inline(never)]
pub fn end_body_in_context<T>(
    body: impl FnOnce(Option<&mut Entry<'_>>) -> T,
    end: impl FnOnce(Span, T) -> T,
) -> T {
    let (span, value) = call_body_in_context(body);
    end(span, value)
}

/// Calls a body that starts its span, which is left open for what the body returns.
#[inline]
pub fn call_body<T>(body: impl FnOnce(Option<&mut Entry<'_>>) -> T) -> (Span, T) {
    if Recorder::any() { call_body_in_context(body) } else { (Span::OFF, body(None)) }
}

/// As [`call_body`], for a span that continues a context, where nothing records too.
#[inline]
pub fn call_body_in_context<T>(body: impl FnOnce(Option<&mut Entry<'_>>) -> T) -> (Span, T) {
    let (mut span, mut body, mut value) = (Span::OFF, Some(body), None);
    call(&mut span, &mut |entry| value = body.take().map(|body| body(Some(entry))));
    match value {
        Some(value) => (span, value),
        None => unreachable!("the body has run"),
    }
}

/// Not generic, so that it is compiled once: an application has thousands of spans.
fn call(span: &mut Span, body: &mut dyn FnMut(&mut Entry<'_>)) {
    let mut entry = Entry { span, running: None };
    let caught = caught(|| body(&mut entry));
    let Entry { span, running } = entry;
    match (caught, running) {
        (Ok(()), None) => {}
        (Ok(()), Some(running)) => span.leave(running, false),
        (Err(payload), running) => span.pass_on(running, payload),
    }
}
