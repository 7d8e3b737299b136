//! `traceparent`, of [W3C Trace Context](https://www.w3.org/TR/trace-context-2/#traceparent-header).

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId};

use super::ids;

/// As long is the part that all versions have in common.
const LENGTH: usize = 55;
/// The flags that level 2 knows: sampled and random.
const KNOWN: TraceFlags = TraceFlags::new(0x03);

pub(super) fn parse(text: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let (known, rest) = text.trim_matches([' ', '\t']).split_at_checked(LENGTH)?;
    let mut fields = known.split('-');
    let version = ids::byte(fields.next()?, 2)?;
    let trace_id = ids::trace_id(fields.next()?, 32)?;
    let span_id = ids::span_id(fields.next()?, 16)?;
    let flags = ids::byte(fields.next()?, 2)?;
    let ends = match version {
        0x00 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    ends.then_some((trace_id, span_id, TraceFlags::new(flags) & KNOWN))
}

pub(super) fn print(span: &SpanContext) -> String {
    let flags = span.trace_flags() & KNOWN;
    format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id())
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TraceState;

    use super::*;

    const IDS: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

    fn flags(text: &str) -> Option<u8> {
        parse(text).map(|(trace_id, span_id, flags)| {
            assert_eq!(format!("{trace_id}-{span_id}"), IDS);
            flags.to_u8()
        })
    }

    #[test]
    fn the_known_flags_are_read() {
        for (written, read) in [("00", 0), ("01", 1), ("02", 2), ("03", 3), ("04", 0), ("ff", 3)] {
            assert_eq!(flags(&format!("00-{IDS}-{written}")), Some(read));
        }
        assert_eq!(flags(&format!(" \t00-{IDS}-01 \t")), Some(1));
    }

    #[test]
    fn later_versions_may_be_longer() {
        assert_eq!(flags(&format!("00-{IDS}-01-more")), None);
        for version in ["01", "cc", "fe"] {
            assert_eq!(flags(&format!("{version}-{IDS}-01")), Some(1));
            assert_eq!(flags(&format!("{version}-{IDS}-01-more")), Some(1));
            assert_eq!(flags(&format!("{version}-{IDS}-01more")), None);
        }
        for malformed in ["ff", "0", "g0", "0G"] {
            assert_eq!(flags(&format!("{malformed}-{IDS}-01")), None);
            assert_eq!(flags(&format!("{malformed}-{IDS}-01-more")), None);
        }
    }

    #[test]
    fn unknown_flags_are_not_written() {
        for (held, written) in
            [(0x00, "00"), (0x01, "01"), (0x03, "03"), (0xff, "03"), (0xfc, "00")]
        {
            let (trace, span) = (TraceId::from(0xa), SpanId::from(0xb));
            let span = SpanContext::new(trace, span, TraceFlags::new(held), true, TraceState::NONE);
            assert_eq!(print(&span), format!("00-{:032x}-{:016x}-{written}", 0xa, 0xb));
        }
    }
}
