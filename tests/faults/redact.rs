//! What the program's function does not want to be recorded.

use crate::collector::Collector;
use crate::process::{REDACTS, command, stderr};

const PANICKED: &str =
    "spandrel: the function of `redact` panicked on `panics`; what it panics on is not recorded";

#[test]
fn what_is_recorded_passes_through_the_program_s_function_first() {
    for how in ["native", "sdk"] {
        let collector = Collector::start();
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
        let output = command(REDACTS, how, &variables).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{how}: {}", stderr(&output));
        assert_eq!(stderr(&output).matches(PANICKED).count(), 1, "{how}: {}", stderr(&output));
        let spans = collector.spans();
        let recorded = format!("{spans:?}");
        let keys = spans.iter().flat_map(|span| {
            let events = span.events.iter().flat_map(|event| &event.attributes);
            let links = span.links.iter().flat_map(|link| &link.attributes);
            span.attributes.iter().chain(events).chain(links).map(|attribute| attribute.key.clone())
        });
        let keys: Vec<_> = keys.collect();
        for absent in ["password", "panics", "seen"] {
            assert!(!keys.iter().any(|key| key == absent), "{how}: {absent} in {recorded}");
        }
        for secret in [
            "secret",
            "token 1",
            "token 2",
            "token 3",
            "token 4",
            "token 5",
            "token 6",
            "token 7",
            "token 8",
            "token 9",
            "of the function",
        ] {
            assert!(!recorded.contains(secret), "{how}: {secret} in {recorded}");
        }
        let mut names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["foreign", "request", "work"], "{how}");
        for (replaced, times) in [
            ("[by.api]", 1),
            ("[token]", 1),
            ("[list]", 1),
            ("[later]", 1),
            ("[event.token]", 1),
            ("[text]", 1),
            ("[set]", 1),
            ("[exception.message]", 1),
            ("[otel.status_description]", 2),
            // At the start, by an event and by two links.
            ("[foreign.token]", 4),
        ] {
            assert_eq!(
                recorded.matches(replaced).count(),
                times,
                "{how}: {replaced} in {recorded}"
            );
        }
        assert!(recorded.contains("[baggage.token]"), "{how}: {recorded}");
        assert!(recorded.contains("\"yes\""), "{how}: what is kept: {recorded}");
        assert_eq!(
            collector.resource("team").as_deref(),
            how.eq("native").then_some("token of the resource")
        );
    }
}

#[test]
fn exceptions_in_the_log_pass_through_it_too() {
    for how in ["native", "sdk"] {
        let collector = Collector::start();
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
            ("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs"),
        ];
        let output = command(REDACTS, how, &variables).output().expect("it runs");
        let written = stderr(&output);
        assert!(
            written.contains("\"exception.message\":\"[exception.message]\""),
            "{how}: {written}"
        );
        assert!(!written.contains("token 7"), "{how}: {written}");
    }
}
