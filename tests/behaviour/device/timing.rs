//! When a span with a device ends, and what is told of that.

use std::borrow::Cow;
use std::time::Duration;
use std::{iter, thread};

use crate::recorder::record;
use spandrel::device::{Measurement, Timing};
use spandrel::{Device, Value, span};

use super::{Cpu, Gpu, launch, pass_time, seconds, timing, value};

#[test]
fn a_span_ends_when_its_device_has_done_the_work() {
    let (gpu, windows) = Gpu::new();
    let mut times = None;
    let recording = record(|| {
        assert_eq!(launch(&gpu), Ok(7));
        // It has returned, though nothing is done.
        let returned = pass_time();
        let window = windows.recv().expect("it is closed");
        let done = window.done();
        let told = pass_time();
        window.tell(done);
        times = Some((returned, told));
    });
    let (returned, told) = times.expect("it ran");
    let [span] = recording.spans() else { panic!("{recording}") };
    assert!(returned < span.end_time && span.end_time < told, "{span:?}");
    let lasted = span.end_time.duration_since(span.start_time).expect("it goes forward");
    assert!(seconds(span, "spandrel.device.time") <= lasted.as_secs_f64());
    assert!(seconds(span, "spandrel.device.time") >= 0.005);
    assert!(seconds(span, "spandrel.device.wait") < lasted.as_secs_f64());
    assert_eq!(
        recording.to_string(),
        "launch steps=3 spandrel.device.name=\"gpu:0\" number=7 spandrel.device.timing=\"events\"\n"
    );
}

#[test]
fn what_a_device_tells_is_recorded() {
    let (gpu, windows) = Gpu::new();
    let recording = record(|| {
        let _ = launch(&gpu);
        let window = windows.recv().expect("it is closed");
        window.tell(
            Measurement::lasting(Duration::from_millis(1500))
                .memory_peak(3 << 30)
                .memory_used(1 << 20)
                .memory_reserved(u64::MAX)
                .compilation(Duration::from_millis(250)),
        );
        let _ = launch(&gpu);
        let window = windows.recv().expect("it is closed");
        window.tell(Measurement::default().compilation(Duration::ZERO));
    });
    let [first, second] = recording.spans() else { panic!("{recording}") };
    for (key, expected) in [
        ("spandrel.device.time", Value::F64(1.5)),
        ("spandrel.device.compilation", Value::F64(0.25)),
        ("spandrel.device.memory.peak", Value::I64(3 << 30)),
        ("spandrel.device.memory.used", Value::I64(1 << 20)),
        ("spandrel.device.memory.reserved", Value::I64(i64::MAX)),
    ] {
        assert_eq!(value(first, key), Some(&expected), "{key}");
        assert_eq!(value(second, key), None, "{key}");
    }
    assert_eq!((timing(first), timing(second)), ("events", "events"));
}

#[test]
fn what_lasted_so_long_ends_then_however_late_that_is_told() {
    let (gpu, windows) = Gpu::new();
    let mut told = None;
    let recording = record(|| {
        let _ = launch(&gpu);
        let window = windows.recv().expect("it is closed");
        told = Some(pass_time());
        window.tell(Measurement::lasting(Duration::from_millis(1)));
    });
    let [span] = recording.spans() else { panic!("{recording}") };
    assert!(span.end_time < told.expect("it ran"), "{span:?}");
    let lasted = span.end_time.duration_since(span.start_time).expect("it goes forward");
    assert!(lasted >= Duration::from_millis(1), "{lasted:?}");
}

#[test]
fn a_device_that_is_waited_for_says_so() {
    #[span(device(cpu))]
    fn waits(cpu: &Cpu) {
        let _ = cpu;
    }
    let cpu = Cpu(|| {
        thread::sleep(Duration::from_millis(20));
        Timing::synchronized(Measurement::default().memory_peak(9))
    });
    let recording = record(|| waits(&cpu));
    let [span] = recording.spans() else { panic!("{recording}") };
    assert_eq!(timing(span), "synchronized");
    assert!(seconds(span, "spandrel.device.wait") >= 0.02);
    assert_eq!(value(span, "spandrel.device.time"), None);
    assert_eq!(value(span, "spandrel.device.memory.peak"), Some(&Value::I64(9)));
    let lasted = span.end_time.duration_since(span.start_time).expect("it goes forward");
    assert!(lasted >= Duration::from_millis(20));
}

#[test]
fn what_cannot_be_measured_ends_with_its_body() {
    let (gpu, windows) = Gpu::new();
    let mut returned = None;
    let recording = record(|| {
        let _ = launch(&gpu);
        returned = Some(pass_time());
        let window = windows.recv().expect("it is closed");
        window.answer.send(None).expect("somebody asks");
    });
    let [span] = recording.spans() else { panic!("{recording}") };
    assert_eq!(timing(span), "unmeasured");
    assert!(span.end_time < returned.expect("it ran"));
}

#[test]
fn a_panic_of_the_device_is_none_of_the_program() {
    #[span(device(device))]
    fn run<D: Device>(device: D) {
        let _ = device;
    }
    struct Fails;
    impl Device for Fails {
        type Window = ();
        fn name(&self) -> Cow<'_, str> {
            panic!("no name")
        }
        fn start(&self) {
            panic!("no start")
        }
        fn finish((): ()) -> Timing {
            unreachable!("nothing was started")
        }
    }
    let recording = record(|| {
        run(Fails);
        run(Cpu(|| panic!("no finish")));
        run(Cpu(|| Timing::pending(|| panic!("no answer"))));
    });
    assert_eq!(
        recording.to_string(),
        "run spandrel.device.timing=\"unmeasured\"\n\
         run spandrel.device.name=\"cpu\" spandrel.device.timing=\"unmeasured\"\n\
         run spandrel.device.name=\"cpu\" spandrel.device.timing=\"unmeasured\"\n"
    );
}

#[test]
fn a_program_that_is_far_ahead_of_its_device_is_not_held_up() {
    struct Boom;
    impl Drop for Boom {
        fn drop(&mut self) {
            panic!("nobody asked");
        }
    }
    #[span(device(device))]
    fn unasked(device: &Cpu) {
        let _ = device;
    }
    let (gpu, windows) = Gpu::new();
    let (full, more) = (1 + 1024, 5);
    let recording = record(|| {
        let _ = launch(&gpu);
        let first = windows.recv().expect("it is closed");
        // The first one is asked about, and the others wait.
        first.is_asked();
        let others: Vec<_> = iter::repeat_with(|| launch(&gpu)).take(full - 1 + more).collect();
        assert_eq!(others.len(), full - 1 + more);
        unasked(&Cpu(|| {
            let boom = Boom;
            Timing::pending(move || {
                let _ = &boom;
                None
            })
        }));
        for window in iter::once(first).chain(windows.try_iter().take(full - 1)) {
            let done = window.done();
            window.tell(done);
        }
    });
    let timings: Vec<_> = recording.spans().iter().map(timing).collect();
    assert!(timings[..full].iter().all(|timing| *timing == "events"));
    assert_eq!(timings[full..], ["unmeasured"; 6]);
}
