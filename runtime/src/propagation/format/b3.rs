//! [B3](https://github.com/openzipkin/b3-propagation), of Zipkin: read from one header or from
//! several, whichever way it is written.

use opentelemetry::Context;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::ids;

pub(super) const SINGLE: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const PARENT_SPAN_ID: &str = "x-b3-parentspanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";
pub(super) const FIELDS: [&str; 6] = [SINGLE, TRACE_ID, SPAN_ID, PARENT_SPAN_ID, SAMPLED, FLAGS];

/// What is said of sampling. Who leaves the decision to us says nothing: as with `traceparent`,
/// that is no more than not sampled.
#[derive(Clone, Copy, PartialEq)]
enum Decision {
    Not,
    Sampled,
    /// Sampled, and to be sampled by all who follow.
    Debug,
}

/// The trace that came in to be debugged: it goes out so.
struct Debugged(TraceId);

pub(super) fn extract(context: &Context, carrier: &dyn Extractor) -> Option<Context> {
    let (trace_id, span_id, decision) =
        carrier.get(SINGLE).and_then(parse).or_else(|| read(carrier))?;
    let flags = TraceFlags::NOT_SAMPLED.with_sampled(decision != Decision::Not);
    let span = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
    let context = context.with_remote_span_context(span);
    let debugged = decision == Decision::Debug;
    Some(if debugged { context.with_value(Debugged(trace_id)) } else { context })
}

fn parse(text: &str) -> Option<(TraceId, SpanId, Decision)> {
    let mut fields = text.split('-');
    let trace_id = trace_id(fields.next()?)?;
    let span_id = ids::span_id(fields.next()?, 16)?;
    let decision = match fields.next() {
        Some("d") => Decision::Debug,
        said => sampled(said)?,
    };
    // The parent of the caller's span, which is nothing to us.
    let parent = fields.next().is_none_or(|parent| ids::span_id(parent, 16).is_some());
    (parent && fields.next().is_none()).then_some((trace_id, span_id, decision))
}

fn read(carrier: &dyn Extractor) -> Option<(TraceId, SpanId, Decision)> {
    let trace_id = trace_id(carrier.get(TRACE_ID)?)?;
    let span_id = ids::span_id(carrier.get(SPAN_ID)?, 16)?;
    let decision = match carrier.get(FLAGS) {
        Some("1") => Decision::Debug,
        _ => sampled(carrier.get(SAMPLED))?,
    };
    Some((trace_id, span_id, decision))
}

fn trace_id(text: &str) -> Option<TraceId> {
    ids::trace_id(text, if text.len() == 16 { 16 } else { 32 })
}

fn sampled(said: Option<&str>) -> Option<Decision> {
    match said {
        None | Some("0" | "false") => Some(Decision::Not),
        Some("1" | "true") => Some(Decision::Sampled),
        Some(_) => None,
    }
}

fn decision(context: &Context, span: &SpanContext) -> Decision {
    let debugged = context.get::<Debugged>().is_some_and(|it| it.0 == span.trace_id());
    match span.is_sampled() {
        _ if debugged => Decision::Debug,
        true => Decision::Sampled,
        false => Decision::Not,
    }
}

pub(super) fn print(context: &Context, span: &SpanContext) -> String {
    let decision = match decision(context, span) {
        Decision::Not => '0',
        Decision::Sampled => '1',
        Decision::Debug => 'd',
    };
    format!("{}-{}-{decision}", span.trace_id(), span.span_id())
}

pub(super) fn fields(context: &Context, span: &SpanContext) -> [(&'static str, String); 3] {
    let (name, value) = match decision(context, span) {
        Decision::Not => (SAMPLED, "0"),
        Decision::Sampled => (SAMPLED, "1"),
        Decision::Debug => (FLAGS, "1"),
    };
    [
        (TRACE_ID, span.trace_id().to_string()),
        (SPAN_ID, span.span_id().to_string()),
        (name, value.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn the_decision_and_the_parent_may_be_missing() {
        for (text, decision) in [
            ("", Decision::Not),
            ("-0", Decision::Not),
            ("-1", Decision::Sampled),
            ("-d", Decision::Debug),
            ("-1-05e3ac9a4f6e3b90", Decision::Sampled),
        ] {
            let (trace_id, span_id, said) =
                parse(&format!("{TRACE}-00f067aa0ba902b7{text}")).expect("a context");
            assert_eq!(
                (trace_id.to_string(), span_id.to_string()),
                (TRACE.to_owned(), "00f067aa0ba902b7".to_owned())
            );
            assert!(said == decision, "{text}");
        }
    }

    #[test]
    fn a_trace_id_may_have_64_bits() {
        let (trace_id, ..) = parse("a3ce929d0e0e4736-00f067aa0ba902b7-1").expect("a context");
        assert_eq!(trace_id, TraceId::from(0xa3ce_929d_0e0e_4736));
    }

    #[test]
    fn what_is_malformed_is_none() {
        for text in [
            "",
            "0",
            "d",
            "-",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "f92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00000000000000000000000000000000-00f067aa0ba902b7-1",
            "4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-1",
            "4bf92f3577b34da6a3ce929d0e0e4736-0f067aa0ba902b7-1",
            "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-2",
            "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
            "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-",
            "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-05e3ac9a4f6e3b90-",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
