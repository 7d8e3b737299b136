//! Programs that set OpenTelemetry up themselves, or bring an exporter.

use crate::process::{OWN_SDK, command, stderr};

fn run(how: &str, variables: &[(&str, &str)]) -> (String, String) {
    let output = command(OWN_SDK, how, variables).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let said = stderr(&output);
    (String::from_utf8(output.stdout).expect("text"), said)
}

#[test]
fn a_provider_that_is_adopted_gets_the_spans() {
    assert_eq!(run("adopt", &[]), ("part:1 work:0 part:1 work:0\n".to_owned(), String::new()));
}

#[test]
fn a_provider_that_is_set_already_stays() {
    let (names, said) = run("install", &[]);
    assert_eq!(names, "part:1 work:0 part:1 work:0\n");
    assert_eq!(
        said,
        "spandrel: a tracer provider is set already: spans go there, and this configuration is \
         ignored\n"
    );
}

#[test]
fn an_exporter_of_the_program_s_own_gets_the_spans_unless_the_environment_names_another() {
    assert_eq!(run("exporter", &[]), ("part:1 work:0\n".to_owned(), String::new()));
    let (names, said) = run("exporter", &[("OTEL_TRACES_EXPORTER", "console")]);
    assert_eq!(names, "\n");
    assert!(said.starts_with("work "), "{said}");
}
