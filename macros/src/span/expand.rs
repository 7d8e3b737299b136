//! The tokens of a span: a callsite, a closure for the attributes, and a look at the value.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::model::Span;
use crate::syntax::{Capture, Data, Look, value};

/// The started span; `extracted` is the context that was extracted for it.
pub(crate) fn start(span: &Span, extracted: Option<&TokenStream>) -> TokenStream {
    let Span { name, kind, parent, root, links, attributes, runtime, .. } = span;
    let extracted = extracted.map(|context| quote!(.under(#context)));
    let parent = parent.as_ref().map(|parent| quote_spanned!(parent.span()=> .under(&(#parent))));
    let root = root.then(|| quote!(.root()));
    let links = links.as_ref().map(|links| quote_spanned!(links.span()=> .links(#links)));
    let list = Ident::new("attributes", proc_macro2::Span::mixed_site());
    let attributes = attributes.iter().map(|data| set(&list, data));
    quote! {
        #runtime::__private::callsite!(#name, #kind)
            #extracted #parent #root #links
            .start(|#list| { #(#attributes)* })
    }
}

/// How the span looks at the value that its body came to.
pub(crate) fn look(span: &Span) -> Look {
    let Span { error_if, runtime, .. } = span;
    if error_if.is_none() && !span.records_value() {
        return Look::Typed;
    }
    let value = value();
    let error_if = error_if.as_ref().map(|error_if| quote_spanned!(error_if.span()=> , #error_if));
    let outcome = quote!(#runtime::__private::outcome!(#value #error_if));
    let success = quote!(#runtime::__private::success!(#value));
    Look::Expression(recorded(span, &outcome, &success))
}

/// How the span looks at a value that is a success: what is left of a `Result` after `?`.
pub(crate) fn look_at_success(span: &Span) -> Look {
    let runtime = &span.runtime;
    let value = value();
    let outcome = quote!(#runtime::__private::Outcome::unset(#value));
    Look::Expression(recorded(span, &outcome, &quote!(::core::option::Option::Some(#value))))
}

/// The outcome, with what `ok` and `ret` record of a success.
fn recorded(span: &Span, outcome: &TokenStream, success: &TokenStream) -> TokenStream {
    if !span.records_value() {
        return outcome.clone();
    }
    let Span { success: ok, ret, .. } = span;
    let variable = Ident::new("outcome", proc_macro2::Span::mixed_site());
    let ok = ok.as_ref().map(|(pattern, attributes)| {
        let attributes = attributes.iter().map(|data| set(&variable, data));
        quote! {
            if let ::core::option::Option::Some(#pattern) = #success { #(#attributes)* }
        }
    });
    let ret = ret.as_ref().map(|ret| {
        let found = Ident::new("success", proc_macro2::Span::mixed_site());
        let set = quote_spanned!(ret.span()=> set_debug("return", #found));
        quote! {
            if let ::core::option::Option::Some(#found) = #success { #variable.#set; }
        }
    });
    quote!({ let mut #variable = #outcome; #ok #ret #variable })
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
