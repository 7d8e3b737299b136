//! Which traces are recorded: `OTEL_TRACES_SAMPLER`, `OTEL_SAMPLE_RATE`, `SPANDREL_SAMPLE_RULES`, and the options.

use super::sample_rules::{SampleRate, SampleRules};
use crate::clean::line;
use crate::environment::Environment;
use crate::recorder::KeepRules;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sampling {
    pub(crate) rules: SampleRules,
    /// Whether a parent's decision comes first.
    pub(crate) parent_based: bool,
    /// Whether the decision is written into the `tracestate`, so that samplers further on can
    /// build on it.
    pub(crate) consistent: bool,
    pub(crate) keep: KeepRules,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            rules: SampleRules::new(1.0),
            parent_based: true,
            consistent: false,
            keep: KeepRules::default(),
        }
    }
}

impl Sampling {
    pub(super) fn resolve(mut self, environment: &Environment<'_>) -> Self {
        let parse = |text: &str| SampleRules::parse_rules(text).ok();
        let expected =
            "pattern=rate pairs with commas between them, such as GET /health=0,checkout*=1";
        let otherwise = "the program's own rules";
        let rules = environment.parsed("SPANDREL_SAMPLE_RULES", expected, otherwise, parse);
        if let Some(rules) = rules {
            self.rules.rules = rules;
        }
        let rate = |name, otherwise: SampleRate| {
            let expected = "a number from 0 to 1";
            environment.parsed(name, expected, otherwise, SampleRate::ratio).unwrap_or(otherwise)
        };
        let own = self.rules.rate;
        let sampler = environment.parsed(
            SAMPLER,
            "always_on, always_off, traceidratio or one of these after parentbased_",
            format_args!("parentbased_traceidratio with {own}"),
            |text| Some(text.to_ascii_lowercase()).filter(|text| SAMPLERS.contains(&text.as_str())),
        );
        let Some(sampler) = sampler else {
            self.rules.rate = rate("OTEL_SAMPLE_RATE", own);
            if !environment.is_set(SAMPLER)
                && let Some(argument) = environment.text(ARGUMENT)
            {
                let value = format!("`{}`", line(&argument));
                let expected = "OTEL_TRACES_SAMPLER beside it (parentbased_traceidratio), \
                                or OTEL_SAMPLE_RATE in its place";
                environment.complain(ARGUMENT, &value, expected, self.rules.rate);
            }
            return self;
        };
        self.rules.rate = match sampler.trim_start_matches(PARENT_BASED) {
            "always_off" => SampleRate::Ratio(0.0),
            // Without an argument the specification's default holds, not the program's.
            "traceidratio" => rate(ARGUMENT, SampleRate::Ratio(1.0)),
            _ => SampleRate::Ratio(1.0),
        };
        self.parent_based = sampler.starts_with(PARENT_BASED);
        self.consistent = false;
        self
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
