//! The state of an expansion.

use syn::{Path, Type};

use super::frame::Frame;
use super::value_use::ValueUse;
use crate::diagnostics::Errors;

/// The body that is expanded, as far as it was walked.
pub(super) struct Expansion<'a> {
    pub(super) runtime: &'a Path,
    pub(super) errors: &'a mut Errors,
    pub(super) frame: Frame,
    /// Whether the value of the next expression is that of the frame.
    pub(super) tail: bool,
    /// How many spans so far may be left by a `break` or `continue`.
    pub(super) unended: usize,
    pub(super) attribute: Option<Path>,
}

/// What is known of an expression from outside of it.
pub(super) struct Position<'a> {
    pub(super) value_use: ValueUse,
    /// The type that is written for its value.
    pub(super) ty: Option<&'a Type>,
    pub(super) place: StatementPlace,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum StatementPlace {
    /// Part of another expression.
    Nested,
    /// A statement, or a `let`'s initialiser, with other statements after it.
    Followed,
    /// The last statement of its block.
    Last,
    /// The value of its block. Up to edition 2021 its temporaries are dropped after the variables of the block.
    Tail,
}
