//! An `impl` block as tokens, so that half-typed members still get the IDE's help.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{ItemImpl, Type};

use super::Function;
use super::function::is_neutral;

/// An `impl` block: its tokens up to the braces, and its members in their order.
pub(crate) struct ImplBlock {
    pub(crate) head: TokenStream,
    pub(crate) members: Vec<Member>,
}

pub(crate) enum Member {
    Function(Box<Function>),
    Other(TokenStream),
}

impl ImplBlock {
    /// Whether an item may be one.
    pub(crate) fn is_it(item: &TokenStream) -> bool {
        let is_impl = |tree: TokenTree| matches!(tree, TokenTree::Ident(word) if word == "impl");
        item.clone().into_iter().any(is_impl)
    }

    /// The name of the type that is implemented, when it has one.
    pub(crate) fn type_name(&self) -> Option<String> {
        let head = &self.head;
        let item: ItemImpl = syn::parse2(quote!(#head {})).ok()?;
        let mut ty = &*item.self_ty;
        loop {
            match ty {
                Type::Path(path) => {
                    return path.path.segments.last().map(|segment| segment.ident.to_string());
                }
                Type::Reference(reference) => ty = &reference.elem,
                Type::Paren(paren) => ty = &paren.elem,
                Type::Group(group) => ty = &group.elem,
                _ => return None,
            }
        }
    }
}

impl Parse for ImplBlock {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut head: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
        let braces = head.pop().map(TokenTree::into_token_stream).unwrap_or_default();
        let mut members = members.parse2(braces)?;
        let head: TokenStream = head.into_iter().collect();
        // `#[async_trait]` below, for one, looks for methods that are `async`.
        let item = syn::parse2::<ItemImpl>(quote!(#head {}));
        if item.is_ok_and(|item| !item.attrs.iter().all(is_neutral)) {
            for member in &mut members {
                if let Member::Function(function) = member {
                    function.keep_async();
                }
            }
        }
        Ok(Self { head, members })
    }
}

fn members(input: ParseStream) -> syn::Result<Vec<Member>> {
    let content;
    syn::braced!(content in input);
    let mut members = Vec::new();
    while !content.is_empty() {
        members.push(content.parse()?);
    }
    Ok(members)
}

impl Parse for Member {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if input.fork().parse::<Function>().is_ok() {
            return Ok(Self::Function(Box::new(input.parse()?)));
        }
        let mut tokens = TokenStream::new();
        while !input.is_empty() {
            let tree: TokenTree = input.parse()?;
            let ends = match &tree {
                TokenTree::Punct(punct) => punct.as_char() == ';',
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                _ => false,
            };
            tree.to_tokens(&mut tokens);
            if ends {
                break;
            }
        }
        Ok(Self::Other(tokens))
    }
}
