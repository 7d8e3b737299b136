//! A span that the body of a function starts itself.
//!
//! The body binds the function's parameters, and what is recorded of them is named in terms of these
//! variables. So the body starts the span as soon as it has bound them. They are dropped at the end of
//! the body, which is inside the span.

use std::panic::resume_unwind;

use super::ActiveSpan;
use super::active_span::Attached;
use super::panic::{Payload, caught};
use crate::outcome::Outcome;

/// Where a body puts the span that it starts.
#[derive(Debug)]
pub struct Entry {
    /// `None` until the body has started it.
    span: Option<ActiveSpan>,
    running: Option<Attached>,
    /// Whether the span may last longer than the body, for what the body returns.
    may_outlast: bool,
}

impl Entry {
    #[inline]
    fn new(may_outlast: bool) -> Self {
        Self { span: None, running: None, may_outlast }
    }

    /// Starts the span, which is current until the body ends.
    // Not inlined: the span that is moved needs no room in the frame of a function that is not recorded.
    #[inline(never)]
    pub fn begin(&mut self, start: impl FnOnce() -> ActiveSpan) {
        self.span = Some(start());
        self.enter();
    }

    fn enter(&mut self) {
        if let Some(span) = &mut self.span
            && !span.has_no_effect()
        {
            self.running = Some(span.enter_body_once(self.may_outlast));
        }
    }

    /// The span of the body, which has ended, is current no more.
    fn leave(&mut self) {
        if let (Some(running), Some(span)) = (self.running.take(), &mut self.span) {
            span.leave(running, false);
        }
    }

    /// Runs a body. There is one call of the body, so that it is compiled once.
    #[inline]
    fn run<T>(mut entry: Option<&mut Self>, body: impl FnOnce(Option<&mut Self>) -> T) -> T {
        match caught(|| body(entry.as_deref_mut())) {
            Ok(value) => {
                if let Some(entry) = entry {
                    entry.leave();
                }
                value
            }
            Err(payload) => Self::end_by_panic(entry, payload),
        }
    }

    #[cold]
    fn end_by_panic(entry: Option<&mut Self>, payload: Payload) -> ! {
        match entry {
            Some(Self { span: Some(span), running, .. }) => {
                span.end_by_panic(running.take(), payload)
            }
            _ => resume_unwind(payload),
        }
    }
}

/// The span of a function, which ends when this is dropped, after all other variables.
#[derive(Debug)]
pub struct EntryGuard(Entry);

impl EntryGuard {
    /// There is no span yet.
    #[expect(clippy::new_without_default, reason = "it is for the macros alone")]
    #[inline]
    pub fn new() -> Self {
        Self(Entry::new(false))
    }

    /// Where the span goes, if the body is asked for one.
    #[inline]
    pub fn entry(&mut self, is_enabled: bool) -> Option<&mut Entry> {
        is_enabled.then_some(&mut self.0)
    }
}

impl Drop for EntryGuard {
    #[inline]
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Runs a body that starts its span, if it is asked for one, and ends the span by the body's value.
#[inline]
pub fn run_body<T>(
    is_enabled: bool,
    body: impl FnOnce(Option<&mut Entry>) -> T,
    outcome: impl FnOnce(&T) -> Outcome,
) -> T {
    let mut entry = Entry::new(false);
    let value = Entry::run(is_enabled.then_some(&mut entry), body);
    if let Some(span) = &mut entry.span
        && !span.has_no_effect()
    {
        return span.end_with(value, outcome);
    }
    // Dropping it would cost as much as all the rest.
    std::mem::forget(entry);
    value
}

/// As [`run_body`], with what ends the span. It repeats that, for what is generic is compiled for each function.
#[inline]
pub fn end_body<T>(
    is_enabled: bool,
    body: impl FnOnce(Option<&mut Entry>) -> T,
    end: impl FnOnce(&mut ActiveSpan, T) -> T,
) -> T {
    let mut entry = Entry::new(true);
    let value = Entry::run(is_enabled.then_some(&mut entry), body);
    if let Some(span) = &mut entry.span
        && !span.has_no_effect()
    {
        return end(span, value);
    }
    std::mem::forget(entry);
    value
}

/// Calls a body that starts its span, if it is asked for one. The span is left open for what the body returns.
#[inline]
pub fn call_body<T>(
    is_enabled: bool,
    body: impl FnOnce(Option<&mut Entry>) -> T,
) -> (ActiveSpan, T) {
    let mut entry = Entry::new(true);
    let value = Entry::run(is_enabled.then_some(&mut entry), body);
    (entry.span.unwrap_or(ActiveSpan::DISABLED), value)
}
