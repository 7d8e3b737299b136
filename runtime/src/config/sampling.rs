//! Which traces are recorded: `OTEL_TRACES_SAMPLER`, `OTEL_SAMPLE_RATE`, and the options.

use crate::clean::line;
use crate::environment::Environment;
use crate::recorder::KeepRules;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sampling {
    pub(crate) ratio: Ratio,
    /// Whether a parent's decision comes first.
    pub(crate) parent_based: bool,
    /// Whether the decision is written into the `tracestate`, so that samplers further on can
    /// build on it.
    pub(crate) consistent: bool,
    pub(crate) keep: KeepRules,
}

/// A number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio(f64);

impl Sampling {
    pub(super) const ALWAYS: Self = Self {
        ratio: Ratio::ALWAYS,
        parent_based: true,
        consistent: false,
        keep: KeepRules { errors: false, slower_than: None },
    };

    pub(super) fn resolve(self, environment: &Environment<'_>) -> Self {
        let rate = |name, otherwise: Ratio| {
            let parse = |text: &str| Ratio::new(text.parse().ok()?);
            let parsed = environment.parsed(name, "a number from 0 to 1", otherwise.0, parse);
            parsed.unwrap_or(otherwise)
        };
        let sampler = environment.parsed(
            SAMPLER,
            "always_on, always_off, traceidratio or one of these after parentbased_",
            format_args!("parentbased_traceidratio with {}", self.ratio.0),
            |text| Some(text.to_ascii_lowercase()).filter(|text| SAMPLERS.contains(&text.as_str())),
        );
        let Some(sampler) = sampler else {
            let ratio = rate("OTEL_SAMPLE_RATE", self.ratio);
            if !environment.is_set(SAMPLER)
                && let Some(argument) = environment.text(ARGUMENT)
            {
                let value = format!("`{}`", line(&argument));
                let expected = "OTEL_TRACES_SAMPLER beside it (parentbased_traceidratio), \
                                or OTEL_SAMPLE_RATE in its place";
                environment.complain(ARGUMENT, &value, expected, ratio.0);
            }
            return Self { ratio, ..self };
        };
        let ratio = match sampler.trim_start_matches(PARENT_BASED) {
            "always_off" => Ratio::NEVER,
            // Without an argument the specification's default holds, not the program's.
            "traceidratio" => rate(ARGUMENT, Ratio::ALWAYS),
            _ => Ratio::ALWAYS,
        };
        let parent_based = sampler.starts_with(PARENT_BASED);
        Self { ratio, parent_based, consistent: false, keep: self.keep }
    }
}

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
const PARENT_BASED: &str = "parentbased_";
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

impl Ratio {
    pub(crate) const ALWAYS: Self = Self(1.0);
    pub(crate) const NEVER: Self = Self(0.0);

    pub(crate) fn new(ratio: f64) -> Option<Self> {
        (0.0..=1.0).contains(&ratio).then_some(Self(ratio))
    }

    /// The ratio nearest to this number; all for what is not one.
    pub(crate) fn nearest(number: f64) -> Self {
        if number.is_nan() { Self::ALWAYS } else { Self(number.clamp(0.0, 1.0)) }
    }

    pub(crate) fn get(self) -> f64 {
        self.0
    }
}
