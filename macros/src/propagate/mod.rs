//! `#[propagate]`: a function continues the caller's trace, or hands ours on.

mod args;
mod expand;
mod model;

pub(crate) use expand::{continue_trace, inject};
pub(crate) use model::Propagation;
