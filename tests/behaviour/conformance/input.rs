//! Input that nobody should send: the request succeeds, with a trace of its own.

use crate::recorder::record;
use http::{HeaderMap, HeaderValue};
use opentelemetry::trace::TraceContextExt;
use spandrel::{Carrier, TraceContext, propagate, span};

use super::{PARENT, TRACE, headers, serve, traced};

#[derive(serde::Deserialize)]
struct Input {
    prompt: String,
    #[serde(default)]
    trace_context: TraceContext,
}

/// The trace of a request with this body.
fn run(json: &str) -> String {
    #[propagate(input.trace_context)]
    #[span("runs")]
    fn runs(input: Input) {
        assert_eq!(input.prompt, "hello");
    }

    let input: Input = serde_json::from_str(json).expect("the request is read");
    let recording = record(|| runs(input));
    recording.spans()[0].span_context.trace_id().to_string()
}

fn body(trace_context: &str) -> String {
    format!(r#"{{"trace_context":{trace_context},"prompt":"hello"}}"#)
}

#[test]
fn a_body_may_have_anything_where_the_carrier_should_be() {
    assert_eq!(run(&body(&format!(r#"{{"traceparent":"{PARENT}"}}"#))), TRACE);
    for anything in [
        "5",
        "-5",
        "5.5",
        "true",
        "null",
        r#""text""#,
        "[]",
        r#"[{"traceparent":1}]"#,
        "{}",
        r#"{"traceparent":5}"#,
        r#"{"traceparent":null}"#,
        r#"{"traceparent":["a",{"b":[]}]}"#,
        r#"{"traceparent":{"traceparent":"a"}}"#,
    ] {
        assert_ne!(run(&body(anything)), TRACE, "{anything}");
    }
    assert_ne!(run(r#"{"prompt":"hello"}"#), TRACE);
}

#[test]
fn a_body_may_have_anything_beside_the_context() {
    let json = format!(r#"{{"a":1,"traceparent":"{PARENT}","tracestate":5,"b":{{"c":[]}}}}"#);
    assert_eq!(run(&body(&json)), TRACE);
    let carrier: TraceContext = serde_json::from_str(&json).expect("it is read");
    let kept = format!(r#"{{"traceparent":"{PARENT}"}}"#);
    assert_eq!(serde_json::to_string(&carrier).expect("JSON"), kept, "the rest is left out");
}

#[test]
fn a_body_with_several_traceparents_starts_a_trace() {
    let json = format!(r#"{{"traceparent":"{PARENT}","TraceParent":"{PARENT}"}}"#);
    assert_ne!(run(&body(&json)), TRACE);
}

#[test]
fn what_comes_twice_into_a_map_is_joined() {
    let pairs = [("traceparent", PARENT), ("tracestate", "a=1"), ("TraceState", "b=2")];
    let carrier: TraceContext =
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let context = spandrel::extract(&carrier);
    assert_eq!(context.span().span_context().trace_state().header(), "a=1,b=2");
}

#[test]
fn a_body_is_kept_in_bounds() {
    let huge = "v".repeat(1 << 20);
    let json = format!(r#"{{"traceparent":"{PARENT}","baggage":"a={huge}","{huge}":"1"}}"#);
    let carrier: TraceContext = serde_json::from_str(&json).expect("it is read");
    let json = serde_json::to_string(&carrier).expect("JSON");
    assert_eq!(json, format!(r#"{{"traceparent":"{PARENT}"}}"#));
    let often = r#""baggage":"a=1","#.repeat(100_000);
    let json = format!(r#"{{{often}"traceparent":"{PARENT}"}}"#);
    let carrier: TraceContext = serde_json::from_str(&json).expect("it is read");
    assert!(serde_json::to_string(&carrier).expect("JSON").len() < 20_000);
}

#[test]
fn a_context_in_a_body_that_says_no_types_is_read() {
    use serde::Deserialize;
    use serde::de::value::{Error, MapDeserializer};

    let pairs = [("traceparent", PARENT), ("a", "b")];
    let carrier = TraceContext::deserialize(MapDeserializer::<_, Error>::new(pairs.into_iter()));
    assert!(!carrier.expect("a map").is_empty());
}

#[test]
fn a_megabyte_of_header_starts_a_trace() {
    for piece in ["0", "00-", ",", "a=1,", "a=%", ";", " "] {
        let huge = piece.repeat((1 << 20) / piece.len());
        assert_ne!(serve(&headers(&[("traceparent", &huge)])).trace(), TRACE);
        let sent = traced(&[("tracestate", &huge), ("baggage", &huge)]);
        assert_eq!(sent.trace(), TRACE);
        assert_eq!(sent.tracestate(), None);
        assert!(sent.baggage().is_none_or(|baggage| baggage.len() <= 8192));
    }
    let long = format!("{PARENT}{}", "0".repeat(1 << 20));
    assert_ne!(serve(&headers(&[("traceparent", &long)])).trace(), TRACE);
}

#[test]
fn ten_thousand_members_of_baggage_are_cut_to_64() {
    let many: Vec<String> = (0..10_000).map(|n| format!("k{n:05}=v")).collect();
    let sent = traced(&[("baggage", &many.join(","))]);
    assert_eq!(sent.trace(), TRACE);
    assert_eq!(sent.baggage(), Some(&*many[..64].join(",")));
}

fn not_text(name: &'static str) -> HeaderMap {
    let mut headers =
        headers(&[("traceparent", PARENT), ("tracestate", "a=1"), ("baggage", "a=1")]);
    headers.append(name, HeaderValue::from_bytes(b"b=\xff").expect("a header"));
    headers
}

#[test]
fn a_header_that_is_no_text_makes_no_other_vanish() {
    let sent = serve(&not_text("x-other"));
    assert_eq!(
        (sent.trace(), sent.tracestate(), sent.baggage()),
        (TRACE, Some("a=1"), Some("a=1"))
    );
    let sent = serve(&not_text("baggage"));
    assert_eq!(
        (sent.trace(), sent.tracestate(), sent.baggage()),
        (TRACE, Some("a=1"), Some("a=1"))
    );
    let sent = serve(&not_text("tracestate"));
    assert_eq!((sent.trace(), sent.tracestate(), sent.baggage()), (TRACE, None, Some("a=1")));
    let sent = serve(&not_text("traceparent"));
    assert_ne!(sent.trace(), TRACE, "it is a second one");
    assert_eq!((sent.tracestate(), sent.baggage()), (None, Some("a=1")));
}

#[test]
fn a_member_of_the_baggage_that_is_no_text_is_left_out_and_the_others_hold() {
    for bad in [&b"b=\xff"[..], b"b=\xc3\xa4", b"\xff=2", b"b=2;p=\xff", b"\xff", b"b=2\x80;p"] {
        let value = [b"a=1,", bad, b",c=3"].concat();
        let mut headers = HeaderMap::new();
        headers.insert("baggage", HeaderValue::from_bytes(&value).expect("a header"));
        assert_eq!(serve(&headers).baggage(), Some("a=1,c=3"), "{value:?}");
    }
}

#[test]
fn characters_of_several_bytes_are_no_ids() {
    for traceparent in
        [&*PARENT.replace("01", "é"), &"é".repeat(27), &format!("{}é", &PARENT[..54])]
    {
        let context = [("traceparent", traceparent)][..].extract_context();
        assert!(!context.span().span_context().is_valid(), "{traceparent}");
    }
}

#[test]
fn a_carrier_that_is_used_again_has_no_tracestate_of_another_trace() {
    #[propagate(inject(headers))]
    #[span("sends")]
    fn sends(headers: &mut HeaderMap) {}

    #[propagate(inject(headers))]
    #[span("sends")]
    fn sends_pairs(headers: &mut Vec<(String, String)>) {}

    let mut map = headers(&[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")]);
    record(|| sends(&mut map));
    assert_eq!(map.get("tracestate"), None);
    let mut pairs = vec![("TraceState".to_owned(), "a=1".to_owned())];
    record(|| sends_pairs(&mut pairs));
    assert!(pairs.iter().all(|(name, _)| name == "traceparent"), "{pairs:?}");
}
