//! `#[span]` and `#[propagate]` on one function. Whichever comes first takes the other along, so
//! that their order does not matter: extraction, then the span, then injection, then the body.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use crate::diagnostics::Errors;
use crate::propagate::{self, Propagation};
use crate::span::{self, Span};
use crate::syntax::{Body, Function};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Attribute {
    Span,
    Propagate,
}

impl Attribute {
    fn word(self) -> &'static str {
        match self {
            Self::Span => "span",
            Self::Propagate => "propagate",
        }
    }
}

pub(crate) fn expand(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => return not_a_function(attribute, &error, item),
    };
    let mut errors = Errors::new();
    let mut taken = Vec::new();
    let [span, propagate] = [Attribute::Span, Attribute::Propagate].map(|one| {
        let mut written = (one == attribute).then(|| args.clone());
        while let Some(other) = function.take_attribute(one.word()) {
            if written.is_some() {
                let word = one.word();
                errors.add(&other, format!("`#[{word}]` is given twice; write all of it in one"));
            }
            taken.push(other.path().clone());
            written = Some(arguments(&other));
        }
        written
    });
    let span = span.and_then(|tokens| Span::new(tokens, &function, &mut errors));
    let propagation = propagate.map(|tokens| Propagation::new(tokens, &function, &mut errors));
    let body = Body::of(&function, &mut errors);
    let errors = errors.finish();
    if let (None, Some(body)) = (&errors, body) {
        function = wrap(function, &body, span.as_ref(), propagation.as_ref());
    }
    let function = mention(&taken, function);
    quote!(#errors #function)
}

/// The function with a use of the attributes that were taken along, whose imports are not unused.
fn mention(taken: &[Path], function: Function) -> Function {
    if taken.is_empty() {
        return function;
    }
    let statements = function.body.stream();
    function.with_body(&quote!(#(#[allow(unused_imports)] use #taken as _;)* #statements))
}

fn wrap(
    mut function: Function,
    body: &Body,
    span: Option<&Span>,
    propagation: Option<&Propagation>,
) -> Function {
    if let Some(propagation) = propagation {
        function = propagate::inject(propagation, function);
    }
    match (span, propagation) {
        (Some(span), propagation) => {
            let parent = propagation.and_then(Propagation::extraction);
            span::expand(span, body, function, parent.as_ref())
        }
        (None, Some(propagation)) => propagate::continue_trace(propagation, body, function),
        (None, None) => function,
    }
}

fn arguments(attribute: &syn::Attribute) -> TokenStream {
    match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}

/// The item stays as it is: when its syntax is at fault, rustc says it better.
fn not_a_function(attribute: Attribute, error: &syn::Error, item: TokenStream) -> TokenStream {
    let word = attribute.word();
    let message = format!("`#[{word}]` goes on a function or a method with a body");
    let error = syn::Error::new(error.span(), message).to_compile_error();
    quote!(#error #item)
}
