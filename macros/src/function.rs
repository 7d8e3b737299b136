//! `#[span]` and `#[propagate]` on one function. Whichever comes first takes the other along, so
//! that their order does not matter: extraction, then the span, then injection, then the body.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::diagnostics::Errors;
use crate::propagate::{self, Propagation};
use crate::span::{self, Span};
use crate::syntax::Function;

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
    let (span, propagate) = collect(attribute, args, &mut function, &mut errors);
    let span = span.and_then(|tokens| Span::new(tokens, &function, &mut errors));
    let propagation = propagate.and_then(|tokens| Propagation::new(tokens, &function, &mut errors));
    if let Some(errors) = errors.finish() {
        return quote!(#errors #function);
    }
    if let Some(propagation) = &propagation {
        function = propagate::inject(propagation, function);
    }
    let function = match (&span, &propagation) {
        (Some(span), propagation) => {
            let parent = propagation.as_ref().and_then(Propagation::extraction);
            span::expand(span, function, parent.as_ref())
        }
        (None, Some(propagation)) => propagate::continue_trace(propagation, function),
        (None, None) => function,
    };
    function.into_token_stream()
}

/// The arguments of both attributes, the one being expanded and the other where it is present.
fn collect(
    attribute: Attribute,
    args: TokenStream,
    function: &mut Function,
    errors: &mut Errors,
) -> (Option<TokenStream>, Option<TokenStream>) {
    let [mut span, mut propagate] = [Attribute::Span, Attribute::Propagate].map(|one| {
        let mut found = (one == attribute).then(|| args.clone());
        while let Some(other) = function.take_attribute(one.word()) {
            if found.is_some() {
                errors.add(
                    &other,
                    format!("`#[{0}]` is given twice; write all of it in one", one.word()),
                );
            } else {
                found = Some(match &other.meta {
                    syn::Meta::List(list) => list.tokens.clone(),
                    _ => TokenStream::new(),
                });
            }
        }
        found
    });
    (span.take(), propagate.take())
}

/// The item stays as it is: when its syntax is at fault, rustc says it better.
fn not_a_function(attribute: Attribute, error: &syn::Error, item: TokenStream) -> TokenStream {
    let word = attribute.word();
    let message = match syn::parse2::<syn::Item>(item.clone()) {
        Ok(_) => format!("`#[{word}]` goes on a function or a method"),
        Err(_) => format!("`#[{word}]` goes on a function or a method with a body: {error}"),
    };
    let error = syn::Error::new(error.span(), message).to_compile_error();
    quote!(#error #item)
}
