//! What the attributes do, asserted as trees of text.

mod attributes;
mod baggage;
mod blocks;
mod carriers;
mod computed_names;
mod conformance;
mod described_errors;
mod device;
mod functions;
mod futures;
mod groups;
mod impls;
mod limits;
mod links;
mod names;
mod options;
mod outcomes;
mod parameters;
mod propagation;
mod responses;
mod samples;
mod shapes;
mod untouched;

/// Natively. `behaviour_sdk` has the same tests by the SDK.
mod recorder {
    pub(crate) use spandrel::testing::{record, record_async};
}
