//! Children of `fork`.

use std::time::Duration;

use crate::collector::{Behaviour, Collector};
use crate::process::{FORKS, command, run, stderr};

fn spans_of(how: &str) -> Vec<String> {
    let collector = Collector::start();
    let output = run(FORKS, how, &collector.endpoint);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{how}");
    let mut ids: Vec<_> = collector.spans().into_iter().map(|span| span.span_id).collect();
    ids.sort();
    let spans = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), spans, "{how}: some spans have one id");
    let mut spans = collector.summary();
    spans.sort();
    spans
}

#[test]
fn both_processes_export() {
    assert_eq!(spans_of("cold"), ["child", "parent"]);
    assert_eq!(spans_of("warm"), ["before", "child", "parent"]);
    assert_eq!(spans_of("again"), ["child"]);
}

/// Each is an instance of its own, unless the environment says which instance they are.
#[test]
fn a_child_has_a_resource_of_its_own() {
    let collector = Collector::start();
    run(FORKS, "warm", &collector.endpoint);
    for (key, count) in [("service.instance.id", 2), ("process.pid", 2), ("service.name", 1)] {
        assert_eq!(collector.resources(key).len(), count, "{key}");
    }
    let ids = collector.resources("service.instance.id");
    assert!(ids.iter().all(|id| id.len() == 36), "{ids:?}");
    let collector = Collector::start();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=mine"),
    ];
    command(FORKS, "warm", &variables).output().expect("it runs");
    assert_eq!(collector.resources("service.instance.id"), ["mine"]);
    assert_eq!(collector.resources("process.pid").len(), 2);
}

#[test]
fn a_trace_goes_on_in_both_processes() {
    let spans = spans_of("inside");
    assert_eq!(spans, ["before<inside", "child<inside", "child<inside", "inside", "parent<inside"]);
}

#[test]
fn a_child_whose_threads_start_at_once_loses_nothing() {
    for _ in 0..20 {
        assert_eq!(spans_of("threads").len(), 200);
    }
}

#[test]
fn a_span_that_is_open_at_the_fork_is_the_parent_s() {
    assert_eq!(spans_of("open"), ["forks"]);
}

#[test]
fn a_child_can_be_told_to_stop() {
    assert_eq!(spans_of("deaf"), ["child"]);
    assert_eq!(spans_of("told"), [""; 0]);
    assert_eq!(spans_of("idle"), [""; 0]);
}

#[test]
fn a_child_that_exits_has_nothing_to_flush() {
    assert_eq!(spans_of("exits"), ["before", "parent"]);
}

#[test]
fn a_child_has_an_account_of_its_own() {
    let collector = Collector::start();
    collector.script(|_, elapsed| match elapsed {
        elapsed if elapsed < Duration::from_millis(150) => Behaviour::Hang,
        _ => Behaviour::Take,
    });
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "20"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
    ];
    let output = command(FORKS, "full", &variables).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}
