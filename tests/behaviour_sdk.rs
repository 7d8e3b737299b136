//! The tests of `behaviour`, where OpenTelemetry's SDK records the spans: as for `adopt_global_provider` and for programs
//! with a span processor of their own.

#[path = "behaviour/attributes.rs"]
mod attributes;
#[path = "behaviour/baggage.rs"]
mod baggage;
#[path = "behaviour/blocks.rs"]
mod blocks;
#[path = "behaviour/carriers.rs"]
mod carriers;
#[path = "behaviour/computed_names.rs"]
mod computed_names;
#[path = "behaviour/conformance/mod.rs"]
mod conformance;
#[path = "behaviour/described_errors.rs"]
mod described_errors;
#[path = "behaviour/device/mod.rs"]
mod device;
#[path = "behaviour/functions.rs"]
mod functions;
#[path = "behaviour/futures.rs"]
mod futures;
#[path = "behaviour/groups.rs"]
mod groups;
#[path = "behaviour/impls.rs"]
mod impls;
#[path = "behaviour/limits.rs"]
mod limits;
#[path = "behaviour/links.rs"]
mod links;
#[path = "behaviour/names.rs"]
mod names;
#[path = "behaviour/options.rs"]
mod options;
#[path = "behaviour/outcomes.rs"]
mod outcomes;
#[path = "behaviour/parameters.rs"]
mod parameters;
#[path = "behaviour/propagation.rs"]
mod propagation;
#[path = "behaviour/responses.rs"]
mod responses;
#[path = "behaviour/samples.rs"]
mod samples;
#[path = "behaviour/shapes.rs"]
mod shapes;
#[path = "behaviour/untouched.rs"]
mod untouched;

mod recorder {
    pub(crate) use spandrel::testing::{
        record_by_sdk as record, record_by_sdk_async as record_async,
    };
}
