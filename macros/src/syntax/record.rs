//! The tokens that put data on a list of attributes.

use proc_macro2::{Span as Place, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Path};

use super::{Capture, Data};

/// The variable for the attributes, out of reach of the user's code.
pub(crate) fn attribute_list() -> Ident {
    Ident::new("attributes", Place::mixed_site())
}

/// Records data on a span that starts, with a key that is encoded at compile time.
pub(crate) fn record(runtime: &Path, list: &Ident, data: &Data) -> TokenStream {
    let Data { key, capture: Capture::Typed, value } = data else { return set(list, data) };
    let key = &key.name;
    let method = quote_spanned!(value.span()=> record);
    let value = quote_spanned!(value.span()=> &(#value));
    quote!(#list.#method(#runtime::__private::key!(#key), #value);)
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
