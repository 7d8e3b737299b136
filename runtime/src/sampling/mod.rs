//! Which traces are sampled.

mod consistent;

use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::config::{Ratio, Sampling};
use crate::context::{CallerDecision, NewTrace};
use crate::recorder::HeadSampler;
use consistent::Consistent;
pub(crate) use consistent::certain;

/// The sampler of a pipeline: a parent's decision, then the ratio.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    root: Root,
    parent_based: bool,
}

#[derive(Clone, Debug)]
enum Root {
    /// Sampled below this bound: the decision of the SDKs' `TraceIdRatioBased`.
    Ratio(u64),
    Consistent(Consistent),
}

impl Sampler {
    pub(crate) fn new(sampling: Sampling) -> Self {
        let Sampling { ratio, parent_based, consistent, .. } = sampling;
        let root = if consistent {
            Root::Consistent(Consistent::new(ratio.get()))
        } else {
            Root::Ratio(bound(ratio))
        };
        Self { root, parent_based }
    }
}

/// The share of all numbers of 63 bits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the ratio is from 0 to 1"
)]
fn bound(ratio: Ratio) -> u64 {
    (ratio.get() * (1_u64 << 63) as f64) as u64
}

impl HeadSampler for Sampler {
    fn decide(
        &self,
        context: &Context,
        parent: &SpanContext,
        trace: TraceId,
        state: &mut Option<TraceState>,
    ) -> bool {
        let inherited = if self.parent_based { inherited_decision(context, parent) } else { None };
        inherited.unwrap_or_else(|| match &self.root {
            Root::Consistent(consistent) => {
                let (is_sampled, changed) = consistent.decide(trace, parent.trace_state());
                *state = Some(changed);
                is_sampled
            }
            Root::Ratio(bound) => {
                let lower = trace.to_bytes().last_chunk().map_or(0, |low| u64::from_be_bytes(*low));
                let random = lower >> 1;
                random < *bound
            }
        })
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
        trace_id: TraceId,
        _name: &str,
        _kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let none = Context::new();
        let context = parent.unwrap_or(&none);
        let parent_span = context.span();
        let parent_span = parent_span.span_context();
        let mut state = None;
        let is_sampled = self.decide(context, parent_span, trace_id, &mut state);
        let trace_state = state.unwrap_or_else(|| parent_span.trace_state().clone());
        let decision =
            if is_sampled { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
        SamplingResult { decision, attributes: Vec::new(), trace_state }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceFlags};
    use opentelemetry_sdk::trace as sdk;

    use super::*;
    use crate::recorder::KeepRules;

    const HIGH: u128 = u128::MAX;
    const LOW: u128 = 1;

    fn sampling(ratio: f64) -> Sampling {
        let keep = KeepRules::default();
        Sampling { ratio: Ratio::nearest(ratio), parent_based: true, consistent: false, keep }
    }

    fn decide(sampling: Sampling, context: &Context, trace: u128) -> (SamplingDecision, String) {
        let parent = context.span().span_context().clone();
        let trace_id = if parent.is_valid() { parent.trace_id() } else { trace.into() };
        let sampler = Sampler::new(sampling);
        let result =
            sampler.should_sample(Some(context), trace_id, "name", &SpanKind::Server, &[], &[]);
        (result.decision, result.trace_state.header())
    }

    fn is_sampled(sampling: Sampling, context: &Context, trace: u128) -> bool {
        decide(sampling, context, trace).0 == SamplingDecision::RecordAndSample
    }

    fn under(trace: u128, sampled: bool, remote: bool, state: &str) -> Context {
        let flags = TraceFlags::NOT_SAMPLED.with_sampled(sampled);
        let state: TraceState = state.parse().expect("it is valid");
        let span = SpanContext::new(trace.into(), SpanId::from(2), flags, remote, state);
        Context::new().with_remote_span_context(span)
    }

    #[test]
    fn the_ratio_decides_as_the_sdk_s_sampler() {
        let mut trace = 0x0123_4567_89ab_cdef_0011_2233_4455_6677_u128;
        for ratio in [0.0, 1e-9, 0.1, 0.5, 0.9, 1.0] {
            let theirs = sdk::Sampler::TraceIdRatioBased(ratio);
            for _ in 0..1000 {
                trace = trace.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645) + 1;
                let kind = SpanKind::Internal;
                let result = theirs.should_sample(None, trace.into(), "name", &kind, &[], &[]);
                let sampled = result.decision == SamplingDecision::RecordAndSample;
                assert_eq!(is_sampled(sampling(ratio), &Context::new(), trace), sampled, "{ratio}");
            }
        }
    }

    #[test]
    fn the_ratio_decides_for_a_root() {
        let root = Context::new();
        for (ratio, low, high) in [(0.0, false, false), (0.5, true, false), (1.0, true, true)] {
            assert_eq!(is_sampled(sampling(ratio), &root, LOW), low, "{ratio}");
            assert_eq!(is_sampled(sampling(ratio), &root, HIGH), high, "{ratio}");
        }
        assert_eq!(decide(sampling(0.0), &root, LOW).0, SamplingDecision::Drop);
    }

    #[test]
    fn a_parent_s_decision_comes_first() {
        for remote in [true, false] {
            let sampled = under(HIGH, true, remote, "a=1");
            let expected = (SamplingDecision::RecordAndSample, "a=1".to_owned());
            assert_eq!(decide(sampling(0.0), &sampled, HIGH), expected);
            let unsampled = under(LOW, false, remote, "a=1");
            let expected = (SamplingDecision::Drop, "a=1".to_owned());
            assert_eq!(decide(sampling(1.0), &unsampled, LOW), expected);
            let alone = |ratio| Sampling { parent_based: false, ..sampling(ratio) };
            assert!(!is_sampled(alone(0.0), &sampled, HIGH));
            assert!(is_sampled(alone(1.0), &unsampled, LOW));
        }
    }

    #[test]
    fn a_caller_s_decision_holds_for_a_new_trace() {
        for (decision, sampled) in
            [(NewTrace::NotSampled, false), (NewTrace::Sampled, true), (NewTrace::Debug, true)]
        {
            let context = CallerDecision::ForNewTrace(decision).put_into(&Context::new());
            for ratio in [0.0, 0.5, 1.0] {
                let consistent = Sampling { consistent: true, ..sampling(ratio) };
                assert_eq!(is_sampled(sampling(ratio), &context, HIGH), sampled, "{decision:?}");
                assert_eq!(decide(consistent, &context, HIGH).1, "", "it has no threshold");
                let alone = Sampling { parent_based: false, ..sampling(ratio) };
                assert_eq!(is_sampled(alone, &context, LOW), ratio > 0.0, "{decision:?}");
            }
            let no_longer = CallerDecision::InFlags.put_into(&context);
            assert!(is_sampled(sampling(1.0), &no_longer, LOW));
            let span = under(LOW, !sampled, true, "").span().span_context().clone();
            let goes_on = context.with_remote_span_context(span);
            assert_eq!(is_sampled(sampling(0.0), &goes_on, LOW), !sampled, "it is another trace");
        }
    }

    #[test]
    fn a_decision_that_the_caller_left_open_is_made_as_for_a_root() {
        let deferred = |trace: u128| {
            CallerDecision::Deferred(trace.into(), SpanId::from(2))
                .put_into(&under(trace, false, true, ""))
        };
        for (ratio, low, high) in [(0.0, false, false), (0.5, true, false), (1.0, true, true)] {
            assert_eq!(is_sampled(sampling(ratio), &deferred(LOW), LOW), low, "{ratio}");
            assert_eq!(is_sampled(sampling(ratio), &deferred(HIGH), HIGH), high, "{ratio}");
        }
        let consistent = Sampling { consistent: true, ..sampling(0.5) };
        let expected = (SamplingDecision::RecordAndSample, "ot=th:8".to_owned());
        assert_eq!(decide(consistent, &deferred(HIGH), HIGH), expected);
        // A span of this process under it has decided.
        let local = under(LOW, false, false, "").span().span_context().clone();
        let nested = deferred(LOW).with_remote_span_context(local);
        assert!(!is_sampled(sampling(1.0), &nested, LOW));
        let other = under(HIGH, false, true, "").span().span_context().clone();
        assert!(!is_sampled(sampling(1.0), &deferred(LOW).with_remote_span_context(other), HIGH));
    }
}
