//! The attributes of [`spandrel`](https://docs.rs/spandrel): use them through that crate.
//!
//! Each macro goes through three stages, a file each: `args` (what was written), `model` (what is
//! meant, always legal), `expand` (tokens). `function` brings `#[span]` and `#[propagate]` together,
//! `block` makes spans inside of a function, `kept` keeps what has mistakes. What all share is in
//! `syntax` and `diagnostics`.

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
