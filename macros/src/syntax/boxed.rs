//! A function that ends in `Box::pin(async move { … })`, as it was written or as `#[async_trait]`
//! wrote it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Expr, Pat, Path, Stmt, Type};

use super::has_span;
use super::wrapper::{SpanWrapper, follow_value, in_span, started, starts};

/// `before; Box::pin(async move { lets core rest })`.
pub(super) struct Boxed {
    before: TokenStream,
    pin: TokenStream,
    asyncness: TokenStream,
    /// `#[async_trait]` moves the parameters in before the function's own block, and returns its
    /// value after it.
    moved: Option<Moved>,
}

struct Moved {
    /// The statements that move the parameters in.
    moves: TokenStream,
    /// `let __ret: T =`, or `let _: () =`.
    binding: TokenStream,
    rest: TokenStream,
    /// What `self` is called there.
    receiver: Option<Ident>,
}

impl Boxed {
    /// The box that a function ends with, and the block in it.
    pub(super) fn find(body: &Group) -> Option<(Self, Group)> {
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

    /// Whether it is `#[async_trait]`'s.
    pub(super) fn is_moved(&self) -> bool {
        self.moved.is_some()
    }

    pub(super) fn restore(self, core: &Group) -> TokenStream {
        let Self { before, pin, asyncness, moved } = self;
        let block = match moved {
            Some(Moved { moves, binding, rest, .. }) => quote!({ #moves #binding #core #rest }),
            None => core.to_token_stream(),
        };
        quote!(#before #pin(#asyncness #block))
    }

    pub(super) fn wrap(
        self,
        parameters: &TokenStream,
        core: &Group,
        output: &Type,
        scope: &SpanWrapper,
        place: Span,
    ) -> TokenStream {
        let Self { before, pin, asyncness, moved } = self;
        let rule = |ty| scope.rule.moving(ty, &scope.runtime, place);
        let Some(Moved { moves, binding, rest, receiver }) = moved else {
            let inside = quote!(#before #asyncness #core);
            let inside = if before.is_empty() { inside } else { quote!({ #inside }) };
            let inside = started(scope, parameters, &inside);
            let body = follow_value(scope, &inside, &rule(Some(output)));
            return quote!(#pin({ #body }));
        };
        // What is written in the attributes still says `self`.
        let start = starts(scope);
        let start = receiver.map_or(start.clone(), |receiver| renamed(start, &receiver));
        let inside = quote!(#moves #start #binding #core #rest);
        let future = in_span(scope, &inside, &rule(None));
        quote!(#before #pin(#future))
    }
}

impl Moved {
    /// What `#[async_trait]` writes, as of its version 0.1.92: `…; let __ret: T = { core }; __ret`, or
    /// `let _: () = { core };`, with `__self` for `self` and `__arg0` for a pattern. If that changes, the function is a span as
    /// any that returns a box is: it starts with the call and not with the first poll, which a test in
    /// `tests/behaviour/shapes.rs` notices.
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
        let moves: TokenStream = lets[..last].iter().cloned().collect();
        let block: syn::Block = syn::parse2(quote!({ #moves })).ok()?;
        if !block.stmts.iter().all(is_move) {
            return None;
        }
        let receiver = lets.iter().find_map(|tree| match tree {
            TokenTree::Ident(ident) if ident == "__self" => Some(ident.clone()),
            _ => None,
        });
        let binding = lets.split_off(last).into_iter().collect();
        Some((Self { moves, binding, rest, receiver }, core))
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
