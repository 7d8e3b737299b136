//! Nothing is sampled, and what fails or is slow is kept. Says what it sends to others, and its
//! account.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
};
use opentelemetry::{Context, global};
use spandrel::{carry, propagate, span, traced_app};

#[traced_app("keep", sample(0.0), keep(errors, slower_than("300ms")))]
fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    match how.as_str() {
        "fine" => drop(request(|| Ok(()))),
        "error" => drop(request(|| Err("it failed"))),
        "handled" => drop(request(|| {
            let _ = work(|| Err("it failed within"));
            Ok(())
        })),
        "slow" => drop(request(|| {
            thread::sleep(Duration::from_millis(350));
            Ok(())
        })),
        "late" => ends_later(Err("it failed"), Ok(())),
        "later" => starts_later(Err("it failed")),
        "late-error" => ends_later(Ok(()), Err("too late")),
        "remote" => drop(continued(&HashMap::from([(
            "traceparent".to_owned(),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00".to_owned(),
        )]))),
        "foreign" => inside_of_what_never_ends(),
        "flood" => flood(),
        "apart" => apart(),
        other => panic!("unknown: {other}"),
    }
    println!("{:?}", spandrel::stats());
}

#[span("request")]
fn request(body: impl FnOnce() -> Outcome) -> Outcome {
    let mut headers = HashMap::new();
    spandrel::inject(&mut headers);
    println!("{}", headers["traceparent"]);
    work(|| Ok(()))?;
    work(body)
}

#[span("work")]
fn work(body: impl FnOnce() -> Outcome) -> Outcome {
    body()
}

/// A part that starts in its request and ends after it.
fn ends_later(request_ends: Outcome, part_ends: Outcome) {
    let (started, wait) = mpsc::channel();
    let mut late = None;
    let _ = request(|| {
        late = Some(thread::spawn(carry(move || {
            let _ = work(|| {
                let _ = started.send(());
                thread::sleep(Duration::from_millis(200));
                part_ends
            });
        })));
        let _ = wait.recv();
        request_ends
    });
    late.map(thread::JoinHandle::join);
}

/// A part that starts when its request has ended.
fn starts_later(request_ends: Outcome) {
    let mut late = None;
    let _ = request(|| {
        late = Some(carry(|| work(|| Ok(()))));
        request_ends
    });
    if let Some(late) = late {
        let _ = late();
    }
}

/// The request is part of somebody else's span, which is open when the program ends.
fn inside_of_what_never_ends() {
    let foreign = global::tracer("foreign").start("foreign");
    let _attached = Context::current_with_span(foreign).attach();
    let _ = request(|| Err("it failed"));
    std::mem::forget(Context::current());
}

type Outcome = Result<(), &'static str>;

#[propagate(headers)]
#[span("continued")]
fn continued(headers: &HashMap<String, String>) -> Outcome {
    Err("it failed")
}

/// A trace that holds more than there is room for, then fails.
#[span("flood")]
fn flood() {
    let text = "x".repeat(2000);
    for _ in 0..15_000 {
        part(&text);
    }
    let _ = work(|| Err("it failed"));
}

#[span("part", text = text)]
fn part(text: &str) {}

/// Local traces of the same two traces: one of each fails.
fn apart() {
    for (trace, fails) in [(1, true), (2, true), (1, false), (2, false)] {
        let parent = SpanContext::new(
            TraceId::from(trace),
            SpanId::from(7),
            TraceFlags::NOT_SAMPLED,
            true,
            TraceState::NONE,
        );
        let _attached = Context::new().with_remote_span_context(parent).attach();
        let _ = work(|| if fails { Err("it failed") } else { Ok(()) });
    }
}
