//! Consistent probability sampling, after OpenTelemetry's [specification of its
//! `tracestate`](https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/):
//! a trace is sampled when its randomness, 56 bits, is not below the threshold.

use opentelemetry::trace::{TraceId, TraceState};

const BITS: u32 = 56;
const DIGITS: usize = 14;
const RANDOMNESS: &str = "rv";
const THRESHOLD: &str = "th";

#[derive(Debug)]
pub(super) struct Consistent {
    /// 2⁵⁶ when nothing is sampled.
    threshold: u64,
}

impl Consistent {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the ratio is from 0 to 1, and a double has 53 bits"
    )]
    pub(super) fn new(ratio: f64) -> Self {
        Self { threshold: ((1.0 - ratio) * (1_u64 << BITS) as f64).round() as u64 }
    }

    /// Whether this trace is sampled, and the `tracestate` that says so.
    pub(super) fn decide(&self, trace_id: TraceId, state: &TraceState) -> (bool, TraceState) {
        let entries = Entries::of(state);
        let sampled = entries.randomness(trace_id) >= self.threshold;
        let state = entries.with_threshold(sampled.then(|| self.encoded()), state);
        (sampled, state)
    }

    fn encoded(&self) -> String {
        let digits = format!("{:0DIGITS$x}", self.threshold);
        match digits.trim_end_matches('0') {
            "" => "0".to_owned(),
            digits => digits.to_owned(),
        }
    }
}

/// The `tracestate` of a trace that is there with certainty: its threshold is zero.
pub(crate) fn certain(state: &str) -> String {
    let state: TraceState = state.parse().unwrap_or_default();
    Entries::of(&state).with_threshold(Some("0".to_owned()), &state).header()
}

/// What this `tracestate` becomes if the probability of its trace is not known; `None` if it states none.
pub(super) fn without_threshold(state: &TraceState) -> Option<TraceState> {
    let entries = Entries::of(state);
    entries.has_threshold().then(|| entries.with_threshold(None, state))
}

/// The entries of OpenTelemetry's own member of a `tracestate`, `ot`.
struct Entries<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Entries<'a> {
    fn of(state: &'a TraceState) -> Self {
        let entries = state.get("ot").unwrap_or_default().split(';');
        Self(entries.filter_map(|entry| entry.split_once(':')).collect())
    }

    /// What was said to be the trace's randomness, or the last 56 bits of its id.
    fn randomness(&self, trace_id: TraceId) -> u64 {
        let said = self.0.iter().find(|(key, _)| *key == RANDOMNESS).and_then(|(_, value)| {
            let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            let valid = value.len() == DIGITS && value.chars().all(hex);
            valid.then(|| u64::from_str_radix(value, 16).ok())?
        });
        said.unwrap_or_else(|| {
            let bytes = trace_id.to_bytes();
            bytes[9..].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
        })
    }

    fn has_threshold(&self) -> bool {
        self.0.iter().any(|(key, _)| *key == THRESHOLD)
    }

    fn with_threshold(&self, threshold: Option<String>, state: &TraceState) -> TraceState {
        let others = self.0.iter().filter(|(key, _)| *key != THRESHOLD);
        let others = others.map(|(key, value)| format!("{key}:{value}"));
        let own = threshold.map(|threshold| format!("{THRESHOLD}:{threshold}"));
        let entries: Vec<String> = own.into_iter().chain(others).collect();
        let changed = match (entries.is_empty(), state.get("ot")) {
            (true, None) => return state.clone(),
            (true, Some(_)) => state.delete("ot"),
            (false, _) => state.insert("ot", entries.join(";")),
        };
        changed.unwrap_or_else(|_| state.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(text: &str) -> TraceState {
        text.parse().expect("a tracestate")
    }

    fn decide(ratio: f64, trace_id: u128, before: &str) -> (bool, String) {
        let (sampled, after) =
            Consistent::new(ratio).decide(TraceId::from(trace_id), &state(before));
        (sampled, after.header())
    }

    #[test]
    fn thresholds_are_written_as_the_specification_has_them() {
        for (ratio, threshold) in
            [(1.0, "0"), (0.5, "8"), (0.25, "c"), (0.1, "e6666666666668"), (0.01, "fd70a3d70a3d7")]
        {
            assert_eq!(Consistent::new(ratio).encoded(), threshold, "{ratio}");
        }
    }

    #[test]
    fn the_last_56_bits_decide() {
        assert_eq!(decide(0.5, 0x80_0000_0000_0000, ""), (true, "ot=th:8".to_owned()));
        assert_eq!(decide(0.5, 0xffff_ff7f_ffff_ffff_ffff, ""), (false, String::new()));
        assert!(!decide(0.0, 0xff_ffff_ffff_ffff, "").0);
    }

    #[test]
    fn explicit_randomness_comes_first() {
        let kept = "ot=rv:ffffffffffffff,vendor=1";
        assert_eq!(decide(0.5, 0, kept), (true, "ot=th:8;rv:ffffffffffffff,vendor=1".to_owned()));
        for malformed in ["XYZ", "0", "000000000000000", "0000000000000g", "0000000000000A"] {
            let state = format!("ot=rv:{malformed}");
            assert!(decide(0.5, 0x80_0000_0000_0000, &state).0, "{malformed} is no randomness");
        }
    }

    #[test]
    fn a_trace_that_is_kept_has_the_threshold_zero() {
        for (before, after) in [
            ("", "ot=th:0"),
            ("ot=th:c,vendor=1", "ot=th:0,vendor=1"),
            ("vendor=1", "ot=th:0,vendor=1"),
            ("ot=rv:ffffffffffffff", "ot=th:0;rv:ffffffffffffff"),
        ] {
            assert_eq!(certain(before), after);
        }
    }

    #[test]
    fn an_old_threshold_does_not_outlive_a_new_decision() {
        assert_eq!(decide(0.5, 0, "ot=th:c,vendor=1"), (false, "vendor=1".to_owned()));
        let others = "ot=th:c;p:8";
        assert_eq!(decide(0.5, 0xff_ffff_ffff_ffff, others), (true, "ot=th:8;p:8".to_owned()));
    }
}
