//! What can have a device, and what a device is given as.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::recorder::{record, record_async};
use futures::{Stream, StreamExt};
use spandrel::{Callsite, Outcome, SpanKind, span};

use super::{Gpu, Noted, is_inside, timing};

struct Pipeline {
    device: Noted,
}

#[span(device(self.device))]
impl Pipeline {
    fn sync(&self) {
        self.device.note("body");
    }

    async fn wait(&self) {
        self.device.note("body");
        std::future::ready(()).await;
    }

    fn opaque(&self) -> impl Future<Output = ()> {
        let device = self.device.clone();
        async move { device.note("body") }
    }

    fn boxed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let device = self.device.clone();
        Box::pin(async move { device.note("body") })
    }

    fn stream(&self) -> impl Stream<Item = u32> {
        let device = self.device.clone();
        futures::stream::iter(0..1).inspect(move |_| device.note("body"))
    }
}

#[span(device(made()))]
fn with_one_that_is_made() {}

fn made() -> Arc<Noted> {
    Arc::default()
}

struct Shared {
    pipeline: Mutex<Pipeline>,
    borrowed: RefCell<Vec<Noted>>,
}

impl Shared {
    fn pipeline(&self) -> Pipeline {
        Pipeline { device: self.pipeline.lock().expect("not poisoned").device.clone() }
    }

    fn devices(&self) -> Vec<Noted> {
        self.borrowed.borrow().clone()
    }

    #[span(device(self.pipeline.lock().expect("not poisoned").device))]
    fn of_a_guard(&self) {
        // It is not held.
        assert!(self.pipeline.try_lock().is_ok());
    }

    #[span(device(self.pipeline().device))]
    async fn of_a_temporary(&self) {}

    #[span(device(self.devices()[0]))]
    fn of_a_list(&self) {}

    #[span(device(self.borrowed.borrow().first().expect("there is one")))]
    fn of_a_borrow(&self) {
        #[span("block", device(self.borrowed.borrow()[0]))]
        {}
    }
}

#[test]
fn a_device_may_be_part_of_a_temporary() {
    let device = Noted::default();
    let borrowed = RefCell::new(vec![device.clone()]);
    let shared = Shared { pipeline: Mutex::new(Pipeline { device: device.clone() }), borrowed };
    let recording = record(|| {
        shared.of_a_guard();
        futures::executor::block_on(shared.of_a_temporary());
        shared.of_a_list();
        shared.of_a_borrow();
    });
    assert_eq!(recording.spans().len(), 5);
    assert!(recording.spans().iter().all(|span| timing(span) == "events"), "{recording}");
    assert_eq!(device.take().len(), 10);
}

#[test]
fn no_device_is_none() {
    #[span(device(device))]
    fn run(device: Option<&Noted>) {
        let _ = device;
    }
    let device = Noted::default();
    let recording = record(|| {
        run(None);
        run(Some(&device));
    });
    assert_eq!(
        recording.to_string(),
        "run\nrun spandrel.device.name=\"noted\" spandrel.device.timing=\"events\"\n"
    );
    assert_eq!(device.take(), ["start", "finish"]);
}

#[test]
fn a_span_has_one_device() {
    static STEP: Callsite = Callsite::new("step", SpanKind::Internal, "tests", None);
    #[span("inner", device(device))]
    fn inner(device: &Noted) {
        let _ = device;
    }
    #[span("outer", device(device))]
    fn outer(device: &Noted, body: impl FnOnce()) {
        let _ = device;
        body();
    }
    let (first, second) = (Noted::default(), Noted::default());
    let recording = record(|| {
        outer(&first, || {
            let span = STEP.start(|_| ()).on(|| &first).on(|| &second);
            span.run(|| inner(&first), Outcome::unset);
        });
    });
    assert_eq!(first.take(), ["start", "start", "start", "finish", "finish", "finish"]);
    assert!(second.take().is_empty());
    let [outer, step, inner] = recording.spans() else { panic!("{recording}") };
    assert!(is_inside(inner, step) && is_inside(step, outer), "{recording:?}");
}

#[test]
fn a_future_is_as_free_as_without_a_device() {
    fn is_free<T: Send + Sync>(_: &T) {}
    #[span(device(device))]
    async fn free(device: &Noted) {
        let _ = device;
    }
    is_free(&free(&Noted::default()));
}

#[tokio::test]
async fn every_shape_can_have_a_device() {
    let pipeline = Pipeline { device: Noted::default() };
    let recording = record_async(async {
        pipeline.sync();
        pipeline.wait().await;
        pipeline.opaque().await;
        pipeline.boxed().await;
        assert_eq!(pipeline.stream().count().await, 1);
    });
    let recording = recording.await;
    assert!(recording.spans().iter().all(|span| timing(span) == "events"), "{recording}");
    assert_eq!(recording.spans().len(), 5);
    assert_eq!(pipeline.device.take(), ["start", "body", "finish"].repeat(5));
    assert_eq!(record(with_one_that_is_made).spans().len(), 1);
}

#[test]
fn a_device_is_asked_for_where_something_records() {
    #[span(device(unwanted()))]
    fn unrecorded() {}
    fn unwanted() -> Noted {
        unreachable!("nothing records")
    }
    static BY_HAND: Callsite = Callsite::new("by hand", SpanKind::Internal, "tests", None);

    let device = Noted::default();
    let run =
        || BY_HAND.start(|_| ()).on(|| &device).run(|| Ok::<_, std::fmt::Error>(1), Outcome::of);
    assert_eq!(run(), Ok(1));
    unrecorded();
    assert!(device.take().is_empty());
    record(|| assert_eq!(run(), Ok(1)));
    assert_eq!(device.take(), ["start", "finish"]);
}

#[tokio::test]
async fn async_functions_are_measured_from_their_first_poll_to_their_end() {
    #[span(device(gpu))]
    async fn step(gpu: &Gpu) -> usize {
        let _ = gpu;
        tokio::task::yield_now().await;
        2
    }
    let (gpu, windows) = Gpu::new();
    let recording = record_async(async {
        let step = step(&gpu);
        let created = Instant::now();
        assert_eq!(step.await, 2);
        let window = windows.recv().expect("it is closed");
        assert!(window.start >= created);
        // Told by another task, once nothing else is left to do on this thread.
        tokio::spawn(async move {
            let done = window.done();
            window.tell(done);
        });
    });
    assert_eq!(timing(&recording.await.spans()[0]), "events");
}
