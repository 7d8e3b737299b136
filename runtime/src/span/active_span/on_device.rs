//! Spans that last until a device has done its work.

use super::ActiveSpan;
use crate::device::Device;
use crate::span::device::Window;
use crate::span::panic::contained;
use crate::span::recorder::Recorder;

impl ActiveSpan {
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
    pub(in crate::span) fn close_device_window(&mut self) {
        if let Some(window) = self.extra.as_mut().and_then(|extra| extra.device.as_mut()) {
            window.close();
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
