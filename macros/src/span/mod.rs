//! `#[span]`: a function becomes a span.

mod args;
mod expand;
mod model;

pub(crate) use expand::expand;
pub(crate) use model::Span;
