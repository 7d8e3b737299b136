//! What runs inside a trace context: the shapes of a function, and how each is wrapped.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{Path, Signature, Type, parse_quote};

use super::boxed::Boxed;
use super::output::{cannot_follow, find_unfinished, output_of, without_opaque};
use super::{Function, Look, refilled};
use crate::diagnostics::Errors;

/// The part of a function that is traced, and what the rest of it is.
pub(crate) struct Body {
    /// What runs in the span: the function's own block, or the one it puts in a box.
    pub(crate) core: Group,
    shape: Shape,
}

enum Shape {
    /// A function that returns nothing, or never.
    Nothing(Type),
    /// A function that has done its work when it returns, unless what it returns is a boxed future.
    Value(Type),
    /// An `async fn`, and what it resolves to.
    Async(Type),
    /// A function that returns an `impl Trait`, and what that resolves to or yields if it is a
    /// future or a stream.
    Opaque(Option<Type>),
    /// A function that ends in `Box::pin(async move { … })`: that, and what the box resolves to.
    Boxed(Box<Boxed>, Type),
}

/// What a body runs in.
pub(crate) struct Scope {
    /// An expression for the runtime's `Span`.
    pub(crate) start: TokenStream,
    pub(crate) look: Look,
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
            return Some(Self { core, shape: Shape::Async(without_opaque(output)) });
        }
        if let Some((boxed, core)) = Boxed::find(&function.body)
            && !matches!(output, Type::ImplTrait(_))
        {
            let output = parse_quote!(<#output as ::core::future::Future>::Output);
            return Some(Self { core, shape: Shape::Boxed(Box::new(boxed), output) });
        }
        let shape = match output {
            Type::ImplTrait(opaque) => {
                if let Some(bound) = opaque.bounds.iter().find(|bound| cannot_follow(bound)) {
                    let why = "a span cannot follow what this returns";
                    errors.add(bound, format!("{why}; return it in a `Box`, or {remedy}"));
                    return None;
                }
                Shape::Opaque(output_of(&opaque.bounds))
            }
            Type::Never(_) => Shape::Nothing(output),
            Type::Tuple(ref tuple) if tuple.elems.is_empty() => Shape::Nothing(output),
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
                Shape::Value(without_opaque(output))
            }
        };
        Some(Self { core, shape })
    }

    /// Whether the type of what the core comes to is written down.
    pub(crate) fn is_typed(&self) -> bool {
        !matches!(self.shape, Shape::Opaque(_))
    }

    /// The function with this body run in `scope`.
    pub(crate) fn wrap(self, function: Function, scope: &Scope) -> Function {
        let Self { mut core, mut shape } = self;
        let Scope { start, look, ends_by_value, runtime } = scope;
        if let Shape::Boxed(boxed, _) = &mut shape
            && !boxed.is_moved()
        {
            boxed.start_with(parameters(&function, None, &function.body));
        } else {
            let receiver = match &shape {
                Shape::Boxed(boxed, _) => boxed.receiver(),
                _ => None,
            };
            let (mention, statements) = (parameters(&function, receiver, &core), core.stream());
            core = refilled(&core, quote!(#mention #statements));
        }
        let macros = quote!(#runtime::__private);
        let place = function.output_place();
        let body = match shape {
            Shape::Nothing(output) => {
                let look = if let Look::Typed = look { &Look::Nothing } else { look };
                run(start, &output, &core, &look.moving(None, runtime, place))
            }
            Shape::Value(output) if *ends_by_value => {
                run(start, &output, &core, &look.moving(None, runtime, place))
            }
            Shape::Value(output) => {
                let look = look.moving(None, runtime, place);
                called(start, &quote!(move || -> #output #core), &quote!(#macros::end), &look)
            }
            Shape::Async(output) => follow(&core, &output, scope, place),
            Shape::Opaque(output) => {
                let look = look.moving(output.as_ref(), runtime, place);
                called(start, &quote!(move || #core), &quote!(#macros::follow), &look)
            }
            Shape::Boxed(boxed, output) => boxed.wrap(&core, &output, scope, place),
        };
        function.with_body(&body)
    }

    /// The function with this body as it is, in nothing.
    pub(crate) fn restore(self, function: Function) -> Function {
        let Self { core, shape } = self;
        match shape {
            Shape::Boxed(boxed, _) => function.with_body(&boxed.restore(&core)),
            _ => function.with_body(&core.stream()),
        }
    }
}

/// The function with its body handed to `run` or `follow` of an expression that is no span: its
/// value is looked at by its type.
pub(crate) fn hand_to(handler: &TokenStream, function: Function, runtime: &Path) -> Function {
    let (body, output) = (&function.body, without_opaque(function.output()));
    let look = Look::Typed;
    let scope =
        Scope { start: handler.clone(), look, ends_by_value: false, runtime: runtime.clone() };
    let place = function.output_place();
    let body = if function.is_async() {
        follow(body, &output, &scope, place)
    } else {
        let look = scope.look.moving(None, runtime, place);
        run(handler, &output, body, &look)
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

/// A body run in the span, which ends with it.
fn run(start: &TokenStream, output: &Type, core: &Group, look: &TokenStream) -> TokenStream {
    quote!(#start.run(move || -> #output #core, #look))
}

/// A closure called in the span, and a macro that says what becomes of its value.
pub(super) fn called(
    start: &TokenStream,
    closure: &TokenStream,
    ends: &TokenStream,
    look: &TokenStream,
) -> TokenStream {
    let [span, value] = ["span", "value"].map(|name| Ident::new(name, Span::mixed_site()));
    quote! {
        let mut #span = #start;
        let #value = #span.call(#closure);
        #ends!(#span, #value, #look)
    }
}

/// An `async` block in the span, awaited, with a hint for the compiler at what it returns.
pub(super) fn follow(core: &Group, output: &Type, scope: &Scope, place: Span) -> TokenStream {
    let Scope { start, look, runtime, .. } = scope;
    let [span, body] = ["span", "body"].map(|name| Ident::new(name, Span::mixed_site()));
    // For a `!` there is no value to look at, and no expression of its type for a hint.
    let never = matches!(output, Type::Never(_));
    let look = if never { &Look::Nothing } else { look };
    let look = look.closure(None, runtime, place);
    let hint = (!never).then(|| quote!(#runtime::__private::returns!(#output);));
    let statements = core.stream();
    let block = quote_spanned!(core.span()=> async move { #hint #statements });
    quote! {
        let #span = #start;
        let #body = #block;
        #span.follow(#body, #look).await
    }
}

/// A mention of the function's parameters, for the start of its body: a closure drops them in the
/// order it mentions them, a function in the order opposite to theirs. A parameter that nothing
/// uses is left to the lint that tells so, unless it is meant to be.
fn parameters(function: &Function, receiver: Option<&Ident>, core: &Group) -> TokenStream {
    let meant = |name: &Ident| name.to_string().starts_with('_');
    let bound = function.parameters().into_iter().map(|name| match receiver {
        Some(receiver) if name == "self" => receiver.clone(),
        _ => name,
    });
    let used = |name: &Ident| {
        let constant = name.to_string().starts_with(char::is_uppercase);
        !constant && !name.to_string().starts_with("__arg") && (meant(name) || uses(core, name))
    };
    let mut names: Vec<Ident> = bound.filter(used).collect();
    names.reverse();
    let guards = names.iter().any(meant);
    if names.len() < 2 && !guards {
        return TokenStream::new();
    }
    let allow = guards.then(|| quote!(#[allow(clippy::used_underscore_binding)]));
    quote!(#allow let _ = (#(&#names,)*);)
}

/// Whether a variable is used among these tokens: named, or formatted.
fn uses(tokens: &Group, name: &Ident) -> bool {
    let mut after_dot = false;
    tokens.stream().into_iter().any(|tree| {
        let found = match &tree {
            TokenTree::Ident(ident) => ident == name && !after_dot,
            TokenTree::Group(group) => uses(group, name),
            TokenTree::Literal(literal) => formats(&literal.to_string(), &name.to_string()),
            TokenTree::Punct(_) => false,
        };
        after_dot = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '.');
        found
    })
}

/// Whether a format string has `{name}` or `{name:…}` in it.
fn formats(literal: &str, name: &str) -> bool {
    let ends = |rest: &str| rest.starts_with(['}', ':']);
    literal.split('{').skip(1).any(|hole| hole.strip_prefix(name).is_some_and(ends))
}
