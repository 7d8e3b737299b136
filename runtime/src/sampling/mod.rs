//! Which traces are recorded, and which of those that are not sampled are kept all the same.

mod consistent;
mod held;

use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{self as sdk, SamplingDecision, SamplingResult, ShouldSample};

use crate::config::{Ratio, Sampling};
use consistent::Consistent;
pub(crate) use held::HeldTraces;

/// The sampler of a pipeline: a parent's decision, then the ratio; what neither picks is recorded
/// when it may be kept, and not sampled.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    root: Root,
    parent_based: bool,
    records_all: bool,
}

#[derive(Clone, Debug)]
enum Root {
    Stock(sdk::Sampler),
    Consistent(Consistent),
}

impl Sampler {
    pub(crate) fn new(sampling: Sampling) -> Self {
        let Sampling { ratio, parent_based, consistent, keep } = sampling;
        let root = match ratio {
            ratio if consistent => Root::Consistent(Consistent::new(ratio.get())),
            Ratio::ALWAYS => Root::Stock(sdk::Sampler::AlwaysOn),
            Ratio::NEVER => Root::Stock(sdk::Sampler::AlwaysOff),
            ratio => Root::Stock(sdk::Sampler::TraceIdRatioBased(ratio.get())),
        };
        Self { root, parent_based, records_all: keep.anything() }
    }
}

impl ShouldSample for Sampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent_span = parent.map(|parent| parent.span());
        let parent_span =
            parent_span.as_ref().map_or(&SpanContext::NONE, |span| span.span_context());
        let (sampled, trace_state) = match &self.root {
            _ if self.parent_based && parent_span.is_valid() => {
                (parent_span.is_sampled(), parent_span.trace_state().clone())
            }
            Root::Consistent(consistent) => consistent.decide(trace_id, parent_span.trace_state()),
            Root::Stock(sampler) => {
                let result = sampler.should_sample(parent, trace_id, name, kind, attributes, links);
                (result.decision == SamplingDecision::RecordAndSample, result.trace_state)
            }
        };
        let decision = match (sampled, self.records_all) {
            (true, _) => SamplingDecision::RecordAndSample,
            (false, true) => SamplingDecision::RecordOnly,
            (false, false) => SamplingDecision::Drop,
        };
        SamplingResult { decision, attributes: Vec::new(), trace_state }
    }
}
