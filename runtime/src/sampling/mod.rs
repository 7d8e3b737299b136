//! Which traces are recorded, and which of those that are not sampled are kept all the same.

mod consistent;
mod held;

use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{self as sdk, SamplingDecision, SamplingResult, ShouldSample};

use crate::caller_decision::{CallerDecision, NewTrace};
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
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent_span = parent.map(|parent| parent.span());
        let parent_span =
            parent_span.as_ref().map_or(&SpanContext::NONE, |span| span.span_context());
        let inherited = parent.filter(|_| self.parent_based);
        let inherited = inherited.and_then(|parent| inherited_decision(parent, parent_span));
        let (sampled, trace_state) = match (inherited, &self.root) {
            (Some(sampled), _) => (sampled, parent_span.trace_state().clone()),
            (None, Root::Consistent(consistent)) => {
                consistent.decide(trace_id, parent_span.trace_state())
            }
            (None, Root::Stock(sampler)) => {
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
