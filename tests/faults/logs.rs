//! Log lines: with the ids of the spans that arrived, whatever else is set up or disabled.

use std::process::Output;

use serde_json::Value;

use crate::collector::{Collector, hex};
use crate::process::{LOGS, command, stderr};

#[test]
fn lines_have_the_ids_of_their_span() {
    let (output, collector) = run("", &[]);
    let lines = lines(&output);
    let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    assert_eq!(
        messages,
        [
            "by log, outside",
            "by tracing, outside",
            "by log, inside",
            "by tracing, inside",
            "handled 1",
            "it failed",
            "after the end"
        ]
    );
    let spans = collector.spans();
    let work = &spans[0];
    for line in &lines[2..4] {
        assert_eq!(line["trace_id"], hex(&work.trace_id));
        assert_eq!(line["span_id"], hex(&work.span_id));
        assert_eq!(line["trace_flags"], "03");
    }
    assert_eq!(lines[4]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(lines[5]["span_id"], hex(&spans[1].span_id));
    for line in [&lines[0], &lines[1], &lines[6]] {
        assert!(line.get("trace_id").is_none(), "{line}");
    }
}

#[test]
fn lines_say_who_and_what() {
    let (output, _collector) = run("", &[]);
    let lines = lines(&output);
    assert_eq!((&lines[0]["level"], &lines[0]["target"]), (&"INFO".into(), &"logs".into()));
    assert_eq!(lines[0].get("fields"), None);
    assert_eq!((&lines[2]["level"], &lines[2]["target"]), (&"WARN".into(), &"shop".into()));
    assert_eq!(
        lines[3]["fields"],
        serde_json::json!({"user": "Ada", "paid": true, "ratio": "NaN"})
    );
    assert_eq!(lines[5]["fields"]["error"], "no luck");
    let timestamp = lines[0]["timestamp"].as_str().expect("a time");
    assert!(timestamp.len() == "2026-01-31T12:00:00.000001Z".len() && timestamp.ends_with('Z'));
}

#[test]
fn an_error_line_fails_no_span_of_ours_twice() {
    let (_output, collector) = run("", &[]);
    assert_eq!(collector.summary(), ["work", "fails!no luck"]);
    assert_eq!(collector.spans()[1].events.len(), 1);
}

#[test]
fn exceptions_are_lines_like_the_others() {
    let (output, _collector) = run("", &[("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs")]);
    let lines = lines(&output);
    let keys = |line: &Value| line.as_object().map(|line| line.keys().cloned().collect::<Vec<_>>());
    assert_eq!(lines[6]["message"], "exception");
    assert_eq!(keys(&lines[6]), keys(&lines[5]));
}

#[test]
fn rust_log_decides() {
    let count = |filter| {
        let (output, collector) = run("", &[("RUST_LOG", filter)]);
        assert_eq!(collector.summary().len(), 2, "lines are filtered, not spans");
        lines(&output).len()
    };
    assert_eq!(count("off"), 0);
    assert_eq!(count("logs=debug"), 7);
    assert_eq!(count("error,shop=warn"), 2);
}

#[test]
fn a_filter_that_makes_no_sense_is_told_of() {
    let (output, _collector) = run("", &[("RUST_LOG", "shop=loud")]);
    let said = stderr(&output);
    let (complaint, rest) = said.split_once('\n').expect("lines");
    assert_eq!(
        complaint,
        "spandrel: RUST_LOG is `shop=loud`, expected directives like `info,my_crate=debug`; \
         using info"
    );
    assert_eq!(rest.lines().count(), 7, "{said}");
}

#[test]
fn without_tracing_there_are_lines() {
    for variables in [
        &[("ENABLE_TRACING", "false")][..],
        // A pipeline that cannot be built.
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("HTTP_PROXY", "https://proxy:3128"),
        ],
    ] {
        let (output, collector) = run("", variables);
        let lines = lines(&output);
        assert_eq!(lines.len(), 7, "{variables:?}: {}", stderr(&output));
        assert_eq!(collector.summary(), Vec::<String>::new());
        assert!(lines[2].get("trace_id").is_none());
        assert_eq!(lines[4]["span_id"], "b7ad6b7169203331");
    }
}

#[test]
fn who_came_first_stays() {
    let remove = "is set already, and keeps the log lines; remove it, or the option `logs`\n";
    let (output, collector) = run("subscriber", &[]);
    let said = stderr(&output);
    assert_eq!(said, format!("spandrel: a subscriber of `tracing` {remove}"));
    assert_eq!(collector.summary().len(), 2);

    let (output, _collector) = run("logger", &[]);
    let said = stderr(&output);
    assert!(said.starts_with(&format!("spandrel: a logger of `log` {remove}theirs: ")), "{said}");
    assert_eq!(lines(&output).len(), 0, "{said}");
}

fn run(how: &str, variables: &[(&str, &str)]) -> (Output, Collector) {
    let collector = Collector::start();
    let mut all = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    all.extend(variables);
    let output = command(LOGS, how, &all).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    (output, collector)
}

fn lines(output: &Output) -> Vec<Value> {
    stderr(output).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
