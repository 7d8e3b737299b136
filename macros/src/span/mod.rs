//! `#[span]`: a function, or a block in one, becomes a span.

mod args;
mod expand;
mod model;
pub(crate) mod record;

pub(crate) use expand::{look, look_after_try, look_if_ok, start};
pub(crate) use model::Span;
