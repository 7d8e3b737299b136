//! What runs inside a trace context: the three shapes of a function, and how each is wrapped.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{
    GenericArgument, Ident, Path, PathArguments, Type, TypeImplTrait, TypeParamBound, parse_quote,
};

use super::Function;
use crate::diagnostics::Errors;

pub(crate) enum Body {
    /// A function that has done its work when it returns, and what it returns.
    Sync(Type),
    /// An `async fn`, and what it resolves to, with `_` for what cannot be written down.
    Async(Type),
    /// A function that returns an `impl Future`, and what that resolves to.
    Future(Type),
}

impl Body {
    /// `None` when the function cannot be traced correctly; `errors` says why then.
    pub(crate) fn of(function: &Function, errors: &mut Errors) -> Option<Self> {
        if let Some(constness) = &function.sig.constness {
            errors.add(
                constness,
                "a `const fn` cannot be a span, it may run at compile time; \
                 remove `const` or the attribute",
            );
            return None;
        }
        let output = function.output();
        if function.is_async() {
            return Some(Self::Async(without_opaque(output)));
        }
        match find_hidden(&output) {
            None => Some(Self::Sync(output)),
            Some(hidden) => future_output(&output).map(Self::Future).or_else(|| {
                errors.add(
                    hidden,
                    "a span cannot tell when the work behind this type ends; \
                     return what it makes, or an `impl Future`, or write an `async fn`",
                );
                None
            }),
        }
    }

    /// The function with its body run by `scope`: an expression with the methods `run`, `follow`
    /// and `follow_from`, which take the body and a closure that looks at its result.
    pub(crate) fn wrap(&self, function: Function, scope: &TokenStream, runtime: &Path) -> Function {
        let block = &function.body;
        let value = Ident::new("value", Span::mixed_site());
        let outcome = quote!(#runtime::__private::outcome!(#value));
        let body = match self {
            Self::Sync(output) => {
                quote!(#scope.run(move || -> #output #block, |#value| #outcome))
            }
            // There is no value to look at, and no expression of its type for a hint.
            Self::Async(Type::Never(_)) => {
                let none = quote!(|_| ::core::option::Option::None);
                let block = quote_spanned!(block.span()=> async move #block);
                quote!(#scope.follow(#block, #none).await)
            }
            Self::Async(output) => {
                let hint = quote! {
                    if false {
                        return #runtime::__private::unreachable::<#output>();
                    }
                };
                let block = quote_spanned!(block.span()=> async move { #hint #block });
                quote!(#scope.follow(#block, |#value| #outcome).await)
            }
            Self::Future(output) => {
                quote!(#scope.follow_from(move || #block, |#value: &#output| #outcome))
            }
        };
        function.with_body(&body)
    }
}

/// `impl Trait` or `dyn Future` anywhere inside a type: work that may go on after the return.
fn find_hidden(ty: &Type) -> Option<Type> {
    struct Finder(Option<Type>);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_type(&mut self, ty: &'ast Type) {
            let hidden = match ty {
                Type::ImplTrait(_) => true,
                Type::TraitObject(object) => object.bounds.iter().any(names_future),
                _ => false,
            };
            if hidden {
                self.0.get_or_insert_with(|| ty.clone());
            }
            syn::visit::visit_type(self, ty);
        }
    }
    let mut finder = Finder(None);
    finder.visit_type(ty);
    finder.0
}

/// The type with `_` in place of each `impl Trait`.
fn without_opaque(mut ty: Type) -> Type {
    struct Eraser;
    impl VisitMut for Eraser {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if matches!(ty, Type::ImplTrait(_)) {
                *ty = parse_quote!(_);
            }
            syn::visit_mut::visit_type_mut(self, ty);
        }
    }
    Eraser.visit_type_mut(&mut ty);
    ty
}

/// The `T` of `impl Future<Output = T>`, when `T` can be written down itself.
fn future_output(ty: &Type) -> Option<Type> {
    let Type::ImplTrait(TypeImplTrait { bounds, .. }) = ty else {
        return None;
    };
    let TypeParamBound::Trait(bound) = bounds.iter().find(|bound| names_future(bound))? else {
        return None;
    };
    let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else {
        return None;
    };
    let output = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(&assoc.ty),
        _ => None,
    })?;
    find_hidden(output).is_none().then(|| output.clone())
}

fn names_future(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    bound.path.segments.last().is_some_and(|segment| segment.ident == "Future")
}
