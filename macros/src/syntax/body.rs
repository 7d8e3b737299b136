//! What runs inside a trace context: the shapes of a function, and how each is wrapped.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, Signature, Type, parse_quote};

use super::boxed::Boxed;
use super::output::{
    cannot_follow, find_unfinished, has_opaque, is_closure, is_no_future, output_of, without_opaque,
};
use super::{Function, OutcomeRule, hidden, parameters, refilled, value};
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

/// What a body runs in.
pub(crate) struct SpanWrapper {
    /// An expression for the runtime's `ActiveSpan`.
    pub(crate) start: TokenStream,
    pub(crate) rule: OutcomeRule,
    /// Whether it continues a context, which becomes current where nothing records too.
    pub(crate) continues: bool,
    /// Whether a span inside ends by the value of the body: that must not be more work.
    pub(crate) ends_by_value: bool,
    pub(crate) runtime: Path,
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
                let rule = if let OutcomeRule::Typed = rule { &OutcomeRule::Nothing } else { rule };
                run(scope, &parameters, &quote!(-> #output), &inside(&core), &closure(rule, None))
            }
            BodyKind::Value(output) if *ends_by_value => {
                run(scope, &parameters, &quote!(-> #output), &inside(&core), &closure(rule, None))
            }
            BodyKind::Value(output) => {
                run_to_end(scope, &parameters, &output, &inside(&core), &closure(rule, None))
            }
            BodyKind::Closed { is_closure: true } if matches!(rule, OutcomeRule::Typed) => {
                guarded(scope, &parameters, &inside(&core))
            }
            BodyKind::Closed { .. } => {
                let rule = if let OutcomeRule::Typed = rule { &OutcomeRule::Result } else { rule };
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
    let (rule, core) = (OutcomeRule::Typed, inside(&core));
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

/// A body that starts the span, once it has bound the parameters.
pub(super) fn started(
    scope: &SpanWrapper,
    parameters: &TokenStream,
    core: &TokenStream,
) -> TokenStream {
    let (start, entry) = (&scope.start, hidden("entry"));
    quote! {
        #parameters
        if let ::core::option::Option::Some(#entry) = #entry {
            #entry.begin(|| #start);
        }
        #core
    }
}

/// The user's body inside of ours. It keeps its braces unless it is one expression, which brings no names into
/// scope: braces round that are what the lint `unused_braces` is about.
fn inside(body: &Group) -> TokenStream {
    let is_more = |tree: TokenTree| match tree {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    let is_empty = body.stream().is_empty();
    if is_empty || body.stream().into_iter().any(is_more) {
        block_inside(body).into_token_stream()
    } else {
        body.stream()
    }
}

/// A block inside of ours that keeps its braces. If it may hold one expression only, a statement that does
/// nothing keeps `unused_braces` quiet.
pub(crate) fn block_inside(block: &Group) -> Group {
    let is_end = |tree: TokenTree| matches!(tree, TokenTree::Punct(end) if end.as_char() == ';');
    let statements = block.stream();
    if statements.is_empty() || statements.clone().into_iter().any(is_end) {
        return block.clone();
    }
    refilled(block, quote!(const _: () = (); #statements))
}

/// Whether the body is asked for its span: always if that continues a context.
fn asks(scope: &SpanWrapper) -> TokenStream {
    let runtime = &scope.runtime;
    if scope.continues { quote!(true) } else { quote!(#runtime::__private::is_enabled()) }
}

/// A body run in the span, which ends with it. One call, so that the type that is expected of the function's
/// value is expected of the body's.
fn run(
    scope: &SpanWrapper,
    parameters: &TokenStream,
    output: &TokenStream,
    core: &TokenStream,
    rule: &TokenStream,
) -> TokenStream {
    let (runtime, asks, entry) = (&scope.runtime, asks(scope), hidden("entry"));
    let body = started(scope, parameters, core);
    quote!(#runtime::__private::run_body(#asks, move |#entry| #output { #body }, #rule))
}

/// As `run`, for a value that may be more work in a box, by its type.
fn run_to_end(
    scope: &SpanWrapper,
    parameters: &TokenStream,
    output: &Type,
    core: &TokenStream,
    rule: &TokenStream,
) -> TokenStream {
    let (runtime, asks) = (&scope.runtime, asks(scope));
    let [span, value, entry] = [hidden("span"), value(), hidden("entry")];
    let body = started(scope, parameters, core);
    quote! {
        #runtime::__private::end_body(
            #asks,
            move |#entry| -> #output { #body },
            move |#span, #value| #runtime::__private::end!(#span, #value, #rule),
        )
    }
}

/// A body in a span that ends with the function. Nothing looks at the value, and no closure stands between it
/// and the function's type, from which the compiler takes the types of the closure that is returned.
fn guarded(scope: &SpanWrapper, parameters: &TokenStream, core: &TokenStream) -> TokenStream {
    let (runtime, asks) = (&scope.runtime, asks(scope));
    let [guard, entry] = [hidden("guard"), hidden("entry")];
    let body = started(scope, parameters, core);
    quote! {
        let mut #guard = #runtime::__private::EntryGuard::new();
        let #entry = #guard.entry(#asks);
        #body
    }
}

/// A body called in the span, which goes on with the value if that is a future or a stream.
pub(super) fn follow_value(
    scope: &SpanWrapper,
    body: &TokenStream,
    rule: &TokenStream,
) -> TokenStream {
    let (runtime, asks) = (&scope.runtime, asks(scope));
    let [span, value, entry] = [hidden("span"), value(), hidden("entry")];
    quote! {
        let (mut #span, #value) = #runtime::__private::call_body(#asks, move |#entry| { #body });
        #runtime::__private::follow!(&mut #span, #value, #rule)
    }
}

/// The statements that bind the parameters, and whether the span starts before them: a variable that is there
/// while a future waits for its span takes room of its own in the future.
struct Bound {
    parameters: TokenStream,
    starts_first: bool,
}

/// The function that returns the future of its body, which starts the span when it is polled. It
/// stays `async` where only that says all of what it is.
fn follow(
    mut function: Function,
    bound: &Bound,
    core: &Group,
    output: &Type,
    scope: &SpanWrapper,
) -> Function {
    let place = function.output_place();
    // For a `!` there is no value to look at.
    let is_never = matches!(output, Type::Never(_));
    let rule = if is_never { &OutcomeRule::Nothing } else { &scope.rule };
    let rule = rule.moving(None, &scope.runtime, place);
    let hint = hint(output, &scope.runtime);
    let start = starts(scope);
    let core = inside(core);
    let Bound { parameters, starts_first } = bound;
    let opening =
        if *starts_first { quote!(#start #parameters) } else { quote!(#parameters #start) };
    let future = in_span(scope, &quote!(#hint #opening #core), &rule);
    let written = function.output();
    let is_exact = !is_never && !has_opaque(&written);
    if is_exact && !function.stays_async() {
        function.sig.asyncness = None;
        function.sig.output = parse_quote!(-> impl ::core::future::Future<Output = #written>);
        function.with_body(&future)
    } else {
        function.with_body(&quote!(#future.await))
    }
}

/// A future in the span that it starts itself.
pub(super) fn in_span(
    scope: &SpanWrapper,
    inside: &TokenStream,
    rule: &TokenStream,
) -> TokenStream {
    let runtime = &scope.runtime;
    quote!(#runtime::__private::in_span(async move { #inside }, #rule))
}

/// The statement of a future that starts its span.
pub(super) fn starts(scope: &SpanWrapper) -> TokenStream {
    let SpanWrapper { start, runtime, .. } = scope;
    quote!(#runtime::__private::started(#start).await;)
}

/// Tells the compiler what an `async` block comes to. There is no expression of the type `!` to tell it by.
fn hint(output: &Type, runtime: &Path) -> Option<TokenStream> {
    let is_never = matches!(output, Type::Never(_));
    (!is_never).then(|| quote!(#runtime::__private::returns!(#output);))
}
