//! What a `#[propagate]` means: carriers that are places over the function's parameters.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Expr, Ident, Path};

use super::args::Args;
use crate::diagnostics::{Errors, choices};
use crate::syntax::{Data, Function, Key, PROPAGATE};

pub(crate) struct Propagation {
    pub(super) extract: Option<Expr>,
    pub(super) inject: Option<Expr>,
    pub(super) links: Vec<Expr>,
    pub(super) baggage: Vec<Data>,
    pub(super) recorded: Vec<Key>,
    pub(crate) runtime: Path,
}

impl Propagation {
    /// When there is a mistake it is in `errors`.
    pub(crate) fn new(
        tokens: TokenStream,
        function: &Function,
        default_runtime: &Path,
        errors: &mut Errors,
    ) -> Self {
        let Args { extract, inject, links, baggage, recorded, runtime, mistaken } =
            Args::parse(tokens, errors);
        let runtime = runtime.unwrap_or_else(|| default_runtime.clone());
        let nothing = extract.is_none()
            && inject.is_none()
            && links.is_empty()
            && baggage.is_empty()
            && recorded.is_empty();
        if nothing && !mistaken {
            errors.add(
                &function.sig.ident,
                "`#[propagate]` needs a carrier; write `#[propagate(headers)]` to continue \
                 the caller's trace, `#[propagate(inject(headers))]` to hand ours on",
            );
        }
        let extract_places = extract.iter().filter(|place| !is_constant(place));
        for place in extract_places.chain(&inject).chain(&links) {
            check_place(place, function, errors);
        }
        Self { extract, inject, links, baggage, recorded, runtime }
    }

    /// Says so where something is about a span and there is none.
    pub(crate) fn check_span(&self, errors: &mut Errors) {
        for carrier in &self.links {
            errors.add(carrier, "a link needs a span on this function; add `#[span]`");
        }
        for Key { name, tokens, .. } in &self.recorded {
            let message = format!(
                "`{name}` is recorded on a span of this function; add `#[span]`, or set the \
                 entry: `baggage({name} = value)`"
            );
            errors.add(tokens, message);
        }
    }

    pub(crate) fn extracts(&self) -> bool {
        self.extract.is_some()
    }
}

/// A `#[span]` that comes after a `#[propagate]` which did not know it, by another name, would start
/// before the extraction. That `#[propagate]` has already expanded, to a call of what the user's code cannot
/// name.
pub(crate) fn check_order(function: &Function, errors: &mut Errors) {
    if calls_continued(function.body.stream()) {
        errors.add(
            &function.sig.ident,
            "`#[propagate]` did not see the span below it, which has another name; \
             write it as `#[span]`, or above `#[propagate]`",
        );
    }
}

/// Whether `__private::continued` is among the tokens, at any depth.
fn calls_continued(tokens: TokenStream) -> bool {
    let mut in_private = false;
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(word) => {
            let was_in_private = std::mem::replace(&mut in_private, word == "__private");
            was_in_private && word == "continued"
        }
        TokenTree::Group(group) => calls_continued(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether it is a constant or a unit struct, such as `ProcessEnvironment`: those are not parameters.
fn is_constant(place: &Expr) -> bool {
    let Expr::Path(path) = place else { return false };
    let last = path.path.segments.last().map(|last| last.ident.to_string());
    last.is_some_and(|last| last.starts_with(char::is_uppercase))
}

/// A carrier starts at a parameter, and is reached by fields and methods.
fn check_place(place: &Expr, function: &Function, errors: &mut Errors) {
    match root(place) {
        Some(ident) => {
            let parameters = function.parameters();
            if !parameters.contains(ident) {
                let parameters: Vec<String> = parameters.iter().map(Ident::to_string).collect();
                let known: Vec<&str> = parameters.iter().map(String::as_str).collect();
                let name = ident.to_string();
                let form = PROPAGATE.form(&name);
                let message = form.map(|form| format!("`{name}` needs a value; write `{form}`"));
                let message = message
                    .or_else(|| Some(format!("{}; move it there", PROPAGATE.elsewhere(&name)?)))
                    .unwrap_or_else(|| {
                        let choices = choices(&name, "parameters", &known);
                        format!("`{name}` is not a parameter{choices}")
                    });
                errors.add(ident, message);
            }
        }
        None => errors.add(
            place,
            "a carrier is a parameter, or a field or a method of one; \
             write `headers`, `input.trace_context` or `request.headers_mut()`",
        ),
    }
}

fn root(place: &Expr) -> Option<&Ident> {
    match place {
        Expr::Path(path) => path.path.get_ident(),
        Expr::Field(field) => root(&field.base),
        Expr::MethodCall(call) => root(&call.receiver),
        // A wrapper round a place.
        Expr::Call(call) => call.args.first().and_then(root),
        Expr::Index(index) => root(&index.expr),
        Expr::Paren(paren) => root(&paren.expr),
        Expr::Group(group) => root(&group.expr),
        Expr::Reference(reference) => root(&reference.expr),
        Expr::Unary(unary) => root(&unary.expr),
        _ => None,
    }
}
