//! `#[propagate]` on what the usual clients hand over: as it is, with the names of headers in any
//! case, several of one name, and values that are no text.

mod amqp;
mod grpc;
mod kafka;
mod nats;
mod redis;

use spandrel::testing::Recording;

/// What every carrier is made of. The last one stands in the place of another.
const PAIRS: [(&str, &str); 5] = [
    ("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("tracestate", "a=1"),
    ("tracestate", "b=2"),
    ("baggage", "tenant.id=acme"),
    ("kept", "as it is"),
];

/// Asserts that a span continues the trace of [`PAIRS`], with these members of its `tracestate`.
#[track_caller]
fn assert_received(recording: &Recording, trace_state: &str) {
    let span = &recording.spans()[0];
    assert_eq!(span.span_context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7");
    assert_eq!(span.span_context.trace_state().header(), trace_state);
}

/// Asserts that headers name a span once, without what was there, and that others were left.
#[track_caller]
fn assert_sent<'a>(recording: &Recording, headers: impl Iterator<Item = (&'a str, &'a str)>) {
    let (ours, others): (Vec<_>, Vec<_>) = headers.partition(|(name, _)| {
        ["traceparent", "tracestate", "baggage"].contains(&name.to_ascii_lowercase().as_str())
    });
    let span = &recording.spans()[0].span_context;
    let parents: Vec<_> =
        ours.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("traceparent")).collect();
    let flags = span.trace_flags().to_u8();
    let parent = format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id());
    assert_eq!(parents, [("traceparent", parent.as_str())]);
    assert_eq!(others, [("kept", "as it is")]);
}
