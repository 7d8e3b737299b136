//! `#[span]`: a function, or a block in one, becomes a span.

mod expand;
mod model;
pub(crate) mod record;

pub(crate) use expand::{error_attributes, outcome_rule, rule_after_try, rule_if_ok, start};
pub(crate) use model::Span;
