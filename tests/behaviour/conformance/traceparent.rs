//! “Traceparent Header”, and how it changes.

use super::{PARENT, TRACE, headers, pass, serve};

/// Whether the trace goes on when this comes in; what came with it is not passed on otherwise.
fn continues(traceparent: &str) -> bool {
    let sent = serve(&headers(&[("traceparent", traceparent), ("tracestate", "foo=1")]));
    let [version, trace, parent, _] = sent.traceparent();
    assert_eq!(version, "00");
    assert_ne!(trace, "0".repeat(32));
    assert_ne!(parent, "1234567890123456", "the parent is the span of this hop");
    let continues = trace == TRACE;
    assert_eq!(sent.tracestate().is_some(), continues, "{traceparent}");
    continues
}

fn sent_flags(flags: &str) -> String {
    let traceparent = format!("00-{TRACE}-1234567890123456-{flags}");
    let sent = pass(&headers(&[("traceparent", &traceparent)]));
    sent.traceparent()[3].to_owned()
}

#[test]
fn relationship_between_the_headers_without_either_a_trace_starts() {
    let sent = serve(&headers(&[]));
    assert_ne!(sent.trace(), TRACE);
    assert_eq!(sent.tracestate(), None);
}

#[test]
fn relationship_between_the_headers_without_a_tracestate_the_trace_goes_on() {
    let sent = serve(&headers(&[("traceparent", PARENT)]));
    assert_eq!(sent.trace(), TRACE);
    assert_eq!(sent.tracestate(), None);
}

#[test]
fn header_name_is_one_word() {
    for name in ["trace-parent", "trace.parent"] {
        assert_ne!(serve(&headers(&[(name, PARENT)])).trace(), TRACE, "{name}");
    }
}

#[test]
fn header_name_may_come_in_any_case() {
    use crate::recorder::record;
    use spandrel::{propagate, span};

    #[propagate(pairs)]
    #[span("serves")]
    fn serves(pairs: &[(&str, &str)]) {}

    for name in ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        let recording = record(|| serves(&[(name, PARENT)]));
        assert_eq!(recording.spans()[0].span_context.trace_id().to_string(), TRACE, "{name}");
        assert_eq!(serve(&headers(&[(name, PARENT)])).trace(), TRACE, "{name}");
    }
}

#[test]
fn header_name_occurs_once() {
    let other = PARENT.replace("9012-", "9011-");
    let several = [("traceparent", PARENT), ("tracestate", "foo=1"), ("traceparent", &other)];
    let sent = serve(&headers(&several));
    assert!(!sent.trace().starts_with(&TRACE[..30]), "{}", sent.trace());
    assert_eq!(sent.tracestate(), None);
    let same = [("traceparent", PARENT), ("traceparent", PARENT)];
    assert_ne!(serve(&headers(&same)).trace(), TRACE);
}

#[test]
fn header_field_values_may_stand_between_whitespace() {
    for (before, after) in [(" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t")] {
        assert!(continues(&format!("{before}{PARENT}{after}")));
    }
    assert!(!continues(&PARENT.replace("-01", "- 01")));
}

#[test]
fn version_is_two_lower_case_hex_digits() {
    for version in [".0", "0.", "0", "000", "0000", "", "AA", "+0", "zz"] {
        assert!(!continues(&PARENT.replacen("00", version, 1)), "{version}");
    }
}

#[test]
fn version_ff_is_forbidden() {
    assert!(!continues(&PARENT.replacen("00", "ff", 1)));
    assert!(!continues(&format!("{}-more", PARENT.replacen("00", "ff", 1))));
}

#[test]
fn version_format_of_00_has_four_fields() {
    for after in [".", "-", "-what-the-future-will-be-like", "0"] {
        assert!(!continues(&format!("{PARENT}{after}")), "{after}");
    }
    // As long as it should be, with a shorter field.
    for short in [PARENT.replace("9012-", "901-"), PARENT.replace("3456-", "345-")] {
        assert!(!continues(&format!("{short}-")), "{short}");
        assert!(!continues(&format!("0{short}")), "{short}");
    }
}

#[test]
fn trace_id_is_32_lower_case_hex_digits() {
    let ids = [
        ".2345678901234567890123456789012",
        "1234567890123456789012345678901.",
        "123456789012345678901234567890123",
        "1234567890123456789012345678901",
        "1234567890123456789012345678901A",
        "+2345678901234567890123456789012",
    ];
    for id in ids {
        assert!(!continues(&PARENT.replace(TRACE, id)), "{id}");
    }
}

#[test]
fn trace_id_of_zeros_is_invalid() {
    assert!(!continues(&PARENT.replace(TRACE, &"0".repeat(32))));
}

#[test]
fn parent_id_is_16_lower_case_hex_digits() {
    let ids = [
        ".234567890123456",
        "123456789012345.",
        "12345678901234567",
        "123456789012345",
        "123456789012345A",
        "+234567890123456",
    ];
    for id in ids {
        assert!(!continues(&PARENT.replace("-1234567890123456-", &format!("-{id}-"))), "{id}");
    }
}

#[test]
fn parent_id_of_zeros_is_invalid() {
    assert!(!continues(&PARENT.replace("-1234567890123456-", "-0000000000000000-")));
}

#[test]
fn trace_flags_are_two_lower_case_hex_digits() {
    for flags in [".0", "0.", "001", "1", "0A", "+1", ""] {
        assert!(!continues(&PARENT.replace("-01", &format!("-{flags}"))), "{flags}");
    }
}

#[test]
fn sampled_flag_is_passed_on() {
    assert_eq!(sent_flags("00"), "00");
    assert_eq!(sent_flags("01"), "01");
}

#[test]
fn random_trace_id_flag_is_passed_on() {
    assert_eq!(sent_flags("02"), "02");
    assert_eq!(sent_flags("03"), "03");
    for (received, sent) in [("01", "01"), ("02", "03"), ("03", "03")] {
        let traceparent = PARENT.replace("-01", &format!("-{received}"));
        let served = serve(&headers(&[("traceparent", &traceparent)]));
        assert_eq!(served.traceparent()[3], sent, "all are sampled here");
    }
}

#[test]
fn random_trace_id_flag_is_set_where_a_trace_starts() {
    assert_eq!(serve(&headers(&[])).traceparent()[3], "03");
}

#[test]
fn other_flags_are_zero() {
    assert_eq!(sent_flags("ff"), "03");
    assert_eq!(sent_flags("09"), "01");
    assert_eq!(sent_flags("fc"), "00");
}

#[test]
fn versioning_reads_the_part_of_a_higher_version_that_is_known() {
    let higher = PARENT.replacen("00", "cc", 1);
    for after in ["", "-", "-what-the-future-will-be-like"] {
        assert!(continues(&format!("{higher}{after}")), "{after}");
    }
    let sent = pass(&headers(&[("traceparent", &higher.replace("-01", "-ff-more"))]));
    assert_eq!(sent.header("traceparent"), Some(PARENT.replace("-01", "-03").as_str()));
}

#[test]
fn versioning_checks_the_part_of_a_higher_version_that_is_known() {
    let higher = PARENT.replacen("00", "cc", 1);
    assert!(!continues(&format!("{higher}.what-the-future-will-be-like")));
    assert!(!continues(&higher[..54]));
    assert!(!continues(&higher.replace(TRACE, &"0".repeat(32))));
    assert!(!continues(&higher.replace("-01", "-0x-more")));
}

#[test]
fn mutating_the_traceparent_field_gives_each_request_its_own_parent() {
    for (incoming, same_trace) in
        [(PARENT, true), (&*PARENT.replace(TRACE, &"0".repeat(32)), false)]
    {
        let headers = headers(&[("traceparent", incoming)]);
        let sent = [serve(&headers), serve(&headers), serve(&headers)];
        let [one, two, three] = sent.each_ref().map(|sent| sent.traceparent()[2]);
        assert!(one != two && two != three && three != one);
        assert!(sent.iter().all(|sent| (sent.trace() == TRACE) == same_trace));
    }
    let [one, two] = [serve(&headers(&[])), serve(&headers(&[]))];
    assert_ne!(one.traceparent()[2], two.traceparent()[2]);
}

#[test]
fn mutating_the_traceparent_field_passes_on_unchanged_what_is_not_recorded() {
    let sent = pass(&headers(&[("traceparent", PARENT), ("tracestate", "foo=1,bar=2")]));
    assert_eq!(sent.header("traceparent"), Some(PARENT));
    assert_eq!(sent.tracestate(), Some("foo=1,bar=2"));
}
