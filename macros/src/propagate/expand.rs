//! The tokens of a propagation: what comes before the span, and what comes first inside it.

use proc_macro2::{Group, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::model::Propagation;
use crate::syntax::{attribute_list, refilled, set};

/// The calls on a span's `Start` that a `#[propagate]` beside the span adds.
pub(crate) fn start_calls(propagation: &Propagation) -> TokenStream {
    let Propagation { links, recorded, runtime, .. } = propagation;
    let extracted = extracted(propagation).map(|context| quote!(.under(#context)));
    let baggage = entries(propagation).map(|entries| quote!(.set_baggage(#entries)));
    let links = links.iter().map(|carrier| {
        let linked = quote_spanned!(carrier.span()=> #runtime::__private::linked!(#carrier, spandrel_linked));
        quote!(.links(::core::iter::once_with(|| #linked).flatten()))
    });
    let keys = recorded.iter().map(|key| &key.name);
    let recorded = (!recorded.is_empty()).then(|| quote!(.record_baggage(&[#(#keys),*])));
    quote!(#extracted #baggage #(#links)* #recorded)
}

/// The context that a function without a span continues, where it is another one than the current.
pub(crate) fn context(propagation: &Propagation) -> Option<TokenStream> {
    let runtime = &propagation.runtime;
    let extracted = extracted(propagation);
    let Some(entries) = entries(propagation) else { return extracted };
    let context = extracted.unwrap_or_else(|| quote!(#runtime::__private::current()));
    Some(quote!(#runtime::__private::with_baggage(#context, #entries)))
}

/// The caller's context.
fn extracted(propagation: &Propagation) -> Option<TokenStream> {
    let Propagation { extract, runtime, .. } = propagation;
    let call = |carrier: &Expr| quote_spanned!(carrier.span()=> #runtime::__private::extract!(#carrier, spandrel_extract));
    extract.as_ref().map(call)
}

/// What is set in the baggage, as a closure.
fn entries(propagation: &Propagation) -> Option<TokenStream> {
    let list = attribute_list();
    let entries = propagation.baggage.iter().map(|data| set(&list, data));
    (!propagation.baggage.is_empty()).then(|| quote!(|#list| { #(#entries)* }))
}

/// Injects the context before the first statement of a body.
pub(crate) fn inject(propagation: &Propagation, body: &mut Group) {
    let Propagation { inject, runtime, .. } = propagation;
    if let Some(carrier) = inject {
        let inject = quote_spanned!(carrier.span()=> #runtime::__private::inject!(#carrier, spandrel_inject));
        // In braces of their own, items among them come before all statements; in ours, the compiler
        // does not ask what for.
        let statements = body.stream();
        *body = refilled(body, quote!(#inject; { #statements }));
    }
}
