//! Which traces are sampled.

mod consistent;
mod rules;
#[cfg(test)]
mod tests;
mod token_bucket;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::config::{SampleRate, SampleRules, Sampling};
use crate::context::{CallerDecision, NewTrace};
use crate::recorder::{Candidate, HeadSampler};
pub(crate) use consistent::certain;
use consistent::{Consistent, without_threshold};
use rules::Pattern;
use token_bucket::TokenBucket;

/// The sampler of a pipeline: a parent's decision, then the rules, then the rate.
#[derive(Clone, Debug)]
pub(crate) struct Sampler(Arc<State>);

#[derive(Debug)]
struct State {
    parent_based: bool,
    /// Whether the decision is written into the `tracestate`.
    consistent: bool,
    installed: Rates,
    /// Whether there are other rates than the installed ones: most programs never change them.
    is_changed: AtomicBool,
    changed: ArcSwapOption<Rates>,
}

/// What decides about local traces.
#[derive(Debug)]
struct Rates {
    rules: Vec<(Pattern, Rate)>,
    rate: Rate,
}

#[derive(Debug)]
enum Rate {
    Never,
    /// Sampled below this bound: the decision of the SDKs' `TraceIdRatioBased`.
    Ratio(u64),
    Consistent(Consistent),
    PerSecond(TokenBucket),
}

impl Sampler {
    pub(crate) fn new(sampling: &Sampling) -> Self {
        let Sampling { rules, parent_based, consistent, .. } = sampling;
        Self(Arc::new(State {
            parent_based: *parent_based,
            consistent: *consistent,
            installed: Rates::new(rules, *consistent),
            is_changed: AtomicBool::new(false),
            changed: ArcSwapOption::empty(),
        }))
    }

    /// From now on, these rates decide about traces that start. How a rate is applied stays: by ratio or consistently,
    /// after the parent or not.
    pub(crate) fn set(&self, rules: &SampleRules) {
        self.0.changed.store(Some(Arc::new(Rates::new(rules, self.0.consistent))));
        self.0.is_changed.store(true, Ordering::Release);
    }

    #[inline]
    fn with_rates<T>(&self, run: impl FnOnce(&Rates) -> T) -> T {
        if self.0.is_changed.load(Ordering::Acquire)
            && let Some(changed) = &*self.0.changed.load()
        {
            return run(changed);
        }
        run(&self.0.installed)
    }
}

impl Rates {
    fn new(written: &SampleRules, consistent: bool) -> Self {
        let rate = |rate: SampleRate| match rate {
            rate if rate.is_never() => Rate::Never,
            SampleRate::Ratio(ratio) if consistent => {
                Rate::Consistent(Consistent::new(nearest(ratio)))
            }
            SampleRate::Ratio(ratio) => Rate::Ratio(bound(nearest(ratio))),
            SampleRate::PerSecond(rate) => {
                TokenBucket::new(rate).map_or(Rate::Never, Rate::PerSecond)
            }
        };
        let rules = written.rules.iter();
        let rules = rules.map(|(pattern, of_rule)| (Pattern::new(pattern), rate(*of_rule)));
        Self { rules: rules.collect(), rate: rate(written.rate) }
    }

    /// The rate of the first rule that is for this span, if it starts a local trace.
    fn rule(&self, span: &Candidate<'_>) -> Option<&Rate> {
        let found = self.rules.iter().find(|(pattern, _)| pattern.matches(span.name, span.kind));
        found.map(|(_, rate)| rate)
    }

    fn decide(
        &self,
        parent_based: bool,
        span: &Candidate<'_>,
        state: &mut Option<TraceState>,
    ) -> bool {
        let Candidate { context, parent, .. } = span;
        let inherited = if parent_based { inherited_decision(context, parent) } else { None };
        if parent.is_valid() && !parent.is_remote() {
            // Rules and rates decide about local traces: the spans of one follow its first span, even if the rates
            // have changed since, and one that counts by second is asked once.
            return inherited.unwrap_or_else(|| parent.is_sampled());
        }
        if self.rules.is_empty() {
            return inherited.unwrap_or_else(|| self.rate.decide(span, state));
        }
        match (inherited, self.rule(span)) {
            (Some(true), Some(never @ Rate::Never)) => never.decide(span, state),
            (Some(inherited), _) => inherited,
            (None, rule) => rule.unwrap_or(&self.rate).decide(span, state),
        }
    }
}

/// The ratio nearest to this number; all for what is not one.
fn nearest(number: f64) -> f64 {
    if number.is_nan() { 1.0 } else { number.clamp(0.0, 1.0) }
}

/// The share of all numbers of 63 bits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the ratio is from 0 to 1"
)]
fn bound(ratio: f64) -> u64 {
    (ratio * (1_u64 << 63) as f64) as u64
}

impl Rate {
    /// Decides about a trace that starts here, or that the caller left open. Changes the `tracestate` if it would say
    /// something untrue otherwise.
    fn decide(&self, span: &Candidate<'_>, state: &mut Option<TraceState>) -> bool {
        let Candidate { parent, trace, .. } = span;
        match self {
            Self::Never => {
                *state = without_threshold(parent.trace_state());
                false
            }
            Self::Ratio(bound) => {
                let lower = trace.to_bytes().last_chunk().map_or(0, |low| u64::from_be_bytes(*low));
                let random = lower >> 1;
                random < *bound
            }
            Self::Consistent(consistent) => {
                let (is_sampled, changed) = consistent.decide(*trace, parent.trace_state());
                *state = Some(changed);
                is_sampled
            }
            Self::PerSecond(bucket) => {
                *state = without_threshold(parent.trace_state());
                bucket.take()
            }
        }
    }
}

impl HeadSampler for Sampler {
    fn decide(&self, span: &Candidate<'_>, state: &mut Option<TraceState>) -> bool {
        self.with_rates(|rates| rates.decide(self.0.parent_based, span, state))
    }
}

/// Whether the parent's trace is sampled, or a new one where the caller has decided that without a
/// parent; `None` where this service decides.
fn inherited_decision(context: &Context, parent: &SpanContext) -> Option<bool> {
    if !parent.is_valid() {
        return CallerDecision::for_new_trace(context).map(NewTrace::is_sampled);
    }
    (!CallerDecision::is_deferred(context, parent)).then(|| parent.is_sampled())
}

impl ShouldSample for Sampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let none = Context::new();
        let context = parent.unwrap_or(&none);
        let parent = context.span();
        let parent = parent.span_context();
        let mut state = None;
        let is_sampled = self.decide(&Candidate { context, parent, trace, name, kind }, &mut state);
        let trace_state = state.unwrap_or_else(|| parent.trace_state().clone());
        let decision =
            if is_sampled { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
        SamplingResult { decision, attributes: Vec::new(), trace_state }
    }
}
