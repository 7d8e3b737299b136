//! Spans inside a body: `#[span]` on blocks, `let` initialisers and expressions.
//!
//! Control flow stays as it is written: the span is a variable whose scope is the block. Where the
//! value of a block can be seen, the span ends by it; a block that is left early waits for the
//! outcome of its frame, the function, closure or `async` block round it.

mod expansion;
mod frame;
mod inner_frames;
mod traced;
mod value_use;
mod walk;

use proc_macro2::{Group, TokenTree};
use quote::ToTokens;
use syn::{Block, Path};

use crate::diagnostics::Errors;
use crate::syntax::has_span;
use expansion::Expansion;
use frame::Frame;

/// What was found in a body.
#[derive(Default)]
pub(crate) struct FoundSpans {
    /// Whether there are spans in it, not counting those in closures and `async` blocks.
    pub(crate) blocks: bool,
    /// Whether one of them ends by the value of the body.
    pub(crate) ends_by_value: bool,
    /// The path that the attribute was written with.
    pub(crate) attribute: Option<Path>,
}

/// Makes spans of what has the attribute in the body of a function. `typed` tells whether the type
/// of the body's value is written down.
pub(crate) fn expand(
    body: &mut Group,
    typed: bool,
    runtime: &Path,
    errors: &mut Errors,
) -> FoundSpans {
    if !has_span(body.stream()) {
        return FoundSpans::default();
    }
    let Some(mut block) = errors.ok(syn::parse2::<Block>(body.to_token_stream())) else {
        return FoundSpans::default();
    };
    let mut expansion = Expansion {
        runtime,
        errors,
        frame: Frame { typed, ..Frame::default() },
        tail: false,
        unended: 0,
        attribute: None,
    };
    expansion.block(&mut block, typed);
    let Expansion { frame, attribute, .. } = expansion;
    if let Some(TokenTree::Group(group)) = block.to_token_stream().into_iter().next() {
        *body = group;
    }
    FoundSpans { blocks: frame.blocks > 0, ends_by_value: frame.ends_by_value, attribute }
}
