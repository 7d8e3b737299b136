//! The record of a span: what stands before its message.

use super::scope::ScopeId;

/// How many bytes stand before each span: the length of its message, and the number of its scope.
pub(super) const HEAD: usize = 8;

/// How many of those bytes, the first ones, are the length.
pub(super) const LENGTH_BYTES: usize = 4;

/// Set in the length of a record whose span is open: such a record is in a slot, and never in a batch.
pub(super) const OPEN: u32 = 1 << 31;

/// One span of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) scope: ScopeId,
    /// A `Span` message of OTLP.
    pub(crate) message: &'a [u8],
}
