//! `#[derive(ToAttributes)]`: a struct is a group of attributes, one for each field.

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let group = model::Group::new(item, &mut errors);
    match (errors.finish(), group) {
        (None, Some(group)) => expand::expand(&group),
        (errors, _) => errors.unwrap_or_default(),
    }
}
