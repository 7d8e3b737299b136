//! How the parameters get into a body that is a closure or an `async` block.
//!
//! Such a body owns the parameters, as a function's body does: it binds them itself, in their order, so
//! that they are dropped in the order in which the function would drop them. That holds for those too
//! that are not used, that have no name, and for what a pattern leaves unbound. It is what the compiler
//! does with the parameters of an `async fn`. In the signature a hidden variable takes the place of each
//! pattern: it shows the same name, but no code of the user's can refer to it.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, Pat, PatIdent, PatType, parse_quote};

use super::function::{Function, names_in};
use super::outcome_rule::hidden;

/// Takes the patterns out of the signature. Returns the statements that bind them in the body.
///
/// The closure for the outcome (`rule`) stands outside of the body. So a parameter that `rule` names
/// stays there. If the body names it too it must be `Copy`, and then nothing is dropped.
pub(super) fn bind(function: &mut Function, rule: &TokenStream) -> TokenStream {
    let mut statements = TokenStream::new();
    for (index, input) in function.sig.inputs.iter_mut().enumerate() {
        statements.extend(match input {
            FnArg::Receiver(receiver) => {
                let name = Ident::from(receiver.self_token);
                let stays = uses(rule, &name);
                // A closure would take fields of `self` only where the body mentions only these.
                (!stays).then(|| quote!(let _ = &#name;))
            }
            FnArg::Typed(parameter) => bind_one(parameter, index, rule),
        });
    }
    statements
}

/// Whether these tokens use a parameter.
pub(super) fn are_used(function: &Function, tokens: &TokenStream) -> bool {
    function.parameters().iter().any(|name| name != "self" && uses(tokens, name))
}

fn bind_one(parameter: &mut PatType, index: usize, rule: &TokenStream) -> Option<TokenStream> {
    let names = names_in(&parameter.pat);
    if names.iter().any(|name| uses(rule, name)) {
        return None;
    }
    let attributes = attributes_in_body(&mut parameter.attrs);
    let pattern = (*parameter.pat).clone();
    let simple = match &pattern {
        Pat::Ident(PatIdent { by_ref: None, subpat: None, ident, .. }) => Some(ident),
        _ => None,
    };
    // A parameter may be called `_x`, a variable that is given what is already there may not: clippy's
    // `no_effect_underscore_binding`.
    let bind = |value: &Ident| {
        if value.to_string().starts_with('_') {
            quote!(#(#attributes)* let (#pattern,) = (#value,);)
        } else {
            quote!(#(#attributes)* let #pattern = #value;)
        }
    };
    if let Some(name) = simple {
        let hidden = Ident::new(&name.to_string(), Span::mixed_site().located_at(name.span()));
        *parameter.pat = parse_quote!(#hidden);
        return Some(bind(&hidden));
    }
    let mut hidden = hidden(&format!("parameter{index}"));
    hidden.set_span(hidden.span().located_at(pattern.span()));
    *parameter.pat = parse_quote!(#hidden);
    // First all of it, then what the pattern binds: the rest is dropped after that.
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let whole = quote!(#(#conditions)* let #hidden = #hidden;);
    let binds = !matches!(pattern, Pat::Wild(_));
    let parts = binds.then(|| quote!(#(#attributes)* let #pattern = #hidden;));
    Some(quote!(#whole #parts))
}

/// What the `let` of a parameter has of the attributes of the parameter: conditions, and levels of lints
/// about the names, which are removed from a signature that no longer has the names.
fn attributes_in_body(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    let is_condition = |attribute: &Attribute| {
        ["cfg", "cfg_attr"].iter().any(|word| attribute.path().is_ident(word))
    };
    let is_level = |attribute: &Attribute| {
        let levels = ["allow", "expect", "warn", "deny", "forbid"];
        levels.iter().any(|word| attribute.path().is_ident(word))
    };
    let in_body: Vec<Attribute> =
        attributes.iter().filter(|one| is_condition(one) || is_level(one)).cloned().collect();
    attributes.retain(|one| !is_level(one));
    in_body
}

/// Whether a variable is used among these tokens: named, or formatted.
fn uses(tokens: &TokenStream, name: &Ident) -> bool {
    // One dot makes a field or a method of a name, two make a range up to a variable.
    let mut dots = 0;
    tokens.clone().into_iter().any(|tree| {
        let found = match &tree {
            TokenTree::Ident(ident) => ident == name && dots != 1,
            TokenTree::Group(group) => uses(&group.stream(), name),
            TokenTree::Literal(literal) => formats(&literal.to_string(), &name.to_string()),
            TokenTree::Punct(_) => false,
        };
        let is_dot = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '.');
        dots = if is_dot { dots + 1 } else { 0 };
        found
    })
}

/// Whether a format string has `{name}` or `{name:…}` in it.
fn formats(literal: &str, name: &str) -> bool {
    let ends = |rest: &str| rest.starts_with(['}', ':']);
    literal.split('{').skip(1).any(|hole| hole.strip_prefix(name).is_some_and(ends))
}
