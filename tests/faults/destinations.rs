//! Several destinations, and lines of OTLP/JSON.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use tempfile::tempdir;

use crate::collector::{Behaviour, Collector};
use crate::process::{FLUSHES, FORKS, PROGRAM, command, kill, started, stderr};

/// The names of the spans in lines, each of which is a request.
fn names(lines: &str) -> Vec<String> {
    assert!(lines.is_empty() || lines.ends_with('\n'), "{lines:?}");
    let requests = lines.lines().map(|line| {
        serde_json::from_str::<ExportTraceServiceRequest>(line)
            .unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    let spans = requests.flat_map(|request| request.resource_spans).flat_map(|resource| {
        assert!(resource.resource.is_some_and(|resource| !resource.attributes.is_empty()));
        resource.scope_spans.into_iter().flat_map(|scope| scope.spans)
    });
    let mut names: Vec<_> = spans.map(|span| span.name).collect();
    names.sort();
    names
}

const SPANS: [&str; 3] = ["detail", "main", "work"];

fn to(exporters: &str, argument: &str, variables: &[(&str, &str)]) -> Output {
    let mut variables = variables.to_vec();
    variables.push(("OTEL_TRACES_EXPORTER", exporters));
    command(PROGRAM, argument, &variables).output().expect("it runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn each_destination_gets_each_span() {
    let collector = Collector::start();
    let directory = tempdir().expect("a directory");
    let file = directory.path().join("traces.jsonl");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("SPANDREL_TRACES_FILE", text(&file)),
    ];
    for endings in ["return", "exit", "error"] {
        let before = collector.spans().len();
        let output = to("Console, otlp,otlp/stdout ,otlp/file", endings, &variables);
        assert_eq!(collector.spans().len() - before, SPANS.len(), "{endings}");
        let drawn = stderr(&output);
        assert!(drawn.contains("└─ work") && drawn.contains("   └─ detail"), "{drawn}");
        assert_eq!(names(&String::from_utf8_lossy(&output.stdout)), SPANS, "{endings}");
    }
    let written = fs::read_to_string(&file).expect("the file");
    assert_eq!(names(&written).len(), 3 * SPANS.len(), "lines are added");
}

#[test]
fn a_destination_that_is_away_takes_nothing_from_the_others() {
    let collector = Collector::refusing();
    let directory = tempdir().expect("a directory");
    let file = directory.path().join("traces.jsonl");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("SPANDREL_TRACES_FILE", text(&file)),
    ];
    let output = to("otlp,otlp/file", "return", &variables);
    let said = stderr(&output);
    assert!(said.contains("3 of 3 spans lost"), "{said}");
    assert_eq!(names(&fs::read_to_string(&file).expect("the file")), SPANS);
    let written = to("otlp/stdout", "many", &variables[..2]);
    // The queue is of this destination alone.
    let (arrived, said) = (names(&String::from_utf8_lossy(&written.stdout)), stderr(&written));
    let lost = 5003 - arrived.len();
    assert!(lost == 0 || said.contains(&format!("{lost} of 5003 spans lost")), "{lost}: {said}");
}

#[test]
fn a_signal_that_ends_the_program_flushes_all_destinations() {
    let collector = Collector::start();
    let directory = tempdir().expect("a directory");
    let file = directory.path().join("traces.jsonl");
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp/file,otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("SPANDREL_TRACES_FILE", text(&file)),
    ];
    let mut program = started(&mut command(PROGRAM, "wait", &variables));
    kill(&program, libc::SIGTERM);
    program.wait().expect("it ends");
    assert_eq!(collector.spans().len(), SPANS.len());
    assert_eq!(names(&fs::read_to_string(&file).expect("the file")), SPANS);
}

#[test]
fn a_child_of_fork_writes_lines_of_its_own() {
    let collector = Collector::start();
    let directory = tempdir().expect("a directory");
    let file = directory.path().join("traces.jsonl");
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp,otlp/file"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("SPANDREL_TRACES_FILE", text(&file)),
    ];
    let output = command(FORKS, "full", &variables).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut arrived: Vec<_> = collector.spans().into_iter().map(|span| span.name).collect();
    arrived.sort();
    assert_eq!(names(&fs::read_to_string(&file).expect("the file")), arrived);
}

#[test]
fn a_file_that_cannot_be_written_to_is_named() {
    let collector = Collector::start();
    let directory = tempdir().expect("a directory");
    let nowhere = directory.path().join("no/such/directory/traces.jsonl");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("SPANDREL_TRACES_FILE", text(&nowhere)),
    ];
    let why = format!(
        "spandrel: the file {}: No such file or directory (os error 2); ",
        nowhere.display()
    );
    assert_eq!(stderr(&to("otlp/file", "return", &variables)), format!("{why}tracing is off\n"));
    let said = stderr(&to("otlp,otlp/file", "return", &variables));
    assert_eq!(said, format!("{why}spans do not go there\n"));
    assert_eq!(collector.spans().len(), SPANS.len());
}

#[test]
fn a_file_may_be_renamed_while_it_is_written_to() {
    let directory = tempdir().expect("a directory");
    let file = directory.path().join("traces.jsonl");
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp/file"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("SPANDREL_TRACES_FILE", text(&file)),
    ];
    let mut program = started(&mut command(PROGRAM, "wait", &variables));
    let renamed = directory.path().join("traces.jsonl.1");
    while fs::rename(&file, &renamed).is_err()
        || fs::read(&renamed).is_ok_and(|text| text.is_empty())
    {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    kill(&program, libc::SIGTERM);
    program.wait().expect("it ends");
    let read = |path: &Path| fs::read_to_string(path).expect("the file");
    let mut arrived = [names(&read(&renamed)), names(&read(&file))].concat();
    arrived.sort();
    assert_eq!(arrived, SPANS);
}

#[test]
fn exporters_that_do_not_go_together_are_named() {
    let collector = Collector::start();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
    for (exporters, expected) in [
        (
            "otlp,none",
            "OTEL_TRACES_EXPORTER is `otlp,none`, expected otlp, console, otlp/stdout, otlp/file, several of these with \
             commas between them, or none; using otlp",
        ),
        (
            "otlp,otlp/file",
            "OTEL_TRACES_EXPORTER is `otlp/file`, expected SPANDREL_TRACES_FILE beside it, with the path of a file; \
             using the other exporters",
        ),
    ] {
        let said = stderr(&to(exporters, "return", &[endpoint]));
        assert_eq!(said, format!("spandrel: {expected}\n"), "{exporters}");
    }
    assert_eq!(collector.spans().len(), 2 * SPANS.len());
}

#[test]
fn a_destination_that_answers_late_does_not_hold_up_the_others() {
    let collector = Collector::start();
    collector.behave(Behaviour::Hang);
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    let output = to("otlp,otlp/stdout", "return", &variables);
    assert_eq!(names(&String::from_utf8_lossy(&output.stdout)), SPANS);
    assert!(stderr(&output).contains("3 of 3 spans lost"), "{}", stderr(&output));
}

/// A flush starts at all destinations, and then waits for each.
#[test]
fn a_destination_that_blocks_does_not_hold_up_the_flush_of_the_others() {
    let collector = Collector::start();
    let directory = tempdir().expect("a directory");
    // Nobody reads it: to open it waits for ever.
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    // Somebody reads it while the program starts.
    let mut reader = Command::new("head").args(["-c", "1", text(&pipe)]).spawn().expect("it runs");
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp,otlp/file"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("SPANDREL_TRACES_FILE", text(&pipe)),
    ];
    let mut program = command(FLUSHES, "abort", &variables).spawn().expect("it runs");
    assert!(program.wait().is_ok_and(|status| !status.success()));
    assert_eq!(collector.spans().len(), 1);
    let _ = reader.kill();
    let _ = reader.wait();
}
