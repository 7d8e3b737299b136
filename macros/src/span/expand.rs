//! The tokens of a span: a callsite, a closure for the attributes, and one call with the body.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::model::Span;
use crate::syntax::{Body, Capture, Data, Function};

/// The function as a span of this model; `parent` is the context that was extracted for it.
pub(crate) fn expand(
    span: &Span,
    body: &Body,
    function: Function,
    parent: Option<&TokenStream>,
) -> Function {
    let Span { name, kind, attributes, runtime } = span;
    let list = Ident::new("attributes", proc_macro2::Span::mixed_site());
    let attributes = attributes.iter().map(|data| set(&list, data));
    let parent = parent.map(|parent| quote!(.under(#parent)));
    let scope = quote! {
        #runtime::__private::callsite!(#name, #kind)
            #parent
            .start(|#list| { #(#attributes)* })
    };
    body.wrap(function, &scope, runtime)
}

fn set(list: &Ident, data: &Data) -> TokenStream {
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
