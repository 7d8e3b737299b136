//! The ways to run a body in a span: the span is current meanwhile, and ends with the body.

use std::panic::resume_unwind;

use opentelemetry::ContextGuard;
use opentelemetry::trace::TraceContextExt;

use super::ActiveSpan;
use crate::context;
use crate::outcome::Outcome;
use crate::recorder::Handle;
use crate::span::body_frame::{BodyFrame, FrameMark};
use crate::span::enabled;
use crate::span::ending::Ending;
use crate::span::panic::{Panic, Payload, caught};

/// What is current on the thread while the body of a span runs.
#[derive(Debug)]
#[must_use = "the span stays current"]
pub(in crate::span) struct Attached {
    attached: Option<ContextGuard>,
    /// Where the blocks in the body begin.
    blocks: Option<FrameMark>,
}

impl ActiveSpan {
    /// Runs a body in the span, which ends when the body returns or panics. `outcome` looks at the
    /// result and says whether it is a failure.
    #[inline]
    pub fn run<T>(mut self, body: impl FnOnce() -> T, outcome: impl FnOnce(&T) -> Outcome) -> T {
        let value = self.call(body);
        self.end_with(value, outcome)
    }

    /// Ends the span by the value that its body came to.
    #[inline]
    pub(in crate::span) fn end_with<T>(
        &mut self,
        value: T,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> T {
        if self.wants_outcome() {
            self.finish(outcome(&value));
        }
        value
    }

    /// Runs a body in the span, and leaves the span open for what the body returns.
    // What is generic is small, and has the body once: an application has thousands of spans.
    #[inline]
    fn call<T>(&mut self, body: impl FnOnce() -> T) -> T {
        let running = if self.has_no_effect() { None } else { self.enter_once() };
        match caught(body) {
            Ok(value) => {
                if let Some(running) = running {
                    self.leave(running, false);
                }
                value
            }
            Err(payload) => self.end_by_panic(running, payload),
        }
    }

    /// For a body with spans on blocks inside: it keeps them, and tells them how it came out when
    /// they are left early.
    #[doc(hidden)]
    #[inline]
    pub fn with_blocks(mut self) -> Self {
        self.has_blocks = true;
        self
    }

    #[inline(never)]
    fn enter_once(&mut self) -> Option<Attached> {
        if self.is_disabled() {
            return None;
        }
        Some(self.enter_body_once(true))
    }

    /// Makes the span current for a body that runs once, and that the span may outlast.
    pub(in crate::span) fn enter_body_once(&mut self, may_outlast: bool) -> Attached {
        // With its slot and the current context, the context can be made again. A clone costs a twentieth of a span.
        let is_needed = may_outlast && !(self.slot.is_some() && self.is_under_current);
        if is_needed || self.extra.is_some() {
            return self.enter_body();
        }
        let attached = match self.context.take() {
            Some(context) if context::is_alive() => Some(context.attach()),
            _ => None,
        };
        self.enter_blocks(attached)
    }

    /// Makes the span current.
    fn enter_body(&mut self) -> Attached {
        let attached = self.attach();
        self.enter_blocks(attached)
    }

    #[inline]
    fn attach(&self) -> Option<ContextGuard> {
        match &self.context {
            Some(context) if context::is_alive() => Some(context.clone().attach()),
            _ => None,
        }
    }

    #[inline]
    fn enter_blocks(&mut self, attached: Option<ContextGuard>) -> Attached {
        let blocks = self.has_blocks.then(|| match &mut self.extra {
            Some(extra) => extra.frame.enter(),
            None => BodyFrame::default().enter(),
        });
        Attached { attached, blocks }
    }

    /// What was made current is so no more. The body says whether it pauses: whether it goes on later, maybe on another
    /// thread.
    #[inline(never)]
    pub(in crate::span) fn leave(&mut self, running: Attached, pauses: bool) {
        let Attached { attached, blocks } = running;
        if let Some(entered) = blocks {
            let mut frame = BodyFrame::default();
            frame.leave(entered, pauses);
            if !frame.is_empty() {
                self.extra().frame = frame;
            }
        }
        drop(attached);
    }

    /// Ends the span by a panic of its body, which goes on.
    #[cold]
    pub(in crate::span) fn end_by_panic(
        &mut self,
        running: Option<Attached>,
        payload: Payload,
    ) -> ! {
        if let Some(running) = running {
            self.leave(running, false);
        }
        self.end(&Ending::Panic(&Panic::caught(&*payload)), None);
        resume_unwind(payload);
    }

    /// Polls a future or a stream while the span is current: `poll` says whether it is pending. A panic ends the span
    /// here: what is polled may be dropped much later, by whoever catches it.
    pub(in crate::span) fn poll(&mut self, poll: &mut dyn FnMut() -> bool) {
        if self.has_blocks {
            return self.poll_with_blocks(poll);
        }
        let attached = self.attach();
        let polled = caught(poll);
        drop(attached);
        if let Err(payload) = polled {
            self.end_by_panic(None, payload);
        }
    }

    fn poll_with_blocks(&mut self, poll: &mut dyn FnMut() -> bool) {
        let running = if self.is_disabled() { None } else { Some(self.enter_body()) };
        match caught(poll) {
            Ok(is_pending) => self.pause(running, is_pending),
            Err(payload) => self.end_by_panic(running, payload),
        }
    }

    /// The body has been polled.
    fn pause(&mut self, running: Option<Attached>, is_pending: bool) {
        match running {
            Some(running) => self.leave(running, is_pending),
            // Recording may have started in it, with blocks that are on the thread now.
            None if is_pending && enabled::is_enabled() => {
                self.extra().frame.pause(FrameMark::UNRECORDED);
            }
            None => {}
        }
    }

    /// The span, for what goes on after its function has returned: the blocks in that are done.
    pub(in crate::span) fn take_for_returned(&mut self) -> Self {
        self.restore_context();
        if std::mem::take(&mut self.has_blocks)
            && let Some(extra) = &mut self.extra
        {
            extra.frame.end(&Ending::Value(None));
        }
        std::mem::replace(self, Self::DISABLED)
    }

    /// Drops a future or a stream inside its span, and ends the span if it was not done. A stream that has
    /// yielded an error has failed, and was not cancelled.
    #[inline]
    pub(in crate::span) fn cancel(&mut self, drop: &mut dyn FnMut()) {
        if !self.has_no_effect() {
            self.cancel_within(drop);
        }
    }

    fn cancel_within(&mut self, drop: &mut dyn FnMut()) {
        if self.is_open() {
            let running = self.enter_body_once(true);
            match caught(drop) {
                Ok(()) => self.leave(running, false),
                Err(payload) => self.end_by_panic(Some(running), payload),
            }
            let ending = if self.failed { Ending::Value(None) } else { Ending::Cancelled };
            self.end(&ending, None);
        }
    }

    /// Makes the context again that was taken.
    fn restore_context(&mut self) {
        if let (None, Some(slot)) = (&self.context, self.slot) {
            let handle = Handle::of(slot);
            self.context = handle.map(|handle| context::current().with_span(handle));
        }
    }
}
