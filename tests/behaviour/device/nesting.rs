//! Spans with devices inside of each other.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use crate::recorder::record;
use spandrel::{carry, span};

use super::{Cpu, Gpu, is_inside, launch, named, pass_time, timing, unmeasured};

#[span("outer", device(gpu))]
fn outer<T>(gpu: &Gpu, body: impl FnOnce() -> T) -> T {
    let _ = gpu;
    body()
}

#[span("between")]
fn between<T>(body: impl FnOnce() -> T) -> T {
    body()
}

#[test]
fn device_spans_stay_inside_their_parents() {
    let (gpu, windows) = Gpu::new();
    let mut returned = None;
    let recording = record(|| {
        let _ = outer(&gpu, || between(|| launch(&gpu)));
        let inner = windows.recv().expect("it is closed");
        let outer = windows.recv().expect("it is closed");
        returned = Some(pass_time());
        // The window of the outer one ends before that of the inner one: they do not agree.
        let early = outer.done();
        pass_time();
        let late = inner.done();
        inner.tell(late);
        outer.tell(early);
    });
    let (outer, inner) = (named(&recording, "outer"), named(&recording, "launch"));
    assert!(is_inside(inner, outer), "{outer:?} {inner:?}");
    // A span without a device ends with its body, whatever is under it.
    assert!(named(&recording, "between").end_time < returned.expect("it ran"));
    assert!(inner.end_time > returned.expect("it ran"));
}

#[test]
fn a_parent_that_is_done_waits_for_the_device_spans_in_it() {
    #[span("unmeasured", device(cpu))]
    fn parent(cpu: &Cpu, gpu: &Gpu) {
        let _ = (cpu, launch(gpu));
    }
    let (gpu, windows) = Gpu::new();
    let mut done = None;
    let recording = record(|| {
        outer(&gpu, || parent(&Cpu(unmeasured), &gpu));
        let inner = windows.recv().expect("it is closed");
        let outer = windows.recv().expect("it is closed");
        let early = outer.done();
        done = Some(pass_time());
        let late = inner.done();
        inner.tell(late);
        outer.tell(early);
    });
    let (outer, inner) = (named(&recording, "outer"), named(&recording, "launch"));
    let parent = named(&recording, "unmeasured");
    assert!(is_inside(inner, parent) && is_inside(parent, outer), "{recording:?}");
    assert!(inner.end_time > done.expect("it ran"));
    assert_eq!((timing(parent), timing(outer)), ("unmeasured", "events"));
}

#[test]
fn a_device_span_of_another_trace_or_that_is_left_running_is_not_waited_for() {
    #[span("detached", root, device(gpu))]
    fn detached(gpu: &Gpu) {
        let _ = gpu;
    }
    let (gpu, windows) = Gpu::new();
    let gpu = Arc::new(gpu);
    let mut told = None;
    let recording = record(|| {
        let (go, wait) = channel::<()>();
        let running = outer(&gpu, || {
            detached(&gpu);
            let gpu = gpu.clone();
            thread::spawn(carry(move || {
                let run = || outer(&gpu, || wait.recv());
                between(run)
            }))
        });
        let [other, first] = [0, 1].map(|_| windows.recv().expect("it is closed"));
        let early = first.done();
        first.tell(early);
        told = Some(pass_time());
        go.send(()).expect("it waits");
        running.join().expect("it does not panic").expect("it was told");
        let second = windows.recv().expect("it is closed");
        for window in [other, second] {
            let done = window.done();
            window.tell(done);
        }
    });
    let told = told.expect("it ran");
    let ends: Vec<_> = recording.spans().iter().map(|span| span.end_time > told).collect();
    assert_eq!(ends, [false, true, true, true], "{recording}");
}
