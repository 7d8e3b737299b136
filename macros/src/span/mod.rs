//! `#[span]`: a function, or a block in one, becomes a span.

mod args;
mod expand;
mod model;
pub(crate) mod record;

pub(crate) use args::split_name;
pub(crate) use expand::{look, look_at_success, look_for_success, start};
pub(crate) use model::Span;
