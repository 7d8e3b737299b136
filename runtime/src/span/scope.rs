//! A started span, and the ways to make it current.

use std::panic::resume_unwind;
use std::task::Poll;
use std::thread::panicking;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::Stream;
use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt};

use super::block::{Block, Entered, Frame};
use super::callsite::Start;
use super::device::Window;
use super::ending::{Ending, Target};
use super::open::{self, Open};
use super::panic::{Panic, caught, contained};
use super::recorder::{Begun, Recorder};
use super::{SpanFuture, SpanGuard, SpanStream};
use crate::attribute::Attributes;
use crate::context;
use crate::device::Device;
use crate::outcome::Outcome;
use crate::recorder::Place;

/// A span that has started. It is current while what it is given runs, and ends with it.
///
/// Where nothing records it is nothing: running a body in it costs a branch.
#[derive(Debug)]
#[must_use = "a span that runs nothing ends at once"]
pub struct Span {
    /// What becomes current; `None` leaves the context alone.
    pub(super) context: Option<Context>,
    recording: Option<Recording>,
    /// Whether blocks in the body may be spans.
    has_blocks: bool,
    /// Those spans.
    frame: Frame,
}

#[derive(Debug)]
struct Recording {
    way: Way,
    /// Whether the thread was unwinding before the span started: that panic is not ours.
    was_panicking: bool,
    /// Whether it failed while it went on: a stream yielded an error.
    failed: bool,
    /// The device whose work the span lasts for as well.
    device: Option<Box<Window>>,
}

/// Where the span is.
#[derive(Debug)]
enum Way {
    /// In a slot of ours.
    Slot(Place),
    Provided(Box<Provided>),
}

/// A span of a provider's.
#[derive(Debug)]
struct Provided {
    /// The span that it was started in: its parent, unless it is a root.
    outer: SpanId,
    /// The entry among the spans to end at shutdown.
    open: Option<Open>,
}

impl Recording {
    #[inline]
    fn target<'a>(&self, context: &'a Context) -> Target<'a> {
        match &self.way {
            Way::Slot(place) => Target::of(context, SpanId::INVALID, Some(*place)),
            Way::Provided(provided) => Target::of(context, provided.outer, None),
        }
    }
}

impl Span {
    pub(crate) const OFF: Self =
        Self { context: None, recording: None, has_blocks: false, frame: Frame::NEW };

    /// No span of its own: what runs in it continues this context.
    #[doc(hidden)]
    pub fn continued(context: Context) -> Self {
        Self { context: Some(context), recording: None, has_blocks: false, frame: Frame::NEW }
    }

    /// A span that starts now, or what stands for it when nothing records it.
    pub(super) fn begin(mut start: Start, attributes: &mut dyn FnMut(&mut Attributes)) -> Self {
        if !context::is_alive() {
            return Self::OFF;
        }
        let (parent, outer) = start.context();
        let outer = outer.as_ref().unwrap_or(&parent);
        if Recorder::prunes_under(parent.span().span_context()) {
            return Self::unrecorded(start);
        }
        let Some(recorder) = Recorder::of(&parent) else {
            return Self::unrecorded(start);
        };
        let Begun { context, records, place } = recorder.start(start, &parent, outer, attributes);
        let way = match place {
            Some(place) => Some(Way::Slot(place)),
            None if records => Some(Way::Provided(Box::new(Provided {
                outer: outer.span().span_context().span_id(),
                open: recorder.is_installed().then(|| open::add(context.clone())),
            }))),
            None => None,
        };
        let recording = way.map(|way| Recording {
            way,
            was_panicking: panicking(),
            failed: false,
            device: None,
        });
        if recorder.is_uninstalled() {
            open::interrupt(&context);
        }
        Self { context: Some(context), recording, has_blocks: false, frame: Frame::NEW }
    }

    /// What stands for a span that nothing records.
    #[inline]
    pub(super) fn unrecorded(start: Start) -> Self {
        start.parent.map_or(Self::OFF, Self::continued)
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
        if self.recording.as_ref().is_some_and(|recording| recording.device.is_none()) {
            device(OnDevice(&mut self));
        }
        self
    }

    /// What is given to the device from now on is not the span's.
    pub(super) fn leave_device(&mut self) {
        let recording = self.recording.as_mut();
        if let Some(window) = recording.and_then(|recording| recording.device.as_mut()) {
            window.close();
        }
    }

    /// Whether it does nothing, and nothing inside it may.
    #[inline]
    fn is_nothing(&self) -> bool {
        self.context.is_none() && self.recording.is_none() && !self.has_blocks
    }

    /// Runs a body in the span, which ends when the body returns or panics. `outcome` looks at the
    /// result and says whether it is a failure.
    #[inline]
    pub fn run<T>(self, body: impl FnOnce() -> T, outcome: impl FnOnce(&T) -> Outcome) -> T {
        if self.is_nothing() {
            std::mem::forget(self);
            return body();
        }
        self.run_within(body, outcome)
    }

    #[inline(never)]
    fn run_within<T>(mut self, body: impl FnOnce() -> T, outcome: impl FnOnce(&T) -> Outcome) -> T {
        let value = self.call_within(body);
        self.end_by(value, outcome)
    }

    /// Ends the span by the value that its body came to.
    #[inline]
    pub(super) fn end_by<T>(mut self, value: T, outcome: impl FnOnce(&T) -> Outcome) -> T {
        if self.is_nothing() {
            std::mem::forget(self);
        } else if self.asks() {
            self.finish(outcome(&value));
        }
        value
    }

    /// Runs a body in the span, and leaves the span open for what the body returns.
    #[doc(hidden)]
    #[inline]
    pub fn call<T>(&mut self, body: impl FnOnce() -> T) -> T {
        if self.is_nothing() { body() } else { self.call_within(body) }
    }

    #[inline(never)]
    fn call_within<T>(&mut self, body: impl FnOnce() -> T) -> T {
        if self.is_off() {
            return body();
        }
        let (mut body, mut value) = (Some(body), None);
        self.within(&mut || {
            value = body.take().map(|body| body());
            false
        });
        match value {
            Some(value) => value,
            None => unreachable!("the body has run"),
        }
    }

    /// The future in this span, which is current during each poll, and ends when the future is
    /// ready or dropped.
    pub fn follow<F, O>(self, future: F, outcome: O) -> SpanFuture<F, O>
    where
        F: Future,
        O: FnOnce(&F::Output) -> Outcome,
    {
        SpanFuture { future: Some(future), span: self, outcome: Some(outcome) }
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

    /// Runs something while the span is current; a panic ends the span and goes on. The body says
    /// whether it pauses: whether it goes on later, maybe on another thread.
    ///
    /// Not generic, so that it is compiled once: an application has thousands of spans.
    pub(super) fn within(&mut self, body: &mut dyn FnMut() -> bool) {
        let attached = self.context.clone().and_then(context::attach);
        if !self.records() && !self.has_blocks {
            body();
            return;
        }
        let entered = self.has_blocks.then(|| self.frame.enter());
        let caught = caught(body);
        if let Some(entered) = entered {
            self.frame.leave(entered, matches!(caught, Ok(true)));
        }
        drop(attached);
        if let Err(payload) = caught {
            self.end(&Ending::Panic(&Panic::caught(&*payload)), None);
            resume_unwind(payload);
        }
    }

    /// Polls a future or a stream while the span is current. A panic ends the span here: what is
    /// polled may be dropped much later, by whoever catches it.
    #[inline]
    pub(super) fn poll<T>(&mut self, mut poll: impl FnMut() -> Poll<T>) -> Poll<T> {
        if self.is_nothing() { poll() } else { self.poll_within(poll) }
    }

    #[inline(never)]
    fn poll_within<T>(&mut self, mut poll: impl FnMut() -> Poll<T>) -> Poll<T> {
        if self.is_off() {
            let polled = poll();
            // Recording may have started in it, with blocks that are on the thread now.
            if self.has_blocks && polled.is_pending() && Recorder::any() {
                self.frame.pause(Entered::UNRECORDED);
            }
            return polled;
        }
        let mut polled = Poll::Pending;
        self.within(&mut || {
            polled = poll();
            polled.is_pending()
        });
        polled
    }

    /// The span, for what goes on after its function has returned: the blocks in that are done.
    pub(super) fn hand_on(mut self) -> Self {
        if std::mem::take(&mut self.has_blocks) {
            self.frame.end(&Ending::Value(None));
        }
        self
    }

    /// Whether it does nothing at all.
    #[inline]
    pub(super) fn is_off(&self) -> bool {
        let is_idle = || !Recorder::any() && !self.frame.is_paused();
        self.context.is_none() && (!self.has_blocks || is_idle())
    }

    #[inline]
    pub(super) fn records(&self) -> bool {
        self.recording.is_some()
    }

    /// Whether the outcome of the body matters to anyone.
    #[inline]
    pub(crate) fn asks(&self) -> bool {
        self.records() || self.frame.has_left()
    }

    /// Ends the span by what its body came to.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        let Outcome { failure, attributes } = outcome;
        self.set(attributes);
        self.end(&Ending::Value(failure.as_ref()), None);
    }

    /// Records what an item of a stream came to; the stream goes on.
    pub(super) fn note(&mut self, outcome: Outcome) {
        let Outcome { failure, attributes } = outcome;
        self.set(attributes);
        if let (Some(context), Some(recording)) = (&self.context, &mut self.recording) {
            Ending::Value(failure.as_ref()).mark(recording.target(context));
            recording.failed |= failure.is_some();
        }
    }

    /// Drops a future or a stream inside its span, and ends the span if it was not done. A stream that has
    /// yielded an error has failed, and was not cancelled.
    #[inline]
    pub(super) fn cancel(&mut self, drop: &mut dyn FnMut()) {
        if !self.is_nothing() {
            self.cancel_within(drop);
        }
    }

    fn cancel_within(&mut self, drop: &mut dyn FnMut()) {
        if self.records() || self.frame.is_paused() {
            self.within(&mut || {
                drop();
                false
            });
            let failed = self.recording.as_ref().is_some_and(|recording| recording.failed);
            let ending = if failed { Ending::Value(None) } else { Ending::Cancelled };
            self.end(&ending, None);
        }
    }

    /// This moment, by the clock of the span.
    pub(super) fn now(&self) -> SystemTime {
        let nanos = match &self.recording {
            Some(Recording { way: Way::Slot(place), .. }) => place.with(|span| span.now()),
            _ => None,
        };
        nanos.map_or_else(SystemTime::now, |nanos| UNIX_EPOCH + Duration::from_nanos(nanos))
    }

    fn set(&self, attributes: Option<Box<Attributes>>) {
        if let (Some(context), Some(recording), Some(attributes)) =
            (&self.context, &self.recording, attributes)
        {
            let target = recording.target(context);
            attributes.into_vec().into_iter().for_each(|pair| target.set_attribute(pair));
        }
    }

    /// Ends the span, and the blocks in it that were left early: they left it with this ending.
    pub(super) fn end(&mut self, ending: &Ending<'_>, at: Option<SystemTime>) {
        let seen = self.frame.end(ending);
        let ending = ending.or(seen.as_deref());
        if let (Some(context), Some(recording)) = (&self.context, self.recording.take()) {
            let target = recording.target(context);
            ending.mark(target);
            match (recording.device, recording.way) {
                (None, _) => target.end(at),
                (Some(window), Way::Slot(_)) => window.end(None),
                (Some(window), Way::Provided(provided)) => window.end(provided.open),
            }
        }
    }
}

/// A span that records, and is to have a device.
#[doc(hidden)]
#[derive(Debug)]
pub struct OnDevice<'a>(&'a mut Span);

impl OnDevice<'_> {
    /// It lasts as long as this one works.
    #[inline(never)]
    pub fn lasts<D: Device>(self, device: &D) {
        if let (Some(context), Some(recording)) = (&self.0.context, &mut self.0.recording)
            && contained(|| device.is_there()) != Some(false)
            && let Some(recorder) = Recorder::of(context)
        {
            let (window, context) = Window::open(device, context, recorder.reaper());
            recording.device = Some(Box::new(window));
            self.0.context = Some(context);
        }
    }
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        if self.recording.is_none() && !self.has_blocks {
            return;
        }
        match &self.recording {
            Some(recording) if panicking() && !recording.was_panicking => {
                self.end(&Ending::Panic(&Panic::unwinding()), None);
            }
            _ => self.end(&Ending::Value(None), None),
        }
    }
}
