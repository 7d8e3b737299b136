//! What a function returns, as far as the type that is written tells.

use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{GenericArgument, PathArguments, Type, TypeParamBound, TypePath, parse_quote};

/// A future or a stream anywhere inside a type that is not all of it: work that may go on after the
/// return.
pub(super) fn find_unfinished(ty: &Type) -> Option<Type> {
    struct Finder(Option<Type>);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_type(&mut self, ty: &'ast Type) {
            let bounds = match ty {
                Type::ImplTrait(opaque) => Some(&opaque.bounds),
                Type::TraitObject(object) => Some(&object.bounds),
                _ => None,
            };
            if bounds.into_iter().flatten().any(|bound| unfinished(bound).is_some()) {
                self.0.get_or_insert_with(|| ty.clone());
            }
            syn::visit::visit_type(self, ty);
        }
    }
    let inside = argument_of(ty, "Pin").and_then(|ty| argument_of(ty, "Box"));
    if matches!(inside, Some(Type::TraitObject(_))) {
        return None;
    }
    let mut finder = Finder(None);
    finder.visit_type(ty);
    finder.0
}

/// The `T` of `Word<T>`.
fn argument_of<'a>(ty: &'a Type, word: &str) -> Option<&'a Type> {
    let Type::Path(TypePath { path, .. }) = ty else {
        return None;
    };
    let segment = path.segments.last().filter(|segment| segment.ident == word)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The type with `_` in place of each `impl Trait`.
pub(super) fn without_opaque(mut ty: Type) -> Type {
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

/// The `T` of `impl Future<Output = T>` or `impl Stream<Item = T>`.
pub(super) fn output_of<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> Option<Type> {
    let arguments = bounds.into_iter().find_map(unfinished)?;
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" || assoc.ident == "Item" => {
            Some(without_opaque(assoc.ty.clone()))
        }
        _ => None,
    })
}

/// A bound by something whose work starts later and that cannot be wrapped: a closure, what becomes
/// a future.
pub(super) fn cannot_follow(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    let unknown = ["Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce", "IntoFuture"];
    let last = bound.path.segments.last();
    last.is_some_and(|last| unknown.iter().any(|word| last.ident == word))
}

/// The arguments of a bound that names a future or a stream.
fn unfinished(bound: &TypeParamBound) -> Option<&PathArguments> {
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    let segment = bound.path.segments.last()?;
    (segment.ident == "Future" || segment.ident == "Stream").then_some(&segment.arguments)
}
