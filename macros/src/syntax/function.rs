//! A function with its body kept as tokens, so that a half-typed one still gets the IDE's help.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{
    Attribute, FnArg, Ident, Meta, Pat, PatIdent, Path, ReturnType, Signature, Token, Type,
    Visibility,
};

#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) head: Head,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
    stays_async: bool,
}

/// What stands before `fn` and its qualifiers: `pub`, `default`.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) vis: Visibility,
    default: Option<Token![default]>,
}

impl Function {
    pub(crate) fn is_async(&self) -> bool {
        self.sig.asyncness.is_some()
    }

    /// Keeps the function `async` for an attribute that is not on the function itself.
    pub(super) fn keep_async(&mut self) {
        self.stays_async = true;
    }

    /// Whether another attribute, which expands later, may ask whether the function is `async`.
    pub(super) fn stays_async(&self) -> bool {
        self.stays_async || !self.attrs.iter().all(is_neutral)
    }

    /// The return type as a type, `()` when none is written.
    pub(crate) fn output(&self) -> Type {
        match &self.sig.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        }
    }

    /// Where that is written.
    pub(crate) fn output_place(&self) -> Span {
        match &self.sig.output {
            ReturnType::Default => Span::call_site(),
            ReturnType::Type(_, ty) => ty.span(),
        }
    }

    /// The variables that the parameters bind, in their order.
    pub(crate) fn parameters(&self) -> Vec<Ident> {
        let names = |input: &FnArg| match input {
            FnArg::Receiver(receiver) => vec![Ident::from(receiver.self_token)],
            FnArg::Typed(typed) => names_in(&typed.pat),
        };
        self.sig.inputs.iter().flat_map(names).collect()
    }

    /// The first attribute whose path ends in this word.
    pub(crate) fn attribute(&self, word: &str) -> Option<&Attribute> {
        self.attrs.iter().find(|attribute| ends_in(attribute, word))
    }

    /// Attributes inside the body become the function's own: the body is about to move.
    fn hoist_inner_attributes(&mut self) -> syn::Result<()> {
        let split = |input: ParseStream| -> syn::Result<(Vec<Attribute>, TokenStream)> {
            Ok((input.call(Attribute::parse_inner)?, input.parse()?))
        };
        let (inner, rest) = split.parse2(self.body.stream())?;
        if !inner.is_empty() {
            let outer = |attribute| Attribute { style: syn::AttrStyle::Outer, ..attribute };
            self.attrs.extend(inner.into_iter().map(outer));
            self.body = refilled(&self.body, rest);
        }
        Ok(())
    }

    /// Marks the braces of the body as ours: lints about bodies are about bodies that are written.
    pub(super) fn replace_braces(&mut self) {
        self.body.set_span(Span::call_site().located_at(self.body.span()));
    }

    /// The same function round another body.
    pub(crate) fn with_body(mut self, body: &TokenStream) -> Self {
        self.body = refilled(&self.body, body.clone());
        self
    }
}

impl Parse for Function {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut function = Self {
            attrs: input.call(Attribute::parse_outer)?,
            head: Head { vis: input.parse()?, default: input.parse()? },
            sig: input.parse()?,
            body: input.call(body)?,
            stays_async: false,
        };
        function.hoist_inner_attributes()?;
        Ok(function)
    }
}

/// The block in braces, or what a macro calls `$body:block`.
fn body(input: ParseStream) -> syn::Result<Group> {
    let tree: TokenTree = input.parse()?;
    if let TokenTree::Group(group) = &tree {
        match group.delimiter() {
            Delimiter::Brace => return Ok(group.clone()),
            Delimiter::None => return body.parse2(group.stream()),
            _ => {}
        }
    }
    Err(syn::Error::new(tree.span(), "expected a body in braces"))
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, head: Head { vis, default }, sig, body, .. } = self;
        tokens.extend(quote!(#(#attrs)* #vis #default #sig #body));
    }
}

/// Whether an attribute means the same on an `async fn` and on a function that returns a future. Most
/// attributes of other crates ask for an `async fn`.
pub(super) fn is_neutral(attribute: &Attribute) -> bool {
    let known =
        ["allow", "cfg", "cold", "deny", "deprecated", "doc", "expect", "forbid", "inline", "warn"];
    known.iter().any(|word| attribute.path().is_ident(word))
}

/// Whether an attribute's path ends in this word.
fn ends_in(attribute: &Attribute, word: &str) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == word)
}

/// Takes off all attributes whose paths end in this word.
pub(crate) fn take_attributes(attributes: &mut Vec<Attribute>, word: &str) -> Vec<Attribute> {
    attributes.extract_if(.., |attribute| ends_in(attribute, word)).collect()
}

/// What is between the parentheses of an attribute.
pub(crate) fn arguments(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}

/// The condition of a `#[cfg_attr(condition, …)]`, and the attributes that hold under it.
pub(crate) fn conditional(attribute: &Attribute) -> Option<(Meta, Vec<Attribute>)> {
    let Meta::List(list) = &attribute.meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
    let mut parts = parse.parse2(list.tokens.clone()).ok()?.into_iter();
    let condition = parts.next()?;
    let attributes = parts.map(|meta| Attribute { meta, ..attribute.clone() });
    Some((condition, attributes.collect()))
}

/// The group round other tokens, where it was.
pub(crate) fn refilled(group: &Group, tokens: TokenStream) -> Group {
    let mut refilled = Group::new(group.delimiter(), tokens);
    refilled.set_span(group.span());
    refilled
}

/// The path of an attribute and its last word, from what stands after its `#`.
pub(crate) fn attribute_path(brackets: &Group) -> Option<(Path, String)> {
    let path = syn::parse2::<Meta>(brackets.stream()).ok()?.path().clone();
    let word = path.segments.last()?.ident.to_string();
    Some((path, word))
}

/// Whether `#[span]`, by whatever path and under whatever condition, is among the tokens, at any depth.
pub(crate) fn has_span(tokens: TokenStream) -> bool {
    let mut after_pound = false;
    tokens.into_iter().any(|tree| {
        let found = match &tree {
            TokenTree::Group(group) if after_pound && group.delimiter() == Delimiter::Bracket => {
                attribute_path(group).is_some_and(|(_, word)| word == "span")
                    || is_conditional_span(group)
            }
            TokenTree::Group(group) => has_span(group.stream()),
            _ => false,
        };
        after_pound = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#');
        found
    })
}

/// Whether an attribute is `#[span]` under a condition, from what stands after its `#`.
pub(crate) fn is_conditional_span(brackets: &Group) -> bool {
    let attribute = Attribute::parse_outer.parse2(quote!(# #brackets)).ok();
    let inner = attribute.into_iter().flatten().find_map(|attribute| conditional(&attribute));
    inner.is_some_and(|(_, inner)| inner.iter().any(|one| ends_in(one, "span")))
}

/// The variables that a pattern binds.
pub(super) fn names_in(pattern: &Pat) -> Vec<Ident> {
    struct Names(Vec<Ident>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            self.0.push(pattern.ident.clone());
            syn::visit::visit_pat_ident(self, pattern);
        }
    }
    let mut names = Names(Vec::new());
    names.visit_pat(pattern);
    names.0
}
