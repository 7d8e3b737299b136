//! Bodies that fail, panic, or are dropped, and blocks that are left early.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use crate::recorder::record;
use spandrel::{Callsite, SpanKind, span};

use super::{Cpu, Gpu, Noted, pass_time, timing};

#[test]
fn how_a_body_ends_is_recorded_when_it_does() {
    #[span("fails", device(gpu))]
    fn fails(gpu: &Gpu, how: &str) -> Result<(), String> {
        let _ = gpu;
        assert!(how != "panic", "it broke");
        Err("it failed".to_owned())
    }
    let (gpu, windows) = Gpu::new();
    let mut returned = None;
    let recording = record(|| {
        assert!(fails(&gpu, "error").is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| fails(&gpu, "panic"))).is_err());
        returned = Some(pass_time());
        for window in windows.try_iter() {
            let done = window.done();
            window.tell(done);
        }
    });
    let returned = returned.expect("it ran");
    for (span, message) in recording.spans().iter().zip(["it failed", "it broke"]) {
        assert!(format!("{:?}", span.status).contains(message), "{span:?}");
        let [event] = span.events.events.as_slice() else { panic!("{span:?}") };
        assert!(event.timestamp < returned && returned < span.end_time, "{span:?}");
        assert_eq!(timing(span), "events");
    }
    assert_eq!(recording.spans().len(), 2);
}

#[test]
fn a_panic_of_the_device_is_not_told_in_place_of_the_program_s() {
    static OUTER: Callsite = Callsite::new("outer", SpanKind::Internal, "tests", None);
    #[span("inner", device(device))]
    fn fails(device: &Cpu) {
        let _ = device;
        panic!("it broke");
    }
    let device = Cpu(|| panic!("no finish"));
    let recording = record(|| {
        let run = || {
            let _outer = OUTER.start(|_| ()).enter();
            fails(&device);
        };
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    });
    let tree = recording.to_string();
    assert_eq!(tree.matches("✗ it broke").count(), 2, "{tree}");
    assert!(!tree.contains("no finish"), "{tree}");
}

#[test]
fn a_future_that_is_dropped_closes_its_window() {
    #[span("waits", device(gpu))]
    async fn waits(gpu: &Gpu) {
        let _ = gpu;
        std::future::pending::<()>().await;
    }
    let (gpu, windows) = Gpu::new();
    let recording = record(|| {
        let mut future = Box::pin(waits(&gpu));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(future);
        let window = windows.recv().expect("it is closed");
        let done = window.done();
        window.tell(done);
        // Never polled, and so nothing.
        drop(waits(&gpu));
    });
    assert_eq!(
        recording.to_string(),
        "waits spandrel.device.name=\"gpu:0\" spandrel.cancelled=true \
         spandrel.device.timing=\"events\"\n"
    );
}

struct Last<'a>(&'a Noted);

impl Drop for Last<'_> {
    fn drop(&mut self) {
        self.0.note("frame");
    }
}

#[span]
fn with_blocks(device: &Noted, fails: bool) -> Result<(), String> {
    let _last = Last(device);
    #[span("first", device(device))]
    {
        device.note("first");
        if fails {
            Err("it failed")?;
        }
    }
    #[span("second", device(device))]
    for number in 0..3 {
        #[span("step", device(device))]
        {
            if number == 1 {
                break;
            }
        }
    }
    Ok(())
}

#[test]
fn a_block_is_done_with_its_device_when_it_is_left() {
    let device = Noted::default();
    let recording = record(|| assert!(with_blocks(&device, true).is_err()));
    assert_eq!(device.take(), ["start", "first", "finish", "frame"]);
    let tree = recording.to_string();
    assert_eq!(tree.matches("✗ it failed").count(), 2, "{tree}");
    assert!(tree.contains("└─ first spandrel.device.name=\"noted\" error.type="), "{tree}");
    assert!(tree.contains(" spandrel.device.timing=\"events\" ✗ it failed"), "{tree}");

    let recording = record(|| assert!(with_blocks(&device, false).is_ok()));
    let (first, second) = (["start", "first", "finish"], ["start", "start", "finish"]);
    assert_eq!(device.take(), [&first[..], &second, &second[1..], &["finish", "frame"]].concat());
    let device = "spandrel.device.name=\"noted\" spandrel.device.timing=\"events\"";
    assert_eq!(
        recording.to_string(),
        format!(
            "with_blocks\n├─ first {device}\n└─ second {device}\n   ├─ step {device}\n   \
             └─ step {device}\n"
        )
    );
}

#[test]
fn a_device_that_cannot_be_named_is_the_program_s_panic() {
    #[span(device(broken()))]
    fn never_runs() {
        unreachable!("its device is not there");
    }
    fn broken() -> Noted {
        panic!("no device")
    }
    let recording = record(|| assert!(catch_unwind(never_runs).is_err()));
    let tree = recording.to_string();
    assert!(tree.starts_with("never_runs error.type=\"panic\" ✗ no device\n"), "{tree}");
}
