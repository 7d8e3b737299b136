//! `#[traced_app]`: a program, or an app type, sets telemetry up and flushes it.

mod config;
mod expand;
mod model;
mod sampling;

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;
use crate::item_with_errors;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let model = model::App::new(args, item.clone(), &mut errors);
    match (errors.finish(), model) {
        (None, Some(app)) => expand::expand(app),
        (Some(errors), _) => item_with_errors::emit(&errors, item),
        (None, None) => item,
    }
}
