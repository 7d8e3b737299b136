//! The tokens of a span: a callsite, a closure for the attributes, and the rule for the outcome.

use proc_macro2::{Literal, Span as Place, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path};

use super::model::Span;
use crate::syntax::{
    OutcomeRule, RecordedValue, attribute_list, hidden, located, outcome, record, response, set,
    set_group, value,
};

/// The started span. `start_calls` are the calls on its `Start` that a `#[propagate]` beside the span adds.
pub(crate) fn start(span: &Span, start_calls: Option<&TokenStream>) -> TokenStream {
    let Span { name, line, computed_name, kind, parent, root, links, device, .. } = span;
    let Span { groups, attributes, runtime, .. } = span;
    let line = Literal::usize_unsuffixed(*line);
    let parent = parent.as_ref().map(|parent| quote_spanned!(parent.span()=> .under(&(#parent))));
    let root = root.then(|| quote!(.root()));
    let links = links.as_ref();
    let links = links.map(|links| quote_spanned!(links.span()=> .spandrel_links(#links)));
    let start_calls = quote!(#parent #start_calls #root #links);
    let needs_builder = !start_calls.is_empty() || computed_name.is_some();
    let builder = needs_builder.then(|| quote!(.builder()));
    let list = attribute_list();
    let count = attributes.len();
    let reserve = (count > 4).then(|| quote!(#list.reserve(#count);));
    let attributes = attributes.iter().map(|data| record(runtime, &list, data));
    let start = match computed_name {
        None => quote!(start),
        Some(name) => quote_spanned!(name.span()=> start_named),
    };
    let computed_name = computed_name.as_ref().map(|name| {
        // Of the expansion: clippy would see a closure in the user's code that only calls a function.
        let place = Place::mixed_site().located_at(name.span());
        quote_spanned!(place=> || #name,)
    });
    // A key of its own wins over one of a group.
    let groups = groups.iter().map(|group| set_group(runtime, &list, group));
    let device = device.as_ref().map(on);
    quote! {
        #runtime::__private::callsite!(#name, #kind, #line)
            #builder #start_calls
            .#start(#computed_name |#list| { #reserve #(#groups)* #(#attributes)* })
            #device
    }
}

/// The device is borrowed, where it is or from what is made to get at it.
fn on(device: &Expr) -> TokenStream {
    let place = Place::mixed_site().located_at(device.span());
    let span = hidden("span");
    quote_spanned!(place=> .on_device(|#span| #span.lasts(&(#device))))
}

/// How the span looks at the value that its body came to.
pub(crate) fn outcome_rule(span: &Span) -> OutcomeRule {
    let Span { error_if, runtime, .. } = span;
    let place = error_if.as_ref().map_or_else(Place::call_site, Spanned::span);
    let (runtime, method) = (located(runtime, place), outcome(place));
    let place = Place::mixed_site().located_at(place);
    let mut value = value();
    value.set_span(place);
    let error_if = error_if.as_ref().map(|error_if| quote!(, #error_if));
    let by_status = span.is_of_request().then_some(&span.kind);
    let response = by_status.map(|kind| {
        let response = response(&runtime, kind, &value, place);
        let take = if error_if.is_some() { "of_response_or_decided" } else { "of_response" };
        let take = Ident::new(take, place);
        quote_spanned!(place=> .#take(#response))
    });
    let outcome = quote_spanned! {place=>
        #runtime::__private::outcome!(#value, #method #error_if) #response
    };
    if span.records_value() {
        let observed = quote_spanned!(place=> #runtime::__private::observed!(#value, #outcome));
        let error = span.error.as_ref().map(|error| {
            // The compiler reports here that the value is no `Result`.
            let place = Place::mixed_site().located_at(error.pattern.span());
            let attributes = error_attributes(span);
            let mut value = value.clone();
            value.set_span(place);
            quote_spanned!(place=> .err(#value, #attributes))
        });
        recorded(span, &quote!(#observed #error))
    } else if error_if.is_some() {
        OutcomeRule::Expression(outcome)
    } else {
        OutcomeRule::Typed(by_status.cloned())
    }
}

/// How the span looks at what is left of a `Result` after `?`.
pub(crate) fn rule_after_try(span: &Span) -> OutcomeRule {
    success(span, &quote!(probe::Observed::success))
}

/// How the span looks at a value whose failure is seen elsewhere, or is none.
pub(crate) fn rule_if_ok(span: &Span) -> OutcomeRule {
    success(span, &quote!(succeeded!))
}

fn success(span: &Span, observe: &TokenStream) -> OutcomeRule {
    let (runtime, value) = (&span.runtime, value());
    if span.records_value() {
        recorded(span, &quote!(#runtime::__private::#observe(#value)))
    } else {
        OutcomeRule::Nothing
    }
}

/// What `err` records, as a closure.
pub(crate) fn error_attributes(span: &Span) -> Option<TokenStream> {
    span.error.as_ref().map(|error| closure(&span.runtime, error))
}

/// Records attributes of what matches a pattern.
fn closure(runtime: &Path, recorded: &RecordedValue) -> TokenStream {
    let (RecordedValue { pattern, groups, data }, list) = (recorded, attribute_list());
    let groups = groups.iter().map(|group| set_group(runtime, &list, group));
    let data = data.iter().map(|data| set(&list, data));
    quote!(|#list, #pattern| { #(#groups)* #(#data)* })
}

/// What `ok` and `ret` record of what was observed.
fn recorded(span: &Span, observed: &TokenStream) -> OutcomeRule {
    let Span { success: ok, ret, .. } = span;
    let ok = ok.as_ref().map(|ok| closure(&span.runtime, ok)).map(|closure| quote!(.ok(#closure)));
    let ret = ret.as_ref().map(|ret| quote_spanned!(ret.span()=> .ret()));
    OutcomeRule::Expression(quote!(#observed #ok #ret .outcome))
}
