//! Contexts between processes, in the formats that `OTEL_PROPAGATORS` names.

use crate::collector::{Collector, hex};
use crate::process::{HOP, TOOL, command, stderr};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const B3: &str = "b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1";
const JAEGER: &str = "uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1";
const ALL: [&str; 4] = [PARENT, B3, JAEGER, "baggage: a=1"];

/// What a service sends that has got these headers, and says.
fn hop(how: &str, variables: &[(&str, &str)], received: &[&str]) -> (Vec<String>, String) {
    let output = command(HOP, how, variables)
        .env("OTEL_TRACES_EXPORTER", "none")
        .args(received)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let sent = String::from_utf8(output.stdout.clone()).expect("text");
    (sent.lines().map(str::to_owned).collect(), stderr(&output))
}

fn names(headers: &[String]) -> Vec<&str> {
    headers.iter().filter_map(|header| Some(header.split_once(": ")?.0)).collect()
}

/// The environment is a carrier where a program names it.
#[test]
fn a_tool_continues_its_caller_s_trace_and_passes_it_on() {
    let collector = Collector::start();
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (headers, is_known) in [(&[("TRACEPARENT", traceparent)][..], true), (&[], false)] {
        let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
        variables.extend(headers);
        let output = command(TOOL, "calls", &variables).output().expect("it runs");
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        let spans = collector.spans();
        let [.., outer, _, inner] = &spans[..] else { panic!("{:?}", collector.summary()) };
        assert_eq!((&*outer.name, &*inner.name), ("outer", "inner"));
        assert_eq!(inner.trace_id, outer.trace_id);
        assert_eq!(hex(&outer.trace_id) == "4bf92f3577b34da6a3ce929d0e0e4736", is_known);
        assert_eq!(hex(&outer.parent_span_id) == "00f067aa0ba902b7", is_known);
    }
    let mut summary = collector.summary();
    summary.sort();
    assert_eq!(
        summary,
        ["inner<prepare", "inner<prepare", "outer", "outer", "prepare<outer", "prepare<outer"]
    );
}

#[test]
fn the_named_formats_are_written_and_no_others() {
    for (propagators, expected) in [
        ("", &["baggage", "traceparent"][..]),
        ("tracecontext,baggage", &["baggage", "traceparent"]),
        (" B3 , tracecontext,b3", &["b3", "traceparent"]),
        ("b3multi", &["x-b3-sampled", "x-b3-spanid", "x-b3-traceid"]),
        ("jaeger", &["uber-trace-id"]),
        ("baggage", &["baggage"]),
        ("none", &[]),
    ] {
        let variables = [("OTEL_PROPAGATORS", propagators)];
        for how in ["served", "library", "global", "body"] {
            let (sent, said) = hop(how, &variables, &ALL);
            assert_eq!(said, "", "{propagators} {how}");
            assert_eq!(names(&sent), expected, "{propagators} {how}");
            let traced = sent.iter().filter(|header| !header.starts_with("baggage"));
            let carries_on = |header: &String| header.contains(TRACE) || header.contains("x-b3-s");
            assert!(traced.clone().all(carries_on), "{propagators} {how}: {sent:?}");
        }
    }
}

#[test]
fn what_is_not_named_is_not_read() {
    for (propagators, received) in [
        ("tracecontext,baggage", &[B3, JAEGER][..]),
        ("b3", &[PARENT, JAEGER]),
        ("jaeger,b3multi", &[PARENT]),
        ("baggage", &[PARENT, B3, JAEGER]),
    ] {
        let (sent, _) = hop("served", &[("OTEL_PROPAGATORS", propagators)], received);
        assert!(!sent.iter().any(|header| header.contains(TRACE)), "{propagators}: {sent:?}");
    }
}

#[test]
fn contexts_are_passed_on_where_tracing_is_disabled() {
    for switch in [("OTEL_SDK_DISABLED", "true"), ("ENABLE_TRACING", "false")] {
        for how in ["served", "global"] {
            let (sent, said) = hop(how, &[switch], &ALL);
            assert_eq!((sent, said.as_str()), (vec![ALL[3].to_owned(), PARENT.to_owned()], ""));
            let variables = [switch, ("OTEL_PROPAGATORS", "b3")];
            assert_eq!(hop(how, &variables, &ALL).0, [B3]);
        }
    }
}

#[test]
fn nonsense_is_told_once_and_what_is_known_holds() {
    let expected = "expected tracecontext, baggage, b3, b3multi or jaeger, several with commas \
                    between them, or none";
    for (propagators, used, sends) in [
        ("xray,b3,ottrace", "b3", &["b3"][..]),
        ("xray", "tracecontext,baggage", &["baggage", "traceparent"]),
        ("none,b3", "b3", &["b3"]),
        (",", "tracecontext,baggage", &["baggage", "traceparent"]),
    ] {
        for how in ["served", "library"] {
            let (sent, said) = hop(how, &[("OTEL_PROPAGATORS", propagators)], &ALL);
            assert_eq!(names(&sent), sends);
            let complaint = format!(
                "spandrel: OTEL_PROPAGATORS is `{propagators}`, {expected}; using {used}\n"
            );
            assert_eq!(said, complaint, "{how}");
        }
    }
}

/// Also where the span is not sampled, which the SDK makes no record of.
#[test]
fn the_flags_of_the_caller_are_passed_on() {
    for flags in ["00", "01", "02", "03"] {
        let received = PARENT.replace("-01", &format!("-{flags}"));
        let (sent, _) = hop("served", &[], &[&received]);
        let [sent] = &sent[..] else { panic!("{sent:?}") };
        assert!(sent.contains(TRACE) && sent.ends_with(&format!("-{flags}")), "{flags}: {sent}");
        assert_ne!(*sent, received, "another span");
    }
}

#[test]
fn b3_is_read_in_either_form_and_keeps_the_debug_flag() {
    const IDS: [&str; 2] =
        ["x-b3-traceid: 4bf92f3577b34da6a3ce929d0e0e4736", "x-b3-spanid: 00f067aa0ba902b7"];
    let single = [("OTEL_PROPAGATORS", "b3")];
    let multi = [("OTEL_PROPAGATORS", "b3multi")];
    for (received, flag, sent_flag) in [
        ("-1", "x-b3-sampled: 1", "x-b3-sampled: 1"),
        ("-0", "x-b3-sampled: 0", "x-b3-sampled: 0"),
        ("-d", "x-b3-flags: 1", "x-b3-flags: 1"),
        ("", "x-b3-other: 1", "x-b3-sampled: 1"),
        ("-1", "x-b3-sampled: True", "x-b3-sampled: 1"),
        ("-False", "x-b3-sampled: FALSE", "x-b3-sampled: 0"),
    ] {
        let header = format!("b3: {TRACE}-00f067aa0ba902b7{received}");
        for received in [&[&*header][..], &[IDS[0], IDS[1], flag]] {
            let (sent, _) = hop("served", &multi, received);
            assert!(sent.contains(&sent_flag.to_owned()), "{received:?}: {sent:?}");
            assert!(sent.contains(&IDS[0].to_owned()), "{received:?}: {sent:?}");
            let (sent, _) = hop("served", &single, received);
            let ends = match sent_flag {
                "x-b3-flags: 1" => "-d",
                flag => &flag["x-b3-sampled:".len()..].replace(' ', "-"),
            };
            assert!(sent[0].starts_with(&header[..36]) && sent[0].ends_with(ends), "{sent:?}");
        }
    }
}

const SINGLE: (&str, &str) = ("OTEL_PROPAGATORS", "b3");
const MULTI: (&str, &str) = ("OTEL_PROPAGATORS", "b3multi");

/// What a service sends on of B3's sampling state.
fn state(how: &str, variables: &[(&str, &str)], received: &str) -> String {
    let variables = [&[MULTI], variables].concat();
    let (sent, said) = hop(how, &variables, &[received]);
    assert_eq!(said, "", "{how} {received}");
    let mut state = sent
        .iter()
        .filter(|header| header.starts_with("x-b3-sampled") || header.starts_with("x-b3-flags"));
    let found = state.next().unwrap_or_else(|| panic!("{how} {received}: {sent:?}"));
    assert_eq!(state.next(), None, "{how} {received}: {sent:?}");
    found.clone()
}

/// There is no parent then, and the trace that starts here is sampled as the caller has decided.
#[test]
fn a_state_of_b3_without_ids_decides_for_the_trace_that_starts() {
    for (received, sent) in [
        (["b3: 0", "x-b3-sampled: 0", "x-b3-sampled: false"], "x-b3-sampled: 0"),
        (["b3: 1", "x-b3-sampled: 1", "x-b3-sampled: True"], "x-b3-sampled: 1"),
        (["b3: d", "x-b3-flags: 1", "b3: d"], "x-b3-flags: 1"),
    ] {
        for received in received {
            for how in ["served", "nested", "foreign", "passed"] {
                for rate in ["0", "0.5", "1"] {
                    let variables = [("OTEL_SAMPLE_RATE", rate)];
                    assert_eq!(state(how, &variables, received), sent, "{how} {received} {rate}");
                }
            }
        }
    }
}

#[test]
fn a_state_of_b3_without_ids_is_no_parent() {
    for (state, spans) in [("0", 0), ("1", 2), ("d", 2)] {
        let collector = Collector::start();
        let header = format!("b3: {state}");
        let output = command(HOP, "nested", &[SINGLE])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
            .arg(&header)
            .output()
            .expect("it runs");
        assert_eq!(stderr(&output), "", "{state}");
        let arrived = collector.spans();
        assert_eq!(arrived.len(), spans, "{state}");
        let parents = arrived.iter().filter(|span| span.parent_span_id.is_empty());
        assert_eq!(parents.count(), spans / 2, "{state}");
        let sent = String::from_utf8(output.stdout).expect("text");
        assert_eq!(sent.contains("evaluated"), spans > 0, "{state}: attributes cost something");
    }
}

#[test]
fn a_state_of_b3_without_ids_holds_for_no_other_trace() {
    let always = [("OTEL_TRACES_SAMPLER", "always_on")];
    assert_eq!(state("served", &always, "b3: 0"), "x-b3-sampled: 1", "it follows no caller");
    for (received, rate, sent) in [
        ("b3: 0", "1", "x-b3-sampled: 1"),
        ("b3: 1", "0", "x-b3-sampled: 0"),
        ("b3: d", "1", "x-b3-sampled: 1"),
    ] {
        let variables = [("OTEL_SAMPLE_RATE", rate)];
        assert_eq!(state("rooted", &variables, received), sent, "{received}");
    }
    // Beside the span of another propagator, in either order.
    for propagators in ["b3,tracecontext", "tracecontext,b3"] {
        let variables = [("OTEL_PROPAGATORS", propagators)];
        let (sent, _) = hop("served", &variables, &[PARENT, "b3: 0"]);
        assert!(sent[0].contains(TRACE) && sent[0].ends_with("-1"), "{propagators}: {sent:?}");
        let (sent, _) = hop("passed", &variables, &[&PARENT.replace("-01", "-00"), "b3: d"]);
        assert!(sent[0].contains(TRACE) && sent[0].ends_with("-0"), "{propagators}: {sent:?}");
    }
}

/// The decision is this service's, about the caller's trace.
#[test]
fn ids_of_b3_without_a_state_leave_the_decision_to_the_receiver() {
    let header = format!("b3: {TRACE}-00f067aa0ba902b7");
    for how in ["served", "nested", "foreign"] {
        for (rate, ends) in [("0", "-0"), ("1", "-1")] {
            let variables = [SINGLE, ("OTEL_SAMPLE_RATE", rate)];
            let (sent, _) = hop(how, &variables, &[&header]);
            let evaluated = sent.iter().any(|line| line.starts_with("evaluated"));
            assert_eq!(evaluated, how == "nested" && rate == "1", "{sent:?}");
            assert!(
                sent[0].starts_with(&header[..36]) && sent[0].ends_with(ends),
                "{how} {sent:?}"
            );
        }
    }
    let (sent, _) = hop("passed", &[SINGLE], &[&header]);
    assert_eq!(sent, [header.as_str()], "it stays open where no span starts");
    // Half of them, as of the traces that start here: the sampler looks at the id.
    let low = format!("b3: {}-00f067aa0ba902b7", "1".repeat(32));
    let high = format!("b3: {}-00f067aa0ba902b7", "e".repeat(32));
    let variables = [SINGLE, ("OTEL_SAMPLE_RATE", "0.5")];
    assert!(hop("served", &variables, &[&low]).0[0].ends_with("-1"));
    assert!(hop("served", &variables, &[&high]).0[0].ends_with("-0"));
}

#[test]
fn b3_is_passed_on_as_it_came_where_tracing_is_disabled() {
    for received in ["b3: 0", "b3: d", &format!("b3: {TRACE}-00f067aa0ba902b7"), B3] {
        let (sent, _) = hop("served", &[SINGLE, ("OTEL_SDK_DISABLED", "true")], &[received]);
        assert_eq!(sent, [received.to_owned()]);
    }
}
