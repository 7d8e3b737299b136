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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_its_digits_in_lower_case_and_is_not_zero() {
        assert_eq!(trace_id("00ab", 4), Some(TraceId::from(0xab)));
        assert_eq!(span_id("00ab", 4), Some(SpanId::from(0xab)));
        for text in ["0ab", "000ab", "00AB", "00ag", "+0ab", "0000", ""] {
            assert_eq!((trace_id(text, 4), span_id(text, 4)), (None, None), "{text}");
        }
        assert_eq!(span_id("10000000000000000", 17), None, "too large");
    }

    #[test]
    fn a_byte_may_be_zero() {
        for (text, value) in [("00", Some(0)), ("ff", Some(255)), ("F0", None), ("0", None)] {
            assert_eq!(byte(text, 2), value, "{text}");
        }
        assert_eq!((byte("7", 1), byte("100", 3)), (Some(7), None));
    }
}
