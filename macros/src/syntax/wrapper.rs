//! What a body runs in, and how each kind of body is wrapped.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, Type, parse_quote};

use super::function::{Function, refilled};
use super::outcome_rule::{OutcomeRule, hidden, value};
use super::output::has_opaque;

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
pub(super) fn inside(body: &Group) -> TokenStream {
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

/// Whether the body is asked for its span: always if the span continues a context.
fn is_asked(scope: &SpanWrapper) -> TokenStream {
    let runtime = &scope.runtime;
    if scope.continues { quote!(true) } else { quote!(#runtime::__private::is_enabled()) }
}

/// A body run in the span, which ends with it. One call, so that the type that is expected of the function's
/// value is expected of the body's.
pub(super) fn run(
    scope: &SpanWrapper,
    parameters: &TokenStream,
    output: &TokenStream,
    core: &TokenStream,
    rule: &TokenStream,
) -> TokenStream {
    let (runtime, is_asked, entry) = (&scope.runtime, is_asked(scope), hidden("entry"));
    let body = started(scope, parameters, core);
    quote!(#runtime::__private::run_body(#is_asked, move |#entry| #output { #body }, #rule))
}

/// As `run`, for a value that may be more work in a box, by its type.
pub(super) fn run_to_end(
    scope: &SpanWrapper,
    parameters: &TokenStream,
    output: &Type,
    core: &TokenStream,
    rule: &TokenStream,
) -> TokenStream {
    let (runtime, is_asked) = (&scope.runtime, is_asked(scope));
    let [span, value, entry] = [hidden("span"), value(), hidden("entry")];
    let body = started(scope, parameters, core);
    quote! {
        #runtime::__private::end_body(
            #is_asked,
            move |#entry| -> #output { #body },
            move |#span, #value| #runtime::__private::end!(#span, #value, #rule),
        )
    }
}

/// A body in a span that ends with the function. Nothing looks at the value, and no closure stands between it
/// and the function's type, from which the compiler takes the types of the closure that is returned.
pub(super) fn guarded(
    scope: &SpanWrapper,
    parameters: &TokenStream,
    core: &TokenStream,
) -> TokenStream {
    let (runtime, is_asked) = (&scope.runtime, is_asked(scope));
    let [guard, entry] = [hidden("guard"), hidden("entry")];
    let body = started(scope, parameters, core);
    quote! {
        let mut #guard = #runtime::__private::EntryGuard::new();
        let #entry = #guard.entry(#is_asked);
        #body
    }
}

/// A body called in the span, which goes on with the value if that is a future or a stream.
pub(super) fn follow_value(
    scope: &SpanWrapper,
    body: &TokenStream,
    rule: &TokenStream,
) -> TokenStream {
    let (runtime, is_asked) = (&scope.runtime, is_asked(scope));
    let [span, value, entry] = [hidden("span"), value(), hidden("entry")];
    quote! {
        let (mut #span, #value) = #runtime::__private::call_body(#is_asked, move |#entry| { #body });
        #runtime::__private::follow!(&mut #span, #value, #rule)
    }
}

/// The statements that bind the parameters, and whether the span starts before them: a variable that is there
/// while a future waits for its span takes room of its own in the future.
pub(super) struct Bound {
    pub(super) parameters: TokenStream,
    pub(super) starts_first: bool,
}

/// The function that returns the future of its body, which starts the span when it is polled. It
/// stays `async` where only that says all of what it is.
pub(super) fn follow(
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
pub(super) fn hint(output: &Type, runtime: &Path) -> Option<TokenStream> {
    let is_never = matches!(output, Type::Never(_));
    (!is_never).then(|| quote!(#runtime::__private::returns!(#output);))
}
