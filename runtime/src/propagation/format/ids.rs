//! Ids and flags in lower-case hexadecimal digits.

use opentelemetry::trace::{SpanId, TraceId};

/// The trace id in a text of this many digits; all zeros is none.
pub(super) fn trace_id(text: &str, digits: usize) -> Option<TraceId> {
    Some(TraceId::from(hex(text, digits)?)).filter(|id| *id != TraceId::INVALID)
}

/// The span id in a text of this many digits, at most 16; all zeros is none.
pub(super) fn span_id(text: &str, digits: usize) -> Option<SpanId> {
    let id = u64::try_from(hex(text, digits)?).ok()?;
    Some(SpanId::from(id)).filter(|id| *id != SpanId::INVALID)
}

/// The byte in a text of this many digits, at most two.
pub(super) fn byte(text: &str, digits: usize) -> Option<u8> {
    hex(text, digits)?.try_into().ok()
}

fn hex(text: &str, digits: usize) -> Option<u128> {
    let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let valid = text.len() == digits && text.bytes().all(digit);
    valid.then(|| u128::from_str_radix(text, 16).ok())?
}
