//! What a function returns, as far as the type that is written tells.

use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{GenericArgument, Ident, PathArguments, Type, TypeParamBound, TypePath, parse_quote};

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

/// Whether there is an `impl Trait` in a type.
pub(super) fn has_opaque(ty: &Type) -> bool {
    struct Finder(bool);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_type(&mut self, ty: &'ast Type) {
            self.0 |= matches!(ty, Type::ImplTrait(_));
            syn::visit::visit_type(self, ty);
        }
    }
    let mut finder = Finder(false);
    finder.visit_type(ty);
    finder.0
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

/// A bound by something that a caller can await, and that cannot be wrapped.
pub(super) fn cannot_follow(bound: &TypeParamBound) -> bool {
    trait_of(bound).is_some_and(|word| word == "IntoFuture")
}

/// Whether these bounds say that a caller cannot await the value: each is a lifetime, or a trait that has
/// nothing to do with futures. A trait of the user's may be one for futures.
pub(super) fn is_no_future<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> bool {
    let known = |bound| trait_of(bound).is_none_or(|word| KNOWN.iter().any(|known| word == known));
    bounds.into_iter().all(known)
}

/// A bound that a closure satisfies.
pub(super) fn is_closure(bound: &TypeParamBound) -> bool {
    let words = ["Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce"];
    trait_of(bound).is_some_and(|word| words.iter().any(|known| word == known))
}

/// Traits of the standard library that no future needs to implement for its caller to await it.
const KNOWN: &[&str] = &[
    "Any",
    "AsMut",
    "AsRef",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "Borrow",
    "BorrowMut",
    "BufRead",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deref",
    "DerefMut",
    "Display",
    "DoubleEndedIterator",
    "Eq",
    "Error",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "FusedIterator",
    "Hash",
    "Hasher",
    "Into",
    "IntoIterator",
    "Iterator",
    "LowerExp",
    "LowerHex",
    "Octal",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Pointer",
    "Read",
    "Seek",
    "Send",
    "Sized",
    "Sync",
    "ToOwned",
    "ToString",
    "TryInto",
    "Unpin",
    "UpperExp",
    "UpperHex",
    "Write",
];

fn trait_of(bound: &TypeParamBound) -> Option<&Ident> {
    match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().map(|last| &last.ident),
        _ => None,
    }
}

/// The arguments of a bound that names a future or a stream.
fn unfinished(bound: &TypeParamBound) -> Option<&PathArguments> {
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    let segment = bound.path.segments.last()?;
    (segment.ident == "Future" || segment.ident == "Stream").then_some(&segment.arguments)
}
