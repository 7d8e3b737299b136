//! “Tracestate Header”, and how it changes.

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use spandrel::Context;

use super::{PARENT, TRACE, headers, pass, send, serve, traced};

/// What is sent on of these headers; the trace goes on whatever they are.
fn sent(tracestate: &[&str]) -> Option<String> {
    let pairs: Vec<_> = tracestate.iter().map(|value| ("tracestate", *value)).collect();
    let sent = traced(&pairs);
    assert_eq!(sent.trace(), TRACE);
    sent.tracestate().map(str::to_owned)
}

fn is_passed_on(tracestate: &str) {
    assert_eq!(sent(&[tracestate]).as_deref(), Some(tracestate));
}

fn is_discarded(tracestate: &str) {
    assert_eq!(sent(&[tracestate]), None, "{tracestate}");
    assert_eq!(sent(&["foo=1", tracestate]), None, "{tracestate}");
}

#[test]
fn without_a_traceparent_it_is_discarded() {
    assert_eq!(serve(&headers(&[("tracestate", "foo=1,bar=2")])).tracestate(), None);
}

#[test]
fn with_a_traceparent_it_is_passed_on() {
    is_passed_on("foo=1,bar=2");
}

#[test]
fn header_name_is_one_word() {
    for name in ["trace-state", "trace.state"] {
        assert_eq!(traced(&[(name, "foo=1")]).tracestate(), None, "{name}");
    }
}

#[test]
fn header_name_may_come_in_any_case() {
    for name in ["TraceState", "TrAcEsTaTe", "TRACESTATE"] {
        assert_eq!(traced(&[(name, "foo=1")]).tracestate(), Some("foo=1"), "{name}");
        let pairs: [(&str, &str); 2] = [("traceparent", PARENT), (name, "foo=1")];
        let context = spandrel::ToContext::to_context(
            &pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .collect::<spandrel::TraceContext>(),
        );
        assert_eq!(context.span().span_context().trace_state().header(), "foo=1", "{name}");
    }
}

#[test]
fn header_field_values_may_be_empty_and_are_not_sent_so() {
    assert_eq!(sent(&[""]), None);
    assert_eq!(sent(&["foo=1", ""]).as_deref(), Some("foo=1"));
    assert_eq!(sent(&["", "foo=1"]).as_deref(), Some("foo=1"));
}

#[test]
fn header_field_values_of_several_headers_are_joined_in_order() {
    let headers = ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"];
    assert_eq!(sent(&headers).as_deref(), Some("foo=1,bar=2,rojo=1,congo=2,baz=3"));
}

#[test]
fn list_may_have_whitespace_round_its_members() {
    for written in [
        "foo=1 \t , \t bar=2, \t baz=3",
        "foo=1\t \t,\t \tbar=2,\t \tbaz=3",
        " foo=1,bar=2,baz=3",
        "\tfoo=1,bar=2,baz=3 ",
        "\t foo=1,bar=2,baz=3 \t",
    ] {
        assert_eq!(sent(&[written]).as_deref(), Some("foo=1,bar=2,baz=3"), "{written:?}");
    }
}

#[test]
fn list_may_have_empty_members() {
    assert_eq!(sent(&[",foo=1,, \t,bar=2,"]).as_deref(), Some("foo=1,bar=2"));
    assert_eq!(sent(&[&",".repeat(100), "foo=1"]).as_deref(), Some("foo=1"));
}

#[test]
fn list_has_at_most_32_members() {
    let members = |count| (1..=count).map(|n| format!("bar{n:02}={n:02}")).collect::<Vec<_>>();
    is_passed_on(&members(32).join(","));
    is_discarded(&members(33).join(","));
    let (first, last) = (members(30).join(","), "bar31=31,bar32=32,bar33=33");
    assert_eq!(sent(&[&first, last]), None);
}

#[test]
fn list_members_are_pairs() {
    for tracestate in ["foo", "foo;bar", "foo=1,bar", "=1", "="] {
        is_discarded(tracestate);
    }
}

#[test]
fn key_has_lower_case_letters_digits_and_five_signs() {
    is_passed_on("abcdefghijklmnopqrstuvwxyz0123456789_-*/=1");
    is_passed_on("abcdefghijklmnopqrstuvwxyz0123456789_-*/@a-z0-9_-*/=1");
    for key in ["foo ", "FOO", "foo.bar", "foo\tbar", "f+o", "fo:o"] {
        is_discarded(&format!("{key}=1"));
    }
}

#[test]
fn key_begins_with_a_letter_or_a_digit() {
    is_passed_on("1a=1,0@b=2");
    for key in ["@foo", "_foo", "-foo", "*foo", "/foo"] {
        is_discarded(&format!("{key}=1,bar=2"));
    }
}

#[test]
fn key_may_have_several_at_signs_anywhere_but_first() {
    for key in ["foo@", "foo@@bar", "foo@bar@baz", "foo@1", "fw529a3039@dt"] {
        is_passed_on(&format!("bar=2,{key}=1,baz=3"));
        let received = [("traceparent", PARENT), ("tracestate", &*format!("{key}=1,bar=2"))];
        let sent = pass(&headers(&received));
        assert_eq!(sent.tracestate(), Some(received[1].1), "without a span too");
    }
}

#[test]
fn key_has_at_most_256_characters() {
    let tenant = |tenant, system| format!("{}@{}", "t".repeat(tenant), "v".repeat(system));
    for key in ["z".repeat(256), tenant(241, 14), tenant(242, 1), tenant(1, 15)] {
        is_passed_on(&format!("foo=1,{key}=1"));
    }
    for key in ["z".repeat(257), tenant(242, 14)] {
        is_discarded(&format!("{key}=1"));
    }
}

#[test]
fn value_has_printable_characters_but_comma_and_equals() {
    let printable = (' '..='~').filter(|c| !",=".contains(*c)).collect::<String>();
    is_passed_on(&format!("foo={printable}"));
    for value in ["bar=baz", "=", "a\tb"] {
        is_discarded(&format!("foo={value}"));
    }
}

#[test]
fn value_has_1_to_256_characters() {
    is_passed_on(&format!("foo={}", "v".repeat(256)));
    is_discarded(&format!("foo={}", "v".repeat(257)));
    is_discarded("foo=");
    is_discarded("foo=,bar=3");
    is_discarded("foo= ");
}

#[test]
fn value_keeps_leading_spaces_and_loses_trailing_ones() {
    assert_eq!(sent(&["foo=  1  ,bar= 2 "]).as_deref(), Some("foo=  1,bar= 2"));
}

#[test]
fn combined_header_value_keeps_the_first_entry_of_a_key_and_all_others() {
    for headers in
        [&["foo=1,foo=1"][..], &["foo=1,foo=2"], &["foo=1", "foo=1"], &["foo=1", "foo=2"]]
    {
        assert_eq!(sent(headers).as_deref(), Some("foo=1"), "{headers:?}");
    }
    let others = ["foo=1,bar=2", "rojo=3,foo=4,foo=5,bar=6", "congo=7"];
    assert_eq!(sent(&others).as_deref(), Some("foo=1,bar=2,rojo=3,congo=7"));
    let at_signs = "foo@bar@baz=1,bar=2,foo@bar@baz=3,rojo=4";
    assert_eq!(sent(&[at_signs]).as_deref(), Some("foo@bar@baz=1,bar=2,rojo=4"));
}

#[test]
fn combined_header_value_is_discarded_for_what_is_malformed_even_in_an_entry_that_is_repeated() {
    is_discarded("foo=1,foo=");
    is_discarded("foo=1,foo=a=b");
    let repeated = ["foo=1"; 32].join(",");
    assert_eq!(sent(&[&repeated]).as_deref(), Some("foo=1"));
    is_discarded(&format!("{repeated},foo=1"));
}

#[test]
fn limits_512_characters_are_passed_on() {
    let (a, b) = (format!("a={}", "v".repeat(255)), format!("b={}", "v".repeat(252)));
    let header = format!("{a},{b}");
    assert_eq!(header.len(), 512);
    is_passed_on(&header);
}

#[test]
fn limits_large_entries_go_first_and_then_those_at_the_end() {
    let entry = |key, length: usize| format!("{key}={}", "v".repeat(length - 2));
    let (large, small) = (entry("l", 129), entry("s", 128));
    let four = ["a", "b", "c", "d"].map(|key| entry(key, 127));
    let [a, b, c, d] = &four;
    let all = [&*large, &small, a, b, c].join(",");
    assert_eq!(
        sent(&[&all]),
        Some([&*small, a, b, c].join(",")),
        "the large one, though it is first"
    );
    let all = [&*small, a, b, c, d].join(",");
    assert_eq!(
        sent(&[&all]),
        Some([&*small, a, b, c].join(",")),
        "the last one, where none is large"
    );
}

#[test]
fn limits_hold_whole_entries_and_the_trace_without_any() {
    let key = "z".repeat(256);
    assert_eq!(sent(&[&format!("{key}={}", "v".repeat(256))]), None);
}

#[test]
fn versioning_reads_it_beside_a_higher_version() {
    let higher = PARENT.replacen("00", "cc", 1);
    let sent = serve(&headers(&[("traceparent", &higher), ("tracestate", "foo=1")]));
    assert_eq!(sent.tracestate(), Some("foo=1"));
}

/// A span whose state was made or changed here, in this context.
fn span(context: &Context, state: TraceState) -> Context {
    let (trace, span) = (TraceId::from_hex(TRACE).expect("an id"), SpanId::from(1));
    context.with_remote_span_context(SpanContext::new(
        trace,
        span,
        TraceFlags::SAMPLED,
        false,
        state,
    ))
}

#[test]
fn mutating_puts_what_changed_first_and_keeps_the_order_of_the_rest() {
    for others in ["foo=1,bar=2", "foo@bar@baz=1,bar=2"] {
        let tracestate = format!("{others},congo=old,rojo=3");
        let received = headers(&[("traceparent", PARENT), ("tracestate", &tracestate)]);
        let received = spandrel::Carrier::extract_context(&received);
        let state = received.span().span_context().trace_state().clone();
        let state = state.insert("congo", "new").expect("a member").delete("rojo").expect("gone");
        let sent = send(span(&received, state));
        assert_eq!(sent.tracestate(), Some(&*format!("congo=new,{others}")));
    }
}

#[test]
fn mutating_a_full_list_drops_the_last() {
    let members = (1..32).map(|n| format!("k{n}={n}")).collect::<Vec<_>>().join(",");
    let tracestate = format!("foo@bar@baz=1,{members}");
    let received = headers(&[("traceparent", PARENT), ("tracestate", &tracestate)]);
    let received = spandrel::Carrier::extract_context(&received);
    let state = received.span().span_context().trace_state().insert("new", "1");
    let sent = send(span(&received, state.expect("a member")));
    let all_but_the_last = tracestate.strip_suffix(",k31=31").expect("the last");
    assert_eq!(sent.tracestate(), Some(&*format!("new=1,{all_but_the_last}")));
}

#[test]
fn mutating_drops_what_came_in_before() {
    let received = headers(&[("traceparent", PARENT), ("tracestate", "foo@bar@baz=1")]);
    let attached = spandrel::Carrier::extract_context(&received).attach();
    assert_eq!(traced(&[("tracestate", "bar=2")]).tracestate(), Some("bar=2"));
    let sent = pass(&headers(&[("traceparent", PARENT), ("tracestate", "bar=2")]));
    assert_eq!(sent.tracestate(), Some("bar=2"));
    drop(attached);
}

#[test]
fn mutating_drops_what_came_with_another_trace() {
    let received = headers(&[
        ("traceparent", &PARENT.replace("9012-", "9011-")),
        ("tracestate", "foo@bar@baz=1,bar=2"),
    ]);
    let received = spandrel::Carrier::extract_context(&received);
    assert_eq!(send(span(&received, TraceState::NONE)).tracestate(), None);
}

#[test]
fn mutating_cannot_make_a_header_that_is_not_valid() {
    let state = [("a", "1\r\nset-cookie: c"), ("b", ""), ("c", "ü"), ("d", "4")];
    let state = TraceState::from_key_value(state).expect("more than the grammar allows");
    assert_eq!(send(span(&Context::new(), state)).tracestate(), Some("d=4"));
}
