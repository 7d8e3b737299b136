//! `#[propagate]`: a function continues the caller's trace, or hands ours on.

mod args;
mod expand;
mod model;

pub(crate) use expand::{context, inject, start_calls};
pub(crate) use model::{Propagation, check_order};
