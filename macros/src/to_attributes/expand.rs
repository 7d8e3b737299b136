//! The tokens of an `impl ToAttributes`.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Type, WherePredicate, parse_quote_spanned};

use super::model::{Group, How, Recorded};
use crate::syntax::{Capture, attribute_list};

pub(super) fn expand(group: &Group) -> TokenStream {
    let Group { name, generics, fields, runtime } = group;
    let list = attribute_list();
    let records = fields.iter().map(|Recorded { field, ty, how }| {
        // `self` is the method's, even if a macro wrote the field. Compile errors underline the field's type.
        let span = Span::call_site().located_at(ty.span());
        let this = quote_spanned!(span=> self);
        let field = quote_spanned!(span=> &#this.#field);
        match how {
            How::Group => quote_spanned!(span=> #list.set_all(#field);),
            How::Attribute(key, Capture::Typed) => quote_spanned!(span=> #list.set(#key, #field);),
            How::Attribute(key, Capture::Display) => {
                quote_spanned!(span=> #list.set_display(#key, #field);)
            }
            How::Attribute(key, Capture::Debug) => {
                quote_spanned!(span=> #list.set_debug(#key, #field);)
            }
        }
    });
    let mut generics = generics.clone();
    let bounds = bounds(group);
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #parameters #runtime::ToAttributes for #name #arguments #bounds {
            fn to_attributes(&self, #list: &mut #runtime::Attributes) {
                #(#records)*
            }
        }
    }
}

/// What the types of fields need that depend on the struct's type parameters. A type that has the struct in it needs
/// nothing more than the other fields do.
fn bounds(group: &Group) -> Vec<WherePredicate> {
    let Group { name, generics, fields, runtime } = group;
    let parameters: Vec<&Ident> =
        generics.type_params().map(|parameter| &parameter.ident).collect();
    let mut known = BTreeSet::new();
    let bound = |Recorded { ty, how, .. }: &Recorded| -> Option<WherePredicate> {
        let ty = behind_references(ty);
        let tokens = ty.to_token_stream();
        let depends = parameters.iter().any(|parameter| mentions(tokens.clone(), parameter));
        let own = Ident::new("Self", Span::call_site());
        if !depends || mentions(tokens.clone(), name) || mentions(tokens, &own) {
            return None;
        }
        let span = Span::call_site().located_at(ty.span());
        let bound = match how {
            How::Group => quote_spanned!(span=> #runtime::ToAttributes),
            How::Attribute(_, Capture::Typed) => quote_spanned!(span=> #runtime::ToAttribute),
            How::Attribute(_, Capture::Display) => quote_spanned!(span=> ::core::fmt::Display),
            How::Attribute(_, Capture::Debug) => quote_spanned!(span=> ::core::fmt::Debug),
        };
        let is_new = known.insert(quote!(#ty: #bound).to_string());
        is_new.then(|| parse_quote_spanned!(span=> #ty: #bound))
    };
    fields.iter().filter_map(bound).collect()
}

fn behind_references(mut ty: &Type) -> &Type {
    while let Type::Reference(reference) = ty {
        ty = &reference.elem;
    }
    ty
}

fn mentions(tokens: TokenStream, word: &Ident) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == *word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
