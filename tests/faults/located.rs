//! Where in the source spans are.

use crate::collector::{Collector, text};
use crate::process::{LOCATED, command, stderr};

/// The number of the line of the program that has this text.
fn line(text: &str) -> i64 {
    let program = include_str!("../programs/located.rs");
    let place = program.lines().position(|line| line.contains(text)).expect(text);
    i64::try_from(place).expect("it is small") + 1
}

#[test]
fn spans_say_where_they_are_in_the_source() {
    for how in ["native", "sdk"] {
        let collector = Collector::start();
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
        let output = command(LOCATED, how, &variables).output().expect("it runs");
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{how}");
        let spans = collector.spans();
        for (name, function, line) in [
            ("function", "located::function", line("fn function")),
            ("block", "located::function", line("#[span(\"block\")]")),
            ("asynchronous", "located::asynchronous", 7),
            ("inner block", "located::asynchronous", line("#[span(\"inner block\")]")),
            ("Store::method", "located::Store::method", line("fn method")),
            ("alone", "located::Store::alone", line("fn alone")),
            (
                "of_trait",
                "<located::Store as located::OfTrait>::of_trait",
                line("    fn of_trait(&self) {}"),
            ),
            ("generic", "located::generic", line("fn generic")),
            ("constant", "located::named_by_a_constant", line("fn named_by_a_constant")),
            ("computed", "located::computed", line("fn computed")),
            ("by hand", "located::by_hand", 12345),
        ] {
            let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
            assert!(!found.is_empty(), "{how}: {name}");
            for span in found {
                let value = |key| text(&span.attributes, key);
                assert_eq!(value("code.function.name").as_deref(), Some(function), "{how}: {name}");
                let file = value("code.file.path").expect(name);
                assert!(file.ends_with("tests/programs/located.rs"), "{how}: {file}");
                let printed = format!("{:?}", span.attributes);
                assert!(printed.contains(&format!("IntValue({line})")), "{how}: {name}: {printed}");
                assert_eq!(printed.matches("code.line.number").count(), 1, "{how}: {name}");
            }
        }
    }
}

#[test]
fn a_location_keeps_to_the_limits() {
    let collector = Collector::start();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "7"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2"),
    ];
    let output = command(LOCATED, "native", &variables).output().expect("it runs");
    assert_eq!(stderr(&output), "");
    let spans = collector.spans();
    let function = spans.iter().find(|span| span.name == "function").expect("it is there");
    assert_eq!(text(&function.attributes, "code.function.name").as_deref(), Some("located"));
    assert_eq!((function.attributes.len(), function.dropped_attributes_count), (2, 1));
}
