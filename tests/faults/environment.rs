//! The environment decides: whether, where to, how much.

use serde_json::Value;

use crate::collector::{Collector, doubles, hex};
use crate::process::{DOUBLES, PROGRAM, command, run, stderr};

#[test]
fn disabled_is_silent_and_sends_nothing() {
    for variable in [("ENABLE_TRACING", "false"), ("OTEL_SDK_DISABLED", "true")] {
        let collector = Collector::start();
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()), variable];
        let output = command(PROGRAM, "return", &variables).output().expect("it runs");
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        assert_eq!(collector.summary(), Vec::<String>::new());
    }
}

#[test]
fn exceptions_can_be_log_lines() {
    for (signal, events) in [("logs", 0), ("logs/dup", 1)] {
        let collector = Collector::start();
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
            ("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", signal),
        ];
        let output = command(PROGRAM, "error", &variables).output().expect("it runs");
        let stderr = stderr(&output);
        let lines = stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let [line] = lines.collect::<Vec<_>>().try_into().expect("one line of JSON");
        let work = collector.spans().into_iter().find(|span| span.name == "work");
        let work = work.expect("the span arrived");
        assert_eq!(line["trace_id"], hex(&work.trace_id));
        assert_eq!(line["span_id"], hex(&work.span_id));
        assert_eq!((&line["level"], &line["message"]), (&"ERROR".into(), &"exception".into()));
        assert_eq!(line["fields"]["event.name"], "exception");
        assert_eq!(line["fields"]["exception.type"], "alloc::string::String");
        assert_eq!(line["fields"]["exception.message"], "the program failed");
        assert_eq!(work.events.len(), events, "{signal}");
        assert!(work.status.is_some_and(|status| status.message == "the program failed"));
    }
}

#[test]
fn the_protocol_and_the_compression_are_read() {
    for protocol in ["http/protobuf", "http/json", "grpc"] {
        for compression in ["none", "gzip", "zstd"] {
            let collector = Collector::start();
            let variables = [
                ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
            ];
            let output = command(PROGRAM, "return", &variables).output().expect("it runs");
            assert_eq!(stderr(&output), "", "{protocol} {compression}");
            assert_eq!(collector.summary(), ["main", "work<main", "detail<work"]);
            let requests = collector.requests();
            let [request] = &requests[..] else { panic!("{requests:?}") };
            let content_type = match protocol {
                "http/protobuf" => "application/x-protobuf",
                "http/json" => "application/json",
                _ => "application/grpc",
            };
            assert_eq!(request.headers["content-type"], content_type);
            assert_eq!(request.encoding.as_deref().unwrap_or("none"), compression, "{protocol}");
        }
    }
}

/// In JSON a double that is not finite is a string: collectors refuse a batch that has `null` in its place.
#[test]
fn doubles_that_are_not_finite_arrive_over_every_protocol() {
    for protocol in ["http/protobuf", "http/json", "grpc"] {
        let collector = Collector::start();
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ];
        let output = command(DOUBLES, "", &variables).output().expect("it runs");
        assert_eq!(stderr(&output), "", "{protocol}");
        let resource = collector.resource_attributes();
        assert_eq!(doubles(&resource, "share"), ["inf"], "{protocol}");
        assert_eq!(doubles(&resource, "shares"), ["NaN", "0.5"], "{protocol}");
        let [span] = &collector.spans()[..] else { panic!("{protocol}: one span") };
        assert_eq!(doubles(&span.attributes, "ratio"), ["NaN"], "{protocol}");
        assert_eq!(
            doubles(&span.attributes, "ratios"),
            ["-inf", "NaN", "1.5", "inf"],
            "{protocol}"
        );
        assert_eq!(doubles(&span.events[0].attributes, "ratio"), ["inf"], "{protocol}");
        assert_eq!(doubles(&span.links[0].attributes, "ratio"), ["-inf"], "{protocol}");
    }
}

#[test]
fn the_environment_names_the_service_and_adds_attributes() {
    for (name, named) in [(None, "program"), (Some("renamed"), "renamed")] {
        let collector = Collector::start();
        let pairs = "service.name=ignored,team=b,deployment.environment.name=prod,room=4%2C5";
        let mut variables = vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
            ("OTEL_RESOURCE_ATTRIBUTES", pairs),
        ];
        variables.extend(name.map(|name| ("OTEL_SERVICE_NAME", name)));
        command(PROGRAM, "return", &variables).output().expect("it runs");
        assert_eq!(collector.resource("service.name").as_deref(), Some(named));
        assert_eq!(collector.resource("team").as_deref(), Some("a"), "the program says so");
        assert_eq!(collector.resource("deployment.environment.name").as_deref(), Some("test"));
        assert_eq!(collector.resource("room").as_deref(), Some("4,5"));
    }
}

#[test]
fn the_resource_describes_the_service_the_process_and_the_machine() {
    let detected = [
        "service.version",
        "service.instance.id",
        "host.name",
        "host.arch",
        "os.type",
        "process.pid",
        "process.executable.name",
    ];
    let mut instances = Vec::new();
    for _ in 0..2 {
        let collector = Collector::start();
        run(PROGRAM, "return", &collector.endpoint);
        let [version, instance, name, arch, os, pid, executable] =
            detected.map(|key| collector.resources(key).pop().expect(key));
        assert_eq!(version, env!("CARGO_PKG_VERSION"), "of the crate that is annotated");
        assert_eq!(instance.len(), 36, "{instance}");
        assert!(!name.is_empty() && pid.parse::<u32>().is_ok_and(|pid| pid > 0), "{name} {pid}");
        assert!(
            ["amd64", "arm64"].contains(&&*arch) || cfg!(not(target_arch = "x86_64")),
            "{arch}"
        );
        assert_eq!(os, std::env::consts::OS);
        assert!(PROGRAM.ends_with(&executable), "{executable}");
        assert_eq!(collector.resources("process.command_args"), Vec::<String>::new());
        instances.push(instance);
    }
    assert_ne!(instances[0], instances[1], "each process is an instance of its own");
    let collector = Collector::start();
    let pairs = "service.version=2,service.instance.id=mine,host.name=there,process.pid=1";
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_RESOURCE_ATTRIBUTES", pairs),
    ];
    command(PROGRAM, "return", &variables).output().expect("it runs");
    let overridden = ["service.version", "service.instance.id", "host.name", "process.pid"];
    assert_eq!(
        overridden.map(|key| collector.resource(key).expect(key)),
        ["2", "mine", "there", "1"]
    );
}

#[test]
fn the_console_draws_the_trace() {
    let variables = [("OTEL_TRACES_EXPORTER", "console"), ("CLICOLOR_FORCE", "0")];
    let output = command(PROGRAM, "error", &variables).output().expect("it runs");
    let said = stderr(&output);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("main "), "{said}");
    assert!(lines[1].starts_with("└─ work "), "{said}");
    assert!(lines[1].ends_with("✗ the program failed"), "{said}");
    assert!(lines[2].starts_with("   └─ detail "), "{said}");
    assert_eq!(lines[3..], ["Error: \"the program failed\""], "{said}");
    assert!(!said.contains('\x1b'), "{said}");
    let variables = [("OTEL_TRACES_EXPORTER", "console"), ("CLICOLOR_FORCE", "1")];
    let output = command(PROGRAM, "error", &variables).output().expect("it runs");
    assert!(stderr(&output).starts_with("\x1b[1;31mmain\x1b[0m "), "{said}");
}

#[test]
fn nonsense_is_told_of_and_stops_nothing() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_SAMPLE_RATE", "ten"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
    ];
    let output = command(PROGRAM, "return", &variables).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output),
        "spandrel: OTEL_SAMPLE_RATE is `ten`, expected a number from 0 to 1; using 1\n\
         spandrel: OTEL_BSP_SCHEDULE_DELAY is `soon`, expected milliseconds, a whole \
         number from 0 to 4294967295; using 5000\n"
    );
}

/// One line for each variable, whatever is wrong with it, and everything arrives as before.
#[cfg(unix)]
/// The variables in the documentation, which has all that are declared.
fn documented_variables() -> Vec<String> {
    let tables = include_str!("../../runtime/docs/variables.md");
    let cells = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let names = cells.flat_map(|names| names.split(", ")).map(|name| name.trim_matches('`'));
    let with_traces = names.flat_map(|name| {
        let setting = name.strip_prefix("OTEL_EXPORTER_OTLP_");
        let traces = setting.map(|setting| format!("OTEL_EXPORTER_OTLP_TRACES_{setting}"));
        [Some(name.to_owned()), traces].into_iter().flatten()
    });
    with_traces.collect()
}

#[test]
fn every_variable_may_hold_nonsense() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let not_utf_8 = OsString::from_vec(b"\xff".to_vec());
    let huge = OsString::from("9".repeat(10_000));
    let nonsense = OsString::from("\u{1b}[31m;=%zz, \u{1f4a5}");
    for name in documented_variables().iter().filter(|name| !name.ends_with("_ENDPOINT")) {
        for value in [&not_utf_8, &huge, &nonsense, &OsString::new()] {
            let collector = Collector::start();
            let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
            let output = command(PROGRAM, "return", &[endpoint]).env(name, value).output();
            let output = output.expect("it runs");
            let said = stderr(&output);
            let lines: Vec<&str> = said.lines().collect();
            assert_eq!(output.status.code(), Some(0), "{name}: {said}");
            assert!(lines.len() <= 1 && said.len() < 500, "{name}: {said}");
            assert!(lines.is_empty() || lines[0].starts_with(&format!("spandrel: {name} is ")));
            assert!(!said.contains('\u{1b}'), "{name}: {said}");
            if value.is_empty() {
                assert_eq!(said, "", "{name}");
            }
            assert_eq!(collector.summary(), ["main", "work<main", "detail<work"], "{name}");
        }
    }
}
