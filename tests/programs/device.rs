//! Work on a device, which comes to it, or not, while the program ends in the way its argument says.

use std::borrow::Cow;
use std::process::exit;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::{Context, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanExporter, SpanProcessor};
use spandrel::device::{Measurement, Timing};
use spandrel::{Config, Device, span};

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    if how == "own-sdk" {
        return own_sdk();
    }
    let config = Config::new("device");
    let config = config.grace(Duration::from_secs(2)).flush(Duration::from_secs(1));
    let config = if how == "keep" { config.sample(0.0).keep_errors() } else { config };
    let config = if how == "panics" { config.processor(Panics) } else { config };
    let app = spandrel::install(config);
    let queue = Queue::new();
    match how.as_str() {
        "return" => launch(&queue, Duration::from_millis(200)),
        "never" => {
            launch(&queue, Duration::from_millis(1));
            outer(&queue, || launch(&queue, NEVER));
        }
        "flush" => {
            launch(&queue, Duration::from_millis(200));
            println!("{}", spandrel::flush(Duration::from_millis(20)).is_complete());
            println!(
                "{} {:?}",
                spandrel::flush(Duration::from_secs(20)).is_complete(),
                spandrel::stats()
            );
        }
        "keep" => {
            let _ = request(&queue, Err("it failed"));
            let _ = request(&queue, Ok(()));
        }
        "killed" => killed(&queue),
        "asks" => asks(Asks),
        "full" => full(&queue),
        "stuck" => {
            launch(&queue, NEVER);
            thread::sleep(Duration::from_millis(10_100));
            (0..2).for_each(|_| launch(&queue, NEVER));
        }
        "panics" => outer(&queue, || launch(&queue, Duration::from_millis(10))),
        "forks-inside" => forks_inside(&queue),
        "forks" => forks(&queue),
        other => panic!("unknown: {other}"),
    }
    drop(app);
}

#[span("launch", device(queue))]
fn launch(queue: &Queue, work: Duration) {
    queue.give(move || thread::sleep(work));
}

#[span("outer", device(queue))]
fn outer(queue: &Queue, body: impl FnOnce()) {
    let _ = queue;
    body();
}

const NEVER: Duration = Duration::from_hours(1);

/// It returns, and has failed or not, before the device has done anything.
#[span("request")]
fn request(queue: &Queue, outcome: Result<(), &'static str>) -> Result<(), &'static str> {
    launch(queue, Duration::from_millis(100));
    outcome
}

/// More than the device can do before the end.
#[span("killed")]
fn killed(queue: &Queue) {
    (0..100).for_each(|_| launch(queue, Duration::from_millis(20)));
    println!("waiting");
    thread::sleep(Duration::from_secs(30));
}

fn forks(queue: &Queue) {
    launch(queue, Duration::from_millis(200));
    match fork::fork().expect("it forks") {
        fork::Fork::Child => {
            launch(&Queue::new(), Duration::from_millis(200));
            assert!(spandrel::flush(Duration::from_secs(20)).is_complete());
            exit(0);
        }
        fork::Fork::Parent(process) => {
            assert_eq!(fork::waitpid(process).expect("it ends"), 0);
        }
    }
}

/// The spans of the device that wait in the parent are nothing to the child.
fn forks_inside(queue: &Queue) {
    let mut forked = None;
    lasting(|| {
        launch(queue, Duration::from_millis(200));
        forked = Some(fork::fork().expect("it forks"));
        launch(&Queue::new(), Duration::from_millis(10));
    });
    match forked.expect("it ran") {
        fork::Fork::Child => {
            assert!(spandrel::flush(Duration::from_secs(20)).is_complete());
            exit(0);
        }
        fork::Fork::Parent(process) => {
            assert_eq!(fork::waitpid(process).expect("it ends"), 0);
        }
    }
}

/// It ends no earlier than the spans with devices in it.
#[span("lasting", device(Unmeasured))]
fn lasting(body: impl FnOnce()) {
    body();
}

struct Unmeasured;

impl Device for Unmeasured {
    type Window = ();

    fn name(&self) -> Cow<'_, str> {
        "unmeasured".into()
    }

    fn start(&self) {}

    fn finish((): ()) -> Timing {
        Timing::unmeasured()
    }
}

/// More spans than may wait, for a device that does not get to them.
fn full(queue: &Queue) {
    launch(queue, NEVER);
    // It is asked about that one first.
    thread::sleep(Duration::from_millis(200));
    (0..1024 + 3).for_each(|_| launch(queue, Duration::ZERO));
}

#[span("asks", device(device))]
fn asks(device: Asks) {
    let _ = device;
}

/// Asks for a flush when it is asked itself.
struct Asks;

impl Device for Asks {
    type Window = ();

    fn name(&self) -> Cow<'_, str> {
        "asks".into()
    }

    fn start(&self) {}

    fn finish((): ()) -> Timing {
        Timing::pending(|| {
            let since = Instant::now();
            let flushed = spandrel::flush(Duration::from_secs(20)).is_complete();
            println!("{flushed} {}", since.elapsed() < Duration::from_secs(5));
            Some(Measurement::default())
        })
    }
}

/// Does not like what the device did.
#[derive(Debug)]
struct Panics;

impl SpanProcessor for Panics {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        assert!(span.name != "launch", "it was the device's");
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn own_sdk() {
    let provider = SdkTracerProvider::builder().with_simple_exporter(Printed).build();
    global::set_tracer_provider(provider.clone());
    spandrel::adopt_global_provider();
    launch(&Queue::new(), Duration::from_millis(100));
    println!("{}", spandrel::flush(Duration::from_secs(20)).is_complete());
    provider.shutdown().expect("it shuts down");
}

/// Does what it is given on a thread, one after the other.
struct Queue(Sender<Work>);

type Work = Box<dyn FnOnce() + Send>;

impl Queue {
    fn new() -> Self {
        let (queue, work) = channel::<Work>();
        thread::spawn(move || work.into_iter().for_each(|work| work()));
        Self(queue)
    }

    fn give(&self, work: impl FnOnce() + Send + 'static) {
        self.0.send(Box::new(work)).expect("it works");
    }

    fn event(&self) -> Receiver<Instant> {
        let (tell, event) = channel();
        self.give(move || {
            let _ = tell.send(Instant::now());
        });
        event
    }
}

impl Device for Queue {
    type Window = (Self, Receiver<Instant>);

    fn name(&self) -> Cow<'_, str> {
        "queue".into()
    }

    fn start(&self) -> Self::Window {
        (Self(self.0.clone()), self.event())
    }

    fn finish((queue, start): Self::Window) -> Timing {
        let end = queue.event();
        Timing::pending(move || Some(Measurement::between(start.recv().ok()?, end.recv().ok()?)))
    }
}

#[derive(Debug)]
struct Printed;

impl SpanExporter for Printed {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in batch {
            let keys = span.attributes.iter().map(|attribute| attribute.key.as_str());
            println!("{}: {}", span.name, keys.collect::<Vec<_>>().join(" "));
        }
        Ok(())
    }
}
