//! A started span: how it starts, what is recorded on it, and how it ends.

mod on_device;
mod running;
mod starting;

use std::thread::panicking;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::Context;

use super::body_frame::BodyFrame;
use super::device::Window;
use super::enabled;
use super::ending::Ending;
use super::panic::Panic;
use super::recorder::Started;
use super::seen_failures::SeenFailures;
use super::target::Target;
use crate::attribute::Attributes;
use crate::outcome::Outcome;
use crate::recorder::SlotRef;
pub(super) use running::Attached;

/// A span that has started. It is current while what it is given runs, and ends with it.
///
/// Where nothing records it is nothing: running a body in it costs a branch.
// Part of each future that is a span: what is rarely there is in `extra`.
#[expect(clippy::struct_excessive_bools, reason = "a byte each, in what is part of each future")]
#[derive(Debug)]
#[must_use = "a span that runs nothing ends at once"]
pub struct ActiveSpan {
    /// What becomes current; `None` leaves the context alone, or has become current for the only time.
    pub(super) context: Option<Context>,
    /// The slot of the span, if it is in one and not ended.
    slot: Option<SlotRef>,
    extra: Option<Box<RareParts>>,
    /// Whether blocks in the body may be spans.
    has_blocks: bool,
    /// Whether the thread was unwinding before the span started: that panic is not ours.
    was_panicking: bool,
    /// Whether it failed while it went on: a stream yielded an error.
    failed: bool,
    /// Whether the context is the one that was current when the span started, with the span.
    is_under_current: bool,
}

/// What few spans have.
#[derive(Debug, Default)]
struct RareParts {
    /// The span, if it is a provider's and not ended.
    provided: Option<ProviderSpan>,
    /// The device whose work the span lasts for as well.
    device: Option<Window>,
    /// The blocks in the body that are spans.
    frame: BodyFrame,
}

/// A span of a provider's.
#[derive(Debug)]
struct ProviderSpan {
    /// What the span remembers that it was started in, if that is a provider's too.
    outer: Option<SeenFailures>,
}

impl ActiveSpan {
    pub(crate) const DISABLED: Self = Self::in_context(None);

    const fn in_context(context: Option<Context>) -> Self {
        Self {
            context,
            slot: None,
            extra: None,
            has_blocks: false,
            was_panicking: false,
            failed: false,
            is_under_current: false,
        }
    }

    /// No span of its own: what runs in it continues this context.
    #[doc(hidden)]
    pub fn continued(context: Context) -> Self {
        Self::in_context(Some(context))
    }

    fn extra(&mut self) -> &mut RareParts {
        self.extra.get_or_insert_default()
    }

    fn target(&self) -> Option<Target<'_>> {
        if let Some(slot) = self.slot {
            return Some(Target::Slot(slot));
        }
        let provided = self.extra.as_ref()?.provided.as_ref()?;
        let context = self.context.as_ref()?;
        Some(Target::Provided { context, outer: provided.outer.as_ref() })
    }

    /// Whether it does nothing, and nothing inside it may.
    #[inline]
    pub(super) fn has_no_effect(&self) -> bool {
        self.context.is_none() && !self.has_blocks && !self.records()
    }

    /// Whether it does nothing at all.
    #[inline]
    pub(super) fn is_disabled(&self) -> bool {
        let is_idle = || !enabled::is_enabled() && !self.is_paused();
        self.context.is_none() && (!self.has_blocks || is_idle())
    }

    #[inline]
    pub(super) fn records(&self) -> bool {
        self.slot.is_some() || self.extra.as_ref().is_some_and(|extra| extra.provided.is_some())
    }

    /// Whether blocks in the body are open while it does not run.
    #[inline]
    fn is_paused(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.frame.is_paused())
    }

    /// Whether the outcome of the body matters to anyone.
    #[inline]
    pub(crate) fn wants_outcome(&self) -> bool {
        self.records() || self.extra.as_ref().is_some_and(|extra| extra.frame.has_early_exits())
    }

    /// Ends the span by what its body came to.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        if let (Outcome { failure: None, attributes: None }, Some(slot), None) =
            (&outcome, self.slot, &self.extra)
        {
            // Most spans.
            self.slot = None;
            return slot.end(None);
        }
        let Outcome { failure, attributes } = outcome;
        self.set(attributes);
        self.end(&Ending::Value(failure.as_deref()), None);
    }

    /// Records what an item of a stream came to; the stream goes on.
    pub(super) fn record_item(&mut self, outcome: Outcome) {
        let Outcome { failure, attributes } = outcome;
        self.set(attributes);
        if let Some(target) = self.target() {
            Ending::Value(failure.as_deref()).mark(target);
            self.failed |= failure.is_some();
        }
    }

    /// Whether it, or a block in it, may not have ended yet.
    #[inline]
    pub(super) fn may_be_open(&self) -> bool {
        self.records() || self.has_blocks
    }

    /// Whether it, or a block in it, has not ended yet.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.records() || self.is_paused()
    }

    /// This moment, by the clock of the span.
    pub(super) fn now(&self) -> SystemTime {
        let nanos = self.slot.and_then(|slot| slot.with(|span| span.now()));
        nanos.map_or_else(SystemTime::now, |nanos| UNIX_EPOCH + Duration::from_nanos(nanos))
    }

    pub(super) fn set(&self, attributes: Option<Box<Attributes>>) {
        if let (Some(target), Some(attributes)) = (self.target(), attributes) {
            attributes.into_vec().into_iter().for_each(|pair| target.set_attribute(pair));
        }
    }

    /// Ends the span, and the blocks in it that were left early: they left it with this ending.
    pub(super) fn end(&mut self, ending: &Ending<'_>, at: Option<SystemTime>) {
        let seen = self.extra.as_mut().and_then(|extra| extra.frame.end(ending));
        let ending = ending.or(seen.as_deref());
        let Some(target) = self.target() else { return };
        ending.mark(target);
        if self.extra.as_ref().is_none_or(|extra| extra.device.is_none()) {
            target.end(at);
        }
        self.slot = None;
        if let Some(window) = self.extra.take().and_then(|extra| extra.device) {
            window.end();
        }
    }
}

impl Started for ActiveSpan {
    #[inline]
    fn started(&mut self, context: Context, slot: Option<SlotRef>) {
        self.context = Some(context);
        self.slot = slot;
    }

    fn started_by_provider(&mut self, context: Context, outer: Option<SeenFailures>) {
        self.context = Some(context.with_value(SeenFailures::default()));
        self.extra().provided = Some(ProviderSpan { outer });
    }
}

impl Drop for ActiveSpan {
    #[inline]
    fn drop(&mut self) {
        if !self.records() && !self.has_blocks {
            return;
        }
        if self.records() && panicking() && !self.was_panicking {
            self.end(&Ending::Panic(&Panic::unwinding()), None);
        } else {
            self.end(&Ending::Value(None), None);
        }
    }
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::ActiveSpan;

    #[test]
    fn a_span_is_small() {
        assert_eq!(size_of::<ActiveSpan>(), 56, "it is part of each future");
    }
}
