//! What `?` and `return` leave: functions, closures and `async` blocks.

use proc_macro2::{Span as Place, TokenStream};
use syn::Path;

use crate::syntax::OutcomeRule;

/// A function, a closure or an `async` block: what `?` and `return` leave.
#[derive(Default)]
pub(super) struct Frame {
    /// Whether the type of its value is written down. Where it is not, the value is not asked how
    /// it came out: that would decide a type that later code makes known.
    pub(super) typed: bool,
    /// How many spans there are in it.
    pub(super) blocks: usize,
    /// Whether one of them ends by its value.
    pub(super) ends_by_value: bool,
    /// Whether a span in it may be left by `return`.
    pub(super) returns: bool,
    /// How many spans are round the expression that is visited.
    pub(super) depth: usize,
}

impl Frame {
    /// How the frame looks at its value for the spans that end by it.
    pub(super) fn rule(&self, runtime: &Path, place: Place) -> TokenStream {
        let rule =
            if self.typed || self.returns { OutcomeRule::Result } else { OutcomeRule::Nothing };
        rule.closure(None, runtime, place)
    }
}
