//! Spans by `tracing` and ours, in one trace.

use serde_json::Value;

use crate::collector::{Collector, hex, text};
use crate::process::{NESTING, command, stderr};

#[test]
fn every_second_span_is_by_tracing() {
    let (collector, said) = run("sync", &[]);
    assert_eq!(collector.summary(), ["first", "second<first", "third<second", "fourth<third"]);
    assert_line_of(&collector, "fourth", &said);
}

#[test]
fn every_second_future_is_by_tracing() {
    let (collector, said) = run("async", &[]);
    let mut spans = collector.summary();
    spans.sort_unstable();
    let pairs =
        ["fourth_async<third_async", "second_async<first_async", "third_async<second_async"];
    let mut expected = vec!["first_async"];
    expected.extend(pairs.iter().flat_map(|pair| [*pair, *pair]));
    expected.sort_unstable();
    assert_eq!(spans, expected);
    let spans = collector.spans();
    let parents = |name: &str| {
        let of = spans.iter().filter(|span| span.name == name);
        of.map(|span| span.parent_span_id.clone()).collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!((parents("third_async"), parents("fourth_async")), (2, 2));
    assert_line_of(&collector, "fourth_async", &said);
}

#[test]
fn a_span_that_is_entered_again_and_moved_keeps_its_place() {
    let (collector, _) = run("mixed", &[]);
    let spans = collector.summary();
    assert_eq!(spans[..4], ["outer", "ours<outer", "ours<outer", "ours<outer"]);
    assert!(spans.contains(&"first_async<outer".to_owned()), "{spans:?}");
    assert!(spans.contains(&"fourth_async<third_async".to_owned()), "{spans:?}");
}

#[test]
fn a_library_is_between_two_of_ours() {
    let info = run("library", &[]).0;
    assert_eq!(info.summary(), ["call", "serve<call"], "its span is of level debug");
    let debug = run("library", &[("RUST_LOG", "error,tower_http=debug")]).0;
    assert_eq!(debug.summary(), ["call", "request<call", "serve<request"]);
    let request = &debug.spans()[1];
    assert_eq!(text(&request.attributes, "method").as_deref(), Some("GET"));
}

#[test]
fn an_error_marks_the_span_that_is_current() {
    let (collector, said) = run("errors", &[]);
    assert_eq!(
        collector.summary(),
        ["refused!refused", "tolerant<refused", "fails", "failing<fails!failed"]
    );
    let events: Vec<usize> = collector.spans().iter().map(|span| span.events.len()).collect();
    assert_eq!(events, [1, 0, 0, 1]);
    assert!(said.contains("not that bad"), "{said}");
}

#[test]
fn what_is_suppressed_makes_no_spans() {
    let (collector, _) = run("roots", &[]);
    assert_eq!(collector.summary(), ["roots", "ours<roots", "root", "ours<root"]);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_open_spans_of_libraries() {
    use std::io::{BufRead, BufReader};

    let collector = Collector::start();
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    let mut program = command(NESTING, "wait", &variables).spawn().expect("it runs");
    let mut line = String::new();
    let stdout = program.stdout.as_mut().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("it writes");
    let kill = std::process::Command::new("kill").arg(program.id().to_string()).status();
    assert!(kill.expect("kill runs").success());
    program.wait().expect("it ends");
    assert_eq!(collector.summary(), ["interrupted"]);
    let attributes = &collector.spans()[0].attributes;
    assert_eq!(text(attributes, "spandrel.interrupted").as_deref(), Some("true"));
}

fn run(how: &str, variables: &[(&str, &str)]) -> (Collector, String) {
    let collector = Collector::start();
    let mut all = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    all.extend(variables);
    let output = command(NESTING, how, &all).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    (collector, stderr(&output))
}

/// The first line was logged in a span of this name.
fn assert_line_of(collector: &Collector, name: &str, said: &str) {
    let line: Value = serde_json::from_str(said.lines().next().expect("a line")).expect("JSON");
    let spans = collector.spans();
    let spans = spans.iter().filter(|span| span.name == name);
    let ids: Vec<String> = spans.map(|span| hex(&span.span_id)).collect();
    assert!(ids.iter().any(|id| line["span_id"] == **id), "{line}");
}
