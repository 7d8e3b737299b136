//! The part of a function that runs in a span, by the kind of function.

use proc_macro2::{Group, TokenStream};
use quote::quote;
use syn::{Path, Signature, Type, parse_quote};

use super::boxed::Boxed;
use super::output::{
    cannot_follow, find_unfinished, is_closure, is_no_future, output_of, without_opaque,
};
use super::wrapper::{
    Bound, SpanWrapper, follow, follow_value, guarded, hint, inside, run, run_to_end, started,
};
use super::{Function, OutcomeRule, parameters};
use crate::diagnostics::Errors;

/// The part of a function that is traced, and what the rest of it is.
pub(crate) struct Body {
    /// What runs in the span: the function's own block, or the one it puts in a box.
    pub(crate) core: Group,
    shape: BodyKind,
}

enum BodyKind {
    /// A function that returns nothing, or never.
    Nothing(Type),
    /// A function that has done its work when it returns, unless what it returns is a boxed future.
    Value(Type),
    /// An `async fn`, and what it resolves to.
    Async(Type),
    /// A function that returns an `impl Trait`, and what that resolves to or yields if it is a
    /// future or a stream.
    Opaque(Option<Type>),
    /// A function that returns an `impl Trait` that no caller can await: a closure, for one.
    Closed { is_closure: bool },
    /// A function that ends in `Box::pin(async move { … })`: that, and what the box resolves to.
    Boxed(Box<Boxed>, Type),
}

impl Body {
    /// `None` when the function cannot be traced correctly; `errors` says why then, and `remedy` how
    /// to do without the span.
    pub(crate) fn of(function: &Function, remedy: &str, errors: &mut Errors) -> Option<Self> {
        if !check_qualifiers(function, remedy, errors) {
            return None;
        }
        let output = function.output();
        let core = function.body.clone();
        if function.is_async() {
            return Some(Self { core, shape: BodyKind::Async(without_opaque(output)) });
        }
        if let Some((boxed, core)) = Boxed::find(&function.body)
            && !matches!(output, Type::ImplTrait(_))
        {
            let output = parse_quote!(<#output as ::core::future::Future>::Output);
            return Some(Self { core, shape: BodyKind::Boxed(Box::new(boxed), output) });
        }
        let shape = match output {
            Type::ImplTrait(opaque) => {
                if let Some(bound) = opaque.bounds.iter().find(|bound| cannot_follow(bound)) {
                    let why = "a span cannot follow what this returns";
                    errors.add(bound, format!("{why}; return it in a `Box`, or {remedy}"));
                    return None;
                }
                if is_no_future(&opaque.bounds) {
                    BodyKind::Closed { is_closure: opaque.bounds.iter().any(is_closure) }
                } else {
                    BodyKind::Opaque(output_of(&opaque.bounds))
                }
            }
            Type::Never(_) => BodyKind::Nothing(output),
            Type::Tuple(ref tuple) if tuple.elems.is_empty() => BodyKind::Nothing(output),
            output => {
                if let Some(hidden) = find_unfinished(&output) {
                    errors.add(
                        hidden,
                        "a span cannot tell when the work behind this type ends; return it alone, \
                         as an `impl Future` or a `Pin<Box<dyn Future>>`, or what it makes, or \
                         write an `async fn`",
                    );
                    return None;
                }
                BodyKind::Value(without_opaque(output))
            }
        };
        Some(Self { core, shape })
    }

    /// Whether the type of what the core comes to is written down.
    pub(crate) fn is_typed(&self) -> bool {
        !matches!(self.shape, BodyKind::Opaque(_) | BodyKind::Closed { .. })
    }

    /// The function with this body run in `scope`.
    pub(crate) fn wrap(self, mut function: Function, scope: &SpanWrapper) -> Function {
        let Self { core, shape } = self;
        function.replace_braces();
        let SpanWrapper { rule, ends_by_value, runtime, .. } = scope;
        let place = function.output_place();
        let is_moved = matches!(&shape, BodyKind::Boxed(boxed, _) if boxed.is_moved());
        let starts_first = !parameters::are_used(&function, &scope.start);
        let parameters = if is_moved {
            TokenStream::new()
        } else {
            parameters::bind(&mut function, &rule.tokens())
        };
        let closure = |rule: &OutcomeRule, ty: Option<&Type>| rule.moving(ty, runtime, place);
        let body = match shape {
            BodyKind::Nothing(output) => {
                let rule =
                    if let OutcomeRule::Typed(_) = rule { &OutcomeRule::Nothing } else { rule };
                run(scope, &parameters, &quote!(-> #output), &inside(&core), &closure(rule, None))
            }
            BodyKind::Value(output) if *ends_by_value => {
                run(scope, &parameters, &quote!(-> #output), &inside(&core), &closure(rule, None))
            }
            BodyKind::Value(output) => {
                run_to_end(scope, &parameters, &output, &inside(&core), &closure(rule, None))
            }
            BodyKind::Closed { is_closure: true } if matches!(rule, OutcomeRule::Typed(_)) => {
                guarded(scope, &parameters, &inside(&core))
            }
            BodyKind::Closed { .. } => {
                let rule =
                    if let OutcomeRule::Typed(_) = rule { &OutcomeRule::Result } else { rule };
                run(scope, &parameters, &TokenStream::new(), &inside(&core), &closure(rule, None))
            }
            BodyKind::Async(output) => {
                let bound = Bound { parameters, starts_first };
                return follow(function, &bound, &core, &output, scope);
            }
            BodyKind::Opaque(output) => {
                let body = started(scope, &parameters, &inside(&core));
                follow_value(scope, &body, &closure(rule, output.as_ref()))
            }
            BodyKind::Boxed(boxed, output) => boxed.wrap(&parameters, &core, &output, scope, place),
        };
        function.with_body(&body)
    }

    /// The function with this body as it is, in nothing.
    pub(crate) fn restore(self, function: Function) -> Function {
        let Self { core, shape } = self;
        match shape {
            BodyKind::Boxed(boxed, _) => function.with_body(&boxed.restore(&core)),
            _ => function.with_body(&core.stream()),
        }
    }
}

/// The function with its body handed to `run` or `follow` of an expression that is no span: its
/// value is looked at by its type.
pub(crate) fn hand_to(handler: &TokenStream, mut function: Function, runtime: &Path) -> Function {
    let output = without_opaque(function.output());
    let place = function.output_place();
    let core = function.body.clone();
    // The handler stands outside of the body.
    let parameters = parameters::bind(&mut function, handler);
    let (rule, core) = (OutcomeRule::Typed(None), inside(&core));
    let body = if function.is_async() {
        let hint = hint(&output, runtime);
        let rule = rule.closure(None, runtime, place);
        quote!(#handler.follow(async move { #hint #parameters #core }, #rule).await)
    } else {
        let rule = rule.moving(None, runtime, place);
        quote!(#handler.run(move || -> #output { #parameters #core }, #rule))
    };
    function.with_body(&body)
}

fn check_qualifiers(function: &Function, remedy: &str, errors: &mut Errors) -> bool {
    let Signature { constness, variadic, .. } = &function.sig;
    let caller = function.attribute("track_caller");
    if let Some(constness) = constness {
        let why = "a `const fn` cannot be a span, it may run at compile time";
        errors.add(constness, format!("{why}; remove `const`, or {remedy}"));
    }
    if let Some(variadic) = variadic {
        let why = "a variadic function cannot be a span, its arguments cannot be handed on";
        errors.add(variadic, format!("{why}; {remedy}"));
    }
    if let Some(caller) = caller {
        let why = "a span would hide the caller from `#[track_caller]`";
        errors.add(caller, format!("{why}; remove that, or {remedy}"));
    }
    constness.is_none() && variadic.is_none() && caller.is_none()
}
