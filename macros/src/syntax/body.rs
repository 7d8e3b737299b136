//! What runs inside a trace context: the shapes of a function, and how each is wrapped.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{
    Expr, GenericArgument, Pat, Path, PathArguments, Signature, Stmt, Type, TypeParamBound,
    TypePath, parse_quote,
};

use super::{Function, has_span, refilled};
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

/// `before; Box::pin(async move { lets core rest })`.
struct Boxed {
    before: TokenStream,
    pin: TokenStream,
    asyncness: TokenStream,
    /// `#[async_trait]` moves the parameters in before the function's own block, and returns its
    /// value after it.
    moved: Option<Moved>,
}

struct Moved {
    lets: TokenStream,
    output: Type,
    rest: TokenStream,
    /// What `self` is called there.
    receiver: Option<Ident>,
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

/// How the span looks at the value that its body came to.
#[derive(Clone)]
pub(crate) enum Look {
    /// Not at all.
    Nothing,
    /// By its type.
    Typed,
    /// By its type, when it is a `Result`: it does not matter what else it may be.
    Result,
    /// By this expression over [`value`].
    Expression(TokenStream),
}

/// The variable that holds the value a body came to, out of reach of the user's code.
pub(crate) fn value() -> Ident {
    Ident::new("value", Span::mixed_site())
}

/// The path, as if it were written in another place: errors are told there.
pub(crate) fn located(path: &Path, place: Span) -> TokenStream {
    let locate = |mut tree: TokenTree| {
        tree.set_span(tree.span().located_at(place));
        tree
    };
    path.to_token_stream().into_iter().map(locate).collect()
}

impl Look {
    /// As a closure over a value, of a type that only the caller may know. What is wrong with the
    /// value is told on these tokens.
    pub(crate) fn closure(&self, ty: Option<&Type>, runtime: &Path, place: Span) -> TokenStream {
        let value = value();
        let ty = ty.map(|ty| quote!(: &#ty));
        let runtime = located(runtime, place);
        let place = Span::mixed_site().located_at(place);
        match self {
            Self::Nothing => quote!(#runtime::__private::Outcome::unset),
            Self::Typed => {
                let outcome = quote_spanned!(place=> #runtime::__private::outcome!(#value));
                quote!(|#value #ty| #outcome)
            }
            Self::Result => {
                let outcome = quote_spanned!(place=> #runtime::__private::result!(#value));
                quote!(|#value #ty| #outcome)
            }
            Self::Expression(expression) => quote!(|#value #ty| #expression),
        }
    }

    /// As `closure`, for one that may outlive the function: it takes what it mentions along.
    fn moving(&self, ty: Option<&Type>, runtime: &Path, place: Span) -> TokenStream {
        let closure = self.closure(ty, runtime, place);
        let moves = matches!(self, Self::Expression(_)).then(|| quote!(move));
        quote!(#moves #closure)
    }
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
        let Self { mut core, shape } = self;
        let Scope { start, look, ends_by_value, runtime } = scope;
        if !matches!(shape, Shape::Boxed(..)) {
            core = with_parameters(&function, &core);
        }
        let macros = quote!(#runtime::__private);
        let place = function.output_place();
        let body = match shape {
            Shape::Nothing(output) => {
                let look = if let Look::Typed = look { &Look::Nothing } else { look };
                let look = look.moving(None, runtime, place);
                quote!(#start.run(move || -> #output #core, #look))
            }
            Shape::Value(output) if *ends_by_value => {
                let look = look.moving(None, runtime, place);
                quote!(#start.run(move || -> #output #core, #look))
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
        quote!(#handler.run(move || -> #output #body, #look))
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

/// A closure called in the span, and a macro that says what becomes of its value.
fn called(
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
fn follow(core: &Group, output: &Type, scope: &Scope, place: Span) -> TokenStream {
    let Scope { start, look, runtime, .. } = scope;
    // There is no value to look at, and no expression of its type for a hint.
    if let Type::Never(_) = output {
        let block = quote_spanned!(core.span()=> async move #core);
        let look = Look::Nothing.closure(None, runtime, place);
        return quote!(#start.follow(#block, #look).await);
    }
    let look = look.moving(None, runtime, place);
    let hint = quote!(#runtime::__private::returns!(#output););
    let block = quote_spanned!(core.span()=> async move { #hint #core });
    quote!(#start.follow(#block, #look).await)
}

impl Boxed {
    /// The box that a function ends with, and the block in it.
    fn find(body: &Group) -> Option<(Self, Group)> {
        let mut tokens: Vec<TokenTree> = body.stream().into_iter().collect();
        let Some(TokenTree::Group(arguments)) = tokens.pop() else {
            return None;
        };
        let path = tokens.iter().rposition(|tree| !is_path(tree)).map_or(0, |before| before + 1);
        let pin: TokenStream = tokens.drain(path..).collect();
        let starts = match tokens.last() {
            None => true,
            Some(TokenTree::Punct(punct)) => punct.as_char() == ';',
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
            Some(_) => false,
        };
        let before: TokenStream = tokens.into_iter().collect();
        let leaves = mentions(&before, &["return"]) || has_span(before.clone());
        if !starts || !ends_in_box_pin(&pin) || leaves {
            return None;
        }
        let mut inside: Vec<TokenTree> = arguments.stream().into_iter().collect();
        let Some(TokenTree::Group(block)) = inside.pop() else {
            return None;
        };
        let asyncness: TokenStream = inside.into_iter().collect();
        let written = asyncness.to_string();
        if written != "async move" && written != "async" {
            return None;
        }
        let (moved, core) = match Moved::find(&block) {
            Some((moved, core)) => (Some(moved), core),
            None => (None, block),
        };
        Some((Self { before, pin, asyncness, moved }, core))
    }

    fn restore(self, core: &Group) -> TokenStream {
        let Self { before, pin, asyncness, moved } = self;
        let block = moved.map(|Moved { lets, rest, .. }| quote!({ #lets #core #rest }));
        let block = block.unwrap_or_else(|| core.to_token_stream());
        quote!(#before #pin(#asyncness #block))
    }

    fn wrap(self, core: &Group, output: &Type, scope: &Scope, place: Span) -> TokenStream {
        let Self { before, pin, asyncness, moved } = self;
        let Some(Moved { lets, output, rest, receiver }) = moved else {
            let Scope { start, look, runtime, .. } = scope;
            let look = look.moving(Some(output), runtime, place);
            let closure = quote!(move || { #before #asyncness #core });
            let body = called(start, &closure, &quote!(#runtime::__private::follow), &look);
            return quote!(#pin({ #body }));
        };
        // What is written in the attributes still says `self`.
        let Scope { start, look, ends_by_value, runtime } = scope;
        let rename = |tokens: &TokenStream| match &receiver {
            Some(receiver) => renamed(tokens.clone(), receiver),
            None => tokens.clone(),
        };
        let look = match look {
            Look::Expression(expression) => Look::Expression(rename(expression)),
            look => look.clone(),
        };
        let scope = Scope {
            start: rename(start),
            look,
            ends_by_value: *ends_by_value,
            runtime: runtime.clone(),
        };
        let body = follow(core, &output, &scope, place);
        quote!(#before #pin(#asyncness { #lets #body #rest }))
    }
}

impl Moved {
    /// What `#[async_trait]` writes: `…; let __ret: T = { core }; __ret`, or `let _: () = { core };`.
    fn find(block: &Group) -> Option<(Self, Group)> {
        let mut lets: Vec<TokenTree> = block.stream().into_iter().collect();
        let end = lets.windows(3).rposition(|three| match three {
            [TokenTree::Punct(equals), TokenTree::Group(group), TokenTree::Punct(end)] => {
                equals.as_char() == '='
                    && group.delimiter() == Delimiter::Brace
                    && end.as_char() == ';'
            }
            _ => false,
        })?;
        let rest: TokenStream = lets.split_off(end + 2).into_iter().collect();
        let Some(TokenTree::Group(core)) = lets.pop() else {
            return None;
        };
        let is_word = |index: usize, word: &str| matches!(lets.get(index), Some(TokenTree::Ident(ident)) if ident == word);
        let last = (0..lets.len()).rev().find(|index| is_word(*index, "let"))?;
        let unit = is_word(last + 1, "_") && rest.to_string() == ";";
        if !unit && !is_word(last + 1, "__ret") {
            return None;
        }
        let ty = lets.get(last + 3..lets.len() - 1)?.iter().cloned().collect();
        let output = syn::parse2(ty).ok()?;
        let moves: TokenStream = lets[..last].iter().cloned().collect();
        let moves: syn::Block = syn::parse2(quote!({ #moves })).ok()?;
        if !moves.stmts.iter().all(is_move) {
            return None;
        }
        let receiver = lets.iter().find_map(|tree| match tree {
            TokenTree::Ident(ident) if ident == "__self" => Some(ident.clone()),
            _ => None,
        });
        Some((Self { lets: lets.into_iter().collect(), output, rest, receiver }, core))
    }
}

/// Whether a statement is one that `#[async_trait]` moves a parameter by, or hints at the type with.
fn is_move(statement: &Stmt) -> bool {
    match statement {
        Stmt::Local(local) => {
            local.init.as_ref().is_some_and(|init| match (&*init.expr, &local.pat) {
                (Expr::Path(from), Pat::Ident(to)) => {
                    from.path.is_ident(&to.ident) || from.path.is_ident("self")
                }
                (Expr::Block(from), _) => from.to_token_stream().to_string().contains("__arg"),
                _ => false,
            })
        }
        Stmt::Expr(Expr::If(hint), _) => hint.cond.to_token_stream().to_string().contains("__ret"),
        _ => false,
    }
}

fn is_path(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    }
}

fn ends_in_box_pin(path: &TokenStream) -> bool {
    syn::parse2::<Path>(path.clone()).is_ok_and(|path| {
        let mut words = path.segments.iter().rev().map(|segment| segment.ident.to_string());
        words.next().is_some_and(|word| word == "pin")
            && words.next().is_some_and(|word| word == "Box")
    })
}

/// Whether one of these words is among the tokens, at any depth.
pub(crate) fn mentions(tokens: &TokenStream, words: &[&str]) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => words.iter().any(|word| ident == word),
        TokenTree::Group(group) => mentions(&group.stream(), words),
        _ => false,
    })
}

/// The tokens with the variable `self` called something else.
fn renamed(tokens: TokenStream, receiver: &Ident) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut renamed = Vec::new();
    while let Some(tree) = tokens.next() {
        let is_path =
            matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        renamed.push(if is_path { tree } else { rename(tree, receiver) });
    }
    renamed.into_iter().collect()
}

fn rename(tree: TokenTree, receiver: &Ident) -> TokenTree {
    match tree {
        TokenTree::Ident(ident) if ident == "self" => {
            let mut receiver = receiver.clone();
            receiver.set_span(receiver.span().located_at(ident.span()));
            TokenTree::Ident(receiver)
        }
        TokenTree::Group(group) => {
            let mut inside = Group::new(group.delimiter(), renamed(group.stream(), receiver));
            inside.set_span(group.span());
            TokenTree::Group(inside)
        }
        other => other,
    }
}

/// The body with a mention of the function's parameters first: a closure drops them in the order
/// it mentions them, a function in the order opposite to theirs. A parameter that nothing uses is
/// left to the lint that tells so, unless it is meant to be.
fn with_parameters(function: &Function, core: &Group) -> Group {
    let used = |name: &Ident| {
        let word = name.to_string();
        let constant = word.starts_with(char::is_uppercase);
        !constant && (word.starts_with('_') || mentions(&core.stream(), &[&word]))
    };
    let mut names: Vec<Ident> = function.parameters().into_iter().filter(used).collect();
    names.reverse();
    let guards = names.iter().any(|name| name.to_string().starts_with('_'));
    if names.len() < 2 && !guards {
        return core.clone();
    }
    let allow = guards.then(|| quote!(#[allow(clippy::used_underscore_binding)]));
    let statements = core.stream();
    refilled(core, quote!(#allow let _ = (#(&#names,)*); #statements))
}

/// A future or a stream anywhere inside a type that is not all of it: work that may go on after the
/// return.
fn find_unfinished(ty: &Type) -> Option<Type> {
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

/// The `T` of `impl Future<Output = T>` or `impl Stream<Item = T>`.
fn output_of<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> Option<Type> {
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
fn cannot_follow(bound: &TypeParamBound) -> bool {
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
