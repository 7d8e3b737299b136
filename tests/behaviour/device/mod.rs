//! Spans with a device last until that has done its work, and nobody waits for it.

mod endings;
mod nesting;
mod shapes;
mod timing;

use std::borrow::Cow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry_sdk::trace::SpanData;
use spandrel::device::{Measurement, Timing};
use spandrel::testing::Recording;
use spandrel::{Device, Value, span};

/// A device that has done its work when the test says so.
struct Gpu(Mutex<Sender<Window>>);

/// A window that is closed, and that the device is asked about.
struct Window {
    start: Instant,
    answer: Sender<Option<Measurement>>,
    asked: Receiver<()>,
}

impl Gpu {
    fn new() -> (Self, Receiver<Window>) {
        let (closed, windows) = channel();
        (Self(Mutex::new(closed)), windows)
    }
}

impl Device for Gpu {
    type Window = (Instant, Sender<Window>);

    fn name(&self) -> Cow<'_, str> {
        "gpu:0".into()
    }

    fn start(&self) -> Self::Window {
        (Instant::now(), self.0.lock().expect("not poisoned").clone())
    }

    fn finish((start, closed): Self::Window) -> Timing {
        let (answer, answered) = channel();
        let (ask, asked) = channel();
        closed.send(Window { start, answer, asked }).expect("the test goes on");
        Timing::pending(move || {
            let _ = ask.send(());
            answered.recv().ok()?
        })
    }
}

impl Window {
    /// The work is done now; in case it is told much later, when that is.
    fn done(&self) -> Measurement {
        Measurement::between(self.start, Instant::now())
    }

    fn is_asked(&self) {
        self.asked.recv().expect("it will be");
    }

    fn tell(self, measurement: Measurement) {
        self.answer.send(Some(measurement)).expect("somebody asks");
    }
}

/// A device that is waited for, or cannot be asked at all.
struct Cpu(fn() -> Timing);

impl Device for Cpu {
    type Window = fn() -> Timing;

    fn name(&self) -> Cow<'_, str> {
        "cpu".into()
    }

    fn start(&self) -> Self::Window {
        self.0
    }

    fn finish(timing: Self::Window) -> Timing {
        timing()
    }
}

fn unmeasured() -> Timing {
    Timing::unmeasured()
}

fn value<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    let mut values = span.attributes.iter().filter(|attribute| attribute.key.as_str() == key);
    let value = values.next().map(|attribute| &attribute.value);
    assert!(values.next().is_none(), "{key} is told twice");
    value
}

fn timing(span: &SpanData) -> &str {
    match value(span, "spandrel.device.timing") {
        Some(Value::String(timing)) => timing.as_str(),
        other => panic!("{other:?}"),
    }
}

fn seconds(span: &SpanData, key: &str) -> f64 {
    match value(span, key) {
        Some(Value::F64(seconds)) => *seconds,
        other => panic!("{key}: {other:?}"),
    }
}

fn named<'a>(recording: &'a Recording, name: &str) -> &'a SpanData {
    recording.spans().iter().find(|span| span.name == name).expect("it is recorded")
}

fn is_inside(inner: &SpanData, outer: &SpanData) -> bool {
    outer.start_time <= inner.start_time && inner.end_time <= outer.end_time
}

/// What the clock says in the middle of some time that passes.
fn pass_time() -> SystemTime {
    thread::sleep(Duration::from_millis(5));
    let now = SystemTime::now();
    thread::sleep(Duration::from_millis(5));
    now
}

/// Says what is asked of it.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<&'static str>>>);

impl Noted {
    fn note(&self, what: &'static str) {
        self.0.lock().expect("not poisoned").push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().expect("not poisoned"))
    }
}

impl Device for Noted {
    type Window = Self;

    fn name(&self) -> Cow<'_, str> {
        "noted".into()
    }

    fn start(&self) -> Self::Window {
        self.note("start");
        self.clone()
    }

    fn finish(log: Self::Window) -> Timing {
        log.note("finish");
        Timing::pending(|| Some(Measurement::default()))
    }
}

#[span("launch", device(gpu), steps = 3, ok(|number| number = number))]
fn launch(gpu: &Gpu) -> Result<u32, String> {
    let _ = gpu;
    Ok(7)
}
