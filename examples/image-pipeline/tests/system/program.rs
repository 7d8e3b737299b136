//! The program, with a collector of the test's.

use std::path::Path;
use std::process::{Child, Command};

use collector::{Collector, Span};

pub(crate) const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// The program without variables from outside.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_image-pipeline"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.args(arguments).env_remove("ENABLE_TRACING").current_dir(FOLDER);
    command
}

pub(crate) fn reporting(collector: &Collector, arguments: &[&str]) -> Command {
    let mut command = program(arguments);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    command
}

pub(crate) fn kill(signal: &str, id: u32) {
    let killed = Command::new("kill").args([signal, &id.to_string()]).status();
    assert!(killed.unwrap().success());
}

/// The processes that this one has started.
pub(crate) fn services(program: &Child) -> Vec<u32> {
    let id = program.id();
    let tasks = Path::new("/proc").join(id.to_string()).join("task").read_dir().unwrap();
    let lists =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    lists
        .flat_map(|list| list.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// That every span but one has a parent among them.
pub(crate) fn assert_whole(spans: &[Span]) {
    let ids: Vec<_> = spans.iter().map(|span| span.data.span_context.span_id()).collect();
    let roots = spans.iter().filter(|span| !ids.contains(&span.data.parent_span_id));
    let roots: Vec<_> = roots.map(|span| &span.data.name).collect();
    assert_eq!(roots, ["image-pipeline"], "{spans:?}");
}
