//! The span of a block inside a function, current until the block is left.

use std::time::SystemTime;

use super::ActiveSpan;
use super::body_frame::{LeftEarly, enter_block, leave_block, wait_for_frame};
use super::ending::Ending;
use crate::attribute::Attributes;
use crate::context;
use crate::outcome::{Fallible, Outcome};

/// The span of a block, current until this is dropped.
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct Block(Option<ActiveSpan>);

impl Block {
    pub(super) fn new(span: ActiveSpan) -> Self {
        let Some(attached) = span.context.clone().and_then(context::attach) else {
            return Self(None);
        };
        enter_block(attached);
        Self(Some(span))
    }

    /// Ends the span by the value that the block came to.
    pub fn end<T>(mut self, value: &T, outcome: impl FnOnce(&T) -> Outcome) {
        if let Some(mut span) = self.leave()
            && span.records()
        {
            span.finish(outcome(value));
        }
    }

    /// Ends the span when the error that is about to leave the block is an expected one.
    pub fn end_if(&mut self, expected: impl FnOnce() -> bool) {
        if self.0.is_some() && expected() {
            drop(self.leave());
        }
    }

    /// Records attributes of the error that is about to leave the block.
    pub fn record_error<R: Fallible>(
        &self,
        value: &R,
        attributes: impl FnOnce(&mut Attributes, &R::Error),
    ) {
        if let (Some(span), Some(error)) = (&self.0, value.error())
            && span.records()
        {
            let mut list = Box::<Attributes>::default();
            attributes(&mut list, error);
            span.set(Some(list));
        }
    }

    fn leave(&mut self) -> Option<ActiveSpan> {
        let span = self.0.take()?;
        leave_block();
        Some(span)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let Some(mut span) = self.leave() else { return };
        if span.records() {
            span.close_device_window();
            let at = span.now();
            wait_for_frame(Box::new(span), at);
        }
    }
}

impl LeftEarly for ActiveSpan {
    fn end(&mut self, ending: &Ending<'_>, at: SystemTime) {
        ActiveSpan::end(self, ending, Some(at));
    }
}

impl ActiveSpan {
    /// The span for a block inside of a function.
    #[doc(hidden)]
    pub fn block(self) -> Block {
        Block::new(self)
    }
}
