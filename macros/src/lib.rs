//! The attributes of [`spandrel`](https://docs.rs/spandrel): use them through that crate.
//!
//! Each attribute has a folder: `model` checks what is written, and `expand` turns the model into tokens. `function` brings
//! `#[span]` and `#[propagate]` together, `block` makes spans inside of a function, and `item_with_errors` emits the
//! item beside mistakes. What all attributes share is in `syntax` and `diagnostics`.

mod block;
mod diagnostics;
#[cfg(test)]
mod editor;
mod function;
mod item_with_errors;
#[cfg(test)]
mod mistakes;
mod propagate;
mod span;
mod syntax;
mod to_attributes;
mod traced_app;

use proc_macro::TokenStream;

// Documented where it is re-exported.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn span(args: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(function::Attribute::Span, args.into(), item.into()).into()
}

// Documented where it is re-exported.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn propagate(args: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(function::Attribute::Propagate, args.into(), item.into()).into()
}

// Documented where it is re-exported.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn traced_app(args: TokenStream, item: TokenStream) -> TokenStream {
    traced_app::expand(args.into(), item.into()).into()
}

// Documented where it is re-exported.
#[allow(missing_docs)]
#[proc_macro_derive(ToAttributes, attributes(attribute))]
pub fn to_attributes(item: TokenStream) -> TokenStream {
    to_attributes::expand(item.into()).into()
}
