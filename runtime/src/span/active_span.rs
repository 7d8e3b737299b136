//! A started span, and the ways to make it current.

use std::panic::resume_unwind;
use std::thread::panicking;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::Stream;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, ContextGuard};

use super::block::{Block, BodyFrame, FrameMark};
use super::callsite::{Callsite, Start};
use super::device::Window;
use super::enabled;
use super::ending::Ending;
use super::panic::{Panic, Payload, caught, contained};
use super::recorder::{CurrentRecorder, Forecast, Recorder};
use super::seen::SeenFailures;
use super::target::Target;
use super::{SpanFuture, SpanGuard, SpanStream};
use crate::attribute::Attributes;
use crate::context;
use crate::device::Device;
use crate::outcome::Outcome;
use crate::recorder::{Handle, SlotRef};

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
    extra: Option<Box<Extra>>,
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
struct Extra {
    /// The span, if it is a provider's and not ended.
    provided: Option<Provided>,
    /// The device whose work the span lasts for as well.
    device: Option<Window>,
    /// The blocks in the body that are spans.
    frame: BodyFrame,
}

/// What is current on the thread while the body of a span runs.
#[derive(Debug)]
#[must_use = "the span stays current"]
pub(super) struct Attached {
    attached: Option<ContextGuard>,
    /// Where the blocks in the body begin.
    blocks: Option<FrameMark>,
}

/// A span of a provider's.
#[derive(Debug)]
struct Provided {
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

    /// A span that starts now under the current one, or what stands for it when nothing records it.
    #[inline(never)]
    pub(super) fn begin_here(
        callsite: &'static Callsite,
        attributes: &mut dyn FnMut(&mut Attributes),
    ) -> Self {
        if !enabled::is_enabled() {
            return Self::DISABLED;
        }
        let context = match Recorder::forecast() {
            Forecast::Unsampled => return Self::DISABLED,
            Forecast::Root => Recorder::unsampled_root(),
            Forecast::Open => None,
        };
        match context {
            Some(context) => Self::continued(context),
            None => Self::begin(callsite.builder(), attributes),
        }
    }

    /// A span that starts now, or what stands for it when nothing records it.
    pub(super) fn begin(mut start: Start, attributes: &mut dyn FnMut(&mut Attributes)) -> Self {
        if !context::is_alive() {
            return Self::DISABLED;
        }
        let outer = match &start.parent {
            Some(context) => context.clone(),
            None => Context::current(),
        };
        let root = start.root.then(|| start.root_context(&outer));
        let parent = root.as_ref().unwrap_or(&outer);
        let recorder = if Recorder::prunes_under(parent.span().span_context()) {
            None
        } else {
            Recorder::of(parent)
        };
        match recorder {
            Some(recorder) => Self::record(&recorder, start, parent, &outer, attributes),
            None => start.parent.map_or(Self::DISABLED, Self::continued),
        }
    }

    // Not inlined, and returns in one place: so the span is made where it stays.
    #[inline(never)]
    fn record(
        recorder: &CurrentRecorder,
        start: Start,
        parent: &Context,
        outer: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
    ) -> Self {
        let mut span = Self::DISABLED;
        span.was_panicking = panicking();
        span.is_under_current = start.parent.is_none() && !start.root;
        if let Some(payload) = recorder.start(start, parent, outer, attributes, &mut span) {
            span.end_by_panic(None, payload);
        }
        if let Some(slot) = span.slot
            && recorder.is_uninstalled()
        {
            slot.interrupt();
        }
        span
    }

    /// It has started, and this is its context.
    #[inline]
    pub(super) fn started(&mut self, context: Context, slot: Option<SlotRef>) {
        self.context = Some(context);
        self.slot = slot;
    }

    /// It has started by a provider, and this is its context.
    pub(super) fn started_by_provider(&mut self, context: Context, outer: Option<SeenFailures>) {
        self.context = Some(context.with_value(SeenFailures::default()));
        self.extra().provided = Some(Provided { outer });
    }

    fn extra(&mut self) -> &mut Extra {
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

    /// The span lasts until this device has done the work that it is given in it. The device is
    /// asked for only where the span records. A span has one: after the first another is ignored.
    ///
    /// ```no_run
    /// # use std::borrow::Cow;
    /// # use spandrel::device::{Measurement, Timing};
    /// # struct Gpu;
    /// # impl Gpu { fn synchronize() {} }
    /// # impl spandrel::Device for Gpu {
    /// #     type Window = ();
    /// #     fn name(&self) -> Cow<'_, str> { "gpu".into() }
    /// #     fn start(&self) {}
    /// #     fn finish((): ()) -> Timing { Self::synchronize(); Timing::synchronized(Measurement::default()) }
    /// # }
    /// # fn launch(gpu: &Gpu) -> std::io::Result<()> { Ok(()) }
    /// use spandrel::{Callsite, Outcome, SpanKind};
    ///
    /// static STEP: Callsite = Callsite::new("step", SpanKind::Internal, "my-crate", None);
    ///
    /// let gpu = Gpu;
    /// let launched = STEP.start(|_| ()).on(|| &gpu).run(|| launch(&gpu), Outcome::of);
    /// ```
    #[inline]
    pub fn on<D: Device>(self, device: impl FnOnce() -> D) -> Self {
        self.on_device(|span| span.lasts(&device()))
    }

    /// As [`on`](Self::on), with a device that is borrowed from what is made to get at it.
    #[doc(hidden)]
    #[inline]
    pub fn on_device(mut self, device: impl FnOnce(OnDevice<'_>)) -> Self {
        if self.records() && self.extra.as_ref().is_none_or(|extra| extra.device.is_none()) {
            device(OnDevice(&mut self));
        }
        self
    }

    /// What is given to the device from now on is not the span's.
    pub(super) fn close_device_window(&mut self) {
        if let Some(window) = self.extra.as_mut().and_then(|extra| extra.device.as_mut()) {
            window.close();
        }
    }

    /// Whether it does nothing, and nothing inside it may.
    #[inline]
    pub(super) fn has_no_effect(&self) -> bool {
        self.context.is_none() && !self.has_blocks && !self.records()
    }

    /// Runs a body in the span, which ends when the body returns or panics. `outcome` looks at the
    /// result and says whether it is a failure.
    #[inline]
    pub fn run<T>(mut self, body: impl FnOnce() -> T, outcome: impl FnOnce(&T) -> Outcome) -> T {
        let value = self.call(body);
        self.end_with(value, outcome)
    }

    /// Ends the span by the value that its body came to.
    #[inline]
    pub(super) fn end_with<T>(&mut self, value: T, outcome: impl FnOnce(&T) -> Outcome) -> T {
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

    /// The future in this span, which is current during each poll, and ends when the future is
    /// ready or dropped.
    pub fn follow<F, O>(self, future: F, outcome: O) -> SpanFuture<F, O>
    where
        F: Future,
        O: FnOnce(&F::Output) -> Outcome,
    {
        SpanFuture::new(future, self, outcome, false)
    }

    /// The stream in this span, which is current during each poll, and ends when the stream has
    /// ended or is dropped. `outcome` looks at each item.
    pub fn follow_stream<S, O>(self, stream: S, outcome: O) -> SpanStream<S, O>
    where
        S: Stream,
        O: Fn(&S::Item) -> Outcome,
    {
        SpanStream { stream: Some(stream), span: self, outcome }
    }

    /// Makes the span current until the guard is dropped, which ends it.
    pub fn enter(self) -> SpanGuard {
        SpanGuard::new(self)
    }

    /// The span for a block inside of a function.
    #[doc(hidden)]
    pub fn block(self) -> Block {
        Block::new(self)
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
    pub(super) fn enter_body_once(&mut self, may_outlast: bool) -> Attached {
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
    pub(super) fn leave(&mut self, running: Attached, pauses: bool) {
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
    pub(super) fn end_by_panic(&mut self, running: Option<Attached>, payload: Payload) -> ! {
        if let Some(running) = running {
            self.leave(running, false);
        }
        self.end(&Ending::Panic(&Panic::caught(&*payload)), None);
        resume_unwind(payload);
    }

    /// Polls a future or a stream while the span is current: `poll` says whether it is pending. A panic ends the span
    /// here: what is polled may be dropped much later, by whoever catches it.
    pub(super) fn poll(&mut self, poll: &mut dyn FnMut() -> bool) {
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
    pub(super) fn take_for_returned(&mut self) -> Self {
        self.restore_context();
        if std::mem::take(&mut self.has_blocks)
            && let Some(extra) = &mut self.extra
        {
            extra.frame.end(&Ending::Value(None));
        }
        std::mem::replace(self, Self::DISABLED)
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

    /// Makes the context again that was taken.
    fn restore_context(&mut self) {
        if let (None, Some(slot)) = (&self.context, self.slot) {
            let handle = Handle::of(slot);
            self.context = handle.map(|handle| context::current().with_span(handle));
        }
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

    /// Drops a future or a stream inside its span, and ends the span if it was not done. A stream that has
    /// yielded an error has failed, and was not cancelled.
    #[inline]
    pub(super) fn cancel(&mut self, drop: &mut dyn FnMut()) {
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

/// A span that records, and is to have a device.
#[doc(hidden)]
#[derive(Debug)]
pub struct OnDevice<'a>(&'a mut ActiveSpan);

impl OnDevice<'_> {
    /// It lasts as long as this one works.
    #[inline(never)]
    pub fn lasts<D: Device>(self, device: &D) {
        if let Some(context) = &self.0.context
            && contained(|| device.is_there()) != Some(false)
            && let Some(recorder) = Recorder::of(context)
        {
            let (window, context) = Window::open(device, context, recorder.device_waiter());
            self.0.extra().device = Some(window);
            self.0.context = Some(context);
        }
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
