//! What is sampled, and what is kept although it was not.

use crate::collector::{Collector, hex};
use crate::process::{CONSISTENT, KEEP, PROGRAM, command, stderr};

/// What arrives of a program that samples nothing, and what it writes.
fn keep(how: &str) -> (Collector, Vec<String>) {
    let collector = Collector::start();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "20000"),
    ];
    let output = command(KEEP, how, &variables).output().expect("it runs");
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{how}");
    let written = String::from_utf8(output.stdout).expect("text");
    (collector, written.lines().map(str::to_owned).collect())
}

#[test]
fn a_trace_that_fails_is_kept_whole() {
    for (how, expected) in [
        ("fine", &[][..]),
        ("error", &["request!it failed", "work<request", "work<request!it failed"]),
        ("handled", &["request", "work<request", "work<request", "work<work!it failed within"]),
        ("slow", &["request", "work<request", "work<request"]),
        ("late", &["request!it failed", "work<request", "work<request!it failed", "work<work"]),
        ("later", &["request!it failed", "work<request", "work<request!it failed", "work<work"]),
        ("late-error", &["request", "work<request", "work<request", "work<work!too late"]),
        ("remote", &["continued!it failed"]),
        (
            "foreign",
            &["foreign", "request<foreign!it failed", "work<request", "work<request!it failed"],
        ),
    ] {
        let (collector, _) = keep(how);
        assert_eq!(collector.summary(), expected, "{how}");
    }
}

#[test]
fn what_is_kept_is_sampled_for_the_collector_only() {
    let (collector, written) = keep("error");
    assert!(collector.spans().iter().all(|span| span.flags & 1 == 1));
    let [_, trace, _, flags] = *written[0].split('-').collect::<Vec<_>>() else { panic!() };
    assert_eq!(trace, hex(&collector.spans()[0].trace_id));
    assert_eq!(u8::from_str_radix(flags, 16).map(|flags| flags & 1), Ok(0));
    assert!(written[1].contains("accepted: 3"), "{written:?}");
}

#[test]
fn what_is_held_is_bounded_and_counted() {
    let (collector, written) = keep("flood");
    let account = written.last().expect("an account");
    let number = account.split_once("evicted: ").map(|(_, rest)| rest.trim_end_matches([' ', '}']));
    let evicted: usize = number.expect("it is there").parse().expect("a number");
    // 16 MiB of spans of some 2100 bytes.
    assert!((7500..8200).contains(&evicted), "{account}");
    // The rest of the trace is there: with the span that failed and the first one.
    assert_eq!(collector.arrived().spans, 15_002 - evicted);
}

#[test]
fn local_traces_of_one_trace_stand_for_themselves() {
    let (collector, written) = keep("apart");
    assert_eq!(collector.summary(), ["work!it failed", "work!it failed"]);
    assert!(written.last().is_some_and(|account| account.contains("accepted: 2,")), "{written:?}");
}

#[test]
fn consistent_sampling_says_what_it_did() {
    for (rate, state) in [("0.5", "ot=th:8"), ("0.25", "ot=th:c")] {
        let collector = Collector::start();
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
            ("OTEL_SAMPLE_RATE", rate),
        ];
        let output = command(CONSISTENT, "", &variables).output().expect("it runs");
        let written = String::from_utf8(output.stdout).expect("text");
        let sent = written.lines().filter_map(|line| line.split_once(' '));
        let (sampled, unsampled): (Vec<_>, Vec<_>) = sent.partition(|(_, sent)| *sent == state);
        let spans = collector.spans();
        assert_eq!((spans.len(), sampled.len() + unsampled.len()), (sampled.len(), 64));
        assert!(spans.len() > 2 && unsampled.len() > 2, "{} of 64", spans.len());
        for span in spans {
            assert_eq!(span.trace_state, state);
            assert!(span.trace_id[9] >= if rate == "0.5" { 0x80 } else { 0xc0 });
            // Its id is random, says the second flag.
            assert_eq!(span.flags & 0xff, 0x03);
        }
        assert!(sampled.iter().all(|(parent, _)| parent.ends_with("-03")));
        let says_nothing =
            |(parent, state): &(&str, &str)| parent.ends_with("-02") && state.is_empty();
        assert!(unsampled.iter().all(says_nothing));
    }
}

#[test]
fn the_sampling_rate_is_read() {
    for (variables, spans) in [
        (&[("OTEL_SAMPLE_RATE", "0")][..], 0),
        (&[("OTEL_SAMPLE_RATE", "0"), ("OTEL_TRACES_SAMPLER", "always_on")][..], 3),
    ] {
        let collector = Collector::start();
        let mut variables = variables.to_vec();
        variables.push(("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()));
        let output = command(PROGRAM, "return", &variables).output().expect("it runs");
        assert_eq!(stderr(&output), "");
        assert_eq!(collector.summary().len(), spans, "{variables:?}");
    }
}
