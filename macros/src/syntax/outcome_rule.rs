//! How a span looks at the value that its body came to.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Path, Type};

/// How the span looks at the value that its body came to.
#[derive(Clone)]
pub(crate) enum OutcomeRule {
    /// Not at all.
    Nothing,
    /// By its type; for a span of this kind also by the status of a response.
    Typed(Option<Ident>),
    /// By its type, when it is a `Result`: it does not matter what else it may be.
    Result,
    /// By this expression over [`value`].
    Expression(TokenStream),
}

/// A variable of an expansion. The user's code cannot refer to it, and no item of the user's can have its
/// name: a `let` by the name of a constant in scope would be a pattern.
pub(crate) fn hidden(name: &str) -> Ident {
    Ident::new(&format!("__spandrel_{name}"), Span::mixed_site())
}

/// The variable that holds the value a body came to.
pub(crate) fn value() -> Ident {
    hidden("value")
}

/// The method that gives the outcome of a value: the compiler reports here what is wrong with the value's type.
pub(crate) fn outcome(place: Span) -> Ident {
    Ident::new("spandrel_outcome", Span::mixed_site().located_at(place))
}

/// The response that a value is, for a span of this kind.
pub(crate) fn response(
    runtime: &TokenStream,
    kind: &Ident,
    value: &Ident,
    place: Span,
) -> TokenStream {
    quote_spanned!(place=> #runtime::__private::response!(#kind, #value))
}

/// The path, as if it were written in another place: the compiler reports errors there.
pub(crate) fn located(path: &Path, place: Span) -> TokenStream {
    let locate = |mut tree: TokenTree| {
        tree.set_span(tree.span().located_at(place));
        tree
    };
    path.to_token_stream().into_iter().map(locate).collect()
}

impl OutcomeRule {
    /// As a closure over a value, of a type that only the caller may know. The compiler
    /// reports mistakes in the value's type at `place`.
    pub(crate) fn closure(&self, ty: Option<&Type>, runtime: &Path, place: Span) -> TokenStream {
        let ty = ty.map(|ty| quote!(: &#ty));
        let (runtime, method) = (located(runtime, place), outcome(place));
        let place = Span::mixed_site().located_at(place);
        let mut value = value();
        value.set_span(place);
        // Not a macro of the runtime: a compile error would show it.
        let by_type = |module: &TokenStream, first: &TokenStream, by_status| {
            let outcome = quote_spanned! {place=>
                use #runtime::__private::#module::*;
                #first::of(#value).#method() #by_status
            };
            quote!(|#value #ty| { #outcome })
        };
        let probe = quote!(probe);
        match self {
            Self::Nothing => quote!(#runtime::__private::Outcome::unset),
            Self::Typed(kind) => {
                let by_status = kind.as_ref().map(|kind| {
                    let response = response(&runtime, kind, &value, place);
                    quote_spanned!(place=> .of_response(#response))
                });
                by_type(&probe, &quote_spanned!(place=> AsFuture), by_status)
            }
            // There is no span to end too early.
            Self::Result => by_type(&quote!(result), &quote_spanned!(place=> AsCodedError), None),
            Self::Expression(expression) => quote!(|#value #ty| #expression),
        }
    }

    /// The tokens of the user's in it.
    pub(super) fn tokens(&self) -> TokenStream {
        match self {
            Self::Expression(expression) => expression.clone(),
            Self::Nothing | Self::Typed(_) | Self::Result => TokenStream::new(),
        }
    }

    /// As `closure`, for one that may outlive the function: it takes what it mentions along.
    pub(super) fn moving(&self, ty: Option<&Type>, runtime: &Path, place: Span) -> TokenStream {
        let closure = self.closure(ty, runtime, place);
        let moves = matches!(self, Self::Expression(_)).then(|| quote!(move));
        quote!(#moves #closure)
    }
}
