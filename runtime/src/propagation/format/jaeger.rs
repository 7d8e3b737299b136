//! [`uber-trace-id`](https://www.jaegertracing.io/docs/1.76/sdk-migration/#propagation-format), of
//! Jaeger's own clients.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId};

use super::ids;

pub(super) const NAME: &str = "uber-trace-id";

pub(super) fn parse(text: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    // Its clients encode the colons as in a URL.
    let text = text.replace("%3A", ":").replace("%3a", ":");
    let mut fields = text.split(':');
    let (trace_id, span_id, _parent) = (fields.next()?, fields.next()?, fields.next()?);
    let flags = fields.next()?;
    // Leading zeros may be left out.
    let flags = ids::byte(flags, flags.len().min(2))?;
    let trace_id = ids::trace_id(trace_id, trace_id.len().min(32))?;
    let span_id = ids::span_id(span_id, span_id.len().min(16))?;
    let sampled = TraceFlags::new(flags) & TraceFlags::SAMPLED;
    fields.next().is_none().then_some((trace_id, span_id, sampled))
}

pub(super) fn print(span: &SpanContext) -> String {
    let flags = span.trace_flags() & TraceFlags::SAMPLED;
    format!("{}:{}:0:{flags:x}", span.trace_id(), span.span_id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_may_be_left_out_and_colons_encoded() {
        for text in ["a3ce:f067:0:1", "000a3ce:0f067:0:01", "a3ce:f067::3", "a3ce%3Af067%3a0%3A1"] {
            let (trace_id, span_id, flags) = parse(text).expect(text);
            assert_eq!(
                (trace_id, span_id),
                (TraceId::from(0xa3ce), SpanId::from(0xf067)),
                "{text}"
            );
            assert_eq!(flags, TraceFlags::SAMPLED, "{text}");
        }
        let (.., flags) = parse("a3ce:f067:0:0").expect("a context");
        assert_eq!(flags, TraceFlags::NOT_SAMPLED);
    }

    #[test]
    fn of_the_flags_only_sampled_is_written() {
        for (flags, written) in [(0, '0'), (1, '1'), (2, '0'), (3, '1')] {
            let (trace, span) = (TraceId::from(0xa3ce), SpanId::from(0xf067));
            let state = opentelemetry::trace::TraceState::NONE;
            let span = SpanContext::new(trace, span, TraceFlags::new(flags), false, state);
            assert_eq!(print(&span), format!("{:032x}:{:016x}:0:{written}", 0xa3ce, 0xf067));
        }
    }

    #[test]
    fn what_is_malformed_is_none() {
        for text in [
            "",
            ":::",
            "a3ce:f067:0",
            "a3ce:f067:0:1:",
            "0:f067:0:1",
            "a3ce:0:0:1",
            "a3ce:f067:0:",
            "a3ce:f067:0:001",
            "a3cg:f067:0:1",
            "A3CE:f067:0:1",
            "1:10000000000000000:0:1",
            "100000000000000000000000000000000:1:0:1",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
