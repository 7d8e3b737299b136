//! Spans that wait for a device when their program ends.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;

use crate::collector::{Collector, text};
use crate::process::{DEVICE, command, kill, run, started, stderr};

fn timing(span: &Span) -> Option<String> {
    text(&span.attributes, "spandrel.device.timing")
}

fn interrupted(span: &Span) -> bool {
    text(&span.attributes, "spandrel.interrupted").as_deref() == Some("true")
}

fn lasted(span: &Span) -> Duration {
    Duration::from_nanos(span.end_time_unix_nano - span.start_time_unix_nano)
}

fn spans_of(how: &str) -> (Vec<Span>, String) {
    let collector = Collector::start();
    let output = run(DEVICE, how, &collector.endpoint);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{how}");
    (collector.spans(), String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn a_device_is_waited_for_at_the_end() {
    let (spans, _) = spans_of("return");
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((timing(span).as_deref(), interrupted(span)), (Some("events"), false));
    assert!(lasted(span) >= Duration::from_millis(200), "{span:?}");
}

#[test]
fn a_device_that_never_comes_to_it_holds_nothing_up() {
    let started = Instant::now();
    let (spans, _) = spans_of("never");
    assert!(started.elapsed() < Duration::from_secs(20));
    let [first, outer, inner] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((timing(first).as_deref(), interrupted(first)), (Some("events"), false));
    for span in [outer, inner] {
        assert_eq!((timing(span).as_deref(), interrupted(span)), (Some("unmeasured"), true));
    }
    assert!(inner.end_time_unix_nano <= outer.end_time_unix_nano);
}

#[test]
fn a_program_that_is_killed_loses_none_of_the_spans_that_wait() {
    let collector = Collector::start();
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    let mut program = started(&mut command(DEVICE, "killed", &variables));
    kill(&program, signal_hook::consts::SIGTERM);
    let status = program.wait().expect("it ends");
    assert_eq!(status.signal(), Some(signal_hook::consts::SIGTERM));
    let spans = collector.spans();
    let launches: Vec<_> = spans.iter().filter(|span| span.name == "launch").collect();
    assert_eq!((launches.len(), spans.len()), (100, 101));
    let (measured, given_up): (Vec<&Span>, Vec<_>) =
        launches.into_iter().partition(|span| timing(span).as_deref() == Some("events"));
    assert!(!measured.is_empty() && !given_up.is_empty());
    assert!(!measured.into_iter().any(interrupted) && given_up.into_iter().all(interrupted));
}

#[test]
fn a_flush_waits_for_devices() {
    let (spans, written) = spans_of("flush");
    assert_eq!(spans.len(), 1);
    assert!(written.starts_with("false\ntrue Stats { accepted: 1, exported: 1,"), "{written}");
}

#[test]
fn a_trace_that_is_kept_has_what_its_device_did_after_it() {
    let (spans, _) = spans_of("keep");
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["request", "launch"]);
    assert!(spans[0].end_time_unix_nano < spans[1].end_time_unix_nano);
    assert_eq!(timing(&spans[1]).as_deref(), Some("events"));
}

#[test]
fn a_child_of_fork_asks_its_own_devices() {
    let (spans, _) = spans_of("forks");
    assert_eq!(spans.len(), 2, "{spans:?}");
    assert!(spans.iter().all(|span| timing(span).as_deref() == Some("events")), "{spans:?}");
}

#[test]
fn a_span_that_is_open_when_its_process_forks_is_the_parent_s() {
    let (spans, _) = spans_of("forks-inside");
    let mut names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    // The parent's first launch, and one in each process.
    assert_eq!(names, ["lasting", "launch", "launch", "launch"]);
    assert!(!spans.iter().any(interrupted), "{spans:?}");
    for lasting in spans.iter().filter(|span| span.name == "lasting") {
        assert!(lasted(lasting) >= Duration::from_millis(10), "{lasting:?}");
    }
}

#[test]
fn a_flush_where_devices_are_asked_does_not_wait_for_itself() {
    let (spans, written) = spans_of("asks");
    assert_eq!(written, "false true\n");
    assert_eq!(timing(&spans[0]).as_deref(), Some("events"));
}

#[test]
fn what_finds_no_room_among_those_that_wait_is_told() {
    let collector = Collector::start();
    let output = run(DEVICE, "full", &collector.endpoint);
    assert_eq!(
        stderr(&output),
        "spandrel: 1024 spans wait for their devices; those that come now end with their bodies, \
         unmeasured\n\
         spandrel: 3 spans ended with their bodies, unmeasured: 1024 others waited for their \
         devices\n"
    );
    let (given_up, refused): (Vec<_>, Vec<_>) =
        collector.spans().into_iter().partition(interrupted);
    assert_eq!((given_up.len(), refused.len()), (1025, 3));
    assert!(refused.iter().all(|span| timing(span).as_deref() == Some("unmeasured")));
}

#[test]
fn a_device_that_does_not_answer_is_told_of_once() {
    let collector = Collector::start();
    let output = run(DEVICE, "stuck", &collector.endpoint);
    assert_eq!(
        stderr(&output),
        "spandrel: a device has not answered for 10s; the spans that end after that wait for it\n"
    );
    assert_eq!(collector.spans().len(), 3);
}

#[test]
fn a_span_ends_though_a_processor_panics_at_one_in_it() {
    let collector = Collector::start();
    let output = run(DEVICE, "panics", &collector.endpoint);
    assert!(stderr(&output).contains("it was the device's"), "{}", stderr(&output));
    let spans = collector.spans();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["outer", "launch"]);
    assert!(!spans.iter().any(interrupted), "{spans:?}");
}

#[test]
fn a_provider_that_is_adopted_gets_each_attribute_once() {
    let output = command(DEVICE, "own-sdk", &[]).output().expect("it runs");
    let written = String::from_utf8_lossy(&output.stdout).into_owned();
    let keys = ["name", "wait", "timing", "time"].map(|key| format!("spandrel.device.{key}"));
    assert_eq!(written, format!("launch: {}\ntrue\n", keys.join(" ")));
}
