//! Accelerators, which work on after the call that started the work has returned: what `device(…)`
//! of [`#[span]`](macro@crate::span) takes.
//!
//! ```
//! use std::borrow::Cow;
//! use std::sync::mpsc;
//! use std::thread;
//! use std::time::Instant;
//!
//! use spandrel::Device;
//! use spandrel::device::{Measurement, Timing};
//! use spandrel::span;
//!
//! /// A queue of work, done by a thread.
//! struct Queue(mpsc::Sender<Box<dyn FnOnce() + Send>>);
//!
//! impl Queue {
//!     /// When the work that is queued before this is done.
//!     fn event(&self) -> mpsc::Receiver<Instant> {
//!         let (tell, event) = mpsc::channel();
//!         let _ = self.0.send(Box::new(move || {
//!             let _ = tell.send(Instant::now());
//!         }));
//!         event
//!     }
//! }
//!
//! impl Device for Queue {
//!     type Window = (Self, mpsc::Receiver<Instant>);
//!
//!     fn name(&self) -> Cow<'_, str> {
//!         "queue".into()
//!     }
//!
//!     fn start(&self) -> Self::Window {
//!         (Self(self.0.clone()), self.event())
//!     }
//!
//!     fn finish((queue, start): Self::Window) -> Timing {
//!         let end = queue.event();
//!         // Called later, on another thread: it may wait.
//!         Timing::pending(move || Some(Measurement::between(start.recv().ok()?, end.recv().ok()?)))
//!     }
//! }
//!
//! #[span("denoise", device(queue))]
//! fn denoise(queue: &Queue) {
//!     let _ = queue.0.send(Box::new(|| thread::sleep(std::time::Duration::from_millis(20))));
//! }
//!
//! let (queue, work) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
//! thread::spawn(move || work.into_iter().for_each(|work| work()));
//!
//! let recording = spandrel::testing::record(|| denoise(&Queue(queue)));
//! let span = &recording.spans()[0];
//! let taken = span.end_time.duration_since(span.start_time).expect("it goes forward");
//! assert!(taken.as_millis() >= 20);
//! assert_eq!(
//!     recording.to_string(),
//!     "denoise spandrel.device.name=\"queue\" spandrel.device.timing=\"events\"\n"
//! );
//! ```

use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;

/// Something that works on after the calls that give it work have returned: a GPU, a stream of one,
/// a pool of workers. A span with one lasts until that work is done.
///
/// None of this runs where the span is not recorded. A panic in it is contained: the span is
/// [unmeasured](Timing::unmeasured) then. [The module](self) has an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a device whose work a span can cover",
    label = "not a `spandrel::Device`",
    note = "implement `spandrel::Device` for it",
    note = "for a device of burn's, write `device(spandrel_burn::of(&device))`, with the crate \
            `spandrel-burn`"
)]
pub trait Device {
    /// What is kept while the window is open: it owns what [`finish`](Self::finish) needs. One that
    /// is dropped was not finished.
    type Window: Send + 'static;

    /// The device's name, as `spandrel.device.name`.
    fn name(&self) -> Cow<'_, str>;

    /// Opens a window over the work that is given to the device from now on, on the thread where
    /// the span starts. It should not wait for the device.
    fn start(&self) -> Self::Window;

    /// Closes the window behind the work that was given to the device until now. Called once, on
    /// the thread where the span's body has come to its end, in whichever way. It should not wait
    /// for the device where that can tell later what it did; else it waits, and
    /// [says so](Timing::synchronized).
    fn finish(window: Self::Window) -> Timing;

    /// Whether there is a device at all. Where there is none, as in an `Option`, the span is as it
    /// were without.
    fn is_there(&self) -> bool {
        true
    }
}

impl<D: Device + ?Sized> Device for &D {
    type Window = D::Window;

    fn name(&self) -> Cow<'_, str> {
        (**self).name()
    }

    fn start(&self) -> D::Window {
        (**self).start()
    }

    fn finish(window: D::Window) -> Timing {
        D::finish(window)
    }

    fn is_there(&self) -> bool {
        (**self).is_there()
    }
}

impl<D: Device + ?Sized> Device for Arc<D> {
    type Window = D::Window;

    fn name(&self) -> Cow<'_, str> {
        (**self).name()
    }

    fn start(&self) -> D::Window {
        (**self).start()
    }

    fn finish(window: D::Window) -> Timing {
        D::finish(window)
    }

    fn is_there(&self) -> bool {
        (**self).is_there()
    }
}

impl<D: Device> Device for Option<D> {
    type Window = Option<D::Window>;

    fn name(&self) -> Cow<'_, str> {
        self.as_ref().map_or(Cow::Borrowed(""), D::name)
    }

    fn start(&self) -> Self::Window {
        self.as_ref().map(D::start)
    }

    fn finish(window: Self::Window) -> Timing {
        window.map_or_else(Timing::unmeasured, D::finish)
    }

    fn is_there(&self) -> bool {
        self.as_ref().is_some_and(D::is_there)
    }
}

/// How the time of a device's work is known, as `spandrel.device.timing`.
#[must_use = "it is what `finish` returns"]
pub struct Timing(pub(crate) How);

pub(crate) enum How {
    Pending(Resolve),
    Synchronized(Measurement),
    Unmeasured,
}

pub(crate) type Resolve = Box<dyn FnOnce() -> Option<Measurement> + Send>;

impl Timing {
    /// The device tells later: `events`. `resolve` is called on a thread of this crate's, which
    /// asks one device after the other, and may wait there for as long as the work takes. `None`:
    /// it could not be measured.
    pub fn pending(resolve: impl FnOnce() -> Option<Measurement> + Send + 'static) -> Self {
        Self(How::Pending(Box::new(resolve)))
    }

    /// [`Device::finish`] has waited until the work was done: `synchronized`.
    pub fn synchronized(measurement: Measurement) -> Self {
        Self(How::Synchronized(measurement))
    }

    /// Nobody can tell when the work is done: `unmeasured`. The span ends with its body.
    pub fn unmeasured() -> Self {
        Self(How::Unmeasured)
    }
}

impl Debug for Timing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            How::Pending(_) => f.write_str("Pending"),
            How::Synchronized(measurement) => {
                f.debug_tuple("Synchronized").field(measurement).finish()
            }
            How::Unmeasured => f.write_str("Unmeasured"),
        }
    }
}

/// What a device tells of a window: as much of it as it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it is what a device tells"]
pub struct Measurement {
    pub(crate) end: Option<Instant>,
    pub(crate) time: Option<Duration>,
    memory_peak: Option<u64>,
    memory_used: Option<u64>,
    memory_reserved: Option<u64>,
    compilation: Option<Duration>,
}

impl Measurement {
    /// The device came to the start of the window and to its end then, on the host's clock.
    pub fn between(start: Instant, end: Instant) -> Self {
        let time = Some(end.saturating_duration_since(start));
        Self { end: Some(end), time, ..Self::default() }
    }

    /// From the start of the window to its end the device took this long. For one that cannot say
    /// when that was: the span ends that long after its start, or with its body if that is later.
    pub fn lasting(time: Duration) -> Self {
        Self { time: Some(time), ..Self::default() }
    }

    /// With the most memory that was in use in the window, in bytes.
    pub fn memory_peak(self, bytes: u64) -> Self {
        Self { memory_peak: Some(bytes), ..self }
    }

    /// With the memory in use at the end of the window, in bytes.
    pub fn memory_used(self, bytes: u64) -> Self {
        Self { memory_used: Some(bytes), ..self }
    }

    /// With the memory that the allocator held at the end of the window, in bytes, used or not.
    pub fn memory_reserved(self, bytes: u64) -> Self {
        Self { memory_reserved: Some(bytes), ..self }
    }

    /// With the time that compiling kernels took. None is recorded where none were compiled.
    pub fn compilation(self, time: Duration) -> Self {
        Self { compilation: Some(time).filter(|time| !time.is_zero()), ..self }
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = KeyValue> + use<> {
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let seconds = [(key::TIME, self.time), (key::COMPILATION, self.compilation)];
        let memory = [
            (key::MEMORY_PEAK, self.memory_peak),
            (key::MEMORY_USED, self.memory_used),
            (key::MEMORY_RESERVED, self.memory_reserved),
        ];
        let seconds = seconds
            .into_iter()
            .filter_map(|(key, time)| Some(KeyValue::new(key, time?.as_secs_f64())));
        let memory = memory
            .into_iter()
            .filter_map(move |(key, value)| Some(KeyValue::new(key, bytes(value?))));
        seconds.chain(memory)
    }
}

/// The attributes of a span with a device. Times are in seconds, sizes in bytes.
pub(crate) mod key {
    pub(crate) const NAME: &str = "spandrel.device.name";
    pub(crate) const TIMING: &str = "spandrel.device.timing";
    /// How long the program's thread was held up by opening and closing the window.
    pub(crate) const WAIT: &str = "spandrel.device.wait";
    /// From when the device came to the start of the window to when it came to its end.
    pub(crate) const TIME: &str = "spandrel.device.time";
    pub(crate) const COMPILATION: &str = "spandrel.device.compilation";
    pub(crate) const MEMORY_PEAK: &str = "spandrel.device.memory.peak";
    pub(crate) const MEMORY_USED: &str = "spandrel.device.memory.used";
    pub(crate) const MEMORY_RESERVED: &str = "spandrel.device.memory.reserved";

    /// Whether what is recorded there is another figure each time.
    pub(crate) fn is_measured(key: &str) -> bool {
        let measured = [WAIT, TIME, COMPILATION, MEMORY_PEAK, MEMORY_USED, MEMORY_RESERVED];
        measured.contains(&key)
    }
}
