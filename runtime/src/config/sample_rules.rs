//! What share of the local traces is sampled, and which rules make exceptions.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// How many of the local traces that a rule is for are sampled.
///
/// As text it is a ratio, `0.1`, or a rate, `per_second(50)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SampleRate {
    /// This share of the traces, from 0 to 1. A value out of range counts as the nearest in it, and NaN as 1.
    Ratio(f64),
    /// At most this many traces a second, as a token bucket: the bucket holds the tokens of one second, at least one
    /// token, and is full at the start. A number that is not positive samples nothing.
    ///
    /// The probability of such a trace is not known, so its spans state no threshold in their `tracestate`.
    PerSecond(f64),
}

/// What share of the local traces is sampled: a rate, and rules that make exceptions from it.
///
/// A local trace starts with a span that has no parent in this process. The first rule whose pattern matches the name
/// of this span decides about the local trace, and all spans under it follow; without such a rule, the rate decides.
/// If a remote parent is sampled, a rule with the ratio 0 drops the local trace; under any other rule it is sampled, as the
/// caller has decided. If a remote parent is not sampled, the local trace is not sampled.
///
/// In a pattern, `*` stands for any text, and a kind before a colon restricts the rule to spans of this kind:
/// `server:GET *`. A pattern without `*` is the whole name. Case matters.
///
/// As text, the rate comes first, and commas separate the rules. In a pattern, a comma is written `%2C`, and a percent
/// sign `%25`.
///
/// ```
/// use spandrel::{SampleRate, SampleRules};
///
/// let rules = SampleRules::new(0.1)
///     .rule("GET /health", 0.0)
///     .rule("checkout*", 1.0)
///     .rule("consumer:*", SampleRate::PerSecond(50.0));
/// let text = "0.1, GET /health=0, checkout*=1, consumer:*=per_second(50)";
/// assert_eq!(rules.to_string(), text);
/// assert_eq!(text.parse(), Ok(rules));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SampleRules {
    pub(crate) rate: SampleRate,
    pub(crate) rules: Vec<(String, SampleRate)>,
}

/// A text that is no rate or no rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSampleRules(String);

impl Error for InvalidSampleRules {}

impl Display for InvalidSampleRules {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SampleRate {
    /// A number from 0 to 1.
    pub(super) fn ratio(text: &str) -> Option<Self> {
        parse(text, 1.0).map(Self::Ratio)
    }

    /// Whether nothing is sampled at this rate.
    pub(crate) fn is_never(self) -> bool {
        match self {
            Self::Ratio(ratio) => ratio <= 0.0,
            Self::PerSecond(rate) => rate.is_nan() || rate <= 0.0,
        }
    }
}

impl From<f64> for SampleRate {
    fn from(ratio: f64) -> Self {
        Self::Ratio(ratio)
    }
}

impl Display for SampleRate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(ratio) => write!(f, "{ratio}"),
            Self::PerSecond(rate) => write!(f, "per_second({rate})"),
        }
    }
}

impl FromStr for SampleRate {
    type Err = InvalidSampleRules;

    fn from_str(text: &str) -> Result<Self, InvalidSampleRules> {
        let per_second = text.strip_prefix("per_second(").and_then(|rest| rest.strip_suffix(')'));
        let rate = match per_second {
            Some(number) => parse(number, f64::MAX).map(Self::PerSecond),
            None => Self::ratio(text),
        };
        rate.ok_or_else(|| {
            let message = "expected a number from 0 to 1, or per_second(50)";
            InvalidSampleRules(format!("`{text}` is no sampling rate; {message}"))
        })
    }
}

/// A number from 0 to `most`.
fn parse(number: &str, most: f64) -> Option<f64> {
    number.trim().parse().ok().filter(|number| (0.0..=most).contains(number))
}

impl SampleRules {
    /// Without rules.
    pub fn new(rate: impl Into<SampleRate>) -> Self {
        Self { rate: rate.into(), rules: Vec::new() }
    }

    /// Adds a rule behind the others.
    pub fn rule(mut self, pattern: impl Into<String>, rate: impl Into<SampleRate>) -> Self {
        self.rules.push((pattern.into(), rate.into()));
        self
    }

    /// The rules alone, as the variable has them.
    pub(crate) fn parse_rules(text: &str) -> Result<Vec<(String, SampleRate)>, InvalidSampleRules> {
        text.split(',').map(str::trim).filter(|rule| !rule.is_empty()).map(parse_rule).collect()
    }
}

fn parse_rule(rule: &str) -> Result<(String, SampleRate), InvalidSampleRules> {
    let pair = rule.rsplit_once('=').map(|(pattern, rate)| (pattern.trim(), rate.trim()));
    let pattern = |pattern| percent_decode_str(pattern).decode_utf8().map(Cow::into_owned).ok();
    match pair {
        Some((text, rate)) if !text.is_empty() => {
            let unreadable = || InvalidSampleRules(format!("the pattern `{text}` is no UTF-8"));
            Ok((pattern(text).ok_or_else(unreadable)?, rate.parse()?))
        }
        _ => {
            let message = format!("`{rule}` is no sampling rule; write `pattern=rate`");
            Err(InvalidSampleRules(message))
        }
    }
}

impl Display for SampleRules {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const RESERVED: &AsciiSet = &CONTROLS.add(b',').add(b'%');

        write!(f, "{}", self.rate)?;
        for (pattern, rate) in &self.rules {
            write!(f, ", {}={rate}", utf8_percent_encode(pattern, RESERVED))?;
        }
        Ok(())
    }
}

impl FromStr for SampleRules {
    type Err = InvalidSampleRules;

    fn from_str(text: &str) -> Result<Self, InvalidSampleRules> {
        let (first, rest) = text.split_once(',').unwrap_or((text, ""));
        if first.contains('=') {
            let message = format!("the rate comes before the rules; write `1, {}`", text.trim());
            return Err(InvalidSampleRules(message));
        }
        Ok(Self { rate: first.trim().parse()?, rules: Self::parse_rules(rest)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_rule_is_named_with_what_to_write() {
        for (text, message) in [
            ("ten", "`ten` is no sampling rate; expected a number from 0 to 1, or per_second(50)"),
            ("1.5", "`1.5` is no sampling rate; expected a number from 0 to 1, or per_second(50)"),
            ("NaN", "`NaN` is no sampling rate; expected a number from 0 to 1, or per_second(50)"),
            (
                "per_second(-1)",
                "`per_second(-1)` is no sampling rate; expected a number from 0 to 1, or per_second(50)",
            ),
            ("GET /health=0", "the rate comes before the rules; write `1, GET /health=0`"),
            ("0.1, GET /health", "`GET /health` is no sampling rule; write `pattern=rate`"),
            ("0.1, =0", "`=0` is no sampling rule; write `pattern=rate`"),
            (
                "0.1, a=ten",
                "`ten` is no sampling rate; expected a number from 0 to 1, or per_second(50)",
            ),
            ("0.1, %ff=1", "the pattern `%ff` is no UTF-8"),
        ] {
            let error = text.parse::<SampleRules>().expect_err(text);
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_rate_and_rules_are_read() {
        let parse = |text: &str| text.parse::<SampleRules>().expect(text);
        assert_eq!(parse(" per_second( 2.5 ) "), SampleRules::new(SampleRate::PerSecond(2.5)));
        assert_eq!(
            parse("1, a = 0 ,, b=c=1,"),
            SampleRules::new(1.0).rule("a", 0.0).rule("b=c", 1.0)
        );
        assert_eq!(parse("0,GET%20/%2C=1"), SampleRules::new(0.0).rule("GET /,", 1.0));
    }

    proptest! {
        #[test]
        fn rules_are_read_as_they_are_written(
            rate in 0.0..=1.0_f64,
            rules in vec(("[a-z*:/=,% ü]{0,6}[a-z]", 0.0..100.0_f64), 0..4),
        ) {
            let mut written = SampleRules::new(rate);
            for (pattern, rate) in rules {
                written = written.rule(pattern.trim(), SampleRate::PerSecond(rate));
            }
            prop_assert_eq!(written.to_string().parse::<SampleRules>(), Ok(written));
        }
    }
}
