//! What is kept of an item: attributes that were taken off it stay used, and an item with mistakes
//! stays beside its errors, so that one typo does not bring a hundred of them.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use crate::syntax::{Function, ImplBlock, attribute_path, is_conditional_span, refilled};

/// The errors, and the item without our attributes, so that each mistake is reported once. When its
/// syntax is at fault, rustc says it better.
pub(crate) fn emit(errors: &TokenStream, item: TokenStream) -> TokenStream {
    if is_block(&item) {
        return errors.clone();
    }
    let mut taken = Vec::new();
    let item = without_attributes(item, &mut taken);
    if let Ok(function) = syn::parse2::<Function>(item.clone()) {
        let function = mention(&taken, function);
        return quote!(#errors #function);
    }
    let uses = uses(&taken);
    let uses = ImplBlock::is_it(&item).then(|| quote!(const _: () = { #uses };));
    quote!(#errors #item #uses)
}

/// The function with a use of the attributes that were taken along, whose imports are not unused.
pub(crate) fn mention(taken: &[Path], function: Function) -> Function {
    let (uses, statements) = (uses(taken), function.body.stream());
    function.with_body(&quote!(#uses #statements))
}

/// What is written in the attributes of [`uses`].
const USED: &str = "__spandrel_used";

/// Whether an attribute is one of [`uses`], of which nothing is left.
pub(crate) fn is_use(args: &TokenStream) -> bool {
    args.to_string() == USED
}

/// Uses the attributes once more, on nothing. All of it is in the attribute's place: there the compiler
/// says that the attribute is not imported.
fn uses(taken: &[Path]) -> TokenStream {
    let used = Ident::new(USED, Span::call_site());
    taken
        .iter()
        .map(|path| quote_spanned!(path.span()=> #[#path(#used)] const _: () = ();))
        .collect()
}

/// What is wrong with an item that is nothing to make a span of, and where.
pub(crate) fn misplaced(word: &str, item: &TokenStream, error: &syn::Error) -> (Span, String) {
    let is_statement = item.clone().into_iter().next().is_some_and(|tree| match tree {
        TokenTree::Ident(ident) => ident == "let",
        other => matches!(other, TokenTree::Group(_)),
    });
    let message = if word == "span" && is_statement {
        return (
            Span::call_site(),
            "a span inside of a function needs an attribute on the function, and is not seen \
             inside of a macro call; add `#[span]` to the function, or move this out of the call"
                .to_owned(),
        );
    } else if word == "span" {
        "a function or a method with a body, on an `impl` block, and inside of a function that has \
         it on a block, a `let` or an expression"
    } else {
        "a function or a method with a body"
    };
    (error.span(), format!("`#[{word}]` goes on {message}"))
}

fn is_block(item: &TokenStream) -> bool {
    let is_brace =
        |tree| matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    item.clone().into_iter().next().is_some_and(is_brace)
}

/// The tokens without our attributes, at any depth; the paths of those that are imported.
fn without_attributes(tokens: TokenStream, taken: &mut Vec<Path>) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for tree in tokens {
        let after_pound =
            matches!(kept.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#');
        let TokenTree::Group(group) = tree else {
            kept.push(tree);
            continue;
        };
        if after_pound && is_conditional_span(&group) {
            kept.pop();
            continue;
        }
        let attribute = if after_pound { attribute_path(&group) } else { None };
        match attribute {
            Some((_, word)) if word == "record" => {
                kept.pop();
            }
            Some((path, word)) if word == "span" || word == "propagate" => {
                kept.pop();
                taken.push(path);
            }
            _ => {
                let stream = without_attributes(group.stream(), taken);
                kept.push(refilled(&group, stream).into());
            }
        }
    }
    kept.into_iter().collect()
}
