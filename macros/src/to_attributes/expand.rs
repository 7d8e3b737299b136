//! The tokens of an `impl ToAttributes`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{WherePredicate, parse_quote, parse_quote_spanned};

use super::model::{Group, How, Recorded};
use crate::syntax::{Capture, attribute_list};

pub(super) fn expand(group: &Group) -> TokenStream {
    let Group { name, generics, fields, runtime } = group;
    let list = attribute_list();
    let records = fields.iter().map(|Recorded { field, ty, how }| {
        let span = ty.span();
        match how {
            How::Group => {
                quote_spanned!(span=> #runtime::ToAttributes::to_attributes(&self.#field, #list);)
            }
            How::Attribute(key, Capture::Typed) => {
                quote_spanned!(span=> #list.set(#key, &self.#field);)
            }
            How::Attribute(key, Capture::Display) => {
                quote_spanned!(span=> #list.set_display(#key, &self.#field);)
            }
            How::Attribute(key, Capture::Debug) => {
                quote_spanned!(span=> #list.set_debug(#key, &self.#field);)
            }
        }
    });
    // Of a generic struct, the fields' types need what they are recorded by.
    let mut generics = generics.clone();
    if generics.type_params().next().is_some() {
        let bounds = fields.iter().map(|Recorded { ty, how, .. }| -> WherePredicate {
            match how {
                How::Group => parse_quote_spanned!(ty.span()=> #ty: #runtime::ToAttributes),
                How::Attribute(_, Capture::Typed) => parse_quote!(#ty: #runtime::ToAttribute),
                How::Attribute(_, Capture::Display) => parse_quote!(#ty: ::core::fmt::Display),
                How::Attribute(_, Capture::Debug) => parse_quote!(#ty: ::core::fmt::Debug),
            }
        });
        generics.make_where_clause().predicates.extend(bounds);
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters #runtime::ToAttributes for #name #arguments #bounds {
            fn to_attributes(&self, #list: &mut #runtime::Attributes) {
                #(#records)*
            }
        }
    }
}
