//! What is sampled, and what is kept although it was not.

use crate::collector::{Collector, hex};
use crate::process::{CONSISTENT, KEEP, PROGRAM, RULES, command, stderr};

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

/// What arrives of a program with rules, and what it writes.
fn rules(how: &str, variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let collector = Collector::start();
    let mut variables = variables.to_vec();
    variables.push(("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()));
    let output = command(RULES, how, &variables).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{how}: {}", stderr(&output));
    let mut arrived = collector.summary();
    arrived.sort();
    (arrived, String::from_utf8(output.stdout).expect("text"))
}

/// What arrives with the rules of the program.
const BY_RULES: [&str; 10] = [
    // One of those that start here and, because a rule with a rate leaves the caller's decision, both of the caller's.
    "GET /limited",
    "GET /limited",
    "GET /limited",
    "GET /orders",
    "GET /orders",
    "GET /orders",
    "own",
    "part<GET /limited",
    "part<GET /limited",
    "part<GET /limited",
];

#[test]
fn rules_decide_about_local_traces_by_their_names() {
    for how in ["native", "sdk"] {
        let (arrived, written) = rules(how, &[]);
        let mut expected = BY_RULES.map(str::to_owned).to_vec();
        expected.extend(["part<GET /orders".to_owned(), "part<GET /orders".to_owned()]);
        assert_eq!(arrived, expected, "{how}");
        // The name of a span that is not recorded, and that no rule has to see, is not computed.
        assert_eq!(written.matches("the name of part is asked for").count(), 5, "{how}: {written}");
        let rules = "1, GET /health=0, server:GET /limited=per_second(0.001)";
        assert_eq!(written.lines().last(), Some(rules), "{how}");
    }
}

#[test]
fn what_a_rule_drops_is_kept_if_it_fails() {
    let (arrived, _) = rules("keep", &[]);
    assert!(arrived.contains(&"GET /health!it failed".to_owned()), "{arrived:?}");
    assert!(arrived.contains(&"part<GET /health".to_owned()), "{arrived:?}");
    assert_eq!(arrived.len(), 12 + 2, "the others are dropped: {arrived:?}");
}

#[test]
fn a_variable_overrides_the_rules() {
    let variable = ("SPANDREL_SAMPLE_RULES", "own=0, *orders = 0, GET /limited=0");
    let (arrived, written) = rules("native", &[variable]);
    let names = ["GET /health", "GET /health", "GET /health", "GET /health"];
    let parts = ["part of health<GET /health", "part<GET /health", "part<GET /health"];
    assert_eq!(arrived, [&names[..], &parts[..]].concat());
    assert_eq!(written.lines().last(), Some("1, own=0, *orders=0, GET /limited=0"));
}

#[test]
fn malformed_rules_leave_those_of_the_program() {
    let collector = Collector::start();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("SPANDREL_SAMPLE_RULES", "GET /health"),
    ];
    let output = command(RULES, "native", &variables).output().expect("it runs");
    let message = "spandrel: SPANDREL_SAMPLE_RULES is `GET /health`, expected pattern=rate pairs with commas between \
                   them, such as GET /health=0,checkout*=1; using the program's own rules\n";
    assert_eq!(stderr(&output), message);
    assert_eq!(collector.summary().len(), 12);
}

#[test]
fn rates_and_rules_change_while_the_program_runs() {
    let (arrived, _) = rules("change", &[]);
    let parts = ["part<GET /a", "part<GET /a", "part<GET /b", "part<GET /b"];
    assert_eq!(arrived, [&["GET /a", "GET /a", "GET /b", "GET /b"][..], &parts[..]].concat());
}
