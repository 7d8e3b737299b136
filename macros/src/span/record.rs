//! `#[record]` on parameters: attributes named where they stand.

use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, FnArg, LitStr, Meta, Pat, Token, parse_quote};

use crate::diagnostics::Errors;
use crate::syntax::{Capture, Data, Function, Key, arguments, conditional, take_attributes};

/// Takes the `#[record]`s off a function's parameters.
pub(crate) fn take(function: &mut Function, errors: &mut Errors) -> Vec<Data> {
    let mut records = Vec::new();
    for input in &mut function.sig.inputs {
        let (attrs, name) = match input {
            FnArg::Receiver(receiver) => (&mut receiver.attrs, None),
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(pattern) => (&mut typed.attrs, Some(pattern.ident.clone())),
                _ => (&mut typed.attrs, None),
            },
        };
        let conditions: Vec<Attribute> =
            attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect();
        let always = take_attributes(attrs, "record").into_iter().map(|record| (record, None));
        let sometimes = take_conditional(attrs).into_iter();
        let sometimes = sometimes.map(|(record, condition)| (record, Some(condition)));
        for (attribute, condition) in always.chain(sometimes).collect::<Vec<_>>() {
            let record = Record::parse(&attribute);
            let data = record.and_then(|record| record.into_data(name.as_ref(), &attribute));
            let conditions = conditions.iter().cloned().chain(condition).collect();
            records.extend(errors.ok(data).map(|data| Data { conditions, ..data }));
        }
    }
    records
}

/// Takes the `#[record]`s out of `#[cfg_attr(condition, …)]`, each with its condition as a `#[cfg]`.
fn take_conditional(attributes: &mut Vec<Attribute>) -> Vec<(Attribute, Attribute)> {
    let mut records = Vec::new();
    attributes.retain_mut(|attribute| {
        let Some((condition, mut inner)) = conditional(attribute) else { return true };
        let count = inner.len();
        for record in take_attributes(&mut inner, "record") {
            records.push((record, parse_quote!(#[cfg(#condition)])));
        }
        if inner.len() < count {
            let rest = inner.iter().map(|attribute| &attribute.meta);
            *attribute = parse_quote!(#[cfg_attr(#condition, #(#rest),*)]);
        }
        !inner.is_empty()
    });
    records
}

/// `#[record("key", %expression)]`, each part of it optional.
struct Record {
    key: Option<LitStr>,
    capture: Capture,
    value: Option<Expr>,
}

impl Record {
    fn parse(attribute: &Attribute) -> syn::Result<Self> {
        let parse = |input: ParseStream| {
            let key: Option<LitStr> =
                if input.peek(LitStr) { input.parse().map(Some)? } else { None };
            if key.is_some() && !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
            let capture = input.call(Capture::parse)?;
            let value = if input.is_empty() { None } else { input.parse().map(Some)? };
            if let Some(Expr::Assign(assign)) = &value {
                return Err(syn::Error::new_spanned(&assign.left, "a key is in quotes"));
            }
            input.parse::<Option<Token![,]>>()?;
            Ok(Self { key, capture, value })
        };
        let parsed = match &attribute.meta {
            Meta::NameValue(written) => {
                Err(syn::Error::new_spanned(&written.value, "a key is in parentheses"))
            }
            _ => parse.parse2(arguments(attribute)),
        };
        parsed.map_err(|error| {
            let message = format!("{error}; write `#[record(\"key\", expression)]`");
            syn::Error::new(error.span(), message)
        })
    }

    fn into_data(self, name: Option<&syn::Ident>, attribute: &Attribute) -> syn::Result<Data> {
        let Self { key, capture, value } = self;
        let key = match (key, name) {
            (Some(key), _) => Key::from(key),
            (None, Some(name)) => Key::from(name.clone()),
            (None, None) => return Err(unnamed(attribute)),
        };
        let value = match (value, name) {
            (Some(value), _) => value,
            (None, Some(name)) => parse_quote!(#name),
            (None, None) => return Err(unnamed(attribute)),
        };
        Ok(Data { key, capture, value, conditions: Vec::new() })
    }
}

fn unnamed(attribute: &Attribute) -> syn::Error {
    let message = "this parameter has no name of its own; write `#[record(\"key\", expression)]`";
    syn::Error::new_spanned(attribute, message)
}
