//! The tokens that put data on a list of attributes.

use proc_macro2::{Span as Place, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::{Capture, Data};

/// The variable for the attributes, out of reach of the user's code.
pub(crate) fn attribute_list() -> Ident {
    Ident::new("attributes", Place::mixed_site())
}

pub(crate) fn set(list: &Ident, data: &Data) -> TokenStream {
    let Data { key, capture, value } = data;
    let key = &key.name;
    let method = match capture {
        Capture::Typed => quote_spanned!(value.span()=> set),
        Capture::Display => quote_spanned!(value.span()=> set_display),
        Capture::Debug => quote_spanned!(value.span()=> set_debug),
    };
    let value = quote_spanned!(value.span()=> &(#value));
    quote!(#list.#method(#key, #value);)
}
