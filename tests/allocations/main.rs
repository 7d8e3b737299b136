//! What costs nothing: spans where nothing records, and spans under one that is not sampled. One
//! test, since the allocator counts for the whole process.

use std::alloc::System;
use std::borrow::Cow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use spandrel::device::Timing;
use spandrel::{Config, Device, span};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[span("step", number = expensive(number), text = %number, device(unwanted()))]
fn step(number: u64) -> Result<u64, String> {
    #[span("within", number = number, device(unwanted()))]
    let next = number + 1;
    Ok(next)
}

#[span("wait", number = expensive(number), device(unwanted()))]
async fn wait(number: u64) -> Result<u64, String> {
    std::future::ready(()).await;
    Ok(number)
}

/// An attribute that nobody should ask for.
fn expensive(number: u64) -> String {
    format!("{number} is a number")
}

/// A device that nobody should ask for.
fn unwanted() -> Unwanted {
    unreachable!("nothing records")
}

struct Unwanted;

impl Device for Unwanted {
    type Window = ();

    fn name(&self) -> Cow<'_, str> {
        unreachable!("there is none")
    }

    fn start(&self) {}

    fn finish((): ()) -> Timing {
        Timing::unmeasured()
    }
}

/// So many allocations by a hundred spans of each kind.
fn allocations() -> usize {
    let region = Region::new(ALLOCATOR);
    for number in 0..100 {
        assert_eq!(step(number), Ok(number + 1));
        let ready = pin!(wait(number)).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(ready, Poll::Ready(Ok(number)));
    }
    region.change().allocations
}

#[span("root")]
fn under_a_root() -> usize {
    allocations()
}

#[test]
fn spans_that_nobody_records_allocate_nothing() {
    assert_eq!(allocations(), 0, "not installed");
    let app = spandrel::install(Config::new("allocations").sample(0.0).exporter(Nobody));
    // The exporter's thread comes to rest, and this one has what a thread has once.
    std::thread::sleep(std::time::Duration::from_millis(300));
    under_a_root();
    assert_eq!(under_a_root(), 0, "under an unsampled root");
    drop(app);
    assert_eq!(allocations(), 0, "after the end");
    assert_eq!(spandrel::stats().accepted, 0);
}

#[derive(Debug)]
struct Nobody;

impl SpanExporter for Nobody {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}
