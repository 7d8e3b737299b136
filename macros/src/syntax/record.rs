//! The tokens that put data on a list of attributes.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path};

use super::{Capture, Data, hidden, located};

/// The variable for the attributes.
pub(crate) fn attribute_list() -> Ident {
    hidden("attributes")
}

/// Records data on a span that starts, with a key that is encoded at compile time.
pub(crate) fn record(runtime: &Path, list: &Ident, data: &Data) -> TokenStream {
    let Data { key, capture: Capture::Typed, value, conditions } = data else {
        return set(list, data);
    };
    let key = &key.name;
    let method = quote_spanned!(value.span()=> record);
    let value = quote_spanned!(value.span()=> &(#value));
    quote!(#(#conditions)* #list.#method(#runtime::__private::key!(#key), #value);)
}

pub(crate) fn set(list: &Ident, data: &Data) -> TokenStream {
    let Data { key, capture, value, conditions } = data;
    let key = &key.name;
    let method = match capture {
        Capture::Typed => quote_spanned!(value.span()=> set),
        Capture::Display => quote_spanned!(value.span()=> set_display),
        Capture::Debug => quote_spanned!(value.span()=> set_debug),
    };
    let value = quote_spanned!(value.span()=> &(#value));
    quote!(#(#conditions)* #list.#method(#key, #value);)
}

/// Records a group.
pub(crate) fn set_group(runtime: &Path, list: &Ident, group: &Expr) -> TokenStream {
    let runtime = located(runtime, group.span());
    quote_spanned!(group.span()=> #runtime::ToAttributes::to_attributes(&(#group), #list);)
}
