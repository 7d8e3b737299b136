//! The tokens of a propagation: what comes before the span, and what comes first inside it.

use proc_macro2::Group;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Propagation;
use crate::syntax::refilled;

/// Injects the context before the first statement of a body.
pub(crate) fn inject(propagation: &Propagation, body: &mut Group) {
    let Propagation { inject, runtime, .. } = propagation;
    if let Some(carrier) = inject {
        let inject = quote_spanned!(carrier.span()=> #runtime::__private::inject!(#carrier));
        *body = refilled(body, quote!(#inject; #body));
    }
}
