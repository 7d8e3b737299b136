//! Which traces are recorded.

use opentelemetry_sdk::trace::Sampler;

use crate::config::{Ratio, Sampling};

pub(crate) fn sampler(sampling: Sampling) -> Sampler {
    let root = match sampling.ratio {
        Ratio::ALWAYS => Sampler::AlwaysOn,
        Ratio::NEVER => Sampler::AlwaysOff,
        ratio => Sampler::TraceIdRatioBased(ratio.get()),
    };
    if sampling.parent_based { Sampler::ParentBased(Box::new(root)) } else { root }
}
