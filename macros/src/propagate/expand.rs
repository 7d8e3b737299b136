//! The tokens of a propagation: what comes before the span, and what comes first inside it.

use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Propagation;
use crate::syntax::{Body, Function};

/// The function with its context injected before its first statement.
pub(crate) fn inject(propagation: &Propagation, function: Function) -> Function {
    let Propagation { inject, runtime, .. } = propagation;
    let Some(carrier) = inject else {
        return function;
    };
    let block = &function.body;
    let inject = quote_spanned!(carrier.span()=> #runtime::__private::inject!(#carrier));
    let body = quote!(#inject; #block);
    function.with_body(&body)
}

/// The function run in the caller's context, where no span of its own does so.
pub(crate) fn continue_trace(
    propagation: &Propagation,
    body: &Body,
    function: Function,
) -> Function {
    let Some(context) = propagation.extraction() else {
        return function;
    };
    let runtime = &propagation.runtime;
    let scope = quote!(#runtime::__private::continued(#context));
    body.wrap(function, &scope, runtime)
}
